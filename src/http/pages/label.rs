//! States, outcomes and reasons as labels, and ids. Colour only repeats the words.

use maud::{Markup, html};

use crate::http::link;
use crate::order::{Class, ENDED_UNRESOLVED, Subject, Vocabulary, compared, has_ended, state_in_words};
use crate::record::OutcomeName;

/// The state in words, with the spelling received as its title.
pub fn state(state: &str) -> Markup {
    let tone = tone_of_end(state).unwrap_or_else(|| tone_of_state(state));
    html! { span class={ "label " (tone) } title=(state) { (state_in_words(state)) } }
}

/// The tone of a state in which something ends. What was called off has not failed, and has not been done either.
pub fn tone_of_end(state: &str) -> Option<&'static str> {
    match compared(state).as_str() {
        "cancelled" | "rejected" => Some("void"),
        _ if has_ended(state) => Some(tone_of_state(state)),
        _ => None,
    }
}

/// Unknown states are as good as others: they get the plain colour (contract, law 7).
pub fn tone_of_state(state: &str) -> &'static str {
    match compared(state).as_str() {
        "completed" => "good",
        "failed" | "rejected" => "bad",
        "inprogress" | "acknowledged" => "busy",
        "partial" | "pending" | "held" | "assessingcancellation" | "pendingcancellation" => "doubt",
        _ => "plain",
    }
}

/// The tone of a sub-status: what the vocabulary says of it, else that of the state of the same name.
pub fn tone_of_sub_status(sub_status: &str, vocabulary: &Vocabulary) -> &'static str {
    let Some(meaning) = vocabulary.meaning(Subject::SubStatus, sub_status) else { return tone_of_state(sub_status) };
    let is = |classes: &[Class]| classes.iter().any(|class| meaning.is(*class));
    match () {
        () if is(&[Class::Complete]) => "good",
        () if is(&[Class::Cancelled, Class::ActionNeeded, Class::AccessFailed, Class::Missed]) => "bad",
        () if is(&[Class::Delay, Class::Flagged, Class::Rescheduled]) => "doubt",
        () => match tone_of_state(sub_status) {
            "plain" => "busy",
            tone => tone,
        },
    }
}

pub fn outcome(outcome: OutcomeName) -> Markup {
    let tone = match outcome {
        OutcomeName::Applied => "good",
        OutcomeName::Duplicate | OutcomeName::Spooled => "plain",
        OutcomeName::Conflict => "doubt",
        OutcomeName::Quarantined => "bad",
    };
    html! { span class={ "label " (tone) } { (outcome.name()) } }
}

/// A reason for attention.
pub fn reason(reason: &str) -> Markup {
    let tone = match reason {
        "action-needed" | "missed" | "access-failed" | "supplier-cancelled" => "bad",
        "delayed" | "flagged" | "silent" | "contradiction" => "doubt",
        _ => "plain",
    };
    html! { span class={ "label " (tone) } { (reason_in_words(reason)) } }
}

/// "access failed", "ended, unresolved".
pub fn reason_in_words(reason: &str) -> String {
    if reason == ENDED_UNRESOLVED { "ended, unresolved".to_owned() } else { in_words(reason) }
}

/// "access-failed" as "access failed".
pub fn in_words(name: &str) -> String {
    name.replace('-', " ")
}

/// "17 orders that have ended with something unresolved".
pub fn ended_in_words(ended: i64) -> String {
    let orders = match ended {
        0 => "no orders that have".to_owned(),
        1 => "1 order that has".to_owned(),
        _ => format!("{ended} orders that have"),
    };
    format!("{orders} ended with something unresolved")
}

/// Whose fault a missed visit was.
pub fn fault_in_words(fault: &str) -> String {
    match fault {
        "customer" => "by the customer".to_owned(),
        "supplier" => "by the supplier".to_owned(),
        "unknown" => "nobody says by whom".to_owned(),
        other => other.to_owned(),
    }
}

/// The message that says whose fault it is, where an appointment's own status does not: "by message 101158: end customer
/// missed appointment".
pub fn said_by_message(code: &str, vocabulary: &Vocabulary) -> Markup {
    html! {
        "by message " bdi { (code) }
        @if let Some(words) = vocabulary.words(Subject::Message, code) { ": " (words) }
    }
}

/// An id that leads to all orders that have it.
pub fn id(id: &str) -> Markup {
    html! { a.id href=(link::search(id)) { bdi { (id) } } }
}

/// The same; a script puts a button beside it that copies it.
pub fn copied(value: &str) -> Markup {
    html! { span.copied { a href=(link::search(value)) { bdi { (value) } } } }
}

/// The first part of a long id; its title holds it whole.
pub fn shortened(id: &str) -> Markup {
    html! { span title=(id) { bdi { (beginning(id)) } } }
}

/// The first part of a long id, where there are too many of them for titles.
pub fn beginning(id: &str) -> String {
    const SHOWN: usize = 8;
    if id.chars().count() <= SHOWN + 4 { id.to_owned() } else { cut(id, SHOWN) }
}

/// A text of the sender's that stands where a few words are expected; one of hundreds of letters is cut, and its title
/// holds it whole.
pub fn brief(text: &str) -> Markup {
    match briefly(text) {
        Some(shown) => html! { span title=(text) { bdi { (shown) } } },
        None => html! { bdi { (text) } },
    }
}

/// The first part of a text that is too long to stand among few words; `None` where it is short enough.
pub fn briefly(text: &str) -> Option<String> {
    const SHOWN: usize = 60;
    (text.chars().count() > SHOWN).then(|| cut(text, SHOWN))
}

fn cut(text: &str, letters: usize) -> String {
    format!("{}…", text.chars().take(letters).collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::{beginning, brief, briefly};

    #[test]
    fn long_texts_are_cut_and_whole_in_their_titles() {
        let long = "é".repeat(61);
        assert_eq!(briefly(&long), Some(format!("{}…", "é".repeat(60))));
        assert_eq!(brief(&long).into_string(), format!("<span title=\"{long}\"><bdi>{}…</bdi></span>", "é".repeat(60)));
        assert_eq!(briefly(&"é".repeat(60)), None);
        assert_eq!(brief("FTTP 1000").into_string(), "<bdi>FTTP 1000</bdi>");
        assert_eq!(
            (beginning("123456789012").as_str(), beginning("1234567890123").as_str()),
            ("123456789012", "12345678…")
        );
    }
}
