//! What the demo shows: the printed bodies, and orders made up as time goes by.

mod bodies;
mod journey;

pub use bodies::BODIES;
pub use journey::Journeys;
