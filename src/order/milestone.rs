//! Milestones: KCI1 acknowledged, KCI2 committed, KCI3 completed, and what the vocabulary or the sender adds.
//!
//! Sub-statuses and messages say the same milestones (domain §1), not always in the same event: which of
//! them said it first is kept. TMF622 v5 states milestones as such (domain §2); those count once they are reached.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::iter;

use super::change::{Facts, Kind, MilestoneFacts, OpenMilestoneFacts, SaidBy};
use super::event::{Event, MilestoneStatement};
use super::family::Addressed;
use super::moment::rfc3339;
use super::short_hash::short_hash;
use super::spelling::{compared, same};
use super::telling::Changes;
use super::timeline::Order;
use super::vocabulary::Subject;
use super::words;

/// Who says a milestone, and by which value.
type Saying = (SaidBy, String);
/// What an event says, by milestone and item; of the order as a whole where it has no items.
type Sayings = BTreeMap<(String, Option<String>), Vec<Saying>>;
/// What it says that was not said before: the milestone, by whom, and whether anybody said it before.
type Told = (String, Vec<Saying>, bool);
/// What was said of milestones, as hashes: of each that is stated what was last said of it, and who said that one
/// was reached of the order as a whole.
type Standing = BTreeMap<u64, BTreeSet<u64>>;

/// Tells the milestones that an event states, and those that it says are reached and that their source had not
/// said before. Items of which the same is said share an entry.
pub fn take_in(
    order: &mut Order,
    standing: &mut Standing,
    event: &Event,
    addressed: &Addressed<'_>,
    changes: &mut Changes<'_>,
) {
    stated(order, standing, &event.milestones, changes);
    let sayings = sayings(order, event, addressed, changes);
    // Each is looked for once, not once an item: a body may say it of twenty thousand.
    let said: BTreeSet<&String> = sayings.keys().map(|(milestone, _)| milestone).collect();
    let of_items = if said.is_empty() { HashSet::new() } else { reached_by_items(order) };
    let known: BTreeSet<String> =
        said.into_iter().filter(|milestone| is_reached(&of_items, standing, milestone)).cloned().collect();
    let mut together: BTreeMap<Told, Vec<String>> = BTreeMap::new();
    for ((milestone, item_id), sayings) in sayings {
        let is_first = !is_said(order, standing, &milestone, item_id.as_deref());
        let new: Vec<Saying> =
            sayings.into_iter().filter(|(by, _)| note(order, standing, &milestone, item_id.as_deref(), *by)).collect();
        if !new.is_empty() {
            together.entry((milestone, new, is_first)).or_default().extend(item_id);
        }
    }
    for ((milestone, sayings, is_first), item_ids) in together {
        tell(&milestone, sayings, is_first, !known.contains(&milestone), &item_ids, changes);
    }
}

/// A milestone that says of itself what the snapshots said before is no change. A snapshot may say several
/// things of one milestone; of one that it does not name it says nothing (law 2).
fn stated(order: &mut Order, standing: &mut Standing, stated: &[MilestoneStatement], changes: &mut Changes<'_>) {
    let mut now = Standing::new();
    // Looked for where there is one to look for, and then once for all that are stated.
    let mut of_items: Option<HashSet<String>> = None;
    for milestone in stated {
        let name = compared(&milestone.name);
        let which = short_hash(iter::once(name.as_str()).chain(milestone.item_ids.iter().map(String::as_str)));
        let status = milestone.status.as_deref().map(compared).unwrap_or_default();
        let date = milestone.date.as_ref().map(|date| date.at().map_or_else(|| date.text().to_owned(), rfc3339));
        let what = short_hash([&status, date.as_deref().unwrap_or(""), milestone.text.as_deref().unwrap_or("")]);
        let is_known = standing.get(&which).is_some_and(|said| said.contains(&what));
        if now.entry(which).or_default().insert(what) && !is_known {
            changes.milestone(milestone);
            let name = changes.vocabulary.milestone(&milestone.name).unwrap_or(&milestone.name);
            changes.name_last(name);
            changes.note(if is_stated_as_reached(milestone) {
                let of_items = of_items.get_or_insert_with(|| reached_by_items(order));
                Facts::Milestone(reached(order, standing, of_items, milestone, name))
            } else {
                Facts::OpenMilestone(OpenMilestoneFacts { date: milestone.date.clone() })
            });
        }
    }
    standing.extend(now);
}

/// Without a status the statement itself says it: the standard's event tells of a milestone that was reached. Any
/// other status than these is shown and counts as none (contract, law 7).
fn is_stated_as_reached(milestone: &MilestoneStatement) -> bool {
    const REACHED: [&str; 5] = ["completed", "reached", "achieved", "met", "done"];
    milestone.status.as_deref().is_none_or(|status| REACHED.iter().any(|reached| same(reached, status)))
}

