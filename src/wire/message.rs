//! The sender's messages: chains into parts, copies for several items into one (domain §1, messages).

use std::collections::{HashMap, HashSet};

use crate::order::{Message, MessagePart};

/// A message as one member of `errorMessage` states it, before its twins are known.
pub struct RawMessage {
    pub code: Option<String>,
    pub text: Option<String>,
    pub item_ids: Vec<String>,
}

/// One message for each text and code, with all the items it was sent for. A message without a text
/// takes that of its twin: same sub-code, same event (contract, law 3). An empty one says nothing (law 2).
pub fn gather(raw: Vec<RawMessage>) -> Vec<Message> {
    let mut text_of_code: HashMap<String, String> = HashMap::new();
    for RawMessage { code, text, .. } in &raw {
        if let (Some(code), Some(text)) = (code, text) {
            text_of_code.entry(code.clone()).or_insert_with(|| text.clone());
        }
    }
    let mut messages: Vec<Message> = Vec::new();
    let mut known: HashMap<(Option<String>, Option<String>), usize> = HashMap::new();
    let mut known_items: HashSet<(usize, String)> = HashSet::new();
    for RawMessage { code, text, item_ids } in raw {
        if code.is_none() && text.is_none() && item_ids.is_empty() {
            continue;
        }
        let text = text.or_else(|| text_of_code.get(code.as_ref()?).cloned());
        let parts = text.as_deref().map(parts).unwrap_or_default();
        let code = code.or_else(|| parts.iter().find_map(|part| part.code.clone()));
        let at = *known.entry((code.clone(), text.clone())).or_insert(messages.len());
        if at == messages.len() {
            messages.push(Message { code, text, parts, item_ids: Vec::new() });
        }
        let new = item_ids.into_iter().filter(|id| known_items.insert((at, id.clone())));
        if let Some(message) = messages.get_mut(at) {
            message.item_ids.extend(new);
        }
    }
    messages
}

/// Splits ` .~ ` chains, and each link into severity, code and text.
fn parts(chain: &str) -> Vec<MessagePart> {
    chain.split(".~").map(str::trim).filter(|link| !link.is_empty()).map(part).collect()
}

fn part(link: &str) -> MessagePart {
    let mut fields = link.splitn(3, " : ").map(str::trim);
    match (fields.next(), fields.next(), fields.next()) {
        (Some(severity), Some(code), Some(text)) if is_code(code) => {
            MessagePart { severity: Some(severity.to_owned()), code: Some(code.to_owned()), text: text.to_owned() }
        }
        _ => MessagePart { severity: None, code: None, text: link.to_owned() },
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::{RawMessage, gather, parts};

    #[test]
    fn a_chain_becomes_parts() {
        let parts = parts("Informational : 520 : Soon. .~ Warning : 521 : Changed : by supplier .~ free text");
        let told: Vec<_> =
            parts.iter().map(|part| (part.severity.as_deref(), part.code.as_deref(), part.text.as_str())).collect();
        assert_eq!(
            told,
            [
                (Some("Informational"), Some("520"), "Soon."),
                (Some("Warning"), Some("521"), "Changed : by supplier"),
                (None, None, "free text"),
            ]
        );
    }

    #[test]
    fn a_message_without_text_takes_that_of_its_twin() {
        let raw = |text: Option<&str>, item: &str| RawMessage {
            code: Some("101158".to_owned()),
            text: text.map(str::to_owned),
            item_ids: vec![item.to_owned()],
        };
        let messages = gather(vec![raw(None, "1"), raw(Some("Informational : 101158 : Missed"), "1.1")]);
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].item_ids, ["1", "1.1"]);
        assert_eq!(messages[0].parts[0].text, "Missed");
    }
}
