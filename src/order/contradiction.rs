//! Statements of the feed that cannot both be true (domain §1, traps 4 to 8).
//!
//! After each event it is asked anew which clashes stand. One that stands newly is opened, one that stands
//! no longer is closed: the feed itself resolves it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change::{ContradictionFacts, Facts, Kind};
use super::event::{Event, Message};
use super::family::Family;
use super::moment::Moment;
use super::state::{has_ended, is_over};
use super::telling::Changes;
use super::timeline::{Item, Order};
use super::vocabulary::{Class, Subject, Vocabulary};
use super::words;

/// A contradiction that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenContradiction {
    pub since: DateTime<Utc>,
    /// As they clash now; the entry that opened it has them as they were then.
    pub statements: [String; 2],
}

/// What a clash is about: its kind and its item.
pub type ClashKey = (String, String);

/// Compares the statements that now stand, and tells the clashes that are new and those that are over.
///
/// All that stand are kept, each with its own beginning. One that an item shares with the item that contains it
/// is told only once the other is over.
pub fn take_in(order: &mut Order, event: &Event, at: DateTime<Utc>, changes: &mut Changes<'_>) {
    let family = Family::of(order);
    let is_told = told_keys(order, &family);
    let scene = Scene { order, family, event, at, vocabulary: changes.vocabulary };
    let now = clashes(&scene);
    let is_shared: BTreeSet<ClashKey> = now
        .keys()
        .filter(|key| above(key, &scene.family).is_some_and(|above| now.contains_key(&above)))
        .cloned()
        .collect();
    let over: Vec<ClashKey> = order.contradictions.keys().filter(|key| !now.contains_key(*key)).cloned().collect();
    for key in over {
        if let Some(open) = order.contradictions.remove(&key)
            && is_told.contains(&key)
        {
            // Which of the two has given way, the feed does not say.
            let text = format!("Contradiction resolved, which was: {}", both(&open.statements));
            tell(&key, text, false, open.statements, changes);
        }
    }
    for (key, statements) in now {
        if !is_told.contains(&key) && !is_shared.contains(&key) {
            tell(&key, format!("Contradiction: {}", both(&statements)), true, statements.clone(), changes);
        }
        // One that goes on shows what clashes now, since when it began.
        let since = order.contradictions.get(&key).map_or(at, |open| open.since);
        order.contradictions.insert(key, OpenContradiction { since, statements });
    }
}

impl Order {
    /// The contradictions that stand and were told. One that began under the item that contains its own, and has
    /// been shared with it ever since, is told by that one.
    pub fn told_contradictions(&self) -> Vec<(&ClashKey, &OpenContradiction)> {
        if self.contradictions.is_empty() {
            return Vec::new();
        }
        let told = told_keys(self, &Family::of(self));
        self.contradictions.iter().filter(|(key, _)| told.contains(*key)).collect()
    }
}

/// What began before the same clash of the item above was told by itself then, and is still open.
fn told_keys(order: &Order, family: &Family<'_>) -> BTreeSet<ClashKey> {
    let is_told = |(key, open): &(&ClashKey, &OpenContradiction)| {
        let above = above(key, family).and_then(|above| order.contradictions.get(&above));
        above.is_none_or(|above| open.since < above.since)
    };
    order.contradictions.iter().filter(is_told).map(|(key, _)| key.clone()).collect()
}

/// The same clash of the item that contains this one.
fn above((kind, id): &ClashKey, family: &Family<'_>) -> Option<ClashKey> {
    family.parent_of(id).map(|parent| (kind.clone(), parent.to_owned()))
}

fn both(statements: &[String; 2]) -> String {
    let [one, other] = statements;
    format!("{one}, yet {other}")
}

fn tell((kind, item_id): &ClashKey, text: String, is_open: bool, statements: [String; 2], changes: &mut Changes<'_>) {
    let ids = [item_id.clone()];
    let to = if is_open { "open" } else { "closed" };
    changes.item_change(Kind::Contradiction, &ids, None, to.to_owned(), text);
    changes.name_last(kind);
    changes.note(Facts::Contradiction(ContradictionFacts { is_open, statements }));
}

/// What the rules look at: the order after an event, and the event.
struct Scene<'s> {
    order: &'s Order,
    family: Family<'s>,
    event: &'s Event,
    at: DateTime<Utc>,
    vocabulary: &'s Vocabulary,
}

