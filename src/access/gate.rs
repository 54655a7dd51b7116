//! The gate: who a request is from, and whether that is enough.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::Utc;

use super::certificate::PeerCertificate;
use super::demand::{Demands, Way};
use super::issuer::Issuers;
use super::jwt::{Claims, Token};
use super::key;
use super::reason::Reason;
use super::secret::Secret;
use super::slow::{Effort, SlowChecks, TooMany};
use super::state::{Sender, SenderSecret, Shared, State};
use super::token;
use super::webhook::{Signature, WebhookHeaders};

/// What a request shows of itself.
#[derive(Clone, Debug)]
pub struct Presented {
    pub authorization: Authorization,
    pub webhook: Option<WebhookHeaders>,
    pub certificate: Option<Arc<PeerCertificate>>,
    /// Where it comes from; none where the connection does not tell.
    pub address: Option<IpAddr>,
    /// It says that it was passed on by whoever is at that address, of whom nobody has said that they may.
    pub is_passed_on: bool,
}

/// The header `Authorization`.
#[derive(Clone, Debug)]
pub enum Authorization {
    None,
    Bearer(Secret),
    Basic {
        user: String,
        password: Secret,
    },
    /// A scheme that nobody here knows.
    Other,
}

/// A request that may be a sender's delivery. The sender is told only by [`Admission::admit`], once the body is
/// there: a signature may have to fit it.
#[derive(Clone, Debug)]
pub struct Admission {
    candidates: Vec<Candidate>,
    webhook: Option<WebhookHeaders>,
}

#[derive(Clone, Debug)]
struct Candidate {
    sender: Arc<Sender>,
    needs_signature: bool,
    /// What else it lacks. Only the sender itself is told, so not before its signature is known to hold.
    lacks: Option<Reason>,
}

/// The signatures that the senders in question would have made of a body, as it comes.
#[derive(Clone, Debug, Default)]
pub struct Signatures(Vec<(Arc<Sender>, Signature)>);

impl Signatures {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|(_, signature)| signature.update(bytes));
    }
}

impl Admission {
    /// The signatures to check, before any of the body.
    pub fn signatures(&self) -> Signatures {
        let Some(headers) = &self.webhook else { return Signatures::default() };
        let keys = |sender: &Arc<Sender>| -> Vec<(Arc<Sender>, Signature)> {
            let begin = |secret: &SenderSecret| match &secret.kept {
                super::Kept::Key(key) => headers.begin(key),
                _ => None,
            };
            sender.secrets(Way::Webhook).filter_map(begin).map(|begun| (Arc::clone(sender), begun)).collect()
        };
        let signing = self.candidates.iter().filter(|candidate| candidate.needs_signature);
        Signatures(signing.flat_map(|candidate| keys(&candidate.sender)).collect())
    }

    /// Whose delivery it is. The signatures have taken its whole body.
    ///
    /// # Errors
    /// Where no sender signed this body, or it cannot be told which one did, or that one lacks something else.
    pub fn admit(&self, signatures: &Signatures) -> Result<Arc<Sender>, Reason> {
        let is_signed = |sender: &Sender| {
            let Some(headers) = &self.webhook else { return false };
            signatures.0.iter().any(|(signer, signature)| signer.name == sender.name && headers.hold(signature))
        };
        let passed: Vec<&Candidate> = self
            .candidates
            .iter()
            .filter(|candidate| !candidate.needs_signature || is_signed(&candidate.sender))
            .collect();
        let mut lacking_nothing = passed.iter().filter(|candidate| candidate.lacks.is_none());
        match (lacking_nothing.next(), lacking_nothing.next()) {
            (Some(one), None) => Ok(Arc::clone(&one.sender)),
            (Some(_), Some(_)) => Err(Reason::SeveralSenders),
            (None, _) => Err(passed.iter().filter_map(|one| one.lacks).max().unwrap_or(Reason::WrongSignature)),
        }
    }
}

/// Judges requests.
#[derive(Debug)]
pub struct Gate {
    pub shared: Shared,
    issuers: Issuers,
    slow: SlowChecks,
}

