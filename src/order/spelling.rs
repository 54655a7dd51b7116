//! Values in several spellings.

/// The form in which states, sub-statuses and names compare: letters and digits only, in lower case,
/// so that "In Progress" and "inProgress" are one value (contract, law 2).
pub fn compared(value: &str) -> String {
    let mut form = String::with_capacity(value.len());
    if value.is_ascii() {
        form.extend(ascii_letters(value).map(char::from));
    } else {
        form.extend(letters(value));
    }
    form
}

/// Whether two spellings are the same value, without making the compared forms.
pub fn same(a: &str, b: &str) -> bool {
    a == b
        || if a.is_ascii() && b.is_ascii() { ascii_letters(a).eq(ascii_letters(b)) } else { letters(a).eq(letters(b)) }
}

fn letters(value: &str) -> impl Iterator<Item = char> + '_ {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The same, several times as fast, where all is ASCII, as nearly every value is.
fn ascii_letters(value: &str) -> impl Iterator<Item = u8> + '_ {
    value.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{compared, same};

    #[test]
    fn case_spaces_and_punctuation_do_not_make_another_value() {
        assert!(same("In Progress", "inProgress"));
        assert!(same("in-progress", "IN_PROGRESS"));
        assert!(!same("Closed", "Closed2"));
        assert_eq!(compared("Amend Request"), "amendrequest");
        assert!(same("Zürich 1", "zÜRICH-1") && !same("Zürich", "Zurich"));
        assert_eq!(compared("Zürich 1"), "zürich1");
    }
}
