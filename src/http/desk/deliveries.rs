//! What was received: lists, one delivery, what differs between two, and reading one again.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use maud::Markup;
use serde::Deserialize;
use uuid::Uuid;

use crate::http::app::App;
use crate::http::deliveries::{no_such_delivery, read_again};
use crate::http::error::{Problem, bad_query};
use crate::http::pages::{self, DeliveriesQuery, Viewer};
use crate::http::parameters::{OrderIdInPath, resolve, time};
use crate::http::site::{shown, viewer_of};
use crate::rebuild::Retried;
use crate::record::{DeliveryRecord, OutcomeName};
use crate::store::{DeliveryBody, DeliveryFilter, OrderKey, StoreError};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListParameters {
    sender: Option<String>,
    outcome: Option<String>,
    received_from: Option<String>,
    before: Option<Uuid>,
}

const LIMIT: u16 = 50;

pub async fn list(request: HttpRequest, asked: web::Query<ListParameters>, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(page(&app, &asked, None, &viewer).await, &viewer)
}

pub async fn of_order(
    request: HttpRequest,
    order_id: web::Path<OrderIdInPath>,
    asked: web::Query<ListParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(page(&app, &asked, Some(&order_id), &viewer).await, &viewer)
}

async fn page(app: &App, asked: &ListParameters, of: Option<&str>, viewer: &Viewer) -> Result<Markup, Problem> {
    let outcome = asked.outcome.as_deref().filter(|outcome| !outcome.is_empty());
    let outcome = outcome.map(|name| {
        OutcomeName::from_name(name)
            .ok_or_else(|| bad_query(&"outcome is one of applied, duplicate, conflict, quarantined"))
    });
    let outcome = outcome.transpose()?;
    let order = match of {
        Some(order_id) => Some((order_id, resolve(app, order_id, asked.sender.as_deref()).await?)),
        None => None,
    };
    let filter = DeliveryFilter {
        order: order.map(|(_, key)| key),
        outcome,
        sender: None,
        received_from: time("receivedFrom", asked.received_from.as_ref())?,
        limit: LIMIT + 1,
        before: asked.before,
    };
    let mut list = app.store.deliveries(&filter).await?;
    let has_more = list.len() > usize::from(LIMIT);
    list.truncate(usize::from(LIMIT));
    let next = list.last().filter(|_| has_more).map(|last| last.delivery_id.to_string());
    let order = match order {
        Some((order_id, _)) => {
            let sender = match (&asked.sender, list.first()) {
                (Some(sender), _) if !sender.is_empty() => sender.clone(),
                (_, Some(first)) => first.sender.clone(),
                (_, None) => return Err(Problem::no_such_order(order_id)),
            };
            Some((order_id.to_owned(), sender))
        }
        None => None,
    };
    let received_from = filter.received_from;
    Ok(pages::deliveries(&list, &DeliveriesQuery { order, outcome, received_from, next }, viewer))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowParameters {
    /// What came of reading it again.
    retried: Option<String>,
}

pub async fn show(
    request: HttpRequest,
    id: web::Path<Uuid>,
    asked: web::Query<ShowParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(one(&app, *id, asked.retried.as_deref(), &viewer).await, &viewer)
}

async fn one(app: &App, id: Uuid, retried: Option<&str>, viewer: &Viewer) -> Result<Markup, Problem> {
    let delivery = app.store.delivery(id).await?.ok_or_else(|| no_such_delivery(id))?;
    let body = kept(app.store.body(id).await)?;
    let before = match &delivery.order_id {
        Some(order_id) => {
            let order = Some(OrderKey::of_order(&delivery.sender, order_id));
            let filter = DeliveryFilter { order, before: Some(id), limit: 1, ..DeliveryFilter::default() };
            app.store.deliveries(&filter).await?.pop().map(|before| before.delivery_id)
        }
        None => None,
    };
    let told = retried.and_then(|retried| told(retried, &delivery));
    Ok(pages::delivery(&delivery, body.as_ref(), before, told.as_deref(), viewer))
}

/// That a body was let go is no trouble: the page says so, and all else that is known.
fn kept(body: Result<Option<DeliveryBody>, StoreError>) -> Result<Option<DeliveryBody>, StoreError> {
    match body {
        Err(StoreError::NoLongerKept) => Ok(None),
        body => body,
    }
}

/// Whoever makes a link must not put words of their own on the page.
fn told(retried: &str, delivery: &DeliveryRecord) -> Option<String> {
    let outcome = delivery.outcome.name();
    Some(match retried {
        "otherwise" => format!("It was read again, and its outcome is another one than before: {outcome}."),
        "as-before" if delivery.outcome == OutcomeName::Quarantined => {
            let reason = delivery.reason.as_deref().unwrap_or("it cannot be placed");
            format!(
                "It was read again, and its outcome is the same as before, quarantined: {reason}. The body stays what it \
                 is: reading it again helps after a new version of the program or a repair; else its sender has to send \
                 it anew, put right."
            )
        }
        "as-before" => format!("It was read again, and its outcome is the same as before: {outcome}."),
        "not-whole" => {
            "It was too large to be kept whole and cannot be read again; its sender has to send it again.".to_owned()
        }
        "body-damaged" => {
            "Its body is damaged: it is not what was received. It has to be restored from a backup.".to_owned()
        }
        "bodies-gone" => "Its body is no longer kept, so it cannot be read again.".to_owned(),
        _ => return None,
    })
}

/// Reads a delivery again with the present reader, as `deliveries retry` does, and shows what came of it.
pub async fn retry(request: HttpRequest, id: web::Path<Uuid>, app: web::Data<App>) -> HttpResponse {
    let viewer = viewer_of(&request);
    let retried = match read_again(&request, &app, *id).await {
        Ok(Retried::Read { before, after }) if before.outcome != after.outcome => "otherwise",
        Ok(Retried::Read { .. }) => "as-before",
        Ok(Retried::NotWhole) => "not-whole",
        Ok(Retried::BodyDamaged) => "body-damaged",
        Ok(Retried::BodyGone) => "bodies-gone",
        Ok(Retried::NotThere) => return shown(Err(no_such_delivery(*id)), &viewer),
        Err(error) => return shown(Err(error.into()), &viewer),
    };
    HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/deliveries/{id}?retried={retried}"))).finish()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceParameters {
    with: Uuid,
}

pub async fn difference(
    request: HttpRequest,
    id: web::Path<Uuid>,
    asked: web::Query<DifferenceParameters>,
    app: web::Data<App>,
) -> HttpResponse {
    let viewer = viewer_of(&request);
    shown(compared(&app, asked.with, *id, &viewer).await, &viewer)
}

async fn compared(app: &App, before: Uuid, after: Uuid, viewer: &Viewer) -> Result<Markup, Problem> {
    let read = async |id| -> Result<_, Problem> {
        let delivery = app.store.delivery(id).await?.ok_or_else(|| no_such_delivery(id))?;
        Ok((delivery, kept(app.store.body(id).await)?))
    };
    let ((before, old), (after, new)) = (read(before).await?, read(after).await?);
    let fields = old.zip(new).and_then(|(old, new)| pages::difference(&old.bytes, &new.bytes));
    Ok(pages::difference_page(&before, &after, fields.as_deref(), viewer))
}
