//! The picture of an order over time, drawn as SVG, with the same as a table.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::axis::Axis;
use super::lanes::{self, Band, Lane, Mark};
use crate::http::pages::viewer::Viewer;
use crate::order::{Vocabulary, is_over};
use crate::record::{OrderRecord, TimelineRecord};

const LABELS: f64 = 176.0;
const WIDTH: f64 = 1000.0;
const RIGHT: f64 = 10.0;
const LANE: f64 = 26.0;
const TOP: f64 = 26.0;
/// Between the end of the axis and what is beyond it.
const GAP: f64 = 24.0;
/// More moments than this are no lines any more but a grey field.
const MOST_LINES: usize = 150;

/// What is farther than this from all that happened stands at the edge: one date in 2099 would take the room of a year
/// of events.
const FAR: TimeDelta = TimeDelta::days(400);

struct Scene<'p> {
    axis: Axis,
    /// From when to when the axis goes; what is later stands at the right edge, beyond a gap.
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Where what has no end ends.
    end: DateTime<Utc>,
    viewer: &'p Viewer,
}

/// The picture. `until` is the moment that the page shows: now, or a past one.
pub fn picture(
    order: &OrderRecord,
    timeline: &TimelineRecord,
    until: DateTime<Utc>,
    vocabulary: &Vocabulary,
    viewer: &Viewer,
) -> Markup {
    let lanes = lanes::lanes(order, timeline, vocabulary);
    if lanes.is_empty() {
        return html! {};
    }
    let (messages, contradictions) = (lanes::messages(timeline), lanes::contradictions(timeline));
    let events: BTreeSet<DateTime<Utc>> = timeline.entries.iter().map(|entry| entry.at).collect();
    let is_open = !is_over(&timeline.order.state);
    let (first, last) = core(&events).unwrap_or((until, until));
    // An order that goes on goes on until now; one that has ended shows its end, not the years since.
    let end = if is_open && until > last { until } else { last };
    let later = |at: DateTime<Utc>| at.checked_add_signed(FAR).unwrap_or(at);
    let (near_from, near_until) = (first.checked_sub_signed(FAR).unwrap_or(first), later(end));
    let mut times = events.clone();
    times.extend(lanes.iter().filter_map(|lane| Some(lane.expected.as_ref()?.at)));
    times.extend(lanes.iter().flat_map(|lane| &lane.visits).flat_map(|visit| [visit.from, visit.until]));
    times.insert(end);
    let is_cut = times.last().is_some_and(|at| *at > near_until);
    times.retain(|at| (near_from..=near_until).contains(at));
    let width = WIDTH - LABELS - RIGHT - if is_cut { GAP } else { 0.0 };
    let scene = Scene { axis: Axis::new(times, width), from: near_from, until: near_until, end, viewer };
    let outside = outside(&lanes, &events, &scene);
    let rows = lanes.len() + usize::from(!messages.is_empty()) + usize::from(!contradictions.is_empty());
    let height = TOP + LANE * from_count(rows) + 4.0;
    html! {
        section.picture aria-labelledby="picture" {
            h2 #picture { "Over time" }
            div.scroll tabindex="0" role="region" aria-label="Picture of the order over time; the same stands in the table below it" {
                svg.story viewBox={ "0 0 " (WIDTH) " " (round(height)) } role="img" aria-labelledby="picture-title" focusable="false" {
                    title #picture-title { (summary(&lanes, &events, viewer)) }
                    (scale(&scene, &events, height))
                    path.base d=(base_lines(lanes.len())) {}
                    @for (row, lane) in (0..).zip(&lanes) { (lane_drawn(lane, top(row), &scene)) }
                    @let row = lanes.len();
                    @if !messages.is_empty() { (marks("Messages", "message", &messages, top(row), &scene)) }
                    @let row = row + usize::from(!messages.is_empty());
                    @if !contradictions.is_empty() { (marks("Contradictions", "clash", &contradictions, top(row), &scene)) }
                    @if is_open && end == until {
                        @let x = round(LABELS + scene.place(end));
                        line.now x1=(x) x2=(x) y1=(TOP - 6.0) y2=(round(height)) {}
                    }
                }
            }
            (key(&lanes, !contradictions.is_empty()))
            @if !outside.is_empty() { p.key { "Too far off for the picture, and at its edge: " (outside.join("; ")) "." } }
            (table(&lanes, &messages, &contradictions, &scene))
        }
    }
}

