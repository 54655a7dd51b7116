//! The strip of milestones: created, what the vocabulary names, closed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::events::anchor;
use crate::http::pages::viewer::{Viewer, span};
use crate::order::{Kind, Moment, Vocabulary, compared, day_or_time, is_over, state_in_words};
use crate::record::{EntryRecord, TimelineRecord};

/// A milestone, reached or not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub means: String,
    pub reached: Option<Reached>,
    /// What was stated of it last, where that is not that it is reached.
    pub stated: Option<Stated>,
}

/// "planned for 4 Oct 2024", and which event said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    pub words: String,
    pub at: DateTime<Utc>,
    pub position: i64,
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
pub fn steps(timeline: &TimelineRecord, vocabulary: &Vocabulary) -> Vec<Step> {
    let entries = &timeline.entries;
    let told: Vec<(&str, &EntryRecord)> = entries
        .iter()
        .filter(|entry| entry.known_kind() == Some(Kind::Milestone))
        .filter_map(|entry| {
            let name = entry.name.as_deref()?;
            Some((vocabulary.milestone(name).unwrap_or(name), entry))
        })
        .collect();
    let mut steps = vec![created(entries)];
    steps.extend(KNOWN.iter().map(|(name, means)| milestone(name, means, &told)));
    let is_other = |name: &&str| !KNOWN.iter().any(|(known, _)| known == name);
    let others: BTreeSet<&str> = told.iter().map(|(name, _)| *name).filter(is_other).collect();
    steps.extend(others.into_iter().map(|name| milestone(name, "", &told)));
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
    Step { name: name.to_owned(), means: String::new(), reached, stated: None }
}

/// `told` are the entries of milestones, each with the milestone's name as the vocabulary spells it.
fn milestone(name: &str, means: &str, told: &[(&str, &EntryRecord)]) -> Step {
    let own = || told.iter().filter(|(known, _)| *known == name).map(|(_, entry)| *entry);
    let first = own().find(|entry| entry.is_milestone_reached());
    let reached = first.map(|entry| Reached { at: entry.at, position: entry.event_position, by: said_by(entry) });
    // What is reached is no longer awaited, whatever plans are told after it.
    let last = if reached.is_some() { None } else { own().next_back() };
    Step { name: name.to_owned(), means: means.to_owned(), reached, stated: last.map(stated) }
}

/// A milestone to come, in its status's words and with the date that goes with it.
fn stated(entry: &EntryRecord) -> Stated {
    let status = entry.to.as_ref().and_then(|to| to.as_str()).unwrap_or("stated");
    let fact = |name: &str| entry.fact(name)?.as_str();
    let date = fact("date").map(|date| day_or_time(&Moment::new(fact("dateText").unwrap_or(date), date.parse().ok())));
    let joint = match compared(status).as_str() {
        "planned" | "scheduled" | "expected" | "due" => " for ",
        _ => ", date stated ",
    };
    let date = date.map(|date| format!("{joint}{date}")).unwrap_or_default();
    Stated { words: format!("{}{date}", state_in_words(status)), at: entry.at, position: entry.event_position }
}

fn said_by(entry: &EntryRecord) -> String {
    let list = |name: &str| -> Vec<String> {
        let values = entry.fact(name).and_then(|values| values.as_array());
        values.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let said: Vec<String> =
        list("saidBy").into_iter().zip(list("values")).map(|(by, value)| format!("{by} {value}")).collect();
    said.join(" and ")
}

fn closed(timeline: &TimelineRecord) -> Step {
    let states = timeline.entries.iter().filter(|entry| entry.known_kind() == Some(Kind::OrderState));
    let last = states.filter_map(|entry| Some((entry, entry.to.as_ref()?.as_str()?))).next_back();
    let end = last.filter(|(_, state)| is_over(state));
    let means = end.map_or_else(String::new, |(_, state)| state_in_words(state));
    let reached = end.map(|(entry, _)| Reached {
        at: entry.at,
        position: entry.event_position,
        by: "the order’s state".to_owned(),
    });
    Step { name: "Closed".to_owned(), means, reached, stated: None }
}

/// The strip. `is_shown` tells whether an event's part of the timeline is on the page.
pub fn strip(
    timeline: &TimelineRecord,
    is_shown: impl Fn(i64) -> bool,
    vocabulary: &Vocabulary,
    viewer: &Viewer,
) -> Markup {
    let steps = steps(timeline, vocabulary);
    // What should have come before something that did was passed over in silence: nobody waits for it any more.
    let last = steps.iter().rposition(|step| step.reached.is_some());
    let is_passed = |at: usize| last.is_some_and(|last| at < last);
    let mut before: Option<DateTime<Utc>> = None;
    html! {
        section.milestones aria-label="Milestones" {
            ol {
                @for (at, step) in steps.iter().enumerate() {
                    li class={ "step" @if step.reached.is_some() { " reached" } @else if step.stated.is_some() { " stated" } } {
                        p.step-name { strong { (step.name) } @if !step.means.is_empty() { " " (step.means) } }
                        @match (&step.reached, &step.stated) {
                            (Some(reached), _) => {
                                @let since = before.replace(reached.at).map(|before| reached.at - before);
                                p { (viewer.minute(reached.at)) }
                                p.by {
                                    @if let Some(since) = since.filter(|since| since.num_seconds() > 0) { "after " (span(since)) ", " }
                                    @if is_shown(reached.position) {
                                        a href={ "#" (anchor(reached.position)) } { "by " (reached.by) }
                                    } @else { "by " (reached.by) }
                                }
                            },
                            (None, Some(stated)) => {
                                p { "not reached: " (stated.words) }
                                p.by {
                                    @if is_shown(stated.position) { a href={ "#" (anchor(stated.position)) } { "said " (viewer.minute(stated.at)) } }
                                    @else { "said " (viewer.minute(stated.at)) }
                                }
                            },
                            (None, None) => p.by { @if is_passed(at) { "not told" } @else { "not yet" } },
                        }
                    }
                }
            }
        }
    }
}
