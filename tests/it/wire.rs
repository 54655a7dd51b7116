//! Reading bodies: what each fixture says, and what becomes of bodies that are not as they should be.

use chrono::{DateTime, Utc};
use order_timeline::order::{
    Appointment, Characteristic, Event, ItemStatement, Message, MilestoneStatement, Moment, Party, Subject, Vocabulary,
    rfc3339,
};
use order_timeline::wire::{self, Beside, OddityKind, Reading, Unreadable};
use order_timeline::{intake, vocabulary};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures;

#[test]
fn every_fixture_is_read_and_says_what_its_snapshot_says() {
    let (seeds, variants) = (fixtures::seeds(), fixtures::variants());
    assert_eq!(seeds.len(), 27);
    assert_eq!(variants.len(), 15);
    for fixture in seeds.into_iter().chain(variants) {
        let reading = wire::read(&fixture.body).unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        insta::with_settings!({ snapshot_path => "snapshots/wire", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(fixture.name, told(&reading));
        });
    }
}

#[test]
fn the_supplier_s_own_bodies_have_nothing_odd_but_objects_for_lists() {
    for fixture in fixtures::seeds() {
        let odd = wire::read(&fixture.body).unwrap().oddities;
        let others: Vec<_> = odd.iter().filter(|oddity| oddity.kind != OddityKind::ObjectForList).collect();
        assert!(others.is_empty(), "{}: {others:?}", fixture.name);
    }
}

#[test]
fn a_body_that_is_not_json_says_where_it_breaks() {
    let cases: [(&[u8], &str); 14] = [
        (b"", "the body is empty"),
        (b" \r\n\t ", "the body is empty"),
        (b"\xEF\xBB\xBF", "the body is empty"),
        (b"order 00228874 is complete", "the body is not JSON: expected value (line 1, column 1)"),
        (b"<event/>", "the body is not JSON: expected value (line 1, column 1)"),
        (b"{\"event\":", "the body is not JSON: EOF while parsing a value (line 1, column 9)"),
        (b"{\"event\": {}} {}", "the body is not JSON: trailing characters (line 1, column 15)"),
        (b"{\n\"event\": nul}", "the body is not JSON: expected ident (line 2, column 13)"),
        (b"{\"event\": NaN}", "the body is not JSON: expected value (line 1, column 11)"),
        (b"{'event': 1}", "the body is not JSON: key must be a string (line 1, column 2)"),
        (
            b"{\"event\": \"a\0b\"}",
            "the body is not JSON: control character (\\u0000-\\u001F) found while parsing a string (line 1, column 13)",
        ),
        (b"{\"event\": \"\xFF\"}", "the body is not JSON: invalid unicode code point (line 1, column 12)"),
        (b"\xFF\xFE{\0}\0", "the body is not JSON: expected value (line 1, column 1)"),
        (b"{\"a\": \"\\ud800\", \"b\": }", "the body is not JSON: expected value (line 1, column 22)"),
    ];
    for (body, told) in cases {
        let error = wire::read(body).unwrap_err();
        assert_eq!(error.to_string(), told, "{}", String::from_utf8_lossy(body));
        assert_eq!((error.code(), error.path(), error.is_json()), ("not-json", None, false), "{told}");
    }
}

#[test]
fn every_fixture_cut_anywhere_is_not_json() {
    let body = fixtures::seed(14);
    let body = body.trim_ascii_end();
    for length in 1..body.len() {
        let error = wire::read(&body[..length]).unwrap_err();
        assert_eq!(error.code(), "not-json", "cut at {length}");
    }
}

