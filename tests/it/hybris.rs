//! The Hybris front door: every example of its document, and what must not happen twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use order_timeline::http::App;
use order_timeline::hybris::{Answer as BssAnswer, Bss, Client, Failure, Hybris, Order, Simulator, System};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{Answer, TestApp, bodies};

/// A file of the document.
fn printed(name: &str) -> Vec<u8> {
    bodies("hybris").into_iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

async fn place(app: &TestApp, market: &str, correlation_id: &str, conversation_id: &str, body: Vec<u8>) -> Answer {
    let headers = [
        ("Content-Type", "application/json"),
        ("client-id", "hybris"),
        ("client-secret", "hush"),
        ("correlationId", correlation_id),
        ("lob", "FIXED"),
        ("channelId", "ECOM"),
        ("X-Conversation-Id", conversation_id),
    ];
    app.send("POST", &format!("/hybris/{market}/productOrder"), &headers, body).await
}

const CONVERSATION: &str = "QAHA017633E52B68CF0000";

fn pretty(json: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

/// The timeline as people read it.
async fn told(app: &TestApp, order_id: &str, sender: &str) -> Vec<String> {
    let timeline = app.json(&format!("/api/v1/orders/{order_id}/timeline?sender={sender}")).await;
    let entries = timeline.get("entries").and_then(Value::as_array).unwrap().iter();
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap().to_owned();
    entries.map(|entry| format!("{}: {}", text(entry, "kind"), text(entry, "text"))).collect()
}

#[tokio::test]
async fn every_example_gets_the_documented_answer_and_begins_a_timeline() {
    let app = TestApp::start().await;
    for (market, example, order_id) in [
        ("PR", "pr-self-install", "1200047552281013"),
        ("PR", "pr-technician-visit", "1200047553421014"),
        ("PR", "pr-unscheduled", "1200048006601012"),
        ("JM", "jm-liberate", "DJ0001H"),
        ("JM", "jm-cerillion", "4730301"),
        ("PA", "pa", "FL0070H"),
    ] {
        let (request, documented) =
            (printed(&format!("{example}.request.json")), printed(&format!("{example}.answer.json")));
        let answer = place(&app, market, example, CONVERSATION, request.clone()).await;
        assert_eq!((answer.status, answer.text()), (201, String::from_utf8(documented.clone()).unwrap()), "{example}");
        assert_eq!(answer.content_type, "application/json");

        let sender = format!("hybris-{}", market.to_lowercase());
        insta::assert_snapshot!(format!("timeline_{example}"), told(&app, order_id, &sender).await.join("\n"));
        let deliveries = app.json(&format!("/api/v1/orders/{order_id}/deliveries")).await;
        let deliveries = deliveries["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 2, "{example}");
        for (delivery, bytes) in deliveries.iter().zip([documented, request]) {
            let id = delivery["deliveryId"].as_str().unwrap();
            assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, bytes, "{example}");
            assert_eq!((&delivery["sender"], &delivery["outcome"]), (&json!(sender), &json!("applied")), "{example}");
            assert!(!delivery.to_string().contains("hush"), "{delivery}");
        }
        let status = app.json(&format!("/hybris/{market}/productOrder/{order_id}")).await;
        assert_eq!((&status["id"], &status["state"]), (&json!(order_id), &json!("Acknowledged")), "{example}");
    }
    // The same from the deliveries alone: a projection and nothing else.
    for order in app.json("/api/v1/orders").await["orders"].as_array().unwrap() {
        let order_id = order["orderId"].as_str().unwrap();
        let now = app.json(&format!("/api/v1/orders/{order_id}/timeline")).await;
        let anew = app.json(&format!("/api/v1/orders/{order_id}/timeline?knownAt=9999-01-01")).await;
        assert_eq!(now, anew, "{order_id}");
    }
    app.stop().await;
}

#[tokio::test]
async fn every_warning_is_passed_through_and_told_in_words_with_advice() {
    let app = TestApp::start().await;
    let mut all = Vec::new();
    for (case, file) in [
        ("SIM-EXISTING-CUSTOMER", "pr-existing-customer.warning.txt"),
        ("SIM-OUTAGE", "pr-outage.warning.txt"),
        ("SIM-NO-DATES", "pr-no-dates.warning.txt"),
    ] {
        // An order of its own for each: the document's has an id of its own.
        let request = String::from_utf8(printed("pr-technician-visit.request.json")).unwrap();
        let answer = place(&app, "PR", case, case, request.replace("0000000000000981", case).into()).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let line = String::from_utf8(printed(file)).unwrap();
        let documented: Value =
            serde_json::from_str(&format!("{{{}}}", line.trim_end().trim_end_matches(','))).unwrap();
        assert_eq!(answer.json()["description"], documented["description"]);
        assert_eq!(answer.json()["state"], "Acknowledged");
        let order_id = answer.json()["id"].as_str().unwrap().to_owned();
        let timeline = app.json(&format!("/api/v1/orders/{order_id}/timeline")).await;
        let messages = timeline["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "message");
        all.extend(messages.map(|entry| json!([entry["code"], entry["severity"], entry["text"]])));
        // And on the document's own request, whose answer is the printed one with the printed line in it.
        let own = place(&app, "PR", &format!("{case}-own"), case, printed("pr-technician-visit.request.json")).await;
        let printed_answer = String::from_utf8(printed("pr-technician-visit.answer.json")).unwrap();
        let line = format!("{},", line.trim_end().trim_end_matches(','));
        assert_eq!(own.text(), printed_answer.replace("\"description\": \"\",", &line));
    }
    insta::assert_snapshot!("warnings", pretty(&all));
    app.stop().await;
}

#[tokio::test]
async fn every_error_is_passed_through_and_told_as_a_failed_attempt() {
    let app = TestApp::start().await;
    for (case, file) in [
        ("SIM-EXPIRED", "pr-conversation-expired.error.json"),
        ("SIM-SIGNED-OFF", "pr-order-signed-off.error.json"),
        ("SIM-NO-SLOT", "pr-no-slot.error.json"),
    ] {
        let answer = place(&app, "PR", case, case, printed("pr-technician-visit.request.json")).await;
        assert_eq!((answer.status, answer.body), (400, printed(file)), "{case}");
    }
    let attempts = "attempt-0000000000000981";
    let timeline = told(&app, attempts, "hybris-pr").await;
    let of_attempts: Vec<String> =
        timeline.into_iter().filter(|told| !told.starts_with("item") && !told.starts_with("char")).collect();
    insta::assert_snapshot!("failed_attempts", of_attempts.join("\n"));
    assert_eq!(app.json(&format!("/api/v1/orders/{attempts}")).await["state"], "rejected");
    let found = app.json("/api/v1/orders?q=0000000000000981").await;
    assert_eq!(found["orders"][0]["orderId"], attempts, "the external id finds the attempts");
    let deliveries = app.json("/api/v1/deliveries?sender=hybris-pr").await;
    assert_eq!(deliveries["deliveries"].as_array().unwrap().len(), 6);
    app.stop().await;
}

#[tokio::test]
async fn the_request_that_is_no_json_as_it_is_printed_is_refused_and_kept_as_it_is() {
    let app = TestApp::start().await;
    let body = printed("pr-unscheduled.request.as-printed.txt");
    let answer = place(&app, "PR", "c-1", CONVERSATION, body.clone()).await;
    assert_eq!(answer.status, 400);
    let error = &answer.json()["errors"][0];
    assert_eq!((&error["code"], &error["message"]), (&json!(400), &json!("The request body is not JSON")));
    let kept = &app.json("/api/v1/deliveries?outcome=quarantined").await["deliveries"][0];
    assert_eq!((&kept["sender"], &kept["reasonCode"]), (&json!("hybris-pr"), &json!("not-json")));
    let id = kept["deliveryId"].as_str().unwrap();
    assert!(error["description"].as_str().unwrap().contains(id));
    assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, body);
    // It takes no correlationId: corrected, it goes through.
    let answer = place(&app, "PR", "c-1", CONVERSATION, printed("pr-unscheduled.request.json")).await;
    assert_eq!((answer.status, answer.body), (201, printed("pr-unscheduled.answer.json")));
    app.stop().await;
}

#[tokio::test]
async fn whatever_is_mandatory_and_missing_or_malformed_is_named_by_the_documents_own_name() {
    let app = TestApp::start().await;
    let names = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, 400, "{}", answer.text());
        let body = answer.json();
        let errors = body["errors"].as_array().unwrap().iter();
        errors.map(|error| error["message"].as_str().unwrap().to_owned()).collect()
    };
    let answer = app.post("/hybris/PR/productOrder", "{}").await;
    insta::assert_snapshot!("all_that_is_mandatory", pretty(&answer.json()));

    let valid: Value = serde_json::from_slice(&printed("pr-self-install.request.json")).unwrap();
    let note = |name: &str| {
        let position = valid["note"].as_array().unwrap().iter().position(|note| note["@type"] == name).unwrap();
        format!("/note/{position}/text")
    };
    let mut cases = vec![
        ("/billingAccount/id".to_owned(), "billingAccount.id", json!({})),
        ("/requestedCompletionDate".to_owned(), "requestedCompletionDate", json!("tomorrow")),
        ("/relatedParty/0/id".to_owned(), "customerId", json!(["1"])),
    ];
    for name in ["OrderReasonCode", "CampaignCode", "JobType"] {
        cases.push((note(name), name, json!(true)));
    }
    cases.push((note("InstallationType"), "InstallationType", json!("Both")));
    cases.push((note("TelephoneNumberId"), "TelephoneNumberId", json!("none")));
    assert_eq!(cases.len(), 8, "the document's list");
    for (place_in_body, name, malformed) in cases {
        for (value, word) in [(Value::Null, "missing"), (json!("  "), "missing"), (malformed, "malformed")] {
            let mut body = valid.clone();
            *body.pointer_mut(&place_in_body).unwrap() = value;
            let answer = place(&app, "PR", "c", CONVERSATION, body.to_string().into()).await;
            assert_eq!(names(&answer), [format!("{name} is {word}")]);
        }
    }
    let lob = [("client-id", "a"), ("client-secret", "b"), ("correlationId", "c"), ("lob", "MOBILE")];
    let answer = app.send("POST", "/hybris/JM/productOrder", &lob, printed("jm-liberate.request.json")).await;
    assert_eq!(names(&answer), ["lob is malformed", "channelId is missing"], "JM needs no X-Conversation-Id");
    for body in ["[]", "7", "null", "\"x\""] {
        assert_eq!(names(&place(&app, "PA", "c", "", body.into()).await), ["productOrder is malformed"]);
    }
    // A business rule is none of ours: an unknown job type goes to the BSS.
    let mut body = valid.clone();
    *body.pointer_mut(&note("JobType")).unwrap() = json!("??");
    assert_eq!(place(&app, "PR", "c", CONVERSATION, body.to_string().into()).await.status, 201);
    // A refused attempt is told of its order too.
    let told = told(&app, "attempt-0000000000002861", "hybris-pr").await;
    let wanted = "message: Attempt failed, NOT-VALID: the request lacks what it must have";
    assert!(told.iter().any(|told| told.starts_with(wanted)), "{told:#?}");
    app.stop().await;
}

