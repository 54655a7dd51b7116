//! What a snapshot changes: the order is brought up to it, and every difference becomes a change.

use std::collections::{BTreeSet, HashMap};

use super::change::{Facts, Kind};
use super::event::{Appointment, Characteristic, Event, ItemStatement, Message, Placing, Statement};
use super::family::Addressed;
use super::moment::Moment;
use super::place::is_create;
use super::short_hash::short_hash;
use super::snapshot::{named_once, stated_over};
use super::spelling::{compared, same};
use super::state::{has_ended, order_state};
use super::telling::Changes;
use super::timeline::{Item, Order, Standing};
use super::vocabulary::Vocabulary;
use super::{attention, contradiction, milestone, missed, visit, words};

/// Brings `order` up to the statement and gives the changes in the order in which they are told:
/// the order, its parties, each item as the body lists them, messages, and the state that follows.
pub fn take_in<'v>(
    order: &mut Order,
    standing: &mut Standing,
    statement: &Statement,
    vocabulary: &'v Vocabulary,
) -> Changes<'v> {
    let mut changes = Changes { list: Vec::new(), overtaken: Vec::new(), vocabulary };
    let event = &statement.event;

    if is_create(statement) && order.created.is_none() {
        order.created = Some(statement.at());
        changes.order_created(event);
    }
    external_ids(order, event, &mut changes);
    parties(order, event, &mut changes);
    for stated in &event.characteristics {
        let before = order.characteristics.insert(compared(&stated.name), stated.clone()).map(|kept| kept.value);
        if before.as_ref() != Some(&stated.value) {
            changes.characteristic(&[], "Order", &stated.name, before, stated.value.clone());
        }
    }
    changes.date(&[], "The order", &mut order.expected_completion, event.expected_completion.as_ref());
    let announced = visit::Announced::of(order);
    for item in &named_once(order, &event.items) {
        take_in_item(order, item, event, &announced, &mut changes);
    }
    messages(&mut standing.messages, event, &mut changes);
    let addressed = Addressed::of(&event.messages, order, changes.vocabulary);
    visit::messages_of_items(&addressed, order, &mut changes);
    missed::note(order, &mut changes.list, changes.vocabulary);
    milestone::take_in(order, &mut standing.milestones, event, &addressed, &mut changes);
    if let Some(own) = &event.state {
        order.own_state = Some(own.clone());
    }
    if let Some(placing) = &event.placing {
        order.placing = Some(order.placing.take().map_or_else(|| placing.clone(), |before| before.then(placing)));
    }
    let now = order_state(order);
    let before = order.state.replace(now.clone());
    if !before.as_ref().is_some_and(|before| same(&before.state, &now.state)) {
        let text = format!("Order {}. {}", words::state(&now.state), now.reason);
        changes.order_change(Kind::OrderState, None, before.map(|before| before.state), Some(now.state), text);
    }
    contradiction::take_in(order, event, statement.at(), &mut changes);
    attention::take_in(order, event, statement.at(), vocabulary);
    changes
}

fn external_ids(order: &mut Order, event: &Event, changes: &mut Changes<'_>) {
    if let (Some(before), Some(now)) = (order.external_ids.first(), event.external_ids.first())
        && before != now
    {
        let text = format!("External id changed from {before} to {now}");
        changes.order_change(Kind::Characteristic, Some("externalId"), Some(before.clone()), Some(now.clone()), text);
    }
    if !event.external_ids.is_empty() {
        order.external_ids.clone_from(&event.external_ids);
    }
}

/// Parties compare role by role: a snapshot that names a role names all who have it.
fn parties(order: &mut Order, event: &Event, changes: &mut Changes<'_>) {
    let mut roles: Vec<&str> = Vec::new();
    for party in &event.parties {
        if !roles.iter().any(|role| same(role, &party.role)) {
            roles.push(&party.role);
        }
    }
    for role in roles {
        let ids_of = |parties: &[super::event::Party]| -> Vec<String> {
            parties.iter().filter(|party| same(&party.role, role)).map(|party| party.id.clone()).collect()
        };
        let (before, now) = (ids_of(&order.parties), ids_of(&event.parties));
        order.parties.retain(|party| !same(&party.role, role));
        order.parties.extend(event.parties.iter().filter(|party| same(&party.role, role)).cloned());
        let is_same = before.iter().collect::<BTreeSet<_>>() == now.iter().collect::<BTreeSet<_>>();
        if is_same {
            continue;
        }
        let (from, to) = ((!before.is_empty()).then(|| before.join(", ")), now.join(", "));
        let text = match &from {
            Some(from) => format!("Party {role} changed from {from} to {to}"),
            None => format!("Party {role}: {to}"),
        };
        changes.order_change(Kind::Party, Some(role), from, Some(to), text);
    }
}

