//! Which item contains which.

use std::collections::{HashMap, HashSet};

use super::event::Message;
use super::timeline::Order;
use super::vocabulary::{Class, Subject, Vocabulary};

/// The containment of an order's items, worked out once for all of them.
///
/// An item's parent is its container where one was stated, else the item whose id is this id without the
/// last dotted part (contract, words). What a sender nests in a circle, or deeper than anybody's catalogue,
/// stands at the top: bodies of junk must not make trees that nothing can walk.
#[derive(Debug)]
pub struct Family<'o>(HashMap<&'o str, &'o str>);

/// Levels below a root item at most. The deepest that a supplier documents is one.
const DEEPEST: usize = 16;

impl<'o> Family<'o> {
    pub fn of(order: &'o Order) -> Self {
        let mut parents = HashMap::new();
        let mut levels: HashMap<&str, usize> = HashMap::with_capacity(order.items.len());
        for id in order.items.keys() {
            climb(order, id, &mut levels, &mut parents);
        }
        Self(parents)
    }

    pub fn parent_of(&self, id: &str) -> Option<&'o str> {
        self.0.get(id).copied()
    }

    pub fn is_root(&self, id: &str) -> bool {
        !self.0.contains_key(id)
    }
}

/// The messages of an event that can mean something to items, each with the items that it is about: those that it
/// names, else the root items, since such a message is about the order as a whole (domain §1, messages).
///
/// Of those without an item of their own there are only those of known codes, and of several that mean the same the
/// last: what is left is few, however long a list the body brings.
#[derive(Debug)]
pub struct Addressed<'m> {
    messages: Vec<&'m Message>,
    /// Empty where no message needs them.
    roots: Vec<String>,
}

impl<'m> Addressed<'m> {
    pub fn of(messages: &'m [Message], order: &Order, vocabulary: &Vocabulary) -> Self {
        let messages = meaning_something(messages, vocabulary);
        let roots = if messages.iter().all(|message| !message.item_ids.is_empty()) {
            Vec::new()
        } else {
            let family = Family::of(order);
            order.items.keys().filter(|id| family.is_root(id)).cloned().collect()
        };
        Self { messages, roots }
    }

    /// In the event's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'m Message, &[String])> {
        self.messages
            .iter()
            .map(|message| (*message, if message.item_ids.is_empty() { &*self.roots } else { &*message.item_ids }))
    }
}

fn meaning_something<'m>(messages: &'m [Message], vocabulary: &Vocabulary) -> Vec<&'m Message> {
    let mut said = HashSet::new();
    let mut last_first = Vec::new();
    for message in messages.iter().rev() {
        if message.item_ids.is_empty() {
            let meaning = |code: &&str| vocabulary.meaning(Subject::Message, code);
            let codes: Vec<&str> = message.codes().filter(|code| meaning(code).is_some()).collect();
            let is_delay = codes.iter().filter_map(meaning).any(|meaning| meaning.is(Class::Delay));
            // A date may stand in the text of a delay.
            let text = message.text.as_deref().filter(|_| is_delay);
            if codes.is_empty() || !said.insert((codes, text)) {
                continue;
            }
        }
        last_first.push(message);
    }
    last_first.reverse();
    last_first
}

/// Climbs from an item to one whose level is known, or to the top, and gives all on the way their level.
/// Each item is climbed over once.
fn climb<'o>(
    order: &'o Order,
    from: &'o str,
    levels: &mut HashMap<&'o str, usize>,
    parents: &mut HashMap<&'o str, &'o str>,
) {
    let mut way: Vec<&str> = Vec::new();
    let mut on_way: HashMap<&str, usize> = HashMap::new();
    let mut at = Some(from);
    let mut circle_from = usize::MAX;
    while let Some(id) = at.filter(|id| !levels.contains_key(id)) {
        if let Some(met_again) = on_way.insert(id, way.len()) {
            circle_from = met_again;
            break;
        }
        way.push(id);
        at = stated_parent(order, id);
    }
    for (step, id) in way.iter().enumerate().rev() {
        let parent = stated_parent(order, id).filter(|_| step < circle_from);
        let level = parent.and_then(|parent| levels.get(parent)).map_or(0, |level| level + 1);
        match parent.filter(|_| level <= DEEPEST) {
            Some(parent) => {
                parents.insert(id, parent);
                levels.insert(id, level);
            }
            None => {
                levels.insert(id, 0);
            }
        }
    }
}

fn stated_parent<'o>(order: &'o Order, id: &str) -> Option<&'o str> {
    let container = order.items.get(id).and_then(|item| item.container.as_deref());
    let parent = container.or_else(|| id.rsplit_once('.').map(|(parent, _)| parent))?;
    order.items.get_key_value(parent).map(|(id, _)| id.as_str())
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, Family};
    use crate::order::{Item, Order};

    fn order(items: impl IntoIterator<Item = (String, Option<String>)>) -> Order {
        let item = |(id, container)| (id, Item { container, ..Item::default() });
        Order { items: items.into_iter().map(item).collect(), ..Order::default() }
    }

    #[test]
    fn parents_are_containers_or_the_id_without_its_last_part() {
        let order = order([
            ("100".to_owned(), None),
            ("100.1".to_owned(), None),
            ("7".to_owned(), Some("100.1".to_owned())),
            ("200.1".to_owned(), None),
        ]);
        let family = Family::of(&order);
        let parents = ["100", "100.1", "7", "200.1"].map(|id| family.parent_of(id));
        assert_eq!(parents, [None, Some("100"), Some("100.1"), None]);
    }

    #[test]
    fn circles_and_endless_chains_end_at_the_top() {
        let circle = order((0..5_000).map(|n| (n.to_string(), Some(((n + 1) % 5_000).to_string()))));
        let family = Family::of(&circle);
        assert!(circle.items.keys().all(|id| family.parent_of(id).is_none()));

        let chain = order((0..5_000).map(|n| (n.to_string(), Some((n + 1).to_string()))));
        let family = Family::of(&chain);
        for start in ["0", "1", "2500", "4999"] {
            let above = std::iter::successors(Some(start), |id| family.parent_of(id)).count();
            assert!(above <= DEEPEST + 1, "{above} levels");
        }
    }

    #[test]
    fn what_hangs_on_a_circle_keeps_its_parent() {
        let order = order([
            ("a".to_owned(), Some("b".to_owned())),
            ("b".to_owned(), Some("a".to_owned())),
            ("c".to_owned(), Some("a".to_owned())),
        ]);
        let family = Family::of(&order);
        assert_eq!(["a", "b", "c"].map(|id| family.parent_of(id)), [None, None, Some("a")]);
    }
}
