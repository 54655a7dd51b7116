//! All orders anew from their deliveries: nothing changes but what was wrong.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use order_timeline::intake::{Body, Delivery, take};
use order_timeline::order::Vocabulary;
use order_timeline::rebuild::{Begin, Ended, Pace, check, rebuild};
use order_timeline::record::HeaderRecord;
use order_timeline::store::{OrderKey, PROJECTION_TABLES, Stage};
use order_timeline::{vocabulary, wire};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::app::{TestApp, TestDatabase, bodies, body};
use crate::app::{out, run};

const SENDER: &str = "bt-wholesale";

fn shipped() -> Arc<Vocabulary> {
    Arc::new(vocabulary::shipped().unwrap())
}

fn delivery(name: &str, body: impl Into<Vec<u8>>) -> Delivery {
    Delivery::received_now(SENDER, name, Vec::new(), Body::Whole(body.into()))
}

/// All that a rebuild may touch, and what it may not.
async fn everything(database: &TestDatabase) -> BTreeMap<&'static str, Vec<Value>> {
    let mut all = BTreeMap::new();
    for table in PROJECTION_TABLES.iter().chain(&["delivery", "delivery_body"]) {
        all.insert(*table, database.rows(&format!("select * from {table}")).await);
    }
    all
}

/// Histories as they come in the wild: backwards, repeated, in conflict, unreadable.
async fn take_all_kinds(database: &TestDatabase) {
    let mut all: Vec<(String, Vec<u8>)> = bodies("bt-wholesale");
    all.extend(bodies("bt-wholesale-variants"));
    all.reverse();
    let other = String::from_utf8(body("01")).unwrap().replace("\"add\"", "\"modify\"").into_bytes();
    all.extend([("again".to_owned(), body("01")), ("other".to_owned(), other)]);
    all.extend([("not json".to_owned(), b"hello".to_vec()), ("no order".to_owned(), b"{\"a\":1}".to_vec())]);
    for (name, body) in all {
        take(&database.store, &shipped(), vec![delivery(&name, body)]).await.unwrap();
    }
    let body = Body::TooLarge { head: b"{".to_vec(), length: 99_999, hash: [7; 32] };
    let large = Delivery::received_now(SENDER, "large", Vec::new(), body);
    take(&database.store, &shipped(), vec![large]).await.unwrap();
}

