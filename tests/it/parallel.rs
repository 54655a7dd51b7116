//! What happens at the same time must not show.

use std::time::Duration;

use chrono::Utc;
use order_timeline::intake::{Body, Delivery, take};
use order_timeline::order::Vocabulary;
use order_timeline::store::{OrderKey, Store};
use serde_json::json;

use crate::app::{TestDatabase, bodies};

/// An event that changes the order's state and an item of its own, of which each item has three events.
fn event(number: u32) -> Delivery {
    let body = json!({
        "eventId": format!("event-{number}"),
        "eventTime": format!("2024-03-01T10:{:02}:{:02}.000Z", number / 60 % 60, number % 60),
        "eventType": "ProductOrderStateChangeEvent",
        "event": { "productOrder": {
            "id": "shared",
            "state": format!("state {number}"),
            "productOrderItem": [{ "id": format!("1.{}", number % 8), "state": format!("item state {number}") }],
        } },
    });
    Delivery::received_now("bt-wholesale", "test", Vec::new(), Body::Whole(body.to_string().into_bytes()))
}

fn key() -> OrderKey {
    OrderKey::of_order("bt-wholesale", "shared")
}

/// The order and its timeline as kept, and as folded from its deliveries, both as text.
async fn kept_and_made_anew(store: &Store, key: OrderKey, vocabulary: &Vocabulary) -> [String; 2] {
    let told = async |known_at| {
        let (order, timeline) = store.order(key, None, known_at, vocabulary).await.unwrap().unwrap();
        serde_json::to_string_pretty(&json!({ "order": order, "timeline": timeline })).unwrap()
    };
    [told(None).await, told(Some(Utc::now() + Duration::from_secs(86_400))).await]
}

/// Shows the lines that differ; the whole would be thousands.
fn assert_same(kept: &str, anew: &str) {
    let (kept, anew): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), anew.lines().collect());
    let different: Vec<_> = kept.iter().zip(&anew).enumerate().filter(|(_, (kept, anew))| kept != anew).collect();
    assert!(different.is_empty(), "{:#?}", different.iter().take(9).collect::<Vec<_>>());
    assert_eq!(kept.len(), anew.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_take_the_events_of_one_order_lose_none() {
    let database = TestDatabase::new().await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    let nodes = [database.store.clone(), Store::connect(database.options.clone(), 8)];
    let events: Vec<Delivery> = (0..24).map(event).collect();
    // Each event twice, by either node and in another company.
    let batches = events.chunks(3).map(<[Delivery]>::to_vec);
    let copies = (0..24).rev().map(|number| vec![event(number)]);
    let taken = batches.chain(copies).enumerate().map(|(number, batch)| {
        let (store, vocabulary) = (nodes[number % 2].clone(), vocabulary.clone());
        tokio::spawn(async move { take(&store, &vocabulary, batch).await.unwrap() })
    });
    let taken: Vec<_> = taken.collect();
    for receipts in futures_util::future::join_all(taken).await {
        receipts.unwrap();
    }
    let outcomes = database.rows("select outcome, count(*) as n from delivery group by outcome").await;
    assert_eq!(outcomes, [json!({ "outcome": "applied", "n": 24 }), json!({ "outcome": "duplicate", "n": 24 })]);
    let applied_first = "select d.delivery_id from delivery d where d.outcome = 'applied' and exists (select from delivery e \
                         where e.event_id = d.event_id \
                         and (e.received_at, e.delivery_id) < (d.received_at, d.delivery_id))";
    assert_eq!(database.rows(applied_first).await.len(), 0, "the one received first counts");
    let [kept, anew] = kept_and_made_anew(&nodes[1], key(), &vocabulary).await;
    assert_same(&kept, &anew);
    nodes[1].close().await;
    database.close().await;
}

/// PostgreSQL plans a prepared statement for all values from its sixth run on, which is another plan.
#[tokio::test]
async fn each_statement_works_as_often_as_it_is_run_on_a_connection() {
    let database = TestDatabase::new().await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    let store = Store::connect(database.options.clone(), 1);
    let fixtures = bodies("bt-wholesale").into_iter();
    let mut all: Vec<Delivery> = fixtures
        .map(|(name, bytes)| Delivery::received_now("bt-wholesale", &name, Vec::new(), Body::Whole(bytes)))
        .collect();
    all.truncate(12);
    all.extend((0..6).map(event));
    for (number, one) in all.into_iter().enumerate() {
        // Late ones too, whose order is folded anew.
        let late = event(if number % 2 == 0 { 100 } else { 50 } + u32::try_from(number).unwrap());
        take(&store, &vocabulary, vec![one, late]).await.unwrap();
    }
    for _ in 0..8 {
        for key in [key(), OrderKey::of_order("bt-wholesale", "00228874")] {
            let [kept, anew] = kept_and_made_anew(&store, key, &vocabulary).await;
            assert_same(&kept, &anew);
        }
    }
    store.close().await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_is_read_as_of_one_moment() {
    let database = TestDatabase::new().await;
    let vocabulary = order_timeline::vocabulary::shipped().unwrap();
    take(&database.store, &vocabulary, vec![event(0)]).await.unwrap();
    let (store, words) = (database.store.clone(), vocabulary.clone());
    let writing = tokio::spawn(async move {
        for number in 1..100 {
            take(&store, &words, vec![event(number)]).await.unwrap();
        }
    });
    while !writing.is_finished() {
        let (order, timeline) = database.store.order(key(), None, None, &vocabulary).await.unwrap().unwrap();
        let told = timeline.entries.chunk_by(|a, b| a.event_position == b.event_position).count();
        assert_eq!(i64::try_from(told).unwrap(), timeline.order.events);
        assert_eq!(order.items.len(), told.min(8), "{} events", timeline.order.events);
    }
    writing.await.unwrap();
    database.close().await;
}
