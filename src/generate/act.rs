//! What can happen to an order, and what its next snapshot then says. The texts are those of BT Wholesale's
//! document (domain §1).

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;

use super::dice::Dice;
use super::order::{Appointment, Item, Order, Role};

/// A step of an order's journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Create,
    Start,
    AllocateAddress,
    Pend,
    Acknowledge,
    OrderModem,
    ShipModem,
    Book,
    Commit,
    /// Nothing new: the same snapshot once more.
    Repeat,
    ContactDiffers,
    ContactAdded,
    ExternalVisit,
    RemoveCopper,
    ChangeOnt,
    ChangeCustomer,
    SupplierMoves,
    /// Told while the appointment still stands as confirmed.
    MissUnseen,
    Miss,
    NoAccess,
    Reappoint,
    Delay,
    MoreWork,
    /// The new date stands in the text only.
    Retarget,
    Resume,
    DelayCompletion,
    SupplierCompletes,
    Close,
    SupplierCancels,
    Cancel,
}

impl Act {
    /// How much of an order's life passes before it, compared with the other acts.
    pub fn patience(self) -> u64 {
        match self {
            Self::Create => 0,
            Self::Start | Self::AllocateAddress | Self::Cancel => 1,
            Self::Pend | Self::OrderModem | Self::Book => 5,
            Self::Acknowledge | Self::Close => 20,
            Self::Repeat | Self::ContactDiffers | Self::ContactAdded | Self::ChangeCustomer => 40,
            _ => 100,
        }
    }

    /// Makes the order what it is after the act, as of `at`.
    pub fn happen(self, order: &mut Order, at: DateTime<Utc>, dice: &mut Dice) {
        match self {
            Self::Create | Self::Repeat => {}
            Self::Start => each(order, Role::Leading, |item| item.sub_status = "In Progress"),
            Self::AllocateAddress => allocate_address(order, dice),
            Self::Pend => {
                show(order, Role::Leading);
                each(order, Role::Leading, |item| item.sub_status = "PendingWithBTWwBC");
            }
            Self::Acknowledge => {
                show(order, Role::Leading);
                each(order, Role::Leading, |item| item.sub_status = "AcceptedByBTWwBC");
                order.say("510", "Informational : 510 : Order Acknowledge");
            }
            Self::OrderModem => modem(order, "inProgress", "Acknowledged"),
            Self::ShipModem => modem(order, "completed", "Shipped"),
            Self::Book => book(order, at, dice),
            Self::Commit => commit(order, at, dice),
            Self::ContactDiffers => {
                order.say("2001", "Warning : 2001 : The contact details differ from those that the supplier holds");
            }
            Self::ContactAdded => order.say("2002", "Warning : 2002 : Contact details added"),
            Self::ExternalVisit => order.say(
                "9569",
                "Informational : 9569 : Notification only. External visit has been completed. The order is \
                 progressing as normal.",
            ),
            Self::RemoveCopper => {
                each(order, Role::Leading, |item| item.sub_status = "DisconnectEsideCopperByBTWwbc");
                order.say("101185", "Informational : 101185 : Provision complete. Losing copper line removed");
            }
            Self::ChangeOnt => {
                let reference = format!("ONT{:010}", dice.below(10_000_000_000));
                order.set("ATT_RT_ONTReferenceNumber", reference, Role::Leading);
            }
            Self::ChangeCustomer => order.customer = format!("CUG50{:08}", dice.below(500)),
            Self::SupplierMoves => {
                move_appointment(order, at, dice, "SupplierChanged");
                order.say(
                    "521",
                    "Informational : 520 : Your order will be delivered as soon as possible. .~ Warning : 521 : The \
                     appointment date has been changed by the supplier",
                );
            }
            Self::MissUnseen => {
                missed(order);
                // BT's parent message comes without its text (domain §1).
                if let Some(first) = order.messages.first_mut() {
                    first.text = None;
                }
            }
            Self::Miss => {
                missed(order);
                appointment(order, |appointment| appointment.status = Some("CustomerMissed"));
            }
            Self::NoAccess => {
                flag(order);
                order.say("101143", "Informational : 101143 : Engineer unable to access unoccupied site");
            }
            Self::Reappoint => {
                move_appointment(order, at, dice, "Booked");
                each(order, Role::Leading, |item| item.sub_status = "AmendedByBTWwBC");
                each(order, Role::Install, |item| item.sub_status = "Amend Request");
                order.say("540", "Informational : 540 : Amend request has been actioned");
            }
            Self::Delay => {
                delay(order, "101096", "Informational : 101096 : Further Openreach work required. Await info")
            }
            Self::MoreWork => delay(
                order,
                "200035",
                "Informational : 200035 : Delay. Further outdoor and indoor work is required. The end user has to be \
                 present",
            ),
            Self::Retarget => {
                let day = working_day(at, dice.between(3, 20));
                order.promised = Some(day);
                let text = format!(
                    "Informational : 101105 : The Order Target Date has been amended to {}. Subsequent messages will \
                     provide new appointment details or ask you to re-appoint the order. This is due to a delay, \
                     usually provision of ducts.",
                    day.format("%d-%m-%Y")
                );
                delay(order, "101105", text);
            }
            Self::Resume => {
                move_appointment(order, at, dice, "Confirmed");
                each(order, Role::Leading, |item| item.sub_status = "CommittedByBTWwBC");
                order.say("520", "Informational : 520 : Order Committed");
            }
            Self::DelayCompletion => {
                delay(order, "101019", "Informational : 101019 : KCI-3 (Order Completed) Delayed in Processing.");
            }
            Self::SupplierCompletes => {
                each(order, Role::Leading, |item| item.sub_status = "CompletedBTWwBCService");
                order.say("530", "Informational : 530 : Order Complete");
            }
            Self::Close => close(order, dice),
            Self::SupplierCancels => {
                order.say("100205", "Informational : 100205 : Cancelled by BT Wholesale");
                appointment(order, |appointment| appointment.status = Some("Cancelled"));
                for item in order.items.iter_mut().skip(1) {
                    (item.state, item.sub_status) = ("failed", "Failed");
                }
            }
            Self::Cancel => each_item(order, |item| (item.state, item.sub_status) = ("failed", "FailedBTWwBCService")),
        }
    }
}

