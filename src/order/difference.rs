//! What a snapshot changes: the order is brought up to it, and every difference becomes a change.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::change::{Change, Kind, MessageDetail, Value};
use super::event::{Appointment, Event, ItemStatement, Message, MilestoneStatement, Placing, Statement};
use super::moment::Moment;
use super::place::is_create;
use super::spelling::{compared, same};
use super::state::order_state;
use super::timeline::{Item, Order};
use super::vocabulary::Vocabulary;
use super::words;

/// Brings `order` up to the statement and gives the changes in the order in which they are told:
/// the order, its parties, each item as the body lists them, messages, and the state that follows.
pub fn take_in(
    order: &mut Order,
    standing_messages: &mut BTreeSet<u64>,
    statement: &Statement,
    vocabulary: &Vocabulary,
) -> Vec<Change> {
    let mut changes = Changes { list: Vec::new(), vocabulary };
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
    for item in &event.items {
        take_in_item(order, &named_as_before(order, item), &mut changes);
    }
    messages(standing_messages, event, &mut changes);
    for milestone in &event.milestones {
        changes.milestone(milestone);
    }
    if let Some(own) = &event.state {
        order.own_state = Some(own.clone());
    }
    if let Some(placing) = &event.placing {
        order.placing = Some(placing.clone());
    }
    let now = order_state(order);
    let before = order.state.replace(now.clone());
    if !before.as_ref().is_some_and(|before| same(&before.state, &now.state)) {
        let text = format!("Order {}: {}", words::state(&now.state), now.reason);
        changes.order_change(Kind::OrderState, None, before.map(|before| before.state), Some(now.state), text);
    }
    changes.list
}

/// Collects changes; knows the words.
struct Changes<'v> {
    list: Vec<Change>,
    vocabulary: &'v Vocabulary,
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
        if before == now {
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

/// Where item ids repeat in an order, an item is named by its id and its product (domain §3). A later event
/// may state one of them alone, and so without the need; it is that item all the same.
fn named_as_before<'a>(order: &Order, item: &'a ItemStatement) -> Cow<'a, ItemStatement> {
    let both = item.product_id.as_ref().map(|product| format!("{}/{product}", item.id));
    match both.filter(|both| !order.items.contains_key(&item.id) && order.items.contains_key(both)) {
        Some(id) => Cow::Owned(ItemStatement { container: Some(item.id.clone()), id, ..item.clone() }),
        None => Cow::Borrowed(item),
    }
}