fn line(told: &str, begins: &str) -> String {
    let found = told.lines().find(|line| line.trim_start().starts_with(begins));
    found.unwrap_or_else(|| panic!("no {begins}: {told}")).split_whitespace().nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_rebuild_of_an_untouched_database_changes_nothing() {
    let database = TestDatabase::new().await;
    take_all_kinds(&database).await;
    let before = everything(&database).await;
    let checked = out(&run(&database, &["rebuild", "--check"]).await);
    assert_eq!(line(&checked, "differences"), "0");
    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert!(rebuilt.starts_with("27 orders made anew from 44 deliveries"), "{rebuilt}");
    assert_eq!((line(&rebuilt, "changed").as_str(), line(&rebuilt, "healed").as_str()), ("0", "0"));
    assert_eq!(line(&rebuilt, "checksum"), line(&checked, "checksum"));
    assert_eq!(everything(&database).await, before);
    assert_eq!(line(&out(&run(&database, &["rebuild"]).await), "checksum"), line(&checked, "checksum"));
    database.close().await;
}

#[tokio::test]
async fn a_check_names_what_is_damaged_and_a_rebuild_mends_it() {
    let database = TestDatabase::new().await;
    take_all_kinds(&database).await;
    let good = everything(&database).await;
    let nobody = "ffffffff-0000-4000-8000-000000000001";
    for damage in [
        "update product_order set state = 'held', sender = 'nobody' where order_id = '00228874'",
        "update product_order set fold = fold || '\\x00' where order_id = '00148807'",
        "update product_order_item set characteristics = '{\"made\": \"up\"}' where item_id = '100.2'
             and order_key = (select order_key from product_order where order_id = '00228874')",
        "delete from timeline_entry where event_position = 0 and ordinal = 0
             and order_key = (select order_key from product_order where order_id = '00228874')",
        "insert into identifier select order_key, 'orderId', 'made up' from product_order where order_id = '00228874'",
        "update event set received_at = received_at - interval '1 day'
             where order_key = (select order_key from product_order where order_id = '00148807')",
        "update delivery set outcome = 'applied', related_delivery_id = null where outcome = 'duplicate'",
        "update delivery set oddities = '[]' where oddities <> '[]'",
        &format!("insert into identifier values ('{nobody}', 'orderId', 'an orphan')"),
        "update item_version set sub_status = 'made up' where item_id = '100.2'
             and order_key = (select order_key from product_order where order_id = '00228874')",
        "delete from entry_value where order_key = (select order_key from product_order where order_id = '00102884')",
        "update past_entry set sentence = 'made up' where number = 0
             and order_key = (select order_key from product_order where order_id = '00228874')",
        "update attention set why = 'made up'",
        "insert into unknown_value select order_key, 'message', 'made up', now(), now(), 1 from product_order
             where order_id = '00228874'",
    ] {
        database.execute(damage).await;
    }
    let damaged = everything(&database).await;
    let output = run(&database, &["rebuild", "--check"]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "product_order  bt-wholesale order 00228874  state is \"held\", rebuilt \"completed\"",
        "product_order  bt-wholesale order 00228874  sender is \"nobody\", rebuilt \"bt-wholesale\"",
        "order 00148807  fold is ",
        "order 00228874 item_id=100.2  characteristics is {\"made\":\"up\"}, rebuilt {",
        "order 00228874 event_position=0 ordinal=0  the row is missing: {",
        "order 00228874 kind=orderId value=made up  the row should not be there: {",
        "order 00148807 content_hash=",
        "outcome is \"applied\", rebuilt \"duplicate\"",
        "oddities is [], rebuilt [{",
        " item_id=100.2  sub_status is \"made up\", rebuilt ",
        "entry_value  bt-wholesale order 00102884 event_position=0 ",
        "past_entry  bt-wholesale order 00228874 number=0  sentence is \"made up\", rebuilt ",
        "attention  bt-wholesale order 00104089 reason=access-failed  why is \"made up\", rebuilt ",
        "unknown_value  bt-wholesale order 00228874 subject=message value=made up  the row should not be there: {",
        &format!("identifier  key {nobody} kind=orderId value=an orphan  the row should not be there"),
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let lines = run(&database, &["rebuild", "--check", "--json"]).await.stdout;
    let lines: Vec<Value> = lines.split(|byte| *byte == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
    assert_eq!(lines.len().to_string(), line(&told, "differences"));
    assert!(lines.iter().any(|one| one["column"] == "state" && one["live"] == "held" && one["rebuilt"] == "completed"));
    assert_eq!(everything(&database).await, damaged, "a check changes nothing");
    assert!(database.rows("select * from rebuild_run").await.is_empty());

    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert_eq!(everything(&database).await, good);
    assert_ne!(line(&rebuilt, "changed"), "0");
    let checked = out(&run(&database, &["rebuild", "--check"]).await);
    assert_eq!(line(&checked, "differences"), "0");
    assert_eq!(line(&checked, "checksum"), line(&rebuilt, "checksum"));
    database.close().await;
}

#[tokio::test]
async fn a_check_waits_for_nobody() {
    let database = TestDatabase::new().await;
    take_all_kinds(&database).await;
    let mut transaction = database.pool.begin().await.unwrap();
    for lock in [
        "update order_claim set claims = claims + 1",
        "update product_order set state = 'under way'",
        "delete from timeline_entry",
    ] {
        sqlx::query(lock).execute(&mut *transaction).await.unwrap();
    }
    let vocabulary = shipped();
    let checked = check(&database.store, &vocabulary, Pace::of(2), |_| ControlFlow::Continue(()), |_| {});
    let checked = tokio::time::timeout(Duration::from_secs(20), checked).await.unwrap().unwrap();
    assert_eq!((checked.orders, checked.differences), (27, 0));
    transaction.rollback().await.unwrap();
    database.close().await;
}

#[tokio::test]
async fn a_parked_delivery_heals_when_what_broke_it_is_gone() {
    let database = TestDatabase::new().await;
    for constraint in [
        "alter table timeline_entry add constraint poison check (sentence not like '%ONT0073999999%')",
        "alter table delivery add constraint poison_id check (event_id <> '28916d57-c84e-d159-7a39-501365e45f96')",
    ] {
        database.execute(constraint).await;
    }
    for (name, body) in bodies("bt-wholesale") {
        take(&database.store, &shipped(), vec![delivery(&name, body)]).await.unwrap();
    }
    let parked = "select delivery_id from delivery where reason_code = 'unprojected'";
    assert_eq!(database.rows(parked).await.len(), 2);
    let before = everything(&database).await;
    // While they break it, they stay parked, alone, and the order stays as it is.
    assert_eq!(line(&out(&run(&database, &["rebuild", "--check"]).await), "differences"), "0");
    database.execute("update product_order set state = 'damaged' where order_id = '00228874'").await;
    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert!(line(&rebuilt, "changed") == "1" && !rebuilt.contains("left alone"), "{rebuilt}");
    assert_eq!(everything(&database).await, before);

    database.execute("alter table timeline_entry drop constraint poison").await;
    database.execute("alter table delivery drop constraint poison_id").await;
    let checked = run(&database, &["rebuild", "--check"]).await;
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("outcome is \"quarantined\", rebuilt \"applied\""));
    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert_eq!((line(&rebuilt, "healed").as_str(), line(&rebuilt, "changed").as_str()), ("2", "1"));
    assert!(database.rows("select 1 as one from delivery where outcome <> 'applied'").await.is_empty());
    let state = database.rows("select state from product_order where order_id = '00228874'").await;
    assert_eq!(state[0]["state"], "completed");
    database.close().await;
}

#[tokio::test]
async fn an_order_that_newly_breaks_is_made_anew_without_the_one_delivery_that_breaks_it() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures/bt-wholesale"]).await;
    database.execute("delete from timeline_entry where sentence like '%ONT0073999999%'").await;
    let poison = "check (sentence not like '%ONT0073999999%') not valid";
    database.execute(&format!("alter table timeline_entry add constraint poison {poison}")).await;
    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert_eq!(line(&rebuilt, "changed"), "1");
    let parked = database.rows("select event_id, reason_code, order_id from delivery where outcome <> 'applied'").await;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0]["event_id"], "5802f2c6-8397-be36-48ed-706af4201fb4");
    assert_eq!((&parked[0]["reason_code"], &parked[0]["order_id"]), (&"unprojected".into(), &"00228874".into()));
    let orders = database.rows("select state from product_order where order_id = '00228874'").await;
    assert_eq!(orders[0]["state"], "inProgress");
    assert_eq!(line(&out(&run(&database, &["rebuild", "--check"]).await), "differences"), "0");
    database.close().await;
}

