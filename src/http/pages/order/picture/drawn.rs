//! The parts of the picture as SVG.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::lettering::{cut, cut_words, width_of};
use super::scene::{ACROSS, LABELS, RIGHT, Scene, TOP, WIDTH, from_count, round, top};
use crate::http::pages::order::lanes::{Band, Lane, Mark, Visit};
use crate::http::pages::viewer::Viewer;

/// More moments than this are no lines any more but a grey field.
const MOST_LINES: usize = 150;

/// A moment's words above the axis.
struct DayLabel {
    place: f64,
    /// Words at the right edge end at their moment; others begin there.
    ends_there: bool,
    text: String,
}

/// Days along the top where there is room for them, and a line for each event.
pub fn scale(scene: &Scene<'_>, events: &BTreeSet<DateTime<Utc>>, height: f64) -> Markup {
    let labels = day_labels(&scene.axis.times().collect::<Vec<_>>(), scene.viewer);
    html! {
        @for label in labels {
            @let x = round(LABELS + label.place);
            text.day x=(x) y="12" text-anchor=[label.ends_there.then_some("end")] { (label.text) }
            line.tick x1=(x) x2=(x) y1="16" y2=(TOP - 5.0) {}
        }
        @if events.len() <= MOST_LINES {
            path.event-line d=(lines(scene, events, height)) {}
        }
    }
}

/// The last moment has its label before all others; they stand where that leaves room.
fn day_labels(times: &[(DateTime<Utc>, f64)], viewer: &Viewer) -> Vec<DayLabel> {
    const ROOM: f64 = 62.0;
    let Some(((last, end), others)) = times.split_last() else { return Vec::new() };
    let ends_there = *end > ACROSS - ROOM;
    let taken_from = if ends_there { end - ROOM } else { *end };
    let mut labels: Vec<DayLabel> = Vec::new();
    let mut day = None;
    let mut words = |at: DateTime<Utc>| {
        let local = viewer.local(at);
        let is_same = day.replace(local.date_naive()) == Some(local.date_naive());
        if is_same { viewer.clock(at, "%H:%M") } else { local.format("%-d %b %y").to_string() }
    };
    for (at, place) in others {
        let is_far = labels.last().is_none_or(|label| place - label.place >= ROOM);
        if is_far && place + ROOM <= taken_from {
            labels.push(DayLabel { place: *place, ends_there: false, text: words(*at) });
        }
    }
    labels.push(DayLabel { place: *end, ends_there, text: words(*last) });
    labels
}

/// One path for all: there are many.
fn lines(scene: &Scene<'_>, events: &BTreeSet<DateTime<Utc>>, height: f64) -> String {
    let line = |at: &DateTime<Utc>| format!("M{} {}V{}", round(scene.place(*at)), TOP - 5.0, round(height));
    events.iter().filter(|at| scene.has(**at)).map(line).collect()
}

/// A line for each lane; one path for all.
pub fn base_lines(lanes: usize) -> String {
    (0..lanes).map(|row| format!("M{LABELS} {}H{}", round(top(row) + 12.0), WIDTH - RIGHT)).collect()
}

pub fn lane_drawn(lane: &Lane, top: f64, scene: &Scene<'_>) -> Markup {
    let indent = from_count(lane.depth.min(4)) * 10.0;
    let name = cut_words(&lane.name, LABELS - 8.0 - indent);
    html! {
        text.lane x=(indent) y=(round(top + 16.5)) {
            (name)
            @if name != lane.name { title { (lane.name) } }
        }
        // Behind the bands, above and below which they still show.
        @for visit in lane.visits.iter().filter(|visit| !visit.counts()) { (visit_drawn(visit, top, scene)) }
        @for band in &lane.bands { (band_drawn(band, top, scene)) }
        @for visit in lane.visits.iter().filter(|visit| visit.counts()) { (visit_drawn(visit, top, scene)) }
        @let marked = marked(lane, scene);
        @for band in &lane.bands { (words_drawn(band, &marked, top, scene)) }
        @if let Some(expected) = &lane.expected {
            @let x = scene.place(expected.at);
            path.expected d={ "M" (round(x)) " " (round(top + 3.0)) "l5 9-5 9-5-9z" } { title { "Expected " (expected.words) } }
        }
    }
}

fn visit_drawn(visit: &Visit, top: f64, scene: &Scene<'_>) -> Markup {
    let (from, until) = frame(visit, scene);
    html! {
        rect class={ "visit" @if !visit.counts() { " former" } } x=(round(from)) y=(round(top + 0.5)) width=(round(until - from)) height="23" rx="2" {
            title { "Appointment " @if !visit.is_current { "before it was changed " } (visit.told()) }
        }
    }
}

/// From where to where an appointment's frame goes.
fn frame(visit: &Visit, scene: &Scene<'_>) -> (f64, f64) {
    let from = scene.place(visit.from);
    (from, scene.place(visit.until).max(from + 5.0))
}

/// From where to where marks stand in front of a lane's bands, from left to right: the frames of the visits that count,
/// of wide ones their sides, and what is expected.
fn marked(lane: &Lane, scene: &Scene<'_>) -> Vec<(f64, f64)> {
    const WIDE: f64 = 40.0;
    let mut marked: Vec<(f64, f64)> = Vec::new();
    for visit in lane.visits.iter().filter(|visit| visit.counts()) {
        let (from, until) = frame(visit, scene);
        if until - from < WIDE {
            marked.push((from - 1.0, until + 1.0));
        } else {
            marked.extend([(from - 1.0, from + 1.0), (until - 1.0, until + 1.0)]);
        }
    }
    marked.extend(lane.expected.iter().map(|expected| scene.place(expected.at)).map(|x| (x - 5.0, x + 5.0)));
    marked.sort_by(|one, next| one.0.total_cmp(&next.0));
    marked
}

