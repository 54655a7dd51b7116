//! Times in the forms that suppliers send (domain §1, shapes).

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A time that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// In UTC, to the microsecond: what PostgreSQL keeps.
    pub at: DateTime<Utc>,
    pub offset: Offset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    Stated,
    /// Read as UTC because none was stated.
    Assumed,
}

/// Reads `2023-02-13T09:21:07.976Z`, `+01:00`, `+0000`, with a space for the `T`, without an offset, or
/// a bare date; `None` for anything else, and for years that RFC 3339 cannot write.
///
/// ```
/// use order_timeline::wire::read_time;
///
/// let summer = read_time("2024-04-29T09:00:00+01:00").unwrap();
/// assert_eq!(summer.at.to_rfc3339(), "2024-04-29T08:00:00+00:00");
/// assert!(read_time("next Tuesday").is_none());
/// ```
pub fn read_time(text: &str) -> Option<Read> {
    let text = text.trim();
    let (at, offset) = stated(text).or_else(|| without_offset(text))?;
    // Whole microseconds, a leap second as the next one: what the database would give back.
    let at = DateTime::from_timestamp_micros(at.timestamp_micros())?;
    (0..=9999).contains(&at.year()).then_some(Read { at, offset })
}

fn stated(text: &str) -> Option<(DateTime<Utc>, Offset)> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .ok()
        .map(|at| (at.to_utc(), Offset::Stated))
}

fn without_offset(text: &str) -> Option<(DateTime<Utc>, Offset)> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN)))
        .ok()?;
    Some((time.and_utc(), Offset::Assumed))
}

#[cfg(test)]
mod tests {
    use super::{Offset, read_time};

    #[test]
    fn every_form_that_suppliers_send_is_the_same_instant() {
        for text in [
            "2025-02-11T12:56:29.123456Z",
            "2025-02-11T12:56:29.123456+00:00",
            "2025-02-11T12:56:29.123456+0000",
            "2025-02-11T13:56:29.123456+01:00",
            "2025-02-11 12:56:29.123456+00:00",
            "2025-02-11T12:56:29.123456789Z",
        ] {
            let read = read_time(text).unwrap();
            assert_eq!(read.at.timestamp_micros(), 1_739_278_589_123_456, "{text}");
            assert_eq!(read.offset, Offset::Stated, "{text}");
        }
        assert_eq!(read_time("2025-02-11T12:56:29.123456").unwrap().offset, Offset::Assumed);
        assert_eq!(read_time("2025-02-11").unwrap().offset, Offset::Assumed);
        for text in ["", "2025-13-01T00:00:00Z", "11-02-2025", "1739278589"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
