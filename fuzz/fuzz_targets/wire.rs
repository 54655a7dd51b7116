//! Whatever bytes come: reading them ends, does not panic, and gives the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use order_timeline::wire::{Beside, statement};

fuzz_target!(|body: &[u8]| {
    let read = || statement(uuid::Uuid::nil(), chrono::DateTime::UNIX_EPOCH, Beside::default(), body);
    let first = read();
    assert_eq!(first, read());
    if let Ok((statement, _)) = first {
        assert!(!statement.event.order_id.is_empty(), "an event is about an order");
    }
});
