//! What the pages do with hostile values, and with what an event repeats.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::digest::{Expected, Visit};
use super::{
    Digest, Moments, OrderView, OrdersQuery, Viewer, Who, Zone, choose_sender, message, nothing_yet, order, orders,
};
use crate::order::{Appointment, Attention, Moment, Vocabulary};
use crate::record::{
    AppointmentRecord, AttentionRecord, ContradictionRecord, EntryRecord, Identifier, ItemRecord, ItemTree,
    MessageRecord, OrderHead, OrderRecord, PartyRecord, TimelineRecord,
};
use crate::store::OrderHit;

fn hostile(field: &str) -> String {
    format!("<script>alert(1)</script>\"' onload={field}&")
}

fn some(field: &str) -> Option<String> {
    Some(hostile(field))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn viewer() -> Viewer {
    Viewer {
        zone: Zone::London,
        now: at("2023-03-01T00:00:00Z"),
        here: hostile("here"),
        who: Some(Who { name: some("who"), may_operate: false }),
    }
}

fn head() -> OrderHead {
    OrderHead {
        sender: hostile("sender"),
        order_id: hostile("order-id"),
        external_id: some("external-id"),
        state: hostile("state"),
        state_reason: hostile("state-reason"),
        first_event_at: at("2023-02-13T09:21:07Z"),
        last_event_at: at("2023-02-23T09:21:07Z"),
        last_received_at: at("2023-02-23T09:21:08Z"),
        events: 2,
    }
}

fn item() -> ItemTree {
    let moment = Moment::new(hostile("moment"), None);
    let item = ItemRecord {
        item_id: hostile("item-id"),
        parent_item_id: some("parent-item"),
        internal_id: some("internal-id"),
        action: some("action"),
        state: some("item-state"),
        sub_status: some("sub-status"),
        product_id: some("product-id"),
        offering_id: some("offering"),
        service_id: some("service-id"),
        expected_completion: some("expected"),
        expected_completion_text: None,
        expected_completion_moment: Some(moment.clone()),
        first_expected: None,
        first_expected_day: None,
        first_completed: None,
        appointment: Some(AppointmentRecord {
            id: some("appointment-id"),
            reference: some("reference"),
            status: some("appointment-status"),
            start: some("start"),
            start_text: None,
            finish: some("finish"),
            finish_text: None,
        }),
        appointment_stated: Some(Appointment { start: Some(moment), ..Appointment::default() }),
        characteristics: BTreeMap::from([(hostile("characteristic-name"), hostile("characteristic-value"))]),
    };
    ItemTree { item, items: Vec::new() }
}

fn entry(kind: &str, item: &str, to: &str, text: &str) -> EntryRecord {
    EntryRecord {
        event_position: 0,
        ordinal: 0,
        at: at("2023-02-13T09:21:07Z"),
        at_estimated: false,
        received_at: at("2023-02-13T12:21:07Z"),
        late: true,
        event_id: some("event-id"),
        delivery_id: Uuid::nil(),
        kind: kind.to_owned(),
        item_ids: vec![item.to_owned()],
        name: None,
        from: None,
        from_text: None,
        to: Some(to.into()),
        to_text: None,
        message: None,
        facts: None,
        valid_to: None,
        late_by_seconds: None,
        known_from: DateTime::UNIX_EPOCH,
        missed: Vec::new(),
        text: text.to_owned(),
    }
}

fn record() -> OrderRecord {
    OrderRecord {
        characteristics: BTreeMap::new(),
        head: head(),
        expected_completion: some("order-expected"),
        parties: vec![PartyRecord { role: hostile("role"), id: hostile("party-id"), name: some("party-name") }],
        items: vec![item()],
        attention: vec![AttentionRecord {
            reason: hostile("attention"),
            since: DateTime::UNIX_EPOCH,
            why: hostile("attention"),
        }],
        contradictions: vec![ContradictionRecord {
            kind: hostile("attention"),
            item_id: hostile("attention"),
            since: DateTime::UNIX_EPOCH,
            statements: [hostile("attention"), hostile("statement")],
        }],
        identifiers: vec![Identifier { kind: hostile("kind"), value: hostile("identifier") }],
    }
}

fn shown(entries: Vec<EntryRecord>) -> String {
    let timeline = TimelineRecord { order: head(), entries };
    let view = OrderView { sort: Some("oldest".to_owned()), ..OrderView::default() };
    order(&record(), &timeline, Some(1), &Moments::default(), &view, &Vocabulary::default(), &viewer()).into_string()
}

/// No tag or attribute of the value's own making, and every field there in its escaped form. States stand
/// in lower case as they are said in words; here they are.
fn assert_escaped(page: &str, fields: &[&str]) {
    assert!(!page.contains("<script>"), "a tag got through");
    assert!(!page.contains("</script>\""), "a quote got through");
    for field in fields {
        let escaped = format!("&lt;script&gt;alert(1)&lt;/script&gt;&quot;' onload={field}&amp;");
        assert!(page.contains(&escaped), "{field} is not shown, or not escaped");
        assert!(!page.contains(&format!("\"' onload={field}")), "{field} can leave its attribute");
    }
}

#[test]
fn hostile_values_of_an_order_are_text() {
    let message = MessageRecord { code: None, severity: some("severity"), parts: Vec::new() };
    let told = EntryRecord { message: Some(message), ..entry(&hostile("entry_kind"), "1", "x", &hostile("text")) };
    let timeline = TimelineRecord { order: head(), entries: vec![told] };
    let view = OrderView {
        item: some("view-item"),
        kind: some("view-kind"),
        text: some("view-text"),
        at: some("view-at"),
        known_at: some("view-known"),
        found: Some((hostile("view-found"), "service-id".to_owned())),
        ..OrderView::default()
    };
    let page =
        order(&record(), &timeline, None, &Moments::default(), &view, &Vocabulary::default(), &viewer()).into_string();
    let all = shown(timeline.entries.clone());
    assert_escaped(
        &page,
        &[
            "order-id",
            "sender",
            "external-id",
            "state",
            "state-reason",
            "item-id",
            "parent-item",
            "internal-id",
            "action",
            "item-state",
            "sub-status",
            "product-id",
            "offering",
            "service-id",
            "moment",
            "appointment-id",
            "reference",
            "appointment-status",
            "start",
            "characteristic-name",
            "characteristic-value",
            "order-expected",
            "role",
            "party-id",
            "party-name",
            "identifier",
            "view-item",
            "view-kind",
            "view-text",
            "view-at",
            "view-known",
            "view-found",
            "here",
            "who",
        ],
    );
    assert_escaped(&all, &["severity", "text", "entry_kind", "order-id", "sender"]);
    assert!(all.contains("event <bdi>&lt;script&gt;…</bdi>"), "the beginning of an event's id");
    assert!(page.contains("/orders/%3Cscript%3Ealert%281%29%3C%2Fscript%3E%22%27%20onload%3Dorder-id%26?sender=%3C"));
}

#[test]
fn hostile_values_of_a_list_are_text() {
    let digest = Digest {
        product: hostile("product"),
        customers: vec![hostile("customer")],
        service_ids: vec![hostile("service")],
        appointment: Some(Visit { at: None, window: hostile("window"), status: some("visit-status"), is_over: false }),
        expected: Some(Expected { day: hostile("day"), slip: 3 }),
        attention: vec![Attention {
            reason: hostile("reason"),
            since: at("2023-02-23T09:21:08Z"),
            why: hostile("why"),
        }],
    };
    let rows = vec![(OrderHit { head: head(), matched: vec![hostile("matched")] }, digest)];
    let query = OrdersQuery {
        q: some("q"),
        state: some("asked-state"),
        sender: some("asked-sender"),
        senders: vec![hostile("known-sender")],
        next_cursor: some("next"),
        party: some("asked-party"),
        attention: some("asked_reason"),
        offering: some("asked-offering"),
        limit: Some("7".to_owned()),
        ..OrdersQuery::default()
    };
    let page = orders(&rows, &query, &viewer()).into_string();
    let fields = ["order-id", "sender", "external-id", "state", "state-reason", "matched", "q", "known-sender"];
    assert_escaped(&page, &fields);
    assert_escaped(&page, &["product", "customer", "service", "window", "visit-status", "day", "reason", "why"]);
    assert_escaped(&page, &["asked-state", "asked-sender", "asked-party", "asked_reason", "asked-offering"]);
    assert!(page.contains("%22%27%20onload%3Dq%26&amp;state=%3C"), "the next page keeps its filters");
    assert_escaped(&orders(&[], &query, &viewer()).into_string(), &["q"]);
}

#[test]
fn hostile_values_of_messages_are_text() {
    assert_escaped(&message(&hostile("title"), &hostile("detail"), &viewer()).into_string(), &["title", "detail"]);
    let yet = nothing_yet(&head(), None, Some(&hostile("at")), Some(&hostile("known")), &viewer()).into_string();
    assert_escaped(&yet, &["order-id", "at", "known"]);
    assert_escaped(&choose_sender(&hostile("id"), &[hostile("sender")], &viewer()).into_string(), &["id", "sender"]);
}

#[test]
fn an_item_appears_on_one_line_and_nothing_is_lost() {
    let page = shown(vec![
        entry("item-added", "1.2", "add", "Modem item 1.2: on the order (action add)"),
        entry("item-state", "1.2", "completed", "Modem item 1.2: completed (Shipped)"),
        entry("item-sub-status", "1.2", "Shipped", "Modem item 1.2: shipped"),
        entry("item-state", "1.3", "inProgress", "Modem item 1.3: in progress (PendingWithBTWwBC)"),
        entry("item-sub-status", "1.3", "PendingWithBTWwBC", "Modem item 1.3: pending with the supplier"),
    ]);
    assert_eq!(page.matches("<li class=\"entry").count(), 2);
    assert!(
        page.contains(
            ": on the order (action add)<span class=\"hidden\">. item state:</span> · completed (Shipped)</p>"
        ),
        "{page}"
    );
    assert!(page.contains("</span> · pending with the supplier"), "other words than the code's are shown");
    assert!(page.contains("late: received 3 h after"));
}

#[test]
fn a_date_is_shown_once() {
    let page = shown(vec![
        entry("item-state", "1", "inProgress", "Item 1: in progress"),
        entry("item-sub-status", "1", "In Progress", "Item 1: in progress; expected completion 23 Feb 2023"),
        entry("expected-date", "1", "2023-02-23T23:59:59.000Z", "Item 1: expected completion 23 Feb 2023"),
        entry("item-sub-status", "2", "Odd", "Item 2: sub-status Odd; expected completion 23 Feb 2023"),
        entry("expected-date", "2", "2023-02-23T23:59:59.000Z", "Item 2: expected completion 23 Feb 2023"),
        entry("expected-date", "3", "2023-02-23T23:59:59.000Z", "Item 3: expected completion moved from x to y"),
    ]);
    assert!(page.contains(">Item 1: expected completion 23 Feb 2023<"));
    assert!(page.contains(": sub-status Odd; expected completion 23 Feb 2023</p>"), "{page}");
    assert_eq!(page.matches("expected completion 23 Feb 2023").count(), 2, "once for each item: {page}");
    assert!(page.contains(">Item 3: expected completion moved from x to y<"));
}

#[test]
fn a_page_of_the_past_says_so() {
    let timeline = TimelineRecord { order: OrderHead { events: 1, ..head() }, entries: Vec::new() };
    let view = OrderView { at: Some("2024-07-01T10:00".to_owned()), ..OrderView::default() };
    let later = Viewer { now: at("2024-08-01T00:00:00Z"), ..viewer() };
    let page =
        order(&record(), &timeline, None, &Moments::default(), &view, &Vocabulary::default(), &later).into_string();
    assert!(page.contains("Mon 1 Jul 2024, 11:00:00 BST"));
    assert!(page.contains("as we know it today"));
    assert!(!page.contains("data-live"), "the past does not change");
    let now = shown(Vec::new());
    assert!(!now.contains("Not now") && now.contains("data-live"));
}

#[test]
fn a_milestone_that_was_passed_over_is_not_awaited() {
    let page =
        shown(vec![milestone("KCI2", "reached", serde_json::json!({ "saidBy": ["message"], "values": ["520"] }))]);
    assert_eq!(page.matches("not told").count(), 1, "KCI1 was to come before");
    assert_eq!(page.matches("not yet").count(), 2, "KCI3 and the end may come");
}

fn milestone(name: &str, to: &str, facts: serde_json::Value) -> EntryRecord {
    EntryRecord { name: Some(name.to_owned()), facts: Some(facts), ..entry("milestone", "1", to, to) }
}

#[test]
fn a_milestone_that_is_planned_is_not_shown_as_reached() {
    let planned = |date: &str| milestone("Duct", "planned", serde_json::json!({ "reached": false, "date": date }));
    let page = shown(vec![planned("2024-10-03T00:00:00.000Z"), planned("2024-10-04T00:00:00.000Z")]);
    assert!(page.contains("<li class=\"step stated\"><p class=\"step-name\"><strong>Duct</strong></p>"), "{page}");
    assert!(page.contains("not reached: planned for 4 Oct 2024"), "the last plan counts");
    assert_eq!(page.matches("class=\"step reached\"").count(), 1, "only that it was heard of");
    let reached = milestone("Duct", "reached", serde_json::json!({ "saidBy": ["milestone"], "values": ["reached"] }));
    let page = shown(vec![planned("2024-10-03T00:00:00.000Z"), reached]);
    assert!(page.contains("by milestone reached") && !page.contains("not reached"), "{page}");
}

#[test]
fn only_a_contradiction_that_stands_is_loud() {
    let facts = |open: bool| Some(serde_json::json!({ "open": open }));
    let opened = EntryRecord { facts: facts(true), ..entry("contradiction", "1", "x", "one, yet other") };
    let page = shown(vec![opened.clone()]);
    assert!(page.contains("entry alarm"));
    let resolved = EntryRecord { facts: facts(false), ..entry("contradiction", "1", "x", "resolved") };
    let over = EntryRecord { valid_to: Some(at("2023-02-14T09:21:07Z")), ..opened };
    assert!(!shown(vec![over, resolved]).contains("entry alarm"));
}

#[test]
fn a_time_to_come_is_told_as_such() {
    let timeline = TimelineRecord { order: head(), entries: Vec::new() };
    let page = |at: Option<&str>, known_at: Option<&str>| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let view = OrderView { at: text(at), known_at: text(known_at), ..OrderView::default() };
        order(&record(), &timeline, None, &Moments::default(), &view, &Vocabulary::default(), &viewer()).into_string()
    };
    let ahead = page(Some("2030-01-01T00:00:00Z"), None);
    assert!(ahead.contains("Not yet: ") && ahead.contains(" is still to come; this is what is known now."), "{ahead}");
    assert!(!ahead.contains("as it was at "), "nothing was so yet: {ahead}");
    let both = page(Some("2030-01-01T00:00:00Z"), Some("2023-02-14T00:00:00Z"));
    assert!(both.contains("Not now: ") && both.contains("as we knew it at ") && both.contains(" is still to come"));
    assert!(!page(Some("2023-02-14T00:00:00Z"), None).contains("still to come"));
}

