//! Items: states, product, appointment.

use crate::order::{Appointment, Characteristic, ItemStatement, ServiceId};
use crate::wire::fields::{Fields, Path};
use crate::wire::json::Json;
use crate::wire::oddity::OddityKind;
use crate::wire::{LONGEST_ID, Unreadable};

use super::known::{ITEM, PRODUCT, REFERENCE};
use super::{moment, reference};

/// The items as they are read, and the first of them whose id is too long for one.
#[derive(Default)]
pub struct Items {
    list: Vec<ItemStatement>,
    too_long: Option<Unreadable>,
}

impl Items {
    pub fn push(&mut self, item: ItemStatement, path: &Path<'_>, id_name: &str) {
        let length = item.id.len();
        if length > LONGEST_ID && self.too_long.is_none() {
            self.too_long = Some(Unreadable::IdTooLong { path: format!("{path}.{id_name}"), length });
        }
        self.list.push(item);
    }

    pub fn within_bounds(self) -> Result<Vec<ItemStatement>, Unreadable> {
        self.too_long.map_or(Ok(self.list), Err)
    }
}

/// The first of these members that holds a text, and the text.
pub fn named(fields: &Fields<'_, '_, '_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| fields.text(name).map(|text| (*name, text)))
}

/// The items of an order, and those inside them (domain §1: nested two deep at first, flat later).
pub fn read_items(fields: &Fields<'_, '_, '_>, container: Option<&str>, all: &mut Items) {
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