fn take_in_item(
    order: &mut Order,
    now: &ItemStatement,
    event: &Event,
    announced: &visit::Announced,
    changes: &mut Changes<'_>,
) {
    let is_new = !order.items.contains_key(&now.id);
    let item = order.items.entry(now.id.clone()).or_default();
    let offering = now.offering.as_deref().or(item.offering.as_deref());
    let label = words::item(&now.id, offering, changes.vocabulary);
    let ids = [now.id.clone()];

    keep(&mut item.container, now.container.as_deref());
    if is_new {
        for (kept, stated) in identity(item, now) {
            keep(kept, stated);
        }
        changes.item_added(&ids, &label, now);
    } else {
        for (name, (kept, stated)) in IDENTITY_NAMES.into_iter().zip(identity(item, now)) {
            if let Some((from, to)) = replace(kept, stated, |a, b| a == b) {
                changes.characteristic(&ids, &label, name, from, to);
            }
        }
    }
    state_and_sub_status(item, now, &ids, &label, changes);
    visit::expected_date(&now.id, item, now.expected_completion.as_ref(), &label, event, announced, changes);
    appointment(item, now, event, &label, changes);
    for stated in &gathered(&now.characteristics) {
        let key = compared(&stated.name);
        let before = item.characteristics.insert(key, stated.clone()).map(|kept| kept.value);
        if before.as_ref() != Some(&stated.value) {
            changes.characteristic(&ids, &label, &stated.name, before, stated.value.clone());
        }
    }
    if let Some(service) = &now.service_id
        && let Some((from, to)) = replace(&mut item.service_id, Some(&service.value), |a, b| a == b)
    {
        changes.service_id(&ids, &label, from.or_else(|| service.previous.clone()), to);
    }
}

/// One characteristic for each name, with all the values that the snapshot gives it: one by one they would
/// replace each other with every repeat of it.
fn gathered(stated: &[Characteristic]) -> Vec<Characteristic> {
    let mut gathered: Vec<Characteristic> = Vec::with_capacity(stated.len());
    let mut known: HashMap<String, usize> = HashMap::new();
    for characteristic in stated {
        let at = *known.entry(compared(&characteristic.name)).or_insert(gathered.len());
        match gathered.get_mut(at) {
            Some(first) if first.value == characteristic.value => {}
            Some(first) => {
                first.value.push_str(", ");
                first.value.push_str(&characteristic.value);
            }
            None => gathered.push(characteristic.clone()),
        }
    }
    gathered
}

/// What tells items apart; only a change of it is worth an entry of its own.
const IDENTITY_NAMES: [&str; 4] = ["action", "internalId", "productId", "productOffering"];

fn identity<'a>(item: &'a mut Item, now: &'a ItemStatement) -> [(&'a mut Option<String>, Option<&'a str>); 4] {
    [
        (&mut item.action, now.action.as_deref()),
        (&mut item.internal_id, now.internal_id.as_deref()),
        (&mut item.product_id, now.product_id.as_deref()),
        (&mut item.offering, now.offering.as_deref()),
    ]
}

fn state_and_sub_status(item: &mut Item, now: &ItemStatement, ids: &[String], label: &str, changes: &mut Changes<'_>) {
    let state = replace_told(&mut item.state, &mut item.told_state, now.state.as_deref());
    let sub_status = replace_told(&mut item.sub_status, &mut item.told_sub_status, now.sub_status.as_deref());
    if let Some((from, to)) = state {
        item.reopened_from = from.clone().filter(|from| has_ended(from)).filter(|_| !has_ended(&to));
        let beside = item.sub_status.as_deref().filter(|sub_status| !words::repeats_state(&to, sub_status));
        let beside = beside.map_or_else(String::new, |sub_status| format!(" ({sub_status})"));
        let text = format!("{label}: {}{beside}", words::state(&to));
        changes.item_change(Kind::ItemState, ids, from, to, text);
    }
    if let Some((from, to)) = sub_status {
        let expected = now
            .expected_completion
            .as_ref()
            .filter(|date| !item.expected_completion.as_ref().is_some_and(|kept| kept.means_the_same_as(date)));
        let expected =
            expected.map_or_else(String::new, |date| format!("; expected completion {}", words::day_or_time(date)));
        let again = item.state.as_deref().is_some_and(|state| words::repeats_state(state, &to));
        let again = if again { "sub-status " } else { "" };
        let text = format!("{label}: {again}{}{expected}", words::sub_status(&to, changes.vocabulary));
        changes.item_change(Kind::ItemSubStatus, ids, from, to, text);
    }
}

