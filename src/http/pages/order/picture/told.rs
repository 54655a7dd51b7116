//! All that the picture shows, in words.

use maud::{Markup, html};

use super::scene::Scene;
use crate::http::pages::order::lanes::{Lane, Mark};

/// All that the picture shows, in words.
pub fn table(lanes: &[Lane], messages: &[Mark], contradictions: &[Mark], scene: &Scene<'_>) -> Markup {
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
        (format!("{what}: {}", visit.told()), short(visit.from), short(visit.until))
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
