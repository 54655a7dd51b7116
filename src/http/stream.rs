//! A timeline as it grows, by server-sent events.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentEncoding, ContentType};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::Deserialize;

use super::app::App;
use super::entrance::Entrance;
use super::error::Problem;
use super::judge::may_read_on;
use super::live::{Live, News, Watch};
use super::parameters::{OrderIdInPath, resolve};
use crate::record::EntryRecord;
use crate::store::OrderKey;

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StreamParameters {
    pub sender: Option<String>,
}

/// A sign of life, so that whoever is gone is noticed, and nobody in between gives the connection up.
const QUIET: Duration = Duration::from_secs(15);

/// An order's timeline entries as they come, as server-sent events.
///
/// `hello` comes first, with the order's version; then an `entry` for every entry that is told from then on, in
/// the timeline's form. An entry that a late event told otherwise comes again as it is told now. Its `id` is the
/// time since when it is known; with it as `Last-Event-ID`, what was told from that time on is told again.
#[utoipa::path(get, path = "/api/v1/orders/{order_id}/stream", tag = "orders",
    params(("order_id" = String, Path, description = "The order's id; one of dots alone has a `=` before it"), StreamParameters),
    responses((status = 200, description = "Events without end", content_type = "text/event-stream"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many watch already", body = Problem, content_type = "application/problem+json")))]
pub async fn stream(
    order_id: web::Path<OrderIdInPath>,
    parameters: web::Query<StreamParameters>,
    request: HttpRequest,
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
    live: web::Data<Live>,
) -> Result<HttpResponse, Problem> {
    let key = resolve(&app, &order_id, parameters.sender.as_deref()).await?;
    let watch = live.watch(key).ok_or_else(|| {
        let detail = "So many watch orders already that no more can; the order itself can be read at any time.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", detail)
    })?;
    let since = request.headers().get("Last-Event-ID").and_then(|id| id.to_str().ok()?.parse().ok());
    let mut told = Told { app, entrance, request, key, watch, known: HashSet::new() };
    let first = told.hello(since).await?.ok_or_else(|| Problem::no_such_order(&order_id))?;
    let events = stream::unfold((told, Some(first)), |(mut told, ready)| async move {
        let chunk = match ready {
            Some(first) => first,
            None => told.next().await?,
        };
        Some((Ok::<Bytes, Problem>(chunk), (told, None)))
    });
    Ok(HttpResponse::Ok()
        .content_type(ContentType("text/event-stream".parse().unwrap_or(actix_web::mime::TEXT_PLAIN)))
        // Proxies that gather an answer before they pass it on would never pass this one on.
        .insert_header(("X-Accel-Buffering", "no"))
        // Nor would what compresses answers: it gathers until there is enough.
        .insert_header(ContentEncoding::Identity)
        .streaming(events))
}

struct Told {
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
    request: HttpRequest,
    key: OrderKey,
    watch: Watch,
    /// What the watcher has: who said what of what.
    known: HashSet<String>,
}

impl Told {
    /// The first event, and whatever was told since then. `None` where there is no such order.
    async fn hello(&mut self, since: Option<DateTime<Utc>>) -> Result<Option<Bytes>, Problem> {
        let version = self.app.store.versions(&[self.key]).await?.pop();
        let Some(entries) = self.entries().await? else { return Ok(None) };
        let mut hello = format!(
            "retry: 3000\nevent: hello\ndata: {{\"version\":{}}}\n\n",
            version.map_or(0, |version| version.claims)
        );
        for entry in &entries {
            self.known.insert(identity(entry));
            if since.is_some_and(|since| entry.known_from >= since) {
                hello.push_str(&event(entry));
            }
        }
        Ok(Some(hello.into()))
    }

    /// The next events; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.watch.news(QUIET).await {
                News::Closing => return None,
                // A key may have been revoked, or a session have ended, since the watcher came.
                _ if !may_read_on(&self.entrance, &self.request).await => return None,
                News::Quiet => return Some(Bytes::from_static(b": still here\n\n")),
                News::Changed => {}
            }
            // The watcher comes again, and is told what it missed.
            let entries = self.entries().await.ok()??;
            let mut new = String::new();
            for entry in &entries {
                if self.known.insert(identity(entry)) {
                    new.push_str(&event(entry));
                }
            }
            self.known = entries.iter().map(identity).collect();
            if !new.is_empty() {
                return Some(new.into());
            }
        }
    }

    async fn entries(&self) -> Result<Option<Vec<EntryRecord>>, Problem> {
        let order = self.app.store.order(self.key, None, None, &self.app.vocabulary.now()).await?;
        Ok(order.map(|(_, timeline)| timeline.entries))
    }
}

/// What makes an entry another one than all others: who said it, and what.
fn identity(entry: &EntryRecord) -> String {
    format!("{} {} {}", entry.delivery_id, entry.kind, entry.text)
}

fn event(entry: &EntryRecord) -> String {
    let data = serde_json::to_string(entry).unwrap_or_default();
    format!("event: entry\nid: {}\ndata: {data}\n\n", crate::order::rfc3339(entry.known_from))
}