impl Gate {
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(shared: Shared) -> Result<Self, String> {
        Ok(Self { shared, issuers: Issuers::new()?, slow: SlowChecks::default() })
    }

    /// Which senders a delivery may be from, by all but its body. `named` is what it says itself: it must agree
    /// with what it shows.
    ///
    /// # Errors
    /// Why it is from none.
    pub async fn knock(&self, state: &State, presented: &Presented, named: Option<&str>) -> Result<Admission, Reason> {
        if let Authorization::Bearer(bearer) = &presented.authorization
            && key::key_id(bearer.reveal()).is_some()
        {
            return Err(Reason::KeyAtListener);
        }
        let own = own_token(state, &presented.authorization);
        // What one sender shows is not to be tried against the slow password of another first.
        let quick = self.judge_all(state, presented, own.as_ref(), named, Effort::Quick).await;
        let judged = match quick {
            Err(_) => {
                let judged = self.judge_all(state, presented, own.as_ref(), named, Effort::Any).await;
                if let (Err(_), Authorization::Basic { user, password }) = (&judged, &presented.authorization)
                    && !has_slow_secret(state.sender(user), Way::Basic)
                {
                    self.take_as_long(state, Way::Basic, password, presented.address).await?;
                }
                judged
            }
            found => found,
        };
        let mut candidates = judged?;
        if let Some(named) = named {
            candidates.retain(|candidate| candidate.sender.name == named);
            if candidates.is_empty() {
                return Err(Reason::OtherSender);
            }
        }
        Ok(Admission { candidates, webhook: presented.webhook.clone() })
    }

    /// The senders whose demands a request meets; why, where there is none.
    async fn judge_all(
        &self,
        state: &State,
        presented: &Presented,
        own: Option<&Result<Claims, Reason>>,
        named: Option<&str>,
        effort: Effort,
    ) -> Result<Vec<Candidate>, Reason> {
        let mut candidates = Vec::new();
        // Whoever names a sender that there is not is told the same as whoever names one and shows nothing of it.
        let shows_nothing = matches!(presented.authorization, Authorization::None);
        let shown = Shown::of(state, presented);
        let names_nobody = named.is_some_and(|named| state.sender(named).is_none());
        let mut refused = if names_nobody && !shows_nothing { Reason::WrongCredentials } else { Reason::NoCredentials };
        for sender in &state.senders {
            match self.judge(sender, presented, shown, own, effort).await {
                Ok(candidate) => candidates.push(candidate),
                // Nothing was found out of anybody.
                Err(Reason::Guessing) => return Err(Reason::Guessing),
                Err(reason) if named == Some(&sender.name) => refused = refused.max(reason),
                // Its address is the right one, and all that it lacks is in the operator's hands.
                Err(Reason::UndeclaredProxy) if named.is_none() => refused = refused.max(Reason::UndeclaredProxy),
                // Only who showed something that is this sender's alone is told what else is missing.
                Err(_) if named.is_some() || !is_addressed(sender, presented) => {}
                Err(reason) => refused = refused.max(reason),
            }
        }
        if candidates.is_empty() { Err(refused) } else { Ok(candidates) }
    }

    /// Whether a request may be a sender's, by all but its body.
    ///
    /// # Errors
    /// Why it is not. Where nothing but the signature would show who it is from, only that it has none: all else is kept
    /// for whoever turns out to have signed it.
    async fn judge(
        &self,
        sender: &Arc<Sender>,
        presented: &Presented,
        shown: Shown,
        own: Option<&Result<Claims, Reason>>,
        effort: Effort,
    ) -> Result<Candidate, Reason> {
        let Ok(demands) = &sender.demands else { return Err(Reason::SenderUnusable) };
        shown.check(demands)?;
        if demands.wants_authorization() {
            self.judge_authorization(sender, presented, own, effort).await?;
        }
        if demands.webhook.is_some() && presented.webhook.is_none() {
            return Err(Reason::NoSignature);
        }
        let needs_signature = demands.webhook.is_some();
        let lacks = match check_rest(sender, demands, presented) {
            Err(reason) if needs_signature && !demands.wants_authorization() => Some(reason),
            checked => {
                checked?;
                None
            }
        };
        Ok(Candidate { sender: Arc::clone(sender), needs_signature, lacks })
    }

