//! The page where people sign in and out.

use maud::{Markup, html};

use super::frame::{Frame, page};
use super::viewer::Viewer;
use crate::http::link::with_query;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct SignInView<'v> {
    /// Who is signed in already.
    pub name: Option<&'v str>,
    /// Where to go afterwards.
    pub to: &'v str,
    /// The host of the issuer, where people can sign in there.
    pub issuer: Option<&'v str>,
    /// What went wrong.
    pub trouble: Option<&'v str>,
}

/// The page where people sign in and out. `data-forget` has the script forget what the one before looked at.
pub fn sign_in(view: &SignInView<'_>, viewer: &Viewer) -> Markup {
    let frame = Frame { is_bare: true, ..Frame::new("Sign in") };
    let content = html! {
        div.sign-in data-forget[view.name.is_none()] {
            h1 { "Sign in" }
            @if let Some(trouble) = view.trouble { p.trouble role="alert" { (trouble) } }
            @if let Some(name) = view.name {
                p { "You are signed in as " strong { (name) } "." }
                p { a href=(view.to) { "Go on" } }
                form action="/sign-out" method="post" { button type="submit" { "Sign out" } }
            } @else {
                p.note { "Orders and what happened to them are for those who work with them." }
            }
            @if let Some(issuer) = view.issuer {
                p { a.button href=(with_query("/sign-in/start", &[("to", Some(view.to))])) { "Sign in at " (issuer) } }
                p.or { "or with a key" }
            }
            form action="/sign-in" method="post" {
                input type="hidden" name="to" value=(view.to);
                label for="key" { "API key" }
                input #key type="password" name="key" autocomplete="off" required placeholder="otk_…";
                button type="submit" { "Sign in with a key" }
            }
            @if view.issuer.is_none() {
                p.by { "Whoever operates the service makes a key: " code { "order-timeline keys add NAME --scope read" } }
            }
        }
    };
    page(&frame, viewer, content)
}
