//! Why a request was refused, and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tracing::warn;

/// Why. Those that tell more stand later: of several that hold, the last is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    SenderUnusable,
    NoCredentials,
    WrongCredentials,
    OtherSender,
    KeyAtListener,
    SenderAtOtherDoor,
    BadToken,
    TokenAlgorithm,
    TokenKey,
    TokenSignature,
    TokenIssuer,
    TokenAudience,
    TokenScope,
    TokenNotYetValid,
    TokenExpired,
    TokenRevoked,
    NoSignature,
    NoCertificate,
    WrongCertificate,
    CertificateTime,
    WrongAddress,
    UndeclaredProxy,
    SignatureTime,
    WrongSignature,
    TooLargeToCheck,
    UnknownSender,
    SenderDisabled,
    SeveralSenders,
    IssuerAway,
    Guessing,
    KeyExpired,
    SessionOver,
    NoScope,
    ForeignSite,
    OpenBehindProxy,
    NoRoute,
}

impl Reason {
    /// All of them, for whoever counts: a figure that is there from the start tells of its first time, too.
    pub const ALL: [Self; 36] = [
        Self::SenderUnusable,
        Self::NoCredentials,
        Self::WrongCredentials,
        Self::OtherSender,
        Self::KeyAtListener,
        Self::SenderAtOtherDoor,
        Self::BadToken,
        Self::TokenAlgorithm,
        Self::TokenKey,
        Self::TokenSignature,
        Self::TokenIssuer,
        Self::TokenAudience,
        Self::TokenScope,
        Self::TokenNotYetValid,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::NoSignature,
        Self::NoCertificate,
        Self::WrongCertificate,
        Self::CertificateTime,
        Self::WrongAddress,
        Self::UndeclaredProxy,
        Self::SignatureTime,
        Self::WrongSignature,
        Self::TooLargeToCheck,
        Self::UnknownSender,
        Self::SenderDisabled,
        Self::SeveralSenders,
        Self::IssuerAway,
        Self::Guessing,
        Self::KeyExpired,
        Self::SessionOver,
        Self::NoScope,
        Self::ForeignSite,
        Self::OpenBehindProxy,
        Self::NoRoute,
    ];
}

/// What kind of answer a reason leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Who asks has not shown who they are.
    Unauthenticated,
    /// They have, or nothing they could show would help.
    Forbidden,
    /// It cannot be told now.
    Unavailable,
    /// It would take more than is read to tell.
    TooLarge,
}

