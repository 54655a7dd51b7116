//! What is looked at and done again of what was received.

use clap::Subcommand;
use uuid::Uuid;

use crate::record::OutcomeName;

#[derive(Clone, Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// The deliveries received last
    List {
        /// Only those of this outcome: applied, duplicate, conflict, quarantined.
        #[arg(long, env = "ORDER_TIMELINE_OUTCOME", value_parser = outcome)]
        outcome: Option<OutcomeName>,
        #[arg(long, env = "ORDER_TIMELINE_SENDER")]
        sender: Option<String>,
        /// How many at most.
        #[arg(long, env = "ORDER_TIMELINE_LIMIT", default_value_t = 50)]
        limit: u16,
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// One delivery: what is known of it, and its body
    Show {
        id: Uuid,
        /// Nothing but the exact bytes of the body.
        #[arg(long, env = "ORDER_TIMELINE_BODY")]
        body: bool,
    },
    /// Read deliveries again, and make the orders that they are about anew
    Retry {
        /// Their ids.
        #[arg(required_unless_present = "outcome", value_name = "ID")]
        ids: Vec<Uuid>,
        /// All of this outcome: applied, duplicate, conflict, quarantined.
        #[arg(long, env = "ORDER_TIMELINE_OUTCOME", value_parser = outcome, conflicts_with = "ids")]
        outcome: Option<OutcomeName>,
    },
}

fn outcome(text: &str) -> Result<OutcomeName, String> {
    let names = OutcomeName::ALL.map(OutcomeName::name).join(", ");
    OutcomeName::from_name(text).ok_or_else(|| format!("is none of {names}"))
}
