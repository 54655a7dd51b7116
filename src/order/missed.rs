//! Visits that did not take place, and windows that moved: each counted once, whoever says so and how often.
//!
//! An appointment's status says it, a message, or the window alone; one of them often follows the other in a later event.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::change::{AppointmentFacts, Change, Facts, Kind, Missed, Value};
use super::event::Appointment;
use super::family::Family;
use super::moment::Moment;
use super::timeline::{Item, Order};
use super::vocabulary::{Class, Fault, Meaning, Subject, Vocabulary};

/// Of the items above and below a named one so many are looked at: a body of junk may name one in each of its messages.
const KIN: usize = 100;

/// Notes with the changes of an event which visits they say were missed or moved.
pub fn note(order: &mut Order, changes: &mut [Change], vocabulary: &Vocabulary) {
    let messages = Told::all(changes, order, vocabulary);
    let told: BTreeSet<String> = messages.iter().flat_map(|(_, told)| told.items.iter().cloned()).collect();
    let mut event = Event::default();
    for change in changes.iter_mut().filter(|change| change.kind == Kind::Appointment) {
        if let [id] = change.item_ids.as_slice()
            && let Some(item) = order.items.get_mut(id)
        {
            let missed = event.version(id, item, change, told.contains(id), vocabulary);
            change.missed = missed.into_iter().collect();
        }
    }
    for (at, told) in messages {
        if let Some(change) = changes.get_mut(at) {
            change.missed = event.message(&told, order);
        }
    }
}

/// What an event has said of visits so far.
#[derive(Default)]
struct Event {
    /// Items whose visit it says was missed.
    missed: BTreeSet<String>,
    /// Items whose appointment it put to another time or replaced by another: what it says was missed is the visit before.
    renewed: BTreeSet<String>,
    /// A miss was said of no visit in particular.
    has_said_so: bool,
}

/// A message that says a visit was missed, and the items with an appointment that it is about.
struct Told {
    code: String,
    fault: Option<Fault>,
    items: BTreeSet<String>,
    /// The first item that it names.
    named: Option<String>,
}

impl Told {
    /// All of an event's, each with its place among the changes. Of those that name no item the first says it all.
    fn all(changes: &[Change], order: &Order, vocabulary: &Vocabulary) -> Vec<(usize, Self)> {
        let mut is_first = true;
        let of = |(at, change): (usize, &Change)| {
            let (code, meaning) = missed_by(change, vocabulary)?;
            if change.item_ids.is_empty() && !std::mem::take(&mut is_first) {
                return None;
            }
            let (code, named) = (code.to_owned(), change.item_ids.first().cloned());
            Some((at, Self { code, fault: meaning.fault, items: visited(order, &change.item_ids), named }))
        };
        changes.iter().enumerate().filter_map(of).collect()
    }
}

/// The items with an appointment that a message is about: those that it names, or their kin by their ids; of one that
/// names none the root items, or whichever have one.
fn visited(order: &Order, named: &[String]) -> BTreeSet<String> {
    let has_visit = |id: &&String| order.items.get(*id).is_some_and(|item| item.appointment.is_some());
    let items: Vec<&String> = if named.is_empty() {
        let family = Family::of(order);
        let (roots, others): (Vec<_>, Vec<_>) = order.items.keys().filter(has_visit).partition(|id| family.is_root(id));
        if roots.is_empty() { others } else { roots }
    } else {
        let own: Vec<&String> = named.iter().filter(has_visit).collect();
        if own.is_empty() { named.iter().flat_map(|id| kin_of(order, id)).filter(has_visit).collect() } else { own }
    };
    items.into_iter().cloned().collect()
}

