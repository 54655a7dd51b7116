//! Without a mouse.

use fantoccini::key::Key;

use crate::app::TestApp;
use crate::browser::Browser;

fn key(key: Key) -> String {
    char::from(key).to_string()
}

pub async fn everything_is_reached_by_keys(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/orders").await;
    browser.press(&key(Key::Tab)).await;
    assert_eq!(browser.run("return document.activeElement.textContent").await, "Skip to content");
    browser.press(&key(Key::Enter)).await;
    assert_eq!(browser.run("return document.activeElement.id").await, "content");

    browser.press("?").await;
    assert_eq!(browser.run("return document.getElementById('help').open").await, true);
    browser.press(&key(Key::Escape)).await;
    assert_eq!(browser.run("return document.getElementById('help').open").await, false);

    browser.press("jjk").await;
    let row = "return [...document.querySelectorAll('[data-walk]')].indexOf(document.activeElement)";
    assert_eq!(browser.run(row).await, 0);
    browser.press("j").await;
    assert_eq!(browser.run(row).await, 1);
    let id = browser.run("return document.activeElement.querySelector('a').textContent").await;
    browser.press(&key(Key::Enter)).await;
    browser.until("the order opens", "document.querySelector('.order')").await;
    assert!(browser.text("h1").await.contains(id.as_str().unwrap()));

    browser.press("/BBONE00").await;
    browser
        .until(
            "an id is suggested",
            "document.querySelector('#suggestions [role=option]')?.textContent.includes('BBONE')",
        )
        .await;
    browser.press(&key(Key::Down)).await;
    assert_eq!(browser.find("#search").await.attr("aria-activedescendant").await.unwrap().unwrap(), "suggestion-0");
    browser.press(&key(Key::Enter)).await;
    browser.until("the order opens", "document.querySelector('h1').textContent.includes('00228874')").await;
    browser.press("j").await;
    browser.press(&key(Key::Enter)).await;
    browser.until("the delivery opens", "location.pathname.startsWith('/deliveries/')").await;
    browser.press("ga").await;
    browser.until("the queue opens", "location.pathname === '/attention'").await;
}
