//! Reading an order.

use serde_json::{Value, json};

use crate::app::{TestApp, body};
use crate::browser::Browser;

pub async fn a_timeline_is_read_and_filtered(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/orders/00228874").await;
    assert_eq!(browser.text("h1").await, "Order 00228874 completed");
    assert_eq!(browser.text(".lead").await, "Root item 100 is completed.");
    let steps = browser.texts(".step.reached strong").await;
    assert_eq!(steps, ["First heard of", "KCI1", "KCI2", "KCI3", "Closed"]);
    assert_eq!(browser.all("section.event").await.len(), 9);
    let newest = browser.text("section.event").await;
    assert!(newest.contains("Order completed. Root item 100 is completed."), "{newest}");
    // The picture and its equal in words.
    assert!(!browser.all("svg.story rect.band").await.is_empty());
    browser.click("details.same summary").await;
    let same = browser.text("details.same table").await;
    for words in ["committed by the supplier", "expected completion", "message 530", "message 530 says"] {
        assert!(same.contains(words), "{words}: {same}");
    }
    let facts = browser.text(".facts").await;
    for words in ["Product\nAccess", "BBONE0005347", "Expected completion\n23 Feb 2023"] {
        assert!(facts.contains(words), "{words}: {facts}");
    }

    browser.choose("select[name=kind]", "milestone").await;
    browser.choose("select[name=sort]", "oldest").await;
    browser.click(".filters button").await;
    browser.until("the timeline is filtered", "document.querySelectorAll('section.event').length === 3").await;
    let milestones = browser.texts(".entry p").await;
    assert!(
        milestones[0].starts_with("Milestone KCI1") && milestones[2].starts_with("Milestone KCI3"),
        "{milestones:?}"
    );
    browser.choose("select[name=kind]", "").await;
    browser.find("input[name=text]").await.send_keys("ont reference").await.unwrap();
    browser.click(".filters button").await;
    browser.until("the text is looked for", "location.search.includes('text=ont')").await;
    assert_eq!(browser.all(".entry").await.len(), 2);
    assert_eq!(browser.all(".step.reached").await.len(), 5, "what is above is of the whole order");
}

pub async fn an_order_is_seen_as_it_was_and_as_it_was_known(browser: &Browser, app: &TestApp) {
    app.post("/listener", body("13")).await;
    let between = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    app.post("/listener", body("16")).await;
    browser.go("/orders/00102884?sort=oldest").await;
    assert_eq!(browser.all("section.event").await.len(), 2);
    assert!(browser.text("section.event").await.contains("late"), "the first was received second");
    browser.follow("as it was then").await;
    let banner = browser.text(".banner").await;
    assert!(banner.contains("Not now: this is the order as it was at Tue 27 Feb 2024, 16:32:45 GMT"), "{banner}");
    assert_eq!(browser.all("section.event").await.len(), 1);
    assert!(browser.all(".order[data-live]").await.is_empty(), "the past does not change");
    browser.follow("Show now").await;
    browser.until("now is shown", "!document.querySelector('.banner')").await;
    assert_eq!(browser.all("section.event").await.len(), 2);
    browser.go(&format!("/orders/00102884?knownAt={between}")).await;
    assert!(browser.text(".banner").await.contains("as we knew it at"));
    assert_eq!(browser.all("section.event").await.len(), 1);
    assert!(!browser.text("#events").await.contains("late"), "nobody could know that then");
    browser.go("/orders/00102884?at=2001-01-01T00:00").await;
    assert!(browser.text("main").await.contains("Nothing had happened to it yet at Mon 1 Jan 2001, 00:00:00 GMT"));
    browser.follow("Show now").await;
    assert_eq!(browser.all("section.event").await.len(), 2);
}

pub async fn a_slider_leads_to_what_was_known(browser: &Browser, app: &TestApp) {
    app.post("/listener", body("16")).await;
    app.post("/listener", body("13")).await;
    browser.go("/orders/00102884").await;
    let known = "input[type=range][aria-label^='As we knew it']";
    assert_eq!(browser.find(known).await.attr("aria-valuetext").await.unwrap().as_deref(), Some("now"));
    // By keys it goes from event to event, and away with Enter only: from now to the second receipt to the first.
    browser.run(&format!("document.querySelector(\"{known}\").focus()")).await;
    browser.press("\u{E012}\u{E012}").await;
    assert!(browser.text(".instant output:not(:empty)").await.contains("1 of 2 – Enter goes there"));
    assert!(browser.all(".banner").await.is_empty());
    browser.press("\u{E007}").await;
    browser.until("the past is shown", "document.querySelector('.banner')").await;
    assert!(browser.text(".banner").await.contains("as we knew it at"));
    assert_eq!(browser.all("section.event").await.len(), 1, "the first was received, to the microsecond");
    assert!(browser.find(known).await.attr("aria-valuetext").await.unwrap().unwrap().contains("1 of 2"));
    // The field beside it says the same in the viewer's zone, and leads there as well.
    browser.choose("#zone", "UTC").await;
    browser.click(".zone button").await;
    browser.until("the zone is another", "document.body.dataset.zone === 'UTC'").await;
    assert!(browser.text(".travel").await.contains("As we knew it at (UTC)"));
    browser.click(".travel button").await;
    browser.until("the form is sent", "location.search.includes('sender=')").await;
    assert!(browser.path().await.contains("knownAt=") && !browser.path().await.contains("zone="));
    // Back to now with the slider's last stop.
    browser.run(&format!("document.querySelector(\"{known}\").focus()")).await;
    browser.press("\u{E014}\u{E014}\u{E007}").await;
    browser.until("now is shown", "!document.querySelector('.banner')").await;
}

