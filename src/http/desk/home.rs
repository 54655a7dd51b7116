//! The first page, and the API's description for people.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::Cached;
use super::orders::rows;
use crate::http::app::App;
use crate::http::error::Problem;
use crate::http::openapi;
use crate::http::pages::{self, Viewer};
use crate::http::site::{shown, viewer_of};
use crate::store::{Numbers, OrderQuery};

const LATEST: u16 = 12;

pub async fn home(request: HttpRequest, app: web::Data<App>, numbers: web::Data<Cached<Numbers>>) -> HttpResponse {
    if !request.query_string().is_empty() {
        // The list is elsewhere; searches that lead here find it.
        let orders = format!("/orders?{}", request.query_string());
        return HttpResponse::SeeOther().insert_header((header::LOCATION, orders)).finish();
    }
    let viewer = viewer_of(&request);
    shown(home_page(&app, &numbers, &viewer).await, &viewer)
}

async fn home_page(app: &App, numbers: &Cached<Numbers>, viewer: &Viewer) -> Result<maud::Markup, Problem> {
    let numbers = numbers.get(app.store.numbers(Utc::now())).await?;
    let latest = app.store.orders(&OrderQuery { limit: LATEST, ..OrderQuery::default() }).await?;
    let latest = rows(app, latest.hits, viewer).await?;
    Ok(pages::home(&numbers, &latest, viewer))
}

/// The description of the API as a page.
pub async fn docs(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    let description = serde_json::to_value(openapi::description(&app)).unwrap_or_default();
    shown(Ok(pages::docs(&description, &viewer)), &viewer)
}