fn take_in_item(order: &mut Order, now: &ItemStatement, changes: &mut Changes<'_>) {
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
    changes.date(&ids, &label, &mut item.expected_completion, now.expected_completion.as_ref());
    appointment(item, now, &ids, &label, changes);
    for stated in &now.characteristics {
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
    let state = replace(&mut item.state, now.state.as_deref(), same);
    let sub_status = replace(&mut item.sub_status, now.sub_status.as_deref(), same);
    if let Some((from, to)) = state {
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
        let text = format!("{label}: {}{expected}", words::sub_status(&to, changes.vocabulary));
        changes.item_change(Kind::ItemSubStatus, ids, from, to, text);
    }
}

/// An appointment's fields compare one by one: a null status says nothing, so the one known stays (law 2).
/// Another id is another appointment, of which nothing is known but what is stated.
fn appointment(item: &mut Item, now: &ItemStatement, ids: &[String], label: &str, changes: &mut Changes<'_>) {
    let Some(stated) = &now.appointment else {
        return;
    };
    let before = item.appointment.take();
    let is_other = before.as_ref().is_some_and(|before| stated.id.is_some() && before.id != stated.id);
    let base = if is_other { Appointment::default() } else { before.clone().unwrap_or_default() };
    let merged = Appointment {
        id: stated.id.clone().or(base.id),
        reference: stated.reference.clone().or(base.reference),
        status: stated.status.clone().or(base.status),
        start: stated.start.clone().or(base.start),
        finish: stated.finish.clone().or(base.finish),
    };
    let is_same = before.as_ref().is_some_and(|before| same_appointment(before, &merged));
    item.appointment = Some(merged.clone());
    if !is_same && merged != Appointment::default() {
        changes.appointment(ids, label, before, merged);
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
    let mut now = BTreeSet::new();
    for message in &event.messages {
        let identity = |item_id: &str| message_identity(message, item_id);
        let order_level = message.item_ids.is_empty().then(|| identity(""));
        let is_new_for_order = order_level.is_some_and(|identity| !standing.contains(&identity));
        let new_for: Vec<String> =
            message.item_ids.iter().filter(|id| !standing.contains(&identity(id))).cloned().collect();
        if is_new_for_order || !new_for.is_empty() {
            changes.message(message, new_for, lead(event));
        }
        now.extend(order_level);
        now.extend(message.item_ids.iter().map(|id| identity(id)));
    }
    *standing = now;
}

/// What a message is, by the event that brings it: one of how an order's placing went says so.
fn lead(event: &Event) -> &'static str {
    match event.placing {
        None | Some(Placing::Asked | Placing::Tried) => "Message",
        Some(Placing::Taken) => "Warning",
        Some(Placing::Refused(_)) => "Attempt failed,",
        Some(Placing::Unknown(_)) => "Attempt without an answer,",
    }
}

/// A short stand-in for a message and an item: the fold keeps these instead of the texts.
fn message_identity(message: &Message, item_id: &str) -> u64 {
    let mut hash = Sha256::new();
    for part in [message.code.as_deref().unwrap_or(""), message.text.as_deref().unwrap_or(""), item_id] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn keep(kept: &mut Option<String>, stated: Option<&str>) {
    if let Some(stated) = stated {
        *kept = Some(stated.to_owned());
    }
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

impl Changes<'_> {
    fn order_created(&mut self, event: &Event) {
        let known_as = event.external_ids.first();
        let known_as = known_as.map_or_else(String::new, |external_id| format!(" (external id {external_id})"));
        let text = match event.placing {
            Some(Placing::Asked) => format!("Order placed{known_as}"),
            Some(Placing::Tried) => format!("Attempt to place an order{known_as}"),
            _ => format!("Order {} created{known_as}", event.order_id),
        };
        self.order_change(Kind::OrderCreated, None, None, Some(event.order_id.clone()), text);
    }

    fn order_change(&mut self, kind: Kind, name: Option<&str>, from: Option<String>, to: Option<String>, text: String) {
        self.list.push(Change {
            kind,
            item_ids: Vec::new(),
            name: name.map(str::to_owned),
            from: from.map(Value::Text),
            to: to.map(Value::Text),
            message: None,
            text,
        });
    }

    fn item_change(&mut self, kind: Kind, ids: &[String], from: Option<String>, to: String, text: String) {
        self.list.push(Change {
            kind,
            item_ids: ids.to_vec(),
            name: None,
            from: from.map(Value::Text),
            to: Some(Value::Text(to)),
            message: None,
            text,
        });
    }

    fn item_added(&mut self, ids: &[String], label: &str, now: &ItemStatement) {
        let action = now.action.as_deref().map_or_else(String::new, |action| format!(" (action {action})"));
        let to = now.action.clone().unwrap_or_else(|| "added".to_owned());
        self.item_change(Kind::ItemAdded, ids, None, to, format!("{label}: on the order{action}"));
    }

    fn characteristic(&mut self, ids: &[String], label: &str, name: &str, from: Option<String>, to: String) {
        let words = words::characteristic(name, self.vocabulary);
        let text = match &from {
            Some(from) => format!("{label}: {words} changed from {from} to {to}"),
            None => format!("{label}: {words} {to}"),
        };
        self.item_change(Kind::Characteristic, ids, from, to, text);
        self.name_last(name);
    }

    fn service_id(&mut self, ids: &[String], label: &str, from: Option<String>, to: String) {
        let text = match &from {
            Some(from) => format!("{label}: service id changed from {from} to {to}"),
            None => format!("{label}: service id {to}"),
        };
        self.item_change(Kind::ServiceId, ids, from, to, text);
    }

    fn date(&mut self, ids: &[String], label: &str, kept: &mut Option<Moment>, stated: Option<&Moment>) {
        let Some(stated) = stated else {
            return;
        };
        let before = kept.replace(stated.clone());
        let day = words::day_or_time(stated);
        let text = match &before {
            Some(before) if before.means_the_same_as(stated) => return,
            Some(before) => format!(
                "{label}: expected completion moved from {} to {day}{}",
                words::day_or_time(before),
                words::slip(before, stated)
            ),
            None => format!("{label}: expected completion {day}"),
        };
        self.list.push(Change {
            kind: Kind::ExpectedDate,
            item_ids: ids.to_vec(),
            name: None,
            from: before.map(Value::Moment),
            to: Some(Value::Moment(stated.clone())),
            message: None,
            text,
        });
    }

    fn appointment(&mut self, ids: &[String], label: &str, before: Option<Appointment>, now: Appointment) {
        let mut told: Vec<String> = Vec::new();
        if let Some(status) = &now.status {
            let from = before.as_ref().and_then(|before| before.status.as_deref()).filter(|from| !same(from, status));
            told.push(from.map_or_else(
                || state_words(status),
                |from| format!("{} (was {})", state_words(status), state_words(from)),
            ));
        }
        let window_before = before.as_ref().and_then(words::window);
        match (words::window(&now), window_before) {
            (Some(window), Some(before)) if window != before => told.push(format!("{window} (was {before})")),
            (Some(window), _) => told.push(window),
            (None, _) => {}
        }
        let reference_before = before.as_ref().and_then(|before| before.reference.as_deref());
        match (now.reference.as_deref(), reference_before) {
            (Some(reference), Some(before)) if reference != before => {
                told.push(format!("reference {reference} (was {before})"));
            }
            (Some(reference), _) => told.push(format!("reference {reference}")),
            (None, _) => {}
        }
        let text = format!("{label}: appointment {}", told.join(", "));
        self.list.push(Change {
            kind: Kind::Appointment,
            item_ids: ids.to_vec(),
            name: None,
            from: before.map(Value::Appointment),
            to: Some(Value::Appointment(now)),
            message: None,
            text,
        });
    }

    fn message(&mut self, message: &Message, item_ids: Vec<String>, lead: &str) {
        let about = message_part_of(message);
        let severity = about.and_then(|part| part.severity.clone());
        let told: Vec<&str> = message.parts.iter().map(|part| part.text.as_str()).collect();
        let told = if told.is_empty() { "no text was sent".to_owned() } else { told.join(" · ") };
        let quoted = about.map(|part| part.text.as_str()).unwrap_or_default();
        let meaning = message.code.as_deref().and_then(|code| self.vocabulary.bss_code(code));
        let told = meaning.map_or(told, |code| format!("{}: {} (“{quoted}”)", code.words, code.advice));
        let lead = if message.code.is_some() { lead } else { lead_without_code(lead) };
        let code = message.code.as_deref().map_or_else(String::new, |code| format!(" {code}"));
        let items = match item_ids.as_slice() {
            [] => String::new(),
            [_] => format!(" for item {}", words::list(item_ids.iter())),
            _ => format!(" for items {}", words::list(item_ids.iter())),
        };
        self.list.push(Change {
            kind: Kind::Message,
            item_ids,
            name: None,
            from: None,
            to: None,
            message: Some(MessageDetail { code: message.code.clone(), severity, parts: message.parts.clone() }),
            text: format!("{lead}{code}{items}: {told}"),
        });
    }

    fn milestone(&mut self, milestone: &MilestoneStatement) {
        let mut text = format!("Milestone {}", milestone.name);
        for (before, told) in [
            (": ", milestone.status.as_deref().map(state_words)),
            (", ", milestone.date.as_ref().map(words::day_or_time)),
            (". ", milestone.text.clone()),
        ] {
            if let Some(told) = told {
                text.push_str(before);
                text.push_str(&told);
            }
        }
        let to = milestone.status.clone().unwrap_or_else(|| "reached".to_owned());
        self.item_change(Kind::Milestone, &milestone.item_ids, None, to, text);
        self.name_last(&milestone.name);
    }

    fn name_last(&mut self, name: &str) {
        if let Some(change) = self.list.last_mut() {
            change.name = Some(name.to_owned());
        }
    }
}

/// A text without a code that comes with a success is no warning as far as anyone can tell.
fn lead_without_code(lead: &str) -> &str {
    if lead == "Warning" { "Message" } else { lead.trim_end_matches(',') }
}

/// The part that the sub-code speaks of, else the first.
fn message_part_of(message: &Message) -> Option<&super::event::MessagePart> {
    let coded = message.parts.iter().find(|part| part.code.is_some() && part.code == message.code);
    coded.or_else(|| message.parts.first())
}

fn state_words(value: &str) -> String {
    words::state(value)
}
