//! acknowledged ⊆ stored ⊆ attempted, byte for byte; nothing counted twice; what is shown is what is stored.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use order_timeline::rebuild::{self, Pace};
use order_timeline::store::Store;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Row};
use uuid::Uuid;

use crate::ledger::{Ledger, body};

/// What is wrong, in sentences; empty where nothing is.
pub async fn violations(options: &PgConnectOptions, ledger: &Ledger) -> Vec<String> {
    let mut connection = options.connect().await.unwrap();
    let rows = "select d.delivery_id, d.outcome, d.event_id, b.body from delivery d
                left join delivery_body b using (order_key, received_at, delivery_id)";
    let rows = sqlx::query(rows).fetch_all(&mut connection).await.unwrap();
    let mut wrong = Vec::new();
    let mut stored: HashMap<Uuid, Vec<u8>> = HashMap::new();
    let mut of_event: BTreeMap<Vec<u8>, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (id, outcome): (Uuid, String) = (row.get(0), row.get(1));
        let Some(bytes) = row.get::<Option<Vec<u8>>, _>(3) else {
            wrong.push(format!("delivery {id} is stored without its body"));
            continue;
        };
        let (times, applied) = of_event.entry(bytes.clone()).or_default();
        *times += 1;
        *applied += u64::from(outcome == "applied");
        if !["applied", "duplicate"].contains(&outcome.as_str()) {
            wrong.push(format!("delivery {id} is {outcome}, which no event here can be"));
        }
        if stored.insert(id, bytes).is_some() {
            wrong.push(format!("delivery {id} is stored twice"));
        }
    }
    ledger.look(|entries| {
        for one in &entries.acknowledged {
            match stored.get(&one.delivery) {
                None => wrong.push(format!("event {} was acknowledged as {}, which is lost", one.number, one.delivery)),
                Some(bytes) if *bytes != body(one.number) => {
                    wrong.push(format!("event {} was acknowledged as {}, which is altered", one.number, one.delivery));
                }
                Some(_) => {}
            }
        }
        for (number, attempts) in &entries.attempts {
            let Some((times, applied)) = of_event.remove(&body(*number)) else { continue };
            if times > *attempts {
                wrong.push(format!("event {number} was sent {attempts} times and is stored {times} times"));
            }
            if applied != 1 {
                wrong.push(format!("event {number} counts {applied} times"));
            }
        }
    });
    wrong.extend(of_event.keys().map(|bytes| format!("nobody sent {}", String::from_utf8_lossy(bytes))));
    let counted = "select (select coalesce(sum(events), 0)::bigint from product_order), (select count(*) from event),
                   (select count(distinct body) from delivery_body)";
    let counted = sqlx::query(counted).fetch_one(&mut connection).await.unwrap();
    let counted: [i64; 3] = std::array::from_fn(|column| counted.get(column));
    if counted[0] != counted[2] || counted[1] != counted[2] {
        wrong.push(format!("orders count {} events, {} are known, {} were stored", counted[0], counted[1], counted[2]));
    }
    wrong.extend(shown_otherwise_than_stored(options).await);
    wrong
}

/// The projections are what the deliveries give.
async fn shown_otherwise_than_stored(options: &PgConnectOptions) -> Vec<String> {
    let store = Store::connect(options.clone(), 2);
    let vocabulary = Arc::new(order_timeline::vocabulary::shipped().unwrap());
    let mut wrong = Vec::new();
    let pace = Pace::of(2);
    let found = |differences: Vec<_>| {
        wrong.extend(differences.into_iter().map(|difference| format!("a rebuild would differ: {difference:?}")));
        ControlFlow::Continue(())
    };
    rebuild::check(&store, &vocabulary, pace, found, |_| {}).await.unwrap();
    store.close().await;
    wrong
}