/// Where in a band its words stand, so that no mark hides them: in the first part between marks that has room for all of
/// them, else in the widest.
fn free(from: f64, until: f64, needed: f64, marked: &[(f64, f64)]) -> (f64, f64) {
    let mut parts = Vec::new();
    let mut left = from;
    for (start, end) in marked.iter().filter(|(start, end)| *end > from && *start < until) {
        parts.push((left, *start));
        left = left.max(*end);
    }
    parts.push((left, until));
    let width = |(left, right): &(f64, f64)| right - left;
    let whole = parts.iter().find(|part| width(part) >= needed);
    let widest = || parts.iter().max_by(|one, other| width(one).total_cmp(&width(other)));
    whole.or_else(widest).copied().unwrap_or((from, until))
}

/// From where to where a band goes.
fn span_of(band: &Band, scene: &Scene<'_>) -> (f64, f64) {
    let from = scene.place(band.from);
    (from, scene.place_of_end(band.until).max(from + 3.0))
}

fn band_drawn(band: &Band, top: f64, scene: &Scene<'_>) -> Markup {
    let (from, until) = span_of(band, scene);
    html! {
        rect class={ "band " (band.tone) } x=(round(from)) y=(round(top + 3.0)) width=(round(until - from)) height="18" rx="2" {
            title { (band.words) ", " (lasted(band, scene)) }
        }
    }
}

/// A band's words, clear of all marks in front of it.
fn words_drawn(band: &Band, marked: &[(f64, f64)], top: f64, scene: &Scene<'_>) -> Markup {
    const EDGES: f64 = 8.0;
    let (from, until) = span_of(band, scene);
    let needed = width_of(&band.words) + EDGES;
    let (left, right) = free(from, until, needed, marked);
    let words = cut(&band.words, right - left - EDGES);
    html! {
        @if words.chars().count() > 3 || words == band.words {
            text class={ "in " (band.tone) } x=(round(left + EDGES / 2.0)) y=(round(top + 16.0)) { (words) }
        }
    }
}

fn lasted(band: &Band, scene: &Scene<'_>) -> String {
    let from = scene.viewer.short(band.from);
    match band.until {
        Some(until) => format!("{from} to {}", scene.viewer.short(until)),
        None => format!("since {from}"),
    }
}

pub fn marks(name: &str, class: &str, marks: &[Mark], top: f64, scene: &Scene<'_>) -> Markup {
    html! {
        text.lane.about x="0" y=(round(top + 16.0)) { (name) }
        @for mark in marks {
            @let x = scene.place(mark.at);
            @if class == "clash" {
                @let wide = scene.place_of_end(mark.until) - x;
                rect.clash x=(round(x)) y=(round(top + 9.0)) width=(round(wide.max(4.0))) height="6" rx="3" { title { (mark.words) } }
            } @else {
                circle class=(class) cx=(round(x)) cy=(round(top + 12.0)) r="4" { title { (mark.words) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{ACROSS, day_labels, free};
    use crate::http::pages::viewer::{Viewer, Zone};

    #[test]
    fn words_stand_where_no_mark_hides_them() {
        let diamond = [(40.0, 50.0)];
        assert_eq!(free(0.0, 100.0, 30.0, &diamond), (0.0, 40.0), "before it");
        assert_eq!(free(0.0, 100.0, 45.0, &diamond), (50.0, 100.0), "after it where there is more room");
        assert_eq!(free(0.0, 100.0, 90.0, &diamond), (50.0, 100.0), "nowhere whole: where most of them have room");
        assert_eq!(free(0.0, 100.0, 90.0, &[(120.0, 130.0)]), (0.0, 100.0), "a mark in another band");
        assert_eq!(free(0.0, 100.0, 25.0, &[(-2.0, 60.0), (10.0, 30.0), (95.0, 105.0)]), (60.0, 95.0));
    }

    #[test]
    fn the_last_moment_of_the_axis_has_its_label_and_neighbours_give_way() {
        let viewer = Viewer { zone: Zone::Utc, now: DateTime::UNIX_EPOCH, here: String::new(), who: None };
        let at = |days: i64| DateTime::UNIX_EPOCH + TimeDelta::days(days);
        let labels = |times: &[(i64, f64)]| {
            let times: Vec<_> = times.iter().map(|(day, place)| (at(*day), *place)).collect();
            day_labels(&times, &viewer).into_iter().map(|label| (label.text, label.ends_there)).collect::<Vec<_>>()
        };
        let begins = |text: &str| (text.to_owned(), false);
        let ends = |text: &str| (text.to_owned(), true);
        let shown = labels(&[(0, 0.0), (1, 100.0), (2, ACROSS - 100.0), (3, ACROSS)]);
        assert_eq!(shown, [begins("1 Jan 70"), begins("2 Jan 70"), ends("4 Jan 70")]);
        assert_eq!(labels(&[(0, 0.0), (3, 30.0)]), [begins("4 Jan 70")]);
        assert_eq!(labels(&[(5, 0.0)]), [begins("6 Jan 70")]);
        assert_eq!(labels(&[]), []);
    }
}
