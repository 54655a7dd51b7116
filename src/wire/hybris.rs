//! The orders of the Hybris UX API and what its billing systems (BSS) answer (domain §3).
//!
//! A request states an order without an id, an answer repeats it with one, an error names no order at all:
//! see [`Beside`]. None of them states a time or an event id of its own.

use std::cell::RefCell;

use chrono::Datelike;

use super::fields::{Fields, Path};
use super::json::Json;
use super::oddity::{Oddities, Oddity, OddityKind};
use super::repeated::name_apart;
use super::time::read_time;
use super::{Beside, LONGEST_ID, Part, Reading, Unreadable};
use crate::order::{Characteristic, Event, ItemStatement, Message, MessagePart, Party, Placing};

/// Stands in the description of an error that this service itself made when nobody knew whether the BSS
/// had placed the order.
pub const OUTCOME_UNKNOWN: &str = "OUTCOME-UNKNOWN";

/// What else this service itself says there.
const OWN_CODES: [&str; 4] = ["NOT-VALID", "NOT-REACHED", "CORRELATION-ID-TAKEN", OUTCOME_UNKNOWN];

/// Whether the body is an order of the API by its shape: no envelope, an account and items at the top.
pub fn is_order(json: &Json<'_>) -> bool {
    let Json::Object(members) = json else { return false };
    let has = |name: &str| members.iter().any(|(member, _)| member == name);
    has("billingAccount") && has("productOrderItem") && !has("event") && !has("productOrder")
}

/// The id that a BSS gave an order; `None` where the body is no answer that takes one.
pub fn order_id_of(body: &[u8]) -> Option<String> {
    let json: Json<'_> = serde_json::from_slice(body).ok()?;
    let oddities = RefCell::default();
    let id = Fields::of(&json, Path::Root, &oddities)?.text("id")?;
    let id = id.trim();
    (id.len() <= LONGEST_ID).then(|| id.to_owned())
}

/// The id that an order's request has for it before the BSS gives it one.
pub fn external_id(body: &[u8]) -> Option<String> {
    let json: Json<'_> = serde_json::from_slice(body).ok()?;
    let oddities = RefCell::default();
    let id = Fields::of(&json, Path::Root, &oddities)?.text("externalId")?;
    Some(id.trim().to_owned())
}

/// Whether the body is an error in the document's shape: `{"errors": [{code, message, description}]}`.
pub fn is_error(body: &[u8]) -> bool {
    let Ok(json) = serde_json::from_slice::<Json<'_>>(body) else { return false };
    let oddities = RefCell::default();
    Fields::of(&json, Path::Root, &oddities).is_some_and(|root| root.text("id").is_none() && !errors(&root).is_empty())
}

/// Reads one half of an exchange.
pub fn read(json: &Json<'_>, mended: Vec<Oddity>, beside: Beside<'_>) -> Result<Reading, Unreadable> {
    let content_hash = json.content_hash();
    let oddities = RefCell::new(Oddities::default());
    let root = match json {
        Json::Object(_) => Fields::of(json, Path::Root, &oddities),
        _ => None,
    };
    let no_order = |path: &str, detail: String| Unreadable::NoOrder { path: path.to_owned(), detail };
    let root = root.ok_or_else(|| no_order("$", format!("is {}, not an order", json.kind())))?;
    let stated_id = root.text("id").map(|id| id.trim().to_owned());
    let part = beside.part.unwrap_or(if stated_id.is_some() { Part::Answer } else { Part::Request });
    let mut event = match part {
        Part::Unreadable => return Err(no_order("$", "is an answer that was not understood".to_owned())),
        Part::Answer if stated_id.is_none() && root.get("errors").is_some() => error(&root),
        Part::Answer if stated_id.is_none() => {
            return Err(no_order("id", "is missing, and so is errors".to_owned()));
        }
        Part::Answer => answer(&root),
        Part::Request => {
            Event { event_type: Some("productOrder request".to_owned()), placing: Some(Placing::Asked), ..order(&root) }
        }
    };
    root.finish(&["priority", "href", "errors"]);
    let attempt = || event.external_ids.first().map(|external_id| attempt_id(external_id));
    let order_id = beside.order_id.map(str::to_owned).or(stated_id.filter(|_| part == Part::Answer)).or_else(attempt);
    event.order_id = order_id.ok_or_else(|| no_order("id", "is missing, and so is externalId".to_owned()))?;
    if event.placing == Some(Placing::Asked) && event.order_id.starts_with(ATTEMPT) {
        event.placing = Some(Placing::Tried);
    }
    event.event_id = beside.event_id.map(str::to_owned);
    for (path, id) in [("id", &event.order_id)].into_iter().chain(event.items.iter().map(|item| ("item", &item.id))) {
        if id.len() > LONGEST_ID {
            let path = if path == "item" { "productOrderItem[].id" } else { path };
            return Err(Unreadable::IdTooLong { path: path.to_owned(), length: id.len() });
        }
    }
    let mut all = mended;
    all.extend(oddities.into_inner().into_list());
    Ok(Reading { event, oddities: all, content_hash })
}

