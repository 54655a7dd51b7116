//! Fills the database: a made-up feed by the intake, then copies of what it made.

use std::time::Instant;

use chrono::SubsecRound;
use order_timeline::generate::{Feed, Settings, Share};
use order_timeline::intake::{Body, Delivery, take};
use order_timeline::store::{PROJECTION_TABLES, Store};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

/// What the database is filled with.
#[derive(Clone, Copy)]
pub struct Size {
    pub orders: u64,
    /// On average.
    pub events_per_order: u64,
    /// How many of the orders go through the intake; the others are copies of them.
    pub ingested: u64,
}

pub async fn fill(store: &Store, connection: &mut PgConnection, size: Size) {
    let Size { orders, events_per_order, ingested } = size;
    let started = Instant::now();
    ingest(store, ingested, events_per_order).await;
    println!("{ingested} orders taken in, in {:.0} s", started.elapsed().as_secs_f64());
    for table in PROJECTION_TABLES.into_iter().chain(["delivery"]) {
        multiply(connection, table, orders.div_ceil(ingested)).await;
    }
    println!("and multiplied, in {:.0} s", started.elapsed().as_secs_f64());
}

/// What the server does by itself in the days that a database takes to grow.
pub async fn settle(store: &Store, connection: &mut PgConnection) {
    store.learn_silence().await.unwrap();
    connection.execute("vacuum analyze").await.unwrap();
}

/// As if each body had come when it would have, in the months that the worked queries ask for.
async fn ingest(store: &Store, orders: u64, events_per_order: u64) {
    let vocabulary = store.vocabulary().await.unwrap();
    let feed = Feed::new(Settings {
        orders,
        events_per_order,
        seed: 1,
        duplicates: Share::of_million(100_000),
        late: Share::of_million(50_000),
        conflicts: Share::of_million(1_000),
        bare: Share::of_million(1_000),
        from: "2023-01-15T00:00:00Z".parse().unwrap(),
        to: "2024-03-15T00:00:00Z".parse().unwrap(),
    });
    let mut deliveries = feed.map(|sent| Delivery {
        received_at: sent.at.trunc_subsecs(6),
        ..Delivery::received_now("bt-wholesale", "feed", Vec::new(), Body::Whole(sent.body))
    });
    loop {
        let batch: Vec<Delivery> = deliveries.by_ref().take(256).collect();
        if batch.is_empty() {
            return;
        }
        take(store, &vocabulary, batch).await.unwrap();
    }
}

/// Copies all rows of a table under other orders' keys until there are `times` as many, each copy a little later: equal
/// times would make the indexes smaller than they are. Ids find one order each, as they do in a feed; only parties
/// have many.
async fn multiply(connection: &mut PgConnection, table: &str, times: u64) {
    let columns: Vec<(String, bool)> = sqlx::query_as(
        "select attname::text, atttypid = 'timestamptz'::regtype from pg_attribute
         where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let values = columns.iter().map(|(column, is_time)| match column.as_str() {
        "order_key" | "delivery_id" => format!("md5({column}::text || copy)::uuid"),
        "order_id" => "order_id || '-' || copy".to_owned(),
        "value" if table == "identifier" => {
            "case kind when 'party-id' then value else value || '-' || copy end".to_owned()
        }
        time if *is_time => format!("{time} + copy * interval '37 seconds'"),
        other => other.to_owned(),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let names = columns.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "insert into {table} ({names}) select {values} from {table}, generate_series(1, {}) as copy",
        times.saturating_sub(1)
    );
    connection.execute(AssertSqlSafe(insert)).await.unwrap();
}
