//! Dates and visits: what follows from a version of an expected date or of an appointment.

use chrono::{DateTime, NaiveDate, Timelike};
use chrono_tz::Europe::London;
use chrono_tz::Tz;

use super::change::{AppointmentFacts, DateFacts, Facts};
use super::event::{Appointment, Event, Message};
use super::family::Addressed;
use super::moment::Moment;
use super::spelling::same;
use super::telling::Changes;
use super::timeline::{Item, Order};
use super::vocabulary::{Class, Fault, Meaning, Subject, Vocabulary};
use super::words;

/// Takes an item's stated expected completion over, and counts how far it moved.
pub fn expected_date(
    id: &str,
    item: &mut Item,
    stated: Option<&Moment>,
    label: &str,
    event: &Event,
    announced: &Announced,
    changes: &mut Changes<'_>,
) {
    let ids = [id.to_owned()];
    let Some(before) = changes.date(&ids, label, &mut item.expected_completion, stated) else {
        return;
    };
    let Some(now) = item.expected_completion.clone() else { return };
    let days_from_first = words::days_between(item.first_expected.get_or_insert_with(|| now.clone()), &now);
    let days_from_previous = before.as_ref().and_then(|before| words::days_between(before, &now));
    // A first date has not moved, so that nothing explains a move of it.
    let reason_code =
        before.as_ref().and_then(|_| reason(id, event, changes.vocabulary).or_else(|| announced.code(id, &now)));
    match days_from_previous {
        Some(1..) if reason_code.is_none() => {
            let from = before.as_ref().map(words::day_or_time).unwrap_or_default();
            item.unexplained_move = Some((from, words::day_or_time(&now)));
        }
        // Another hour of the same day explains nothing.
        None | Some(0) => {}
        Some(_) => item.unexplained_move = None,
    }
    // What the field says now is newer than the text of an earlier message.
    let names_date = |message: &Message| is_named_or_all(message, id) && date_of(message, changes.vocabulary).is_some();
    if item.date_in_text.is_some() && !event.messages.iter().any(names_date) {
        item.date_in_text = None;
        changes.overtaken.push(id.to_owned());
    }
    changes.note(Facts::ExpectedDate(DateFacts {
        is_first: before.is_none(),
        days_from_first,
        days_from_previous,
        reason_code,
        in_text_of: None,
    }));
}

/// The dates that texts of earlier messages named, before an event's items are taken in: by item, with the code.
pub struct Announced(Vec<(String, Moment, String)>);

impl Announced {
    pub fn of(order: &Order) -> Self {
        let of = |(id, item): (&String, &Item)| item.date_in_text.clone().map(|(date, code)| (id.clone(), date, code));
        Self(order.items.iter().filter_map(of).collect())
    }

    /// The code of the message whose text announced this date, for the item or one above it.
    fn code(&self, id: &str, now: &Moment) -> Option<String> {
        let day = words::day_of(now)?;
        let said = self.0.iter().find(|(named, date, _)| covers(named, id) && words::day_of(date) == Some(day));
        said.map(|(_, _, code)| code.clone())
    }
}

/// Takes over what messages say of items: ends, cancellations, reasons, and dates that only a text names
/// (domain §1, trap 7: such a date is a fact of its own and never takes the field's place).
pub fn messages_of_items(addressed: &Addressed<'_>, order: &mut Order, changes: &mut Changes<'_>) {
    for (message, about) in addressed.iter() {
        let date = date_of(message, changes.vocabulary);
        for id in about {
            let Some(item) = order.items.get_mut(id) else { continue };
            for code in message.codes() {
                let Some(meaning) = changes.vocabulary.meaning(Subject::Message, code) else { continue };
                if meaning.is(Class::Complete) {
                    item.said_complete = Some(code.to_owned());
                }
                if meaning.is(Class::Cancelled) {
                    item.said_cancelled = Some(code.to_owned());
                }
            }
            if let Some((date, code)) = &date {
                date_in_text(id, item, date, code, changes);
            }
        }
        if message.codes().any(|code| explains_a_move(code, changes.vocabulary)) {
            for (_, item) in order.items.iter_mut().filter(|(id, _)| is_about(message, id)) {
                item.unexplained_move = None;
            }
        }
    }
}

