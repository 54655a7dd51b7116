//! A list's views beside each other.

use maud::{Markup, html};

/// Links to the list of all, and of each value; `address` is where they lead.
pub fn tabs(
    name: &str,
    values: &[&str],
    chosen: Option<&str>,
    words: impl Fn(&str) -> String,
    address: impl Fn(Option<&str>) -> String,
) -> Markup {
    let tab = |value: Option<&str>, words: String| {
        html! { li { a href=(address(value)) aria-current=[(chosen == value).then_some("true")] { (words) } } }
    };
    html! {
        nav.tabs aria-label=(name) {
            ul {
                (tab(None, "all".to_owned()))
                @for value in values { (tab(Some(value), words(value))) }
            }
        }
    }
}
