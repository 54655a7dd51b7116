//! Reading an object of the wire field by field, tolerant of form, with a path for every deviation.

use std::cell::RefCell;
use std::fmt;

use super::json::Json;
use super::oddity::{Oddities, OddityKind};
use super::one_or_many::OneOrMany;

/// Where a value stands in the body: `event.productOrder.productOrderItem[0].id`.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => write!(f, "{name}"),
            Self::Member(above, name) => write!(f, "{above}.{name}"),
            Self::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

/// An object being read. Every member that was asked for counts as known; [`Fields::finish`] reports
/// the others.
pub struct Fields<'j, 'b, 'p> {
    members: &'j [(std::borrow::Cow<'b, str>, Json<'b>)],
    path: Path<'p>,
    asked: RefCell<Vec<&'static str>>,
    oddities: &'p RefCell<Oddities>,
}

impl<'j, 'b, 'p> Fields<'j, 'b, 'p> {
    /// `None` where the value is no object; what it is instead is noted unless it is null.
    pub fn of(json: &'j Json<'b>, path: Path<'p>, oddities: &'p RefCell<Oddities>) -> Option<Self> {
        match json {
            Json::Object(members) => Some(Self { members, path, asked: RefCell::default(), oddities }),
            Json::Null => None,
            _ => {
                oddities.borrow_mut().note(path, OddityKind::WrongType);
                None
            }
        }
    }

    pub fn path(&self) -> &Path<'p> {
        &self.path
    }

    pub fn oddities(&self) -> &'p RefCell<Oddities> {
        self.oddities
    }

    /// The member's value; of twins the last. Null is as good as absent.
    pub fn get(&self, name: &'static str) -> Option<&'j Json<'b>> {
        self.asked.borrow_mut().push(name);
        let found = self.members.iter().rev().find(|(member, _)| member == name);
        found.map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    /// A text; numbers and booleans become text. Empty says nothing (contract, law 2).
    pub fn text(&self, name: &'static str) -> Option<String> {
        let text = match self.get(name)? {
            Json::Text(text) => self.storable(name, text),
            Json::Number(number) => self.odd(name, OddityKind::NumberForText, number.clone()),
            Json::Bool(value) => self.odd(name, OddityKind::NumberForText, value.to_string()),
            _ => self.odd(name, OddityKind::WrongType, String::new()),
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// Reads the members of a collection in any of its forms; members that are no objects are noted
    /// and passed over.
    pub fn each<T>(&self, name: &'static str, mut read: impl FnMut(Fields<'j, 'b, '_>) -> Option<T>) -> Vec<T> {
        let collection = self.get(name).map_or(OneOrMany::None, OneOrMany::of);
        if let OneOrMany::One(Json::Object(_)) = collection {
            self.note(name, OddityKind::ObjectForList);
        }
        let list = Path::Member(&self.path, name);
        let mut all = Vec::with_capacity(collection.members().len());
        for (index, member) in collection.members().iter().enumerate() {
            let path = match collection {
                OneOrMany::One(_) => list,
                _ => Path::Index(&list, index),
            };
            all.extend(Fields::of(member, path, self.oddities).and_then(&mut read));
        }
        all
    }

    /// One object; of a list the first member.
    pub fn one<T>(&self, name: &'static str, read: impl FnOnce(Fields<'j, 'b, '_>) -> Option<T>) -> Option<T> {
        let value = match self.get(name)? {
            Json::List(members) => {
                self.note(name, OddityKind::ListForObject);
                members.first()?
            }
            value => value,
        };
        let path = Path::Member(&self.path, name);
        Fields::of(value, path, self.oddities).and_then(read)
    }

    /// The members of an object whose names are data, each with a value that is no empty text; objects
    /// and lists are given as JSON.
    pub fn named_texts(&self, name: &'static str) -> Vec<(String, String)> {
        let members = match self.get(name) {
            Some(Json::Object(members)) => members.as_slice(),
            None => return Vec::new(),
            Some(_) => {
                self.note(name, OddityKind::WrongType);
                return Vec::new();
            }
        };
        let told = members.iter().filter_map(|(member, value)| {
            let value = match value {
                Json::Null => return None,
                Json::Text(text) => self.storable(name, text),
                other => self.odd(name, OddityKind::NumberForText, self.storable(name, &other.to_string())),
            };
            (!value.trim().is_empty()).then(|| (self.storable(name, member), value))
        });
        told.collect()
    }

    pub fn note(&self, name: &str, kind: OddityKind) {
        self.oddities.borrow_mut().note(Path::Member(&self.path, name), kind);
    }

    /// Reports the members that were not asked for, do not begin with `@` and are not in `known`
    /// (names of the standard that a timeline has no use for), and names that stand twice.
    pub fn finish(&self, known: &[&str]) {
        let asked = self.asked.borrow();
        let mut names: Vec<&str> = self.members.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        let mut before: Option<&str> = None;
        for name in names {
            if before == Some(name) {
                self.note(name, OddityKind::DuplicateProperty);
            } else if !asked.contains(&name) && !known.contains(&name) && !name.starts_with('@') {
                self.note(name, OddityKind::UnknownProperty);
            }
            before = Some(name);
        }
    }

    fn odd(&self, name: &'static str, kind: OddityKind, text: String) -> String {
        self.note(name, kind);
        text
    }

    /// PostgreSQL's text cannot hold NUL; the body keeps it.
    fn storable(&self, name: &'static str, text: &str) -> String {
        if text.contains('\0') {
            self.odd(name, OddityKind::UnstorableCharacter, text.replace('\0', "\u{FFFD}"))
        } else {
            text.to_owned()
        }
    }
}
