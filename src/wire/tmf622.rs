//! Events in the flavour of TMF622, versions 4 and 5, as BT Wholesale and its like send them (domain §1, §2).

use std::cell::RefCell;
use std::collections::HashSet;

use crate::order::{Appointment, Characteristic, Event, ItemStatement, MilestoneStatement, Moment, Party, ServiceId};

use super::fields::{Fields, Path};
use super::json::Json;
use super::message::{RawMessage, gather};
use super::oddity::{Oddities, Oddity, OddityKind};
use super::time::{Offset, read_time};
use super::{LONGEST_ID, Reading, Unreadable};

/// The event types of the standard (domain §2).
const EVENT_TYPES: [&str; 11] = [
    "ProductOrderCreateEvent",
    "ProductOrderAttributeValueChangeEvent",
    "ProductOrderStateChangeEvent",
    "ProductOrderDeleteEvent",
    "ProductOrderInformationRequiredEvent",
    "ProductOrderMilestoneEvent",
    "ProductOrderJeopardyAlertEvent",
    "ProductOrderErrorMessageEvent",
    "CancelProductOrderCreateEvent",
    "CancelProductOrderStateChangeEvent",
    "CancelProductOrderInformationRequiredEvent",
];

// Names of the standard that say nothing a timeline could show. The body keeps them.
const ENVELOPE: [&str; 10] = [
    "correlationId",
    "domain",
    "title",
    "description",
    "priority",
    "source",
    "reportingSystem",
    "relatedParty",
    "analyticCharacteristic",
    "fieldPath",
];
const ORDER: [&str; 26] = [
    "href",
    "agreement",
    "billingAccount",
    "cancellationDate",
    "cancellationReason",
    "category",
    "channel",
    "completionDate",
    "creationDate",
    "description",
    "note",
    "notificationContact",
    "orderDate",
    "orderTotalPrice",
    "payment",
    "priority",
    "productOfferingQualification",
    "quote",
    "requestedCompletionDate",
    "requestedStartDate",
    "requestedInitialState",
    "orderRelationship",
    "geographicAddress",
    "place",
    "externalReference",
    "productOrder",
];
const ITEM: [&str; 17] = [
    "href",
    "quantity",
    "agreement",
    "appointmentRequired",
    "billingAccount",
    "itemPrice",
    "itemTerm",
    "itemTotalPrice",
    "note",
    "payment",
    "place",
    "productOfferingQualificationItem",
    "productOrderItemRelationship",
    "qualification",
    "quoteItem",
    "relatedParty",
    "requestedCompletionDate",
];
const PRODUCT: [&str; 15] = [
    "href",
    "name",
    "description",
    "isBundle",
    "isCustomerVisible",
    "orderDate",
    "productSerialNumber",
    "startDate",
    "terminationDate",
    "status",
    "place",
    "productPrice",
    "productRelationship",
    "productSpecification",
    "relatedParty",
];
const REFERENCE: [&str; 6] = ["href", "name", "description", "version", "isBundle", "role"];

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

/// The items as they are read, and the first of them whose id is too long for one.
#[derive(Default)]
struct Items {
    list: Vec<ItemStatement>,
    too_long: Option<Unreadable>,
}

impl Items {
    fn push(&mut self, item: ItemStatement, path: &Path<'_>, id_name: &str) {
        let length = item.id.len();
        if length > LONGEST_ID && self.too_long.is_none() {
            self.too_long = Some(Unreadable::IdTooLong { path: format!("{path}.{id_name}"), length });
        }
        self.list.push(item);
    }

    fn within_bounds(self) -> Result<Vec<ItemStatement>, Unreadable> {
        self.too_long.map_or(Ok(self.list), Err)
    }
}

/// The first of these members that holds a text, and the text.
fn named(fields: &Fields<'_, '_, '_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| fields.text(name).map(|text| (*name, text)))
}

/// The items of an order, and those inside them (domain §1: nested two deep at first, flat later).
fn read_items(fields: &Fields<'_, '_, '_>, container: Option<&str>, all: &mut Items) {
    fields.each("productOrderItem", |item| {
        let internal_id = item.text("internalId");
        let mut statement = ItemStatement {
            container: container.map(str::to_owned),
            action: item.text("action"),
            state: item.text("state"),
            sub_status: item.text("subStatus"),
            offering: item.one("productOffering", |offering| reference(&offering)),
            expected_completion: moment(&item, "expectedCompletionDate"),
            appointment: item.one("appointment", |appointment| read_appointment(&appointment)),
            ..ItemStatement::default()
        };
        item.one("product", |product| {
            read_product(&product, &mut statement);
            product.finish(&PRODUCT);
            Some(())
        });
        let id = item.text("id").map(|id| ("id", id)).or_else(|| {
            item.note("id", OddityKind::ItemWithoutId);
            let internal = internal_id.clone().map(|id| ("internalId", id));
            internal.or_else(|| statement.product_id.clone().map(|id| ("product.id", id)))
        });
        statement.internal_id = internal_id;
        if let Some((name, id)) = id {
            statement.id.clone_from(&id);
            all.push(statement, item.path(), name);
            read_items(&item, Some(&id), all);
        }
        item.finish(&ITEM);
        Some(())
    });
}

