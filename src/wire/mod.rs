//! From bytes to an event: tolerant reading that loses nothing silently and does no I/O.
//!
//! A body is parsed once, into [`Json`]; from there it is read field by field. Whatever deviates from
//! the documents but can be understood becomes an [`Oddity`] with its path. Only a body that names no
//! order is [`Unreadable`].

mod fields;
mod hybris;
mod json;
mod message;
mod oddity;
mod one_or_many;
mod repeated;
mod time;
mod tmf622;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::order::{Event, Statement};

pub use hybris::{OUTCOME_UNKNOWN, attempt_id, external_id, is_error, order_id_of};
pub use json::Json;
pub use oddity::{Oddity, OddityKind};
pub use one_or_many::OneOrMany;
pub use time::{Offset, Read, read_time};

/// A body that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub event: Event,
    pub oddities: Vec<Oddity>,
    /// See [`Json::content_hash`].
    pub content_hash: [u8; 32],
}

/// What is kept beside a body, in its headers, because the body does not say it: an order's request and a
/// billing system's error name no order. For most bodies there is none of it, and it is never taken from
/// what a sender says. With it a projection is a function of (body, this, time received).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside<'k> {
    /// The order that the body is about.
    pub order_id: Option<&'k str>,
    pub event_id: Option<&'k str>,
    /// Whether the body is what was sent or what came back.
    pub part: Option<Part>,
}

/// The halves of an exchange with a billing system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Request,
    Answer,
    /// An answer that was not understood, whatever it looks like by itself: it came with a status that does
    /// not fit it, say.
    Unreadable,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Unreadable => "unreadable",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Request, Self::Answer, Self::Unreadable].into_iter().find(|part| part.name() == name)
    }
}

/// Why a body makes no event. The body is kept all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the body is empty")]
    Empty,
    #[error("the body is not JSON: {detail} (line {line}, column {column})")]
    NotJson { detail: String, line: usize, column: usize },
    #[error("the body is JSON beyond what can be read: {detail} (line {line}, column {column})")]
    BeyondReading { detail: String, line: usize, column: usize },
    #[error("the body names no order: {path} {detail}")]
    NoOrder { path: String, detail: String },
    #[error("{path} is {length} bytes long; ids are at most {LONGEST_ID}")]
    IdTooLong { path: String, length: usize },
}

/// The longest order, item or external id that is taken for one, in bytes.
pub const LONGEST_ID: usize = 255;

impl Unreadable {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty | Self::NotJson { .. } => "not-json",
            Self::BeyondReading { .. } => "json-beyond-reading",
            Self::NoOrder { .. } => "no-order",
            Self::IdTooLong { .. } => "id-too-long",
        }
    }

    /// Where in the JSON, if the JSON could be read at all.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::NoOrder { path, .. } | Self::IdTooLong { path, .. } => Some(path),
            Self::Empty | Self::NotJson { .. } | Self::BeyondReading { .. } => None,
        }
    }

    /// Whether the body was JSON: the sender did its part, and a resend would not help.
    pub fn is_json(&self) -> bool {
        !matches!(self, Self::Empty | Self::NotJson { .. })
    }
}

/// Reads a body. Gives the event it states with what was odd about it, or why it states none.
pub fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    read_with(body, Beside::default())
}

/// The same with what is kept beside the body.
pub fn read_with(body: &[u8], beside: Beside<'_>) -> Result<Reading, Unreadable> {
    let body = without_byte_order_mark(body);
    if body.trim_ascii().is_empty() {
        return Err(Unreadable::Empty);
    }
    match serde_json::from_slice::<Json<'_>>(body) {
        Ok(json) => read_json(&json, Vec::new(), beside),
        Err(error) => {
            // Half a surrogate pair is the one fault that can be mended without guessing: the text
            // around it is whole.
            let mended = mend_surrogates(body).ok_or_else(|| unreadable(body, &error))?;
            // A mended text is as long as it was: what is still wrong stands where it stood.
            let json = serde_json::from_slice::<Json<'_>>(&mended).map_err(|error| unreadable(&mended, &error))?;
            let oddity = Oddity { path: String::new(), kind: OddityKind::UnstorableCharacter };
            read_json(&json, vec![oddity], beside)
        }
    }
}

fn read_json(json: &Json<'_>, mended: Vec<Oddity>, beside: Beside<'_>) -> Result<Reading, Unreadable> {
    let read = if beside.part.is_some() || hybris::is_order(json) {
        hybris::read(json, mended, beside)
    } else {
        tmf622::read(json, mended)
    };
    let mut reading = read?;
    reading.event.shapes = oddity::shapes(&reading.oddities);
    Ok(reading)
}

/// Reads a kept delivery into what the fold takes.
pub fn statement(
    delivery_id: Uuid,
    received_at: DateTime<Utc>,
    beside: Beside<'_>,
    body: &[u8],
) -> Result<(Statement, Vec<Oddity>), Unreadable> {
    let Reading { event, oddities, content_hash } = read_with(body, beside)?;
    let body_hash = body_hash(body);
    Ok((Statement { delivery_id, received_at, body_hash, content_hash, event }, oddities))
}

/// SHA-256 of the bytes as received.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Tells "not JSON" from "JSON that we cannot hold" (too deep, numbers beyond a double): what a
/// parser that only skips can get through is JSON.
fn unreadable(body: &[u8], error: &serde_json::Error) -> Unreadable {
    let detail = error.to_string();
    let detail = detail.split(" at line ").next().unwrap_or_default().to_owned();
    let (line, column) = (error.line(), error.column());
    let skims = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if skims && std::str::from_utf8(body).is_ok() {
        Unreadable::BeyondReading { detail, line, column }
    } else {
        Unreadable::NotJson { detail, line, column }
    }
}

/// Replaces each `\uD8xx` escape that has no partner by `\uFFFD`; `None` where there is none.
fn mend_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => {
                found = true;
                mended.push_str("\\uFFFD");
                rest = escape.get(6..)?;
                continue;
            }
            (None, _) => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        mended.push_str(escape.get(..length)?);
        rest = escape.get(length..)?;
    }
    mended.push_str(rest);
    found.then(|| mended.into_bytes())
}

enum Half {
    High,
    Low,
}

fn surrogate(escape: &str) -> Option<Half> {
    let code = u32::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
    match code {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}
