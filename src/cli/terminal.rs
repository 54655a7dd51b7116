//! Received text on a terminal, which would take some characters for commands.

/// A value on one line: control characters and those that turn the direction of writing around stand as
/// U+FFFD, so that no value can move the cursor, colour or hide what is printed, or end its line.
pub fn harmless(value: &str) -> String {
    value.chars().map(|letter| if is_command(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// The same for a text of several lines, which keeps its line ends and tabs.
pub fn harmless_lines(text: &str) -> String {
    let kept = |letter: char| matches!(letter, '\n' | '\t') || !is_command(letter);
    let letters = text.replace("\r\n", "\n");
    letters.chars().map(|letter| if kept(letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// C0, DEL, C1, and Unicode's embeddings, overrides and isolates of writing direction.
fn is_command(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{harmless, harmless_lines};

    #[test]
    fn no_value_commands_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[2J\r\nb\u{9b}1m\u{7f}\u{202e}\u{2066}c"),
            "a\u{FFFD}[2J\u{FFFD}\u{FFFD}b\u{FFFD}1m\u{FFFD}\u{FFFD}\u{FFFD}c"
        );
        assert_eq!(harmless("Zürich – ‘日本’ العربية"), "Zürich – ‘日本’ العربية");
        assert_eq!(harmless_lines("{\r\n\t\"a\u{1b}\"\r}"), "{\n\t\"a\u{FFFD}\"\u{FFFD}}");
    }
}