/// Counts what reaches it; answers as it is told.
struct Counting<F>(Arc<AtomicUsize>, F);

impl<F> std::fmt::Debug for Counting<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counting")
    }
}

impl<F> Bss for Counting<F>
where
    F: Fn(Order) -> BoxFuture<'static, Result<BssAnswer, Failure>> + Send + Sync,
{
    fn place<'c>(&'c self, order: &'c Order) -> BoxFuture<'c, Result<BssAnswer, Failure>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        (self.1)(order.clone())
    }
}

fn behind(
    calls: &Arc<AtomicUsize>,
    answer: impl Fn(Order) -> BoxFuture<'static, Result<BssAnswer, Failure>> + Send + Sync + 'static,
) -> impl FnOnce(&mut App) {
    let mut hybris =
        Hybris { time_out: Duration::from_secs(5), grace: Duration::from_millis(300), ..Hybris::default() };
    let bss: Arc<dyn Bss> = Arc::new(Counting(Arc::clone(calls), answer));
    System::ALL.into_iter().for_each(|system| hybris.put(system, Arc::clone(&bss)));
    move |app| app.hybris = Arc::new(hybris)
}

fn simulated(order: Order) -> BoxFuture<'static, Result<BssAnswer, Failure>> {
    Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Simulator.place(&order).await
    })
}

