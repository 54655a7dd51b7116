//! The figures that Prometheus reads. They are the process's, so other tests count in them, too.

use std::collections::BTreeMap;

use crate::app::{TestApp, bearer, body, operate};

/// The figures by name and labels.
async fn figures(app: &TestApp) -> BTreeMap<String, f64> {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.content_type.starts_with("application/openmetrics-text"), "{}", answer.content_type);
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn what_was_received_and_what_became_of_it_is_counted() {
    let app = TestApp::start().await;
    let before = figures(&app).await;
    app.post("/listener", body("01")).await;
    app.post("/listener", body("01")).await;
    app.post("/listener", "{}").await;
    app.post("/listener?sender=nobody", "{}").await;
    let after = figures(&app).await;
    let grown = |name: &str| after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    let answered = |outcome: &str| {
        grown(&format!("order_timeline_answered_total{{sender=\"bt-wholesale\",outcome=\"{outcome}\"}}"))
    };
    assert!(grown("order_timeline_received_total{sender=\"bt-wholesale\"}") >= 3.0);
    assert!(answered("applied") >= 1.0 && answered("duplicate") >= 1.0 && answered("quarantined") >= 1.0);
    assert!(grown("order_timeline_refused_total{door=\"listener\",reason=\"unknown-sender\"}") >= 1.0);
    assert!(grown("order_timeline_answer_seconds_count") >= 3.0);
    assert!(grown("order_timeline_lag_seconds_count") >= 3.0);
    assert!(grown("order_timeline_feed_lag_seconds_count{sender=\"bt-wholesale\"}") >= 2.0);
    for stage in ["claim", "fold", "keep", "project", "commit"] {
        assert!(grown(&format!("order_timeline_stage_seconds_count{{stage=\"{stage}\"}}")) >= 1.0, "{stage}");
    }
    let last = after["order_timeline_last_delivery_timestamp_seconds{sender=\"bt-wholesale\"}"];
    let now = chrono::Utc::now().timestamp();
    assert!((now - 600..=now + 1).contains(&num(last)), "{last}");
    app.stop().await;
}