pub async fn an_entry_leads_to_its_delivery_and_to_what_differs(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    browser.go("/orders/00228874").await;
    browser.click("section.event .links a").await;
    assert_eq!(browser.text("h1").await, "Delivery applied");
    let shown = browser.text("pre.body").await;
    let exact: Value = serde_json::from_slice(&body("09")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), exact, "only the space between its parts differs");
    assert!(browser.text(".headers").await.contains("application/json"));
    browser.follow("What differs from the one before").await;
    let row = browser.texts(".differences tbody tr").await.into_iter().find(|row| row.contains("ONTReferenceNumber"));
    let row = row.expect("the reference differs");
    assert!(row.contains("SFB0228874-1") && row.contains("ONT0073999999"), "{row}");
}

/// Markup in every place that a sender fills.
pub async fn hostile_text_is_shown_as_text(browser: &Browser, app: &TestApp) {
    let hostile = |place: &str| {
        format!("<img src=x onerror=\"document.title='{place}'\"><script>document.title='{place}'</script>")
    };
    let event = json!({
        "eventId": hostile("event"),
        "eventType": hostile("type"),
        "eventTime": "2024-03-01T10:00:00Z",
        "event": { "productOrder": {
            "id": hostile("order"),
            "externalId": hostile("external"),
            "relatedParty": { "id": hostile("party"), "role": hostile("role"), "name": hostile("name") },
            "productOrderItem": { "id": hostile("item"), "state": hostile("state"), "subStatus": hostile("sub"), "action": hostile("action"),
                "productOffering": { "id": hostile("offering") },
                "product": { "id": hostile("product"), "productCharacteristic": { "name": hostile("characteristic"), "value": hostile("value") } },
                "appointment": { "id": hostile("visit"), "appointmentStatus": hostile("status") } },
            "errorMessage": { "subCode": hostile("code"), "message": hostile("message"), "productOrderItem": { "itemId": hostile("item") } },
        } },
    });
    let receipt = app.post("/listener", event.to_string()).await.json();
    assert_eq!(receipt["outcome"], "applied", "{receipt}");
    let delivery = receipt["deliveryId"].as_str().unwrap();
    browser.go("/orders").await;
    browser.click("table.list tbody th a").await;
    for path in [
        browser.path().await,
        "/".to_owned(),
        "/orders".to_owned(),
        "/unknown".to_owned(),
        "/orders?q=%3Cimg".to_owned(),
        format!("/deliveries/{delivery}"),
        format!("/deliveries/{delivery}/difference?with={delivery}"),
    ] {
        browser.go(&path).await;
        browser.until("the page is whole", "document.readyState === 'complete'").await;
        assert!(browser.all("main img, main script").await.is_empty(), "{path}");
        let title = browser.client.title().await.unwrap();
        assert!(title.ends_with("Order timeline"), "{path}: {title}");
        if path.starts_with("/orders/") {
            let page = browser.run("return document.querySelector('main').textContent").await;
            for place in ["order", "external", "party", "role", "item", "sub", "value", "visit", "message"] {
                assert!(page.as_str().unwrap().contains(&hostile(place)), "{place} stands there as it came");
            }
        }
    }
    browser.find("#search").await.send_keys("<img").await.unwrap();
    browser
        .until(
            "ids are suggested",
            "document.querySelector('#suggestions:not([hidden]) .title')?.textContent.includes('begin')",
        )
        .await;
    let option = browser.text("#suggestions [role=option]").await;
    assert!(option.contains("<img src=x onerror="), "{option}");
    assert!(browser.all("#suggestions img").await.is_empty());
}

pub async fn times_are_told_in_the_zone_that_is_chosen(browser: &Browser, app: &TestApp) {
    let summer = include_bytes!("../../fixtures/bt-wholesale-variants/event-time-in-summer-time.json");
    let order = app.post("/listener", summer.to_vec()).await.json()["orderId"].as_str().unwrap().to_owned();
    browser.go(&format!("/orders/{order}")).await;
    let local = browser.text("section.event h3").await;
    browser.choose("#zone", "UTC").await;
    browser.click(".zone button").await;
    browser.until("the zone is another", "document.body.dataset.zone === 'UTC'").await;
    assert!(browser.path().await.starts_with(&format!("/orders/{order}")), "it goes back to the page");
    let utc = browser.text("section.event h3").await;
    let hour = |time: &str| time.rsplit_once(' ').unwrap().1[..2].parse::<u32>().unwrap();
    assert_eq!(hour(&local), hour(&utc) + 1, "{local} is {utc}");
    let title = browser.find("section.event h3 time").await.attr("title").await.unwrap().unwrap();
    assert!(title.ends_with("UTC"), "{title}");
}

pub async fn nothing_is_asked_of_others(browser: &Browser, app: &TestApp) {
    app.deliver_all().await;
    for path in ["/", "/orders/00228874"] {
        browser.go(path).await;
        browser.until("the page is whole", "document.readyState === 'complete'").await;
        let foreign = browser
            .run("return performance.getEntriesByType('resource').map(one => one.name).filter(name => !name.startsWith(location.origin))")
            .await;
        assert_eq!(foreign, json!([]), "{path}");
        // The policy lets nothing run or lend style that stands in the page.
        let inline = browser.all("script:not([src]), style, [style], [onclick], [onload]").await;
        assert!(inline.is_empty(), "{path}");
    }
}