impl Scene<'_> {
    fn place(&self, at: DateTime<Utc>) -> f64 {
        if at > self.until { WIDTH - LABELS - RIGHT } else { self.axis.place(at) }
    }

    fn has(&self, at: DateTime<Utc>) -> bool {
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
fn outside(lanes: &[Lane], events: &BTreeSet<DateTime<Utc>>, scene: &Scene<'_>) -> Vec<String> {
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
        outside.push(format!("{more} more, which the table has"));
    }
    outside
}

fn from_count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn top(row: usize) -> f64 {
    TOP + LANE * from_count(row)
}

/// A tenth of a unit is finer than any screen.
fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

fn summary(lanes: &[Lane], events: &BTreeSet<DateTime<Utc>>, viewer: &Viewer) -> String {
    let when = |at: Option<&DateTime<Utc>>| at.map_or_else(String::new, |at| viewer.exact(*at));
    format!("{} items from {} to {}", lanes.len(), when(events.first()), when(events.last()))
}

/// Days along the top where there is room for them, and a line for each event.
fn scale(scene: &Scene<'_>, events: &BTreeSet<DateTime<Utc>>, height: f64) -> Markup {
    const ROOM: f64 = 62.0;
    let mut labels: Vec<(f64, String)> = Vec::new();
    let mut day = None;
    for (at, place) in scene.axis.times() {
        let local = scene.viewer.local(at);
        let is_far = labels.last().is_none_or(|(last, _)| place - last >= ROOM);
        if is_far && place <= WIDTH - LABELS - RIGHT - ROOM {
            let is_same = day.replace(local.date_naive()) == Some(local.date_naive());
            let format = if is_same { "%H:%M" } else { "%-d %b %y" };
            labels.push((place, local.format(format).to_string()));
        }
    }
    html! {
        @for (place, text) in labels {
            @let x = round(LABELS + place);
            text.day x=(x) y="12" { (text) }
            line.tick x1=(x) x2=(x) y1="16" y2=(TOP - 5.0) {}
        }
        @if events.len() <= MOST_LINES {
            path.event-line d=(lines(scene, events, height)) {}
        }
    }
}

/// One path for all: there are many.
fn lines(scene: &Scene<'_>, events: &BTreeSet<DateTime<Utc>>, height: f64) -> String {
    let line = |at: &DateTime<Utc>| format!("M{} {}V{}", round(LABELS + scene.place(*at)), TOP - 5.0, round(height));
    events.iter().filter(|at| scene.has(**at)).map(line).collect()
}

/// A line for each lane; one path for all.
fn base_lines(lanes: usize) -> String {
    (0..lanes).map(|row| format!("M{LABELS} {}H{}", round(top(row) + 12.0), WIDTH - RIGHT)).collect()
}

fn lane_drawn(lane: &Lane, top: f64, scene: &Scene<'_>) -> Markup {
    let indent = from_count(lane.depth.min(4)) * 10.0;
    html! {
        text.lane x=(indent) y=(round(top + 16.5)) {
            (cut_words(&lane.name, LABELS - 8.0 - indent))
            @if cut_words(&lane.name, LABELS - 8.0 - indent) != lane.name { title { (lane.name) } }
        }
        @for band in &lane.bands { (band_drawn(band, top, scene)) }
        @for visit in &lane.visits {
            @let from = LABELS + scene.place(visit.from);
            @let wide = (scene.place(visit.until) + LABELS - from).max(5.0);
            rect class={ "visit" @if !visit.is_current { " former" } } x=(round(from)) y=(round(top + 0.5)) width=(round(wide)) height="23" rx="2" {
                title { "Appointment " @if !visit.is_current { "before it was changed " } (visit.words) }
            }
        }
        @if let Some(expected) = &lane.expected {
            @let x = LABELS + scene.place(expected.at);
            path.expected d={ "M" (round(x)) " " (round(top + 3.0)) "l5 9-5 9-5-9z" } { title { "Expected " (expected.words) } }
        }
    }
}