type Rule = fn(&Scene<'_>, &str, &Item) -> Option<[String; 2]>;

const RULES: [(&str, Rule); 7] = [
    ("complete-while-running", complete_while_running),
    (VISIT_AFTER_MISSED, visit_after_missed),
    ("date-in-text", date_in_text),
    ("cancelled-while-running", cancelled_while_running),
    ("open-in-ended-order", open_in_ended_order),
    ("date-moved-without-reason", date_moved_without_reason),
    ("reopened", reopened),
];

const VISIT_AFTER_MISSED: &str = "visit-after-missed";

/// The clashes that stand.
fn clashes(scene: &Scene<'_>) -> BTreeMap<ClashKey, [String; 2]> {
    let mut found: BTreeMap<ClashKey, [String; 2]> = BTreeMap::new();
    for (kind, rule) in RULES {
        let clash = |(id, item): (&String, &Item)| Some(((kind.to_owned(), id.clone()), rule(scene, id, item)?));
        found.extend(scene.order.items.iter().filter_map(clash));
    }
    found
}

fn label(id: &str, item: &Item, scene: &Scene<'_>) -> String {
    words::item(id, item.offering.as_deref(), scene.vocabulary)
}

fn is_open(item: &Item) -> bool {
    item.state.as_deref().is_some_and(|state| !has_ended(state))
}

fn still(id: &str, item: &Item, scene: &Scene<'_>) -> String {
    let state = item.state.as_deref().map_or_else(String::new, words::state);
    let label = label(id, item, scene);
    let mut letters = label.chars();
    let label: String = match letters.next() {
        // "IP address item" keeps its capitals.
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label,
    };
    format!("{label} is {state}")
}

/// Trap 4: message 530 arrives while the items that it is for run on.
fn complete_while_running(scene: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let code = item.said_complete.as_ref().filter(|_| is_open(item))?;
    Some([format!("message {code} says that item {id} is complete"), still(id, item, scene)])
}

/// Trap 8: the customer is said to have missed a visit that is still to come.
fn visit_after_missed(scene: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let appointment = item.appointment.as_ref()?;
    let status = appointment.status.as_deref()?;
    let meaning = scene.vocabulary.meaning(Subject::AppointmentStatus, status)?;
    let start = appointment.start.as_ref().and_then(Moment::at)?;
    if !meaning.is(Class::Progress) || start <= scene.at {
        return None;
    }
    if !scene.event.is_snapshot() {
        let stood = scene.order.contradictions.get(&(VISIT_AFTER_MISSED.to_owned(), id.to_owned()));
        return stood.map(|open| open.statements.clone());
    }
    let names = |named: &String| named == id || scene.family.parent_of(named) == Some(id);
    let is_about = |message: &&Message| match message.item_ids.as_slice() {
        [] => scene.family.is_root(id),
        named => named.iter().any(names),
    };
    let is_missed = |code: &&str| scene.vocabulary.meaning(Subject::Message, code).is_some_and(|m| m.is(Class::Missed));
    let code = scene.event.messages.iter().filter(is_about).find_map(|message| message.codes().find(is_missed))?;
    let window = words::window(appointment).unwrap_or_default();
    Some([
        format!("message {code} says that the appointment was missed"),
        format!("the appointment of {window} is {}", meaning.words),
    ])
}

/// Trap 7: a message's text names another date than the field.
fn date_in_text(_: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let (in_text, code) = item.date_in_text.as_ref()?;
    let field = item.expected_completion.as_ref()?;
    if words::day_of(in_text)? == words::day_of(field)? || item.state.as_deref().is_some_and(has_ended) {
        return None;
    }
    Some([
        format!("message {code} says that item {id} is expected on {}", words::day_or_time(in_text)),
        format!("its expected completion is {}", words::day_or_time(field)),
    ])
}

/// Trap 6: the supplier cancelled what is still running.
fn cancelled_while_running(scene: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let code = item.said_cancelled.as_ref().filter(|_| is_open(item))?;
    Some([format!("message {code} says that item {id} was cancelled"), still(id, item, scene)])
}

/// Trap 5: the order has ended, an item has not: a delete that is never closed, most often.
fn open_in_ended_order(scene: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let state = scene.order.state.as_ref().map(|state| state.state.as_str())?;
    let action = item.action.as_deref().map_or_else(String::new, |action| format!(" (action {action})"));
    (is_over(state) && is_open(item))
        .then(|| [format!("the order is {}", words::state(state)), format!("{}{action}", still(id, item, scene))])
}

/// A date was moved back and no message said why.
fn date_moved_without_reason(_: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let (from, to) = item.unexplained_move.as_ref().filter(|_| !item.state.as_deref().is_some_and(has_ended))?;
    Some([
        format!("item {id} was expected on {from}"),
        format!("it is now expected on {to}, and no message gives a reason"),
    ])
}

/// An item had ended and runs again: no transition of the standard (domain §2).
fn reopened(scene: &Scene<'_>, id: &str, item: &Item) -> Option<[String; 2]> {
    let ended_as = item.reopened_from.as_ref().filter(|_| is_open(item))?;
    Some([format!("item {id} had ended ({})", words::state(ended_as)), still(id, item, scene)])
}