fn each(order: &mut Order, role: Role, change: impl FnMut(&mut Item)) {
    order.of_role(role).for_each(change);
}

fn each_item(order: &mut Order, change: impl FnMut(&mut Item)) {
    order.items.iter_mut().for_each(change);
}

fn show(order: &mut Order, role: Role) {
    each(order, role, |item| item.is_shown = true);
}

fn appointment(order: &mut Order, change: impl FnMut(&mut Appointment)) {
    order.items.iter_mut().filter_map(|item| item.appointment.as_mut()).for_each(change);
}

fn allocate_address(order: &mut Order, dice: &mut Dice) {
    show(order, Role::Address);
    each(order, Role::Address, |item| (item.state, item.sub_status) = ("completed", "Closed"));
    let address = format!("81.{}.{}.{}", dice.below(256), dice.below(256), dice.below(256));
    order.set("ATT_RT_EndIPAddress", address.clone(), Role::Address);
    order.set("ATT_RT_StartIPAddress", address, Role::Address);
}

fn modem(order: &mut Order, state: &'static str, sub_status: &'static str) {
    show(order, Role::Modem);
    each(order, Role::Modem, |item| (item.state, item.sub_status) = (state, sub_status));
}

/// A visit on a day, its hours not known yet: the window ends as it begins.
fn book(order: &mut Order, at: DateTime<Utc>, dice: &mut Dice) {
    let day = working_day(at, dice.between(9, 30));
    let start = at_london(day, 8, 0, 0);
    let (id, reference) = (order.appointment_id(dice), order.next_reference());
    let status = dice.pick([Some("Booked"), None]);
    if let Some(root) = order.items.first_mut() {
        root.appointment = Some(Appointment { id, reference, status, start, finish: start });
    }
}

