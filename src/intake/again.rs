//! Taking in what may have been taken in before.

use std::collections::HashSet;

use super::{Delivery, incoming, take_apart, take_together};
use crate::order::Vocabulary;
use crate::store::{Store, StoreError};

/// Takes in those of the deliveries that are not kept yet, by their ids: when it returns, all of them are durable
/// and their orders' timelines show them. To call it twice does no harm.
///
/// # Errors
/// [`StoreError`] where not all could be made durable.
pub async fn take_again(store: &Store, vocabulary: &Vocabulary, deliveries: Vec<Delivery>) -> Result<(), StoreError> {
    // A transaction whose end nobody heard may still end while this one runs. The database makes this one wait for
    // it and then refuses the id, and the next question knows the answer.
    const QUESTIONS: u32 = 3;
    let mut left = deliveries;
    for _ in 0..QUESTIONS {
        left = without_kept(store, left).await?;
        let incoming: Vec<_> = left.iter().cloned().map(incoming).collect();
        if incoming.is_empty() {
            return Ok(());
        }
        match take_together(store, vocabulary, &incoming).await {
            Err(StoreError::Refused(_)) => {}
            taken => return taken.map(|_| ()),
        }
    }
    let left = without_kept(store, left).await?;
    take_apart(store, vocabulary, left.into_iter().map(incoming).collect()).await.map(|_| ())
}

async fn without_kept(store: &Store, deliveries: Vec<Delivery>) -> Result<Vec<Delivery>, StoreError> {
    let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id).collect();
    let kept: HashSet<_> = store.kept(&ids).await?.into_iter().collect();
    Ok(deliveries.into_iter().filter(|delivery| !kept.contains(&delivery.id)).collect())
}
