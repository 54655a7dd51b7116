//! Placing an order: write down, call, write down, answer. Nothing is placed twice.
//!
//! Before the BSS is called, a row says so and holds the request (see [`Exchange`]). With the answer it becomes two
//! deliveries, what was sent and what came back, in one transaction: of the order if it has an id now, else of the
//! attempts to place it. Which order that is, the request and an error do not say, so it is kept beside their
//! bodies, in headers of this service's own (see [`Beside`]); any timeline can be made anew from there.
//!
//! Where the row was written and the answer was not, because somebody pulled a plug, nobody knows whether the BSS
//! placed the order. Then the exchange ends as `unknown`, with an error of this service's in the order's place, and
//! an operator has to look in the BSS: `order-timeline hybris unsettled` lists them. The BSS is not called again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{SubsecRound, TimeDelta, Utc};
use tokio::sync::oneshot;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::Hybris;
use super::bss::{Answer, Failure, Order};
use super::errors::Errors;
use super::mandatory::{Headers, faults};
use super::market::Market;
use crate::intake::{self, Body, Delivery, kept_beside};
use crate::order::Vocabulary;
use crate::store::{Claim, Exchange, ExchangeAnswer, ExchangeState, Store, StoreError};
use crate::wire::{self, Beside, Json, OUTCOME_UNKNOWN, Part};

/// What goes back to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// JSON, unless a BSS sent something else.
    pub body: Vec<u8>,
    /// It was recorded before: the BSS was not called for it.
    pub is_repeat: bool,
}

/// What a request is kept and placed with.
#[derive(Clone, Debug)]
struct Desk {
    hybris: Arc<Hybris>,
    store: Store,
    vocabulary: Arc<Vocabulary>,
}

/// While the database is away, an answer that is in hand is held so long, and tried to be written down.
const HELD: Duration = Duration::from_secs(15 * 60);
const WRITE_AGAIN: Duration = Duration::from_millis(500);
/// How often a second asker looks whether the first one's answer is there.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// And so long at most.
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_secs(1);

impl Hybris {
    /// Takes a request in and gives the answer to it, which is kept by then.
    ///
    /// # Errors
    /// Where the database is not available: then nothing was sent.
    pub async fn place(
        self: &Arc<Self>,
        store: &Store,
        vocabulary: &Arc<Vocabulary>,
        market: Market,
        headers: Headers,
        request: Delivery,
    ) -> Result<Reply, StoreError> {
        let desk = Desk { hybris: Arc::clone(self), store: store.clone(), vocabulary: Arc::clone(vocabulary) };
        if let Some(reason) = request.too_large() {
            let detail = format!("{reason}, in delivery {}", request.id);
            desk.keep(vec![request]).await?;
            return Ok(Reply::new(&Errors::new(413, "The request body is too large", detail)));
        }
        let body = request.body.kept().to_vec();
        let order: Json<'_> = match serde_json::from_slice(&body) {
            Ok(order) => order,
            Err(cause) => {
                let detail = format!("{cause}; the body is kept as delivery {}", request.id);
                desk.keep(vec![request]).await?;
                return Ok(Reply::new(&Errors::new(400, "The request body is not JSON", detail)));
            }
        };
        let faults = faults(market, &headers, &order);
        if !faults.is_empty() {
            let refusal = Errors::of_faults(&faults);
            desk.keep_refused(request, &body, &headers, &refusal).await?;
            return Ok(Reply::new(&refusal));
        }
        let system = market.system(&order, self.jm);
        drop(order);
        desk.exchange(request, Order { market, system, headers, body }).await
    }
}

