//! For everybody: what axe-core finds on each page.

use std::path::PathBuf;

use serde_json::Value;

use crate::app::{TestApp, bodies};
use crate::browser::Browser;
use crate::signed_in;

fn axe() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser/node_modules/axe-core/axe.min.js")
}

/// # Errors
/// How to get axe-core where it is missing.
pub fn missing() -> Result<(), String> {
    let how = "axe-core is missing (npm ci --prefix tests/browser --ignore-scripts)";
    axe().is_file().then_some(()).ok_or_else(|| how.to_owned())
}

pub async fn no_page_has_a_serious_finding(browser: &Browser, app: &TestApp) {
    look_at_all(browser, app).await;
}

pub async fn no_page_has_a_serious_finding_in_the_dark(browser: &Browser, app: &TestApp) {
    browser.go("/").await;
    assert_eq!(browser.run("return matchMedia('(prefers-color-scheme: dark)').matches").await, true);
    look_at_all(browser, app).await;
}

async fn look_at_all(browser: &Browser, app: &TestApp) {
    let paths = paths(app).await;
    for path in &paths {
        look_at(browser, path).await;
    }
    // The page where people sign in, and one with somebody signed in.
    let key = signed_in::set_up(browser, app, "keys add anna").await;
    look_at(browser, "/sign-in").await;
    browser.find("#key").await.send_keys("otk_wrong").await.unwrap();
    browser.click("form[action='/sign-in'] button").await;
    examine(browser, "/sign-in, refused").await;
    signed_in::sign_in(browser, &key).await;
    look_at(browser, "/deliveries?outcome=quarantined").await;
}

/// Long values are cut or broken; a table wider than the screen would move the whole page about.
pub async fn no_page_is_wider_than_a_phone(browser: &Browser, app: &TestApp) {
    let paths = paths(app).await;
    browser.client.set_window_size(500, 900).await.unwrap();
    for path in paths {
        browser.go(&path).await;
        let beyond = browser.run("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(beyond.as_i64().unwrap() <= 0, "{path} is {beyond} too wide");
    }
}

/// All pages, with something on each.
async fn paths(app: &TestApp) -> Vec<String> {
    app.deliver_all().await;
    for (_, body) in bodies("bt-wholesale-variants") {
        app.post("/listener", body).await;
    }
    let quarantined = app.post("/listener", br#"{"nothing": "of ours"}"#.to_vec()).await.json();
    let deliveries = app.json("/api/v1/orders/00228874/deliveries").await;
    let delivery = |at: usize| deliveries["deliveries"][at]["deliveryId"].as_str().unwrap().to_owned();
    vec![
        "/".to_owned(),
        "/orders".to_owned(),
        "/orders?q=CUG5099999999&state=completed".to_owned(),
        "/orders?q=nobody".to_owned(),
        "/orders/00228874".to_owned(),
        "/orders/00104089".to_owned(),
        "/orders/00125512?at=2024-03-25T14:50:00Z".to_owned(),
        "/orders/00228874/deliveries".to_owned(),
        format!("/deliveries/{}", delivery(0)),
        format!("/deliveries/{}", quarantined["deliveryId"].as_str().unwrap()),
        format!("/deliveries/{}/difference?with={}", delivery(0), delivery(1)),
        "/deliveries?outcome=quarantined".to_owned(),
        "/attention".to_owned(),
        "/attention?reason=silent".to_owned(),
        "/visits".to_owned(),
        "/unknown".to_owned(),
        "/feed".to_owned(),
        "/docs".to_owned(),
        "/orders/nobody".to_owned(),
    ]
}

async fn look_at(browser: &Browser, path: &str) {
    browser.go(path).await;
    examine(browser, path).await;
}

/// The page that is there.
async fn examine(browser: &Browser, path: &str) {
    browser.run(&std::fs::read_to_string(axe()).unwrap()).await;
    let findings = browser
        .client
        .execute_async(
            "const done = arguments[arguments.length - 1]; \
             axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations), error => done([{ id: String(error), impact: 'critical' }]))",
            Vec::new(),
        )
        .await
        .unwrap();
    let told: Vec<String> = findings.as_array().unwrap().iter().filter(|one| is_serious(one)).map(tell).collect();
    assert!(told.is_empty(), "{path}:\n{}", told.join("\n"));
}

fn is_serious(finding: &Value) -> bool {
    matches!(finding["impact"].as_str(), Some("serious" | "critical"))
}

fn tell(finding: &Value) -> String {
    let nodes = finding["nodes"].as_array().into_iter().flatten().take(3);
    let nodes: Vec<String> = nodes.map(|node| format!("  {} {}", node["html"], node["failureSummary"])).collect();
    format!("{} ({}): {}\n{}", finding["id"], finding["impact"], finding["help"], nodes.join("\n"))
}
