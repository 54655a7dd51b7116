//! The sentence of each change.

use super::change::{Change, Facts, Kind, MessageDetail, Value};
use super::event::{Appointment, Event, ItemStatement, Message, MessagePart, MilestoneStatement, Placing};
use super::moment::Moment;
use super::spelling::same;
use super::vocabulary::{Subject, Vocabulary};
use super::words;

/// Collects changes and puts them into words.
pub struct Changes<'v> {
    pub list: Vec<Change>,
    /// Items whose date field says something newer than the text of an earlier message: what that named holds no longer.
    pub overtaken: Vec<String>,
    pub vocabulary: &'v Vocabulary,
}

impl Changes<'_> {
    pub fn order_created(&mut self, event: &Event) {
        let known_as = event.external_ids.first();
        let known_as = known_as.map_or_else(String::new, |external_id| format!(" (external id {external_id})"));
        let text = match event.placing {
            Some(Placing::Asked) => format!("Order placed{known_as}"),
            Some(Placing::Tried) => format!("Attempt to place an order{known_as}"),
            _ => format!("Order {} created{known_as}", event.order_id),
        };
        self.order_change(Kind::OrderCreated, None, None, Some(event.order_id.clone()), text);
    }

    pub fn order_change(
        &mut self,
        kind: Kind,
        name: Option<&str>,
        from: Option<String>,
        to: Option<String>,
        text: String,
    ) {
        self.list.push(Change {
            kind,
            item_ids: Vec::new(),
            name: name.map(str::to_owned),
            from: from.map(Value::Text),
            to: to.map(Value::Text),
            message: None,
            facts: None,
            missed: Vec::new(),
            text,
        });
    }

    pub fn item_change(&mut self, kind: Kind, ids: &[String], from: Option<String>, to: String, text: String) {
        self.list.push(Change {
            kind,
            item_ids: ids.to_vec(),
            name: None,
            from: from.map(Value::Text),
            to: Some(Value::Text(to)),
            message: None,
            facts: None,
            missed: Vec::new(),
            text,
        });
    }

    pub fn item_added(&mut self, ids: &[String], label: &str, now: &ItemStatement) {
        let action = now.action.as_deref().map_or_else(String::new, |action| format!(" (action {action})"));
        let to = now.action.clone().unwrap_or_else(|| "added".to_owned());
        self.item_change(Kind::ItemAdded, ids, None, to, format!("{label}: on the order{action}"));
    }

    pub fn characteristic(&mut self, ids: &[String], label: &str, name: &str, from: Option<String>, to: String) {
        let words = words::characteristic(name, self.vocabulary);
        let text = match &from {
            Some(from) => format!("{label}: {words} changed from {from} to {to}"),
            None => format!("{label}: {words} {to}"),
        };
        self.item_change(Kind::Characteristic, ids, from, to, text);
        self.name_last(name);
    }

    pub fn service_id(&mut self, ids: &[String], label: &str, from: Option<String>, to: String) {
        let text = match &from {
            Some(from) => format!("{label}: service id changed from {from} to {to}"),
            None => format!("{label}: service id {to}"),
        };
        self.item_change(Kind::ServiceId, ids, from, to, text);
    }

    /// Tells a date that is another one than before, and gives the one before; `None` where nothing is told.
    pub fn date(
        &mut self,
        ids: &[String],
        label: &str,
        kept: &mut Option<Moment>,
        stated: Option<&Moment>,
    ) -> Option<Option<Moment>> {
        let stated = stated?;
        let before = kept.replace(stated.clone());
        let day = words::day_or_time(stated);
        let text = match &before {
            // The same day, too, in whichever of the ways in which suppliers write its end.
            Some(before) if before.means_the_same_as(stated) || words::day_or_time(before) == day => return None,
            Some(before) => format!(
                "{label}: expected completion moved from {} to {day}{}",
                words::day_or_time(before),
                words::slip(before, stated)
            ),
            None => format!("{label}: expected completion {day}"),
        };
        self.list.push(Change {
            kind: Kind::ExpectedDate,
            item_ids: ids.to_vec(),
            name: None,
            from: before.clone().map(Value::Moment),
            to: Some(Value::Moment(stated.clone())),
            message: None,
            facts: None,
            missed: Vec::new(),
            text,
        });
        Some(before)
    }

    pub fn appointment(&mut self, ids: &[String], label: &str, before: Option<Appointment>, now: Appointment) {
        let mut told: Vec<String> = Vec::new();
        if let Some(status) = &now.status {
            let from = before.as_ref().and_then(|before| before.status.as_deref()).filter(|from| !same(from, status));
            let words = |status: &str| words::appointment_status(status, self.vocabulary);
            told.push(from.map_or_else(|| words(status), |from| format!("{} (was {})", words(status), words(from))));
        }
        let window_before = before.as_ref().and_then(words::window);
        match (words::window(&now), window_before) {
            (Some(window), Some(before)) if window != before => told.push(format!("{window} (was {before})")),
            (Some(window), _) => told.push(window),
            (None, _) => {}
        }
        let reference_before = before.as_ref().and_then(|before| before.reference.as_deref());
        match (now.reference.as_deref(), reference_before) {
            (Some(reference), Some(before)) if reference != before => {
                told.push(format!("reference {reference} (was {before})"));
            }
            (Some(reference), _) => told.push(format!("reference {reference}")),
            (None, _) => {}
        }
        let id_before = before.as_ref().and_then(|before| before.id.as_deref());
        match (now.id.as_deref(), id_before) {
            (Some(id), Some(before)) if id != before => {
                told.insert(0, format!("replaced by another, id {id} (was {before})"));
            }
            (Some(id), None) if before.is_some() || told.is_empty() => told.push(format!("id {id}")),
            _ => {}
        }
        let text = format!("{label}: appointment {}", told.join(", "));
        self.list.push(Change {
            kind: Kind::Appointment,
            item_ids: ids.to_vec(),
            name: None,
            from: before.map(Value::Appointment),
            to: Some(Value::Appointment(now)),
            message: None,
            facts: None,
            missed: Vec::new(),
            text,
        });
    }

    /// `lead` is what the message is. Of how an order's placing went the vocabulary knows more than the codes
    /// say; elsewhere the text does.
    pub fn message(&mut self, message: &Message, item_ids: Vec<String>, lead: &str) {
        let about = message_part_of(message);
        let severity = about.and_then(|part| part.severity.clone());
        let told: Vec<&str> = message.parts.iter().map(|part| part.text.as_str()).collect();
        let told = if told.is_empty() { "no text was sent".to_owned() } else { told.join(" · ") };
        let known = message.code.as_deref().filter(|_| lead != "Message");
        let told = match (known.and_then(|code| self.vocabulary.words(Subject::Message, code)), about) {
            (Some(words), Some(about)) => format!("{words} (“{}”)", about.text),
            _ => told,
        };
        let lead = if message.code.is_some() { lead } else { lead.trim_end_matches(',') };
        let code = message.code.as_deref().map_or_else(String::new, |code| format!(" {code}"));
        let items = match item_ids.as_slice() {
            [] => String::new(),
            [_] => format!(" for item {}", words::list(item_ids.iter())),
            _ => format!(" for items {}", words::list(item_ids.iter())),
        };
        self.list.push(Change {
            kind: Kind::Message,
            item_ids,
            name: None,
            from: None,
            to: None,
            message: Some(MessageDetail { code: message.code.clone(), severity, parts: message.parts.clone() }),
            facts: None,
            missed: Vec::new(),
            text: format!("{lead}{code}{items}: {told}"),
        });
    }

    pub fn milestone(&mut self, milestone: &MilestoneStatement) {
        let mut text = format!("Milestone {}", milestone.name);
        for (before, told) in [
            (": ", milestone.status.as_deref().map(words::state)),
            (", ", milestone.date.as_ref().map(words::day_or_time)),
            (". ", milestone.text.clone()),
        ] {
            if let Some(told) = told {
                text.push_str(before);
                text.push_str(&told);
            }
        }
        let to = milestone.status.clone().unwrap_or_else(|| "reached".to_owned());
        self.item_change(Kind::Milestone, &milestone.item_ids, None, to, text);
    }

    /// Adds what follows from the change told last.
    pub fn note(&mut self, facts: Facts) {
        if let Some(change) = self.list.last_mut() {
            change.facts = Some(facts);
        }
    }

    pub fn name_last(&mut self, name: &str) {
        if let Some(change) = self.list.last_mut() {
            change.name = Some(name.to_owned());
        }
    }
}

/// The part that the sub-code speaks of, else the first.
fn message_part_of(message: &Message) -> Option<&MessagePart> {
    let coded = message.parts.iter().find(|part| part.code.is_some() && part.code == message.code);
    coded.or_else(|| message.parts.first())
}
