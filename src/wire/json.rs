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
    /// As it is written: an id like 100.10, or one of thirty digits, must stay what it is.
    Number(String),
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
            Self::Number(_) => "a number",
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
            Self::Number(number) => tagged(hash, b'd', normalised(number).as_bytes()),
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

/// How serde_json hands a number over whose text it keeps (its feature `arbitrary_precision`): as an object
/// with this one member. Plain integers come as such.
const NUMBER: &str = "$serde_json::private::Number";

/// A number in one way of writing it: `1.0`, `1` and `10e-1` are equal.
fn normalised(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(exponent) = exponent.parse::<i64>() else {
        // No number that anybody means; equal only to itself.
        return number.to_owned();
    };
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let dropped = i64::try_from(digits.len() - significant.len()).unwrap_or(0);
    let shift = exponent.saturating_add(dropped).saturating_sub(i64::try_from(fraction.len()).unwrap_or(0));
    format!("{sign}{significant}e{shift}")
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
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.to_string()))
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
            if name == NUMBER {
                return Ok(Json::Number(object.next_value()?));
            }
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
            Self::Number(number) => f.write_str(number),
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

#[cfg(test)]
mod tests {
    use super::{Json, normalised};

    #[test]
    fn numbers_keep_their_text_and_compare_by_value() {
        let parsed: Json<'_> = serde_json::from_str("[100.10, 12345678901234567890123456789, 1e400, -0]").unwrap();
        assert_eq!(parsed.to_string(), "[100.10,12345678901234567890123456789,1e+400,-0]");
        for (a, b) in [("1", "1.0"), ("100", "1e2"), ("-0", "0.0"), ("0.010", "1e-2"), ("-12.50", "-1.25E+1")] {
            assert_eq!(normalised(a), normalised(b), "{a} and {b}");
        }
        for (a, b) in [("1", "-1"), ("100", "10"), ("0.1", "0.01"), ("12345678901234567890", "12345678901234567891")] {
            assert_ne!(normalised(a), normalised(b), "{a} and {b}");
        }
    }
}
