//! Made-up feeds of the kind that BT Wholesale sends: for the demo, for measurements and for tests.
//!
//! Orders of several products go their ways: acknowledged, committed, completed; delayed, missed by the
//! customer, moved or cancelled by the supplier; a few stay open for ever. Bodies come in both of the shapes
//! that the supplier's own document has, repeat their messages, and some come twice, late, with other content
//! under the same id, or without id and time.
//!
//! A seed determines every byte. The order in which a [`Feed`] gives its bodies is that of their delivery.

mod act;
mod body;
mod dice;
mod feed;
mod journey;
mod order;

pub use dice::{Dice, Share};
pub use feed::{Feed, Is, Sent, Settings};
pub use journey::{Ending, Journey, Told};
