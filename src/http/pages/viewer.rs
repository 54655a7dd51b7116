//! Who looks at a page, and when: times are told in the viewer's zone and relative to now.

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::order::rfc3339;

/// The zone in which times are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    #[default]
    London,
    Utc,
}

impl Zone {
    pub const ALL: [Self; 2] = [Self::London, Self::Utc];

    /// The name in addresses and cookies.
    pub fn name(self) -> &'static str {
        match self {
            Self::London => "Europe/London",
            Self::Utc => "UTC",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|zone| zone.name() == name)
    }

    fn tz(self) -> Tz {
        match self {
            Self::London => Tz::Europe__London,
            Self::Utc => Tz::UTC,
        }
    }
}

/// Pages have no clock of their own: this is all they know of now.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub zone: Zone,
    pub now: DateTime<Utc>,
    /// The address of the page that is shown, with its query: where a change of settings leads back to.
    pub here: String,
    /// None where the page is for strangers, too.
    pub who: Option<Who>,
}

/// Who looks, as far as pages need to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The name of a key or of a person; none while nobody is set up and the service is open.
    pub name: Option<String>,
    /// Whether they may change anything.
    pub may_operate: bool,
}

impl Viewer {
    pub fn may_operate(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.may_operate)
    }

    /// The instant that a `datetime-local` field means in this viewer's zone. Where clocks go back it is the first of
    /// two; where they go forward, the hour that is left out counts as if they had not. `None` where the text is no
    /// such field's.
    pub fn from_field(&self, text: &str) -> Option<DateTime<Utc>> {
        let naive = naive(text)?;
        let zone = self.zone.tz();
        let local = naive.and_local_timezone(zone).earliest();
        let before = || {
            let hour = TimeDelta::hours(1);
            (naive - hour).and_local_timezone(zone).earliest().map(|at| at + hour)
        };
        local.or_else(before).map(|at| at.to_utc())
    }

    /// The same of a field that was filled with an instant: while its text still is that instant's, the instant itself,
    /// which is more exact than the text, and one of two where clocks go back.
    pub fn from_field_filled(&self, text: &str, with: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let is_unchanged = |with: &DateTime<Utc>| naive(&self.field_value(*with)) == naive(text);
        let read = self.from_field(text)?;
        Some(with.filter(is_unchanged).unwrap_or(read))
    }

    /// The same the other way round. To the millisecond, which is as exact as a field is, and never earlier: what was
    /// known at the instant is known at the field's time, too.
    pub fn field_value(&self, at: DateTime<Utc>) -> String {
        let at = at.checked_add_signed(TimeDelta::nanoseconds(999_999)).unwrap_or(at);
        self.local(at).trunc_subsecs(3).naive_local().format("%Y-%m-%dT%H:%M:%S%.f").to_string()
    }

    pub fn local(&self, at: DateTime<Utc>) -> DateTime<Tz> {
        at.with_timezone(&self.zone.tz())
    }

    /// "Mon 13 Feb 2023, 09:21:10 GMT".
    pub fn exact(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%a %-d %b %Y, %H:%M:%S %Z").to_string()
    }

    /// "13 Feb 2023 09:21", as text: where there are many times, each in a short form.
    pub fn short(&self, at: DateTime<Utc>) -> String {
        self.clock(at, "%-d %b %Y %H:%M")
    }

    /// "today 09:21", "yesterday 09:21", "13 Feb 09:21", "13 Feb 2023 09:21": the exact time as its title.
    pub fn minute(&self, at: DateTime<Utc>) -> Markup {
        self.element(at, format!("{} {}", self.day_in_words(at), self.clock(at, "%H:%M")))
    }

    /// "today 09:21:10", "13 Feb 2023 09:21:10".
    pub fn second(&self, at: DateTime<Utc>) -> Markup {
        self.element(at, format!("{} {}", self.day_in_words(at), self.clock(at, "%H:%M:%S")))
    }

    /// A time in a form that names no zone; in the hour that comes twice when clocks go back, with which of them it is.
    pub fn clock(&self, at: DateTime<Utc>, format: &str) -> String {
        let local = self.local(at);
        let is_twice = matches!(local.naive_local().and_local_timezone(self.zone.tz()), LocalResult::Ambiguous(..));
        let said = local.format(format);
        if is_twice { format!("{said} {}", local.format("%Z")) } else { said.to_string() }
    }

    /// The time of day where `at` is on the same day as `beside`, else with its date.
    pub fn beside(&self, at: DateTime<Utc>, beside: DateTime<Utc>) -> Markup {
        if self.local(at).date_naive() == self.local(beside).date_naive() {
            self.element(at, self.clock(at, "%H:%M:%S"))
        } else {
            self.second(at)
        }
    }

    /// "13 Feb 2023", "today".
    pub fn day(&self, at: DateTime<Utc>) -> Markup {
        self.element(at, self.day_in_words(at))
    }

    /// When something happened: "5 min ago"; beyond ten days the day. What is dated ahead of now is told so: a clock is
    /// wrong somewhere. A script keeps it true while the page is open.
    pub fn ago(&self, at: DateTime<Utc>) -> Markup {
        const LONG: i64 = 10;
        let span_of = self.now - at;
        let text = match span_of.num_seconds() {
            ..-59 => return self.ahead(at),
            -59..10 => "just now".to_owned(),
            _ if span_of.num_days() >= LONG => return self.minute(at),
            _ => format!("{} ago", span(span_of)),
        };
        html! { time.ago datetime=(rfc3339(at.trunc_subsecs(3))) title=(self.exact(at)) { (text) } }
    }

    fn ahead(&self, at: DateTime<Utc>) -> Markup {
        let title = format!("Dated ahead of now: {}. The clock of whoever sent it may be wrong.", self.exact(at));
        let text = format!("in {}", span(self.now - at));
        html! { time.ago.ahead datetime=(rfc3339(at.trunc_subsecs(3))) title=(title) { (text) span.hidden { ", dated ahead of now" } } }
    }

    fn day_in_words(&self, at: DateTime<Utc>) -> String {
        let (day, today) = (self.local(at).date_naive(), self.local(self.now).date_naive());
        match (today - day).num_days() {
            0 => "today".to_owned(),
            1 => "yesterday".to_owned(),
            -1 => "tomorrow".to_owned(),
            _ => {
                use chrono::Datelike;
                let format = if day.year() == today.year() { "%-d %b" } else { "%-d %b %Y" };
                day.format(format).to_string()
            }
        }
    }

    fn element(&self, at: DateTime<Utc>, text: String) -> Markup {
        html! { time datetime=(rfc3339(at.trunc_subsecs(3))) title=(self.exact(at)) { (text) } }
    }
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Viewer, Zone, span};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn viewer(zone: Zone) -> Viewer {
        Viewer { zone, now: at("2024-04-30T12:00:00Z"), here: "/".to_owned(), who: None }
    }

    #[test]
    fn times_are_told_in_the_viewers_zone_and_exactly_in_their_title() {
        let time = viewer(Zone::London).second(at("2024-04-27T08:00:00.5Z")).into_string();
        assert!(time.contains(">27 Apr 09:00:00<"), "{time}");
        assert!(
            time.contains("datetime=\"2024-04-27T08:00:00.500Z\" title=\"Sat 27 Apr 2024, 09:00:00 BST\""),
            "{time}"
        );
        let time = viewer(Zone::Utc).minute(at("2023-04-29T08:00:00Z")).into_string();
        assert!(time.contains(">29 Apr 2023 08:00<"), "{time}");
    }

    #[test]
    fn near_days_have_words() {
        let words = |time| viewer(Zone::London).minute(at(time)).into_string();
        assert!(words("2024-04-30T08:00:00Z").contains(">today 09:00<"));
        // The 29th in UTC, the 30th in London.
        assert!(words("2024-04-29T23:30:00Z").contains(">today 00:30<"));
        assert!(words("2024-04-29T08:00:00Z").contains(">yesterday 09:00<"));
        assert!(words("2024-05-01T08:00:00Z").contains(">tomorrow 09:00<"));
    }

    #[test]
    fn relative_times_end_where_nobody_counts_days() {
        let words = |time| viewer(Zone::Utc).ago(at(time)).into_string();
        assert!(words("2024-04-30T11:59:58Z").contains(">just now<"));
        assert!(words("2024-04-30T11:55:00Z").contains(">5 min ago<"));
        assert!(words("2024-04-01T13:00:00Z").contains(">1 Apr 13:00<"));
    }

    #[test]
    fn what_is_dated_ahead_of_now_is_told_so() {
        let words = |time| viewer(Zone::Utc).ago(at(time)).into_string();
        for (time, told) in [("2024-05-02T13:00:00Z", "in 2 days"), ("2024-08-07T13:00:00Z", "in 99 days")] {
            let words = words(time);
            assert!(words.contains("class=\"ago ahead\"") && words.contains(&format!(">{told}<")), "{words}");
            assert!(words.contains("title=\"Dated ahead of now: "), "{words}");
        }
        assert!(!words("2024-04-30T12:00:30Z").contains("ahead"), "clocks are never quite the same");
    }

    #[test]
    fn spans_are_short() {
        let spans = [(59, "59 s"), (61, "1 min"), (7_200, "2 h"), (-12_000, "3 h 20 min"), (200_000, "2 days")];
        for (seconds, words) in spans {
            assert_eq!(span(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn the_hour_that_comes_twice_says_which_it_is() {
        let words = |time: &str| viewer(Zone::London).minute(at(time)).into_string();
        assert!(words("2023-10-29T00:30:00Z").contains(">29 Oct 2023 01:30 BST<"));
        assert!(words("2023-10-29T01:30:00Z").contains(">29 Oct 2023 01:30 GMT<"));
        assert!(words("2023-10-29T02:30:00Z").contains(">29 Oct 2023 02:30<"));
        assert_eq!(viewer(Zone::London).short(at("2023-10-29T01:30:00Z")), "29 Oct 2023 01:30 GMT");
        assert_eq!(viewer(Zone::Utc).short(at("2023-10-29T01:30:00Z")), "29 Oct 2023 01:30");
    }

    #[test]
    fn a_field_that_nobody_changed_means_the_instant_that_it_was_filled_with() {
        let london = viewer(Zone::London);
        let second = at("2023-10-29T01:30:00Z");
        assert_eq!(london.from_field_filled("2023-10-29T01:30", Some(second)), Some(second));
        assert_eq!(london.from_field_filled("2023-10-29T01:31", Some(second)), Some(at("2023-10-29T00:31:00Z")));
        assert_eq!(london.from_field_filled("2023-10-29T01:30", None), Some(at("2023-10-29T00:30:00Z")));
        assert_eq!(london.from_field_filled("", Some(second)), None, "whoever empties it wants no time");
    }

    #[test]
    fn fields_hold_the_viewers_time() {
        let london = viewer(Zone::London);
        assert_eq!(london.field_value(at("2024-04-29T08:00:00.1234Z")), "2024-04-29T09:00:00.124");
        assert_eq!(viewer(Zone::Utc).field_value(at("2024-04-29T08:00:00Z")), "2024-04-29T08:00:00");
        assert_eq!(london.from_field("2024-04-29T09:00"), Some(at("2024-04-29T08:00:00Z")));
        assert_eq!(london.from_field("2024-01-29T09:00:00.5"), Some(at("2024-01-29T09:00:00.5Z")));
        assert_eq!(viewer(Zone::Utc).from_field("2024-04-29T09:00:01"), Some(at("2024-04-29T09:00:01Z")));
        // Clocks went forward at 01:00 and back at 02:00.
        assert_eq!(london.from_field("2024-03-31T01:30"), Some(at("2024-03-31T01:30:00Z")));
        assert_eq!(london.from_field("2024-10-27T01:30"), Some(at("2024-10-27T00:30:00Z")));
        for text in ["2024-04-29T09:00:00Z", "2024-04-29", "yesterday", ""] {
            assert_eq!(london.from_field(text), None, "{text}");
        }
    }
}