async fn called(calls: &AtomicUsize) {
    while calls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_same_request_again_gets_the_recorded_answer_without_a_second_order() {
    let calls = Arc::new(AtomicUsize::new(0));
    let app = TestApp::with(behind(&calls, simulated)).await;
    let request = printed("pr-self-install.request.json");
    let at_once = (0..20).map(|_| place(&app, "PR", "same", CONVERSATION, request.clone()));
    let answers = futures_util::future::join_all(at_once).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == printed("pr-self-install.answer.json")));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count(), 1);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let outcomes = app.database.rows("select outcome, count(*) as n from delivery group by outcome").await;
    assert_eq!(outcomes, [json!({ "outcome": "duplicate", "n": 19 }), json!({ "outcome": "applied", "n": 2 })]);

    // A refusal is an answer too.
    for _ in 0..2 {
        let again = place(&app, "PR", "refused", "SIM-EXPIRED", request.clone()).await;
        assert_eq!((again.status, again.body), (400, printed("pr-conversation-expired.error.json")));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    let other = place(&app, "PR", "same", CONVERSATION, printed("pr-technician-visit.request.json")).await;
    assert_eq!(other.status, 409);
    assert_eq!(other.json()["errors"][0]["message"], "The correlationId is taken");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    // Another market is another system.
    assert_eq!(place(&app, "PA", "same", "", printed("pa.request.json")).await.status, 201);
    app.stop().await;
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_shown_to_the_operator_and_never_placed_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let never = |_| -> BoxFuture<'static, _> { Box::pin(std::future::pending()) };
    let mut app = TestApp::with(behind(&calls, never)).await;
    let request = printed("pr-technician-visit.request.json");
    tokio::select! {
        answer = place(&app, "PR", "lost", CONVERSATION, request.clone()) => panic!("{}", answer.text()),
        () = called(&calls) => {}
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let sent = app.database.rows("select state, request = $$x$$::bytea as x from hybris_exchange").await;
    assert_eq!(sent, [json!({ "state": "sent", "x": false })], "it is written down before the BSS is called");
    app.restart(behind(&calls, simulated)).await;
    app.database.execute("update hybris_exchange set due_at = now() - interval '1 second'").await;

    let at_once = (0..8).map(|_| place(&app, "PR", "lost", CONVERSATION, request.clone()));
    for answer in futures_util::future::join_all(at_once).await {
        assert_eq!(answer.status, 502, "{}", answer.text());
        let description = answer.json()["errors"][0]["description"].as_str().unwrap().to_owned();
        let id = description.rsplit(' ').next().unwrap();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, request, "{description}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1, "the BSS is not called again");
    let unsettled = app.database.rows("select from hybris_exchange where state = 'unknown' and kept").await;
    assert_eq!(unsettled.len(), 1);
    let outcomes = app.database.rows("select outcome, count(*) as n from delivery group by outcome").await;
    assert_eq!(outcomes, [json!({ "outcome": "applied", "n": 2 }), json!({ "outcome": "duplicate", "n": 8 })]);
    let told = told(&app, "attempt-0000000000000981", "hybris-pr").await;
    assert!(
        told.iter().any(|told| told.starts_with("message: Attempt without an answer, OUTCOME-UNKNOWN")),
        "{told:#?}"
    );
    app.stop().await;
}

#[tokio::test]
async fn an_attempt_of_which_nobody_knows_is_not_hidden_by_a_later_one_that_failed() {
    let app = TestApp::start().await;
    let request = printed("pr-technician-visit.request.json");
    assert_eq!(place(&app, "PR", "first", "SIM-NO-ANSWER", request.clone()).await.status, 502);
    // A refusal by the BSS, a correlationId that is taken, and a request that is not whole.
    assert_eq!(place(&app, "PR", "second", "SIM-NO-SLOT", request.clone()).await.status, 400);
    let other = String::from_utf8(request.clone()).unwrap().replace("\"RES\"", "\"BUS\"");
    assert_eq!(place(&app, "PR", "first", "SIM-NO-ANSWER", other.into_bytes()).await.status, 409);
    assert_eq!(place(&app, "PR", "third", "", request).await.status, 400);
    let attempt = app.json("/api/v1/orders/attempt-0000000000000981?sender=hybris-pr").await;
    assert_eq!(attempt["state"], "pending", "{attempt}");
    assert_eq!(attempt["attention"][0]["reason"], "action-needed", "{attempt}");
    assert_eq!(app.json("/api/v1/orders?attention=action-needed").await["orders"].as_array().unwrap().len(), 1);
    // As people copy it from the request, with its #.
    let found = app.json("/api/v1/orders?q=%23190150614889701").await;
    assert_eq!(found["orders"].as_array().unwrap().len(), 1, "{found}");
    app.stop().await;
}

#[tokio::test]
async fn what_a_former_run_left_behind_is_settled_at_the_start() {
    let calls = Arc::new(AtomicUsize::new(0));
    let never = |_| -> BoxFuture<'static, _> { Box::pin(std::future::pending()) };
    let mut app = TestApp::with(behind(&calls, never)).await;
    tokio::select! {
        answer = place(&app, "PA", "lost", "", printed("pa.request.json")) => panic!("{}", answer.text()),
        () = called(&calls) => {}
    }
    app.database.execute("update hybris_exchange set due_at = now() - interval '1 second'").await;
    app.restart(|_| {}).await;
    for _ in 0..100 {
        if app.database.rows("select from hybris_exchange where state = 'unknown' and kept").await.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = app.json("/api/v1/orders?q=324063130000").await;
    assert_eq!(found["orders"][0]["orderId"], "attempt-lost", "the account finds it: {found}");
    assert_eq!(found["orders"][0]["state"], "pending");
    app.stop().await;
}

#[tokio::test]
async fn an_answer_that_the_database_would_not_take_is_written_down_when_it_will() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut app = TestApp::start().await;
    let pool = app.database.pool.clone();
    app.restart(|app| {
        let broken = move |order: Order| -> BoxFuture<'static, _> {
            let pool = pool.clone();
            Box::pin(async move {
                sqlx::query("alter table hybris_exchange rename to away").execute(&pool).await.unwrap();
                Simulator.place(&order).await
            })
        };
        behind(&calls, broken)(app);
        let mut hybris = (*app.hybris).clone();
        hybris.time_out = Duration::from_secs(1);
        app.hybris = Arc::new(hybris);
    })
    .await;
    let request = printed("pr-self-install.request.json");
    let answer = place(&app, "PR", "held", CONVERSATION, request.clone()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("correlationId held"), "{}", answer.text());
    assert_eq!(place(&app, "PR", "held", CONVERSATION, request.clone()).await.status, 503, "the database is away");
    app.database.execute("alter table away rename to hybris_exchange").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = place(&app, "PR", "held", CONVERSATION, request).await;
    assert_eq!((again.status, again.body), (201, printed("pr-self-install.answer.json")));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    app.stop().await;
}

#[tokio::test]
async fn an_order_is_found_by_every_id_that_people_have_in_hand() {
    let app = TestApp::start().await;
    place(&app, "PR", "corr-7", CONVERSATION, printed("pr-self-install.request.json")).await;
    place(&app, "JM", "corr-8", "", printed("jm-cerillion.request.json")).await;
    for (q, order, kind) in [
        ("1200047552281013", "1200047552281013", "order-id"),
        ("0000000000002861", "1200047552281013", "external-id"),
        ("190150638551501", "1200047552281013", "account"),
        ("9395455945", "1200047552281013", "telephone-number"),
        ("00000000000028610001", "1200047552281013", "job-id"),
        ("1901506147568", "1200047552281013", "party-id"),
        ("F7B3I", "1200047552281013", "item-id"),
        ("F7B3I/RV3BC", "1200047552281013", "item-id"),
        ("RV3BC", "1200047552281013", "product-id"),
        ("corr-7", "1200047552281013", "event-id"),
        ("4730301", "4730301", "order-id"),
        ("100015870000", "4730301", "account"),
    ] {
        let found = app.json(&format!("/api/v1/orders?q={q}")).await;
        let orders = found["orders"].as_array().unwrap();
        assert_eq!((orders.len(), &orders[0]["orderId"]), (1, &json!(order)), "{q}: {found}");
        assert_eq!(orders[0]["matched"], json!([kind]), "{q}");
    }
    let oddities = app.database.rows("select oddities from delivery where order_id = '1200047552281013'").await;
    let all = serde_json::to_string(&oddities).unwrap();
    assert!(all.contains("hash-before-id") && all.contains("repeated-item-id"), "{all}");
    let number = app.database.rows("select oddities from delivery where order_id = '4730301'").await;
    assert!(serde_json::to_string(&number).unwrap().contains("number-for-text"));
    app.stop().await;
}

#[tokio::test]
async fn an_order_placed_here_and_followed_by_events_is_one_timeline_from_placed_to_completed() {
    let app = TestApp::start().await;
    place(&app, "PR", "c", CONVERSATION, printed("pr-self-install.request.json")).await;
    let event = |id: &str, items: Value| {
        let order = json!({ "id": "1200047552281013", "productOrderItem": items });
        json!({ "eventId": id, "eventType": "ProductOrderStateChangeEvent", "event": { "productOrder": order } })
    };
    let path = "/listener/productOrderStateChangeEvent?sender=hybris-pr";
    // One of six items of the same id, alone: it is the one of its product.
    let one = json!([{ "id": "F7B3I", "state": "inProgress", "product": { "id": "RV3BC" } }]);
    assert_eq!(app.post(path, event("e-1", one).to_string()).await.json()["outcome"], "applied");
    assert_eq!(app.json("/hybris/PR/productOrder/1200047552281013").await["state"], "InProgress");
    let request: Value = serde_json::from_slice(&printed("pr-self-install.request.json")).unwrap();
    let all = request["productOrderItem"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({ "id": item["id"], "state": "completed", "product": { "id": item["product"]["id"] } }));
    let receipt = app.post(path, event("e-2", all.collect()).to_string()).await.json();
    assert_eq!((&receipt["outcome"], &receipt["orderId"]), (&json!("applied"), &json!("1200047552281013")));

    let order = app.json("/api/v1/orders/1200047552281013").await;
    assert_eq!((&order["state"], &order["sender"]), (&json!("completed"), &json!("hybris-pr")));
    assert_eq!(order["items"].as_array().unwrap().len(), 10, "no item is there twice");
    let told = told(&app, "1200047552281013", "hybris-pr").await;
    let states: Vec<String> =
        told.into_iter().filter(|told| told.starts_with("order-") || told.starts_with("item-state")).collect();
    insta::assert_snapshot!("placed_to_completed", states.join("\n"));
    app.stop().await;
}

#[tokio::test]
async fn the_listener_takes_no_senders_but_those_it_is_configured_for_and_no_headers_of_our_own() {
    let app = TestApp::start().await;
    let body = r#"{"event":{"productOrder":{"id":"1"}}}"#;
    let answer = app.post("/listener?sender=nobody", body).await;
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("unknown-sender")));
    let spoof = [("x-order-timeline-order", "2"), ("x-order-timeline-part", "answer")];
    let receipt = app.send("POST", "/listener", &spoof, body).await.json();
    assert_eq!((&receipt["orderId"], &receipt["outcome"]), (&json!("1"), &json!("applied")));
    app.stop().await;
}