impl Reason {
    /// Stable, for programs and counts.
    pub fn code(self) -> &'static str {
        self.told().0
    }

    /// For people.
    pub fn detail(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::NoCredentials => ("no-credentials", "The request shows no credentials."),
            Self::NoCertificate => ("no-certificate", "The request came without a client certificate."),
            Self::NoSignature => {
                ("no-signature", "The headers webhook-id, webhook-timestamp and webhook-signature are not all there.")
            }
            Self::WrongCredentials => ("wrong-credentials", "The credentials are not those of a sender or a key."),
            Self::KeyAtListener => ("key-at-listener", "An API key reads and operates; it delivers nothing."),
            Self::SenderAtOtherDoor => ("sender-at-other-door", "A sender's token opens nothing but the listener."),
            Self::BadToken => ("bad-token", "The token cannot be read."),
            Self::TokenAlgorithm => ("token-algorithm", "The token is signed in a way that is not accepted."),
            Self::TokenKey => ("token-key", "The token is signed with a key that nobody here knows."),
            Self::TokenSignature => ("token-signature", "The token's signature is wrong."),
            Self::TokenIssuer => ("token-issuer", "The token is not of the issuer that is expected."),
            Self::TokenAudience => ("token-audience", "The token was issued for somebody else."),
            Self::OtherSender => ("other-sender", "The credentials are another sender's."),
            Self::TokenScope => ("token-scope", "The token is not for deliveries."),
            Self::TokenNotYetValid => ("token-not-yet-valid", "The token is not valid yet."),
            Self::TokenExpired => ("token-expired", "The token has expired; get a new one."),
            Self::TokenRevoked => ("token-revoked", "The secret that the token was got with is no longer valid."),
            Self::WrongCertificate => ("wrong-certificate", "The client certificate is not one of this sender's."),
            Self::CertificateTime => ("certificate-time", "The client certificate has expired, or is not valid yet."),
            Self::UndeclaredProxy => (
                "undeclared-proxy",
                "The request came through a proxy that the service was not told of (--trusted-proxy), so that nobody \
                 knows which address it is from.",
            ),
            Self::NoRoute => ("no-route", "There is nothing at this address that takes a request."),
            Self::WrongAddress => ("wrong-address", "This sender may not post from this address."),
            Self::SignatureTime => ("signature-time", "The webhook's timestamp is too far from the time now."),
            Self::WrongSignature => ("wrong-signature", "The webhook's signature is not of this body."),
            Self::TooLargeToCheck => {
                ("too-large", "The body is larger than is read, so that its signature cannot be checked.")
            }
            Self::UnknownSender => ("unknown-sender", "No such sender is configured."),
            Self::SenderUnusable => ("sender-unusable", "This sender's settings cannot be understood."),
            Self::SenderDisabled => ("sender-disabled", "This sender was disabled."),
            Self::SeveralSenders => {
                ("several-senders", "The credentials are good for several senders; name one with ?sender=.")
            }
            Self::IssuerAway => ("issuer-away", "The token's issuer does not answer, so the token cannot be checked."),
            Self::Guessing => (
                "guessing",
                "More passwords are being tried than can be checked; try again after the time in Retry-After.",
            ),
            Self::KeyExpired => ("key-expired", "The API key has expired or was revoked."),
            Self::SessionOver => ("session-over", "The session is over; sign in again."),
            Self::NoScope => ("no-scope", "These credentials are good, but not for this."),
            Self::ForeignSite => ("foreign-site", "Another web site's page may not post here."),
            Self::OpenBehindProxy => (
                "open-behind-proxy",
                "The request came through a proxy, and nobody has been given access yet: see “keys add” and \
                 “senders rotate”.",
            ),
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::IssuerAway | Self::Guessing => Kind::Unavailable,
            Self::TooLargeToCheck => Kind::TooLarge,
            Self::KeyAtListener
            | Self::SenderAtOtherDoor
            | Self::OtherSender
            | Self::TokenScope
            | Self::WrongCertificate
            | Self::CertificateTime
            | Self::WrongAddress
            | Self::UndeclaredProxy
            | Self::UnknownSender
            | Self::SenderUnusable
            | Self::SenderDisabled
            | Self::SeveralSenders
            | Self::NoScope
            | Self::ForeignSite
            | Self::OpenBehindProxy
            | Self::NoRoute => Kind::Forbidden,
            _ => Kind::Unauthenticated,
        }
    }
}

/// How often what was refused, by this process since it started.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<(Door, Reason), Tally>>);

/// What a route is, to whoever wants to pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// Whoever reaches the service: health, the sign-in itself, the style sheet.
    Public,
    /// Where a sender gets its token; checks its secret itself.
    Token,
    /// For senders, and for nobody else.
    Listener,
    /// The figures, which tell nothing of any order.
    Metrics,
    /// For staff and programs that read.
    Read,
    /// For those that change something.
    Operate,
    /// None: an address where nothing is served.
    Nowhere,
}

impl Door {
    /// Stable, for counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Token => "token",
            Self::Listener => "listener",
            Self::Metrics => "metrics",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Nowhere => "nowhere",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Tally {
    count: u64,
    last_at: DateTime<Utc>,
    told: Instant,
}

/// A count, for whoever asks.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusalCount {
    #[schema(value_type = String)]
    pub door: Door,
    pub reason: &'static str,
    pub count: u64,
    #[serde(serialize_with = "crate::record::time")]
    pub last_at: DateTime<Utc>,
}

/// So often a reason is logged at most: whoever knocks a thousand times must not fill the log.
const LOG_EVERY: Duration = Duration::from_secs(10);

impl Refusals {
    /// Counts a refusal, and logs it now and then. `who` is what is known of whoever was refused; no secret.
    pub fn count(&self, door: Door, reason: Reason, who: &str) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut is_new = false;
        let tally = tallies.entry((door, reason)).or_insert_with(|| {
            is_new = true;
            Tally { count: 0, last_at: Utc::now(), told: now }
        });
        tally.count += 1;
        tally.last_at = Utc::now();
        if is_new || now.duration_since(tally.told) >= LOG_EVERY {
            tally.told = now;
            warn!(?door, reason = reason.code(), count = tally.count, who, "refused; nothing was kept");
        }
    }

    /// All counts.
    pub fn counts(&self) -> Vec<RefusalCount> {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |((door, reason), tally): (&(Door, Reason), &Tally)| RefusalCount {
            door: *door,
            reason: reason.code(),
            count: tally.count,
            last_at: tally.last_at,
        };
        tallies.iter().map(count).collect()
    }
}
