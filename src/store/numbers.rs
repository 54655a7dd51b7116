//! Numbers for the first page and for the feed's health. Each statement reads a day or two, not everything.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::deliveries::first_id;
use super::{Store, StoreError};
use crate::order::ENDED_UNRESOLVED;
use crate::record::OutcomeName;

/// The day in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// When they were taken.
    pub at: DateTime<Utc>,
    /// By the hour that they came in, the earliest first: hour, outcome, how many. Of the last 24 hours.
    pub deliveries: Vec<(DateTime<Utc>, OutcomeName, i64)>,
    /// Orders by the day of their last event in London, and by state. Of the last 14 days.
    pub orders: Vec<(NaiveDate, String, i64)>,
    /// Orders whose first event is of the last 24 hours; one that is dated ahead of the last receipt counts from that.
    pub new_orders: i64,
    /// How many orders need a person, by reason; the silent at most [`Numbers::COUNTED`].
    pub attention: Vec<(String, i64)>,
    /// How many orders that go on need a person for any reason but silence, each counted once.
    pub waiting: i64,
    /// Deliveries that are quarantined, at most [`Numbers::COUNTED`].
    pub quarantined: i64,
    /// Visits missed or moved in the last [`Numbers::VISIT_DAYS`], by fault.
    pub visits: Vec<(String, i64)>,
}

impl Numbers {
    /// What cannot be counted by an index alone is counted so far.
    pub const COUNTED: i64 = 1000;
    /// Visits are counted of so many days.
    pub const VISIT_DAYS: i64 = 30;

    /// Since when deliveries and new orders are counted.
    pub fn since(&self) -> DateTime<Utc> {
        self.at - TimeDelta::hours(24)
    }

    /// Since when visits are counted.
    pub fn visits_since(&self) -> DateTime<Utc> {
        self.at - TimeDelta::days(Self::VISIT_DAYS)
    }
}

/// A sender's feed over the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedNumbers {
    pub sender: String,
    pub is_disabled: bool,
    /// Of all time.
    pub last_received_at: Option<DateTime<Utc>>,
    pub last_hour: i64,
    pub applied: i64,
    pub duplicates: i64,
    pub conflicts: i64,
    pub quarantined: i64,
    /// Bodies with tolerated deviations.
    pub odd: i64,
    /// Events received more than an hour after their own time.
    pub late: i64,
    /// Seconds from an event's own time to its receipt: the middle, and what 95 of 100 do not exceed.
    pub lag_median: Option<f64>,
    pub lag_p95: Option<f64>,
}

impl Store {
    /// The numbers of now.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn numbers(&self, now: DateTime<Utc>) -> Result<Numbers, StoreError> {
        let numbers = Numbers { at: now, ..Numbers::default() };
        let deliveries = sqlx::query!(
            r#"select date_bin('1 hour', received_at, timestamptz '2000-01-01') as "hour!", outcome, count(*) as "count!"
               from delivery where delivery_id >= $1 group by 1, 2 order by 1, 2"#,
            first_id(numbers.since())
        );
        let deliveries = deliveries.fetch_all(&self.pool).await?.into_iter();
        let orders = sqlx::query!(
            r#"select (m.moved_at at time zone 'Europe/London')::date as "day!", m.state, count(*) as "count!",
                 count(*) filter (where m.started_at >= $2) as "new!"
               from (select state, least(first_event_at, last_received_at) as started_at,
                       least(last_event_at, last_received_at) as moved_at from product_order) m
               where m.moved_at >= $1 group by 1, 2 order by 1, 2"#,
            now - TimeDelta::days(14),
            numbers.since()
        );
        let orders = orders.fetch_all(&self.pool).await?;
        let attention = sqlx::query!(r#"select reason, count(*) as "count!" from attention group by reason"#);
        let attention = attention.fetch_all(&self.pool).await?.into_iter();
        let mut attention: Vec<(String, i64)> = attention.map(|row| (row.reason, row.count)).collect();
        let waiting = sqlx::query_scalar!(
            r#"select count(distinct order_key) as "count!" from attention where reason <> $1"#,
            ENDED_UNRESOLVED
        );
        let silent = sqlx::query_scalar!(
            r#"select count(*) as "count!" from (select from analytics.silent_orders limit $1) s"#,
            Numbers::COUNTED
        );
        match silent.fetch_one(&self.pool).await? {
            0 => {}
            silent => attention.push(("silent".to_owned(), silent)),
        }
        let quarantined = sqlx::query_scalar!(
            r#"select count(*) as "count!" from (select from delivery where outcome = 'quarantined' limit $1) q"#,
            Numbers::COUNTED
        );
        let visits = sqlx::query!(
            r#"select m.missed as "fault!", count(*) as "count!"
               from entry_value m
               where m.missed in ('customer', 'supplier', 'unknown') and m.at >= $1
               group by 1 order by 1"#,
            numbers.visits_since()
        );
        Ok(Numbers {
            deliveries: deliveries
                .filter_map(|row| Some((row.hour, OutcomeName::from_name(&row.outcome)?, row.count)))
                .collect(),
            new_orders: orders.iter().map(|row| row.new).sum(),
            orders: orders.into_iter().map(|row| (row.day, row.state, row.count)).collect(),
            attention,
            waiting: waiting.fetch_one(&self.pool).await?,
            quarantined: quarantined.fetch_one(&self.pool).await?,
            visits: visits.fetch_all(&self.pool).await?.into_iter().map(|row| (row.fault, row.count)).collect(),
            ..numbers
        })
    }

