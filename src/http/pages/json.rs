//! JSON for people: indented, with nothing changed but the space between its parts.

/// The same JSON, indented. Names keep their order, repeated names stay, numbers and texts stand as written.
/// `None` where it is not JSON in UTF-8.
pub fn pretty(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    // Only to be told whether it is JSON; its depth is bounded there.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len() * 3 / 2);
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if is_in_text {
            out.push(letter);
            is_in_text = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => {
                is_in_text = true;
                out.push(letter);
            }
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_whitespace() => {}
            other => out.push(other),
        }
    }
    Some(out)
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn json_is_indented_and_nothing_else() {
        let body = r#"{"b":[1.50,{"a":"x, {\"y\": [\\"}],"b":[ ],"c":{} , "n":null}"#;
        let indented = "{\n  \"b\": [\n    1.50,\n    {\n      \"a\": \"x, {\\\"y\\\": [\\\\\"\n    }\n  ],\n  \"b\": [],\n  \"c\": {},\n  \"n\": null\n}";
        assert_eq!(pretty(body.as_bytes()).as_deref(), Some(indented));
        assert_eq!(pretty(b"{\"a\":"), None);
        assert_eq!(pretty(b"\xff"), None);
    }
}
