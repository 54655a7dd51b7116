//! Pages that follow what happens.

use crate::app::{TestApp, bodies, body};
use crate::browser::Browser;

/// The events of order 00228874 but for the last.
async fn deliver_most(app: &TestApp) {
    for (name, body) in bodies("bt-wholesale").into_iter().take(9) {
        assert_eq!(app.post("/listener", body).await.status, 200, "{name}");
    }
}

pub async fn a_new_event_appears_and_nothing_moves(browser: &Browser, app: &TestApp) {
    deliver_most(app).await;
    browser.go("/orders/00228874").await;
    browser
        .until("the page is live", "document.querySelector('#live:not([hidden])')?.textContent.includes('live')")
        .await;
    let before = browser.all("section.event").await.len();
    // Somebody reads an event further down.
    browser.run("document.querySelectorAll('section.event')[3].scrollIntoView()").await;
    let top = "return Math.round([...document.querySelectorAll('section.event')].find(one => one.getBoundingClientRect().bottom > 0).getBoundingClientRect().top)";
    let reading = "return [...document.querySelectorAll('section.event')].find(one => one.getBoundingClientRect().bottom > 0).dataset.delivery";
    let (was_at, was_reading) = (browser.run(top).await, browser.run(reading).await);
    assert_eq!(app.post("/listener", body("09")).await.status, 200);
    browser
        .until("the event appears", &format!("document.querySelectorAll('section.event').length === {}", before + 1))
        .await;
    assert_eq!(browser.run(reading).await, was_reading);
    let moved = (browser.run(top).await.as_i64().unwrap() - was_at.as_i64().unwrap()).abs();
    assert!(moved <= 2, "what is read stays where it is, and moved by {moved}");
    assert_eq!(browser.text("h1").await, "Order 00228874 completed", "the head follows, too");
    assert!(browser.text("section.event.new").await.contains("completed"));
    assert_eq!(browser.text("#news").await, "1 new event");
}

pub async fn a_page_that_lost_the_service_says_so_and_catches_up(browser: &Browser, app: &TestApp) {
    deliver_most(app).await;
    browser.go("/orders/00228874").await;
    browser.until("the page is live", "document.querySelector('#live')?.textContent.includes('● live')").await;
    // The page is told what a browser tells it when its tab is hidden, and when it is shown again.
    let tell = |hidden: bool| {
        format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'))"
        )
    };
    browser.run(&tell(true)).await;
    assert_eq!(app.post("/listener", body("09")).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(browser.text("h1").await, "Order 00228874 in progress", "a hidden page asks for nothing");
    browser.run(&tell(false)).await;
    browser.until("the page catches up", "document.querySelector('h1').textContent.includes('completed')").await;
    browser.run("window.dispatchEvent(new Event('pagehide'))").await;
}