/// The name of expected dates that only a message's text names: a series of their own.
pub const IN_TEXT: &str = "in message text";

fn date_in_text(id: &str, item: &mut Item, date: &Moment, code: &str, changes: &mut Changes<'_>) {
    let label =
        format!("{} (by the text of message {code})", words::item(id, item.offering.as_deref(), changes.vocabulary));
    let mut kept = item.date_in_text.take().map(|(date, _)| date);
    let told = changes.date(&[id.to_owned()], &label, &mut kept, Some(date));
    item.date_in_text = Some((date.clone(), code.to_owned()));
    if let Some(before) = told {
        changes.name_last(IN_TEXT);
        changes.note(Facts::ExpectedDate(DateFacts {
            is_first: !std::mem::replace(&mut item.later.is_date_in_text_told, true),
            days_from_first: item.first_expected.as_ref().and_then(|first| words::days_between(first, date)),
            days_from_previous: before.as_ref().and_then(|before| words::days_between(before, date)),
            reason_code: Some(code.to_owned()),
            in_text_of: Some(code.to_owned()),
        }));
    }
}

/// The date that a message of delay names in its text.
fn date_of(message: &Message, vocabulary: &Vocabulary) -> Option<(Moment, String)> {
    let code = message
        .codes()
        .find(|code| vocabulary.meaning(Subject::Message, code).is_some_and(|meaning| meaning.is(Class::Delay)))?;
    let day = words::day_in(message.text.as_deref()?)?;
    let at = day.and_hms_opt(0, 0, 0)?.and_utc();
    Some((Moment::new(day.format("%Y-%m-%d").to_string(), Some(at)), code.to_owned()))
}

/// The code of the message that explains why a date of the item moved.
fn reason(id: &str, event: &Event, vocabulary: &Vocabulary) -> Option<String> {
    let code = |message: &Message| message.codes().find(|code| explains_a_move(code, vocabulary)).map(str::to_owned);
    event.messages.iter().filter(|message| is_about(message, id)).find_map(code)
}

/// Whether a message gives reasons for an item: one that names no item is about all of them, one that names an
/// item is about those below it, too.
fn is_about(message: &Message, id: &str) -> bool {
    message.item_ids.is_empty() || message.item_ids.iter().any(|named| covers(named, id))
}

/// Whether what is said of the item `named` is said of this item: it is the same, or stands below it by its id.
fn covers(named: &str, id: &str) -> bool {
    named == id || id.strip_prefix(named).is_some_and(|rest| rest.starts_with('.'))
}

fn is_named_or_all(message: &Message, id: &str) -> bool {
    message.item_ids.is_empty() || message.item_ids.iter().any(|named| named == id)
}

fn explains_a_move(code: &str, vocabulary: &Vocabulary) -> bool {
    const EXPLAINS: [Class; 5] = [Class::Delay, Class::Rescheduled, Class::Amend, Class::Missed, Class::AccessFailed];
    let meaning = vocabulary.meaning(Subject::Message, code);
    meaning.is_some_and(|meaning| EXPLAINS.into_iter().any(|class| meaning.is(class)))
}

/// Whether what is stated is a visit of another day than one that is over because it was missed or cancelled: what was
/// said of that one is not said of this.
pub fn is_another(before: &Appointment, stated: &Appointment, vocabulary: &Vocabulary) -> bool {
    let meaning = before.status.as_deref().and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
    let days = day_of_start(before).zip(day_of_start(stated));
    meaning.is_some_and(Meaning::is_of_visit_that_is_over) && days.is_some_and(|(before, now)| before != now)
}