#[test]
fn an_item_that_was_called_off_does_not_look_in_progress() {
    let ended = entry("item-state", "1", "cancelled", "Item 1: cancelled");
    let entries = vec![
        entry("item-state", "1", "inProgress", "Item 1: in progress"),
        entry("item-sub-status", "1", "In Progress", "Item 1: in progress"),
        EntryRecord { event_position: 1, at: at("2023-02-14T09:21:07Z"), ..ended },
    ];
    let page = pictured("cancelled", "cancelled", entries);
    let table = page.split("The same as a table").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(table.contains("<td>cancelled</td><td>14 Feb 2023 09:21</td><td>still so</td>"), "{table}");
    let band = page.split("<rect class=\"band void\"").nth(1).unwrap();
    let width: f64 = band.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    assert!(width > 60.0, "the end has room for its words: {width}");
    assert!(band.contains(">cancelled</text>") && page.contains(" cancelled or rejected"), "{page}");
}

/// The page of an order of this state whose only item has this state.
fn pictured(state: &str, item_state: &str, entries: Vec<EntryRecord>) -> String {
    let mut only = item();
    (only.item.item_id, only.item.state) = ("1".to_owned(), Some(item_state.to_owned()));
    let head = OrderHead { state: state.to_owned(), ..head() };
    let record = OrderRecord { head: head.clone(), items: vec![only], ..record() };
    let timeline = TimelineRecord { order: head, entries };
    let (view, vocabulary) = (OrderView::default(), Vocabulary::default());
    order(&record, &timeline, None, &Moments::default(), &view, &vocabulary, &viewer()).into_string()
}

