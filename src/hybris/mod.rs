//! The front door where orders are placed: the Hybris UX API `POST productOrder` (domain §3).
//!
//! It checks what must be there, passes the request through to the billing system (BSS) of its market, and keeps
//! what was sent and what came back as deliveries, before it answers. Business rules are the BSS's own. The
//! document speaks in HTTP's status codes inside its bodies too (`code: 400`), so they are data here.

mod bss;
mod client;
mod errors;
mod exchange;
mod mandatory;
mod market;
mod simulator;

use std::sync::Arc;
use std::time::Duration;

pub use bss::{Answer, Bss, Failure, Order};
pub use client::{Client, NoClient};
pub use errors::Errors;
pub use exchange::{Reply, settle_left_behind};
pub use mandatory::{Headers, faults};
pub use market::{JmSystem, Market, System};
pub use simulator::Simulator;

/// The front door's settings, and the systems behind it.
#[derive(Clone, Debug)]
pub struct Hybris {
    /// Where the API begins: `/hybris`.
    pub base_path: String,
    /// Which of Jamaica's systems an order goes to; by its body where this says nothing.
    pub jm: Option<JmSystem>,
    /// How long a BSS may take to answer.
    pub time_out: Duration,
    /// Beyond that: so long an answer may take to be written down before whoever asked is told to ask again.
    pub grace: Duration,
    /// By [`System`], in the order of [`System::ALL`].
    pub systems: [Arc<dyn Bss>; 4],
}

impl Default for Hybris {
    /// The simulator behind all markets.
    fn default() -> Self {
        let simulator: Arc<dyn Bss> = Arc::new(Simulator);
        Self {
            base_path: "/hybris".to_owned(),
            jm: None,
            time_out: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            systems: std::array::from_fn(|_| Arc::clone(&simulator)),
        }
    }
}

impl Hybris {
    /// Puts another BSS behind the door.
    pub fn put(&mut self, system: System, bss: Arc<dyn Bss>) {
        if let Some(place) = self.systems.get_mut(system.position()) {
            *place = bss;
        }
    }

    fn bss(&self, system: System) -> Arc<dyn Bss> {
        let found = self.systems.get(system.position()).map(Arc::clone);
        found.unwrap_or_else(|| Arc::new(Simulator))
    }
}