/// Keeps that a stated milestone is reached, for the items that it names or for the order as a whole. `name` is as
/// the vocabulary spells it, so that it is the same milestone whoever says it.
fn reached(
    order: &mut Order,
    standing: &mut Standing,
    of_items: &mut HashSet<String>,
    milestone: &MilestoneStatement,
    name: &str,
) -> MilestoneFacts {
    let named = milestone.item_ids.iter().filter(|id| order.items.contains_key(*id));
    let named: Vec<Option<String>> = named.cloned().map(Some).collect();
    let about = if named.is_empty() { vec![None] } else { named };
    let is_first_of_order = !is_reached(of_items, standing, name);
    let is_first = !about.iter().any(|item_id| is_said(order, standing, name, item_id.as_deref()));
    for item_id in about {
        note(order, standing, name, item_id.as_deref(), SaidBy::Milestone);
        if item_id.is_some() {
            of_items.insert(name.to_owned());
        }
    }
    let value = milestone.status.clone().unwrap_or_else(|| "reached".to_owned());
    MilestoneFacts { said_by: vec![SaidBy::Milestone], values: vec![value], is_first, is_first_of_order }
}

/// Whether anybody said it of the order or of any of its items, of which these are reached.
fn is_reached(of_items: &HashSet<String>, standing: &Standing, milestone: &str) -> bool {
    of_items.contains(milestone) || standing.contains_key(&of_order(milestone))
}

fn reached_by_items(order: &Order) -> HashSet<String> {
    let reached: HashSet<&String> = order.items.values().flat_map(|item| item.reached.keys()).collect();
    reached.into_iter().cloned().collect()
}

/// Whether anybody said it of this item, or of the order as a whole.
fn is_said(order: &Order, standing: &Standing, milestone: &str, item_id: Option<&str>) -> bool {
    match item_id {
        Some(id) => order.items.get(id).is_some_and(|item| item.reached.contains_key(milestone)),
        None => standing.contains_key(&of_order(milestone)),
    }
}

/// Keeps who says it; gives whether that is new.
fn note(order: &mut Order, standing: &mut Standing, milestone: &str, item_id: Option<&str>, by: SaidBy) -> bool {
    match item_id.map(|id| order.items.get_mut(id)) {
        Some(Some(item)) => item.reached.entry(milestone.to_owned()).or_default().insert(by),
        Some(None) => false,
        None => standing.entry(of_order(milestone)).or_default().insert(short_hash([by.name()])),
    }
}

/// What keeps a milestone of the order as a whole apart from what is stated of one by its name.
fn of_order(milestone: &str) -> u64 {
    short_hash(["reached by the order", milestone])
}

fn sayings(order: &Order, event: &Event, addressed: &Addressed<'_>, changes: &Changes<'_>) -> Sayings {
    let mut sayings = Sayings::new();
    let mut say = |subject, value: &str, item_id: Option<&str>, by| {
        let meaning = changes.vocabulary.meaning(subject, value);
        if let Some(milestone) = meaning.and_then(|meaning| meaning.milestone.clone())
            && item_id.is_none_or(|id| order.items.contains_key(id))
        {
            let said = sayings.entry((milestone, item_id.map(str::to_owned))).or_default();
            if !said.iter().any(|(known, _)| *known == by) {
                said.push((by, value.to_owned()));
            }
        }
    };
    for item in &event.items {
        if let Some(sub_status) = &item.sub_status {
            say(Subject::SubStatus, sub_status, Some(&item.id), SaidBy::SubStatus);
        }
    }
    for (message, about) in addressed.iter() {
        for code in message.codes() {
            about.iter().for_each(|item_id| say(Subject::Message, code, Some(item_id), SaidBy::Message));
            if about.is_empty() {
                say(Subject::Message, code, None, SaidBy::Message);
            }
        }
    }
    sayings
}

fn tell(
    milestone: &str,
    sayings: Vec<Saying>,
    is_first: bool,
    is_first_of_order: bool,
    item_ids: &[String],
    changes: &mut Changes<'_>,
) {
    let by = words::list(sayings.iter().map(|(by, value)| format!("{} {value}", by.name())));
    let about = match item_ids {
        [] => "the order".to_owned(),
        [only] => format!("item {only}"),
        several => format!("items {}", words::list(several.iter())),
    };
    let meaning = sayings.first().and_then(|(by, value)| {
        let subject = if *by == SaidBy::SubStatus { Subject::SubStatus } else { Subject::Message };
        changes.vocabulary.words(subject, value)
    });
    let meaning = meaning.map_or_else(String::new, |words| format!(" ({words})"));
    let text = if is_first {
        format!("Milestone {milestone}{meaning} reached for {about}, by {by}")
    } else {
        format!("Milestone {milestone}{meaning} said again for {about}, now by {by}")
    };
    let (said_by, values) = sayings.into_iter().unzip();
    changes.item_change(Kind::Milestone, item_ids, None, "reached".to_owned(), text);
    changes.name_last(milestone);
    changes.note(Facts::Milestone(MilestoneFacts { said_by, values, is_first, is_first_of_order }));
}