#[test]
fn json_that_names_no_order_says_what_is_missing_and_where() {
    let cases = [
        ("null", "$", "is null, not an event"),
        ("true", "$", "is a boolean, not an event"),
        ("17", "$", "is a number, not an event"),
        ("\"00228874\"", "$", "is a text, not an event"),
        ("[]", "$", "is a list, not an event"),
        ("[{\"event\": {}}]", "$", "is a list, not an event"),
        ("{}", "event", "is missing"),
        ("{\"event\": null}", "event", "is missing"),
        ("{\"event\": \"x\"}", "event", "is a text, not an object"),
        ("{\"event\": 1}", "event", "is a number, not an object"),
        ("{\"event\": []}", "event", "is a list, not an object"),
        ("{\"event\": [1]}", "event", "is a number, not an object"),
        ("{\"event\": {}}", "event.productOrder", "is missing"),
        ("{\"event\": {\"productOrder\": null}}", "event.productOrder", "is missing"),
        ("{\"event\": {\"productOrder\": []}}", "event.productOrder", "is a list, not an object"),
        ("{\"event\": {\"productOrder\": \"00228874\"}}", "event.productOrder", "is a text, not an object"),
        ("{\"event\": {\"productOrder\": {}}}", "event.productOrder.id", "is missing or empty"),
        ("{\"event\": {\"productOrder\": {\"id\": null}}}", "event.productOrder.id", "is missing or empty"),
        ("{\"event\": {\"productOrder\": {\"id\": \"\"}}}", "event.productOrder.id", "is missing or empty"),
        ("{\"event\": {\"productOrder\": {\"id\": \" \"}}}", "event.productOrder.id", "is missing or empty"),
        ("{\"event\": {\"productOrder\": {\"id\": {}}}}", "event.productOrder.id", "is an object, not a text"),
        ("{\"event\": {\"productOrder\": {\"id\": [\"1\"]}}}", "event.productOrder.id", "is a list, not a text"),
        ("{\"productOrder\": {\"externalId\": \"1\"}}", "productOrder.id", "is missing or empty"),
        (
            "{\"event\": {\"cancelProductOrder\": {\"id\": \"9\"}}}",
            "event.cancelProductOrder.productOrder",
            "is missing",
        ),
        (
            "{\"event\": {\"canccelProductOrder\": {\"productOrder\": {\"id\": \"\"}}}}",
            "event.canccelProductOrder.productOrder.id",
            "is missing or empty",
        ),
    ];
    for (body, path, detail) in cases {
        let error = wire::read(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("the body names no order: {path} {detail}"), "{body}");
        assert_eq!((error.code(), error.path(), error.is_json()), ("no-order", Some(path), true), "{body}");
    }
}

#[test]
fn json_beyond_reading_is_told_from_what_is_not_json() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let order = |more: &str| format!("{{\"event\": {{\"productOrder\": {{\"id\": \"1\", \"note\": {more}}}}}}}");
    for (body, detail) in [
        (deep(10_000), "recursion limit exceeded"),
        (order(&deep(10_000)), "recursion limit exceeded"),
        (order(&format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000))), "recursion limit exceeded"),
    ] {
        let error = wire::read(body.as_bytes()).unwrap_err();
        assert!(matches!(&error, Unreadable::BeyondReading { detail: told, .. } if told == detail), "{error}");
        assert_eq!((error.code(), error.path(), error.is_json()), ("json-beyond-reading", None, true));
    }
    // A number of any size is one; what cannot be held as a double keeps its text.
    assert!(wire::read(order("[1e400, -1e400]").as_bytes()).is_ok());
    let unclosed = wire::read("[".repeat(10_000).as_bytes()).unwrap_err();
    assert_eq!(unclosed.code(), "not-json");
    assert!(wire::read(order(&deep(100)).as_bytes()).is_ok());
}

