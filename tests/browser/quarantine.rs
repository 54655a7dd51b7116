//! What could not be placed.

use crate::app::{TestApp, body};
use crate::browser::Browser;

pub async fn a_quarantined_body_is_read_again(browser: &Browser, app: &TestApp) {
    let id = app.post("/listener", body("02")).await.json()["deliveryId"].as_str().unwrap().to_owned();
    app.post("/listener", br#"{"nothing": "of ours"}"#.to_vec()).await;
    // As an older version of the program left it: kept, and parked.
    app.database
        .execute(&format!(
            "update delivery set outcome = 'quarantined', reason_code = 'unprojected', reason = 'it broke' where delivery_id = '{id}'"
        ))
        .await;
    browser.go("/").await;
    browser.follow("Quarantine").await;
    let rows = browser.texts("table.list tbody tr").await;
    assert_eq!(rows.len(), 2);
    assert!(rows[0].contains("the body names no order") && rows[1].contains("it broke"), "{rows:?}");
    browser.click("table.list tbody tr:nth-child(2) button").await;
    assert!(browser.text(".banner").await.contains("its outcome is another one than before"));
    assert_eq!(browser.text("h1").await, "Delivery applied");
    browser.follow("Quarantine").await;
    browser.until("one is left", "document.querySelectorAll('table.list tbody tr').length === 1").await;
    browser.click("table.list tbody tr button").await;
    assert!(browser.text(".banner").await.contains("the same as before"));
    assert_eq!(browser.text("h1").await, "Delivery quarantined");
    assert!(browser.text(".attention").await.contains("no-order"));
}
