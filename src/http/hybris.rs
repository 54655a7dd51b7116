//! The Hybris front door over HTTP. All its errors have the document's shape.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use tracing::error;

use super::app::App;
use super::body::receive;
use super::entrance::{Entrance, Passage};
use super::error::Problem;
use super::openapi::ProductOrder;
use super::site;
use crate::access::{Door, Reason};
use crate::hybris::{Errors, Headers, Market};
use crate::intake::Delivery;
use crate::metrics;
use crate::order::capitalised;
use crate::record::{ItemTree, OrderRecord};
use crate::store::{OrderKey, StoreError};

/// Places an order.
#[utoipa::path(post, path = "/hybris/{businessId}/productOrder", tag = "hybris",
    params(
        ("businessId" = String, Path, description = "PR, JM or PA"),
        ("client-id" = String, Header, description = "The channel"),
        ("client-secret" = String, Header, description = "Its password; passed on to the BSS, never kept"),
        ("correlationId" = String, Header, description = "The same with the same body gets the recorded answer"),
        ("lob" = String, Header, description = "FIXED"),
        ("channelId" = String, Header, description = "ECOM"),
        ("X-Conversation-Id" = Option<String>, Header, description = "Mandatory for PR: from the quote's answer")),
    request_body(content = ProductOrder, description = "An order"),
    responses(
        (status = 201, description = "The BSS took the order; its status and answer are passed through", body = ProductOrder),
        (status = 400, description = "Something mandatory is missing or malformed, or the BSS refused the order",
            body = Errors),
        (status = 404, description = "No such market", body = Errors),
        (status = 409, description = "Another body came under this correlationId", body = Errors),
        (status = 413, description = "Too large", body = Errors),
        (status = 502, description = "Nobody knows whether the order was placed; it will not be placed again", body = Errors),
        (status = 503, description = "Nothing was placed, or the answer is not there yet: ask again", body = Errors)))]
pub async fn place(
    request: HttpRequest,
    business_id: web::Path<String>,
    payload: web::Payload,
    passage: web::ReqData<Passage>,
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let Some(market) = Market::from_business_id(&business_id) else {
        return refused(&no_such_market(&business_id));
    };
    let received =
        match receive(payload, request.headers(), &passage, app.max_body_bytes, app.limits, &entrance.room).await {
            Ok(received) => match received.sender(&passage, Some(market.sender())) {
                Ok(_) => received,
                Err(reason) => return stranger(&entrance, reason, &request),
            },
            Err(problem) => {
                metrics::refused(Door::Listener, &problem.code);
                return site::told(&request, &problem);
            }
        };
    let origin = request.path().replace('\0', "\u{FFFD}");
    let kept = received.headers(request.headers());
    let delivery = Delivery::received_now(market.sender(), &origin, kept, received.body);
    let headers = headers(request.headers());
    match app.hybris.place(&app.store, &app.vocabulary.now(), market, headers, delivery).await {
        Ok(reply) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = HttpResponse::build(status);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response.insert_header((RETRY_AFTER, RETRY_SECONDS));
            }
            if reply.is_repeat {
                response.insert_header(("Idempotency-Replayed", "true"));
            }
            response.content_type("application/json").body(reply.body)
        }
        Err(cause) => unavailable(&cause),
    }
}

/// The state of an order, from its timeline.
#[utoipa::path(get, path = "/hybris/{businessId}/productOrder/{id}", tag = "hybris",
    params(("businessId" = String, Path, description = "PR, JM or PA"), ("id" = String, Path, description = "The order's id")),
    responses((status = 200, body = ProductOrder), (status = 404, body = Errors), (status = 503, body = Errors)))]
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    passage: web::ReqData<Passage>,
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
) -> HttpResponse {
    let (business_id, order_id) = path.into_inner();
    let Some(market) = Market::from_business_id(&business_id) else {
        return refused(&no_such_market(&business_id));
    };
    if let Err(reason) = passage.sender(&[], Some(market.sender())) {
        return stranger(&entrance, reason, &request);
    }
    let key = OrderKey::of_order(market.sender(), &order_id);
    match app.store.order(key, None, None, &app.vocabulary.now()).await {
        Ok(Some((order, _))) => HttpResponse::Ok().json(status_of(&order)),
        Ok(None) => {
            let detail = format!("no order {order_id} of {} has been heard of", market.business_id());
            refused(&Errors::new(404, "No such order", detail))
        }
        Err(cause) => unavailable(&cause),
    }
}

