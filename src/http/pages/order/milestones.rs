//! The strip of milestones: created, what the vocabulary names, closed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::events::anchor;
use crate::http::pages::viewer::{Viewer, span};
use crate::order::{Kind, compared, state_in_words};
use crate::record::{EntryRecord, TimelineRecord};

/// A milestone, reached or not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub means: String,
    pub reached: Option<Reached>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    pub at: DateTime<Utc>,
    pub position: i64,
    /// What said so: "sub-status AcceptedByBTWwBC".
    pub by: String,
}

const KNOWN: [(&str, &str); 3] = [("KCI1", "acknowledged"), ("KCI2", "committed"), ("KCI3", "completed")];

/// The steps of an order in the order of time; those not reached stand at their usual place.
pub fn steps(timeline: &TimelineRecord) -> Vec<Step> {
    let entries = &timeline.entries;
    let mut steps = vec![created(entries)];
    steps.extend(KNOWN.iter().map(|(name, means)| milestone(name, means, entries)));
    let others: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.known_kind() == Some(Kind::Milestone))
        .filter_map(|entry| entry.name.as_deref())
        .filter(|name| !KNOWN.iter().any(|(known, _)| known == name))
        .collect();
    steps.extend(others.into_iter().map(|name| milestone(name, "", entries)));
    steps.push(closed(timeline));
    // A milestone that others overtook shows that it did. What was not reached stays where it belongs.
    let mut reached: Vec<Step> = steps.iter().filter(|step| step.reached.is_some()).cloned().collect();
    reached.sort_by_key(|step| step.reached.as_ref().map(|reached| (reached.at, reached.position)));
    let mut reached = reached.into_iter();
    steps.into_iter().filter_map(|step| if step.reached.is_some() { reached.next() } else { Some(step) }).collect()
}

/// Where no event told of the order's creation, it begins where it was heard of first.
fn created(entries: &[EntryRecord]) -> Step {
    let created = entries.iter().find(|entry| entry.known_kind() == Some(Kind::OrderCreated));
    let (name, by) = if created.is_some() { ("Created", "create event") } else { ("First heard of", "first event") };
    let reached = created.or(entries.first()).map(|entry| Reached {
        at: entry.at,
        position: entry.event_position,
        by: by.to_owned(),
    });
    Step { name: name.to_owned(), means: String::new(), reached }
}

fn milestone(name: &str, means: &str, entries: &[EntryRecord]) -> Step {
    let is_it =
        |entry: &&EntryRecord| entry.known_kind() == Some(Kind::Milestone) && entry.name.as_deref() == Some(name);
    let first = entries.iter().find(is_it);
    let reached = first.map(|entry| Reached { at: entry.at, position: entry.event_position, by: said_by(entry) });
    Step { name: name.to_owned(), means: means.to_owned(), reached }
}

fn said_by(entry: &EntryRecord) -> String {
    let list = |name: &str| -> Vec<String> {
        let values = entry.facts.as_ref().and_then(|facts| facts.get(name)).and_then(|values| values.as_array());
        values.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let said: Vec<String> =
        list("saidBy").into_iter().zip(list("values")).map(|(by, value)| format!("{by} {value}")).collect();
    if said.is_empty() { "the sender".to_owned() } else { said.join(" and ") }
}

fn closed(timeline: &TimelineRecord) -> Step {
    let ended = ["completed", "failed", "cancelled", "rejected", "partial"];
    let states = timeline.entries.iter().filter(|entry| entry.known_kind() == Some(Kind::OrderState));
    let last = states.filter_map(|entry| Some((entry, entry.to.as_ref()?.as_str()?))).next_back();
    let end = last.filter(|(_, state)| ended.contains(&compared(state).as_str()));
    let means = end.map_or_else(String::new, |(_, state)| state_in_words(state));
    let reached = end.map(|(entry, _)| Reached {
        at: entry.at,
        position: entry.event_position,
        by: "the order’s state".to_owned(),
    });
    Step { name: "Closed".to_owned(), means, reached }
}

/// The strip. `is_shown` tells whether an event's part of the timeline is on the page.
pub fn strip(timeline: &TimelineRecord, is_shown: impl Fn(i64) -> bool, viewer: &Viewer) -> Markup {
    let steps = steps(timeline);
    // What should have come before something that did was passed over in silence: nobody waits for it any more.
    let last = steps.iter().rposition(|step| step.reached.is_some());
    let is_passed = |at: usize| last.is_some_and(|last| at < last);
    let mut before: Option<DateTime<Utc>> = None;
    html! {
        section.milestones aria-label="Milestones" {
            ol {
                @for (at, step) in steps.iter().enumerate() {
                    li class={ "step" @if step.reached.is_some() { " reached" } } {
                        p.step-name { strong { (step.name) } @if !step.means.is_empty() { " " (step.means) } }
                        @match &step.reached {
                            Some(reached) => {
                                @let since = before.replace(reached.at).map(|before| reached.at - before);
                                p { (viewer.minute(reached.at)) }
                                p.by {
                                    @if let Some(since) = since.filter(|since| since.num_seconds() > 0) { "after " (span(since)) ", " }
                                    @if is_shown(reached.position) {
                                        a href={ "#" (anchor(reached.position)) } { "by " (reached.by) }
                                    } @else { "by " (reached.by) }
                                }
                            },
                            None => p.by { @if is_passed(at) { "not told" } @else { "not yet" } },
                        }
                    }
                }
            }
        }
    }
}
