//! What a parser says of an address, in words for people.

/// What is wrong with a query, from what its parser says: `unknown field`, `missing field`, or a value that is not of
/// its kind.
pub fn of_query(said: &str) -> String {
    let said = said.strip_prefix("Query deserialize error: ").unwrap_or(said);
    let mut quoted = said.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(name) if said.starts_with("unknown field") => {
            let known: Vec<&str> = quoted.collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("there is no parameter “{name}” here; those that there are: {known}")
        }
        Some(name) if said.starts_with("missing field") => format!("the parameter “{name}” is missing"),
        Some(name) if said.starts_with("duplicate field") => format!("the parameter “{name}” is given more than once"),
        _ if said.contains("UUID") => "one of its values is no delivery’s id".to_owned(),
        _ if said.contains("invalid digit") || said.contains("too large") => {
            "one of its values is to be a number, and is none or too large".to_owned()
        }
        _ => "one of its values is not of its kind".to_owned(),
    }
}

/// What is wrong with a path whose part is not of its kind; only deliveries' ids have one.
pub fn of_path(path: &str) -> String {
    match path.split('/').skip_while(|part| *part != "deliveries").nth(1) {
        Some(id) => format!("“{id}” is no delivery’s id; they look like 01a1ffbc-97c5-76a1-9af1-41feb91c4d54"),
        None => "a part of it is not of its kind".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_path, of_query};

    #[test]
    fn parsers_words_become_peoples() {
        let said = "Query deserialize error: unknown field `nonsense`, expected one of `q`, `state`";
        assert_eq!(of_query(said), "there is no parameter “nonsense” here; those that there are: q, state");
        assert_eq!(of_query("Query deserialize error: missing field `with`"), "the parameter “with” is missing");
        let said = "Query deserialize error: duplicate field `q`";
        assert_eq!(of_query(said), "the parameter “q” is given more than once");
        for said in ["UUID parsing failed: invalid length", "invalid digit found in string", "anything else"] {
            let told = of_query(said);
            assert!(!told.contains("parsing") && !told.contains("string"), "{told}");
        }
        assert!(of_path("/deliveries/nonsense").starts_with("“nonsense” is no delivery’s id"));
        assert!(
            of_path("/api/v1/deliveries/12-x/body").starts_with("“12-x”"),
            "{}",
            of_path("/api/v1/deliveries/12-x/body")
        );
    }
}
