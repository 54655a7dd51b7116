//! The difference between two bodies, field by field.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Frame, page};
use super::label;
use super::viewer::Viewer;
use crate::http::link::order_path;
use crate::order::natural_order;
use crate::record::DeliveryRecord;

/// A field that differs: its path, and its value in either body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What differs between two JSON texts, in the order of the paths. Members of a list are told apart by what
/// names them, not by where they stand; a single member may stand for a list of one.
///
/// `None` where either is no JSON.
pub fn difference(before: &[u8], after: &[u8]) -> Option<Vec<Field>> {
    let before: Value = serde_json::from_slice(before).ok()?;
    let after: Value = serde_json::from_slice(after).ok()?;
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    flatten(&before, String::new(), &mut left);
    flatten(&after, String::new(), &mut right);
    let paths: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let differing = paths.into_iter().filter(|path| left.get(*path) != right.get(*path));
    let mut fields: Vec<Field> =
        differing.map(|path| field(path, left.get(path).copied(), right.get(path).copied())).collect();
    fields.sort_by(|a, b| natural_order(&a.path, &b.path));
    Some(fields)
}

/// A text stands in quotes only where a number, or the like, of the same letters stands beside it.
fn field(path: &str, before: Option<&Value>, after: Option<&Value>) -> Field {
    let bare = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (shown_before, shown_after) = (before.map(bare), after.map(bare));
    if shown_before == shown_after {
        let (before, after) = (before.map(Value::to_string), after.map(Value::to_string));
        return Field { path: path.to_owned(), before, after };
    }
    Field { path: path.to_owned(), before: shown_before, after: shown_after }
}

/// The leaves of a value by their path: what has no members is one itself. The parser bounds how deep a value is.
fn flatten<'v>(value: &'v Value, path: String, leaves: &mut BTreeMap<String, &'v Value>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                let members = is_collection(name).then(|| match value {
                    Value::Array(members) => members.as_slice(),
                    Value::Null => &[],
                    one => std::slice::from_ref(one),
                });
                let path = if path.is_empty() { name.clone() } else { format!("{path} › {name}") };
                match members {
                    Some(members) if !members.is_empty() => list(members, &path, leaves),
                    _ => flatten(value, path, leaves),
                }
            }
        }
        Value::Array(members) if !members.is_empty() => list(members, &path, leaves),
        leaf => {
            leaves.insert(path, leaf);
        }
    }
}

/// What suppliers send as a list, or as its one member (domain §1, shapes).
fn is_collection(name: &str) -> bool {
    ["productOrderItem", "relatedParty", "productCharacteristic", "errorMessage", "milestone", "note"].contains(&name)
}

fn list<'v>(members: &'v [Value], path: &str, leaves: &mut BTreeMap<String, &'v Value>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for member in members {
        let name = name_of(member);
        let times = seen.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
        let name = match (name.is_empty(), *times) {
            (true, times) => times.to_string(),
            (false, 1) => name,
            (false, times) => format!("{name} ({times})"),
        };
        flatten(member, format!("{path} [{name}]"), leaves);
    }
}

/// What names a member of a list: its id, or its name, or the code and the item that it is about. Some senders write ids
/// as numbers. Its type is the last resort: all members have the same.
fn name_of(member: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let own = |name: &str| member.get(name).and_then(text);
    if let Some(code) = own("subCode").or_else(|| own("code")) {
        let about = member.get("productOrderItem");
        let about = about.and_then(|about| about.get("itemId").or_else(|| about.get(0)?.get("itemId")));
        return about.and_then(text).map_or_else(|| code.clone(), |item| format!("{code} for {item}"));
    }
    ["id", "itemId", "name", "role", "@type"].iter().find_map(|name| own(name)).unwrap_or_default()
}

/// The page. `fields` is none where either body is no JSON or no longer kept.
pub fn page_of(before: &DeliveryRecord, after: &DeliveryRecord, fields: Option<&[Field]>, viewer: &Viewer) -> Markup {
    let content = html! {
        h1 { "What differs" }
        dl.facts {
            div { dt { "Before" } dd { (one(before, viewer)) } }
            div { dt { "After" } dd { (one(after, viewer)) } }
            @if let Some(id) = &after.order_id { div { dt { "Order" } dd { a href=(order_path(id, &after.sender)) { bdi { (id) } } } } }
        }
        p.note { "Bodies are snapshots: a field that is missing in the later one was not taken back, only not said again." }
        @match fields {
            None => p.nothing { "One of the bodies is no JSON, or is no longer kept." },
            Some([]) => p.nothing { "Nothing but spaces and order differs." },
            Some(fields) => (table(fields)),
        }
    };
    page(&Frame::of_part("What differs", ""), viewer, content)
}