/// That a visit was missed is not said of the one that takes its place.
fn appointment(item: &mut Item, now: &ItemStatement, event: &Event, label: &str, changes: &mut Changes<'_>) {
    let Some(stated) = &now.appointment else {
        return;
    };
    let before = item.appointment.take();
    let mut base = before.clone().unwrap_or_default();
    if visit::is_another(&base, stated, changes.vocabulary) {
        base.status = None;
    }
    let merged = stated_over(base, stated);
    let is_same = before.as_ref().is_some_and(|before| same_appointment(before, &merged));
    item.appointment = Some(merged.clone());
    if !is_same && merged != Appointment::default() {
        let is_stated = stated.status.is_some();
        let facts =
            visit::appointment_facts(&now.id, item, before.as_ref(), &merged, is_stated, event, changes.vocabulary);
        changes.appointment(std::slice::from_ref(&now.id), label, before, merged);
        changes.note(Facts::Appointment(facts));
    }
}

fn same_appointment(a: &Appointment, b: &Appointment) -> bool {
    let same_moment = |a: &Option<Moment>, b: &Option<Moment>| match (a, b) {
        (Some(a), Some(b)) => a.means_the_same_as(b),
        (None, None) => true,
        _ => false,
    };
    let same_status = match (&a.status, &b.status) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    };
    a.id == b.id
        && a.reference == b.reference
        && same_status
        && same_moment(&a.start, &b.start)
        && same_moment(&a.finish, &b.finish)
}

/// Messages compare with the snapshot before: what stood there is no change, what stands no longer
/// may return as one (law 3). A message is told once, with the items that it is new for.
fn messages(standing: &mut BTreeSet<u64>, event: &Event, changes: &mut Changes<'_>) {
    if !event.is_snapshot() {
        return;
    }
    let mut now = BTreeSet::new();
    for message in &event.messages {
        let identity = |item_id: &str| message_identity(message, item_id);
        let order_level = message.item_ids.is_empty().then(|| identity(""));
        let is_new_for_order = order_level.is_some_and(|identity| !standing.contains(&identity));
        let new_for: Vec<String> =
            message.item_ids.iter().filter(|id| !standing.contains(&identity(id))).cloned().collect();
        if is_new_for_order || !new_for.is_empty() {
            changes.message(message, new_for, lead(event, message));
        }
        now.extend(order_level);
        now.extend(message.item_ids.iter().map(|id| identity(id)));
    }
    *standing = now;
}

/// What a message is, by the event that brings it: one of how an order's placing went says so.
fn lead(event: &Event, message: &Message) -> &'static str {
    match event.placing {
        None | Some(Placing::Asked | Placing::Tried) => "Message",
        // A text without a code that comes with a success is no warning as far as anyone can tell.
        Some(Placing::Taken) if message.code.is_none() => "Message",
        Some(Placing::Taken) => "Warning",
        Some(Placing::Refused(_)) => "Attempt failed,",
        Some(Placing::Unknown(_)) => "Attempt without an answer,",
    }
}

/// A short stand-in for a message and an item: the fold keeps these instead of the texts.
fn message_identity(message: &Message, item_id: &str) -> u64 {
    short_hash([message.code.as_deref().unwrap_or(""), message.text.as_deref().unwrap_or(""), item_id])
}

fn keep(kept: &mut Option<String>, stated: Option<&str>) {
    if let Some(stated) = stated {
        *kept = Some(stated.to_owned());
    }
}

/// The same for a state or sub-status, whose spelling in the last entry is remembered.
fn replace_told(
    kept: &mut Option<String>,
    told: &mut Option<String>,
    stated: Option<&str>,
) -> Option<(Option<String>, String)> {
    let respelled = stated.zip(kept.as_deref()).filter(|(stated, kept)| stated != kept);
    let before = respelled.map(|(_, before)| before.to_owned());
    let change = replace(kept, stated, same);
    if change.is_some() {
        *told = None;
    } else if let Some(before) = before {
        told.get_or_insert(before);
    }
    if told == kept {
        *told = None;
    }
    change
}

/// Takes a stated value over and gives before and after if it is another value. Another spelling of
/// the same value is taken over silently: what was received last is what is shown (law 2).
fn replace(
    kept: &mut Option<String>,
    stated: Option<&str>,
    same: impl Fn(&str, &str) -> bool,
) -> Option<(Option<String>, String)> {
    let stated = stated?;
    let before = kept.replace(stated.to_owned());
    let is_same = before.as_deref().is_some_and(|before| same(before, stated));
    (!is_same).then(|| (before, stated.to_owned()))
}
