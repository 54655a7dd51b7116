//! One type for everything that comes as a list, one object, null, or not at all.

use super::json::Json;

/// A collection of the wire. Suppliers serialise from XML: a single member becomes a bare object and
/// an empty list vanishes (domain §1, shapes), so all four forms mean the same here.
///
/// ```
/// use order_timeline::wire::{Json, OneOrMany};
///
/// let members = |body| OneOrMany::of(&serde_json::from_str::<Json>(body).unwrap()).members().len();
/// assert_eq!(members("null"), 0);
/// assert_eq!(members("[]"), 0);
/// assert_eq!(members(r#"{"id": "100"}"#), 1);
/// assert_eq!(members(r#"[{"id": "100"}, {"id": "100.1"}]"#), 2);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum OneOrMany<'j, 'b> {
    /// Null or absent.
    None,
    /// A bare member, not in a list.
    One(&'j Json<'b>),
    Many(&'j [Json<'b>]),
}

impl<'j, 'b> OneOrMany<'j, 'b> {
    pub fn of(json: &'j Json<'b>) -> Self {
        match json {
            Json::Null => Self::None,
            Json::List(members) => Self::Many(members),
            one => Self::One(one),
        }
    }

    pub fn members(self) -> &'j [Json<'b>] {
        match self {
            Self::None => &[],
            Self::One(member) => std::slice::from_ref(member),
            Self::Many(members) => members,
        }
    }
}
