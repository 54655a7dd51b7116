//! The pages for support staff: pure functions from records to HTML.
//!
//! No database, no clock, no scripts, nothing from third parties, and no style inside the HTML, so that
//! a strict Content-Security-Policy holds. Every value is hostile text: maud escapes it, and nothing here
//! ever marks data as already escaped; what goes into an address goes through `link`.

mod events;
mod items;
mod layout;
mod link;
mod message;
mod order;
mod orders;
mod sign_in;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod travel;

pub use layout::{STYLE, page};
pub use link::{encoded, order_path};
pub use message::{choose_sender, message};
pub use order::{OrderView, order};
pub use orders::{OrdersQuery, orders};
pub use sign_in::{SignInView, sign_in};
