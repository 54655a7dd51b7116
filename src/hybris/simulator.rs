//! A billing system that answers as the document's examples do. It keeps nothing.
//!
//! The document's own requests get the document's own answers, byte for byte. Any other order gets an answer
//! made of it in the same way, with an id of its own. An `X-Conversation-Id` that begins with `SIM-` asks for a
//! case: see [`CASES`].

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::bss::{Answer, Bss, Failure, Order};
use super::market::System;

/// The simulated BSS of all markets.
#[derive(Clone, Copy, Debug)]
pub struct Simulator;

macro_rules! printed {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/hybris/", $name))
    };
}

/// Request and answer, as the document prints them.
const EXAMPLES: [(System, &str, &str); 6] = [
    (System::Pr, printed!("pr-self-install.request.json"), printed!("pr-self-install.answer.json")),
    (System::Pr, printed!("pr-technician-visit.request.json"), printed!("pr-technician-visit.answer.json")),
    (System::Pr, printed!("pr-unscheduled.request.json"), printed!("pr-unscheduled.answer.json")),
    (System::JmLiberate, printed!("jm-liberate.request.json"), printed!("jm-liberate.answer.json")),
    (System::JmCerillion, printed!("jm-cerillion.request.json"), printed!("jm-cerillion.answer.json")),
    (System::Pa, printed!("pa.request.json"), printed!("pa.answer.json")),
];

/// What an `X-Conversation-Id` can ask for.
pub const CASES: [(&str, Case); 8] = [
    ("SIM-EXPIRED", Case::Refused(printed!("pr-conversation-expired.error.json"))),
    ("SIM-SIGNED-OFF", Case::Refused(printed!("pr-order-signed-off.error.json"))),
    ("SIM-NO-SLOT", Case::Refused(printed!("pr-no-slot.error.json"))),
    ("SIM-EXISTING-CUSTOMER", Case::Warned(printed!("pr-existing-customer.warning.txt"))),
    ("SIM-OUTAGE", Case::Warned(printed!("pr-outage.warning.txt"))),
    ("SIM-NO-DATES", Case::Warned(printed!("pr-no-dates.warning.txt"))),
    ("SIM-NO-ANSWER", Case::NoAnswer),
    ("SIM-NOT-REACHED", Case::NotReached),
];

/// A case to simulate.
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// With this body.
    Refused(&'static str),
    /// Taken, with this line as its description.
    Warned(&'static str),
    NoAnswer,
    NotReached,
}

impl Bss for Simulator {
    fn place<'c>(&'c self, order: &'c Order) -> BoxFuture<'c, Result<Answer, Failure>> {
        Box::pin(std::future::ready(answer(order)))
    }
}

fn answer(order: &Order) -> Result<Answer, Failure> {
    let asked = order.headers.conversation_id.as_deref().unwrap_or_default().trim();
    let case = CASES.iter().find(|(value, _)| value.eq_ignore_ascii_case(asked)).map(|(_, case)| *case);
    let line = match case {
        Some(Case::Refused(body)) => return Ok(Answer { status: 400, body: body.as_bytes().to_vec() }),
        Some(Case::NoAnswer) => return Err(Failure::NoAnswer("time-out (simulated)".to_owned())),
        Some(Case::NotReached) => return Err(Failure::NotSent("connection refused (simulated)".to_owned())),
        Some(Case::Warned(line)) => Some(line.trim_end().trim_end_matches(',')),
        None => None,
    };
    let request: Value = serde_json::from_slice(&order.body).unwrap_or_default();
    let same = |example: &&(System, &str, &str)| {
        example.0 == order.system && serde_json::from_str::<Value>(example.1).is_ok_and(|printed| printed == request)
    };
    let body = match EXAMPLES.iter().find(same) {
        Some((_, _, printed)) => with_description(printed, line),
        None => with_description(&made_up(order, request), line),
    };
    Ok(Answer { status: 201, body: body.into_bytes() })
}

/// Puts a printed line, `"description": "…"`, where the empty description is.
fn with_description(answer: &str, line: Option<&str>) -> String {
    let Some(line) = line else { return answer.to_owned() };
    let line = format!("{line},");
    for empty in ["\"description\": \"\",", "\"description\":\"\","] {
        if answer.contains(empty) {
            return answer.replacen(empty, &line, 1);
        }
    }
    answer.replacen('{', &format!("{{{line}"), 1)
}

/// The request again, with what the document's answers add.
fn made_up(order: &Order, request: Value) -> String {
    let Value::Object(mut answer) = request else { return "{}".to_owned() };
    let number = number_of(order);
    answer.remove("description");
    let (id, state) = match order.system {
        System::Pr => (json!(format!("12{:014}", number % 100_000_000_000_000)), Some(json!("Acknowledged"))),
        System::JmLiberate => (json!(format!("DJ{:08}H", number % 100_000_000)), None),
        System::JmCerillion => (json!(number % 9_000_000_000 + 1_000_000_000), Some(json!("Acknowledged"))),
        System::Pa => (json!(format!("FL{:08}H", number % 100_000_000)), Some(Value::Null)),
    };
    answer.insert("id".to_owned(), id);
    answer.extend(state.map(|state| ("state".to_owned(), state)));
    if let Some(account) = answer.get_mut("billingAccount").and_then(|account| account.get_mut("id")) {
        let stripped = account.as_str().map(|id| id.trim().trim_start_matches('#').to_owned());
        if let Some(stripped) = stripped {
            *account = stripped.into();
        }
    }
    if order.system == System::Pr {
        answer.insert("description".to_owned(), json!(""));
        add_notes(&mut answer);
    }
    serde_json::to_string_pretty(&Value::Object(answer)).unwrap_or_default()
}

fn add_notes(answer: &mut Map<String, Value>) {
    let external_id = answer.get("externalId").and_then(Value::as_str).unwrap_or("0").to_owned();
    let Some(notes) = answer.get_mut("note").and_then(Value::as_array_mut) else { return };
    let text_of = |notes: &[Value], key: &str| -> Option<String> {
        let of_key = |note: &&Value| {
            note.get("@type").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(key))
        };
        notes.iter().find(of_key)?.get("text")?.as_str().map(str::to_owned)
    };
    let is_self_install =
        text_of(notes, "InstallationType").is_some_and(|kind| kind.eq_ignore_ascii_case("SelfInstall"));
    // "For selfInstall, Technician id will be 3333".
    let technician = if is_self_install { "3333" } else { "0710" };
    let job_id = format!("{external_id}0001");
    for (key, text) in [
        ("RequestedFunction", "NEW"),
        ("CreditLimit", "100"),
        ("JobId", job_id.as_str()),
        ("Technician", technician),
        ("JobNumber", "00000"),
    ] {
        if text_of(notes, key).is_none() {
            notes.push(json!({ "text": text, "@type": key }));
        }
    }
}

/// A number of the request's own: the same for the same request, and nothing has to be remembered.
fn number_of(order: &Order) -> u64 {
    let mut hash = Sha256::new();
    hash.update(order.headers.correlation_id.as_deref().unwrap_or_default());
    hash.update([0]);
    hash.update(&order.body);
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