impl Desk {
    async fn exchange(self, request: Delivery, order: Order) -> Result<Reply, StoreError> {
        let correlation_id = order.headers.correlation_id.clone().unwrap_or_default().trim().to_owned();
        let wait = self.hybris.time_out + self.hybris.grace;
        let mut exchange = Exchange {
            sender: request.sender.clone(),
            body_hash: wire::body_hash(&order.body).to_vec(),
            tries: 1,
            state: ExchangeState::Sent,
            request: order.body.clone(),
            request_headers: request.headers.clone(),
            request_origin: request.origin.clone(),
            request_delivery_id: request.id,
            received_at: request.received_at,
            due_at: request.received_at + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX),
            order_id: attempt_of(&order.body, &correlation_id),
            answer: None,
            kept: false,
            correlation_id,
        };
        match self.store.claim_exchange(&exchange).await? {
            Claim::Known(known) if known.body_hash != exchange.body_hash => {
                let detail = format!(
                    "CORRELATION-ID-TAKEN - another body was sent under it before, as delivery {}; an attempt of its \
                     own needs a correlationId of its own",
                    known.request_delivery_id
                );
                let refusal = Errors::new(409, "The correlationId is taken", detail);
                self.keep_refused(request, &order.body, &order.headers, &refusal).await?;
                Ok(Reply::new(&refusal))
            }
            Claim::Known(known) => self.known(*known, request).await,
            Claim::Ours(tries) => {
                exchange.tries = tries;
                let (done, reply) = oneshot::channel();
                let (correlation_id, delivery_id) = (exchange.correlation_id.clone(), exchange.request_delivery_id);
                // A task of its own: whoever asked may hang up, and what was begun has to be written down.
                tokio::spawn(async move {
                    if let Some(reply) = self.call(exchange, order).await {
                        let _ = done.send(reply);
                    }
                });
                match tokio::time::timeout(wait, reply).await {
                    Ok(Ok(reply)) => Ok(reply),
                    _ => Ok(Reply::not_written(&correlation_id, delivery_id)),
                }
            }
        }
    }

    /// Calls the BSS and writes down what came of it. `None` where that could not be done for long.
    async fn call(&self, exchange: Exchange, order: Order) -> Option<Reply> {
        let bss = self.hybris.bss(order.system);
        // The client has the same limit and counts what it cuts off; this one is for whoever has none.
        let limit = self.hybris.time_out + Duration::from_secs(1);
        let result = match tokio::time::timeout(limit, bss.place(&order)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::NoAnswer("time-out".to_owned())),
        };
        let ended = Ended::of(result, &exchange);
        let until = tokio::time::Instant::now() + HELD;
        loop {
            match self.write_down(&exchange, &ended).await {
                Ok(reply) => return Some(reply),
                Err(cause) if tokio::time::Instant::now() < until => {
                    error!(
                        sender = exchange.sender, correlation_id = exchange.correlation_id, order_id = ended.order_id,
                        delivery_id = %exchange.request_delivery_id, %cause,
                        "the BSS answered and the answer cannot be written down yet; it is held and tried again"
                    );
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
                Err(cause) => {
                    error!(
                        sender = exchange.sender, correlation_id = exchange.correlation_id, order_id = ended.order_id,
                        delivery_id = %exchange.request_delivery_id, %cause,
                        "the BSS answered and the answer was given up; the exchange will be told as unknown"
                    );
                    return None;
                }
            }
        }
    }

    async fn write_down(&self, exchange: &Exchange, ended: &Ended) -> Result<Reply, StoreError> {
        let mut counting = Exchange {
            state: ended.state,
            order_id: ended.order_id.clone(),
            answer: Some(ended.answer.clone()),
            ..exchange.clone()
        };
        if self.store.settle_exchange(exchange, ended.state, &ended.order_id, &ended.answer).await? {
            if ended.state == ExchangeState::Unknown {
                warn!(
                    sender = exchange.sender, correlation_id = exchange.correlation_id,
                    delivery_id = %exchange.request_delivery_id, "nobody knows whether the BSS placed an order"
                );
            }
            info!(
                sender = exchange.sender,
                correlation_id = exchange.correlation_id,
                order_id = ended.order_id,
                state = ended.state.name(),
                status = ended.answer.status,
                "an exchange with a BSS has ended"
            );
        } else if let Some(known) = self.store.exchange(&exchange.sender, &exchange.correlation_id).await? {
            // Somebody else wrote an end down, or a try of this one that failed later on: what stands there counts.
            counting = known;
        }
        self.keep_exchange(&counting).await?;
        let answer = counting.answer.as_ref().unwrap_or(&ended.answer);
        Ok(Reply { status: answer.status, body: answer.body.clone(), is_repeat: false })
    }

    /// The answer to a request that was made before. This one is kept too, as a duplicate.
    async fn known(&self, mut known: Exchange, mut request: Delivery) -> Result<Reply, StoreError> {
        let mut pause = LOOK_AGAIN;
        while known.state == ExchangeState::Sent || !known.kept {
            match known.state {
                _ if Utc::now() < known.due_at => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LOOK_AGAIN_AT_MOST);
                    // The bodies are read once it has ended, not at every look.
                    if !self.store.exchange_has_ended(&known.sender, &known.correlation_id).await? {
                        continue;
                    }
                }
                ExchangeState::Sent => self.give_up(&known).await?,
                _ => self.keep_exchange(&known).await?,
            }
            match self.store.exchange(&known.sender, &known.correlation_id).await? {
                Some(now) => known = now,
                None => break,
            }
        }
        let event_id = event_id(&known, Part::Request);
        let part = Some(Part::Request);
        let beside = Beside { order_id: Some(&known.order_id), event_id: Some(&event_id), part };
        request.headers.extend(kept_beside(beside));
        self.keep(vec![request]).await?;
        let answer = known.answer.as_ref();
        let reply = answer.map(|answer| Reply { status: answer.status, body: answer.body.clone(), is_repeat: true });
        Ok(reply.unwrap_or_else(|| Reply::not_written(&known.correlation_id, known.request_delivery_id)))
    }

    /// Ends an exchange whose answer can no longer come.
    async fn give_up(&self, exchange: &Exchange) -> Result<(), StoreError> {
        let ended = Ended::unknown("no answer was written down before the service stopped", exchange, None);
        self.write_down(exchange, &ended).await.map(|_| ())
    }

    /// Puts request and answer into the timeline, once.
    async fn keep_exchange(&self, exchange: &Exchange) -> Result<(), StoreError> {
        let Some(answer) = &exchange.answer else { return Ok(()) };
        if self.store.delivery(answer.delivery_id).await?.is_none() {
            // Where the exchange was told as unknown before, the request is there already, of the attempts.
            let there = self.store.delivery(exchange.request_delivery_id).await?.and_then(|there| there.order_id);
            let is_elsewhere = there.is_some_and(|order_id| order_id != exchange.order_id);
            let part = |part, id, received_at, body: &[u8]| {
                let beside = Beside {
                    order_id: Some(&exchange.order_id),
                    event_id: Some(&event_id(exchange, part)),
                    part: Some(part),
                };
                let mut headers = if part == Part::Request { exchange.request_headers.clone() } else { Vec::new() };
                headers.extend(kept_beside(beside));
                Delivery {
                    id,
                    sender: exchange.sender.clone(),
                    received_at,
                    origin: exchange.request_origin.clone(),
                    headers,
                    body: Body::Whole(body.to_vec()),
                }
            };
            let request_id = if is_elsewhere { Uuid::now_v7() } else { exchange.request_delivery_id };
            let mut deliveries = vec![
                part(Part::Request, request_id, exchange.received_at, &exchange.request),
                part(Part::Answer, answer.delivery_id, answer.answered_at, &answer.body),
            ];
            let unreadable = answer.unreadable.as_ref();
            deliveries.extend(unreadable.map(|body| part(Part::Unreadable, Uuid::now_v7(), answer.answered_at, body)));
            let kept = self.keep(deliveries).await;
            // Two may do this at once; the database lets one of them.
            if kept.is_err() && self.store.delivery(answer.delivery_id).await?.is_none() {
                return kept;
            }
        }
        self.store.exchange_is_kept(exchange).await
    }

    /// Keeps an attempt that was refused here, before any BSS heard of it.
    async fn keep_refused(
        &self,
        mut request: Delivery,
        body: &[u8],
        headers: &Headers,
        refusal: &Errors,
    ) -> Result<(), StoreError> {
        let correlation_id = headers.correlation_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let own = request.id.to_string();
        let order_id = attempt_of(body, correlation_id.unwrap_or(&own));
        let beside = |event_id, part| {
            kept_beside(Beside { order_id: Some(&order_id), event_id: Some(event_id), part: Some(part) })
        };
        let answered = format!("{own}#answer");
        let mut answer =
            Delivery::received_now(&request.sender, &request.origin, Vec::new(), Body::Whole(refusal.body()));
        answer.headers = beside(&answered, Part::Answer);
        request.headers.extend(beside(&own, Part::Request));
        self.keep(vec![request, answer]).await
    }

    async fn keep(&self, deliveries: Vec<Delivery>) -> Result<(), StoreError> {
        intake::take(&self.store, &self.vocabulary, deliveries).await.map(|_| ())
    }
}

