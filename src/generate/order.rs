//! A made-up order as the supplier holds it.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::body::Shape;
use super::dice::Dice;

#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    pub external_id: String,
    pub service_id: String,
    pub customer: String,
    /// The root first.
    pub items: Vec<Item>,
    /// Of the snapshot; later snapshots repeat them until there are others.
    pub messages: Vec<Message>,
    pub shape: Shape,
    /// A day that was told in words only, until it comes true.
    pub promised: Option<NaiveDate>,
    /// A running number that unique values are made of.
    number: u64,
    references: u64,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    pub internal_id: String,
    pub product_id: Uuid,
    pub offering: &'static str,
    pub role: Role,
    pub action: &'static str,
    pub state: &'static str,
    pub sub_status: &'static str,
    pub characteristics: Vec<(&'static str, String)>,
    pub expected: Option<DateTime<Utc>>,
    pub appointment: Option<Appointment>,
    /// Items come into sight as the order goes on.
    pub is_shown: bool,
}

/// What an item is to the order's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its sub-status tells how far the order is.
    Leading,
    Address,
    Install,
    Modem,
    /// Goes, while another one comes.
    Leaving,
    /// Is there before and after.
    Staying,
}

#[derive(Clone, Debug)]
pub struct Appointment {
    pub id: String,
    pub reference: String,
    pub status: Option<&'static str>,
    pub start: DateTime<Utc>,
    pub finish: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub code: &'static str,
    pub text: Option<Cow<'static, str>>,
    pub item: String,
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    Install,
    CareChange,
    Cease,
}

impl Order {
    /// Order `number` of the feed with this seed.
    pub fn new(product: Product, seed: u64, number: u64, dice: &mut Dice) -> Self {
        let id = format!("{:03}{number:07}", seed % 1000);
        let base = 13_000_000 + number;
        // Some customers' systems number their orders, others their items only.
        let (external_id, root) =
            if dice.percent(70) { (base.to_string(), base.to_string()) } else { (format!("FEED{base}"), "100".into()) };
        let customer = format!("CUG50{:08}", dice.below(500));
        let shape = if dice.percent(60) { Shape::Lists } else { Shape::Lean };
        let service_id = format!("BBONE{:03}{number:07}", seed % 1000);
        let items = Vec::new();
        let (messages, promised) = (Vec::new(), None);
        let mut order =
            Self { id, external_id, service_id, customer, items, messages, shape, promised, number, references: 0 };
        match product {
            Product::Install => order.add_install(&root, dice),
            Product::CareChange => order.add_care_change(&root, dice),
            Product::Cease => order.add_cease(&root, dice),
        }
        order
    }

    fn add_install(&mut self, root: &str, dice: &mut Dice) {
        let access = dice.pick(["E0000021", "E0000189", "E0000430", "E0000432"]);
        let care = dice.pick(["E0000027", "E0000028", "E0000029", "E0000154"]);
        let (install, address) = (dice.pick(["E0000152", "E0000153"]), dice.pick(["E0000701", "E0000703"]));
        self.add(root, 0, access, Role::Leading, "add", dice);
        self.add(root, 3, install, Role::Install, "add", dice);
        self.add(root, 1, care, Role::Leading, "add", dice);
        self.add(root, 2, address, Role::Address, "add", dice);
        if dice.percent(60) {
            self.add(root, 4, "E0001139", Role::Modem, "add", dice);
        }
    }

    fn add_care_change(&mut self, root: &str, dice: &mut Dice) {
        let access = dice.pick(["E0000021", "E0000189", "E0000430", "E0000432"]);
        let (from, to) = dice.pick([("E0000029", "E0000028"), ("E0000028", "E0000154"), ("E0000027", "E0000029")]);
        self.add(root, 0, access, Role::Staying, "noChange", dice);
        self.add(root, 1, from, Role::Leaving, "delete", dice);
        self.add(root, 2, to, Role::Leading, "add", dice);
    }

    fn add_cease(&mut self, root: &str, dice: &mut Dice) {
        let access = dice.pick(["E0000021", "E0000189", "E0000430", "E0000432"]);
        self.add(root, 0, access, Role::Leading, "delete", dice);
        self.add(root, 1, "E0000028", Role::Leading, "delete", dice);
        self.add(root, 2, "E0000703", Role::Address, "delete", dice);
    }

    fn add(
        &mut self,
        root: &str,
        part: u64,
        offering: &'static str,
        role: Role,
        action: &'static str,
        dice: &mut Dice,
    ) {
        let id = if part == 0 { root.to_owned() } else { format!("{root}.{part}") };
        self.items.push(Item {
            id,
            internal_id: format!("{:010}", self.number * 10 + part),
            product_id: dice.uuid(),
            offering,
            role,
            action,
            state: "inProgress",
            sub_status: "inProgress",
            characteristics: Vec::new(),
            expected: None,
            appointment: None,
            is_shown: matches!(role, Role::Leaving | Role::Staying) || part == 0 || action == "delete",
        });
    }

    pub fn of_role(&mut self, role: Role) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut().filter(move |item| item.role == role)
    }

    /// Says the same of each leading item, as BT does; the text may be missing from the first.
    pub fn say(&mut self, code: &'static str, text: impl Into<Cow<'static, str>>) {
        let text = text.into();
        let leading = self.items.iter().filter(|item| item.role == Role::Leading);
        self.messages = leading.map(|item| Message { code, text: Some(text.clone()), item: item.id.clone() }).collect();
    }

    /// A reference of the kind that changes with each new slot.
    pub fn next_reference(&mut self) -> String {
        self.references += 1;
        format!("C{:07X}{}FR", self.number, self.references)
    }

    /// An id that stays with an appointment.
    pub fn appointment_id(&self, dice: &mut Dice) -> String {
        if dice.percent(80) { format!("13{:08}", self.number) } else { format!("0WO3z{:09}GAU", self.number) }
    }

    pub fn set(&mut self, name: &'static str, value: String, role: Role) {
        if let Some(item) = self.of_role(role).next() {
            item.characteristics.retain(|(known, _)| *known != name);
            item.characteristics.push((name, value));
        }
    }
}
