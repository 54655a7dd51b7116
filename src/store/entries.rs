//! Reading an order's entries: those that stand, and, where its bodies were let go, those that were known at a time.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{OrderKey, Store, StoreError};
use crate::order::Vocabulary;
use crate::record::{
    EntryRecord, MessageRecord, OrderHead, TimelineRecord, known_state, known_timeline, late_by_seconds,
};

impl Store {
    /// An order's timeline as it is kept, as it was at `at`, or as we knew it at `known_at`. Where bodies of the order
    /// were let go, the entries that are kept tell it. `None` as for [`Store::order`].
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn timeline(
        &self,
        key: OrderKey,
        at: Option<DateTime<Utc>>,
        known_at: Option<DateTime<Utc>>,
        vocabulary: &Vocabulary,
    ) -> Result<Option<TimelineRecord>, StoreError> {
        match self.order(key, at, known_at, vocabulary).await {
            Err(StoreError::NoLongerKept) if at.is_some() || known_at.is_some() => {
                self.timeline_of_entries(key, at, known_at).await
            }
            order => Ok(order?.map(|(_, timeline)| timeline)),
        }
    }

    async fn timeline_of_entries(
        &self,
        key: OrderKey,
        at: Option<DateTime<Utc>>,
        known_at: Option<DateTime<Utc>>,
    ) -> Result<Option<TimelineRecord>, StoreError> {
        let mut snapshot = self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        let Some(now) = Self::head(&mut snapshot, key).await? else { return Ok(None) };
        let events = events_then(&mut snapshot, key, at, known_at).await?;
        let entries = match known_at {
            Some(known_at) => entries_known(&mut snapshot, key, known_at).await?,
            None => entries_now(&mut snapshot, key).await?,
        };
        let external_id = external_id_then(&mut snapshot, key, at, known_at).await?;
        snapshot.commit().await?;
        let entries = known_timeline(entries, at);
        // With all its events it was as it is.
        let is_as_now = events.count == now.events;
        let state = if is_as_now { Some((now.state.clone(), now.state_reason.clone())) } else { known_state(&entries) };
        let (Some((first_event_at, last_event_at, last_received_at)), Some((state, state_reason))) =
            (events.times, state)
        else {
            return Ok(None);
        };
        let order = OrderHead {
            external_id: external_id.or(now.external_id.clone()),
            state,
            state_reason,
            first_event_at,
            last_event_at,
            last_received_at,
            events: events.count,
            ..now
        };
        Ok(Some(TimelineRecord { order, entries }))
    }
}

pub(super) async fn entries_now(connection: &mut PgConnection, key: OrderKey) -> Result<Vec<EntryRecord>, StoreError> {
    let rows = sqlx::query_as!(
        EntryRow,
        r#"select event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id, kind, item_ids,
             name, from_value, to_value, from_text, to_text, message as "message: Json<MessageRecord>", facts, sentence,
             valid_to, known_from
           from timeline_entry where order_key = $1 order by event_position, ordinal"#,
        key.0
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(EntryRecord::from).collect())
}

/// The entries that were known at a time, those since made anew among them; in no order.
async fn entries_known(
    connection: &mut PgConnection,
    key: OrderKey,
    known_at: DateTime<Utc>,
) -> Result<Vec<EntryRecord>, StoreError> {
    let standing = sqlx::query_as!(
        EntryRow,
        r#"select event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id, kind, item_ids,
             name, from_value, to_value, from_text, to_text, message as "message: Json<MessageRecord>", facts, sentence,
             valid_to, known_from
           from timeline_entry where order_key = $1 and known_from <= $2"#,
        key.0,
        known_at
    );
    let mut rows = standing.fetch_all(&mut *connection).await?;
    let past = sqlx::query_as!(
        EntryRow,
        r#"select event_position, ordinal, at, at_estimated, received_at, late, event_id, delivery_id, kind, item_ids,
             name, from_value, to_value, from_text, to_text, message as "message: Json<MessageRecord>", facts, sentence,
             null::timestamptz as valid_to, known_from
           from past_entry where order_key = $1 and known_from <= $2 and known_until > $2"#,
        key.0,
        known_at
    );
    rows.extend(past.fetch_all(connection).await?);
    Ok(rows.into_iter().map(EntryRecord::from).collect())
}

struct Events {
    count: i64,
    /// Of the first and the last event, and of the last receipt; `None` where there was none yet.
    times: Option<(DateTime<Utc>, DateTime<Utc>, DateTime<Utc>)>,
}

/// The events that count, of what was received and had happened by then. Of an event the content received first
/// counts, so that what came later changes nothing of it.
async fn events_then(
    connection: &mut PgConnection,
    key: OrderKey,
    at: Option<DateTime<Utc>>,
    known_at: Option<DateTime<Utc>>,
) -> Result<Events, StoreError> {
    let row = sqlx::query!(
        r#"select count(*) as "count!", min(coalesce(event_time, received_at)) as first,
             max(coalesce(event_time, received_at)) as last, max(received_at) as received
           from delivery
           where order_key = $1 and outcome = 'applied' and ($2::timestamptz is null or received_at <= $2)
             and ($3::timestamptz is null or coalesce(event_time, received_at) <= $3)"#,
        key.0,
        known_at,
        at
    )
    .fetch_one(connection)
    .await?;
    let times = row.first.zip(row.last).zip(row.received).map(|((first, last), received)| (first, last, received));
    Ok(Events { count: row.count, times })
}

/// The external id then, where it has changed since: what the first change after it was from.
async fn external_id_then(
    connection: &mut PgConnection,
    key: OrderKey,
    at: Option<DateTime<Utc>>,
    known_at: Option<DateTime<Utc>>,
) -> Result<Option<String>, StoreError> {
    let from = sqlx::query_scalar!(
        "select from_value #>> '{}' from timeline_entry
         where order_key = $1 and kind = 'characteristic' and name = 'externalId' and item_ids = '{}'
           and (known_from > $2 or at > $3)
         order by event_position, ordinal limit 1",
        key.0,
        known_at,
        at
    );
    Ok(from.fetch_optional(connection).await?.flatten())
}

struct EntryRow {
    event_position: i64,
    ordinal: i32,
    at: DateTime<Utc>,
    at_estimated: bool,
    received_at: DateTime<Utc>,
    late: bool,
    event_id: Option<String>,
    delivery_id: Uuid,
    kind: String,
    item_ids: Vec<String>,
    name: Option<String>,
    from_value: Option<serde_json::Value>,
    to_value: Option<serde_json::Value>,
    from_text: Option<String>,
    to_text: Option<String>,
    message: Option<Json<MessageRecord>>,
    facts: Option<serde_json::Value>,
    sentence: String,
    valid_to: Option<DateTime<Utc>>,
    known_from: DateTime<Utc>,
}

impl From<EntryRow> for EntryRecord {
    fn from(row: EntryRow) -> Self {
        Self {
            event_position: row.event_position,
            ordinal: row.ordinal,
            at: row.at,
            at_estimated: row.at_estimated,
            received_at: row.received_at,
            late: row.late,
            missed: Vec::new(),
            late_by_seconds: late_by_seconds(row.late, row.at, row.received_at),
            event_id: row.event_id,
            delivery_id: row.delivery_id,
            kind: row.kind,
            item_ids: row.item_ids,
            name: row.name,
            from: row.from_value,
            from_text: row.from_text,
            to: row.to_value,
            to_text: row.to_text,
            message: row.message.map(|message| message.0),
            facts: row.facts,
            text: row.sentence,
            valid_to: row.valid_to,
            known_from: row.known_from,
        }
    }
}
