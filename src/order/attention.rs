//! Why an order needs a person, and since when. The feed itself clears it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::London;
use serde::{Deserialize, Serialize};

use super::event::{Event, Placing};
use super::state::{has_ended, is_over};
use super::timeline::Order;
use super::vocabulary::{Class, Subject, Vocabulary};
use super::words;

/// A reason to look at an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// action-needed, access-failed, missed, flagged, delayed, supplier-cancelled, contradiction or silent; of an order
    /// that has ended [`ENDED_UNRESOLVED`] alone.
    pub reason: String,
    /// The event since which it holds without a break.
    pub since: DateTime<Utc>,
    /// A sentence for support staff.
    pub why: String,
}

/// The reason of orders that have ended and still contradict themselves. Nobody waits for them: among the others they
/// would be in the way, and they are not to be lost.
pub const ENDED_UNRESOLVED: &str = "ended-unresolved";

const CONTRADICTION: &str = "contradiction";
const CANCELLED: &str = "supplier-cancelled";
/// Those that are worked out of the contradictions that stand.
const OF_CONTRADICTIONS: [&str; 2] = [CONTRADICTION, ENDED_UNRESOLVED];

/// The reasons in the order of their weight.
const REASONS: [(Class, &str); 6] = [
    (Class::ActionNeeded, "action-needed"),
    (Class::AccessFailed, "access-failed"),
    (Class::Missed, "missed"),
    (Class::Flagged, "flagged"),
    (Class::Delay, "delayed"),
    (Class::Cancelled, CANCELLED),
];

/// Works the reasons out anew; one that held before keeps its beginning.
pub fn take_in(order: &mut Order, event: &Event, at: DateTime<Utc>, vocabulary: &Vocabulary) {
    let mut now: BTreeMap<&str, String> = BTreeMap::new();
    if !has_order_ended(order) {
        // What is no snapshot says nothing of messages and items: what they were reasons for stands. What the supplier
        // cancelled stays cancelled, also where it did so before the order had items.
        let stands = |one: &&Attention| {
            let reason = one.reason.as_str();
            reason == CANCELLED || (!event.is_snapshot() && !OF_CONTRADICTIONS.contains(&reason))
        };
        now.extend(order.attention.iter().filter(stands).map(|one| (one.reason.as_str(), one.why.clone())));
        for (class, reason) in REASONS {
            if let Some(why) = message_of(event, class, vocabulary).or_else(|| item_of(order, class, vocabulary)) {
                now.insert(reason, why);
            }
        }
        if let Some(Placing::Unknown(why)) = &order.placing {
            now.entry("action-needed").or_insert_with(|| why.clone());
        }
        let cancelled = order.items.iter().find_map(|(id, item)| Some((id, item.said_cancelled.as_ref()?)));
        if let Some((id, code)) = cancelled {
            now.entry(CANCELLED).or_insert_with(|| format!("Message {code} cancelled item {id}"));
        }
    }
    let since = |reason: &str| order.attention.iter().find(|before| before.reason == reason).map_or(at, |b| b.since);
    let told = now.into_iter().map(|(reason, why)| Attention { reason: reason.to_owned(), since: since(reason), why });
    let mut told: Vec<Attention> = told.collect();
    // Of several the one that has stood longest is named, with its own beginning.
    if let Some(open) = order.told_contradictions().into_iter().map(|(_, open)| open).min_by_key(|open| open.since) {
        let [one, other] = &open.statements;
        let why = words::capitalised(&format!("{one}, yet {other}"));
        let reason = if has_order_ended(order) { ENDED_UNRESOLVED } else { CONTRADICTION };
        told.push(Attention { reason: reason.to_owned(), since: open.since, why });
    }
    told.sort_by(|a, b| a.reason.cmp(&b.reason));
    order.attention = told;
}

/// An order that goes on and of which nothing was heard since it moved last (`moved_at`), for longer than is `allowed` to its like:
/// as seen at `at`. It is found when somebody looks, not folded: time itself brings it about.
pub fn silence(order: &Order, moved_at: DateTime<Utc>, allowed: TimeDelta, at: DateTime<Utc>) -> Option<Attention> {
    let since = moved_at.checked_add_signed(allowed)?;
    if has_order_ended(order) || since >= at {
        return None;
    }
    let heard = moved_at.with_timezone(&London).format("%-d %b %Y");
    let days = allowed.num_seconds().max(0).unsigned_abs().div_ceil(86_400);
    let why = format!("Nothing heard since {heard}; the usual is {days} days");
    Some(Attention { reason: "silent".to_owned(), since, why })
}

fn has_order_ended(order: &Order) -> bool {
    order.state.as_ref().is_some_and(|state| is_over(&state.state))
}

/// A message of the class that stands in the snapshot.
fn message_of(event: &Event, class: Class, vocabulary: &Vocabulary) -> Option<String> {
    event.messages.iter().find_map(|message| {
        let meaning = |code: &&str| vocabulary.meaning(Subject::Message, code).filter(|meaning| meaning.is(class));
        let code = message.codes().find(|code| meaning(code).is_some())?;
        let words = meaning(&code).map_or("", |meaning| meaning.words.as_str());
        Some(format!("Message {code}: {words}"))
    })
}

/// An item that has not ended and whose sub-status or appointment is of the class.
fn item_of(order: &Order, class: Class, vocabulary: &Vocabulary) -> Option<String> {
    // An appointment or item that ends well or ill for itself is no reason by itself.
    if class == Class::Cancelled {
        return None;
    }
    order.items_in_order().filter(|(_, item)| !item.state.as_deref().is_some_and(has_ended)).find_map(|(id, item)| {
        let of = |subject, value: Option<&String>| {
            vocabulary.meaning(subject, value?).filter(|meaning| meaning.is(class)).map(|meaning| meaning.words.clone())
        };
        let label = words::item(id, item.offering.as_deref(), vocabulary);
        let status = item.appointment.as_ref().and_then(|appointment| appointment.status.as_ref());
        of(Subject::SubStatus, item.sub_status.as_ref())
            .map(|words| format!("{label}: {words}"))
            .or_else(|| of(Subject::AppointmentStatus, status).map(|words| format!("{label}: appointment {words}")))
    })
}
