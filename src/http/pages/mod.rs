//! The pages for support staff: pure functions from records to HTML.
//!
//! No database, no clock, nothing from third parties, and no script or style inside the HTML, so that a strict
//! Content-Security-Policy holds; all of it works without scripts. Every value is hostile text: maud escapes
//! it, and nothing here ever marks data as already escaped; what goes into an address goes through `link`.

mod assets;
mod chart;
mod csv;
mod deliveries;
mod difference;
mod digest;
mod docs;
mod frame;
mod home;
mod json;
mod label;
mod message;
mod order;
mod orders;
mod queues;
mod sign_in;
mod tabs;
#[cfg(test)]
mod tests;
mod viewer;

pub use assets::{Asset, asset};
pub use csv::{ORDERS_HEAD, orders_line};
pub use deliveries::{DeliveriesQuery, deliveries, delivery};
pub use difference::{difference, page_of as difference_page};
pub use digest::Digest;
pub use docs::docs;
pub use home::home;
pub use message::{choose_sender, message, nothing_yet};
pub use order::{Moments, OrderView, order};
pub use orders::{OrdersQuery, REASONS, Row, orders, stands_apart};
pub use queues::{attention, feed, unknown, visits};
pub use sign_in::{SignInView, sign_in};
pub use viewer::{Viewer, Who, Zone};
