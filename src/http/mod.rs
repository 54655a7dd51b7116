//! The service's doors: the listener, the API, the pages. Only here are status codes known.

mod app;
mod body;
mod deliveries;
mod entrance;
mod error;
mod health;
mod hybris;
mod listener;
mod openapi;
mod orders;
pub mod pages;
mod peer;
mod refusals;
mod routes;
mod session;
mod sign_in;
mod site;
mod tls;
mod token;

pub use app::{App, serve};
pub use body::Limits;
pub use entrance::AccessSettings;
pub use peer::{ForwardedHeader, Proxies};
pub use routes::{Route, routes_of};
pub use tls::TlsSettings;
