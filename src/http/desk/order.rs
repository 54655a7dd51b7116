//! The page of one order.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use maud::Markup;
use serde::Deserialize;

use crate::http::app::App;
use crate::http::error::{Problem, bad_query};
use crate::http::link::{in_path, with_query};
use crate::http::orders::{NOTHING_KNOWN_THEN, OrderParameters, asked_for};
use crate::http::pages::{self, Moments, OrderView, Viewer, Zone};
use crate::http::parameters::{OrderIdInPath, resolve};
use crate::http::site::{html, shown, viewer_of};
use crate::order::{Kind, rfc3339};
use crate::wire::read_time;

/// What of an order the page is to show. An unknown parameter is an error, never ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageParameters {
    sender: Option<String>,
    item: Option<String>,
    kind: Option<String>,
    text: Option<String>,
    sort: Option<String>,
    page: Option<String>,
    at: Option<String>,
    known_at: Option<String>,
    /// The instants that a form's fields for these were filled with.
    at_filled: Option<String>,
    known_at_filled: Option<String>,
    /// The zone of `at` and `knownAt`, where they come from a form: its fields name none.
    zone: Option<String>,
    /// The id by which it was found, and of what kind that is.
    q: Option<String>,
    by: Option<String>,
}

pub async fn show(
    request: HttpRequest,
    order_id: web::Path<OrderIdInPath>,
    parameters: web::Query<PageParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    let parameters = parameters.into_inner();
    if let Some(zone) = parameters.zone.as_deref() {
        let address =
            canonical(&order_id, &parameters, &Viewer { zone: Zone::from_name(zone).unwrap_or_default(), ..viewer });
        return HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish();
    }
    let asked = parameters.clone();
    match order_page(&app, &order_id, parameters, viewer.clone()).await {
        Err(Problem { senders: Some(senders), status, .. }) => {
            html(status, &pages::choose_sender(&order_id, &senders, &viewer))
        }
        Err(Problem { code, status, .. }) if code == NOTHING_KNOWN_THEN => {
            match nothing_yet(&app, &order_id, &asked, &viewer).await {
                Ok(page) => html(status, &page),
                Err(problem) => shown(Err(problem), &viewer),
            }
        }
        page => shown(page, &viewer),
    }
}

/// Whoever went too far back is shown the way to where there is something.
async fn nothing_yet(app: &App, order_id: &str, asked: &PageParameters, viewer: &Viewer) -> Result<Markup, Problem> {
    let now = OrderParameters { sender: asked.sender.clone(), ..OrderParameters::default() };
    let (_, timeline) = asked_for(app, order_id, &now).await?;
    let first_heard = timeline.entries.iter().map(|entry| entry.received_at).min();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (at, known_at) = (given(&asked.at), given(&asked.known_at));
    Ok(pages::nothing_yet(&timeline.order, first_heard, at.as_deref(), known_at.as_deref(), viewer))
}

/// The address of the same page with its times in UTC: it means the same to whoever it is sent to.
fn canonical(order_id: &str, asked: &PageParameters, viewer: &Viewer) -> String {
    let utc = |text: &Option<String>, filled: &Option<String>| {
        let text = text.as_deref().map(str::trim)?;
        let filled = filled.as_deref().and_then(read_time).map(|read| read.at);
        Some(viewer.from_field_filled(text, filled).map_or_else(|| text.to_owned(), rfc3339))
    };
    let (at, known_at) = (utc(&asked.at, &asked.at_filled), utc(&asked.known_at, &asked.known_at_filled));
    let query = [
        ("sender", asked.sender.as_deref()),
        ("item", asked.item.as_deref()),
        ("kind", asked.kind.as_deref()),
        ("text", asked.text.as_deref()),
        ("sort", asked.sort.as_deref()),
        ("at", at.as_deref()),
        ("knownAt", known_at.as_deref()),
    ];
    with_query(&format!("/orders/{}", in_path(order_id)), &query)
}

async fn order_page(app: &App, order_id: &str, asked: PageParameters, viewer: Viewer) -> Result<Markup, Problem> {
    check(&asked)?;
    let PageParameters { sender, item, kind, text, sort, page, at, known_at, q, by, .. } = asked;
    let of_order = OrderParameters { sender, item: None, at: at.clone(), known_at: known_at.clone() };
    let found = q.zip(by.filter(|by| is_kind(by)));
    let view = OrderView { item, kind, text, sort, page, at, known_at, found };
    // Asked before the order is read: a page may be newer than it says, and never older.
    let key = resolve(app, order_id, of_order.sender.as_deref()).await?;
    let version =
        if view.is_past() { None } else { app.store.versions(&[key]).await?.pop().map(|version| version.claims) };
    let (order, timeline) = asked_for(app, order_id, &of_order).await?;
    // What is known of a past moment does not know of those that came later.
    let moments: Moments = if view.is_past() {
        app.store.moments(key).await?.into_iter().collect()
    } else {
        timeline.entries.iter().map(|entry| entry.received_at).collect()
    };
    let vocabulary = app.vocabulary.now();
    // A page of thousands of items takes its time; the worker has deliveries to receive meanwhile.
    web::block(move || pages::order(&order, &timeline, version, &moments, &view, &vocabulary, &viewer))
        .await
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The page could not be made."))
}

/// What the page would not understand is told, as lists do, and not passed over.
fn check(asked: &PageParameters) -> Result<(), Problem> {
    fn given(text: &Option<String>) -> Option<&str> {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
    if given(&asked.sort).is_some_and(|sort| sort != "oldest") {
        return Err(bad_query(&"sort is oldest, or is left out for the newest first"));
    }
    if given(&asked.kind).is_some_and(|kind| Kind::from_name(kind).is_none()) {
        return Err(bad_query(&format_args!("kind is one of {}", Kind::ALL.map(Kind::name).join(", "))));
    }
    if given(&asked.page).is_some_and(|page| page.parse::<usize>().is_err()) {
        return Err(bad_query(&"page is a number"));
    }
    Ok(())
}

/// Whoever makes a link must not put words of their own on the page.
fn is_kind(by: &str) -> bool {
    const KINDS: [&str; 15] = [
        "order-id",
        "external-id",
        "item-id",
        "internal-id",
        "product-id",
        "service-id",
        "appointment-id",
        "appointment-reference",
        "party-id",
        "characteristic",
        "account",
        "telephone-number",
        "job-id",
        "event-id",
        "delivery-id",
    ];
    KINDS.contains(&by)
}