    /// Any one of the ways of the header `Authorization` that are demanded.
    async fn judge_authorization(
        &self,
        sender: &Sender,
        presented: &Presented,
        own: Option<&Result<Claims, Reason>>,
        effort: Effort,
    ) -> Result<(), Reason> {
        let Ok(demands) = &sender.demands else { return Err(Reason::SenderUnusable) };
        match &presented.authorization {
            Authorization::None => Err(Reason::NoCredentials),
            Authorization::Other => Err(Reason::WrongCredentials),
            Authorization::Basic { user, password } => {
                if demands.basic
                    && *user == sender.name
                    && self.secret_of(sender, Way::Basic, password, effort, presented.address).await?.is_some()
                {
                    return Ok(());
                }
                Err(Reason::WrongCredentials)
            }
            Authorization::Bearer(bearer) => {
                if demands.bearer
                    && own.is_none()
                    && self.secret_of(sender, Way::Bearer, bearer, effort, presented.address).await?.is_some()
                {
                    return Ok(());
                }
                match (own, &demands.oauth, &demands.issuer) {
                    (Some(claims), Some(demand), _) => check_own(claims, sender, demand.audience()),
                    (Some(_), None, _) => Err(Reason::OtherSender),
                    (None, _, Some(demand)) => match Token::parse(bearer.reveal()) {
                        Ok(token) => self.issuers.check(demand, &token).await.map(|_| ()),
                        Err(_) => Err(Reason::WrongCredentials),
                    },
                    (None, _, None) => Err(Reason::WrongCredentials),
                }
            }
        }
    }

    /// The secret of a sender that this is, of those that hold. `from` is where whoever shows it is.
    ///
    /// # Errors
    /// [`Reason::Guessing`] where more are tried than can be checked.
    pub async fn secret_of<'s>(
        &self,
        sender: &'s Sender,
        way: Way,
        secret: &Secret,
        effort: Effort,
        from: Option<IpAddr>,
    ) -> Result<Option<&'s SenderSecret>, Reason> {
        for kept in sender.secrets(way) {
            let is_it = if kept.kept.is_slow() {
                self.slow.check(kept, secret, effort, from).await.map_err(|TooMany| Reason::Guessing)?
            } else {
                kept.kept.is_of(secret)
            };
            if is_it {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    /// The client of this id and the secret that it is known by, for a token.
    ///
    /// # Errors
    /// As [`Gate::secret_of`].
    pub async fn client<'s>(
        &self,
        state: &'s State,
        client_id: &str,
        secret: &Secret,
        from: Option<IpAddr>,
    ) -> Result<Option<(&'s Arc<Sender>, &'s SenderSecret)>, Reason> {
        let sender = state.sender(client_id);
        if let Some(sender) = sender
            && let Some(found) = self.secret_of(sender, Way::OAuth, secret, Effort::Any, from).await?
        {
            return Ok(Some((sender, found)));
        }
        if !has_slow_secret(sender, Way::OAuth) {
            self.take_as_long(state, Way::OAuth, secret, from).await?;
        }
        Ok(None)
    }

    /// Where some sender's secret of this way takes long to compare, it takes as long for one that is none: else the
    /// time would tell who is a sender.
    async fn take_as_long(&self, state: &State, way: Way, secret: &Secret, from: Option<IpAddr>) -> Result<(), Reason> {
        if state.senders.iter().any(|sender| has_slow_secret(Some(sender), way)) {
            self.slow.check_nothing(secret, from).await.map_err(|TooMany| Reason::Guessing)?;
        }
        Ok(())
    }
}

/// The kind of credentials that a request is judged by: the most telling one that it shows and that some sender is known
/// by. A sender that is known otherwise is none that it may be from: whoever shows a wrong password is not taken for a
/// neighbour of whom only an address is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Authorization,
    Signature,
    Certificate,
    Nothing,
}