#[tokio::test]
async fn every_refusal_is_counted_at_its_door() {
    let (app, told) =
        TestApp::after(&["keys add scraper --scope metrics", "senders rotate bt-wholesale"], |_| {}).await;
    let scraper = bearer(told[0]["key"].as_str().unwrap());
    let figures = async || {
        let answer = app.send("GET", "/metrics", &[("Authorization", &scraper)], []).await;
        assert_eq!(answer.status, 200);
        answer.text()
    };
    let count = |text: &str, door: &str, reason: &str| {
        let name = format!("order_timeline_refused_total{{door=\"{door}\",reason=\"{reason}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map(|count| count.parse::<f64>().unwrap())
    };
    let before = figures().await;
    for (door, reason) in [("listener", "token-expired"), ("listener", "spool-full"), ("token", "wrong-credentials")] {
        assert!(count(&before, door, reason).is_some(), "{door} {reason} is there before its first time");
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    app.send("POST", "/oauth/token", &form, "grant_type=client_credentials&client_id=x&client_secret=y").await;
    app.send("POST", "/oauth/token", &form, "nonsense").await;
    app.post("/listener", "{}").await;
    app.send("GET", "/orders", &[("Accept", "text/html")], []).await;
    app.send("GET", "/api/v1/orders", &[("Authorization", &scraper)], []).await;
    let after = figures().await;
    for (door, reason) in [
        ("token", "wrong-credentials"),
        ("token", "no-credentials"),
        ("listener", "no-credentials"),
        ("read", "no-credentials"),
        ("read", "no-scope"),
    ] {
        let grown = count(&after, door, reason).unwrap_or(0.0) - count(&before, door, reason).unwrap_or(0.0);
        assert!(grown >= 1.0, "{door} {reason}: {after}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_delivery_that_is_not_kept_is_none_that_was_heard_of() {
    let app = TestApp::with(|app| {
        app.sender = "unheard".to_owned();
        app.store = order_timeline::store::Store::connect(
            sqlx::postgres::PgConnectOptions::new().socket("/nothing/there").username("x"),
            2,
        );
        app.access.known = Some(std::sync::Arc::default());
    })
    .await;
    assert_eq!(app.post("/listener", body("01")).await.status, 503);
    let text = app.get("/metrics").await.text();
    assert!(text.contains("order_timeline_received_total{sender=\"unheard\"} 1"), "{text}");
    assert!(!text.contains("order_timeline_last_delivery_timestamp_seconds{sender=\"unheard\"}"), "{text}");
    assert!(text.contains("# TYPE order_timeline_database_up gauge"), "{text}");
    app.stop().await;
}

#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn num(seconds: f64) -> i64 {
    seconds as i64
}

/// Every figure that an alert asks for is one that the service gives.
#[tokio::test]
async fn the_alerts_ask_for_figures_that_there_are() {
    let alerts = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ops/alerts.yml")).unwrap();
    // Some figures are there only where there is a disk to tell of.
    let app = TestApp::with(|app| app.data_dir = Some(std::env::temp_dir())).await;
    app.post("/listener", body("01")).await;
    let there = app.get("/metrics").await.text();
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: std::collections::BTreeSet<&str> = words.filter(|word| word.starts_with("order_timeline_")).collect();
    assert!(asked.len() > 8, "{asked:?}");
    for name in asked {
        let family =
            ["_total", "_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(there.contains(&format!("# TYPE {family} ")), "{name} is no figure of the service's");
    }
    app.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_a_sender_that_is_disabled_or_says_nothing() {
    let known = |text: &str, sender: &str| {
        text.contains(&format!("order_timeline_last_delivery_timestamp_seconds{{sender=\"{sender}\"}}"))
    };
    let (mut app, told) =
        TestApp::after(&["senders add leaving --bearer", "senders add babbling --bearer"], |_| {}).await;
    let authorization = |told: &serde_json::Value| bearer(told["secret"].as_str().unwrap());
    let key = operate(&app.database, "keys add figures --scope metrics").await;
    let key = bearer(key["key"].as_str().unwrap());
    let figures = async |app: &TestApp| app.send("GET", "/metrics", &[("Authorization", &key)], []).await;
    for (told, body, outcome) in [(&told[0], body("01"), "applied"), (&told[1], b"{}".to_vec(), "quarantined")] {
        let answer = app.send("POST", "/listener", &[("Authorization", &authorization(told))], body).await;
        assert_eq!(answer.json()["outcome"], outcome);
    }
    let text = app.until(200, async || figures(&app).await).await.text();
    assert!(known(&text, "leaving") && !known(&text, "babbling"), "{text}");
    operate(&app.database, "senders disable leaving").await;
    app.restart(|_| {}).await;
    for _ in 0..600 {
        if !known(&figures(&app).await.text(), "leaving") {
            return app.stop().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the disabled sender is still waited for");
}

#[tokio::test]
async fn a_sender_that_was_set_up_is_waited_for_until_it_is_disabled() {
    let commands = ["senders add awaited --bearer", "senders add unwanted --bearer", "senders disable unwanted"];
    let (app, _) = TestApp::after(&commands, |_| {}).await;
    let key = operate(&app.database, "keys add figures --scope metrics").await;
    let key = bearer(key["key"].as_str().unwrap());
    let waited_for = |text: &str, sender: &str| {
        text.contains(&format!("order_timeline_sender_set_up_timestamp_seconds{{sender=\"{sender}\"}} 1"))
    };
    for _ in 0..600 {
        let text = app.send("GET", "/metrics", &[("Authorization", &key)], []).await.text();
        if waited_for(&text, "awaited") {
            assert!(!waited_for(&text, "unwanted") && !waited_for(&text, "hybris-pr"), "{text}");
            return app.stop().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody waits for the sender");
}
