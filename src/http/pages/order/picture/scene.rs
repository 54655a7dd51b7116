//! Where in the picture what happened stands.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::http::pages::order::axis::Axis;
use crate::http::pages::order::lanes::Lane;
use crate::http::pages::viewer::Viewer;

pub const LABELS: f64 = 176.0;
pub const WIDTH: f64 = 1000.0;
pub const RIGHT: f64 = 10.0;
/// What is left for the axis, and for what is beyond its end.
pub const ACROSS: f64 = WIDTH - LABELS - RIGHT;
const LANE: f64 = 26.0;
pub const TOP: f64 = 26.0;
/// Between the end of the axis and what is beyond it.
const GAP: f64 = 24.0;

/// What the last state of all takes where nothing comes after it: it has no length of its own, and is what matters most.
const TAIL: f64 = 80.0;

/// What is farther than this from all that happened stands at the edge: one date in 2099 would take the room of a year
/// of events.
const FAR: TimeDelta = TimeDelta::days(400);

pub struct Scene<'p> {
    pub axis: Axis,
    /// From when to when the axis goes; what is later stands at the right edge, beyond a gap.
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Where what has no end ends.
    pub end: DateTime<Utc>,
    /// How far beyond its end that is drawn.
    tail: f64,
    pub viewer: &'p Viewer,
}

impl<'p> Scene<'p> {
    /// The scene of these lanes and events. `until` is the moment that the page shows; an order that is open goes on
    /// until then.
    pub fn of(
        lanes: &[Lane],
        events: &BTreeSet<DateTime<Utc>>,
        until: DateTime<Utc>,
        is_open: bool,
        viewer: &'p Viewer,
    ) -> Self {
        let (first, last) = core(events).unwrap_or((until, until));
        // An order that goes on goes on until now; one that has ended shows its end, not the years since.
        let goes_on = is_open && until > last;
        let end = if goes_on { until } else { last };
        let tail = if goes_on { 0.0 } else { TAIL };
        let later = |at: DateTime<Utc>| at.checked_add_signed(FAR).unwrap_or(at);
        let (near_from, near_until) = (first.checked_sub_signed(FAR).unwrap_or(first), later(end));
        let mut times = events.clone();
        times.extend(lanes.iter().filter_map(|lane| Some(lane.expected.as_ref()?.at)));
        times.extend(lanes.iter().flat_map(|lane| &lane.visits).flat_map(|visit| [visit.from, visit.until]));
        times.insert(end);
        let is_cut = times.last().is_some_and(|at| *at > near_until);
        times.retain(|at| (near_from..=near_until).contains(at));
        let width = ACROSS - tail - if is_cut { GAP } else { 0.0 };
        Self { axis: Axis::new(times, width), from: near_from, until: near_until, end, tail, viewer }
    }

    /// How far from the left edge of the picture a moment stands.
    pub fn place(&self, at: DateTime<Utc>) -> f64 {
        LABELS + if at > self.until { ACROSS } else { self.axis.place(at) }
    }

    /// The same of an end; of what has none, where the picture's end is.
    pub fn place_of_end(&self, at: Option<DateTime<Utc>>) -> f64 {
        at.map_or_else(|| self.place(self.end) + self.tail, |at| self.place(at))
    }

    pub fn has(&self, at: DateTime<Utc>) -> bool {
        (self.from..=self.until).contains(&at)
    }
}

/// The first and the last event of those that belong together: one of the year 9999, or of 1970, is alone.
fn core(events: &BTreeSet<DateTime<Utc>>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    const APART: TimeDelta = TimeDelta::days(5 * 365);
    let events: Vec<DateTime<Utc>> = events.iter().copied().collect();
    let groups = events.chunk_by(|one, next| *next - *one <= APART);
    // Of as many, the earlier ones: clocks that are wrong are ahead more often.
    let largest = groups.rev().max_by_key(|group| group.len())?;
    Some((*largest.first()?, *largest.last()?))
}

/// What stands at the edge because it is too far off, in words.
pub fn outside(lanes: &[Lane], events: &BTreeSet<DateTime<Utc>>, scene: &Scene<'_>) -> Vec<String> {
    const SHOWN: usize = 5;
    let short = |at: DateTime<Utc>| scene.viewer.short(at);
    let far = |at: &DateTime<Utc>| !scene.has(*at);
    let events = events.iter().filter(|at| far(at)).map(|at| format!("the event of {}", short(*at)));
    let expected = lanes.iter().filter_map(|lane| {
        let expected = lane.expected.as_ref().filter(|expected| far(&expected.at))?;
        Some(format!("{}, expected {}", lane.name, expected.words))
    });
    let visits = lanes.iter().flat_map(|lane| {
        let visits = lane.visits.iter().filter(|visit| far(&visit.from) || far(&visit.until));
        visits.map(|visit| format!("{}, appointment {}", lane.name, visit.words))
    });
    let mut outside: Vec<String> = events.chain(expected).chain(visits).collect();
    let more = outside.len().saturating_sub(SHOWN);
    if more > 0 {
        outside.truncate(SHOWN);
        outside.push(format!("{more} more"));
    }
    outside
}

pub fn from_count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

pub fn top(row: usize) -> f64 {
    TOP + LANE * from_count(row)
}

/// A tenth of a unit is finer than any screen.
pub fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, TimeDelta};

    use super::core;

    #[test]
    fn events_far_from_all_others_do_not_count_for_the_axis() {
        let day = |days: i64| DateTime::UNIX_EPOCH + TimeDelta::days(days);
        let core_of = |days: &[i64]| core(&days.iter().map(|days| day(*days)).collect::<BTreeSet<_>>());
        assert_eq!(core_of(&[0, 19_000, 19_001, 19_500, 2_900_000]), Some((day(19_000), day(19_500))));
        assert_eq!(core_of(&[19_000, 2_900_000]), Some((day(19_000), day(19_000))), "the earlier of two");
        assert_eq!(core_of(&[]), None);
    }
}
