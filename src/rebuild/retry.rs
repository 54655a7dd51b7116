//! One delivery read again.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::orders;
use crate::intake::Body;
use crate::order::Vocabulary;
use crate::record::DeliveryRecord;
use crate::store::{Store, StoreError, Unread};

/// What became of a delivery that was to be read again.
#[derive(Clone, Debug)]
pub enum Retried {
    /// As it was before and as it is now.
    Read {
        before: Box<DeliveryRecord>,
        after: Box<DeliveryRecord>,
    },
    NotThere,
    /// It was too large to be kept whole.
    NotWhole,
    /// Its body is no longer kept.
    BodyGone,
    /// Its body is not what was received.
    BodyDamaged,
}

/// Reads a delivery again with the present reader and makes the order that it is about anew; it moves there
/// if it was kept elsewhere. Other deliveries of that order are read again with it.
///
/// # Errors
/// Where the database is not available; then nothing has changed.
pub async fn retry(store: &Store, vocabulary: &Vocabulary, id: Uuid) -> Result<Retried, StoreError> {
    let (Some(before), Some(mut stored)) = (store.delivery(id).await?, store.stored(&[id]).await?.pop()) else {
        return Ok(Retried::NotThere);
    };
    let read = match stored.read() {
        Ok(read) if matches!(read.delivery.body, Body::Whole(_)) => read,
        Ok(_) => return Ok(Retried::NotWhole),
        Err(Unread::Gone(_)) => return Ok(Retried::BodyGone),
        Err(Unread::Damaged { .. }) => return Ok(Retried::BodyDamaged),
    };
    let mut keys = BTreeSet::from([stored.key]);
    if read.sense.statement().is_some() {
        keys.insert(read.order_key);
    } else if stored.reading.is_quarantined() {
        return Ok(Retried::Read { after: Box::new(before.clone()), before: Box::new(before) });
    }
    orders(store, vocabulary, keys).await?;
    Ok(match store.delivery(id).await? {
        Some(after) => Retried::Read { before: Box::new(before), after: Box::new(after) },
        None => Retried::NotThere,
    })
}