impl Shown {
    fn of(state: &State, presented: &Presented) -> Self {
        let demanded =
            |by: fn(&Demands) -> bool| state.senders.iter().filter_map(|sender| sender.demands.as_ref().ok()).any(by);
        let authorization = !matches!(presented.authorization, Authorization::None);
        if authorization && demanded(Demands::wants_authorization) {
            Self::Authorization
        } else if presented.webhook.is_some() && demanded(|demands| demands.webhook.is_some()) {
            Self::Signature
        } else if presented.certificate.is_some() && demanded(|demands| demands.certificate.is_some()) {
            Self::Certificate
        } else {
            Self::Nothing
        }
    }

    fn check(self, demands: &Demands) -> Result<(), Reason> {
        let (is_demanded, reason) = match self {
            Self::Authorization => (demands.wants_authorization(), Reason::WrongCredentials),
            Self::Signature => (demands.webhook.is_some() || demands.wants_authorization(), Reason::WrongSignature),
            Self::Certificate => {
                let is_known = demands.wants_authorization() || demands.webhook.is_some();
                (is_known || demands.certificate.is_some(), Reason::WrongCertificate)
            }
            Self::Nothing => return Ok(()),
        };
        if is_demanded { Ok(()) } else { Err(reason) }
    }
}

fn has_slow_secret(sender: Option<&Arc<Sender>>, way: Way) -> bool {
    sender.is_some_and(|sender| sender.secrets(way).any(|secret| secret.kept.is_slow()))
}

/// What is demanded of a sender's requests beside what shows who they are from.
fn check_rest(sender: &Sender, demands: &Demands, presented: &Presented) -> Result<(), Reason> {
    if let Some(demand) = &demands.certificate {
        let certificate = presented.certificate.as_ref().ok_or(Reason::NoCertificate)?;
        if !certificate.meets(demand) {
            return Err(Reason::WrongCertificate);
        }
        if !certificate.is_valid(Utc::now()) {
            return Err(Reason::CertificateTime);
        }
    }
    if !demands.addresses.is_empty() {
        if !presented.address.is_some_and(|address| demands.addresses.iter().any(|range| range.contains(&address))) {
            return Err(Reason::WrongAddress);
        }
        if presented.is_passed_on {
            return Err(Reason::UndeclaredProxy);
        }
    }
    if let (Some(demand), Some(headers)) = (&demands.webhook, &presented.webhook) {
        headers.check_time(demand.tolerance(), Utc::now())?;
    }
    if sender.enabled { Ok(()) } else { Err(Reason::SenderDisabled) }
}

/// Whether a request shows something of the kind that this sender is known by. A wrong address or a missing
/// certificate by itself only means that the request is not from this one.
fn is_addressed(sender: &Sender, presented: &Presented) -> bool {
    sender.demands.as_ref().is_ok_and(|demands| {
        let is_shown = match (&demands.webhook, &demands.certificate) {
            (Some(_), _) => presented.webhook.is_some(),
            (None, Some(_)) => presented.certificate.is_some(),
            (None, None) => false,
        };
        demands.wants_authorization() || is_shown
    })
}

/// The claims of a token that says to be ours.
fn own_token(state: &State, authorization: &Authorization) -> Option<Result<Claims, Reason>> {
    let Authorization::Bearer(bearer) = authorization else { return None };
    let token = Token::parse(bearer.reveal()).ok()?;
    token::read(&state.signing_keys, &token)
}

fn check_own(claims: &Result<Claims, Reason>, sender: &Sender, audience: &str) -> Result<(), Reason> {
    let claims = claims.as_ref().map_err(|reason| *reason)?;
    if claims.text("sub").as_deref() != Some(&sender.name) {
        return Err(Reason::OtherSender);
    }
    claims.check(token::ISSUER, audience, Utc::now())?;
    if !claims.has("scope", token::SCOPE) {
        return Err(Reason::TokenScope);
    }
    let secret_id = claims.text("sid");
    let is_held = sender.secrets(Way::OAuth).any(|secret| Some(secret.secret_id.to_string()) == secret_id);
    if is_held { Ok(()) } else { Err(Reason::TokenRevoked) }
}