/// Keeps a body the way a reader would have that could not place it.
async fn keep_unplaced(database: &TestDatabase, body: &[u8], code: &str) -> (Uuid, DateTime<Utc>) {
    let one = delivery("/listener/by-hand", body.to_vec());
    let hash = wire::body_hash(body);
    let key = OrderKey::of_body(SENDER, &hash);
    let headers = Json(vec![HeaderRecord { name: "x-test".to_owned(), value: "kept".to_owned() }]);
    sqlx::query(
        "insert into delivery (order_key, delivery_id, sender, received_at, origin, headers, body_length, body_hash,
             outcome, reason_code, reason, oddities)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'quarantined', $9, 'an older reader', '[]')",
    )
    .bind(key.0)
    .bind(one.id)
    .bind(SENDER)
    .bind(one.received_at)
    .bind(&one.origin)
    .bind(headers)
    .bind(i64::try_from(body.len()).unwrap())
    .bind(hash.as_slice())
    .bind(code)
    .execute(&database.pool)
    .await
    .unwrap();
    sqlx::query("insert into delivery_body values ($1, $2, $3, $4)")
        .bind(key.0)
        .bind(one.received_at)
        .bind(one.id)
        .bind(body)
        .execute(&database.pool)
        .await
        .unwrap();
    (one.id, one.received_at)
}