fn read_product(product: &Fields<'_, '_, '_>, item: &mut ItemStatement) {
    item.product_id = product.text("id");
    item.offering = product.one("productOffering", |offering| reference(&offering)).or_else(|| item.offering.take());
    item.service_id = product.one("customerFacingServiceId", |service| {
        let (value, previous) = (service.text("value"), service.text("previousValue"));
        service.finish(&[]);
        // An empty value beside an empty previous one is how BT says that there is no service yet.
        if value.is_none() && previous.is_some() {
            service.note("value", OddityKind::Incomplete);
        }
        Some(ServiceId { value: value?, previous })
    });
    item.characteristics = product.each("productCharacteristic", |characteristic| {
        let (name, value) = (characteristic.text("name"), characteristic_value(&characteristic));
        characteristic.finish(&["valueType", "id", "characteristicRelationship"]);
        if name.is_none() && value.is_some() {
            characteristic.note("name", OddityKind::Incomplete);
        }
        Some(Characteristic { name: name?, value: value? })
    });
}

/// A characteristic's value; the standard allows any JSON, of which objects and lists are shown as such.
fn characteristic_value(characteristic: &Fields<'_, '_, '_>) -> Option<String> {
    match characteristic.get("value")? {
        json @ (Json::Object(_) | Json::List(_)) => Some(json.to_string()),
        _ => characteristic.text("value"),
    }
}

fn read_appointment(appointment: &Fields<'_, '_, '_>) -> Option<Appointment> {
    let read = Appointment {
        id: appointment.text("id"),
        reference: appointment.text("BESAppointmentId"),
        status: appointment.text("appointmentStatus"),
        start: moment(appointment, "appointmentStart"),
        finish: moment(appointment, "appointmentFinish"),
    };
    appointment.finish(&REFERENCE);
    (read != Appointment::default()).then_some(read)
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

/// BT's message: `{subCode, message, productOrderItem: {itemId}}`. Its items are references, not items.
fn error_message(message: &Fields<'_, '_, '_>) -> RawMessage {
    let code = message.text("subCode").or_else(|| message.text("code"));
    let text = message.text("message").or_else(|| message.text("reason"));
    let item_ids = item_references(message);
    message.finish(&["status", "referenceError", "timestamp"]);
    RawMessage { code, text, item_ids }
}

/// Version 5's error: `{code, reason, message, status, referenceError, timestamp}`.
fn standard_error(error: &Fields<'_, '_, '_>) -> RawMessage {
    let reason = error.text("reason");
    let text = match (reason, error.text("message")) {
        (Some(reason), Some(message)) if reason != message => Some(format!("{reason}: {message}")),
        (reason, message) => message.or(reason),
    };
    let code = error.text("code");
    let item_ids = item_references(error);
    error.finish(&["status", "referenceError", "timestamp"]);
    RawMessage { code, text, item_ids }
}

/// Version 5's jeopardy alert: `{id, name, alertDate, jeopardyType, exception, message}`.
fn jeopardy(alert: &Fields<'_, '_, '_>) -> Option<RawMessage> {
    let told = ["name", "jeopardyType", "exception", "message"].into_iter().filter_map(|name| alert.text(name));
    let told = told.collect::<Vec<_>>().join(", ");
    let item_ids = item_references(alert);
    alert.finish(&["id", "alertDate"]);
    (!told.is_empty()).then(|| RawMessage { code: Some("jeopardy".to_owned()), text: Some(told), item_ids })
}

fn read_milestone(milestone: &Fields<'_, '_, '_>) -> Option<MilestoneStatement> {
    let name = milestone.text("name").or_else(|| milestone.text("id"));
    let is_named = name.is_some();
    let read = MilestoneStatement {
        name: name.unwrap_or_else(|| "without a name".to_owned()),
        status: milestone.text("status"),
        date: moment(milestone, "milestoneDate"),
        text: milestone.text("message").or_else(|| milestone.text("description")),
        item_ids: item_references(milestone),
    };
    milestone.finish(&["id", "description"]);
    (is_named || read.status.is_some() || read.date.is_some() || read.text.is_some()).then_some(read)
}

fn item_references(fields: &Fields<'_, '_, '_>) -> Vec<String> {
    let mut known = HashSet::new();
    let mut ids = Vec::new();
    for name in ["productOrderItem", "orderItem"] {
        ids.extend(fields.each(name, |item| item.text("itemId").or_else(|| item.text("id"))));
    }
    ids.retain(|id| known.insert(id.clone()));
    ids
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
