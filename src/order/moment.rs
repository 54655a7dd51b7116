//! Times as the feed states them.

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// A time that the feed stated: the text as received and, where it can be read, the instant it
/// means (UTC, microseconds). An unreadable text is kept, never guessed at (contract, law 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    text: String,
    at: Option<DateTime<Utc>>,
}

impl Moment {
    /// `text` as received; `at` the instant it means, `None` where it could not be read.
    pub fn new(text: impl Into<String>, at: Option<DateTime<Utc>>) -> Self {
        Self { text: text.into(), at }
    }

    /// The text as received.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant in UTC, if the text could be read.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        self.at
    }

    /// Whether two statements mean the same time: `12:00Z` and `13:00+01:00` do.
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        match (self.at, other.at) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.text == other.text,
        }
    }
}

/// A time as programs are told it: RFC 3339 in UTC, with milliseconds, or microseconds where it has any.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    let fraction =
        if at.nanosecond().is_multiple_of(1_000_000) { SecondsFormat::Millis } else { SecondsFormat::Micros };
    at.to_rfc3339_opts(fraction, true)
}
