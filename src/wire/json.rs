//! A JSON body as it stands: borrowed where it can be, keys in their order, nothing merged.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

/// A JSON value that borrows its texts from the body. Objects keep every member, twins too: which one
/// counts is the reader's decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'b> {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Cow<'b, str>),
    List(Vec<Json<'b>>),
    Object(Vec<(Cow<'b, str>, Json<'b>)>),
}

impl Json<'_> {
    /// The kind of value, in words for errors.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// SHA-256 of what the JSON means: members in any order, white space, escapes and the way a
    /// number is written make no difference (contract, law 5: JSON equality, not bytes).
    pub fn content_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.hash_into(&mut hash);
        hash.finalize().into()
    }

    fn hash_into(&self, hash: &mut Sha256) {
        match self {
            Self::Null => hash.update(b"n"),
            Self::Bool(value) => hash.update(if *value { b"t" } else { b"f" }),
            Self::Integer(value) => tagged(hash, b'i', value.to_string().as_bytes()),
            // Adding zero makes zero of minus zero.
            Self::Float(value) if value.fract() == 0.0 => tagged(hash, b'i', format!("{:.0}", value + 0.0).as_bytes()),
            Self::Float(value) => tagged(hash, b'd', &value.to_be_bytes()),
            Self::Text(value) => tagged(hash, b's', value.as_bytes()),
            Self::List(members) => {
                hash.update(b"[");
                members.iter().for_each(|member| member.hash_into(hash));
                hash.update(b"]");
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                hash.update(b"{");
                for (at, (name, value)) in sorted.iter().enumerate() {
                    // Of twins the last counts, here as in the reader; the sort keeps their order.
                    if sorted.get(at + 1).is_none_or(|(next, _)| next != name) {
                        tagged(hash, b'k', name.as_bytes());
                        value.hash_into(hash);
                    }
                }
                hash.update(b"}");
            }
        }
    }
}

/// Tag and length before the bytes, so that no two values run together to the same hash.
fn tagged(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

impl<'de: 'b, 'b> Deserialize<'de> for Json<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push(member);
        }
        Ok(Json::List(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = object.next_key()? {
            members.push((name, object.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

/// A member's name; serde's own `Cow` would copy every one.
struct Name<'b>(Cow<'b, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(JsonVisitor)? {
            Json::Text(name) => Ok(Self(name)),
            other => Err(serde::de::Error::custom(format_args!("a member's name is {}", other.kind()))),
        }
    }
}

/// The JSON as text again, without white space.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{}", serde_json::Value::from(value.as_ref())),
            Self::List(members) => {
                f.write_str("[")?;
                for (at, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (at, (name, value)) in members.iter().enumerate() {
                    let name = serde_json::Value::from(name.as_ref());
                    write!(f, "{}{name}:{value}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("}")
            }
        }
    }
}