pub async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    let allowed = if request.match_info().get("id").is_some() { "GET" } else { "POST" };
    let detail = format!("{} takes {allowed}, not {}", request.path(), request.method());
    let mut response = refused(&Errors::new(405, "Method not allowed", detail));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

const RETRY_SECONDS: &str = "5";

fn refused(errors: &Errors) -> HttpResponse {
    let status = StatusCode::from_u16(errors.status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(errors)
}

/// Somebody who is not this market's sender.
fn stranger(entrance: &Entrance, reason: Reason, request: &HttpRequest) -> HttpResponse {
    site::told(request, &entrance.refuse(Door::Listener, reason, request))
}

/// Whether a request is for the front door, whoever answers it.
pub fn is_front_door(request: &HttpRequest) -> bool {
    let app = request.app_data::<web::Data<App>>();
    let rest = app.and_then(|app| request.path().strip_prefix(app.hybris.base_path.as_str()));
    rest.is_some_and(|rest| rest.starts_with('/') && app.is_some_and(|app| !app.hybris.base_path.is_empty()))
}

/// A problem in the document's form.
pub fn told(problem: &Problem) -> HttpResponse {
    refused(&Errors::new(problem.status.as_u16(), problem.title, problem.detail.as_str()))
}

fn no_such_market(business_id: &str) -> Errors {
    let known = Market::ALL.map(Market::business_id).join(", ");
    Errors::new(404, "businessId is malformed", format!("“{business_id}” is none of {known}"))
}

/// The cause is for the log, not for the outside.
fn unavailable(cause: &StoreError) -> HttpResponse {
    error!(%cause, "the database did not serve a request at the Hybris front door");
    let detail = "the service cannot use its database at the moment; ask again with the same correlationId: nothing \
                  is placed twice";
    let mut response = refused(&Errors::new(503, "The service is not available", detail));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    response
}

fn headers(all: &HeaderMap) -> Headers {
    let value = |name: &str| all.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Headers {
        client_id: value("client-id"),
        client_secret: value("client-secret"),
        correlation_id: value("correlationId"),
        lob: value("lob"),
        channel_id: value("channelId"),
        conversation_id: value("X-Conversation-Id"),
    }
}

/// The order as the API writes one, with the state that its timeline has come to and, as the description, why.
fn status_of(order: &OrderRecord) -> Value {
    let mut characteristics = order.characteristics.clone();
    let mut body = Map::new();
    body.insert("id".to_owned(), order.head.order_id.clone().into());
    body.insert("externalId".to_owned(), order.head.external_id.clone().into());
    body.insert("state".to_owned(), capitalised(&order.head.state).into());
    body.insert("description".to_owned(), order.head.state_reason.clone().into());
    if let Some(account) = characteristics.remove("billingAccount") {
        body.insert("billingAccount".to_owned(), json!({ "id": account, "@type": "BillingAccount" }));
    }
    for name in ["category", "requestedCompletionDate"] {
        if let Some(value) = characteristics.remove(name) {
            let value = if value == "unscheduled" { "4444-12-31T00:00:00.000Z".to_owned() } else { value };
            body.insert(name.to_owned(), value.into());
        }
    }
    let notes: Vec<Value> =
        characteristics.iter().map(|(name, value)| json!({ "text": value, "@type": name })).collect();
    let mut items = Vec::new();
    order.items.iter().for_each(|item| add_item(item, &mut items));
    body.insert("note".to_owned(), notes.into());
    body.insert("productOrderItem".to_owned(), items.into());
    body.insert("@type".to_owned(), "ProductOrder".into());
    body.into()
}

fn add_item(tree: &ItemTree, all: &mut Vec<Value>) {
    let item = &tree.item;
    let product = item.product_id.as_deref();
    // Items that share an id are named by id and product here, and by the id alone there.
    let shared = product.and_then(|product| item.item_id.strip_suffix(product)?.strip_suffix('/'));
    all.push(json!({
        "id": shared.unwrap_or(&item.item_id),
        "action": item.action,
        "state": item.state,
        "product": { "id": product },
        "@type": "ProductOrderItem",
    }));
    tree.items.iter().for_each(|below| add_item(below, all));
}