/// A billing system that gives this answer to every connection, or none; tells what it was sent.
async fn fake_bss(answer: Option<&'static str>) -> (reqwest::Url, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/bss/productOrder", listener.local_addr().unwrap()).parse().unwrap();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let all = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                let mut request = Vec::new();
                let mut buffer = [0; 16 * 1024];
                while !request.ends_with(b"}\n") {
                    match connection.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(n) => request.extend_from_slice(buffer.get(..n).unwrap()),
                    }
                }
                all.lock().unwrap().push(String::from_utf8(request).unwrap());
                if let Some(answer) = answer {
                    connection.write_all(answer.as_bytes()).await.unwrap();
                } else {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            });
        }
    });
    (address, heard)
}

fn client_to(address: &reqwest::Url) -> impl FnOnce(&mut App) {
    let address = address.clone();
    move |app| {
        let mut hybris = Hybris { time_out: Duration::from_secs(1), ..Hybris::default() };
        let client = Client::new(address, hybris.time_out, 1024 * 1024).unwrap();
        hybris.put(System::Pr, Arc::new(client));
        app.hybris = Arc::new(hybris);
    }
}

#[tokio::test]
async fn a_real_billing_system_gets_the_request_as_it_came_and_its_answer_is_passed_through() {
    let answer = "HTTP/1.1 422 Unprocessable\r\nContent-Length: 71\r\n\r\n\
                  {\"errors\":[{\"code\":422,\"message\":\"No\",\"description\":\"X | ABC12D - n\"}]}";
    let (address, heard) = fake_bss(Some(answer)).await;
    let app = TestApp::with(client_to(&address)).await;
    let request = printed("pr-self-install.request.json");
    let got = place(&app, "PR", "c", CONVERSATION, request.clone()).await;
    assert_eq!(got.status, 422, "{}", got.text());
    assert_eq!(got.json()["errors"][0]["description"], "X | ABC12D - n");
    let heard = heard.lock().unwrap().concat();
    assert!(heard.ends_with(std::str::from_utf8(&request).unwrap()), "the body as it came");
    for header in ["correlationid: c", "client-secret: hush", "x-conversation-id: QAHA017633E52B68CF0000"] {
        assert!(heard.to_lowercase().contains(&header.to_lowercase()), "{header} in {heard}");
    }
    assert!(heard.starts_with("POST /bss/productOrder HTTP/1.1\r\n"));
    app.stop().await;
}