#[tokio::test]
async fn a_body_that_an_older_reader_could_not_place_moves_to_its_order() {
    let app = TestApp::start().await;
    let database = &app.database;
    for (name, body) in bodies("bt-wholesale").into_iter().filter(|(name, _)| !name.starts_with("09")) {
        take(&database.store, &shipped(), vec![delivery(&name, body)]).await.unwrap();
    }
    let (id, received_at) = keep_unplaced(database, &body("09"), "no-order").await;
    // The only delivery of its order, and one that is still not to be placed.
    let alone = String::from_utf8(body("09")).unwrap().replace("00228874", "00999999");
    keep_unplaced(database, alone.as_bytes(), "json-beyond-reading").await;
    keep_unplaced(database, b"{}", "no-order").await;

    let checked = run(database, &["rebuild", "--check"]).await;
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains(&format!("delivery_id={id}  outcome is \"quarantined\", rebuilt \"applied\"")), "{told}");
    let rebuilt = out(&run(database, &["rebuild"]).await);
    assert_eq!((line(&rebuilt, "healed").as_str(), line(&rebuilt, "changed").as_str()), ("2", "2"), "{rebuilt}");
    assert_eq!(line(&out(&run(database, &["rebuild", "--check"]).await), "differences"), "0");

    let kept = database.rows(&format!("select * from delivery where delivery_id = '{id}'")).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["order_key"], OrderKey::of_order(SENDER, "00228874").0.to_string());
    assert_eq!(kept[0]["received_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), received_at);
    assert_eq!((&kept[0]["origin"], &kept[0]["outcome"]), (&"/listener/by-hand".into(), &"applied".into()));
    assert_eq!((&kept[0]["headers"][0]["value"], &kept[0]["reason"]), (&"kept".into(), &Value::Null));
    let stored = app.get(&format!("/api/v1/deliveries/{id}/body")).await;
    assert_eq!(stored.body, body("09"));
    assert_eq!(database.rows("select * from delivery_body").await.len(), 29);
    assert_eq!(app.json("/api/v1/orders/00228874").await["state"], "completed");
    assert_eq!(app.json("/api/v1/orders/00999999/timeline").await["order"]["orderId"], "00999999");
    app.stop().await;
}

#[tokio::test]
async fn single_deliveries_are_read_again() {
    let app = TestApp::start().await;
    let database = &app.database;
    take_all_kinds(database).await;
    let (id, _) = keep_unplaced(database, &body("09"), "no-order").await;
    let (moved, _) = keep_unplaced(database, &body("10"), "id-too-long").await;
    let told = out(&run(database, &["deliveries", "retry", &id.to_string()]).await);
    assert!(told.contains("duplicate") && told.contains("(before: quarantined: no-order)"), "{told}");
    assert!(told.contains("1 delivery read again; of 1 the outcome is another one"), "{told}");
    let told = out(&run(database, &["deliveries", "retry", &id.to_string()]).await);
    assert!(told.contains("(as before)"), "{told}");

    let output = run(database, &["deliveries", "retry", "--outcome", "quarantined"]).await;
    assert!(!output.status.success(), "the one that was too large cannot be read");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("was too large to be kept whole") && told.contains(&moved.to_string()), "{told}");
    assert!(told.contains("3 deliveries read again; of 1 the outcome is another one"), "{told}");
    let unknown = run(database, &["deliveries", "retry", "018f0000-0000-7000-8000-000000000000"]).await;
    assert!(String::from_utf8_lossy(&unknown.stdout).contains("there is no such delivery"));
    assert!(!run(database, &["deliveries", "retry"]).await.status.success());
    assert_eq!(line(&out(&run(database, &["rebuild", "--check"]).await), "differences"), "0");
    app.stop().await;
}

#[tokio::test]
async fn where_bodies_are_gone_what_was_made_of_them_stays() {
    let database = TestDatabase::new().await;
    take_all_kinds(&database).await;
    let key = OrderKey::of_order(SENDER, "00228874").0;
    let one = format!("(select delivery_id from delivery where order_key = '{key}' limit 1)");
    database.execute(&format!("delete from delivery_body where delivery_id = {one}")).await;
    let before = everything(&database).await;
    let checked = out(&run(&database, &["rebuild", "--check"]).await);
    assert_eq!((line(&checked, "differences").as_str(), line(&checked, "left").as_str()), ("0", "alone"));
    let rebuilt = out(&run(&database, &["rebuild"]).await);
    assert!(rebuilt.contains("left alone  1 orders"), "{rebuilt}");
    assert_eq!(everything(&database).await, before);
    database.close().await;
}

