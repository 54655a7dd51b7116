//! Without scripts.

use crate::app::TestApp;
use crate::browser::Browser;

pub async fn all_of_it_works_without_scripts(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    app.post("/listener", br#"{"nothing": "of ours"}"#.to_vec()).await;
    browser.go("/").await;
    assert!(browser.all("button.keys:not([hidden]), button.copy:not([hidden])").await.is_empty(), "no dead buttons");
    browser.find("#search").await.send_keys("BBONE0005347").await.unwrap();
    browser.click(".search button").await;
    assert_eq!(browser.text("h1").await, "Order 00228874 completed");
    assert_eq!(browser.all("section.event").await.len(), 9);
    browser.choose("select[name=item]", "100.4").await;
    browser.click(".filters button").await;
    assert_eq!(browser.all("section.event").await.len(), 2);
    browser.follow("as it was then").await;
    assert!(browser.text(".banner").await.contains("Not now"));
    browser.follow("Show now").await;
    browser.follow("Deliveries of this order").await;
    assert_eq!(browser.all("table.list tbody tr").await.len(), 9);
    browser.click("table.list tbody th a").await;
    browser.follow("What differs from the one before").await;
    assert!(!browser.all(".differences tbody tr").await.is_empty());
    browser.choose("#zone", "UTC").await;
    browser.click(".zone button").await;
    assert_eq!(browser.text("h1").await, "What differs");
    browser.follow("Quarantine").await;
    browser.click("table.list tbody tr button").await;
    assert!(browser.text(".banner").await.contains("It was read again"));
    for part in ["Attention", "Silent", "Visits", "Unknown values", "Feed health", "API", "Orders", "Home"] {
        browser.follow(part).await;
        assert_eq!(browser.all("main h1").await.len(), 1, "{part}");
    }
}
