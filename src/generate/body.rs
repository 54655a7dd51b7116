//! An order's snapshot as a body, in either of the two shapes that BT Wholesale sends (domain §1).

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Europe::London;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::order::{Appointment, Item, Order};

/// How a body writes its collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Always as lists.
    Lists,
    /// As XML-to-JSON serialisers do: one member as an object, none not at all.
    Lean,
}

/// What an event says of itself; a body may lack any of it.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    pub event_type: Option<&'static str>,
    pub at: Option<DateTime<Utc>>,
    pub id: Option<Uuid>,
}

/// The body of an event that shows the order as it is. One that creates it nests the items and tells nothing of
/// their progress.
pub fn body(order: &Order, envelope: Envelope, is_create: bool) -> Vec<u8> {
    let items = if is_create { nested(order) } else { flat(order) };
    let messages = order.messages.iter().map(|message| Message {
        sub_code: message.code,
        message: message.text.as_deref(),
        product_order_item: Collection { shape: order.shape, members: vec![ItemRef { item_id: &message.item }] },
    });
    let order_view = ProductOrder {
        external_id: &order.external_id,
        id: &order.id,
        error_message: Collection {
            shape: if is_create { Shape::Lean } else { order.shape },
            members: messages.collect(),
        },
        product_order_item: Collection { shape: order.shape, members: items },
        related_party: Collection {
            shape: order.shape,
            members: vec![Party {
                referred_type: "Customer",
                kind: "BTRelatedParty",
                role: "BtCug",
                id: &order.customer,
            }],
        },
        kind: "BTProductOrder",
    };
    let root = Root {
        event: Event { product_order: order_view },
        event_type: envelope.event_type,
        event_time: envelope.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        event_id: envelope.id,
    };
    // Only what is no text for a key, or a writer that fails, could be refused.
    serde_json::to_vec(&root).unwrap_or_default()
}

fn flat(order: &Order) -> Vec<ItemView<'_>> {
    order.items.iter().filter(|item| item.is_shown).map(|item| view(order, item, false)).collect()
}

fn nested(order: &Order) -> Vec<ItemView<'_>> {
    let mut items = order.items.iter().map(|item| view(order, item, true));
    let Some(mut root) = items.next() else { return Vec::new() };
    root.product_order_item.members = items.collect();
    vec![root]
}

fn view<'o>(order: &'o Order, item: &'o Item, is_create: bool) -> ItemView<'o> {
    let characteristics =
        item.characteristics.iter().map(|(name, value)| Characteristic { name, value, kind: "BTCharacteristic" });
    ItemView {
        id: &item.id,
        internal_id: &item.internal_id,
        action: item.action,
        state: Some(item.state).filter(|_| !is_create),
        sub_status: Some(item.sub_status).filter(|_| !is_create),
        product: Product {
            product_offering: Reference { id: item.offering },
            kind: "BTProductRefOrValue",
            customer_facing_service_id: (!is_create)
                .then_some(Service { value: &order.service_id, previous_value: "" }),
            id: item.product_id,
            product_characteristic: Collection {
                shape: if is_create { Shape::Lean } else { order.shape },
                members: characteristics.collect(),
            },
        },
        kind: "BTProductOrderItem",
        expected_completion_date: item.expected.map(local),
        appointment: item.appointment.as_ref().map(|appointment| appointment_view(order.shape, appointment)),
        product_order_item: Collection { shape: Shape::Lean, members: Vec::new() },
    }
}

fn appointment_view(shape: Shape, appointment: &Appointment) -> AppointmentView<'_> {
    AppointmentView {
        id: &appointment.id,
        bes_appointment_id: &appointment.reference,
        // A list may hold a null; what comes from XML says nothing instead.
        appointment_status: match (shape, appointment.status) {
            (Shape::Lists, status) => Some(status),
            (Shape::Lean, status) => status.map(Some),
        },
        appointment_start: local(appointment.start),
        appointment_finish: local(appointment.finish),
    }
}

/// London's time, as BT writes it: Z in winter.
fn local(at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&London);
    if local.naive_local() == at.naive_utc() {
        return at.to_rfc3339_opts(SecondsFormat::Millis, true);
    }
    local.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Root<'o> {
    event: Event<'o>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<Uuid>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'o> {
    product_order: ProductOrder<'o>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductOrder<'o> {
    external_id: &'o str,
    id: &'o str,
    #[serde(skip_serializing_if = "Collection::is_absent")]
    error_message: Collection<Message<'o>>,
    #[serde(skip_serializing_if = "Collection::is_absent")]
    product_order_item: Collection<ItemView<'o>>,
    related_party: Collection<Party<'o>>,
    #[serde(rename = "@type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'o> {
    sub_code: &'static str,
    message: Option<&'o str>,
    product_order_item: Collection<ItemRef<'o>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemRef<'o> {
    item_id: &'o str,
}

#[derive(Serialize)]
struct Party<'o> {
    #[serde(rename = "@referredType")]
    referred_type: &'static str,
    #[serde(rename = "@type")]
    kind: &'static str,
    role: &'static str,
    id: &'o str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemView<'o> {
    id: &'o str,
    internal_id: &'o str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_status: Option<&'static str>,
    product: Product<'o>,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_completion_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<AppointmentView<'o>>,
    #[serde(skip_serializing_if = "Collection::is_absent")]
    product_order_item: Collection<ItemView<'o>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'o> {
    product_offering: Reference,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_facing_service_id: Option<Service<'o>>,
    id: Uuid,
    #[serde(skip_serializing_if = "Collection::is_absent")]
    product_characteristic: Collection<Characteristic<'o>>,
}

#[derive(Serialize)]
struct Reference {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service<'o> {
    value: &'o str,
    previous_value: &'static str,
}

#[derive(Serialize)]
struct Characteristic<'o> {
    name: &'static str,
    value: &'o str,
    #[serde(rename = "@type")]
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AppointmentView<'o> {
    id: &'o str,
    #[serde(rename = "BESAppointmentId")]
    bes_appointment_id: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_status: Option<Option<&'static str>>,
    appointment_start: String,
    appointment_finish: String,
}

struct Collection<T> {
    shape: Shape,
    members: Vec<T>,
}

impl<T> Collection<T> {
    fn is_absent(&self) -> bool {
        self.shape == Shape::Lean && self.members.is_empty()
    }
}

impl<T: Serialize> Serialize for Collection<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.shape, self.members.as_slice()) {
            (Shape::Lean, [one]) => one.serialize(serializer),
            (_, members) => serializer.collect_seq(members),
        }
    }
}
