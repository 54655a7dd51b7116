//! Bodies go after a time; what was made of them stays, and so does what tells duplicates.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{DateTime, Days, Months, Utc};
use order_timeline::intake::{Body, Delivery, take};
use order_timeline::rebuild::{Begin, Ended, Pace, rebuild};
use order_timeline::record::{OutcomeName, Receipt};
use order_timeline::vocabulary;
use serde_json::Value;

use crate::app::{TestApp, body};

async fn received(app: &TestApp, name: &str, at: DateTime<Utc>) -> Receipt {
    let delivery = Delivery::received_now("bt-wholesale", "file", Vec::new(), Body::Whole(body(name)));
    let delivery = Delivery { received_at: at, ..delivery };
    let vocabulary = vocabulary::shipped().unwrap();
    take(&app.database.store, &vocabulary, vec![delivery]).await.unwrap().remove(0)
}

async fn partitions(app: &TestApp) -> Vec<Value> {
    let sql = "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'delivery_body'::regclass
               order by 1";
    app.database.rows(sql).await
}

#[tokio::test]
async fn partitions_are_there_before_they_are_needed() {
    let app = TestApp::start().await;
    let store = &app.database.store;
    let of_now = format!("delivery_body_{}", Utc::now().format("%Y_%m"));
    assert!(partitions(&app).await.iter().any(|row| row["name"] == of_now.as_str()), "migrating makes them");
    let now: DateTime<Utc> = "2031-11-15T12:00:00Z".parse().unwrap();
    // What lies in the default partition already stays there: none can be made for its month.
    received(&app, "04", "2031-12-24T18:00:00Z".parse().unwrap()).await;
    let (one, other) = tokio::join!(store.make_room_for_bodies(now), store.make_room_for_bodies(now));
    one.unwrap();
    other.unwrap();
    store.make_room_for_bodies(now).await.unwrap();
    let names = partitions(&app).await;
    let names: Vec<&str> = names.iter().filter_map(|row| row["name"].as_str()).collect();
    let expected = ["delivery_body_2031_11", "delivery_body_2032_01", "delivery_body_default"];
    assert_eq!(names.into_iter().filter(|name| !name.contains("_202")).collect::<Vec<_>>(), expected);
    app.stop().await;
}

#[tokio::test]
async fn what_was_made_of_bodies_outlives_them() {
    let app = TestApp::start().await;
    let store = &app.database.store;
    let now = Utc::now();
    let long_ago = now.checked_sub_months(Months::new(14)).unwrap();
    store.make_room_for_bodies(long_ago).await.unwrap();
    received(&app, "03", long_ago).await;
    let last = received(&app, "05", long_ago).await;
    let young = received(&app, "10", now).await;
    let timeline = app.json("/api/v1/orders/00228874/timeline").await;

    let (months, _) = store.let_bodies_go(now.checked_sub_days(Days::new(365)).unwrap()).await.unwrap();
    assert!(months >= 1, "{months}");
    assert_eq!(store.let_bodies_go(now.checked_sub_days(Days::new(365)).unwrap()).await.unwrap(), (0, 0));

    assert_eq!(app.json("/api/v1/orders/00228874/timeline").await, timeline);
    let gone = app.get(&format!("/api/v1/deliveries/{}/body", last.delivery_id)).await;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (410, Some("bodies-gone")));
    assert_eq!(app.get(&format!("/api/v1/deliveries/{}/body", young.delivery_id)).await.status, 200);
    // What was known is told by the entries that are kept; of the whole order then, nothing tells.
    let then = app.json("/api/v1/orders/00228874/timeline?knownAt=2099-01-01T00:00:00Z").await;
    assert_eq!(then, timeline);
    let then = app.get("/api/v1/orders/00228874?knownAt=2099-01-01T00:00:00Z").await;
    assert_eq!((then.status, then.json()["code"].as_str()), (410, Some("bodies-gone")));

    // The same again is told, for ever.
    assert_eq!(received(&app, "05", now).await.outcome, OutcomeName::Duplicate);
    // What simply follows is added.
    assert_eq!(received(&app, "06", now).await.outcome, OutcomeName::Applied);
    // What would change the past is kept, and says why it does not stand there.
    let late = received(&app, "04", now).await;
    assert_eq!((late.outcome, late.reason_code.as_deref()), (OutcomeName::Quarantined, Some("unprojected")));
    assert!(late.reason.unwrap().contains("no longer kept"));
    let after = app.json("/api/v1/orders/00228874/timeline").await;
    assert!(after["entries"].as_array().unwrap().len() > timeline["entries"].as_array().unwrap().len());

    // A rebuild leaves such an order alone, and says so.
    let shipped = Arc::new(vocabulary::shipped().unwrap());
    let ended = rebuild(store, &shipped, Pace::of(2), Begin::AtTheStart, |_| ControlFlow::Continue(())).await;
    let Ok(Ended::Complete(run)) = ended else { panic!("{ended:?}") };
    assert_eq!(run.left_alone, 1);
    assert_eq!(app.json("/api/v1/orders/00228874/timeline").await, after);
    app.stop().await;
}