    /// How each sender's feed is.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn feeds(&self, now: DateTime<Utc>) -> Result<Vec<FeedNumbers>, StoreError> {
        let rows = sqlx::query!(
            r#"select sender, max(received_at) as "last!", count(*) filter (where received_at >= $2) as "last_hour!",
                 count(*) filter (where outcome = 'applied') as "applied!",
                 count(*) filter (where outcome = 'duplicate') as "duplicates!",
                 count(*) filter (where outcome = 'conflict') as "conflicts!",
                 count(*) filter (where outcome = 'quarantined') as "quarantined!",
                 count(*) filter (where oddities <> '[]') as "odd!",
                 count(*) filter (where outcome = 'applied' and received_at - event_time > interval '1 hour') as "late!",
                 percentile_cont(0.5) within group (order by extract(epoch from received_at - event_time)::float8)
                   filter (where outcome = 'applied') as lag_median,
                 percentile_cont(0.95) within group (order by extract(epoch from received_at - event_time)::float8)
                   filter (where outcome = 'applied') as lag_p95
               from delivery where delivery_id >= $1 group by sender order by sender"#,
            first_id(now - TimeDelta::hours(24)),
            now - TimeDelta::hours(1)
        );
        let rows = rows.fetch_all(&self.pool).await?.into_iter();
        let mut feeds: Vec<FeedNumbers> = rows
            .map(|row| FeedNumbers {
                sender: row.sender,
                last_received_at: Some(row.last),
                last_hour: row.last_hour,
                applied: row.applied,
                duplicates: row.duplicates,
                conflicts: row.conflicts,
                quarantined: row.quarantined,
                odd: row.odd,
                late: row.late,
                lag_median: row.lag_median,
                lag_p95: row.lag_p95,
                is_disabled: false,
            })
            .collect();
        for (sender, is_disabled) in self.feed_senders().await? {
            if let Some(feed) = feeds.iter_mut().find(|feed| feed.sender == sender) {
                feed.is_disabled = is_disabled;
                continue;
            }
            // Silence is worth a look: how long has it lasted?
            let last = sqlx::query_scalar!(
                "select received_at from delivery where sender = $1 order by delivery_id desc limit 1",
                sender
            );
            let last_received_at = last.fetch_optional(&self.pool).await?;
            feeds.push(FeedNumbers { sender, is_disabled, last_received_at, ..FeedNumbers::default() });
        }
        feeds.sort_by(|a, b| a.sender.cmp(&b.sender));
        Ok(feeds)
    }

    /// All who have ever delivered and all who are set up, each with whether an operator has disabled them.
    async fn feed_senders(&self) -> Result<BTreeMap<String, bool>, StoreError> {
        let set_up = sqlx::query!("select sender, enabled from sender").fetch_all(&self.pool).await?.into_iter();
        let mut senders: BTreeMap<String, bool> = set_up.map(|row| (row.sender, !row.enabled)).collect();
        for sender in self.senders_heard().await? {
            senders.entry(sender).or_insert(false);
        }
        Ok(senders)
    }

    /// All who have ever delivered, in alphabetical order.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn senders_heard(&self) -> Result<Vec<String>, StoreError> {
        // A handful of senders have all the deliveries: step from one to the next by the index.
        let mut senders: Vec<String> = Vec::new();
        loop {
            let last = senders.last().map_or("", String::as_str);
            let next = sqlx::query_scalar!("select min(sender) from delivery where sender > $1", last);
            match next.fetch_one(&self.pool).await? {
                Some(next) => senders.push(next),
                None => return Ok(senders),
            }
        }
    }
}
