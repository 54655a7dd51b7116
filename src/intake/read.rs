//! The first half of taking a delivery in: what it says, or why it says nothing.

use crate::order::Statement;
use crate::record::OutcomeName;
use crate::store::OrderKey;
use crate::trial;
use crate::wire::{self, Oddity};

use super::delivery::{Body, Delivery, beside};
use super::{KeptOutcome, Verdicts};

/// A delivery that was read.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub delivery: Delivery,
    pub order_key: OrderKey,
    pub body_hash: [u8; 32],
    pub sense: Sense,
}

/// What a delivery says.
#[derive(Clone, Debug)]
pub enum Sense {
    Event {
        statement: Box<Statement>,
        oddities: Vec<Oddity>,
    },
    /// Nothing that could be placed.
    None(Quarantine),
    /// An event that broke the fold or its projection: kept with its ids, left out of the timeline.
    Parked {
        statement: Box<Statement>,
        oddities: Vec<Oddity>,
        quarantine: Quarantine,
    },
}

/// Why a delivery is quarantined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Stable, for programs.
    pub code: String,
    pub reason: String,
    pub path: Option<String>,
}

/// Reads a delivery.
pub fn incoming(delivery: Delivery) -> Incoming {
    let body_hash = match &delivery.body {
        Body::Whole(body) => wire::body_hash(body),
        Body::TooLarge { hash, .. } => *hash,
    };
    let sense = match delivery.too_large() {
        Some(reason) => Sense::None(Quarantine { code: "too-large".to_owned(), reason, path: None }),
        None => read(&delivery),
    };
    let order_key = match &sense {
        Sense::Event { statement, .. } => OrderKey::of_order(&delivery.sender, &statement.event.order_id),
        _ => OrderKey::of_body(&delivery.sender, &body_hash),
    };
    Incoming { delivery, order_key, body_hash, sense }
}

fn read(delivery: &Delivery) -> Sense {
    match wire::statement(delivery.id, delivery.received_at, beside(&delivery.headers), delivery.body.kept()) {
        Ok((mut statement, oddities)) => {
            if trial::fault("no-dedupe") {
                statement.event.event_id = Some(delivery.id.to_string());
            }
            Sense::Event { statement: Box::new(statement), oddities }
        }
        Err(unreadable) => Sense::None(Quarantine {
            code: unreadable.code().to_owned(),
            reason: unreadable.to_string(),
            path: unreadable.path().map(str::to_owned),
        }),
    }
}

impl Incoming {
    /// Takes the delivery's event out of the projection; the delivery stays.
    pub fn park(&mut self, reason: &str) {
        let quarantine = parked(reason.to_owned());
        let nothing = Sense::None(quarantine.clone());
        if let Sense::Event { statement, oddities } = std::mem::replace(&mut self.sense, nothing) {
            self.sense = Sense::Parked { statement, oddities, quarantine };
        }
    }

    /// Takes everything that was read from the body out; the bytes stay.
    pub fn strip(&mut self, reason: &str) {
        self.sense = Sense::None(parked(reason.to_owned()));
    }

    /// The outcome to keep, by what the fold made of it.
    pub fn kept(&self, verdicts: &Verdicts) -> KeptOutcome {
        let quarantined = |quarantine: Quarantine| KeptOutcome {
            outcome: OutcomeName::Quarantined,
            related: None,
            quarantine: Some(quarantine),
        };
        match &self.sense {
            Sense::None(quarantine) | Sense::Parked { quarantine, .. } => quarantined(quarantine.clone()),
            Sense::Event { .. } => {
                let id = self.delivery.id;
                match (verdicts.outcomes.get(&id), verdicts.parked.get(&id)) {
                    (Some(outcome), None) => KeptOutcome::from(*outcome),
                    (_, Some(reason)) => quarantined(parked(reason.clone())),
                    (None, None) => quarantined(parked("the fold gave no outcome for it".to_owned())),
                }
            }
        }
    }
}

/// The code of a delivery that could be read, but broke the fold or its projection.
pub const UNPROJECTED: &str = "unprojected";

fn parked(reason: String) -> Quarantine {
    Quarantine { code: UNPROJECTED.to_owned(), reason, path: None }
}

impl Sense {
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Event { statement, .. } | Self::Parked { statement, .. } => Some(statement),
            Self::None(_) => None,
        }
    }

    pub fn order_id(&self) -> Option<&str> {
        self.statement().map(|statement| statement.event.order_id.as_str())
    }

    pub fn event_id(&self) -> Option<&str> {
        self.statement().and_then(|statement| statement.event.event_id.as_deref())
    }

    pub fn oddities(&self) -> &[Oddity] {
        match self {
            Self::Event { oddities, .. } | Self::Parked { oddities, .. } => oddities,
            Self::None(_) => &[],
        }
    }
}
