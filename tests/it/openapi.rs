use std::sync::Arc;

use order_timeline::hybris::Hybris;
use serde_json::Value;

use crate::app::TestApp;

#[tokio::test]
async fn the_description_of_the_api_holds_nothing_that_is_not_served_and_nothing_undefined() {
    let app = TestApp::with(|app| {
        app.hybris = Arc::new(Hybris { base_path: "/front/door".to_owned(), ..Hybris::default() });
    })
    .await;
    let description = app.json("/openapi.json").await;
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            operations.push(format!("{} {path}", method.to_uppercase()));
            let id = if path.contains("deliveries/{") { "01a1ffbc-97c5-76a1-9af1-41feb91c4d54" } else { "7" };
            let place = path.replace("{businessId}", "PR").replace("{id}", id).replace("{order_id}", "7");
            let answer = app.send(&method.to_uppercase(), &place, &[], []).await;
            assert_ne!(answer.status, 405, "{method} {place}");
            assert!(!answer.text().contains("\"not-found\""), "{method} {place}: {}", answer.text());
        }
    }
    operations.sort();
    insta::assert_snapshot!("operations", operations.join("\n"));

    let mut wanted = Vec::new();
    references(&description, &mut wanted);
    assert!(!wanted.is_empty());
    for reference in wanted {
        let found = description.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} is not defined");
    }
    app.stop().await;
}

fn references(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Array(members) => members.iter().for_each(|member| references(member, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => found.push(reference.clone()),
                    _ => references(member, found),
                }
            }
        }
        _ => {}
    }
}
