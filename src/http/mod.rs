//! The service's doors: the listener, the API, the pages. Only here are status codes known.

mod app;
mod deliveries;
mod error;
mod health;
mod hybris;
mod listener;
mod openapi;
mod orders;
pub mod pages;
mod site;

pub use app::{App, serve};
