//! Pages that say one thing.

use maud::{Markup, html};

use super::frame::{Frame, page};
use super::viewer::Viewer;
use crate::http::link::order_path;

/// A page with a sentence or two: not found, not available, a time that cannot be read.
pub fn message(title: &str, detail: &str, viewer: &Viewer) -> Markup {
    let content = html! {
        h1 { (title) }
        p.lead { (detail) }
        p { a href="/" { "Home" } " · " a href="/orders" { "All orders" } }
    };
    page(&Frame::new(title), viewer, content)
}

/// The page for an order id that several senders use: each has an order of its own.
pub fn choose_sender(order_id: &str, senders: &[String], viewer: &Viewer) -> Markup {
    let title = format!("Order {order_id}");
    let content = html! {
        h1 { "Order " bdi { (order_id) } }
        p.lead { "Several senders have an order with this id. Which one is it?" }
        ul.plain {
            @for sender in senders {
                li { a href=(order_path(order_id, sender)) { "Order " bdi { (order_id) } " of " bdi { (sender) } } }
            }
        }
    };
    page(&Frame { search: order_id, ..Frame::new(&title) }, viewer, content)
}
