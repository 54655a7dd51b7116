//! Where people have to sign in.

use crate::app::{TestApp, body, operate};
use crate::browser::Browser;

/// Sets somebody up and waits until the service knows; gives the key.
pub async fn set_up(browser: &Browser, app: &TestApp, command: &str) -> String {
    let told = operate(&app.database, command).await;
    for _ in 0..200 {
        browser.go("/orders").await;
        if browser.path().await.starts_with("/sign-in") {
            return told["key"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the service stays open");
}

pub async fn sign_in(browser: &Browser, key: &str) {
    browser.find("#key").await.send_keys(key).await.unwrap();
    browser.click("form[action='/sign-in'] button").await;
    browser.until("somebody is signed in", "document.querySelector('.who')").await;
}

pub async fn a_reader_sees_who_they_are_and_nothing_they_may_not_do(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    app.post("/listener", br#"{"nothing": "of ours"}"#.to_vec()).await;
    let key = set_up(browser, app, "keys add anna").await;
    assert!(browser.all(".search, .parts").await.is_empty(), "strangers are offered nothing");
    sign_in(browser, &key).await;
    assert_eq!(browser.path().await, "/orders", "it goes on to where they wanted to go");
    assert_eq!(browser.text(".who bdi").await, "anna");
    assert_eq!(browser.text(".who small").await, "reads");
    browser.follow("Quarantine").await;
    assert_eq!(browser.all("table.list tbody tr").await.len(), 1);
    assert!(browser.all("form[action$='/retry']").await.is_empty());
    assert!(browser.text("main").await.contains("You are signed in as anna, who may read."));
    // What they looked at is nobody else's business.
    browser.go("/orders/00228874").await;
    browser.go("/").await;
    browser.until("the order is remembered", "document.querySelector('#recent a')").await;
    browser.click(".who button").await;
    browser.until("nobody is signed in", "location.pathname === '/sign-in'").await;
    browser.until("it is forgotten", "localStorage.getItem('recent-orders') === null").await;
    browser.go("/orders/00228874").await;
    assert!(browser.path().await.starts_with("/sign-in?to="), "the session is over");
}

pub async fn an_operator_reads_a_body_again(browser: &Browser, app: &TestApp) {
    app.post("/listener", br#"{"nothing": "of ours"}"#.to_vec()).await;
    let key = set_up(browser, app, "keys add otto --scope operate").await;
    sign_in(browser, &key).await;
    assert_eq!(browser.text(".who small").await, "reads and operates");
    browser.follow("Quarantine").await;
    browser.click("form[action$='/retry'] button").await;
    assert!(browser.text(".banner").await.contains("It was read again"));
}

pub async fn a_live_page_says_when_its_session_is_over(browser: &Browser, app: &TestApp) {
    app.post("/listener", body("02")).await;
    let key = set_up(browser, app, "keys add anna").await;
    sign_in(browser, &key).await;
    browser.go("/orders/00228874").await;
    browser.until("the page is live", "document.querySelector('#live')?.textContent.includes('● live')").await;
    app.database.execute("update session set expires_at = now() - interval '1 second'").await;
    // The tab is left and come back to, so that the page asks anew.
    for hidden in [true, false] {
        let tell = format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'))"
        );
        browser.run(&tell).await;
    }
    browser.until("the page says so", "document.querySelector('#live a')?.textContent.includes('sign in again')").await;
    assert!(browser.text("h1").await.starts_with("Order 00228874"), "what is shown stays to be read");
    browser.click("#live a").await;
    sign_in(browser, &key).await;
    assert_eq!(browser.path().await, "/orders/00228874", "it leads back");
}
