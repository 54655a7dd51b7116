//! What a body says in words: messages, errors, alerts, milestones. Its items there are references, not items.

use std::collections::HashSet;

use crate::order::MilestoneStatement;
use crate::wire::fields::Fields;
use crate::wire::message::RawMessage;

use super::moment;

/// BT's message: `{subCode, message, productOrderItem: {itemId}}`. Its items are references, not items.
pub fn error_message(message: &Fields<'_, '_, '_>) -> RawMessage {
    let code = message.text("subCode").or_else(|| message.text("code"));
    let text = message.text("message").or_else(|| message.text("reason"));
    let item_ids = item_references(message);
    message.finish(&["status", "referenceError", "timestamp"]);
    RawMessage { code, text, item_ids }
}

/// Version 5's error: `{code, reason, message, status, referenceError, timestamp}`.
pub fn standard_error(error: &Fields<'_, '_, '_>) -> RawMessage {
    let reason = error.text("reason");
    let text = match (reason, error.text("message")) {
        (Some(reason), Some(message)) if reason != message => Some(format!("{reason}: {message}")),
        (reason, message) => message.or(reason),
    };
    let code = error.text("code");
    let item_ids = item_references(error);
    error.finish(&["status", "referenceError", "timestamp"]);
    RawMessage { code, text, item_ids }
}

/// Version 5's jeopardy alert: `{id, name, alertDate, jeopardyType, exception, message}`.
pub fn jeopardy(alert: &Fields<'_, '_, '_>) -> Option<RawMessage> {
    let told = ["name", "jeopardyType", "exception", "message"].into_iter().filter_map(|name| alert.text(name));
    let told = told.collect::<Vec<_>>().join(", ");
    let item_ids = item_references(alert);
    alert.finish(&["id", "alertDate"]);
    (!told.is_empty()).then(|| RawMessage { code: Some("jeopardy".to_owned()), text: Some(told), item_ids })
}

/// What the sender itself says of a milestone.
pub fn read_milestone(milestone: &Fields<'_, '_, '_>) -> Option<MilestoneStatement> {
    let name = milestone.text("name").or_else(|| milestone.text("id"));
    let is_named = name.is_some();
    let read = MilestoneStatement {
        name: name.unwrap_or_else(|| "without a name".to_owned()),
        status: milestone.text("status"),
        date: moment(milestone, "milestoneDate"),
        text: milestone.text("message").or_else(|| milestone.text("description")),
        item_ids: item_references(milestone),
    };
    milestone.finish(&["id", "description"]);
    (is_named || read.status.is_some() || read.date.is_some() || read.text.is_some()).then_some(read)
}

fn item_references(fields: &Fields<'_, '_, '_>) -> Vec<String> {
    let mut known = HashSet::new();
    let mut ids = Vec::new();
    for name in ["productOrderItem", "orderItem"] {
        ids.extend(fields.each(name, |item| item.text("itemId").or_else(|| item.text("id"))));
    }
    ids.retain(|id| known.insert(id.clone()));
    ids
}