fn band_drawn(band: &Band, top: f64, scene: &Scene<'_>) -> Markup {
    let from = LABELS + scene.place(band.from);
    let until = LABELS + scene.place(band.until.unwrap_or(scene.end));
    let wide = (until - from).max(3.0);
    let words = cut(&band.words, wide - 8.0);
    html! {
        rect class={ "band " (band.tone) } x=(round(from)) y=(round(top + 3.0)) width=(round(wide)) height="18" rx="2" {
            title { (band.words) ", " (lasted(band, scene)) }
        }
        @if words.chars().count() > 3 || words == band.words {
            text class={ "in " (band.tone) } x=(round(from + 4.0)) y=(round(top + 16.0)) { (words) }
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

fn marks(name: &str, class: &str, marks: &[Mark], top: f64, scene: &Scene<'_>) -> Markup {
    html! {
        text.lane.about x="0" y=(round(top + 16.0)) { (name) }
        @for mark in marks {
            @let x = LABELS + scene.place(mark.at);
            @if class == "clash" {
                @let wide = LABELS + scene.place(mark.until.unwrap_or(scene.end)) - x;
                rect.clash x=(round(x)) y=(round(top + 9.0)) width=(round(wide.max(4.0))) height="6" rx="3" { title { (mark.words) } }
            } @else {
                circle class=(class) cx=(round(x)) cy=(round(top + 12.0)) r="4" { title { (mark.words) } }
            }
        }
    }
}

/// As much of a text as fits.
fn cut(text: &str, room: f64) -> String {
    if text.chars().map(letter_width).sum::<f64>() <= room {
        return text.to_owned();
    }
    let mut left = room - letter_width('…');
    let fits = |letter: &char| {
        left -= letter_width(*letter);
        left >= 0.0
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    if !shown.is_empty() {
        shown.push('…');
    }
    shown
}

/// As much of "Managed install 13006429.3" as fits: the id, which tells items apart, before the words.
fn cut_words(name: &str, room: f64) -> String {
    let width = |text: &str| text.chars().map(letter_width).sum::<f64>();
    match name.rsplit_once(' ') {
        Some((words, id)) if width(name) > room => {
            let words = cut(words, room - width(id) - letter_width(' '));
            if words.is_empty() { cut(id, room) } else { format!("{words} {id}") }
        }
        _ => cut(name, room),
    }
}

/// About what a letter takes in the fonts of the pages, at the size of the picture's words; rather more than less.
fn letter_width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 3.4,
        'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 4.5,
        'm' | 'w' | 'M' | 'W' | '…' | '@' | '%' => 11.0,
        letter if letter.is_uppercase() => 8.2,
        letter if letter.is_ascii() => 7.0,
        _ => 11.5,
    }
}

/// What the shapes mean; the bands carry their words, or a title.
fn key(lanes: &[Lane], any_clash: bool) -> Markup {
    let any_visit = lanes.iter().any(|lane| !lane.visits.is_empty());
    let any_expected = lanes.iter().any(|lane| lane.expected.is_some());
    html! {
        p.key {
            "Long waits take less room than they lasted."
            @if any_visit { span { span.swatch.visit aria-hidden="true" {} " appointment" } }
            @if any_expected { span { span.swatch.expected aria-hidden="true" { "◆" } " expected completion" } }
            @if any_clash { span { span.swatch.clash aria-hidden="true" {} " contradiction" } }
        }
    }
}

/// All that the picture shows, in words.
fn table(lanes: &[Lane], messages: &[Mark], contradictions: &[Mark], scene: &Scene<'_>) -> Markup {
    html! {
        details.same {
            summary { "The same as a table" }
            table.plain {
                thead { tr { th scope="col" { "Item" } th scope="col" { "What" } th scope="col" { "From" } th scope="col" { "Until" } } }
                @for lane in lanes { (group(&lane.name, &rows_of(lane, scene))) }
                (group("Messages", &told(messages, scene)))
                (group("Contradictions", &lasting(contradictions, scene)))
            }
        }
    }
}

/// What, from when, until when.
type Line = (String, String, String);

fn group(name: &str, rows: &[Line]) -> Markup {
    html! {
        @if !rows.is_empty() {
            tbody {
                @for (at, (what, from, until)) in rows.iter().enumerate() {
                    tr {
                        @if at == 0 { th scope="rowgroup" rowspan=(rows.len()) { (name) } }
                        td { (what) } td { (from) } td { (until) }
                    }
                }
            }
        }
    }
}

fn rows_of(lane: &Lane, scene: &Scene<'_>) -> Vec<Line> {
    let short = |at| scene.viewer.short(at);
    let still = || "still so".to_owned();
    let bands =
        lane.bands.iter().map(|band| (band.words.clone(), short(band.from), band.until.map_or_else(still, short)));
    let visits = lane.visits.iter().map(|visit| {
        let what = if visit.is_current { "appointment" } else { "appointment, changed since" };
        (format!("{what}: {}", visit.words), short(visit.from), short(visit.until))
    });
    let expected =
        lane.expected.iter().map(|expected| ("expected completion".to_owned(), expected.words.clone(), String::new()));
    bands.chain(visits).chain(expected).collect()
}

/// A message with all the times that it came: some come again and again.
fn told(messages: &[Mark], scene: &Scene<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for message in messages {
        let (what, at) = (format!("message {}", message.words), scene.viewer.short(message.at));
        match lines.iter_mut().find(|(known, _, _)| *known == what) {
            Some((_, times, _)) => *times = format!("{times}, {at}"),
            None => lines.push((what, at, String::new())),
        }
    }
    lines
}

fn lasting(contradictions: &[Mark], scene: &Scene<'_>) -> Vec<Line> {
    let until = |mark: &Mark| mark.until.map_or_else(|| "still so".to_owned(), |until| scene.viewer.short(until));
    contradictions.iter().map(|mark| (mark.words.clone(), scene.viewer.short(mark.at), until(mark))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, TimeDelta};

    use super::{core, cut, cut_words, letter_width};

    #[test]
    fn events_far_from_all_others_do_not_count_for_the_axis() {
        let day = |days: i64| DateTime::UNIX_EPOCH + TimeDelta::days(days);
        let core_of = |days: &[i64]| core(&days.iter().map(|days| day(*days)).collect::<BTreeSet<_>>());
        assert_eq!(core_of(&[0, 19_000, 19_001, 19_500, 2_900_000]), Some((day(19_000), day(19_500))));
        assert_eq!(core_of(&[19_000, 2_900_000]), Some((day(19_000), day(19_000))), "the earlier of two");
        assert_eq!(core_of(&[]), None);
    }

    #[test]
    fn an_item_keeps_its_id_when_its_name_is_cut() {
        assert_eq!(cut_words("Access 1", 168.0), "Access 1");
        assert_eq!(cut_words("Managed install 13006429.3", 158.0), "Managed ins… 13006429.3");
        assert_eq!(cut_words("Managed 13006429.31300642913006429", 100.0), "13006429.3130…");
    }

    #[test]
    fn words_do_not_leave_their_band() {
        assert_eq!(cut("closed", 60.0), "closed");
        assert_eq!(cut("WWWWWWWWWW", 60.0), "WWWW…");
        assert_eq!(cut("x", 5.0), "");
        let long = "service completed by the supplier";
        for room in 0..200 {
            let shown = cut(long, f64::from(room));
            assert!(shown.chars().map(letter_width).sum::<f64>() <= f64::from(room), "{shown} in {room}");
        }
    }
}
