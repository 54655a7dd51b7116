//! The API's deliveries: what was received, and the exact bytes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::app::App;
use super::error::{Problem, bad_query};
use super::orders::resolve;
use crate::record::OutcomeName;
use crate::store::DeliveryFilter;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryParameters {
    pub sender: Option<String>,
    pub outcome: Option<String>,
    pub limit: Option<u16>,
    /// Only those received before this one: the last of the page before.
    pub before: Option<Uuid>,
}

const LIMIT: u16 = 100;
const HIGHEST_LIMIT: u16 = 1000;

pub async fn list(parameters: web::Query<DeliveryParameters>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let filter = DeliveryFilter { sender: parameters.sender.clone(), ..filter(&parameters)? };
    Ok(HttpResponse::Ok().json(json!({ "deliveries": app.store.deliveries(&filter).await? })))
}

pub async fn of_order(
    order_id: web::Path<String>,
    parameters: web::Query<DeliveryParameters>,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    let key = resolve(&app, &order_id, parameters.sender.as_deref()).await?;
    let deliveries = app.store.deliveries(&DeliveryFilter { order: Some(key), ..filter(&parameters)? }).await?;
    if deliveries.is_empty() && parameters.before.is_none() && parameters.outcome.is_none() {
        return Err(Problem::no_such_order(&order_id));
    }
    Ok(HttpResponse::Ok().json(json!({ "deliveries": deliveries })))
}

pub async fn show(id: web::Path<Uuid>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let delivery = app.store.delivery(*id).await?.ok_or_else(|| no_such_delivery(*id))?;
    Ok(HttpResponse::Ok().json(delivery))
}

/// The exact bytes. They are a stranger's: no browser is to take them for a page.
pub async fn body(id: web::Path<Uuid>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let body = app.store.body(*id).await?.ok_or_else(|| no_such_delivery(*id))?;
    let kind =
        if std::str::from_utf8(&body.bytes).is_ok() { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("X-Received-Length", body.received_length.to_string()))
        .body(body.bytes))
}

fn filter(parameters: &DeliveryParameters) -> Result<DeliveryFilter, Problem> {
    let limit = parameters.limit.unwrap_or(LIMIT);
    if limit == 0 || limit > HIGHEST_LIMIT {
        return Err(bad_query(&format_args!("limit is between 1 and {HIGHEST_LIMIT}")));
    }
    let outcome = parameters.outcome.as_deref().map(|name| {
        let names = OutcomeName::ALL.map(OutcomeName::name).join(", ");
        OutcomeName::from_name(name).ok_or_else(|| bad_query(&format_args!("outcome is one of {names}")))
    });
    Ok(DeliveryFilter { outcome: outcome.transpose()?, limit, before: parameters.before, ..DeliveryFilter::default() })
}

fn no_such_delivery(id: Uuid) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-delivery", format!("There is no delivery {id}, or its body is gone."))
}
