//! The figures that Prometheus reads. They are the process's, so other tests count in them, too.

use std::collections::BTreeMap;

use crate::app::{TestApp, body};

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
    assert!(grown("order_timeline_refused_total{reason=\"unknown-sender\"}") >= 1.0);
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

#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn num(seconds: f64) -> i64 {
    seconds as i64
}

/// Every figure that an alert asks for is one that the service gives.
#[tokio::test]
async fn the_alerts_ask_for_figures_that_there_are() {
    let alerts = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ops/alerts.yml")).unwrap();
    let app = TestApp::start().await;
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
