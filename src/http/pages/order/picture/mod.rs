//! The picture of an order over time, drawn as SVG, with the same as a table.

mod drawn;
mod lettering;
mod scene;
mod told;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use self::drawn::{base_lines, lane_drawn, marks, scale};
use self::scene::{Scene, TOP, WIDTH, outside, round, top};
use self::told::table;
use super::lanes::{self, Lane};
use crate::http::pages::viewer::Viewer;
use crate::order::{Vocabulary, is_over};
use crate::record::{OrderRecord, TimelineRecord};

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
    let scene = Scene::of(&lanes, &events, until, is_open, viewer);
    let outside = outside(&lanes, &events, &scene);
    let rows = lanes.len() + usize::from(!messages.is_empty()) + usize::from(!contradictions.is_empty());
    let height = top(rows) + 4.0;
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
                    @if is_open && scene.end == until {
                        @let x = round(scene.place(until));
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

fn summary(lanes: &[Lane], events: &BTreeSet<DateTime<Utc>>, viewer: &Viewer) -> String {
    let when = |at: Option<&DateTime<Utc>>| at.map_or_else(String::new, |at| viewer.exact(*at));
    format!("{} items from {} to {}", lanes.len(), when(events.first()), when(events.last()))
}

/// What the shapes mean; the bands carry their words, or a title.
fn key(lanes: &[Lane], any_clash: bool) -> Markup {
    let any_void = lanes.iter().flat_map(|lane| &lane.bands).any(|band| band.tone == "void");
    let any_visit = lanes.iter().any(|lane| !lane.visits.is_empty());
    let any_expected = lanes.iter().any(|lane| lane.expected.is_some());
    html! {
        p.key {
            "Long waits take less room than they lasted."
            @if any_void { span { span.swatch.void aria-hidden="true" {} " cancelled or rejected" } }
            @if any_visit { span { span.swatch.visit aria-hidden="true" {} " appointment" } }
            @if any_expected { span { span.swatch.expected aria-hidden="true" { "◆" } " expected completion" } }
            @if any_clash { span { span.swatch.clash aria-hidden="true" {} " contradiction" } }
        }
    }
}
