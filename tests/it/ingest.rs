//! The commands, run as a user runs them.

use crate::app::{TestDatabase, bodies, out, run};

/// Everything that is projected, for comparison.
async fn projection(database: &TestDatabase) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for table in ["product_order", "product_order_item", "timeline_entry", "identifier", "event"] {
        all.extend(database.rows(&format!("select '{table}' as \"table\", t.* from {table} t")).await);
    }
    all
}

#[tokio::test]
async fn ingesting_twice_changes_nothing_the_second_time() {
    let database = TestDatabase::new().await;
    let first = out(&run(&database, &["ingest", "fixtures/bt-wholesale"]).await);
    assert!(first.starts_with("27 bodies, 12 orders"), "{first}");
    assert!(first.contains("applied     27") && first.contains("duplicate   0"), "{first}");
    let before = projection(&database).await;
    let second = out(&run(&database, &["ingest", "fixtures/bt-wholesale"]).await);
    assert!(second.contains("applied     0") && second.contains("duplicate   27"), "{second}");
    assert_eq!(projection(&database).await, before);
    database.close().await;
}

#[tokio::test]
async fn one_body_a_line_is_ingested_line_by_line() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let line = |(_, bytes): (String, Vec<u8>)| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap().to_string();
    let mut lines: Vec<String> = bodies("bt-wholesale").into_iter().map(line).collect();
    lines.push("not json".to_owned());
    let file = folder.path().join("feed.ndjson");
    std::fs::write(&file, lines.join("\n") + "\n\n").unwrap();
    let told = out(&run(&database, &["ingest", file.to_str().unwrap()]).await);
    assert!(told.starts_with("28 bodies, 12 orders"), "{told}");
    assert!(told.contains("applied     27") && told.contains("quarantined 1"), "{told}");
    database.close().await;
}

#[tokio::test]
async fn a_timeline_is_read_in_the_terminal() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures/bt-wholesale"]).await;
    let told = out(&run(&database, &["timeline", "00228874"]).await);
    insta::assert_snapshot!("terminal_00228874", told);
    let json = out(&run(&database, &["timeline", "00228874", "--json", "--item", "100.1"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["order"]["state"], "completed");
    let then = out(&run(&database, &["timeline", "00228874", "--at", "2023-02-13T10:00:00Z"]).await);
    assert!(then.contains("As it was at Mon 13 Feb 2023 10:00:00") && !then.contains("23 Feb"), "{then}");
    for (arguments, told) in [
        (vec!["timeline", "nothing"], "no order with the id “nothing”"),
        (vec!["timeline", "00228874", "--known-at", "2020-01-01T00:00:00Z"], "nothing was known"),
        (vec!["timeline", "00228874", "--at", "yesterday"], "is no time"),
        (vec!["ingest", "no-such-file"], "cannot read no-such-file"),
        (vec!["serve", "--listen", "0.0.0.0:0"], "nobody has been set up"),
        (vec!["demo"], "takes no --database-url"),
    ] {
        let output = run(&database, &arguments).await;
        assert!(!output.status.success(), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
    database.close().await;
}

#[tokio::test]
async fn deliveries_are_listed_and_shown() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures/bt-wholesale"]).await;
    let listed = out(&run(&database, &["deliveries", "list", "--limit", "3"]).await);
    assert_eq!(listed.lines().count(), 3);
    assert!(listed.lines().all(|line| line.contains("order 00148807")), "{listed}");
    let id = listed.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let shown = out(&run(&database, &["deliveries", "show", &id]).await);
    assert!(shown.contains("\"outcome\": \"applied\"") && shown.contains("12ed5823-8a49-c004-7c29-ad494cdc5052"));
    let body = run(&database, &["deliveries", "show", &id, "--body"]).await;
    assert_eq!(body.stdout, bodies("bt-wholesale").last().unwrap().1);
    database.close().await;
}

#[tokio::test]
async fn what_was_received_cannot_command_the_terminal() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.json");
    let hostile = r"\u001b[2J\u009b1m\u202e\r";
    let body = format!(
        r#"{{"eventType": "t{hostile}", "event": {{"productOrder": {{"id": "o{hostile}", "state": "s{hostile}",
            "productOrderItem": {{"id": "1", "state": "i{hostile}", "subStatus": "sub{hostile}"}},
            "errorMessage": {{"subCode": "c{hostile}", "message": "m{hostile}"}}}}}}, "note": "raw: {}"}}"#,
        "\u{9b}31m\u{202e}"
    );
    std::fs::write(&file, &body).unwrap();
    let ingested = run(&database, &["ingest", file.to_str().unwrap()]).await;
    let listed = run(&database, &["deliveries", "list"]).await;
    let id = out(&listed).split_whitespace().nth(1).unwrap().to_owned();
    let order = "o\u{1b}[2J\u{9b}1m\u{202e}\r";
    for output in [
        &ingested,
        &listed,
        &run(&database, &["deliveries", "show", &id]).await,
        &run(&database, &["timeline", order]).await,
        &run(&database, &["timeline", order, "--sender", "nobody"]).await,
        &run(&database, &["vocabulary", "list", "--unknown"]).await,
    ] {
        let told = String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap();
        assert!(!told.is_empty());
        for command in ['\u{1b}', '\u{9b}', '\u{202e}', '\r'] {
            assert!(!told.contains(command), "{command:?} in {told:?}");
        }
    }
    assert!(out(&listed).contains("order o\u{FFFD}[2J"), "{}", out(&listed));
    assert_eq!(run(&database, &["deliveries", "show", &id, "--body"]).await.stdout, body.as_bytes());
    database.close().await;
}