/// What a version of an appointment changes, and whose fault it is. `is_status_stated` is false where the status
/// is that of an earlier event.
pub fn appointment_facts(
    id: &str,
    item: &mut Item,
    before: Option<&Appointment>,
    now: &Appointment,
    is_status_stated: bool,
    event: &Event,
    vocabulary: &Vocabulary,
) -> AppointmentFacts {
    let changed = before.map_or_else(Vec::new, |before| differences(before, now));
    let is_moved = changed.contains(&"window") && before.is_some_and(|before| before.start.is_some());
    let stated = now.status.as_deref().filter(|_| is_status_stated);
    let says_moved = stated.and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
    let says_moved = says_moved.is_some_and(|meaning| meaning.is(Class::Rescheduled));
    // Hours that become known or unknown on the same day have not moved, unless the sender says so.
    let moves = |before: &Appointment| {
        is_window_known(before) && is_window_known(now) || day_of_start(before) != day_of_start(now)
    };
    if is_moved && (says_moved || before.is_some_and(moves)) {
        item.reschedules += 1;
    }
    // The fault of a visit that was missed is not that of the next one.
    let at_fault = now.status.as_deref().filter(|_| is_status_stated || !changed.contains(&"window"));
    let (fault, fault_code) = fault(id, at_fault, event, vocabulary).unzip();
    AppointmentFacts {
        changed,
        fault,
        fault_code: fault_code.flatten(),
        reschedules: item.reschedules,
        slot: slot(now),
        is_window_known: is_window_known(now),
    }
}

fn differences(before: &Appointment, now: &Appointment) -> Vec<&'static str> {
    let moment = |a: &Option<Moment>, b: &Option<Moment>| match (a, b) {
        (Some(a), Some(b)) => !a.means_the_same_as(b),
        (a, b) => a.is_some() != b.is_some(),
    };
    let status = match (&before.status, &now.status) {
        (Some(a), Some(b)) => !same(a, b),
        (a, b) => a.is_some() != b.is_some(),
    };
    let all = [
        ("id", before.id != now.id),
        ("reference", before.reference != now.reference),
        ("status", status),
        ("window", moment(&before.start, &now.start) || moment(&before.finish, &now.finish)),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Whose fault a version is: the status says it, else a message of the same event, whose code is given with it.
fn fault(id: &str, status: Option<&str>, event: &Event, vocabulary: &Vocabulary) -> Option<(Fault, Option<String>)> {
    let status = status.and_then(|status| vocabulary.meaning(Subject::AppointmentStatus, status));
    if let Some(fault) = status.and_then(|meaning| meaning.fault) {
        return Some((fault, None));
    }
    const OF_VISITS: [Class; 3] = [Class::Rescheduled, Class::Missed, Class::AccessFailed];
    event.messages.iter().filter(|message| is_named_or_all(message, id)).find_map(|message| {
        let mut meanings = message.codes().filter_map(|code| Some((code, vocabulary.meaning(Subject::Message, code)?)));
        let (code, meaning) = meanings.find(|(_, meaning)| OF_VISITS.into_iter().any(|class| meaning.is(class)))?;
        Some((meaning.fault?, Some(code.to_owned())))
    })
}

fn day_of_start(appointment: &Appointment) -> Option<NaiveDate> {
    appointment.start.as_ref().and_then(words::day_of)
}

fn is_window_known(appointment: &Appointment) -> bool {
    let start = appointment.start.as_ref().and_then(Moment::at);
    let finish = appointment.finish.as_ref().and_then(Moment::at);
    start.zip(finish).is_some_and(|(start, finish)| start < finish)
}

/// What people call a known window of one day, in London; nothing where there is no word for its hours.
fn slot(appointment: &Appointment) -> Option<&'static str> {
    let local = |moment: &Option<Moment>| Some(moment.as_ref().and_then(Moment::at)?.with_timezone(&London));
    let (start, finish) = (local(&appointment.start)?, local(&appointment.finish)?);
    if !is_window_known(appointment) || start.date_naive() != finish.date_naive() {
        return None;
    }
    let minutes = |time: &DateTime<Tz>| time.hour() * 60 + time.minute();
    let (start, finish) = (minutes(&start), minutes(&finish));
    match () {
        // Engineers' mornings last until one o'clock.
        () if start < 12 * 60 && finish <= 13 * 60 => Some("morning"),
        () if start >= 17 * 60 => Some("evening"),
        () if start >= 12 * 60 => Some("afternoon"),
        () if start < 10 * 60 && finish >= 16 * 60 => Some("all-day"),
        () => None,
    }
}
