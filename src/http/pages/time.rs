//! Times as support staff read them: in London, with the zone named and exact UTC beside them.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use chrono_tz::Europe::London;
use maud::{Markup, html};

use crate::order::rfc3339;

const TO_THE_SECOND: &str = "%-d %b %Y %H:%M:%S %Z";
const TO_THE_MINUTE: &str = "%-d %b %Y %H:%M %Z";

/// "13 Feb 2023 09:21:10 GMT".
pub fn to_the_second(at: DateTime<Utc>) -> Markup {
    element(at, TO_THE_SECOND)
}

/// "13 Feb 2023 09:21 GMT".
pub fn to_the_minute(at: DateTime<Utc>) -> Markup {
    element(at, TO_THE_MINUTE)
}

/// The time of day where `at` is on the same day in London as `day`, else with its date.
pub fn beside(at: DateTime<Utc>, day: DateTime<Utc>) -> Markup {
    let is_same_day = at.with_timezone(&London).date_naive() == day.with_timezone(&London).date_naive();
    element(at, if is_same_day { "%H:%M:%S" } else { TO_THE_SECOND })
}

fn element(at: DateTime<Utc>, format: &str) -> Markup {
    let exact = rfc3339(at);
    html! { time datetime=(exact) title={ (exact) " (UTC)" } { (at.with_timezone(&London).format(format).to_string()) } }
}

/// A span of time in one or two units: "40 s", "5 min", "3 h 20 min", "2 days".
pub fn span(span: TimeDelta) -> String {
    let span = span.abs();
    let (hours, minutes) = (span.num_hours(), span.num_minutes() % 60);
    match span.num_seconds() {
        ..60 => format!("{} s", span.num_seconds()),
        60..3_600 => format!("{minutes} min"),
        3_600..172_800 if minutes == 0 => format!("{hours} h"),
        3_600..172_800 => format!("{hours} h {minutes} min"),
        _ => format!("{} days", span.num_days()),
    }
}

/// As a `datetime-local` field takes it: in UTC, without the zone, to the millisecond at most.
pub fn field_value(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(3).naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{field_value, span, to_the_second};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_local_and_name_their_zone() {
        assert_eq!(
            to_the_second(at("2024-04-29T08:00:00.5Z")).into_string(),
            r#"<time datetime="2024-04-29T08:00:00.500Z" title="2024-04-29T08:00:00.500Z (UTC)">29 Apr 2024 09:00:00 BST</time>"#
        );
        assert!(to_the_second(at("2024-02-29T08:00:00Z")).into_string().contains("29 Feb 2024 08:00:00 GMT"));
    }

    #[test]
    fn spans_are_short() {
        let spans = [(59, "59 s"), (61, "1 min"), (7_200, "2 h"), (-12_000, "3 h 20 min"), (200_000, "2 days")];
        for (seconds, words) in spans {
            assert_eq!(span(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn fields_hold_utc() {
        assert_eq!(field_value(at("2024-04-29T08:00:00.1234Z")), "2024-04-29T08:00:00.123");
        assert_eq!(field_value(at("2024-04-29T08:00:00Z")), "2024-04-29T08:00:00");
    }
}
