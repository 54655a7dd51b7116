//! Who gets in: senders at the listener, staff and programs everywhere else, nobody else anywhere.
//!
//! What is judged here knows no HTTP: `http` hands in what a request shows ([`Presented`]) and turns a [`Reason`]
//! into an answer. A sender's demands are [`Demands`]; all of them must be met. The state of it all is in the
//! database, read every few seconds ([`Shared`]) and kept while the database is away, so that intake does not stop
//! for want of it.

mod certificate;
mod copy;
mod demand;
mod gate;
mod issuer;
mod jwt;
mod key;
mod oidc;
mod reason;
mod secret;
mod slow;
mod state;
mod token;
mod webhook;

pub use certificate::PeerCertificate;
pub use copy::Copy;
pub use demand::{
    CertificateDemand, Demands, IssuerDemand, LONGEST_TOKEN_SECONDS, OAuthDemand, Way, WebhookDemand, is_private,
    usual_algorithms,
};
pub use gate::{Admission, Authorization, Gate, Presented, Signatures};
pub use issuer::http_client;
pub use key::{ApiKey, Scope, generate as generate_key, key_id};
pub use oidc::{Begun, NotSignedIn, Oidc, OidcSettings, SignedIn};
pub use reason::{Door, Kind, Reason, RefusalCount, Refusals};
pub use secret::{Kept, NoRandom, Secret, WEBHOOK_PREFIX, random, same};
pub use state::{Sender, SenderSecret, Shared, State};
pub use token::{SCOPE, issue};
pub use webhook::WebhookHeaders;