/// An order of three bodies, the middle one received last, and when they were received.
async fn of_three(app: &TestApp) -> [DateTime<Utc>; 3] {
    let now = Utc::now();
    let begin = now.checked_sub_months(Months::new(14)).unwrap();
    let times = [begin, begin + chrono::TimeDelta::hours(1), begin + chrono::TimeDelta::hours(2)];
    for (name, at) in ["03", "06", "05"].into_iter().zip(times) {
        assert_eq!(received(app, name, at).await.outcome, OutcomeName::Applied);
    }
    times
}

#[tokio::test]
async fn what_was_known_is_told_by_the_entries_where_bodies_are_gone() {
    let app = TestApp::start().await;
    let times = of_three(&app).await;
    let known_at = |at: DateTime<Utc>| format!("knownAt={}", at.format("%FT%T%.6fZ"));
    let before = times[0] - chrono::TimeDelta::seconds(1);
    let mut asked: Vec<String> = times.map(known_at).to_vec();
    asked.push(known_at(before));
    asked.push("at=2023-02-13T10:00:00Z".to_owned());
    asked.push(format!("at=2023-02-13T10:00:00Z&{}", known_at(times[1])));
    let paths: Vec<String> = asked.iter().map(|asked| format!("/api/v1/orders/00228874/timeline?{asked}")).collect();
    let mut folded = Vec::new();
    for path in &paths {
        folded.push(app.get(path).await);
    }
    app.database.execute("delete from delivery_body").await;
    for (path, folded) in paths.iter().zip(folded) {
        let kept = app.get(path).await;
        assert_eq!(kept.status, folded.status, "{path}");
        let (mut kept, mut folded) = (kept.json(), folded.json());
        if kept["order"].is_object() {
            // Why it is in its state is said as it was when the state began.
            for one in [&mut kept, &mut folded] {
                one["order"]["stateReason"] = Value::Null;
            }
        }
        assert_eq!(kept, folded, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_order_of_a_former_version_whose_bodies_are_gone_goes_on() {
    let app = TestApp::start().await;
    let store = &app.database.store;
    let now = Utc::now();
    received(&app, "03", now).await;
    received(&app, "05", now).await;
    app.database.execute("update product_order set fold_version = fold_version - 1").await;
    // As long as the bodies are there, it is made anew.
    let timeline = app.json("/api/v1/orders/00228874").await;
    app.database.execute("delete from delivery_body").await;
    assert_eq!(app.json("/api/v1/orders/00228874").await, timeline);
    assert_eq!(app.get("/orders/00228874").await.status, 200);

    let next = received(&app, "06", now).await;
    assert_eq!((next.outcome, next.reason), (OutcomeName::Applied, None));
    assert_eq!(app.json("/api/v1/orders/00228874").await["events"], 3);
    assert!(app.database.rows("select from delivery where outcome = 'quarantined'").await.is_empty());

    // A rebuild leaves it as it is, and says so.
    let after = app.json("/api/v1/orders/00228874/timeline").await;
    let shipped = Arc::new(vocabulary::shipped().unwrap());
    let ended = rebuild(store, &shipped, Pace::of(2), Begin::AtTheStart, |_| ControlFlow::Continue(())).await;
    let Ok(Ended::Complete(run)) = ended else { panic!("{ended:?}") };
    assert_eq!(run.left_alone, 1);
    assert_eq!(app.json("/api/v1/orders/00228874/timeline").await, after);
    app.stop().await;
}

#[tokio::test]
async fn nothing_waits_long_for_bodies_to_go() {
    let app = TestApp::start().await;
    let store = &app.database.store;
    let now: DateTime<Utc> = "2031-11-15T12:00:00Z".parse().unwrap();
    for ago in [15, 14] {
        let then = now.checked_sub_months(Months::new(ago)).unwrap();
        store.make_room_for_bodies(then).await.unwrap();
    }
    // Somebody reads the younger month's bodies and takes their time.
    let mut reader = app.database.pool.begin().await.unwrap();
    sqlx::query("select from delivery_body_2030_09").fetch_all(&mut *reader).await.unwrap();
    let before = now.checked_sub_months(Months::new(13)).unwrap();
    let gone = tokio::join!(store.let_bodies_go(before), app.post("/listener", body("04")));
    assert!(gone.0.is_err(), "the month that is read stays");
    assert_eq!(gone.1.status, 200);
    let left = async || -> Vec<String> {
        let names = partitions(&app).await;
        let names = names.iter().filter_map(|row| row["name"].as_str().map(str::to_owned));
        names.filter(|name| name.contains("_2030_")).collect()
    };
    let names = left().await;
    assert!(!names.contains(&"delivery_body_2030_08".to_owned()), "the older month is gone: {names:?}");
    assert!(names.contains(&"delivery_body_2030_09".to_owned()), "{names:?}");
    reader.commit().await.unwrap();
    store.let_bodies_go(before).await.unwrap();
    assert!(!left().await.contains(&"delivery_body_2030_09".to_owned()));
    app.stop().await;
}