impl Event {
    /// A version of an item's appointment.
    fn version(
        &mut self,
        id: &str,
        item: &mut Item,
        change: &Change,
        is_told: bool,
        vocabulary: &Vocabulary,
    ) -> Option<Missed> {
        let (Some(Facts::Appointment(facts)), Some(Value::Appointment(now))) = (&change.facts, &change.to) else {
            return None;
        };
        let before = match &change.from {
            Some(Value::Appointment(before)) => Some(before),
            _ => None,
        };
        let meaning = |appointment: &Appointment| {
            vocabulary.meaning(Subject::AppointmentStatus, appointment.status.as_deref()?).cloned()
        };
        let (said_now, said_before) = (meaning(now), before.and_then(meaning));
        let says = |class| said_now.as_ref().is_some_and(|meaning: &Meaning| meaning.is(class));
        let is_other = before.is_some_and(|before| before.id.is_some() && now.id.is_some() && before.id != now.id);
        let has_moved = changes(facts, "window");
        // A visit is missed once, however many versions of it follow.
        let has_new_status = before.is_none() || is_other || changes(facts, "status");
        let was_missed = item.later.is_visit_missed;
        if has_moved
            || is_other
            || (has_new_status && !said_now.as_ref().is_some_and(Meaning::is_of_visit_that_is_over))
        {
            item.later.is_visit_missed = false;
            if before.is_some() && (has_moved || is_other) {
                self.renewed.insert(id.to_owned());
            }
        }
        let says_missed = says(Class::Missed) && has_new_status;
        if says_missed {
            let is_known = item.later.is_visit_missed;
            item.later.is_visit_missed = true;
            self.missed.insert(id.to_owned());
            return (!is_known).then(|| Missed::of(Some(id), facts.fault, None));
        }
        // What takes the place of a visit that was missed or cancelled was listed then.
        let follows = was_missed || said_before.as_ref().is_some_and(Meaning::is_of_visit_that_is_over);
        let is_moved = has_moved && before.is_some_and(is_hours_known) && !is_told && !follows;
        let is_said = says(Class::Rescheduled) && (has_new_status || has_moved);
        (is_said || is_moved).then(|| Missed::of(Some(id), facts.fault, None))
    }

    /// A message: one visit of each appointment that it is about, and that was not said to be missed.
    fn message(&mut self, told: &Told, order: &mut Order) -> Vec<Missed> {
        let missed = |id: Option<&str>| Missed::of(id, told.fault, Some(&told.code));
        if told.items.is_empty() {
            let is_new = !std::mem::replace(&mut self.has_said_so, true) && self.missed.is_empty();
            return is_new.then(|| missed(told.named.as_deref())).into_iter().collect();
        }
        let mut visits: BTreeMap<Visit, Option<Missed>> = BTreeMap::new();
        for id in &told.items {
            let Some(item) = order.items.get_mut(id) else { continue };
            let Some(visit) = item.appointment.as_ref().map(Visit::of) else { continue };
            if item.later.is_visit_missed || !self.missed.insert(id.clone()) {
                // Of items that share a visit one is enough to know it.
                visits.insert(visit, None);
                continue;
            }
            item.later.is_visit_missed = !self.renewed.contains(id);
            visits.entry(visit).or_insert_with(|| Some(missed(Some(id))));
        }
        visits.into_values().flatten().collect()
    }
}

/// What tells visits apart that several items have: the appointment's id, else its window.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Visit {
    Id(String),
    Window([Option<DateTime<Utc>>; 2]),
}

impl Visit {
    fn of(appointment: &Appointment) -> Self {
        let at = |moment: &Option<Moment>| moment.as_ref().and_then(Moment::at);
        let window = || Self::Window([at(&appointment.start), at(&appointment.finish)]);
        appointment.id.clone().map_or_else(window, Self::Id)
    }
}

impl Missed {
    fn of(item_id: Option<&str>, fault: Option<Fault>, code: Option<&str>) -> Self {
        Self { item_id: item_id.map(str::to_owned), fault, code: code.map(str::to_owned) }
    }
}

/// The code of a message that says a visit did not take place, and what it means.
fn missed_by<'c, 'v>(change: &'c Change, vocabulary: &'v Vocabulary) -> Option<(&'c str, &'v Meaning)> {
    let message = change.message.as_ref().filter(|_| change.kind == Kind::Message)?;
    let codes = message.code.as_deref().into_iter().chain(message.parts.iter().filter_map(|part| part.code.as_deref()));
    let mut meanings = codes.filter_map(|code| Some((code, vocabulary.meaning(Subject::Message, code)?)));
    meanings.find(|(_, meaning)| meaning.is(Class::Missed) || meaning.is(Class::AccessFailed))
}

/// The items above and below this one by its id, the next first.
fn kin_of<'o>(order: &'o Order, id: &str) -> Vec<&'o String> {
    let below = format!("{id}.");
    let below = order.items.range(below.clone()..).map(|(id, _)| id).take_while(|id| id.starts_with(&below)).take(KIN);
    let above =
        id.rmatch_indices('.').take(KIN).filter_map(|(at, _)| Some(order.items.get_key_value(id.get(..at)?)?.0));
    above.chain(below).collect()
}

fn changes(facts: &AppointmentFacts, part: &str) -> bool {
    facts.changed.contains(&part)
}

/// A window of zero length, where nothing has said so far when the visit is to be, has no hours (domain §1).
fn is_hours_known(appointment: &Appointment) -> bool {
    match (&appointment.start, &appointment.finish) {
        (Some(start), Some(finish)) => !start.means_the_same_as(finish),
        _ => false,
    }
}
