//! Tolerated deviations: what was read in spite of its form, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deviation that was tolerated while reading. It is kept with the delivery, never fatal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Oddity {
    /// The JSON path: `event.productOrder.productOrderItem[0].state`.
    pub path: String,
    pub kind: OddityKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OddityKind {
    /// One object where the standard has a list.
    ObjectForList,
    /// A list where the standard has one object; the first member was read.
    ListForObject,
    /// A number or boolean where the standard has a text.
    NumberForText,
    /// A value of a type that says nothing here; it was passed over.
    WrongType,
    /// A property that neither the standard nor the sender's documents name.
    UnknownProperty,
    /// A member name that stands twice in an object; the last one counts.
    DuplicateProperty,
    /// A time that cannot be read; its text is kept.
    UnreadableTime,
    /// A time without an offset; read as UTC.
    TimeWithoutOffset,
    /// An item without an id; named by another id of it, or passed over where it has none.
    ItemWithoutId,
    /// Items of one order with the same id; each is named by its id and its product.
    RepeatedItemId,
    /// A `#` before an id; it was taken off.
    HashBeforeId,
    /// A party, characteristic or service without its id, name or value; it was passed over.
    Incomplete,
    /// A character that cannot be stored (NUL) or half a surrogate pair; shown as U+FFFD.
    UnstorableCharacter,
    /// An event type that the standard does not name.
    UnknownEventType,
    /// An event without the envelope's `event` object.
    NoEnvelope,
    /// More deviations than are worth keeping one by one.
    More,
}

impl OddityKind {
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind.name(), place(&self.path))
    }
}

/// The body as a whole has an empty path.
fn place(path: &str) -> &str {
    if path.is_empty() { "the root" } else { path }
}

impl Oddity {
    /// The deviation wherever it stands in a list: the same for `a[0].b` and `a[7].b`.
    pub fn shape(&self) -> String {
        let mut shape = format!("{} at ", self.kind.name());
        let mut rest = place(&self.path);
        while let Some((before, after)) = rest.split_once('[') {
            let Some((number, behind)) = after.split_once(']') else { break };
            shape.push_str(before);
            let is_index = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            shape.push_str(if is_index { "[]" } else { "[" });
            rest = if is_index { behind } else { after };
        }
        shape.push_str(rest);
        shape
    }
}

/// The deviations of a body, each once wherever it stands in a list; so many at most.
pub fn shapes(oddities: &[Oddity]) -> Vec<String> {
    const MOST: usize = 50;
    let mut shapes: Vec<String> = oddities.iter().map(Oddity::shape).collect();
    shapes.sort_unstable();
    shapes.dedup();
    shapes.truncate(MOST);
    shapes
}

/// A body of junk must not make a larger record than a body of sense.
const KEPT: usize = 100;
/// Nor one name of junk; in bytes. What the documents name is far shorter.
const LONGEST_PATH: usize = 500;

/// Collects oddities, a bounded number of them.
#[derive(Debug, Default)]
pub struct Oddities {
    kept: Vec<Oddity>,
}

impl Oddities {
    pub fn note(&mut self, path: impl fmt::Display, kind: OddityKind) {
        match self.kept.len() {
            0..KEPT => self.kept.push(Oddity { path: storable(path.to_string()), kind }),
            KEPT => self.kept.push(Oddity { path: String::new(), kind: OddityKind::More }),
            _ => {}
        }
    }

    pub fn into_list(self) -> Vec<Oddity> {
        self.kept
    }
}

/// A path is made of the sender's own names: it may be of any length, and PostgreSQL's jsonb cannot hold NUL.
fn storable(path: String) -> String {
    let path = if path.contains('\0') { path.replace('\0', "\u{FFFD}") } else { path };
    if path.len() <= LONGEST_PATH {
        return path;
    }
    let start = path.get(..path.floor_char_boundary(LONGEST_PATH)).unwrap_or_default();
    format!("{start}…")
}
