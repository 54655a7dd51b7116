//! Keeps every order event that a supplier pushes, and makes each order's timeline of them.

pub mod http;
pub mod intake;
pub mod order;
pub mod record;
pub mod store;
pub mod vocabulary;
pub mod wire;