/// Damages a delivery's body, and gives what was received.
async fn damage(database: &TestDatabase, id: &str, made: &str) -> Vec<u8> {
    let body = "select body from delivery_body where delivery_id = $1::uuid";
    let received: Vec<u8> = sqlx::query_scalar(body).bind(id).fetch_one(&database.pool).await.unwrap();
    database.execute(&format!("update delivery_body set body = {made} where delivery_id = '{id}'")).await;
    received
}

#[tokio::test]
async fn a_damaged_body_is_told_and_changes_nothing() {
    let database = TestDatabase::new().await;
    take_all_kinds(&database).await;
    let unplaced = "select delivery_id from delivery where reason_code = 'no-order'";
    let unplaced = database.rows(unplaced).await[0]["delivery_id"].as_str().unwrap().to_owned();
    let key = OrderKey::of_order(SENDER, "00228874").0;
    let middle = format!("select delivery_id from delivery where order_key = '{key}' and outcome = 'applied'");
    let middle = database.rows(&middle).await[3]["delivery_id"].as_str().unwrap().to_owned();
    for (id, made, orders) in [
        // It reads as well as before, and says something else.
        (&middle, "convert_to(replace(convert_from(body, 'UTF8'), '00228874', '00228875'), 'UTF8')", 1),
        // What is shorter was not too large for that.
        (&middle, "substr(body, 1, 100)", 1),
        (&middle, "body || '\\x20'", 1),
        (&unplaced, "'{\"b\":1}'", 0),
    ] {
        let received = damage(&database, id, made).await;
        let before = everything(&database).await;
        let checked = run(&database, &["rebuild", "--check"]).await;
        let told = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert_eq!((checked.status.code(), line(&told, "differences").as_str()), (Some(1), "1"), "{told}");
        let damaged = told.lines().find(|line| line.starts_with("delivery_body  ")).unwrap();
        assert!(damaged.contains(id) && damaged.contains("is not what was received"), "{damaged}");
        let error = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(error.contains("restore the bodies") && !error.contains("rebuild` mends"), "{error}");

        let rebuilt = run(&database, &["rebuild"]).await;
        assert_eq!(line(&out(&rebuilt), "changed"), "0");
        assert_eq!(out(&rebuilt).contains("left alone  1 orders"), orders == 1, "{}", out(&rebuilt));
        let log = String::from_utf8_lossy(&rebuilt.stderr).into_owned();
        let reason = format!("the body of delivery {id} is not what was received");
        assert_eq!(log.matches(&reason).count(), orders, "{log}");
        assert_eq!(log.contains(&key.to_string()), orders == 1, "{log}");
        let retried = run(&database, &["deliveries", "retry", id]).await;
        assert!(!retried.status.success());
        assert!(String::from_utf8_lossy(&retried.stdout).contains("its body is not what was received"));
        assert_eq!(everything(&database).await, before);

        let restored = "update delivery_body set body = $1 where delivery_id = $2::uuid";
        sqlx::query(restored).bind(received).bind(id).execute(&database.pool).await.unwrap();
        assert_eq!(line(&out(&run(&database, &["rebuild", "--check"]).await), "differences"), "0");
    }

    // An event that would need the body is kept, and says why it does not stand there.
    damage(&database, &middle, "substr(body, 1, 100)").await;
    let before = database.rows("select * from timeline_entry").await;
    let late = String::from_utf8(body("03")).unwrap().replace("\"eventId\": \"", "\"eventId\": \"another-");
    let receipts = take(&database.store, &shipped(), vec![delivery("late", late)]).await.unwrap();
    assert_eq!(receipts[0].reason_code.as_deref(), Some("unprojected"));
    assert!(receipts[0].reason.as_ref().unwrap().contains("no longer kept as they were received"));
    assert_eq!(database.rows("select * from timeline_entry").await, before);
    database.close().await;
}

