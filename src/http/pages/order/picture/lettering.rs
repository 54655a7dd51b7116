//! How much of a text fits.

/// As much of a text as fits.
pub fn cut(text: &str, room: f64) -> String {
    if width_of(text) <= room {
        return text.to_owned();
    }
    let mut left = room - letter_width('…');
    let fits = |letter: &char| {
        left -= letter_width(*letter);
        left >= 0.0
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    if !shown.is_empty() {
        shown.push('…');
    }
    shown
}

/// As much of "Managed install 13006429.3" as fits: the id, which tells items apart, before the words.
pub fn cut_words(name: &str, room: f64) -> String {
    match name.rsplit_once(' ') {
        Some((words, id)) if width_of(name) > room => {
            let words = cut(words, room - width_of(id) - letter_width(' '));
            if words.is_empty() { cut(id, room) } else { format!("{words} {id}") }
        }
        _ => cut(name, room),
    }
}

/// About what a text takes, rather more than less.
pub fn width_of(text: &str) -> f64 {
    text.chars().map(letter_width).sum()
}

/// About what a letter takes in the fonts of the pages, at the size of the picture's words; rather more than less.
fn letter_width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 3.4,
        'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 4.5,
        'm' | 'w' | 'M' | 'W' | '…' | '@' | '%' => 11.0,
        letter if letter.is_uppercase() => 8.2,
        letter if letter.is_ascii() => 7.0,
        _ => 11.5,
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, cut_words, letter_width};

    #[test]
    fn an_item_keeps_its_id_when_its_name_is_cut() {
        assert_eq!(cut_words("Access 1", 168.0), "Access 1");
        assert_eq!(cut_words("Managed install 13006429.3", 158.0), "Managed ins… 13006429.3");
        assert_eq!(cut_words("Managed 13006429.31300642913006429", 100.0), "13006429.3130…");
    }

    #[test]
    fn words_do_not_leave_their_band() {
        assert_eq!(cut("closed", 60.0), "closed");
        assert_eq!(cut("WWWWWWWWWW", 60.0), "WWWW…");
        assert_eq!(cut("x", 5.0), "");
        let long = "service completed by the supplier";
        for room in 0..200 {
            let shown = cut(long, f64::from(room));
            assert!(shown.chars().map(letter_width).sum::<f64>() <= f64::from(room), "{shown} in {room}");
        }
    }
}
