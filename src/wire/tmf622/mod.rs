//! Events in the flavour of TMF622, versions 4 and 5, as BT Wholesale and its like send them (domain §1, §2).

mod item;
mod known;
mod said;

use std::cell::RefCell;

use crate::order::{Event, ItemStatement, Moment, Party};

use self::item::{Items, named, read_items};
use self::known::{ENVELOPE, EVENT_TYPES, ORDER, REFERENCE};
use self::said::{error_message, jeopardy, read_milestone, standard_error};
use super::fields::{Fields, Path};
use super::json::Json;
use super::message::{RawMessage, gather};
use super::oddity::{Oddities, Oddity, OddityKind};
use super::time::{Offset, read_time};
use super::{LONGEST_ID, Reading, Unreadable};

/// Reads an event from a body's JSON.
pub fn read(json: &Json<'_>, mended: Vec<Oddity>) -> Result<Reading, Unreadable> {
    let content_hash = json.content_hash();
    let oddities = RefCell::new(Oddities::default());
    let root = match json {
        Json::Object(_) => Fields::of(json, Path::Root, &oddities),
        _ => None,
    };
    let root = root.ok_or_else(|| no_order("$", format!("is {}, not an event", json.kind())))?;
    let mut event = payload(&root)?;
    event.event_id = root.text("eventId");
    event.event_type = root.text("eventType");
    event.event_time = ["eventTime", "timeOcurred", "timeOccurred"].into_iter().find_map(|name| moment(&root, name));
    if let Some(event_type) = &event.event_type
        && !EVENT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(event_type))
    {
        root.note("eventType", OddityKind::UnknownEventType);
    }
    root.finish(&ENVELOPE);
    let mut all = mended;
    all.extend(oddities.into_inner().into_list());
    Ok(Reading { event, oddities: all, content_hash })
}

/// The order inside `event`, or where senders that forgot the envelope put it.
fn payload(root: &Fields<'_, '_, '_>) -> Result<Event, Unreadable> {
    let Some(event) = root.get("event") else {
        if let Some(result) = inner(root) {
            root.note("event", OddityKind::NoEnvelope);
            return result;
        }
        return Err(no_order("event", "is missing".to_owned()));
    };
    let event = match event {
        Json::List(members) => {
            root.note("event", OddityKind::ListForObject);
            members.first().unwrap_or(event)
        }
        _ => event,
    };
    let path = Path::Member(root.path(), "event");
    let fields = match event {
        Json::Object(_) => Fields::of(event, path, root.oddities()),
        _ => None,
    };
    let fields = fields.ok_or_else(|| no_order("event", format!("is {}, not an object", event.kind())))?;
    let result = inner(&fields).unwrap_or_else(|| {
        let detail = match fields.get("productOrder") {
            Some(other) => format!("is {}, not an object", other.kind()),
            None => "is missing".to_owned(),
        };
        Err(no_order("event.productOrder", detail))
    });
    fields.finish(&[]);
    result
}

fn inner(event: &Fields<'_, '_, '_>) -> Option<Result<Event, Unreadable>> {
    if let Some(result) = event.one("productOrder", |order| Some(product_order(&order))) {
        return Some(result);
    }
    // The standard's own schema misspells one of its properties (domain §2).
    ["cancelProductOrder", "canccelProductOrder"]
        .into_iter()
        .find_map(|name| event.one(name, |cancel| Some(cancellation(&cancel))))
}

fn product_order(order: &Fields<'_, '_, '_>) -> Result<Event, Unreadable> {
    let order_id = order_id(order)?;
    let mut items = Items::default();
    read_items(order, None, &mut items);
    order.each("itemStateChange", |change| {
        let state = change.text("state");
        match named(&change, &["itemId", "id"]) {
            Some((name, id)) => {
                items.push(ItemStatement { id, state, ..ItemStatement::default() }, change.path(), name);
            }
            None => change.note("itemId", OddityKind::ItemWithoutId),
        }
        Some(())
    });
    let items = items.within_bounds()?;
    let mut messages = order.each("errorMessage", |message| Some(error_message(&message)));
    messages.extend(order.each("productOrderErrorMessage", |message| Some(standard_error(&message))));
    messages.extend(order.each("productOrderJeopardyAlert", |alert| jeopardy(&alert)));
    let event = Event {
        order_id,
        external_ids: external_ids(order),
        state: order.text("state"),
        expected_completion: moment(order, "expectedCompletionDate"),
        parties: order.each("relatedParty", |party| read_party(&party)),
        items,
        messages: gather(messages),
        milestones: order.each("productOrderMilestone", |milestone| read_milestone(&milestone)),
        ..Event::default()
    };
    order.finish(&ORDER);
    Ok(event)
}

