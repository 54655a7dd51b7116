//! Keeps every order event that a supplier pushes, and makes each order's timeline of them.

pub mod order;
pub mod vocabulary;
pub mod wire;
