//! The API's deliveries: what was received, and the exact bytes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::info;
use uuid::Uuid;

use super::app::App;
use super::entrance::staff_of;
use super::error::{Problem, bad_query};
use super::parameters::{OrderIdInPath, resolve, time};
use crate::rebuild::{self, Retried};
use crate::record::{DeliveryRecord, OutcomeName};
use crate::store::{DeliveryFilter, StoreError};

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryParameters {
    /// The sender's name, such as `bt-wholesale`.
    pub sender: Option<String>,
    /// `applied`, `duplicate`, `conflict` or `quarantined`.
    pub outcome: Option<String>,
    /// How many at most, 1 to 1000; 100 by itself.
    pub limit: Option<u16>,
    /// Only those received at this time or later; RFC 3339, such as `2024-03-01T00:00:00Z`.
    pub received_from: Option<String>,
    /// Only those received before this one: the last of the page before.
    pub before: Option<Uuid>,
}

/// For the description of the API.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
struct DeliveriesBody {
    deliveries: Vec<DeliveryRecord>,
}

const LIMIT: u16 = 100;
const HIGHEST_LIMIT: u16 = 1000;

/// What was received, the latest first.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "deliveries", params(DeliveryParameters),
    responses((status = 200, body = DeliveriesBody), (status = 400, body = Problem, content_type = "application/problem+json")))]
pub async fn list(parameters: web::Query<DeliveryParameters>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let filter = DeliveryFilter { sender: parameters.sender.clone(), ..filter(&parameters)? };
    Ok(HttpResponse::Ok().json(json!({ "deliveries": app.store.deliveries(&filter).await? })))
}

/// What was received of an order, the latest first.
#[utoipa::path(get, path = "/api/v1/orders/{order_id}/deliveries", tag = "deliveries",
    params(("order_id" = String, Path, description = "The order's id; one of dots alone has a `=` before it"), DeliveryParameters),
    responses((status = 200, body = DeliveriesBody), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn of_order(
    order_id: web::Path<OrderIdInPath>,
    parameters: web::Query<DeliveryParameters>,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    let key = resolve(&app, &order_id, parameters.sender.as_deref()).await?;
    let deliveries = app.store.deliveries(&DeliveryFilter { order: Some(key), ..filter(&parameters)? }).await?;
    let is_narrowed = parameters.before.is_some() || parameters.outcome.is_some() || parameters.received_from.is_some();
    if deliveries.is_empty() && !is_narrowed {
        return Err(Problem::no_such_order(&order_id));
    }
    Ok(HttpResponse::Ok().json(json!({ "deliveries": deliveries })))
}

/// A delivery without its body.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "deliveries", params(("id" = Uuid, Path, description = "The delivery's id")),
    responses((status = 200, body = DeliveryRecord), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn show(id: web::Path<Uuid>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let delivery = app.store.delivery(*id).await?.ok_or_else(|| no_such_delivery(*id))?;
    Ok(HttpResponse::Ok().json(delivery))
}

/// The exact bytes of a delivery. They are a stranger's: no browser is to take them for a page.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}/body", tag = "deliveries", params(("id" = Uuid, Path, description = "The delivery's id")),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Let go, as the operator wishes", body = Problem, content_type = "application/problem+json")))]
pub async fn body(id: web::Path<Uuid>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let body = app.store.body(*id).await?.ok_or_else(|| no_such_delivery(*id))?;
    let kind =
        if std::str::from_utf8(&body.bytes).is_ok() { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("X-Received-Length", body.received_length.to_string()))
        .body(body.bytes))
}

/// For the description of the API, and the answer.
#[derive(Serialize, utoipa::ToSchema)]
struct RetriedBody {
    before: DeliveryRecord,
    after: DeliveryRecord,
}

/// Reads a delivery again with the present reader and vocabulary, and makes the order that it is about anew. What is
/// still quarantined says why.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/retry", tag = "deliveries", params(("id" = Uuid, Path, description = "The delivery's id")),
    responses((status = 200, body = RetriedBody),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was too large to be kept whole, or its body is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Its body is no longer kept", body = Problem, content_type = "application/problem+json")))]
pub async fn retry(request: HttpRequest, id: web::Path<Uuid>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    match read_again(&request, &app, *id).await? {
        Retried::Read { before, after } => Ok(HttpResponse::Ok().json(RetriedBody { before: *before, after: *after })),
        Retried::NotThere => Err(no_such_delivery(*id)),
        Retried::NotWhole => {
            let detail = "It was too large to be kept whole; its sender has to send it again.";
            Err(Problem::new(StatusCode::CONFLICT, "not-whole", detail))
        }
        Retried::BodyDamaged => {
            let detail = "Its body is damaged: it is not what was received. It has to be restored from a backup.";
            Err(Problem::new(StatusCode::CONFLICT, "body-damaged", detail))
        }
        Retried::BodyGone => Err(Problem::new(StatusCode::GONE, "bodies-gone", "Its body is no longer kept.")),
    }
}

/// Reads a delivery again, and notes who wished it.
pub async fn read_again(request: &HttpRequest, app: &App, id: Uuid) -> Result<Retried, StoreError> {
    let retried = rebuild::retry(&app.store, &app.vocabulary.now(), id).await?;
    if let Retried::Read { before, after } = &retried {
        let by = staff_of(request).and_then(|staff| staff.subject);
        let (before, after) = (before.outcome.name(), after.outcome.name());
        info!(delivery_id = %id, before, after, by = by.as_deref().unwrap_or("anybody"), "a delivery was read again");
    }
    Ok(retried)
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
    Ok(DeliveryFilter {
        outcome: outcome.transpose()?,
        received_from: time("receivedFrom", parameters.received_from.as_ref())?,
        limit,
        before: parameters.before,
        ..DeliveryFilter::default()
    })
}

pub fn no_such_delivery(id: Uuid) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-delivery", format!("There is no delivery {id}."))
}
