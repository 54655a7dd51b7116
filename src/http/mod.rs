//! The service's doors: the listener, the API, the pages. Only here are status codes known.

mod app;
mod deliveries;
mod desk;
mod error;
mod health;
mod hybris;
mod listener;
mod live;
mod openapi;
mod orders;
pub mod pages;
mod site;
mod stream;

pub use app::{App, Service, ServiceHandle, serve};
