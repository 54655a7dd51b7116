//! The order: what events say, and the pure fold that makes a timeline of them (contract, the one law).
//!
//! Nothing here reads a clock, a file, a database or JSON. Types that are kept between events derive
//! serde's traits, without a single attribute: the names of the wire stay in [`crate::wire`].

mod attention;
pub mod change;
mod contradiction;
mod difference;
mod event;
mod family;
mod history;
mod ledger;
mod milestone;
mod missed;
mod moment;
mod place;
mod short_hash;
mod snapshot;
mod spelling;
mod state;
mod telling;
mod timeline;
mod visit;
mod vocabulary;
mod words;

pub use attention::{Attention, ENDED_UNRESOLVED, silence};
pub use change::{
    AppointmentFacts, Change, ContradictionFacts, DateFacts, Facts, Kind, MilestoneFacts, Missed, OpenMilestoneFacts,
    SaidBy, Value,
};
pub use event::{
    Appointment, Characteristic, Event, ItemStatement, Message, MessagePart, MilestoneStatement, Party, Placing,
    ServiceId, Statement,
};
pub use family::Family;
pub use history::{Entry, History, Outcome, PastEntry, classify, fold, knowledge};
pub use ledger::Ledger;
pub use moment::{Moment, rfc3339};
pub use place::{EventKey, Place, by_receipt};
pub use spelling::{compared, same};
pub use state::{OrderState, has_ended, is_over};
pub use timeline::{Applied, Item, Order, Timeline};
pub use vocabulary::{Class, Fault, Meaning, Subject, Vocabulary};
pub use words::{
    appointment_status, capitalised, day_of, day_or_time, days_between, natural_order, repeats_state,
    state as state_in_words, window,
};
