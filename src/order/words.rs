//! The words of a sentence: items, dates, windows and lists as support staff say them.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use chrono_tz::Europe::London;

use super::event::Appointment;
use super::moment::Moment;
use super::spelling::{compared, same};
use super::vocabulary::{Subject, Vocabulary};

/// "Access item 100.1", or "Item 100.1" where the offering is unknown.
pub fn item(id: &str, offering: Option<&str>, vocabulary: &Vocabulary) -> String {
    match offering.and_then(|offering| vocabulary.offering(offering)) {
        Some(meaning) => format!("{} item {id}", capitalised(&meaning.words)),
        None => format!("Item {id}"),
    }
}

/// A sub-status in the vocabulary's words, else as received.
pub fn sub_status(value: &str, vocabulary: &Vocabulary) -> String {
    vocabulary.words(Subject::SubStatus, value).map_or_else(|| format!("sub-status {value}"), str::to_owned)
}

/// An appointment's status in the vocabulary's words, else as a state: "missed by the customer", "booked".
pub fn appointment_status(value: &str, vocabulary: &Vocabulary) -> String {
    vocabulary.words(Subject::AppointmentStatus, value).map_or_else(|| state(value), str::to_owned)
}

/// The states of the standard (TMF622; domain §2), which senders write in capitals, too.
const STATES: [&str; 12] = [
    "draft",
    "acknowledged",
    "rejected",
    "pending",
    "held",
    "inProgress",
    "cancelled",
    "completed",
    "failed",
    "partial",
    "assessingCancellation",
    "pendingCancellation",
];

/// "inProgress" and "IN_PROGRESS" as "in progress", "inProgress.accepted" as "in progress, accepted", "PONRReached" as
/// "PONR reached". Words of capitals that the standard does not know stay as received.
pub fn state(value: &str) -> String {
    let standard = || STATES.into_iter().find(|known| same(known, value));
    let letters: Vec<char> = match standard().filter(|_| !value.chars().any(char::is_lowercase)) {
        Some(standard) => standard.chars().collect(),
        None => value.replace('.', ", ").replace('_', " ").chars().collect(),
    };
    let mut words = String::with_capacity(value.len() + 2);
    let is = |at: Option<usize>, kind: fn(char) -> bool| at.and_then(|at| letters.get(at)).is_some_and(|c| kind(*c));
    for (at, letter) in letters.iter().enumerate() {
        let (before, after) = (at.checked_sub(1), Some(at + 1));
        let begins_a_word = letter.is_uppercase()
            && (is(before, char::is_lowercase)
                || is(before, char::is_alphanumeric)
                    && !is(before, char::is_lowercase)
                    && is(after, char::is_lowercase));
        if begins_a_word {
            words.push(' ');
        }
        let is_in_capitals = is(after, char::is_uppercase) || is(before, char::is_uppercase) && !begins_a_word;
        if is_in_capitals {
            words.push(*letter);
        } else {
            words.extend(letter.to_lowercase());
        }
    }
    words
}

/// A characteristic's name in the vocabulary's words, else as received.
pub fn characteristic(name: &str, vocabulary: &Vocabulary) -> String {
    vocabulary.words(Subject::Characteristic, name).unwrap_or(name).to_owned()
}

/// A date where the sender means a date, else a time in London: "23 Feb 2023", "8 Mar 2024 13:00".
///
/// An end of day (23:59:59) or midnight is a date as written, in the sender's own offset: moving
/// it to another zone could make it another day (domain §1, shapes).
pub fn day_or_time(moment: &Moment) -> String {
    match (written_day(moment), moment.at()) {
        (Some(day), _) => day.format("%-d %b %Y").to_string(),
        (None, Some(at)) => at.with_timezone(&London).format("%-d %b %Y %H:%M").to_string(),
        (None, None) => moment.text().to_owned(),
    }
}

/// The day that a moment means where it means no time of day: as written, else in London.
pub fn written_day(moment: &Moment) -> Option<NaiveDate> {
    let local = moment.at()?.with_timezone(&London);
    let (day, rest) = moment.text().split_at_checked(10)?;
    let time = rest.get(1..9);
    let is_date = rest.is_empty() || matches!(time, Some("23:59:59" | "00:00:00"));
    let written = is_date.then(|| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()).flatten();
    let is_end_of_day = matches!((local.hour(), local.minute(), local.second()), (23, 59, 59) | (0, 0, 0));
    written.or_else(|| is_end_of_day.then(|| local.date_naive()))
}