/// A request to cancel an order: a statement about the order it refers to.
fn cancellation(cancel: &Fields<'_, '_, '_>) -> Result<Event, Unreadable> {
    let path = format!("{}.productOrder", cancel.path());
    let order_id = cancel
        .one("productOrder", |order| Some(order_id(&order)))
        .unwrap_or_else(|| Err(no_order(&path, "is missing".to_owned())))?;
    let told = [
        cancel.text("id").map(|id| format!("request {id}")),
        cancel.text("state").map(|state| format!("state {state}")),
        cancel.text("cancellationReason").map(|reason| format!("reason: {reason}")),
        cancel.text("effectiveCancellationDate").map(|date| format!("effective {date}")),
    ];
    let told = told.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let text = Some(told).filter(|told| !told.is_empty());
    let message = RawMessage { code: Some("cancellation".to_owned()), text, item_ids: Vec::new() };
    cancel.finish(&["href", "requestedCancellationDate", "relatedParty", "completionMessage"]);
    Ok(Event { order_id, messages: gather(vec![message]), ..Event::default() })
}

fn order_id(order: &Fields<'_, '_, '_>) -> Result<String, Unreadable> {
    let path = format!("{}.id", order.path());
    let id = order.text("id").ok_or_else(|| match order.get("id") {
        Some(json @ (Json::Object(_) | Json::List(_))) => no_order(&path, format!("is {}, not a text", json.kind())),
        _ => no_order(&path, "is missing or empty".to_owned()),
    })?;
    if id.len() > LONGEST_ID {
        return Err(Unreadable::IdTooLong { path, length: id.len() });
    }
    Ok(id)
}

fn read_party(party: &Fields<'_, '_, '_>) -> Option<Party> {
    // Version 5 puts the party itself one level deeper.
    let inner = party.one("partyOrPartyRole", |inner| {
        let read = (inner.text("id"), inner.text("name"));
        inner.finish(&REFERENCE);
        Some(read)
    });
    let (id, name) = inner.unwrap_or_default();
    let (id, name) = (party.text("id").or(id), party.text("name").or(name));
    let role = party.text("role").or_else(|| party.text("@referredType")).unwrap_or_else(|| "party".to_owned());
    party.finish(&REFERENCE);
    if id.is_none() && name.is_some() {
        party.note("id", OddityKind::Incomplete);
    }
    Some(Party { role, id: id?, name })
}

/// The order's other names: a text, or version 5's list of `{owner, externalIdentifierType, id}`.
fn external_ids(order: &Fields<'_, '_, '_>) -> Vec<String> {
    match order.get("externalId") {
        Some(Json::Object(_) | Json::List(_)) => order.each("externalId", |external| {
            let id = external.text("id");
            external.finish(&["owner", "externalIdentifierType"]);
            id
        }),
        _ => order.text("externalId").into_iter().collect(),
    }
}

fn reference(fields: &Fields<'_, '_, '_>) -> Option<String> {
    let id = fields.text("id");
    fields.finish(&REFERENCE);
    id
}

/// A time; an unreadable one keeps its text and is noted.
fn moment(fields: &Fields<'_, '_, '_>, name: &'static str) -> Option<Moment> {
    let text = fields.text(name)?;
    let read = read_time(&text);
    match &read {
        None => fields.note(name, OddityKind::UnreadableTime),
        Some(read) if read.offset == Offset::Assumed => fields.note(name, OddityKind::TimeWithoutOffset),
        Some(_) => {}
    }
    Some(Moment::new(text, read.map(|read| read.at)))
}

fn no_order(path: &str, detail: String) -> Unreadable {
    Unreadable::NoOrder { path: path.to_owned(), detail }
}