/// Events of many orders: the document's, under other ids.
fn events_of(orders: usize) -> Vec<Vec<Delivery>> {
    let of_one: Vec<String> = bodies("bt-wholesale")
        .into_iter()
        .map(|(_, body)| String::from_utf8(body).unwrap())
        .filter(|body| body.contains("00228874"))
        .collect();
    let event = |body: &String, order: usize| delivery("made up", body.replace("00228874", &format!("X{order:05}")));
    of_one.iter().map(|body| (0..orders).map(|order| event(body, order)).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn intake_goes_on_during_a_rebuild() {
    let database = TestDatabase::new().await;
    let mut events = events_of(40);
    let later = events.split_off(events.len() / 2);
    for batch in events {
        take(&database.store, &shipped(), batch).await.unwrap();
    }
    let intake = tokio::spawn({
        let store = database.store.clone();
        async move {
            // The latest first, so that most come late and rewrite their orders.
            for batch in later.into_iter().rev() {
                for few in batch.chunks(3) {
                    take(&store, &shipped(), few.to_vec()).await.unwrap();
                }
            }
        }
    });
    let (vocabulary, mut rounds) = (shipped(), 0);
    while !intake.is_finished() || rounds == 0 {
        let pace = Pace { jobs: 3, orders: 7 };
        let ended = rebuild(&database.store, &vocabulary, pace, Begin::AtTheStart, |_| ControlFlow::Continue(()));
        assert!(matches!(ended.await.unwrap(), Ended::Complete(run) if run.orders == 40 && run.left_alone == 0));
        let mut found = Vec::new();
        let keep = |differences| {
            found.extend(differences);
            ControlFlow::Continue(())
        };
        check(&database.store, &shipped(), pace, keep, |_| {}).await.unwrap();
        assert_eq!(found, [], "at no moment are the live rows other ones than the deliveries give");
        rounds += 1;
    }
    intake.await.unwrap();
    let checked = check(&database.store, &shipped(), Pace::of(2), |_| ControlFlow::Continue(()), |_| {}).await.unwrap();
    assert_eq!((checked.orders, checked.differences), (40, 0));
    assert!(database.rows("select 1 as one from delivery where outcome <> 'applied'").await.is_empty());
    database.close().await;
}

#[tokio::test]
async fn an_interrupted_rebuild_goes_on_where_it_was() {
    let database = TestDatabase::new().await;
    for batch in events_of(20) {
        take(&database.store, &shipped(), batch).await.unwrap();
    }
    database.execute("update product_order set state = 'damaged'").await;
    let damaged = async || database.rows("select order_key from product_order where state = 'damaged'").await.len();
    let pace = Pace { jobs: 1, orders: 3 };
    let watch = |run: &order_timeline::store::Run| {
        if run.orders >= 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = rebuild(&database.store, &shipped(), pace, Begin::AtTheStart, watch).await.unwrap();
    let Ended::Interrupted(interrupted) = ended else { panic!("{ended:?}") };
    assert_eq!((interrupted.orders, interrupted.position.stage), (6, Stage::Orders));
    assert_eq!(damaged().await, 14);

    // What is damaged behind its back shows that the next one does not begin anew.
    let done = interrupted.position.after;
    database.execute(&format!("update product_order set state = 'damaged' where order_key = '{done}'")).await;
    let told = out(&run(&database, &["rebuild"]).await);
    assert!(told.starts_with("20 orders made anew"), "{told}");
    assert_eq!(line(&told, "changed"), "20");
    assert_eq!(damaged().await, 1);
    let told = out(&run(&database, &["rebuild"]).await);
    assert_eq!((line(&told, "changed").as_str(), damaged().await), ("1", 0), "a complete one is not gone on with");
    let runs = database.rows("select orders from rebuild_run where finished_at is not null").await;
    assert_eq!(runs.len(), 2);
    database.close().await;
}

#[tokio::test]
async fn a_rebuild_with_another_vocabulary_does_not_go_on_with_an_interrupted_one() {
    let database = TestDatabase::new().await;
    for batch in events_of(20) {
        take(&database.store, &shipped(), batch).await.unwrap();
    }
    let pace = Pace { jobs: 1, orders: 3 };
    let watch = |run: &order_timeline::store::Run| {
        if run.orders >= 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = rebuild(&database.store, &shipped(), pace, Begin::AtTheStart, watch).await.unwrap();
    let Ended::Interrupted(interrupted) = ended else { panic!("{ended:?}") };
    let done = interrupted.position.after;
    database.execute(&format!("update product_order set state = 'damaged' where order_key = '{done}'")).await;
    // What was made anew before was told in other words than what comes after would be.
    out(&run(&database, &["vocabulary", "set", "sub-status", "In Progress", "--words", "under way"]).await);
    out(&run(&database, &["rebuild"]).await);
    let damaged = database.rows("select order_key from product_order where state = 'damaged'").await;
    assert!(damaged.is_empty(), "the orders done before are done again");
    database.close().await;
}
