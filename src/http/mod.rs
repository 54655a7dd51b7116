//! The service's HTTP side.

pub mod pages;
