//! A short stand-in for what an order has to remember of long texts.

use sha2::{Digest, Sha256};

/// The first 64 bits of SHA-256 over the parts, each ended by a zero byte: the fold's state keeps these
/// instead of messages and names, so that it grows with an order's items and not with their texts.
pub fn short_hash<'p>(parts: impl IntoIterator<Item = &'p str>) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
