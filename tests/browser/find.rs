//! Finding orders.

use crate::app::TestApp;
use crate::browser::Browser;

/// Types an id into the search box and sends it off.
async fn search(browser: &Browser, id: &str) {
    let search = browser.find("#search").await;
    search.clear().await.unwrap();
    search.send_keys(id).await.unwrap();
    browser.run("document.body.dataset.before = 'true'").await;
    browser.click(".search button").await;
    browser.until("the answer is there", "document.readyState === 'complete' && !document.body.dataset.before").await;
}

pub async fn every_kind_of_id_finds_its_order(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/").await;
    for (id, order, kind) in [
        ("00228874", "00228874", "order id"),
        ("622FTTPNEWONTpreprod", "00228874", "external id"),
        ("0004130382", "00228874", "internal id"),
        ("100.4", "00228874", "item id"),
        ("93cbbd63-2d08-8df1-3247-7ad1c77ecfa4", "00228874", "product id"),
        ("BBONE0005347", "00228874", "service id"),
        ("ONT0073999999", "00228874", "characteristic"),
        ("28916d57-c84e-d159-7a39-501365e45f96", "00228874", "event id"),
        ("130011712", "00125512", "appointment id"),
        ("CCE2FF4FR", "00125512", "appointment reference"),
    ] {
        search(browser, id).await;
        assert!(browser.text("h1").await.starts_with(&format!("Order {order}")), "{id} goes straight to {order}");
        assert_eq!(browser.text(".found").await, format!("Found by {kind} {id}."));
    }
    search(browser, "CUG5099999999").await;
    assert_eq!(browser.all("table.list tbody tr").await.len(), 9);
    assert!(browser.texts("table.list tbody tr").await.iter().all(|row| row.contains("party id")));
    search(browser, "BBONE").await;
    assert!(browser.text("h1").await.contains("begins with BBONE"));
    assert!(browser.text("table.list").await.contains("service id BBONE0005347"));
    search(browser, "nobody has this").await;
    assert!(browser.text("main").await.contains("No order has the id nobody has this"));
}

pub async fn ids_are_suggested_as_they_are_typed(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/").await;
    browser.find("#search").await.send_keys("BBONE00").await.unwrap();
    let option = browser.find("#suggestions [role=option]").await;
    assert_eq!(option.text().await.unwrap(), "BBONE0005347\nservice id · order 00228874 · completed");
    option.click().await.unwrap();
    browser.until("the order opens", "document.querySelector('.order')").await;
    assert_eq!(browser.text(".found").await, "Found by service id BBONE0005347.");
    // What was looked at is offered before anything is typed.
    browser.go("/unknown").await;
    browser.click("#search").await;
    assert!(browser.text("#suggestions [role=option]").await.starts_with("00228874"));
}

pub async fn a_list_is_filtered_and_sorted_by_its_address(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/orders").await;
    assert_eq!(browser.all("table.list tbody tr").await.len(), 12);
    browser.choose("select[name=state]", "completed").await;
    browser.click(".filters button").await;
    browser.until("the list is filtered", "location.search.includes('state=completed')").await;
    assert_eq!(browser.all("table.list tbody tr").await.len(), 2);
    browser.follow("Without filters").await;
    browser.until("the list is whole", "document.querySelectorAll('table.list tbody tr').length === 12").await;
    browser.click("th a.sort").await;
    browser.until("the list is sorted", "location.search.includes('sort=orderId')").await;
    let ids = browser.texts("table.list tbody th a").await;
    assert!(ids.is_sorted() && ids.len() == 12, "{ids:?}");
    assert_eq!(browser.find("th[aria-sort]").await.attr("aria-sort").await.unwrap().unwrap(), "ascending");
    browser.go("/orders?attention=missed").await;
    let row = browser.text("table.list tbody tr").await;
    assert!(row.contains("00104089") && row.contains("7 Mar 2024 08:00–13:00"), "{row}");
}
