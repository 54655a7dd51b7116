//! The parts of the picture as SVG.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::lettering::{cut, cut_words};
use super::scene::{ACROSS, LABELS, RIGHT, Scene, TOP, WIDTH, from_count, round, top};
use crate::http::pages::order::lanes::{Band, Lane, Mark};

/// More moments than this are no lines any more but a grey field.
const MOST_LINES: usize = 150;

/// Days along the top where there is room for them, and a line for each event.
pub fn scale(scene: &Scene<'_>, events: &BTreeSet<DateTime<Utc>>, height: f64) -> Markup {
    const ROOM: f64 = 62.0;
    let mut labels: Vec<(f64, String)> = Vec::new();
    let mut day = None;
    for (at, place) in scene.axis.times() {
        let local = scene.viewer.local(at);
        let is_far = labels.last().is_none_or(|(last, _)| place - last >= ROOM);
        if is_far && place <= ACROSS - ROOM {
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
        @for band in &lane.bands { (band_drawn(band, top, scene)) }
        @for visit in &lane.visits {
            @let from = scene.place(visit.from);
            @let wide = (scene.place(visit.until) - from).max(5.0);
            rect class={ "visit" @if !visit.is_current { " former" } } x=(round(from)) y=(round(top + 0.5)) width=(round(wide)) height="23" rx="2" {
                title { "Appointment " @if !visit.is_current { "before it was changed " } (visit.words) }
            }
        }
        @if let Some(expected) = &lane.expected {
            @let x = scene.place(expected.at);
            path.expected d={ "M" (round(x)) " " (round(top + 3.0)) "l5 9-5 9-5-9z" } { title { "Expected " (expected.words) } }
        }
    }
}

fn band_drawn(band: &Band, top: f64, scene: &Scene<'_>) -> Markup {
    let from = scene.place(band.from);
    let until = scene.place(band.until.unwrap_or(scene.end));
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

pub fn marks(name: &str, class: &str, marks: &[Mark], top: f64, scene: &Scene<'_>) -> Markup {
    html! {
        text.lane.about x="0" y=(round(top + 16.0)) { (name) }
        @for mark in marks {
            @let x = scene.place(mark.at);
            @if class == "clash" {
                @let wide = scene.place(mark.until.unwrap_or(scene.end)) - x;
                rect.clash x=(round(x)) y=(round(top + 9.0)) width=(round(wide.max(4.0))) height="6" rx="3" { title { (mark.words) } }
            } @else {
                circle class=(class) cx=(round(x)) cy=(round(top + 12.0)) r="4" { title { (mark.words) } }
            }
        }
    }
}
