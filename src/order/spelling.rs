//! Values in several spellings.

/// The form in which states, sub-statuses and names compare: letters and digits only, in lower case,
/// so that "In Progress" and "inProgress" are one value (contract, law 2).
pub fn compared(value: &str) -> String {
    letters(value).collect()
}

/// Whether two spellings are the same value, without making the compared forms.
pub fn same(a: &str, b: &str) -> bool {
    a == b || letters(a).eq(letters(b))
}

fn letters(value: &str) -> impl Iterator<Item = char> + '_ {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
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
    }
}
