//! An order and its items now.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_with::skip_serializing_none;

use super::entry::{other_zone, utc};
use crate::order::{Appointment, Attention, Family, Item, Moment, Order, day_of};

/// The head of an order: what lists and timelines show of it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderHead {
    pub sender: String,
    pub order_id: String,
    pub external_id: Option<String>,
    pub state: String,
    pub state_reason: String,
    #[serde(serialize_with = "super::time")]
    pub first_event_at: DateTime<Utc>,
    #[serde(serialize_with = "super::time")]
    pub last_event_at: DateTime<Utc>,
    #[serde(serialize_with = "super::time")]
    pub last_received_at: DateTime<Utc>,
    pub events: i64,
}

impl OrderHead {
    /// When it moved last as far as anybody could know: an event that is dated ahead of its receipt counts from its
    /// receipt. One of the year 9999 would be the latest for ever.
    pub fn moved_at(&self) -> DateTime<Utc> {
        self.last_event_at.min(self.last_received_at)
    }
}

/// An order with all that is known of it now.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    #[serde(flatten)]
    pub head: OrderHead,
    pub expected_completion: Option<String>,
    /// Of the order itself; left out where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub characteristics: BTreeMap<String, String>,
    pub parties: Vec<PartyRecord>,
    /// Root items, with the items below them.
    pub items: Vec<ItemTree>,
    /// Why somebody should look at it, and since when.
    pub attention: Vec<AttentionRecord>,
    /// Statements of the feed that clash now.
    pub contradictions: Vec<ContradictionRecord>,
    pub identifiers: Vec<super::Identifier>,
}

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AttentionRecord {
    pub reason: String,
    #[serde(serialize_with = "super::time")]
    pub since: DateTime<Utc>,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContradictionRecord {
    pub kind: String,
    pub item_id: String,
    #[serde(serialize_with = "super::time")]
    pub since: DateTime<Utc>,
    pub statements: [String; 2],
}

/// The reasons to look at an order that its events give.
pub fn attention_of(order: &Order) -> Vec<AttentionRecord> {
    order.attention.iter().cloned().map(AttentionRecord::from).collect()
}

impl From<Attention> for AttentionRecord {
    fn from(Attention { reason, since, why }: Attention) -> Self {
        Self { reason, since, why }
    }
}

fn contradictions_of(order: &Order) -> Vec<ContradictionRecord> {
    let open = order.told_contradictions().into_iter();
    open.map(|((kind, item_id), open)| ContradictionRecord {
        kind: kind.clone(),
        item_id: item_id.clone(),
        since: open.since,
        statements: open.statements.clone(),
    })
    .collect()
}

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartyRecord {
    pub role: String,
    pub id: String,
    pub name: Option<String>,
}

/// An item with the items it contains.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ItemTree {
    #[serde(flatten)]
    pub item: ItemRecord,
    #[schema(no_recursion)]
    pub items: Vec<ItemTree>,
}

/// An item now. What is not known is left out.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemRecord {
    pub item_id: String,
    pub parent_item_id: Option<String>,
    pub internal_id: Option<String>,
    pub action: Option<String>,
    pub state: Option<String>,
    pub sub_status: Option<String>,
    pub product_id: Option<String>,
    pub offering_id: Option<String>,
    pub service_id: Option<String>,
    pub expected_completion: Option<String>,
    pub expected_completion_text: Option<String>,
    #[serde(skip)]
    pub expected_completion_moment: Option<Moment>,
    /// The first that was stated.
    #[serde(skip)]
    pub first_expected: Option<DateTime<Utc>>,
    /// The day that it means, as it was written.
    #[serde(skip)]
    pub first_expected_day: Option<NaiveDate>,
    #[serde(skip)]
    pub first_completed: Option<DateTime<Utc>>,
    pub appointment: Option<AppointmentRecord>,
    #[serde(skip)]
    pub appointment_stated: Option<Appointment>,
    pub characteristics: BTreeMap<String, String>,
}