/// The id under which attempts to place an order are kept as long as it has none: of what the attempts have
/// in common.
pub fn attempt_id(common: &str) -> String {
    format!("{ATTEMPT}{common}")
}

const ATTEMPT: &str = "attempt-";

fn answer(root: &Fields<'_, '_, '_>) -> Event {
    let state = root.text("state");
    let acknowledged = state.as_deref().is_none_or(|state| crate::order::same(state, "acknowledged"));
    let warnings = root.text("description").map(|description| warnings(&description)).unwrap_or_default();
    Event {
        event_type: Some("productOrder answer".to_owned()),
        placing: Some(Placing::Taken),
        // "Acknowledged", null and absent all say that the order was taken, and no more than that: what its
        // items say later is news. Any other state is the sender's own (contract, law 6).
        state: state.filter(|_| !acknowledged),
        messages: warnings,
        ..order(root)
    }
}

fn error(root: &Fields<'_, '_, '_>) -> Event {
    let messages = errors(root);
    let told = messages.iter().find_map(|message| message.parts.first()).map(|part| part.text.clone());
    let told = told.unwrap_or_else(|| "no reason was given".to_owned());
    let is_unknown = messages.iter().any(|message| message.code.as_deref() == Some(OUTCOME_UNKNOWN));
    let placing = if is_unknown {
        Placing::Unknown(format!("Nobody knows whether it was placed: {told}"))
    } else {
        Placing::Refused(format!("It was not placed: {told}"))
    };
    Event { event_type: Some("productOrder error".to_owned()), placing: Some(placing), messages, ..Event::default() }
}

fn order(root: &Fields<'_, '_, '_>) -> Event {
    let mut characteristics = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        characteristics.extend(value.map(|value| Characteristic { name: name.to_owned(), value }));
    };
    add("billingAccount", root.one("billingAccount", |account| account_id(&account)));
    add("category", root.text("category"));
    for name in ["requestedStartDate", "requestedCompletionDate"] {
        add(name, requested_date(root, name));
    }
    let address = root.named_texts("serviceAddress");
    let lines: Vec<String> =
        address.into_iter().filter(|(name, _)| name != "addrType").map(|(_, line)| line.trim().to_owned()).collect();
    add("serviceAddress", (!lines.is_empty()).then(|| lines.join(", ")));
    for (name, value) in root.named_texts("orderCharacteristics") {
        add(&name, Some(value));
    }
    // A key and value store whose keys come in any case; characteristics compare without it.
    for (name, value) in root.each("note", |note| {
        let read = (note.text("@type").unwrap_or_else(|| "note".to_owned()), note.text("text"));
        note.finish(&["id", "author", "date"]);
        Some(read)
    }) {
        add(&name, value);
    }
    let mut items = root.each("productOrderItem", |item| read_item(&item));
    name_apart(&mut items, root);
    Event {
        external_ids: root.text("externalId").into_iter().collect(),
        characteristics,
        parties: root.each("relatedParty", |party| read_party(&party)),
        items,
        ..Event::default()
    }
}

fn account_id(account: &Fields<'_, '_, '_>) -> Option<String> {
    let id = account.text("id")?;
    account.finish(&["name", "href"]);
    let stripped = id.trim().trim_start_matches('#');
    if stripped.len() != id.trim().len() {
        account.note("id", OddityKind::HashBeforeId);
    }
    (!stripped.is_empty()).then(|| stripped.to_owned())
}

/// A date that the customer asks for; the last day of the year 4444 means that there is none yet.
fn requested_date(root: &Fields<'_, '_, '_>, name: &'static str) -> Option<String> {
    let text = root.text(name)?;
    match read_time(&text) {
        Some(read) if read.at.year() == 4444 => Some("unscheduled".to_owned()),
        Some(_) => Some(text),
        None => {
            root.note(name, OddityKind::UnreadableTime);
            Some(text)
        }
    }
}

fn read_item(item: &Fields<'_, '_, '_>) -> Option<ItemStatement> {
    let mut statement =
        ItemStatement { action: item.text("action"), state: item.text("state"), ..ItemStatement::default() };
    item.one("product", |product| {
        statement.product_id = product.text("id");
        statement.characteristics = product.each("productCharacteristic", |characteristic| {
            let (name, value) = (characteristic.text("name"), characteristic.text("value"));
            characteristic.finish(&["valueType"]);
            Some(Characteristic { name: name?, value: value? })
        });
        product.finish(&["isBundle", "name"]);
        Some(())
    });
    let id = item.text("id").or_else(|| {
        item.note("id", OddityKind::ItemWithoutId);
        statement.product_id.clone()
    });
    item.finish(&["quantity"]);
    statement.id = id?;
    Some(statement)
}

