//! What is posted: a made-up feed in the order of its delivery.

use std::sync::Mutex;

use order_timeline::generate::{Feed, Settings, Share};

/// Bodies for many connections, each sent once.
pub struct Bodies {
    feed: Mutex<Feed>,
}

impl Bodies {
    /// About a thousand orders under way at a time, 20 events each on average. Other seeds make other orders.
    pub fn new(seed: u64, duplicates: Share, late: Share) -> Self {
        let feed = Feed::new(Settings {
            orders: 500_000,
            events_per_order: 20,
            seed,
            duplicates,
            late,
            conflicts: Share::NEVER,
            bare: Share::NEVER,
            from: "1980-01-01T00:00:00Z".parse().unwrap(),
            to: "2024-01-01T00:00:00Z".parse().unwrap(),
        });
        Self { feed: Mutex::new(feed) }
    }

    pub fn next(&self) -> Vec<u8> {
        self.feed.lock().unwrap().next().unwrap().body
    }

    /// Bodies until the first orders end; from there on as many orders begin as end.
    pub fn until_steady(&self) -> impl Iterator<Item = Vec<u8>> {
        (0..25_000).map(|_| self.next())
    }
}

/// A body of the feed that half of the others are longer than.
pub fn usual_body() -> Vec<u8> {
    let bodies = Bodies::new(0, Share::NEVER, Share::NEVER);
    let mut bodies: Vec<Vec<u8>> = bodies.until_steady().collect();
    bodies.sort_unstable_by_key(Vec::len);
    bodies.swap_remove(bodies.len() / 2)
}
