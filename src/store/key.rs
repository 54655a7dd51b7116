//! The key that all rows of an order share.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// An order's key: what its rows are found, locked and distributed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(pub Uuid);

impl OrderKey {
    /// The key of a sender's order.
    pub fn of_order(sender: &str, order_id: &str) -> Self {
        Self::hashed("order", sender, order_id.as_bytes())
    }

    /// The key of a body that names no order: its own.
    pub fn of_body(sender: &str, body_hash: &[u8; 32]) -> Self {
        Self::hashed("body", sender, body_hash)
    }

    /// The key of an exchange with a billing system.
    pub fn of_exchange(sender: &str, correlation_id: &str) -> Self {
        Self::hashed("exchange", sender, correlation_id.as_bytes())
    }

    fn hashed(kind: &str, sender: &str, id: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [kind.as_bytes(), sender.as_bytes()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.update(id);
        let digest: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(Uuid::from_bytes(key))
    }
}