#[test]
fn an_id_of_300_bytes_is_refused_where_it_names_an_order_or_an_item_and_nowhere_else() {
    let long = "7".repeat(300);
    let of = |order: Value| wire::read(json!({ "event": { "productOrder": order } }).to_string().as_bytes());
    for (order, path) in [
        (json!({ "id": long }), "event.productOrder.id"),
        (json!({ "id": "1", "productOrderItem": { "id": long } }), "event.productOrder.productOrderItem.id"),
        (
            json!({ "id": "1", "productOrderItem": [{ "id": "1" }, { "id": long }] }),
            "event.productOrder.productOrderItem[1].id",
        ),
        (
            json!({ "id": "1", "productOrderItem": [{ "id": "1", "productOrderItem": [{ "id": long }] }] }),
            "event.productOrder.productOrderItem[0].productOrderItem[0].id",
        ),
        (
            json!({ "id": "1", "itemStateChange": [{ "itemId": long, "state": "held" }] }),
            "event.productOrder.itemStateChange[0].itemId",
        ),
    ] {
        let error = of(order).unwrap_err();
        assert_eq!(error.to_string(), format!("{path} is 300 bytes long; ids are at most 255"));
        assert_eq!((error.code(), error.path(), error.is_json()), ("id-too-long", Some(path), true));
    }
    let item = json!({ "id": "1", "internalId": long, "product": { "id": long }, "appointment": { "id": long } });
    let kept = of(json!({ "id": "1", "externalId": long, "productOrderItem": item })).unwrap().event;
    assert_eq!(kept.external_ids, std::slice::from_ref(&long));
    assert_eq!(kept.items[0].internal_id.as_ref(), Some(&long));
    assert!(of(json!({ "id": "7".repeat(255) })).is_ok());
}

