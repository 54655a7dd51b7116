//! The service's doors: the listener, the API, the pages. Only here are status codes known.

mod app;
mod background;
mod body;
mod deliveries;
mod desk;
mod entrance;
mod error;
mod health;
mod hybris;
mod idle;
mod judge;
mod link;
mod listener;
mod live;
mod openapi;
mod orders;
pub mod pages;
mod parameters;
mod peer;
mod plain_words;
mod refusals;
mod routes;
mod session;
mod sign_in;
mod site;
mod stream;
mod tls;
mod token;

pub use app::{App, Service, ServiceHandle, serve};
pub use body::Limits;
pub use entrance::AccessSettings;
pub use peer::{ForwardedHeader, Proxies};
pub use routes::{Route, routes_of};
pub use tls::TlsSettings;
