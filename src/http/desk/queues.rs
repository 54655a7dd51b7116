//! The queues.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::DateTime;
use maud::Markup;
use serde::Deserialize;

use super::Cached;
use crate::http::app::App;
use crate::http::error::{Problem, bad_query};
use crate::http::pages::{self, REASONS, Viewer};
use crate::http::parameters::time;
use crate::http::site::{shown, viewer_of};
use crate::store::{AttentionCursor, FeedNumbers, UnknownRow, VisitCursor};

const LIMIT: u16 = 50;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionParameters {
    reason: Option<String>,
    after: Option<String>,
}

pub async fn attention(
    request: HttpRequest,
    asked: web::Query<AttentionParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(attention_page(&app, &asked, &viewer).await, &viewer)
}

async fn attention_page(app: &App, asked: &AttentionParameters, viewer: &Viewer) -> Result<Markup, Problem> {
    let reason = asked.reason.as_deref().filter(|reason| !reason.is_empty());
    let reasons: Vec<&str> = match reason {
        Some(reason) if REASONS.contains(&reason) => vec![reason],
        Some(_) => return Err(bad_query(&format_args!("reason is one of {}", REASONS.join(", ")))),
        None => REASONS.into_iter().filter(|reason| !pages::stands_apart(reason)).collect(),
    };
    let after =
        asked.after.as_deref().map(|text| attention_cursor(text, &reasons).ok_or_else(no_cursor)).transpose()?;
    let mut rows = app.store.attention_queue(&reasons, after, LIMIT + 1).await?;
    let has_more = rows.len() > usize::from(LIMIT);
    rows.truncate(usize::from(LIMIT));
    let next = rows
        .last()
        .filter(|_| has_more)
        .map(|last| format!("{}_{}_{}", last.placed_at.timestamp_micros(), last.order_key.simple(), last.reason));
    let ended = if reason.is_none() { app.store.ended_unresolved().await? } else { 0 };
    Ok(pages::attention(&rows, reason, ended, next.as_deref(), viewer))
}

fn attention_cursor(text: &str, reasons: &[&str]) -> Option<AttentionCursor> {
    let mut parts = text.splitn(3, '_');
    let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let (key, reason) = (parts.next()?.parse().ok()?, parts.next()?);
    reasons.contains(&reason).then(|| (reason.to_owned(), at, key))
}

fn no_cursor() -> Problem {
    bad_query(&"the page begins nowhere that a list gave")
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitParameters {
    fault: Option<String>,
    from: Option<String>,
    before: Option<String>,
}

pub async fn visits(request: HttpRequest, asked: web::Query<VisitParameters>, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(visits_page(&app, &asked, &viewer).await, &viewer)
}

async fn visits_page(app: &App, asked: &VisitParameters, viewer: &Viewer) -> Result<Markup, Problem> {
    let fault = asked.fault.as_deref().filter(|fault| !fault.is_empty());
    const FAULTS: [&str; 3] = ["customer", "supplier", "unknown"];
    if fault.is_some_and(|fault| !FAULTS.contains(&fault)) {
        return Err(bad_query(&"fault is customer, supplier or unknown"));
    }
    let faults = fault.map_or_else(|| FAULTS.to_vec(), |fault| vec![fault]);
    let before = asked.before.as_deref().map(|text| visit_cursor(text).ok_or_else(no_cursor)).transpose()?;
    let since = time("from", asked.from.as_ref())?;
    let mut rows = app.store.missed_visits(&faults, since, before, LIMIT + 1).await?;
    let has_more = rows.len() > usize::from(LIMIT);
    rows.truncate(usize::from(LIMIT));
    let next = rows.last().filter(|_| has_more).map(|last| {
        let (at, key, position, ordinal, part) = last.place();
        format!("{}_{}_{position}_{ordinal}_{part}", at.timestamp_micros(), key.simple())
    });
    Ok(pages::visits(&rows, fault, since, next.as_deref(), &app.vocabulary.now(), viewer))
}

fn visit_cursor(text: &str) -> Option<VisitCursor> {
    let parts: Vec<&str> = text.split('_').collect();
    let [at, key, position, ordinal, part] = parts.as_slice() else { return None };
    let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
    Some((at, key.parse().ok()?, position.parse().ok()?, ordinal.parse().ok()?, part.parse().ok()?))
}

pub async fn unknown(
    request: HttpRequest,
    app: web::Data<App>,
    values: web::Data<Cached<Vec<UnknownRow>>>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    let rows = values.get(app.store.unknown_queue()).await.map_err(Problem::from);
    shown(rows.map(|rows| pages::unknown(&rows, &viewer)), &viewer)
}

pub async fn feed(
    request: HttpRequest,
    app: web::Data<App>,
    feeds: web::Data<Cached<Vec<FeedNumbers>>>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    let feeds = feeds.get(app.store.feeds(viewer.now)).await.map_err(Problem::from);
    shown(feeds.map(|feeds| pages::feed(&feeds, &viewer)), &viewer)
}
