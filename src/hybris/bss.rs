//! What a billing system is to this program: one call.

use std::fmt;

use futures_util::future::BoxFuture;

use super::mandatory::Headers;
use super::market::{Market, System};

/// A billing system: the simulator, or a real one behind an address.
pub trait Bss: fmt::Debug + Send + Sync {
    /// Places an order. Takes the request as it came and gives the answer as it came, a refusal too.
    ///
    /// # Errors
    /// [`Failure`] where there was no answer, and whether the order can have been placed all the same.
    fn place<'c>(&'c self, order: &'c Order) -> BoxFuture<'c, Result<Answer, Failure>>;
}

/// A request on its way to a billing system.
#[derive(Clone, Debug)]
pub struct Order {
    pub market: Market,
    pub system: System,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// What a billing system answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent, so nothing can have been placed.
    #[error("the BSS could not be reached: {0}")]
    NotSent(String),
    /// The request was on its way: nobody knows.
    #[error("the BSS gave no answer: {0}")]
    NoAnswer(String),
}