/// Ends the exchanges that somebody left behind: those whose answer can no longer come are told as unknown, those
/// that are answered and not in a timeline yet are put there. Gives how many there were.
///
/// # Errors
/// Where the database is not available.
pub async fn settle_left_behind(
    hybris: &Arc<Hybris>,
    store: &Store,
    vocabulary: &Arc<Vocabulary>,
) -> Result<usize, StoreError> {
    let desk = Desk { hybris: Arc::clone(hybris), store: store.clone(), vocabulary: Arc::clone(vocabulary) };
    let left = store.exchanges_left_behind(Utc::now()).await?;
    let mut failed = None;
    for exchange in &left {
        let settled = match exchange.state {
            ExchangeState::Sent => desk.give_up(exchange).await,
            _ => desk.keep_exchange(exchange).await,
        };
        // One that cannot be settled must not keep the others from it.
        if let Err(cause) = settled {
            error!(sender = exchange.sender, correlation_id = exchange.correlation_id, %cause, "an exchange is not settled");
            failed = Some(cause);
        }
    }
    failed.map_or(Ok(left.len()), Err)
}

/// How an exchange ended, ready to be written down.
struct Ended {
    state: ExchangeState,
    order_id: String,
    answer: ExchangeAnswer,
}

impl Ended {
    fn of(result: Result<Answer, Failure>, exchange: &Exchange) -> Self {
        match result {
            Ok(Answer { status, body }) => {
                let order_id = wire::order_id_of(&body).filter(|_| (200..300).contains(&status));
                match order_id {
                    Some(order_id) => Self::new(ExchangeState::Answered, order_id, status, body),
                    // Only a refusal of the request itself says that nothing was placed: a gateway's time-out comes in
                    // the same shape and says nothing of the billing system behind it.
                    None if wire::is_error(&body) && is_refusal(status) => {
                        Self::new(ExchangeState::Answered, exchange.order_id.clone(), status, body)
                    }
                    None => {
                        let why = format!("its answer with status {status} is none that the document knows");
                        Self::unknown(&why, exchange, Some(body))
                    }
                }
            }
            Err(Failure::NotSent(cause)) => {
                let detail = format!(
                    "NOT-REACHED - {cause}; nothing was placed; the request is delivery {}",
                    exchange.request_delivery_id
                );
                let answer = Errors::new(503, "The billing system cannot be reached", detail);
                Self::new(ExchangeState::NotSent, exchange.order_id.clone(), 503, answer.body())
            }
            Err(Failure::NoAnswer(cause)) => Self::unknown(&cause, exchange, None),
        }
    }