#[test]
fn wrong_types_everywhere_are_passed_over_and_noted() {
    for (value, kind) in [
        (json!("x"), OddityKind::WrongType),
        (json!(1), OddityKind::WrongType),
        (json!([[]]), OddityKind::WrongType),
        (json!([1, "x"]), OddityKind::WrongType),
    ] {
        let collections = json!({ "event": { "productOrder": {
            "id": "1", "productOrderItem": value, "errorMessage": value, "relatedParty": value,
            "productOrderMilestone": value, "itemStateChange": value,
        } } });
        let reading = wire::read(collections.to_string().as_bytes()).unwrap();
        assert_eq!(said(&reading), Event { order_id: "1".to_owned(), ..Event::default() }, "{value}");
        for name in ["productOrderItem", "errorMessage", "relatedParty", "productOrderMilestone", "itemStateChange"] {
            let prefix = format!("event.productOrder.{name}");
            let is_noted = |oddity: &wire::Oddity| oddity.path.starts_with(&prefix) && oddity.kind == kind;
            assert!(reading.oddities.iter().any(is_noted), "{name}: {value}: {:?}", reading.oddities);
        }
    }
    let item = json!({
        "id": ["1"], "internalId": {}, "action": [], "state": { "a": 1 }, "subStatus": ["x"], "product": 5,
        "productOffering": 5, "expectedCompletionDate": {}, "appointment": "soon",
    });
    let body = json!({ "event": { "productOrder": { "id": "1", "state": [], "productOrderItem": [item] } },
        "eventId": {}, "eventType": [], "eventTime": { "at": 1 } });
    let reading = wire::read(body.to_string().as_bytes()).unwrap();
    assert_eq!(said(&reading), Event { order_id: "1".to_owned(), ..Event::default() });
    let shape = "wrong-type at event.productOrder.productOrderItem[].state";
    assert!(reading.event.shapes.iter().any(|known| known == shape), "{:?}", reading.event.shapes);
    insta::assert_snapshot!(oddities(&reading), @r"
    wrong-type at event.productOrder.productOrderItem[0].internalId
    wrong-type at event.productOrder.productOrderItem[0].action
    wrong-type at event.productOrder.productOrderItem[0].state
    wrong-type at event.productOrder.productOrderItem[0].subStatus
    wrong-type at event.productOrder.productOrderItem[0].productOffering
    wrong-type at event.productOrder.productOrderItem[0].expectedCompletionDate
    wrong-type at event.productOrder.productOrderItem[0].appointment
    wrong-type at event.productOrder.productOrderItem[0].product
    wrong-type at event.productOrder.productOrderItem[0].id
    item-without-id at event.productOrder.productOrderItem[0].id
    wrong-type at event.productOrder.state
    wrong-type at eventId
    wrong-type at eventType
    wrong-type at eventTime
    ");
}

#[test]
fn half_a_surrogate_pair_in_a_text_is_read_with_an_oddity() {
    let of = |text: &str| {
        let message = format!(r#"{{"subCode": "1", "message": "{text}"}}"#);
        let body = format!(r#"{{"event": {{"productOrder": {{"id": "1", "errorMessage": {message}}}}}}}"#);
        let reading = wire::read(body.as_bytes()).unwrap();
        let is_noted = reading.oddities.iter().any(|oddity| oddity.kind == OddityKind::UnstorableCharacter);
        (reading.event.messages[0].text.clone().unwrap(), is_noted)
    };
    assert_eq!(of(r"a \ud83d b"), ("a \u{FFFD} b".to_owned(), true));
    assert_eq!(of(r"a \udc4d b"), ("a \u{FFFD} b".to_owned(), true));
    assert_eq!(of(r"\ud83d\ud83d\udc4d"), ("\u{FFFD}👍".to_owned(), true));
    assert_eq!(of(r"\udc4d\ud83d"), ("\u{FFFD}\u{FFFD}".to_owned(), true));
    assert_eq!(of(r"\\ud83d \uD83D\uDC4D"), ("\\ud83d 👍".to_owned(), false));
    assert_eq!(of(r"\\\ud83d"), ("\\\u{FFFD}".to_owned(), true));
    assert_eq!(of(r"\ud83d\n\u00e9"), ("\u{FFFD}\né".to_owned(), true));
}

#[test]
fn nul_stands_as_a_replacement_character_in_texts_and_in_the_paths_of_oddities() {
    let body =
        br#"{"event": {"productOrder": {"id": "1\u0000", "\u0000": 1, "errorMessage": {"message": "a\u0000b"}}}}"#;
    let reading = wire::read(body).unwrap();
    assert_eq!(reading.event.order_id, "1\u{FFFD}");
    assert_eq!(reading.event.messages[0].text.as_deref(), Some("a\u{FFFD}b"));
    insta::assert_snapshot!(oddities(&reading), @r"
    unstorable-character at event.productOrder.id
    object-for-list at event.productOrder.errorMessage
    unstorable-character at event.productOrder.errorMessage.message
    unknown-property at event.productOrder.�
    ");
    // PostgreSQL's jsonb refuses NUL, and the oddities are kept as jsonb.
    assert!(!serde_json::to_string(&reading.oddities).unwrap().contains("\\u0000"));
}

#[test]
fn the_path_of_an_oddity_stays_short_whatever_a_property_is_named() {
    let body = json!({ "event": { "productOrder": { "id": "1", "é".repeat(100_000): 1 } } });
    let reading = wire::read(body.to_string().as_bytes()).unwrap();
    let path = &reading.oddities[0].path;
    assert!(path.starts_with("event.productOrder.éé") && path.ends_with('…') && path.len() < 600, "{}", path.len());
}

#[test]
fn of_a_member_that_stands_twice_the_last_counts_and_it_is_noted() {
    let body = br#"{"event": {"productOrder": {"id": "1", "state": "held", "id": "2", "state": "pending"}}, "eventId": "a", "eventId": null}"#;
    let reading = wire::read(body).unwrap();
    assert_eq!(reading.event.order_id, "2");
    assert_eq!(reading.event.state.as_deref(), Some("pending"));
    assert_eq!(reading.event.event_id, None);
    insta::assert_snapshot!(oddities(&reading), @r"
    duplicate-property at event.productOrder.id
    duplicate-property at event.productOrder.state
    duplicate-property at eventId
    ");
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let body = fixtures::seed(3);
    let marked = [b"\xEF\xBB\xBF".as_slice(), &body].concat();
    assert_eq!(wire::read(&marked), wire::read(&body));
}

#[test]
fn members_that_are_empty_objects_say_nothing() {
    let item = json!({ "id": "1", "appointment": {}, "product": {} });
    let body = json!({ "event": { "productOrder": { "id": "1", "errorMessage": [{}, { "subCode": null, "message": "" }],
        "relatedParty": [{}], "productOrderMilestone": {}, "productOrderJeopardyAlert": {}, "productOrderErrorMessage": [{}],
        "productOrderItem": [item] } } });
    let reading = wire::read(body.to_string().as_bytes()).unwrap();
    let item = ItemStatement { id: "1".to_owned(), ..ItemStatement::default() };
    assert_eq!(said(&reading), Event { order_id: "1".to_owned(), items: vec![item], ..Event::default() });
}

#[test]
fn equal_json_has_one_content_hash_and_other_json_another() {
    let of = |more: &str| {
        let body = format!(r#"{{"event": {{"productOrder": {{"id": "1", "x": {more}}}}}}}"#);
        wire::read(body.as_bytes()).unwrap().content_hash
    };
    for (a, b) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("0", "-0"),
        ("0", "-0.0"),
        (r#""é\/""#, r#""\u00e9/""#),
        (r#"{"a": 1, "b": [2]}"#, r#"{ "b":[2],"a":1 }"#),
        (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
    ] {
        assert_eq!(of(a), of(b), "{a} {b}");
    }
    for (a, b) in
        [("1", r#""1""#), ("[]", "{}"), ("null", "false"), ("[1, 2]", "[2, 1]"), ("[1]", "1"), ("1.5", "1.25")]
    {
        assert_ne!(of(a), of(b), "{a} {b}");
    }
}

#[test]
fn a_time_that_the_database_could_not_keep_is_kept_as_text_only() {
    for text in ["-9999-01-01T00:00:00", "+200000-01-01T00:00:00+0000", "9999-12-31T23:59:59-01:00"] {
        let body = json!({ "event": { "productOrder": { "id": "1" } }, "eventTime": text });
        let reading = wire::read(body.to_string().as_bytes()).unwrap();
        assert_eq!(reading.event.event_time, Some(Moment::new(text, None)));
        assert_eq!(oddities(&reading), "unreadable-time at eventTime");
    }
    let leap = wire::read_time("2016-12-31T23:59:60.5Z").unwrap().at;
    assert_eq!(rfc3339(leap), "2017-01-01T00:00:00.500Z");
    assert!(wire::read_time("0001-01-01T00:00:00Z").is_some());
}

#[test]
fn a_body_of_six_megabytes_is_read_and_folded() {
    let messages: Vec<Value> =
        (0..60_000).map(|n| json!({ "subCode": "530", "message": format!("Informational : 530 : Number {n} of a long list of messages") })).collect();
    let items: Vec<Value> = (0..20_000).map(|n| json!({ "id": format!("{n}"), "state": "inProgress" })).collect();
    let milestones: Vec<Value> = (0..20_000).map(|n| json!({ "name": format!("M{n}"), "status": "reached" })).collect();
    let order =
        json!({ "id": "1", "errorMessage": messages, "productOrderItem": items, "productOrderMilestone": milestones });
    let body = json!({ "event": { "productOrder": order } });
    let body = body.to_string();
    // Anything quadratic in it would take minutes.
    let received_at: DateTime<Utc> = "2024-03-01T12:00:00Z".parse().unwrap();
    let (mut first, _) = wire::statement(Uuid::nil(), received_at, Beside::default(), body.as_bytes()).unwrap();
    assert_eq!((first.event.messages.len(), first.event.items.len()), (60_000, 20_000));
    let vocabulary = vocabulary::shipped().unwrap();
    let known = intake::whole(std::slice::from_ref(&first), &vocabulary).unwrap();
    first.event.event_id = Some("another".to_owned());
    let next = intake::addition(&known.timeline, Some(known.times), &[], &[&first], &vocabulary).unwrap();
    assert_eq!((known.items.len(), next.items.len()), (20_000, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_whatever_can_break_the_reader(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = wire::read(&body);
    }

    #[test]
    fn a_fixture_with_bytes_changed_never_breaks_the_reader(
        number in 0..27_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut body = fixtures::seed(number);
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        takes_in(&body);
        body.remove(cut.index(body.len()));
        takes_in(&body);
    }

    #[test]
    fn a_fixture_with_values_changed_never_breaks_the_reader_nor_the_fold(
        fixture in 0..42_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), mutation()), 1..5),
    ) {
        let fixture = fixtures::seeds().into_iter().chain(fixtures::variants()).nth(fixture).unwrap();
        let mut body: Value = serde_json::from_slice(&fixture.body).unwrap();
        for (at, mutation) in changes {
            let mut at = at.index(nodes(&body));
            mutate(&mut body, &mut at, &mutation);
        }
        takes_in(body.to_string().as_bytes());
    }
}

/// Reads a body and, where it says something, folds it and looks for what may never come out.
fn takes_in(body: &[u8]) {
    let received_at: DateTime<Utc> = "2024-03-01T12:00:00Z".parse().unwrap();
    let Ok((statement, oddities)) = wire::statement(Uuid::nil(), received_at, Beside::default(), body) else {
        return;
    };
    assert!(!statement.event.order_id.is_empty() && statement.event.order_id.len() <= wire::LONGEST_ID);
    assert!(oddities.len() <= 102);
    let plan = intake::whole(&[statement], &Vocabulary::default()).unwrap();
    let kept = serde_json::to_string(&(&plan.entries, &plan.items, &plan.identifiers, &oddities)).unwrap();
    let kept = kept.replace("\\\\", "");
    assert!(!kept.contains("\\u0000"), "PostgreSQL cannot keep NUL: {kept}");
}

/// What a sender could do to a value.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(Value),
    Remove,
    InList,
    Twice,
    InObject(String),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let text = prop_oneof![
        Just(String::new()),
        Just("\0".to_owned()),
        Just("2024-02-30T25:00:00Z".to_owned()),
        Just("a .~ .~ : : ".to_owned()),
        "[ -~]{0,12}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, move |inner| {
        let key = prop_oneof![Just("id".to_owned()), Just("productOrderItem".to_owned()), text.clone()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop_oneof![
        4 => value.prop_map(Mutation::Replace),
        1 => Just(Mutation::Remove),
        1 => Just(Mutation::InList),
        1 => Just(Mutation::Twice),
        1 => any::<String>().prop_map(Mutation::InObject),
    ]
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(members) => members.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

/// Changes the value that stands at `at`, counted through the whole body.
fn mutate(value: &mut Value, at: &mut usize, mutation: &Mutation) {
    if *at == 0 {
        let old = value.take();
        *value = match mutation {
            Mutation::Replace(new) => new.clone(),
            Mutation::Remove => Value::Null,
            Mutation::InList => json!([old]),
            Mutation::Twice => json!([old, old]),
            Mutation::InObject(name) => json!({ name: old }),
        };
    }
    let members: Vec<&mut Value> = match value {
        Value::Array(members) => members.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for member in members {
        match at.checked_sub(1) {
            None => return,
            Some(left) => *at = left,
        }
        mutate(member, at, mutation);
        if *at == 0 {
            return;
        }
    }
}

/// What the event says, but for the form in which it says it.
fn said(reading: &Reading) -> Event {
    Event { shapes: Vec::new(), ..reading.event.clone() }
}

fn oddities(reading: &Reading) -> String {
    reading.oddities.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// All that a reading says, one line each; what it does not say is left out. Taken apart field by field,
/// so that the compiler asks for a line here whenever an event learns to say more.
fn told(reading: &Reading) -> String {
    let Event {
        event_id,
        event_type,
        event_time,
        order_id,
        external_ids,
        state,
        expected_completion,
        parties,
        items,
        messages,
        milestones,
        placing,
        characteristics,
        // Made of the oddities, which are checked by themselves.
        shapes: _,
    } = &reading.event;
    let mut lines = Lines::default();
    lines.line("event", &[("id", text(event_id)), ("type", text(event_type)), ("time", time(event_time))]);
    let external_ids = (!external_ids.is_empty()).then(|| external_ids.join(", "));
    let order = [
        ("id", Some(order_id.clone())),
        ("external ids", external_ids),
        ("state", text(state)),
        ("expected", time(expected_completion)),
    ];
    lines.line("order", &order);
    for Party { role, id, name } in parties {
        lines.line("party", &[("role", Some(role.clone())), ("id", Some(id.clone())), ("name", text(name))]);
    }
    if let Some(placing) = placing {
        lines.line("placing", &[("how far", Some(format!("{placing:?}")))]);
    }
    for Characteristic { name, value } in characteristics {
        lines.line("characteristic", &[("name", Some(name.clone())), ("value", Some(value.clone()))]);
    }
    items.iter().for_each(|item| lines.item(item));
    for Message { code, text: whole, parts, item_ids } in messages {
        let items = Some(item_ids.join(", ")).filter(|ids| !ids.is_empty());
        let has_parts = !parts.is_empty();
        lines.line("message", &[("code", text(code)), ("items", items), ("text", text(whole).filter(|_| !has_parts))]);
        for part in parts {
            let part =
                [("severity", text(&part.severity)), ("code", text(&part.code)), ("text", Some(part.text.clone()))];
            lines.line("  part", &part);
        }
    }
    for MilestoneStatement { name, status, date, text: words, item_ids } in milestones {
        let items = Some(item_ids.join(", ")).filter(|ids| !ids.is_empty());
        let milestone = [
            ("name", Some(name.clone())),
            ("status", text(status)),
            ("date", time(date)),
            ("items", items),
            ("text", text(words)),
        ];
        lines.line("milestone", &milestone);
    }
    for oddity in &reading.oddities {
        lines.0.push(format!("odd: {oddity}"));
    }
    lines.0.join("\n")
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn line(&mut self, what: &str, fields: &[(&str, Option<String>)]) {
        let stated = fields.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}")));
        self.0.push(format!("{what}: {}", stated.collect::<Vec<_>>().join(" | ")));
    }

    fn item(&mut self, item: &ItemStatement) {
        let ItemStatement {
            id,
            container,
            internal_id,
            action,
            state,
            sub_status,
            product_id,
            offering,
            service_id,
            expected_completion,
            appointment,
            characteristics,
        } = item;
        let service =
            |with: fn(&order_timeline::order::ServiceId) -> Option<String>| service_id.as_ref().and_then(with);
        let fields = [
            ("id", Some(id.clone())),
            ("in", text(container)),
            ("internal", text(internal_id)),
            ("action", text(action)),
            ("state", text(state)),
            ("sub-status", text(sub_status)),
            ("product", text(product_id)),
            ("offering", text(offering)),
            ("service", service(|service| Some(service.value.clone()))),
            ("service before", service(|service| service.previous.clone())),
            ("expected", time(expected_completion)),
        ];
        self.line("item", &fields);
        if let Some(Appointment { id, reference, status, start, finish }) = appointment {
            let fields = [
                ("id", text(id)),
                ("reference", text(reference)),
                ("status", text(status)),
                ("start", time(start)),
                ("finish", time(finish)),
            ];
            self.line("  appointment", &fields);
        }
        for Characteristic { name, value } in characteristics {
            self.0.push(format!("  characteristic: {name} = {value}"));
        }
    }
}

fn text(value: &Option<String>) -> Option<String> {
    value.clone()
}

/// The text received, and the instant where the text says it in another form than ours.
fn time(moment: &Option<Moment>) -> Option<String> {
    let moment = moment.as_ref()?;
    Some(match moment.at().map(rfc3339) {
        Some(at) if at == moment.text() => at,
        Some(at) => format!("{} = {at}", moment.text()),
        None => format!("{} = ?", moment.text()),
    })
}

#[test]
fn the_shipped_vocabulary_knows_every_offering_sub_status_and_characteristic_of_the_document() {
    let vocabulary = vocabulary::shipped().unwrap();
    for fixture in fixtures::seeds() {
        for item in wire::read(&fixture.body).unwrap().event.items {
            let known = item.offering.is_none_or(|offering| vocabulary.offering(&offering).is_some())
                && item
                    .sub_status
                    .is_none_or(|sub_status| vocabulary.meaning(Subject::SubStatus, &sub_status).is_some())
                && item
                    .characteristics
                    .iter()
                    .all(|stated| vocabulary.meaning(Subject::Characteristic, &stated.name).is_some());
            assert!(known, "{}: item {}", fixture.name, item.id);
        }
    }
}
