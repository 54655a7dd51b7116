//! The page of one order.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use maud::Markup;
use serde::Deserialize;

use crate::http::app::App;
use crate::http::error::Problem;
use crate::http::orders::{OrderParameters, asked_for, resolve};
use crate::http::pages::{self, OrderView, Viewer};
use crate::http::site::{html, shown, viewer_of};

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
    /// The id by which it was found, and of what kind that is.
    q: Option<String>,
    by: Option<String>,
}

pub async fn show(
    request: HttpRequest,
    order_id: web::Path<String>,
    parameters: web::Query<PageParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    match order_page(&app, &order_id, parameters.into_inner(), viewer.clone()).await {
        Err(Problem { senders: Some(senders), status, .. }) => {
            html(status, &pages::choose_sender(&order_id, &senders, &viewer))
        }
        page => shown(page, &viewer),
    }
}

async fn order_page(app: &App, order_id: &str, asked: PageParameters, viewer: Viewer) -> Result<Markup, Problem> {
    let PageParameters { sender, item, kind, text, sort, page, at, known_at, q, by } = asked;
    let of_order = OrderParameters { sender, item: None, at: at.clone(), known_at: known_at.clone() };
    let found = q.zip(by.filter(|by| is_kind(by)));
    let view = OrderView { item, kind, text, sort, page, at, known_at, found };
    // Asked before the order is read: a page may be newer than it says, and never older.
    let version = if view.is_past() {
        None
    } else {
        let key = resolve(app, order_id, of_order.sender.as_deref()).await?;
        app.store.versions(&[key]).await?.pop().map(|version| version.claims)
    };
    let (order, timeline) = asked_for(app, order_id, &of_order).await?;
    let vocabulary = app.vocabulary.now();
    // A page of thousands of items takes its time; the worker has deliveries to receive meanwhile.
    web::block(move || pages::order(&order, &timeline, version, &view, &vocabulary, &viewer))
        .await
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The page could not be made."))
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