    fn unknown(why: &str, exchange: &Exchange, unreadable: Option<Vec<u8>>) -> Self {
        let detail = format!(
            "{OUTCOME_UNKNOWN} - {why}; it is not known whether the order was placed, and it will not be placed \
             again under this correlationId; the request is delivery {}",
            exchange.request_delivery_id
        );
        let answer = Errors::new(502, "The billing system gave no answer that can be passed on", detail);
        let mut ended = Self::new(ExchangeState::Unknown, exchange.order_id.clone(), 502, answer.body());
        ended.answer.unreadable = unreadable;
        ended
    }

    fn new(state: ExchangeState, order_id: String, status: u16, body: Vec<u8>) -> Self {
        let answered_at = Utc::now().trunc_subsecs(6);
        let answer = ExchangeAnswer { status, body, delivery_id: Uuid::now_v7(), answered_at, unreadable: None };
        Self { state, order_id, answer }
    }
}

fn is_refusal(status: u16) -> bool {
    const REQUEST_TIMEOUT: u16 = 408;
    (400..500).contains(&status) && status != REQUEST_TIMEOUT
}

impl Reply {
    fn new(errors: &Errors) -> Self {
        Self { status: errors.status, body: errors.body(), is_repeat: false }
    }

    fn not_written(correlation_id: &str, delivery_id: Uuid) -> Self {
        let detail = format!(
            "what the billing system answered could not be written down yet; ask again with correlationId \
             {correlation_id}: nothing is placed twice; the request is delivery {delivery_id}"
        );
        Self::new(&Errors::new(503, "The answer is not there yet", detail))
    }
}

/// The order that attempts are kept under: by what a market's attempts have in common.
fn attempt_of(body: &[u8], correlation_id: &str) -> String {
    let fits = |id: &String| !id.is_empty() && id.len() <= wire::LONGEST_ID - 20 && !id.contains('\0');
    wire::attempt_id(&wire::external_id(body).filter(fits).unwrap_or_else(|| correlation_id.to_owned()))
}

/// The correlation id finds its order: it is the request's event id.
fn event_id(exchange: &Exchange, part: Part) -> String {
    let tries = if exchange.tries > 1 { format!("#{}", exchange.tries) } else { String::new() };
    let part = if part == Part::Answer { "#answer" } else { "" };
    format!("{}{tries}{part}", exchange.correlation_id)
}
