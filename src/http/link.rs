//! Addresses with ids in them.

/// The page of an order. Ids are any text: `/`, `?`, `#` and spaces are encoded.
pub fn order_path(order_id: &str, sender: &str) -> String {
    format!("/orders/{}?sender={}", in_path(order_id), encoded(sender))
}

/// An order's id as a part of a path. Browsers and clients take `.` and `..` for folders, encoded or not (RFC 3986
/// §5.2.4), so these have a `=` before them, and so has what is written so itself: see [`from_path`].
pub fn in_path(order_id: &str) -> String {
    if is_dots(order_id) { encoded(&format!("={order_id}")) } else { encoded(order_id) }
}

/// The id that a part of a path stands for, once it is decoded.
pub fn from_path(part: String) -> String {
    match part.strip_prefix('=') {
        Some(order_id) if is_dots(order_id) => order_id.to_owned(),
        _ => part,
    }
}

fn is_dots(text: &str) -> bool {
    matches!(text.trim_start_matches('='), "." | "..")
}

/// The orders that have this id, of whatever kind it is.
pub fn search(id: &str) -> String {
    format!("/orders?q={}", encoded(id))
}

/// An address with a query of what is given; empty values are left out.
pub fn with_query(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in query {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(name);
            address.push('=');
            // Times are full of colons, and a query may hold them as they are (RFC 3986 §3.4).
            address.push_str(&encoded(value).replace("%3A", ":"));
        }
    }
    address
}

/// Percent-encodes all but what RFC 3986 §2.3 leaves unreserved: safe as a path segment and in a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{from_path, in_path, order_path, with_query};

    #[test]
    fn ids_of_any_text_stay_one_segment() {
        assert_eq!(order_path("00228874", "bt-wholesale"), "/orders/00228874?sender=bt-wholesale");
        assert_eq!(
            order_path("a/b?c#d e%&+é\"", "x&y=z"),
            "/orders/a%2Fb%3Fc%23d%20e%25%26%2B%C3%A9%22?sender=x%26y%3Dz"
        );
    }

    #[test]
    fn an_id_of_dots_is_no_folder_and_comes_back_as_it_was() {
        assert_eq!(order_path("..", "x"), "/orders/%3D..?sender=x");
        for id in [".", "..", "=.", "=..", "==.", "...", "=", "=a", "a=.", ".a", "00228874", ""] {
            let part = in_path(id).replace("%3D", "=");
            assert!(!matches!(part.as_str(), "." | ".."), "{id}");
            assert_eq!(from_path(part), id);
        }
    }

    #[test]
    fn a_query_holds_what_is_given() {
        let query = [("q", Some("a b")), ("state", None), ("sender", Some("")), ("cursor", Some("1&2"))];
        assert_eq!(with_query("/", &query), "/?q=a%20b&cursor=1%262");
        assert_eq!(with_query("/", &[("q", None)]), "/");
    }
}