fn one(delivery: &DeliveryRecord, viewer: &Viewer) -> Markup {
    html! {
        a href={ "/deliveries/" (delivery.delivery_id) } { (viewer.second(delivery.event_time.unwrap_or(delivery.received_at))) }
        " " (label::outcome(delivery.outcome))
    }
}

fn table(fields: &[Field]) -> Markup {
    let common = common_path(fields);
    html! {
        @if !common.is_empty() { p.note { "“…” stands for " code { (common.trim_end_matches(STEP)) } "." } }
        table.differences role="table" aria-label="Fields that differ" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Field" } th role="columnheader" scope="col" { "Before" } th role="columnheader" scope="col" { "After" }
            } }
            tbody role="rowgroup" {
                @for field in fields {
                    @let folded = folded(field.before.as_deref(), field.after.as_deref());
                    tr role="row" data-walk {
                        th role="rowheader" scope="row" title=(field.path) { (shortened(&field.path, common)) }
                        (value("Before", field.before.as_deref(), folded, "was not there", "taken"))
                        (value("After", field.after.as_deref(), folded, "not said again", "given"))
                    }
                }
            }
        }
    }
}

const STEP: &str = " › ";

/// The steps that all paths of several steps begin with; each keeps a step of its own.
fn common_path(fields: &[Field]) -> &str {
    let long: Vec<&str> = fields.iter().map(|field| field.path.as_str()).filter(|path| path.contains(STEP)).collect();
    let (Some(first), true) = (long.first(), long.len() > 1) else { return "" };
    let begins = first.match_indices(STEP).filter_map(|(at, step)| first.get(..at + step.len()));
    let is_of_all = |begin: &&str| long.iter().all(|path| path.starts_with(begin));
    begins.take_while(is_of_all).last().unwrap_or_default()
}

fn shortened(path: &str, common: &str) -> String {
    match path.strip_prefix(common) {
        Some(own) if !common.is_empty() => format!("… {own}"),
        _ => path.to_owned(),
    }
}

/// How many letters two values have in common at their beginning and at their end, where that is worth folding.
fn folded(before: Option<&str>, after: Option<&str>) -> (usize, usize) {
    /// So much of what is equal stays beside what is not.
    const KEPT: usize = 24;
    const WORTH: usize = 40;
    let (Some(before), Some(after)) = (before, after) else { return (0, 0) };
    let begin = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let shorter = before.chars().count().min(after.chars().count());
    let end = before.chars().rev().zip(after.chars().rev()).take(shorter - begin).take_while(|(a, b)| a == b).count();
    let fold = |equal: usize| if equal >= KEPT + WORTH { equal - KEPT } else { 0 };
    (fold(begin), fold(end))
}

fn value(side: &str, value: Option<&str>, (begin, end): (usize, usize), absent: &str, class: &str) -> Markup {
    let Some(value) = value else { return html! { td.absent role="cell" data-label=(side) { (absent) } } };
    let letters = value.chars().count();
    let part = |skip: usize, take: usize| value.chars().skip(skip).take(take).collect::<String>();
    html! {
        td role="cell" class=(class) data-label=(side) {
            (equal(&part(0, begin)))
            bdi { (part(begin, letters - begin - end)) }
            (equal(&part(letters - end, end)))
        }
    }
}

/// What is the same on both sides, out of the way.
fn equal(text: &str) -> Markup {
    html! { @if !text.is_empty() { details.equal { summary { "… " (text.chars().count()) " letters are the same" } bdi { (text) } } } }
}

#[cfg(test)]
mod tests {
    use super::{Field, common_path, difference, folded, shortened};

    fn fields(before: &str, after: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let tuple = |field: Field| (field.path, field.before, field.after);
        difference(before.as_bytes(), after.as_bytes()).unwrap().into_iter().map(tuple).collect()
    }

    #[test]
    fn members_are_compared_by_what_names_them() {
        let before = r#"{"productOrderItem":[{"id":"1","state":"inProgress"},{"id":"2","state":"inProgress"}]}"#;
        let after = r#"{"productOrderItem":[{"id":"2","state":"completed"},{"id":"1","state":"inProgress"}]}"#;
        assert_eq!(
            fields(before, after),
            [("productOrderItem [2] › state".to_owned(), Some("inProgress".to_owned()), Some("completed".to_owned()))]
        );
    }