fn commit(order: &mut Order, at: DateTime<Utc>, dice: &mut Dice) {
    show(order, Role::Install);
    each(order, Role::Leading, |item| item.sub_status = "CommittedByBTWwBC");
    let mut day = working_day(at, dice.between(2, 8));
    let port = dice.between(1, 4).to_string();
    if order.of_role(Role::Install).next().is_some() {
        order.set("ATT_RT_ONTPortNumber", port, Role::Leading);
        order.set("ATT_RT_ONTReferenceNumber", format!("SFB{}-1", order.id), Role::Leading);
    }
    let hours = hours(dice);
    appointment(order, |appointment| {
        appointment.status = Some("Confirmed");
        day = appointment.start.with_timezone(&London).date_naive().max(day);
        (appointment.start, appointment.finish) = window(day, hours);
    });
    expect(order, day);
    order.say("520", "Informational : 520 : Order Committed");
}

/// The slot moves, with a reference of its own; the dates expected move with it.
fn move_appointment(order: &mut Order, at: DateTime<Utc>, dice: &mut Dice, status: &'static str) {
    let later = working_day(at, dice.between(3, 21));
    let day = order.promised.take().unwrap_or(later);
    let (reference, hours) = (order.next_reference(), hours(dice));
    appointment(order, |appointment| {
        appointment.status = Some(status);
        appointment.reference.clone_from(&reference);
        (appointment.start, appointment.finish) = window(day, hours);
    });
    expect(order, day);
}

fn missed(order: &mut Order) {
    flag(order);
    order.say(
        "101158",
        "Informational : 101158 : End Customer missed appointment. Please reappoint .~ Informational : 101147 : \
         Engineer unable to access. No response",
    );
    let visits = order.items.iter().flat_map(|item| &item.characteristics);
    let abortive =
        visits.filter(|(name, _)| *name == ABORTIVE).filter_map(|(_, count)| count.parse::<u32>().ok()).max();
    order.set(ABORTIVE, (abortive.unwrap_or(0) + 1).to_string(), Role::Leading);
}

const ABORTIVE: &str = "ATT_RT_numberOfAbortiveVisits";

fn flag(order: &mut Order) {
    each(order, Role::Leading, |item| item.sub_status = "FlaggedForAttention");
}

fn delay(order: &mut Order, code: &'static str, text: impl Into<std::borrow::Cow<'static, str>>) {
    each(order, Role::Leading, |item| item.sub_status = "DelayedBySupplier");
    order.say(code, text);
}

fn close(order: &mut Order, dice: &mut Dice) {
    let leaves_for_ever = dice.percent(50);
    each_item(order, |item| {
        let sub_status = match item.role {
            Role::Leading => "CompletedBTWwBCService",
            Role::Install => "NoFulfillment",
            // BT leaves some of them open for ever (domain §1, trap 5).
            Role::Leaving if leaves_for_ever => return,
            Role::Modem => "Shipped",
            Role::Address | Role::Leaving | Role::Staying => "Closed",
        };
        (item.state, item.sub_status, item.is_shown) = ("completed", sub_status, true);
    });
    order.say("530", "Informational : 530 : Your order is now completed successfully");
}

/// Every open item that shows a date is expected at the end of that day, as are the leading ones.
fn expect(order: &mut Order, day: chrono::NaiveDate) {
    let end = at_london(day, 23, 59, 59);
    for item in order.items.iter_mut().filter(|item| matches!(item.role, Role::Leading | Role::Install)) {
        item.expected = Some(end);
    }
}

fn hours(dice: &mut Dice) -> (u32, u32) {
    dice.pick([(8, 13), (13, 18), (8, 13), (8, 18)])
}

fn window(day: chrono::NaiveDate, (from, to): (u32, u32)) -> (DateTime<Utc>, DateTime<Utc>) {
    (at_london(day, from, 0, 0), at_london(day, to, 0, 0))
}

/// The working day that is so many days later, or the first after it.
fn working_day(at: DateTime<Utc>, days: i64) -> chrono::NaiveDate {
    let later = at.with_timezone(&London).date_naive().checked_add_days(Days::new(days.unsigned_abs()));
    let day = later.unwrap_or_default();
    let rest = match day.weekday() {
        Weekday::Sat => 2,
        Weekday::Sun => 1,
        _ => 0,
    };
    day.checked_add_days(Days::new(rest)).unwrap_or(day)
}

/// No clock changes at these hours.
fn at_london(day: chrono::NaiveDate, hour: u32, minute: u32, second: u32) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::from_hms_opt(hour, minute, second).unwrap_or_default());
    London.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}
