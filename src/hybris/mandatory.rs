//! What a request must have (the document's headers and "Mandatory Fields for PR Market B2C request"). Each
//! fault carries the document's own name for what is missing or malformed. Nothing else is checked: business rules
//! are passed through.

use super::market::Market;
use crate::wire::{Json, OneOrMany, read_time};

/// The headers of a request that the document names, as they came.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub correlation_id: Option<String>,
    pub lob: Option<String>,
    pub channel_id: Option<String>,
    pub conversation_id: Option<String>,
}

/// The secret must not get into a log.
impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headers").field("correlation_id", &self.correlation_id).finish_non_exhaustive()
    }
}

impl Headers {
    /// By the document's names.
    pub fn named(&self) -> [(&'static str, Option<&String>); 6] {
        [
            ("client-id", self.client_id.as_ref()),
            ("client-secret", self.client_secret.as_ref()),
            ("correlationId", self.correlation_id.as_ref()),
            ("lob", self.lob.as_ref()),
            ("channelId", self.channel_id.as_ref()),
            ("X-Conversation-Id", self.conversation_id.as_ref()),
        ]
    }
}

/// Something that is missing or malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The document's name.
    pub name: &'static str,
    pub is_missing: bool,
    /// Where it should be.
    pub place: String,
    pub detail: &'static str,
}

/// Longer correlation ids could not be an event's.
const LONGEST_CORRELATION_ID: usize = 200;
/// What is asked for in Puerto Rico's notes.
const NOTES: [&str; 5] = ["OrderReasonCode", "CampaignCode", "JobType", "InstallationType", "TelephoneNumberId"];

/// All that is missing or malformed in a request.
pub fn faults(market: Market, headers: &Headers, order: &Json<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in headers.named() {
        if name == "X-Conversation-Id" && market != Market::Pr {
            continue;
        }
        let place = format!("header {name}");
        match value.map(|value| value.trim()).filter(|value| !value.is_empty()) {
            None => faults.push(Fault { name, is_missing: true, place, detail: "the header is mandatory" }),
            Some(lob) if name == "lob" && !lob.eq_ignore_ascii_case("FIXED") => {
                faults.push(Fault { name, is_missing: false, place, detail: "its value is FIXED" });
            }
            Some(id) if name == "correlationId" && id.len() > LONGEST_CORRELATION_ID => {
                faults.push(Fault { name, is_missing: false, place, detail: "it is longer than 200 bytes" });
            }
            Some(_) => {}
        }
    }
    if !matches!(order, Json::Object(_)) {
        let place = "body".to_owned();
        faults.push(Fault { name: "productOrder", is_missing: false, place, detail: "the body is no JSON object" });
    } else if market == Market::Pr {
        body_faults(order, &mut faults);
    }
    faults
}

fn body_faults(order: &Json<'_>, faults: &mut Vec<Fault>) {
    for name in NOTES {
        let place = format!("note[@type={name}].text");
        let of_name =
            |note: &&Json<'_>| text(member(note, "@type")).is_some_and(|key| key.trim().eq_ignore_ascii_case(name));
        let value = members(order, "note").iter().find(of_name).and_then(|note| member(note, "text"));
        let check = match name {
            "InstallationType" => is_installation_type,
            "TelephoneNumberId" => is_telephone_number,
            _ => |_: &str| Ok(()),
        };
        check_value(faults, name, place, value, check);
    }
    let customer = members(order, "relatedParty").iter().find(|party| {
        text(member(party, "@referredType")).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("Customer"))
    });
    let place = "relatedParty[@referredType=Customer].id".to_owned();
    check_value(faults, "customerId", place, customer.and_then(|party| member(party, "id")), |_| Ok(()));
    let date = member(order, "requestedCompletionDate");
    check_value(faults, "requestedCompletionDate", "requestedCompletionDate".to_owned(), date, |date| {
        read_time(date).map(|_| ()).ok_or("it is no time; the document writes 2023-01-11T12:45:12.028Z")
    });
    let account = member(order, "billingAccount").and_then(|account| member(account, "id"));
    check_value(faults, "billingAccount.id", "billingAccount.id".to_owned(), account, |id| {
        let is_named = !id.trim().trim_start_matches('#').is_empty();
        is_named.then_some(()).ok_or("there is nothing behind the #")
    });
}

fn check_value(
    faults: &mut Vec<Fault>,
    name: &'static str,
    place: String,
    value: Option<&Json<'_>>,
    check: impl Fn(&str) -> Result<(), &'static str>,
) {
    let fault = match value {
        None | Some(Json::Null) => Some((true, "the field is mandatory")),
        Some(Json::Text(text)) if text.trim().is_empty() => Some((true, "the field is mandatory and empty")),
        Some(Json::Text(text)) => check(text).err().map(|detail| (false, detail)),
        // Ids come as numbers too (domain §3).
        Some(Json::Number(number)) => check(number).err().map(|detail| (false, detail)),
        Some(_) => Some((false, "it is no text")),
    };
    if let Some((is_missing, detail)) = fault {
        faults.push(Fault { name, is_missing, place, detail });
    }
}

fn is_installation_type(text: &str) -> Result<(), &'static str> {
    let known = ["SelfInstall", "TechnicianVisit"].iter().any(|known| known.eq_ignore_ascii_case(text.trim()));
    known.then_some(()).ok_or("it is SelfInstall or TechnicianVisit")
}

fn is_telephone_number(text: &str) -> Result<(), &'static str> {
    let digits = text.trim();
    let is_number = (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    is_number.then_some(()).ok_or("it is a number of 7 to 15 digits, such as 9395455945")
}

/// Of twins the last, as the reader takes it.
fn member<'j, 'b>(json: &'j Json<'b>, name: &str) -> Option<&'j Json<'b>> {
    let Json::Object(members) = json else { return None };
    members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
}

fn members<'j, 'b>(json: &'j Json<'b>, name: &str) -> &'j [Json<'b>] {
    member(json, name).map_or(OneOrMany::None, OneOrMany::of).members()
}

fn text<'j>(json: Option<&'j Json<'_>>) -> Option<&'j str> {
    match json {
        Some(Json::Text(text)) => Some(text.as_ref()),
        _ => None,
    }
}