/// The day of a moment, of whatever time: as written where it means a day, else in London.
pub fn day_of(moment: &Moment) -> Option<NaiveDate> {
    written_day(moment).or_else(|| moment.at().map(|at| at.with_timezone(&London).date_naive()))
}

/// Days from one moment's day to the other's; negative where the other is earlier.
pub fn days_between(from: &Moment, to: &Moment) -> Option<i64> {
    Some((day_of(to)? - day_of(from)?).num_days())
}

/// The first date that a text names, as suppliers write it: DD-MM-YYYY or DD/MM/YYYY.
pub fn day_in(text: &str) -> Option<NaiveDate> {
    let word = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        NaiveDate::parse_from_str(word, "%d-%m-%Y").or_else(|_| NaiveDate::parse_from_str(word, "%d/%m/%Y")).ok()
    };
    text.split_whitespace().filter(|word| word.len() >= 10).find_map(word)
}

/// How far a date moved, in days as written: " (6 days later)"; empty where that cannot be said.
pub fn slip(from: &Moment, to: &Moment) -> String {
    let Some(days) = days_between(from, to) else {
        return String::new();
    };
    let unit = if days.abs() == 1 { "day" } else { "days" };
    match days.cmp(&0) {
        Ordering::Greater => format!(" ({days} {unit} later)"),
        Ordering::Less => format!(" ({} {unit} earlier)", -days),
        Ordering::Equal => String::new(),
    }
}

/// "29 Apr 2024 08:00–13:00"; equal start and finish mean that the hours are not known yet (domain §1).
pub fn window(appointment: &Appointment) -> Option<String> {
    let start = appointment.start.as_ref()?;
    let Some(from) = start.at() else {
        return Some(start.text().to_owned());
    };
    let local = |at: DateTime<Utc>| at.with_timezone(&London);
    let day = local(from).format("%-d %b %Y");
    match appointment.finish.as_ref().and_then(Moment::at) {
        Some(until) if until == from => Some(format!("{day}, hours not known yet")),
        Some(until) if local(until).date_naive() == local(from).date_naive() => {
            Some(format!("{day} {}–{}", local(from).format("%H:%M"), local(until).format("%H:%M")))
        }
        Some(until) => {
            Some(format!("{day} {} to {}", local(from).format("%H:%M"), local(until).format("%-d %b %Y %H:%M")))
        }
        None => Some(format!("{day} {}", local(from).format("%H:%M"))),
    }
}

/// "a, b and 3 more": lists stay readable however long they are.
pub fn list<T: ToString>(members: impl Iterator<Item = T>) -> String {
    const SHOWN: usize = 5;
    let members: Vec<String> = members.map(|member| member.to_string()).collect();
    match members.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [start @ .., last] if members.len() <= SHOWN => format!("{} and {last}", start.join(", ")),
        shown => {
            let more = members.len() - SHOWN;
            format!("{} and {more} more", shown.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))
        }
    }
}

pub fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether a sub-status only says the state again ("In Progress" beside "inProgress").
pub fn repeats_state(state: &str, sub_status: &str) -> bool {
    same(state, sub_status) || compared(sub_status).is_empty()
}

/// Ids as people count: numbers by value, so that 100.2 stands before 100.10.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    fn parts(id: &str) -> impl Iterator<Item = (u64, &str)> {
        id.split('.').map(|part| (part.parse().unwrap_or(u64::MAX), part))
    }
    parts(a).cmp(parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::state;

    #[test]
    fn states_are_told_in_words() {
        for (value, words) in [
            ("inProgress", "in progress"),
            ("In Progress", "in progress"),
            ("IN_PROGRESS", "in progress"),
            ("INPROGRESS", "in progress"),
            ("inProgress.accepted", "in progress, accepted"),
            ("HELD", "held"),
            ("Completed", "completed"),
            ("SupplierChanged", "supplier changed"),
            ("KCI2Pending", "KCI2 pending"),
            ("PONRReached", "PONR reached"),
            ("waitingForLTR", "waiting for LTR"),
            ("ECC", "ECC"),
            ("ON_HOLD_BY_WEATHER", "ON HOLD BY WEATHER"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(state(value), words, "{value}");
        }
    }
}