#[tokio::test]
async fn a_billing_system_that_does_not_answer_or_not_in_its_own_words_is_not_asked_twice() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let garbage = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>";
    let no_id = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"state\":\"x\"}";
    // It says that it failed, and looks as if it had not.
    let both =
        "HTTP/1.1 500 Oops\r\nContent-Length: 52\r\n\r\n{\"id\":\"1\",\"billingAccount\":{},\"productOrderItem\":[]}";
    // In the document's shape, but of a gateway, which knows nothing of the billing system behind it.
    let gateway = "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 75\r\n\r\n\
                   {\"errors\":[{\"code\":504,\"message\":\"Time-out\",\"description\":\"HTTP:TIMEOUT\"}]}";
    let hung_up = "";
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":";
    for answer in
        [None, Some(redirect), Some(garbage), Some(no_id), Some(both), Some(gateway), Some(cut), Some(hung_up)]
    {
        let (address, heard) = fake_bss(answer).await;
        let app = TestApp::with(client_to(&address)).await;
        for _ in 0..2 {
            let got = place(&app, "PR", "c", CONVERSATION, printed("pr-self-install.request.json")).await;
            assert_eq!(got.status, 502, "{answer:?}: {}", got.text());
            assert!(got.text().contains("OUTCOME-UNKNOWN"), "{}", got.text());
        }
        assert_eq!(heard.lock().unwrap().len(), 1, "{answer:?}");
        assert_eq!(app.database.store.unsettled_exchanges(10).await.unwrap().len(), 1);
        let attempts = app.json("/api/v1/orders?q=0000000000002861").await;
        assert_eq!(attempts["orders"][0]["state"], "pending", "{answer:?}");
        if answer == Some(garbage) {
            let kept = &app.json("/api/v1/deliveries?outcome=quarantined").await["deliveries"][0];
            let id = kept["deliveryId"].as_str().unwrap();
            assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.text(), "<html></html>");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_billing_system_that_cannot_be_reached_placed_nothing_and_may_be_asked_again() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address: reqwest::Url = format!("http://{nobody}/").parse().unwrap();
    let mut app = TestApp::with(client_to(&address)).await;
    let request = printed("pr-self-install.request.json");
    let answer = place(&app, "PR", "c", CONVERSATION, request.clone()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{}", answer.text());
    assert!(answer.text().contains("nothing was placed"));
    // After as many calls in vain the circuit is open, and says so.
    for n in 0..4 {
        place(&app, "PR", &format!("c-{n}"), CONVERSATION, request.clone()).await;
    }
    let answer = place(&app, "PR", "c-9", CONVERSATION, request.clone()).await;
    assert!(answer.text().contains("left alone"), "{}", answer.text());
    app.restart(|_| {}).await;
    let answer = place(&app, "PR", "c", CONVERSATION, request).await;
    assert_eq!((answer.status, answer.body), (201, printed("pr-self-install.answer.json")));
    app.stop().await;
}