/// An appointment; times in UTC, with their own text beside them where that is in another zone.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppointmentRecord {
    pub id: Option<String>,
    pub reference: Option<String>,
    pub status: Option<String>,
    pub start: Option<String>,
    pub start_text: Option<String>,
    pub finish: Option<String>,
    pub finish_text: Option<String>,
}

impl From<&Appointment> for AppointmentRecord {
    fn from(appointment: &Appointment) -> Self {
        let (start, finish) = (appointment.start.as_ref(), appointment.finish.as_ref());
        Self {
            id: appointment.id.clone(),
            reference: appointment.reference.clone(),
            status: appointment.status.clone(),
            start: start.map(utc),
            start_text: start.and_then(other_zone),
            finish: finish.map(utc),
            finish_text: finish.and_then(other_zone),
        }
    }
}

impl ItemRecord {
    fn of(family: &Family<'_>, id: &str, item: &Item) -> Self {
        let expected = item.expected_completion.as_ref();
        let named = item.characteristics.values();
        Self {
            item_id: id.to_owned(),
            parent_item_id: family.parent_of(id).map(str::to_owned),
            internal_id: item.internal_id.clone(),
            action: item.action.clone(),
            state: item.state.clone(),
            sub_status: item.sub_status.clone(),
            product_id: item.product_id.clone(),
            offering_id: item.offering.clone(),
            service_id: item.service_id.clone(),
            expected_completion: expected.map(utc),
            expected_completion_text: expected.and_then(other_zone),
            expected_completion_moment: item.expected_completion.clone(),
            first_expected: item.first_expected.as_ref().and_then(Moment::at),
            first_expected_day: item.first_expected.as_ref().and_then(day_of),
            first_completed: item.first_completed,
            appointment: item.appointment.as_ref().map(AppointmentRecord::from),
            appointment_stated: item.appointment.clone(),
            characteristics: named.map(|named| (named.name.clone(), named.value.clone())).collect(),
        }
    }
}

/// The items of an order, flat, in the order people count in.
pub fn items_of(order: &Order) -> Vec<ItemRecord> {
    let family = Family::of(order);
    order.items_in_order().map(|(id, item)| ItemRecord::of(&family, id, item)).collect()
}

/// The items of an order that are not as they were before, in the order people count in.
pub fn changed_items(before: &Order, now: &Order) -> Vec<ItemRecord> {
    let (family_before, family) = (Family::of(before), Family::of(now));
    let is_as_before = |id: &str, item: &Item| {
        before.items.get(id) == Some(item) && family_before.parent_of(id) == family.parent_of(id)
    };
    let changed = now.items_in_order().filter(|(id, item)| !is_as_before(id, item));
    changed.map(|(id, item)| ItemRecord::of(&family, id, item)).collect()
}

impl OrderRecord {
    pub fn new(head: OrderHead, order: &Order, identifiers: Vec<super::Identifier>) -> Self {
        let parties = order.parties.iter();
        let items = items_of(order);
        Self {
            head,
            expected_completion: order.expected_completion.as_ref().map(utc),
            characteristics: order
                .characteristics
                .values()
                .map(|named| (named.name.clone(), named.value.clone()))
                .collect(),
            parties: parties
                .map(|party| PartyRecord { role: party.role.clone(), id: party.id.clone(), name: party.name.clone() })
                .collect(),
            items: tree(&items),
            attention: attention_of(order),
            contradictions: contradictions_of(order),
            identifiers,
        }
    }
}

/// Root items with those below them; [`Family`] bounds how deep that goes.
fn tree(items: &[ItemRecord]) -> Vec<ItemTree> {
    let mut children: HashMap<Option<&str>, Vec<&ItemRecord>> = HashMap::new();
    for item in items {
        children.entry(item.parent_item_id.as_deref()).or_default().push(item);
    }
    below(None, &children)
}

fn below(parent: Option<&str>, children: &HashMap<Option<&str>, Vec<&ItemRecord>>) -> Vec<ItemTree> {
    let items = children.get(&parent).into_iter().flatten();
    items.map(|item| ItemTree { item: (*item).clone(), items: below(Some(&item.item_id), children) }).collect()
}