    #[test]
    fn one_member_may_stand_for_a_list_of_one() {
        assert_eq!(fields(r#"{"relatedParty":[{"id":"C"}]}"#, r#"{"relatedParty":{"id":"C"}}"#), []);
    }

    #[test]
    fn a_member_is_named_by_a_number_as_well_and_by_its_type_last() {
        let before = r#"{"productOrderItem":[{"id":1,"state":"a"},{"id":2,"state":"a"}]}"#;
        let after = r#"{"productOrderItem":[{"id":2,"state":"b"},{"id":1,"state":"a"}]}"#;
        let state = ("productOrderItem [2] › state".to_owned(), Some("a".to_owned()), Some("b".to_owned()));
        assert_eq!(fields(before, after), [state]);
        let party = |role: &str| format!(r#"{{"@type":"Party","role":"{role}","x":"{role}"}}"#);
        let (one, other) = (party("a"), party("b"));
        let (before, after) = (format!(r#"{{"p":[{one},{other}]}}"#), format!(r#"{{"p":[{other},{one}]}}"#));
        assert_eq!(fields(&before, &after), []);
    }

    #[test]
    fn what_differs_only_in_kind_and_what_is_empty_is_told() {
        let told = |path: &str, before: &str, after: &str| {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            (path.to_owned(), some(before), some(after))
        };
        assert_eq!(fields(r#"{"a":1}"#, r#"{"a":"1"}"#), [told("a", "1", "\"1\"")]);
        assert_eq!(fields(r#"{"a":null}"#, r#"{"a":"null"}"#), [told("a", "null", "\"null\"")]);
        assert_eq!(fields(r#"{"a":1}"#, r#"{"a":"2"}"#), [told("a", "1", "2")]);
        assert_eq!(fields(r#"{"a":[],"b":1}"#, r#"{"b":1}"#), [told("a", "[]", "")]);
        assert_eq!(fields(r#"{"note":[],"b":1}"#, r#"{"b":1,"x":{}}"#), [told("note", "[]", ""), told("x", "", "{}")]);
        assert_eq!(fields(r#"{"note":[]}"#, r#"{"note":null}"#), [told("note", "[]", "null")]);
    }

    #[test]
    fn what_came_and_what_went_is_told() {
        let path = "errorMessage [510 for 1] › message";
        let before = r#"{"errorMessage":[{"subCode":"510","message":"a","productOrderItem":{"itemId":"1"}}]}"#;
        let told = fields(before, "{}");
        assert!(told.contains(&(path.to_owned(), Some("a".to_owned()), None)), "{told:?}");
        assert_eq!(difference(b"{", b"{}"), None);
    }

    #[test]
    fn what_all_paths_begin_with_is_said_once() {
        let of = |paths: &[&str]| -> Vec<Field> {
            paths.iter().map(|path| Field { path: (*path).to_owned(), before: None, after: None }).collect()
        };
        assert_eq!(common_path(&of(&["event › order › id", "event › order › items [1] › state"])), "event › order › ");
        assert_eq!(common_path(&of(&["event › order › id", "event › type", "eventId"])), "event › ");
        assert_eq!(common_path(&of(&["event › order › id", "eventId"])), "");
        assert_eq!(shortened("event › order › id", "event › "), "… order › id");
        assert_eq!(shortened("eventId", "event › "), "eventId");
        assert_eq!(shortened("eventId", ""), "eventId");
        assert_eq!(common_path(&of(&["event › order › id"])), "", "one path is said whole");
        assert_eq!(common_path(&[]), "");
    }

    #[test]
    fn long_equal_parts_are_folded_and_overlap_nowhere() {
        let long = "é".repeat(100);
        assert_eq!(folded(Some(&format!("{long}a")), Some(&format!("{long}b"))), (76, 0));
        assert_eq!(folded(Some(&format!("a{long}")), Some(&format!("b{long}"))), (0, 76));
        assert_eq!(folded(Some(&long), Some(&format!("{long}{long}"))), (76, 0), "an end is not counted twice");
        assert_eq!(folded(Some("short"), Some("shore")), (0, 0));
        assert_eq!(folded(None, Some(&long)), (0, 0));
    }
}