#[test]
fn the_contradiction_that_the_queue_names_is_seen() {
    let mut contradictions = vec![record().contradictions.remove(0); 5];
    contradictions[4] = ContradictionRecord {
        since: at("1969-12-31T00:00:00Z"),
        statements: ["the oldest".to_owned(), "other".to_owned()],
        ..contradictions[4].clone()
    };
    let record = OrderRecord { contradictions, ..record() };
    let timeline = TimelineRecord { order: head(), entries: Vec::new() };
    let (view, vocabulary) = (OrderView::default(), Vocabulary::default());
    let page = order(&record, &timeline, None, &Moments::default(), &view, &vocabulary, &viewer()).into_string();
    assert!(page.split("more contradictions").next().unwrap().contains("the oldest, yet other"), "{page}");
}

#[test]
fn many_contradictions_leave_room_for_the_rest() {
    let one = record().contradictions.remove(0);
    let order_of = |count| OrderRecord { contradictions: vec![one.clone(); count], ..record() };
    let page = |count| {
        let timeline = TimelineRecord { order: head(), entries: Vec::new() };
        let (view, vocabulary) = (OrderView::default(), Vocabulary::default());
        order(&order_of(count), &timeline, None, &Moments::default(), &view, &vocabulary, &viewer()).into_string()
    };
    assert!(!page(3).contains("more contradiction"));
    assert!(page(4).contains("<summary>1 more contradiction</summary>"));
    assert!(page(30).contains("<summary>27 more contradictions</summary>"));
}
