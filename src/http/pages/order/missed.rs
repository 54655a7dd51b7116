//! What messages say of a visit without its appointment being told anew: that it was missed, or that nobody got in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::http::pages::viewer::Viewer;
use crate::order::{Class, Fault, Kind, Subject, Vocabulary};
use crate::record::{EntryRecord, TimelineRecord};

/// What a message with a code says of a visit, and when it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub class: Class,
    pub fault: Option<Fault>,
    pub code: String,
    pub at: Vec<DateTime<Utc>>,
}

/// What was said of each version of the appointments, by the version's place in the timeline: it is said of the version
/// that stood when the message came.
pub fn of(
    timeline: &TimelineRecord,
    versions: &[&EntryRecord],
    vocabulary: &Vocabulary,
) -> BTreeMap<(i64, i32), Vec<Said>> {
    let mut all: BTreeMap<(i64, i32), Vec<Said>> = BTreeMap::new();
    for message in timeline.entries.iter().filter(|entry| entry.known_kind() == Some(Kind::Message)) {
        for (code, class, fault) in codes(message, vocabulary) {
            for version in stood(versions, message, code) {
                let said = all.entry((version.event_position, version.ordinal)).or_default();
                match said.iter_mut().find(|one| one.code == code) {
                    Some(one) if one.at.last() == Some(&message.at) => {}
                    Some(one) => one.at.push(message.at),
                    None => said.push(Said { class, fault, code: code.to_owned(), at: vec![message.at] }),
                }
            }
        }
    }
    all
}

/// "said to be missed by the customer, message 101158, 21 Sep 2026".
pub fn told(said: &Said, viewer: &Viewer) -> Markup {
    let by = said.fault.map(Fault::name);
    html! {
        p.by {
            @match said.class {
                Class::Missed => { "said to be missed" @if let Some(by) = by { " by the " (by) } },
                _ => { "access said to have failed" @if let Some(by) = by { ", fault of the " (by) } },
            }
            ", message " bdi { (said.code) }
            @for at in &said.at { ", " (viewer.day(*at)) }
        }
    }
}

/// The codes of a message that say what became of a visit.
fn codes<'m>(
    message: &'m EntryRecord,
    vocabulary: &Vocabulary,
) -> impl Iterator<Item = (&'m str, Class, Option<Fault>)> {
    let message = message.message.as_ref();
    let own = message.and_then(|message| message.code.as_deref());
    let parts = message.into_iter().flat_map(|message| &message.parts).filter_map(|part| part.code.as_deref());
    let mut codes: Vec<&str> = own.into_iter().chain(parts).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().filter_map(|code| {
        let meaning = vocabulary.meaning(Subject::Message, code)?;
        let class = [Class::Missed, Class::AccessFailed].into_iter().find(|class| meaning.is(*class))?;
        Some((code, class, meaning.fault))
    })
}

/// The versions, one an item, that stood when the message came: of its own event's those that name no other time. One
/// that names the message as its reason says so itself.
fn stood<'v>(versions: &[&'v EntryRecord], message: &EntryRecord, code: &str) -> Vec<&'v EntryRecord> {
    let is_about = |version: &EntryRecord| {
        message.item_ids.is_empty() || version.item_ids.iter().any(|item| message.is_about(item))
    };
    let moved = |version: &EntryRecord| {
        let changed = version.fact("changed").and_then(|changed| changed.as_array());
        changed.is_some_and(|changed| changed.iter().any(|part| part == "window"))
    };
    let stood_then = |version: &EntryRecord| match version.event_position.cmp(&message.event_position) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => !moved(version),
        std::cmp::Ordering::Greater => false,
    };
    let mut last: BTreeMap<&[String], &EntryRecord> = BTreeMap::new();
    for version in versions.iter().filter(|version| is_about(version) && stood_then(version)) {
        last.insert(&version.item_ids, version);
    }
    last.into_values().filter(|version| !names(version, message, code)).collect()
}

fn names(version: &EntryRecord, message: &EntryRecord, code: &str) -> bool {
    version.event_position == message.event_position
        && version.fact("faultCode").and_then(|said| said.as_str()) == Some(code)
}
