//! The page where people sign in and out.

use maud::{Markup, html};

use super::frame::{Frame, page};
use super::link::with_query;
use super::viewer::Viewer;

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

/// The page where people sign in and out.
pub fn sign_in(view: &SignInView<'_>, viewer: &Viewer) -> Markup {
    page(
        &Frame::new("Sign in"),
        viewer,
        html! {
            h1 { "Sign in" }
            @if let Some(trouble) = view.trouble { p role="alert" { (trouble) } }
            @if let Some(name) = view.name {
                p { "You are signed in as " strong { (name) } "." }
                form action="/sign-out" method="post" { button type="submit" { "Sign out" } }
            }
            @if let Some(issuer) = view.issuer {
                p { a href=(with_query("/sign-in/start", &[("to", Some(view.to))])) { "Sign in at " (issuer) } }
            }
            form action="/sign-in" method="post" {
                input type="hidden" name="to" value=(view.to);
                p {
                    label for="key" { "API key" } " "
                    input #key type="password" name="key" autocomplete="off" required;
                    " " button type="submit" { "Sign in with a key" }
                }
            }
            @if view.issuer.is_none() {
                p { "A key is made with " code { "order-timeline keys add NAME --scope read" } "." }
            }
        },
    )
}