fn read_party(party: &Fields<'_, '_, '_>) -> Option<Party> {
    let role = party.text("role").or_else(|| party.text("@referredType")).unwrap_or_else(|| "party".to_owned());
    let read = (party.text("id"), party.text("name"));
    party.finish(&["href"]);
    Some(Party { role, id: read.0?, name: read.1 })
}

fn errors(root: &Fields<'_, '_, '_>) -> Vec<Message> {
    root.each("errors", |error| {
        let (message, description) = (error.text("message"), error.text("description"));
        error.finish(&["code"]);
        let description = description.map(|text| text.trim_matches([' ', '|']).to_owned()).filter(|d| !d.is_empty());
        let code = description.as_deref().and_then(code_in);
        let coded = description.map(|text| part("error", code.clone(), text));
        let said = message.map(|text| part("error", None, text));
        let parts: Vec<MessagePart> = coded.into_iter().chain(said).collect();
        let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" · ");
        (!parts.is_empty()).then_some(Message { code, text: Some(text), parts, item_ids: Vec::new() })
    })
}

/// The warnings in the description of a success: one for each code. A comma parts them only where a new code
/// follows; a text without any code is one message.
fn warnings(description: &str) -> Vec<Message> {
    let mut segments: Vec<(Option<String>, String)> = Vec::new();
    for segment in description.split(',') {
        let code = code_in(segment);
        match segments.last_mut() {
            Some((_, text)) if code.is_none() => {
                text.push(',');
                text.push_str(segment);
            }
            _ => segments.push((code, segment.to_owned())),
        }
    }
    let told = segments.into_iter().map(|(code, text)| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let severity = if code.is_some() { "warning" } else { "information" };
        let parts = vec![part(severity, code.clone(), text.clone())];
        Message { code, text: Some(text), parts, item_ids: Vec::new() }
    });
    told.collect()
}

fn part(severity: &str, code: Option<String>, text: String) -> MessagePart {
    MessagePart { severity: Some(severity.to_owned()), code, text }
}

/// The first BSS code in a text. Codes are six characters such as `DRO30E` and `J4U22A`, alerts such as
/// `JOB_UNSCHED_ALRT`, `OTG` behind an account's digits; this service's own stand before a dash.
fn code_in(text: &str) -> Option<String> {
    let own = text.split(" - ").next().map(str::trim).filter(|own| OWN_CODES.contains(own));
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let coded = words().find(|word| is_code(word));
    let alert = || words().find(|word| word.ends_with("_ALRT"));
    let outage =
        || words().map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit())).find(|word| *word == "OTG");
    own.or(coded).or_else(alert).or_else(outage).map(str::to_owned)
}

fn is_code(word: &str) -> bool {
    let bytes = word.as_bytes();
    let [first, second, third, tens, ones, last] = bytes else { return false };
    let upper_or_digit = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    first.is_ascii_uppercase()
        && upper_or_digit(second)
        && third.is_ascii_uppercase()
        && tens.is_ascii_digit()
        && ones.is_ascii_digit()
        && last.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{code_in, warnings};

    #[test]
    fn the_codes_of_the_document_are_found_in_their_texts() {
        for (text, code) in [
            ("2099 | DRO30E - REF CDA NOT FOUND", Some("DRO30E")),
            ("2099 | SERV_CD-MAP15E - FIELD PROTECTED, CANNOT UPDATE", Some("MAP15E")),
            ("2099 | SCHED_TM-JBE10E-INVALID SCHEDULED TIME OF DAY", Some("JBE10E")),
            ("2099 | JOB_TYP_TIME_ALRT-J4U22A-ENTERED DT/TM UNAVAIL", Some("J4U22A")),
            ("ORV59I - EXISTING CUSTOMER AT LOCATION", Some("ORV59I")),
            ("8211990010051704OTG REASN  - AA      AUTO OUTAGE DECLARED 13:24 01/02/23", Some("OTG")),
            ("OUTCOME-UNKNOWN - no answer", Some("OUTCOME-UNKNOWN")),
            ("Product Order illustration sample", None),
            ("", None),
        ] {
            assert_eq!(code_in(text).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn a_description_with_several_codes_is_several_warnings() {
        let found = warnings("JOB_UNSCHED_ALRT,JBE74A-ENTER, OVERRIDE,ADP10E-NO DATES");
        let told: Vec<_> = found.iter().map(|m| (m.code.as_deref(), m.text.as_deref().unwrap_or(""))).collect();
        assert_eq!(
            told,
            [
                (Some("JOB_UNSCHED_ALRT"), "JOB_UNSCHED_ALRT"),
                (Some("JBE74A"), "JBE74A-ENTER, OVERRIDE"),
                (Some("ADP10E"), "ADP10E-NO DATES"),
            ]
        );
    }
}
