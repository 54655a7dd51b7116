//! Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.

use super::orders::Row;
use crate::order::rfc3339;

/// The columns of the list as CSV, with a head.
pub const ORDERS_HEAD: [&str; 15] = [
    "orderId",
    "sender",
    "externalId",
    "state",
    "stateReason",
    "attention",
    "attentionSince",
    "product",
    "customers",
    "serviceIds",
    "appointment",
    "appointmentStatus",
    "expectedCompletion",
    "daysLater",
    "lastEventAt",
];

/// A line of the list as CSV.
pub fn orders_line((hit, digest): &Row) -> String {
    let order = &hit.head;
    let reasons: Vec<&str> = digest.attention.iter().map(|one| one.reason.as_str()).collect();
    let since = digest.attention.iter().map(|one| one.since).min();
    let visit = digest.appointment.as_ref();
    line(&[
        &order.order_id,
        &order.sender,
        order.external_id.as_deref().unwrap_or_default(),
        &order.state,
        &order.state_reason,
        &reasons.join(" "),
        &since.map(rfc3339).unwrap_or_default(),
        &digest.product,
        &digest.customers.join(" "),
        &digest.service_ids.join(" "),
        visit.map_or("", |visit| visit.window.as_str()),
        visit.and_then(|visit| visit.status.as_deref()).unwrap_or_default(),
        digest.expected.as_ref().map_or("", |expected| expected.day.as_str()),
        &digest.expected.as_ref().map_or_else(String::new, |expected| expected.slip.to_string()),
        &rfc3339(order.last_event_at),
    ])
}

/// A line with its end. A value that a spreadsheet would take for a formula gets an apostrophe before it:
/// values come from outside.
fn line(values: &[&str]) -> String {
    let mut line = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
        if is_formula || value.contains([',', '"', '\n', '\r']) {
            line.push('"');
            if is_formula {
                line.push('\'');
            }
            line.push_str(&value.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(value);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn values_stay_apart_and_run_nothing() {
        assert_eq!(line(&["00228874", "a,b", "say \"x\"", ""]), "00228874,\"a,b\",\"say \"\"x\"\"\",\r\n");
        assert_eq!(line(&["=HYPERLINK(\"x\")", "-5", "+cmd"]), "\"'=HYPERLINK(\"\"x\"\")\",-5,\"'+cmd\"\r\n");
    }
}
