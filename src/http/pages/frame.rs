//! What every page has: head, search, navigation, footer, and the help on keys.

use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::viewer::{Viewer, Who, Zone};

/// What differs from page to page outside its content.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'p> {
    /// Names the page in the browser.
    pub title: &'p str,
    /// The path of the part of the site that it belongs to: see [`PARTS`].
    pub part: &'p str,
    /// What stands in the search box.
    pub search: &'p str,
    /// Without what only those can use who have been let in.
    pub is_bare: bool,
}

impl<'p> Frame<'p> {
    pub fn new(title: &'p str) -> Self {
        Self { title, part: "", search: "", is_bare: false }
    }

    pub fn of_part(title: &'p str, part: &'p str) -> Self {
        Self { title, part, ..Self::new(title) }
    }
}

const PARTS: [(&str, &str); 8] = [
    ("/", "Home"),
    ("/orders", "Orders"),
    ("/attention", "Attention"),
    ("/attention?reason=silent", "Silent"),
    ("/visits", "Visits"),
    ("/deliveries?outcome=quarantined", "Quarantine"),
    ("/unknown", "Unknown values"),
    ("/feed", "Feed health"),
];

const KEYS: [(&str, &str); 8] = [
    ("/", "search"),
    ("j", "next row or event"),
    ("k", "the one before"),
    ("Enter", "open it"),
    ("g h", "home"),
    ("g o", "orders"),
    ("g a", "attention"),
    ("?", "this help"),
];

/// A whole page. `content` is its own part and begins with its `h1`.
pub fn page(frame: &Frame<'_>, viewer: &Viewer, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="same-origin";
                title { (frame.title) " · Order timeline" }
                link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                link rel="stylesheet" href=(assets::path("desk.css"));
                script src=(assets::path("desk.js")) defer {}
            }
            body data-zone=(viewer.zone.name()) {
                a.skip href="#content" { "Skip to content" }
                header.top {
                    div.bar {
                        a.product href="/" { (mark()) "Order timeline" }
                        @if !frame.is_bare { (search(frame.search)) }
                        div.own {
                            button.keys #keys type="button" hidden aria-haspopup="dialog" { "Keys " kbd { "?" } }
                            @if let Some(who) = viewer.who.as_ref().filter(|_| !frame.is_bare) { (signed_in(who)) }
                        }
                    }
                    @if !frame.is_bare { (parts(frame.part)) }
                }
                main #content tabindex="-1" { (content) }
                (footer(viewer))
                (help())
            }
        }
    }
}

fn parts(here: &str) -> Markup {
    html! {
        nav.parts aria-label="Parts" {
            ul {
                @for (path, name) in PARTS {
                    li { a href=(path) aria-current=[(path == here).then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// While the service is open, nobody is signed in and there is nothing to sign out of; it says so.
fn signed_in(who: &Who) -> Markup {
    html! {
        @if let Some(name) = &who.name {
            form.who action="/sign-out" method="post" {
                span { span.hidden { "Signed in as " } bdi title=(name) { (name) } small { @if who.may_operate { "reads and operates" } @else { "reads" } } }
                button type="submit" { "Sign out" }
            }
        } @else {
            span.who title="Nobody is set up who could sign in: whoever reaches this service reads and operates." { "open to all" }
        }
    }
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 20 20" aria-hidden="true" focusable="false" {
            path d="M3 10h14" {}
            circle cx="5" cy="10" r="2.2" {}
            circle cx="11" cy="10" r="2.2" {}
            path d="M16 6.5v7" {}
        }
    }
}

fn search(text: &str) -> Markup {
    html! {
        form.search role="search" action="/orders" method="get" {
            label.hidden for="search" { "Find an order by any id" }
            input #search type="search" name="q" value=(text) autocomplete="off" autocapitalize="off" spellcheck="false"
                placeholder="Any id: order, service, appointment, customer, event …";
            button type="submit" { "Find" }
            div.suggestions #suggestions hidden {}
        }
    }
}

fn footer(viewer: &Viewer) -> Markup {
    html! {
        footer.bottom {
            form.zone action="/settings" method="post" {
                input type="hidden" name="back" value=(viewer.here);
                label for="zone" { "Times are shown in" }
                select #zone name="zone" {
                    @for zone in Zone::ALL {
                        option value=(zone.name()) selected[zone == viewer.zone] { (zone.name()) }
                    }
                }
                button type="submit" { "Change" }
            }
            p { "Sentences and day-only dates are London’s. The exact time is in each time’s title." }
            p { @if viewer.who.is_some() { a href="/docs" { "API" } " · " } "page made " (viewer.second(viewer.now)) " " (viewer.local(viewer.now).format("%Z")) }
        }
    }
}

/// Opened by a script; without one there are no such keys.
fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl.keys {
                @for (key, does) in KEYS { div { dt { kbd { (key) } } dd { (does) } } }
            }
            form method="dialog" { button type="submit" { "Close" } }
        }
    }
}
