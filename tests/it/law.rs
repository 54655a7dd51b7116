//! The one law (contract): a projection is a function of the set of (body, time received), and nothing else shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use order_timeline::intake::{Extent, KnownContent, Plan, Seen, Times, Unknown, addition, whole};
use order_timeline::order::{Entry, EventKey, Item, Outcome, Statement, Timeline, Vocabulary, compared, fold, rfc3339};
use order_timeline::record::{
    AttentionRecord, EntryRecord, EntryValueRecord, Identifier, ItemRecord, ItemVersionRecord, known_state,
    known_timeline,
};
use order_timeline::{vocabulary, wire};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use uuid::Uuid;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_of_any_permutation_is_the_same(history in history(), order in shuffle()) {
        let vocabulary = vocabulary();
        let permuted = permuted(&history, &order);
        prop_assert_eq!(fold(&history, None, &vocabulary), fold(&permuted, None, &vocabulary));
    }

    #[test]
    fn taking_in_piece_by_piece_gives_what_a_rebuild_gives(
        history in history(),
        order in shuffle(),
        is_by_receipt in any::<bool>(),
        batches in proptest::collection::vec(1..4_usize, 16),
    ) {
        let vocabulary = vocabulary();
        let processed = if is_by_receipt { by_receipt(&history) } else { permuted(&history, &order) };
        let mut kept = Kept::default();
        let mut rest = processed.as_slice();
        for size in batches.into_iter().cycle() {
            let (batch, after) = rest.split_at(size.min(rest.len()));
            kept.take(batch, &vocabulary);
            // Whatever came so far, all of it shows: not only in the end.
            let rebuilt = Kept::rebuilt(&kept.received, &vocabulary);
            prop_assert_eq!(kept.shown(), rebuilt.shown());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let rebuilt = Kept::rebuilt(&history, &vocabulary);
        prop_assert_eq!(kept.shown(), rebuilt.shown());
    }

    #[test]
    fn a_duplicate_changes_nothing_but_its_own_outcome(history in history(), which in any::<Index>(), later in 1..90_i64) {
        let vocabulary = vocabulary();
        let last = history.iter().map(|statement| statement.received_at).max().unwrap();
        let again = Statement {
            delivery_id: Uuid::from_u128(9_999),
            received_at: last + TimeDelta::minutes(later),
            ..history[which.index(history.len())].clone()
        };
        let before = fold(&history, None, &vocabulary);
        let with_it = fold(&[history.clone(), vec![again.clone()]].concat(), None, &vocabulary);
        prop_assert_eq!(&with_it.timeline, &before.timeline);
        prop_assert_eq!(&with_it.entries, &before.entries);
        let mut outcomes = with_it.outcomes;
        let own = outcomes.remove(&again.delivery_id).unwrap();
        prop_assert!(matches!(own, Outcome::Duplicate(of) if of != again.delivery_id));
        prop_assert_eq!(&outcomes, &before.outcomes);
    }

    #[test]
    fn an_order_as_it_was_then_is_its_timeline_up_to_then(history in history(), until in 0..MINUTES) {
        let vocabulary = vocabulary();
        let until = minute(until);
        let all = fold(&history, None, &vocabulary);
        let then = fold(&history, Some(until), &vocabulary);
        let mut before: Vec<Entry> = all.entries.into_iter().filter(|entry| entry.at <= until).collect();
        // What held then may have ceased to hold since.
        before.iter_mut().for_each(|entry| entry.valid_to = entry.valid_to.filter(|ended| *ended <= until));
        prop_assert_eq!(then.entries, before);
        prop_assert_eq!(then.outcomes, all.outcomes);
        let placed: Vec<Statement> = applied(&history).into_iter().filter(|one| one.at() <= until).cloned().collect();
        let alone = fold(&placed, None, &vocabulary);
        prop_assert_eq!(then.timeline.order(), alone.timeline.order());
    }

    #[test]
    fn an_item_is_what_the_latest_event_says_that_says_something(history in history()) {
        let timeline = fold(&history, None, &vocabulary()).timeline;
        let mut placed = applied(&history);
        placed.sort_by_key(|statement| place(statement));
        let mut expected: BTreeMap<String, BTreeMap<&str, String>> = BTreeMap::new();
        for item in placed.iter().flat_map(|statement| &statement.event.items) {
            let said = expected.entry(item.id.clone()).or_default();
            let fields = [
                ("action", item.action.clone()),
                ("internal", item.internal_id.clone()),
                ("product", item.product_id.clone()),
                ("offering", item.offering.clone()),
                ("state", item.state.clone()),
                ("sub-status", item.sub_status.clone()),
                ("expected", item.expected_completion.as_ref().map(|date| date.text().to_owned())),
                ("service", item.service_id.as_ref().map(|service| service.value.clone())),
            ];
            said.extend(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
        }
        let items = &timeline.order().items;
        let kept: BTreeMap<String, BTreeMap<&str, String>> =
            items.iter().map(|(id, item)| (id.clone(), single_values(item))).collect();
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn what_was_known_at_a_time_is_the_fold_of_what_was_received_by_then(history in history(), at in any::<Index>()) {
        let known_at = history[at.index(history.len())].received_at;
        let plan = whole(&history, &vocabulary()).unwrap();
        let known_now = plan.entries.into_iter().map(|entry| (entry, None));
        let known_once = plan.past.into_iter().map(|(entry, until)| (entry, Some(until)));
        let mut kept: Vec<String> = known_now
            .chain(known_once)
            .filter(|(entry, until)| entry.known_from <= known_at && until.is_none_or(|until| until > known_at))
            .map(|(entry, _)| telling(&entry))
            .collect();
        let received: Vec<Statement> =
            history.into_iter().filter(|statement| statement.received_at <= known_at).collect();
        let mut folded: Vec<String> =
            fold(&received, None, &vocabulary()).entries.into_iter().map(|entry| telling(&entry.into())).collect();
        kept.sort();
        folded.sort();
        prop_assert_eq!(kept, folded);
    }

    #[test]
    fn the_entries_that_are_kept_tell_what_was_known_as_folding_does(
        history in history(), at in any::<Index>(), until in 0..MINUTES,
    ) {
        let known_at = history[at.index(history.len())].received_at;
        let plan = whole(&history, &vocabulary()).unwrap();
        let known_now = plan.entries.into_iter().filter(|entry| entry.known_from <= known_at);
        let known_once = plan.past.into_iter().filter(|(entry, until)| entry.known_from <= known_at && *until > known_at);
        let kept: Vec<EntryRecord> = known_now.chain(known_once.map(|(entry, _)| entry)).collect();
        let received: Vec<Statement> =
            history.into_iter().filter(|statement| statement.received_at <= known_at).collect();
        let lasting = |entry: &EntryRecord| format!("{} until {:?}", telling(entry), entry.valid_to);

        let folded: Vec<EntryRecord> =
            fold(&received, None, &vocabulary()).entries.into_iter().map(EntryRecord::from).collect();
        let mut expected: Vec<String> = folded.iter().map(lasting).collect();
        let mut told: Vec<String> = known_timeline(kept.clone(), None).iter().map(lasting).collect();
        expected.sort();
        told.sort();
        prop_assert_eq!(told, expected);

        let until = minute(until);
        // Another spelling of it is no entry.
        let state = |entries: &[EntryRecord]| known_state(entries).map(|(state, _)| compared(&state));
        let then = fold(&received, Some(until), &vocabulary());
        let of_fold = then.timeline.order().state.as_ref().map(|state| compared(&state.state));
        prop_assert_eq!(state(&known_timeline(kept, Some(until))), of_fold);
    }

    #[test]
    fn an_event_is_late_if_one_that_stands_after_it_was_received_before_it(history in history()) {
        let entries = fold(&history, None, &vocabulary()).entries;
        let placed = applied(&history);
        for entry in entries.iter().filter(|entry| entry.change.kind.name() != "conflict") {
            let own = placed.iter().find(|statement| statement.delivery_id == entry.delivery_id).unwrap();
            let is_late =
                placed.iter().any(|other| place(other) > place(own) && other.received_at < own.received_at);
            prop_assert_eq!(entry.late, is_late);
        }
    }
}

/// An entry by all that a reader is told of it.
fn telling(entry: &EntryRecord) -> String {
    format!("{} {} {} {} {:?} {}", entry.at, entry.late, entry.delivery_id, entry.kind, entry.item_ids, entry.text)
}

fn single_values(item: &Item) -> BTreeMap<&'static str, String> {
    let fields = [
        ("action", item.action.clone()),
        ("internal", item.internal_id.clone()),
        ("product", item.product_id.clone()),
        ("offering", item.offering.clone()),
        ("state", item.state.clone()),
        ("sub-status", item.sub_status.clone()),
        ("expected", item.expected_completion.as_ref().map(|date| date.text().to_owned())),
        ("service", item.service_id.clone()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The place of law 1, written down a second time.
fn place(statement: &Statement) -> (DateTime<Utc>, bool, String, [u8; 32]) {
    let event = &statement.event;
    let is_other = event.event_type.as_deref() != Some("ProductOrderCreateEvent");
    (statement.at(), is_other, event.event_id.clone().unwrap_or_default(), statement.body_hash)
}

/// The events that count by law 5, written down a second time: of each the one received first.
fn applied(history: &[Statement]) -> Vec<&Statement> {
    let mut first: BTreeMap<String, &Statement> = BTreeMap::new();
    for statement in history {
        let event_id = statement.event.event_id.as_ref().map(|id| format!("id {id}"));
        let event = event_id.unwrap_or_else(|| format!("content {:?}", statement.content_hash));
        let receipt = |one: &Statement| (one.received_at, one.body_hash, one.delivery_id);
        let earliest = first.entry(event).or_insert(statement);
        if receipt(statement) < receipt(earliest) {
            *earliest = statement;
        }
    }
    first.into_values().collect()
}

/// What the database would keep of an order, and what the intake does with it: `plan_order` in
/// src/intake/mod.rs and `project` in src/store/project.rs, without a database.
#[derive(Default)]
struct Kept {
    received: Vec<Statement>,
    timeline: Option<Timeline>,
    times: Option<Times>,
    outcomes: BTreeMap<Uuid, Outcome>,
    contents: BTreeMap<(EventKey, [u8; 32]), KnownContent>,
    entries: BTreeMap<(i64, i32), EntryRecord>,
    items: BTreeMap<String, ItemRecord>,
    identifiers: BTreeSet<Identifier>,
    past: Vec<(EntryRecord, DateTime<Utc>)>,
    attention: Vec<AttentionRecord>,
    unknown: Unknown,
    versions: BTreeMap<(String, i64), ItemVersionRecord>,
    values: BTreeMap<(i64, i32, i32), EntryValueRecord>,
}

type Shown<'k> = (
    &'k Option<Timeline>,
    &'k Option<Times>,
    &'k BTreeMap<Uuid, Outcome>,
    &'k BTreeMap<(EventKey, [u8; 32]), KnownContent>,
    &'k BTreeMap<(i64, i32), EntryRecord>,
    &'k BTreeMap<String, ItemRecord>,
    &'k BTreeSet<Identifier>,
    (&'k Vec<(EntryRecord, DateTime<Utc>)>, &'k Vec<AttentionRecord>, &'k Unknown),
    &'k BTreeMap<(String, i64), ItemVersionRecord>,
    &'k BTreeMap<(i64, i32, i32), EntryValueRecord>,
);

impl Kept {
    fn take(&mut self, batch: &[Statement], vocabulary: &Vocabulary) {
        let new: Vec<&Statement> = batch.iter().collect();
        let events: BTreeSet<EventKey> = batch.iter().map(EventKey::of).collect();
        let known: Vec<KnownContent> =
            self.contents.values().filter(|known| events.contains(&known.event_key)).cloned().collect();
        let timeline = self.timeline.clone().unwrap_or_default();
        self.received.extend(batch.iter().cloned());
        let plan = addition(&timeline, self.times, &known, &new, vocabulary);
        let plan = plan.unwrap_or_else(|| whole(&self.received, vocabulary).unwrap());
        self.keep(plan);
    }

    fn rebuilt(history: &[Statement], vocabulary: &Vocabulary) -> Self {
        let mut kept = Self::default();
        kept.keep(whole(history, vocabulary).unwrap());
        kept
    }

    fn keep(&mut self, plan: Plan) {
        self.outcomes.extend(plan.outcomes);
        match plan.extent {
            Extent::Addition if plan.contents.is_empty() => return,
            Extent::Addition => {}
            Extent::Whole => {
                self.contents.clear();
                self.entries.clear();
                self.items.clear();
                self.identifiers.clear();
                self.unknown.clear();
                self.versions.clear();
                self.values.clear();
                self.past = plan.past;
            }
        }
        for (position, ordinal, at) in plan.ended {
            self.entries.get_mut(&(position, ordinal)).unwrap().valid_to = Some(at);
        }
        for (item, at) in plan.versions.ended {
            let open =
                self.versions.values_mut().filter(|version| version.item_id == item && version.valid_to.is_none());
            let mut open: Vec<_> = open.collect();
            assert_eq!(open.len(), 1, "an item is in one state at a time");
            open[0].valid_to = Some(at);
        }
        for version in plan.versions.begun {
            let twin = self.versions.insert((version.item_id.clone(), version.event_position), version);
            assert_eq!(twin, None, "item_version_pk");
        }
        for value in plan.values {
            let twin = self.values.insert((value.event_position, value.ordinal, value.part), value);
            assert_eq!(twin, None, "entry_value_pk");
        }
        for content in plan.contents {
            let twin = self.contents.insert((content.event_key, content.content_hash), content);
            assert_eq!(twin, None, "event_pk");
        }
        for entry in plan.entries {
            let twin = self.entries.insert((entry.event_position, entry.ordinal), entry);
            assert_eq!(twin, None, "timeline_entry_pk");
        }
        self.items.extend(plan.items.into_iter().map(|item| (item.item_id.clone(), item)));
        self.identifiers.extend(plan.identifiers);
        if let Some(attention) = plan.attention {
            self.attention = attention;
        }
        for (value, seen) in plan.unknown {
            let kept = self.unknown.entry(value).or_insert(Seen { events: 0, ..seen });
            *kept = Seen {
                first: kept.first.min(seen.first),
                last: kept.last.max(seen.last),
                events: kept.events + seen.events,
            };
        }
        self.timeline = Some(plan.timeline);
        self.times = Some(plan.times);
    }

    fn shown(&self) -> Shown<'_> {
        let Self {
            received: _,
            timeline,
            times,
            outcomes,
            contents,
            entries,
            items,
            identifiers,
            past,
            attention,
            unknown,
            versions,
            values,
        } = self;
        (timeline, times, outcomes, contents, entries, items, identifiers, (past, attention, unknown), versions, values)
    }
}

fn vocabulary() -> Vocabulary {
    vocabulary::shipped().unwrap()
}

fn shuffle() -> impl Strategy<Value = Vec<Index>> {
    proptest::collection::vec(any::<Index>(), 24)
}

fn permuted(history: &[Statement], order: &[Index]) -> Vec<Statement> {
    let mut rest = history.to_vec();
    let mut permuted = Vec::with_capacity(rest.len());
    for index in order.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        permuted.push(rest.swap_remove(index.index(rest.len())));
    }
    permuted
}

fn by_receipt(history: &[Statement]) -> Vec<Statement> {
    let mut sorted = history.to_vec();
    sorted.sort_by_key(|statement| statement.received_at);
    sorted
}

/// Events and receipts happen within this many minutes: few, so that equal times are common.
const MINUTES: i64 = 12;

fn minute(number: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2024-03-30T22:00:00Z".parse().unwrap();
    start + TimeDelta::minutes(number)
}

/// The deliveries of one order: events, copies of them, and other contents under the id of one of them.
fn history() -> impl Strategy<Value = Vec<Statement>> {
    let events = proptest::collection::vec((event(), 0..MINUTES), 1..7);
    let copies = proptest::collection::vec((any::<Index>(), copy(), 0..MINUTES), 0..5);
    (events, copies, any::<bool>()).prop_map(|(events, copies, is_orderly)| {
        let mut bodies: Vec<(Value, bool, i64)> = Vec::new();
        for (number, (mut event, mut received)) in events.iter().cloned().enumerate() {
            // Half of the histories come as they happen, but for an event here and there.
            if is_orderly && received != 0 {
                let at = 2 * i64::try_from(number).unwrap();
                event.time = event.time.map(|(_, is_summer_time)| (at, is_summer_time));
                received = at + received % 2;
            }
            bodies.push((event.body(number), false, received));
        }
        for (of, copy, received) in copies {
            let (body, ..) = &bodies[of.index(events.len())];
            bodies.push(match copy {
                Copy::Same => (body.clone(), false, received),
                Copy::Spaced => (body.clone(), true, received),
                Copy::Other(item) => {
                    let mut body = body.clone();
                    body["event"]["productOrder"]["productOrderItem"] = item.body();
                    (body, false, received)
                }
            });
        }
        let statement = |(number, (body, is_spaced, received)): (usize, (Value, bool, i64))| {
            let body = if is_spaced { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
            let id = Uuid::from_u128(u128::try_from(number).unwrap());
            wire::statement(id, minute(received), wire::Beside::default(), body.unwrap().as_bytes()).unwrap().0
        };
        bodies.into_iter().enumerate().map(statement).collect()
    })
}

#[derive(Clone, Debug)]
enum Copy {
    Same,
    /// Equal as JSON, other bytes.
    Spaced,
    /// The same event id with other items.
    Other(ItemSays),
}

fn copy() -> impl Strategy<Value = Copy> {
    prop_oneof![Just(Copy::Same), Just(Copy::Spaced), item().prop_map(Copy::Other)]
}

#[derive(Clone, Debug)]
struct EventSays {
    has_id: bool,
    is_create: bool,
    /// Minute and whether it is written as British Summer Time.
    time: Option<(i64, bool)>,
    own_state: Option<&'static str>,
    external_id: Option<&'static str>,
    parties: Vec<(&'static str, &'static str)>,
    items: Vec<ItemSays>,
    messages: Vec<(&'static str, Option<&'static str>, Vec<&'static str>)>,
    milestones: Vec<(&'static str, &'static str)>,
}

fn event() -> impl Strategy<Value = EventSays> {
    let head = (
        proptest::bool::weighted(0.8),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.8, (0..MINUTES, any::<bool>())),
        proptest::option::weighted(0.15, prop::sample::select(vec!["held", "completed", "In Progress"])),
        proptest::option::of(prop::sample::select(vec!["X-1", "X-2"])),
    );
    let party =
        prop::sample::select(vec![("BtCug", "CUG1"), ("BtCug", "CUG2"), ("bt cug", "CUG1"), ("Reseller", "R1")]);
    let message = (
        prop::sample::select(vec!["510", "520"]),
        proptest::option::of(prop::sample::select(vec!["Informational : 510 : Acknowledged", "Warning : 7 : Other"])),
        proptest::sample::subsequence(vec!["100", "100.1"], 0..3),
    );
    let milestone = prop::sample::select(vec![("Duct", "planned"), ("Duct", "reached"), ("Fibre", "reached")]);
    let lists = (
        proptest::collection::vec(party, 0..3),
        proptest::collection::vec(item(), 0..4),
        proptest::collection::vec(message, 0..3),
        proptest::collection::vec(milestone, 0..2),
    );
    (head, lists).prop_map(
        |((has_id, is_create, time, own_state, external_id), (parties, items, messages, milestones))| EventSays {
            has_id,
            is_create,
            time,
            own_state,
            external_id,
            parties,
            items,
            messages,
            milestones,
        },
    )
}

#[derive(Clone, Debug)]
struct ItemSays {
    id: &'static str,
    fields: Vec<(&'static str, &'static str)>,
    product: Vec<(&'static str, Value)>,
    appointment: Option<Vec<(&'static str, &'static str)>>,
    inner: Option<&'static str>,
}

fn item() -> impl Strategy<Value = ItemSays> {
    let fields = proptest::sample::subsequence(
        vec![
            ("action", "add"),
            ("action", "delete"),
            ("internalId", "0001"),
            ("internalId", "0002"),
            ("state", "inProgress"),
            ("state", "In Progress"),
            ("state", "completed"),
            ("state", "failed"),
            ("subStatus", "In Progress"),
            ("subStatus", "CommittedByBTWwBC"),
            ("subStatus", ""),
            ("expectedCompletionDate", "2024-04-02T23:59:59Z"),
            ("expectedCompletionDate", "2024-04-03T00:59:59+01:00"),
            ("expectedCompletionDate", "2024-04-05T23:59:59Z"),
            ("expectedCompletionDate", "soon"),
        ],
        0..8,
    );
    let characteristic = |name: &str, value: &str| ("productCharacteristic", json!({ "name": name, "value": value }));
    let product = proptest::sample::subsequence(
        vec![
            ("id", json!("P-1")),
            ("id", json!("P-2")),
            ("productOffering", json!({ "id": "E0000021" })),
            ("productOffering", json!({ "id": "E0000703" })),
            ("customerFacingServiceId", json!({ "value": "BBONE1", "previousValue": "" })),
            ("customerFacingServiceId", json!({ "value": "BBONE2", "previousValue": "BBONE1" })),
            characteristic("ATT_RT_ONTReferenceNumber", "ONT0000001"),
            characteristic("ATT_RT_ONTReferenceNumber", "ONT0000002"),
            characteristic("att rt ont reference number", "ONT0000002"),
            ("productCharacteristic", json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "long enough" }])),
        ],
        0..5,
    );
    let appointment = proptest::sample::subsequence(
        vec![
            ("id", "A-1"),
            ("id", "A-2"),
            ("BESAppointmentId", "B-1"),
            ("BESAppointmentId", "B-2"),
            ("appointmentStatus", "Booked"),
            ("appointmentStatus", "booked"),
            ("appointmentStatus", "CustomerMissed"),
            ("appointmentStart", "2024-04-01T08:00:00Z"),
            ("appointmentStart", "2024-04-01T09:00:00+01:00"),
            ("appointmentFinish", "2024-04-01T12:00:00Z"),
        ],
        0..7,
    );
    (
        prop::sample::select(vec!["100", "100.1", "100.2", "200", "100.1.1"]),
        fields,
        product,
        proptest::option::of(appointment),
        proptest::option::weighted(0.2, prop::sample::select(vec!["100", "100.1", "200", "300"])),
    )
        .prop_map(|(id, fields, product, appointment, inner)| ItemSays { id, fields, product, appointment, inner })
}

impl EventSays {
    fn body(&self, number: usize) -> Value {
        let messages = self.messages.iter().map(|(code, text, items)| {
            let items: Vec<Value> = items.iter().map(|id| json!({ "itemId": id })).collect();
            json!({ "subCode": code, "message": text, "productOrderItem": items })
        });
        let parties = self.parties.iter().map(|(role, id)| json!({ "role": role, "id": id }));
        let milestones = self.milestones.iter().map(|(name, status)| json!({ "name": name, "status": status }));
        let order = json!({
            "id": "00900100",
            "externalId": self.external_id,
            "state": self.own_state,
            "relatedParty": parties.collect::<Vec<_>>(),
            "productOrderItem": self.items.iter().map(ItemSays::body).collect::<Vec<_>>(),
            "errorMessage": messages.collect::<Vec<_>>(),
            "productOrderMilestone": milestones.collect::<Vec<_>>(),
        });
        let kind = if self.is_create { "ProductOrderCreateEvent" } else { "ProductOrderStateChangeEvent" };
        let mut body = json!({ "event": { "productOrder": order }, "eventType": kind });
        if self.has_id {
            body["eventId"] = json!(format!("event-{number}"));
        }
        if let Some((time, is_summer_time)) = self.time {
            let utc = rfc3339(minute(time));
            let summer = minute(time + 60).format("%Y-%m-%dT%H:%M:%S+01:00").to_string();
            body["eventTime"] = json!(if is_summer_time { summer } else { utc });
        }
        body
    }
}

impl ItemSays {
    fn body(&self) -> Value {
        // Of fields that were drawn twice the last one stands.
        let mut item: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        item.insert("id".to_owned(), json!(self.id));
        let product: Map<String, Value> =
            self.product.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        item.insert("product".to_owned(), product.into());
        if let Some(appointment) = &self.appointment {
            let appointment: Map<String, Value> =
                appointment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            item.insert("appointment".to_owned(), appointment.into());
        }
        if let Some(inner) = self.inner {
            item.insert("productOrderItem".to_owned(), json!({ "id": inner, "state": "completed" }));
        }
        item.into()
    }
}
