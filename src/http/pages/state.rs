//! A state as a label.

use maud::{Markup, html};

use crate::order::{compared, state_in_words};

/// The state in words, with the spelling received as its title. The colour only repeats the words.
pub fn label(state: &str) -> Markup {
    html! { span class={ "state " (tone(state)) } title=(state) { (state_in_words(state)) } }
}

/// Unknown states are as good as others: they get the plain colour (contract, law 7).
fn tone(state: &str) -> &'static str {
    match compared(state).as_str() {
        "completed" => "good",
        "failed" | "rejected" => "bad",
        "inprogress" | "acknowledged" => "busy",
        "partial" | "pending" | "held" | "assessingcancellation" | "pendingcancellation" => "doubt",
        _ => "plain",
    }
}
