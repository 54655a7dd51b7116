//! The description of the API, made of the code.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::app::App;
use super::{deliveries, health, hybris, listener, orders, refusals, stream, token};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Order Timeline",
        description = "What happened to an order, when, and when did we know it. Times are RFC 3339 in UTC."
    ),
    paths(
        token::give,
        listener::take,
        hybris::place,
        hybris::show,
        orders::list,
        orders::show,
        orders::timeline,
        stream::stream,
        deliveries::of_order,
        deliveries::list,
        deliveries::show,
        deliveries::body,
        deliveries::retry,
        refusals::list,
        health::live,
        health::ready,
        health::figures
    )
)]
struct Description;

/// The prefix under which the front door stands in the code.
const USUAL_BASE: &str = "/hybris/";

/// The description, with the paths that this service serves.
pub async fn show(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(description(&app))
}

pub fn description(app: &App) -> utoipa::openapi::OpenApi {
    let mut description = Description::openapi();
    let paths = std::mem::take(&mut description.paths.paths);
    description.paths.paths = paths
        .into_iter()
        .map(|(path, item)| match path.strip_prefix(USUAL_BASE) {
            Some(rest) => (format!("{}/{rest}", app.hybris.base_path), item),
            None => (path, item),
        })
        .collect();
    description
}

/// An order of the Hybris UX API, as far as this service looks at it; the rest is passed through. Requests have
/// no `id` and no `state`; answers have an `id`, as text or as a number, and maybe a `state`.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its form is used")]
pub struct ProductOrder {
    id: Option<String>,
    /// `Acknowledged`, null or absent.
    state: Option<String>,
    /// Warnings of the BSS.
    description: Option<String>,
    /// The temporary order id of the quote's answer.
    external_id: Option<String>,
    category: Option<String>,
    billing_account: BillingAccount,
    /// 4444-12-31 is unscheduled. Mandatory for PR.
    requested_completion_date: Option<String>,
    /// PR must have OrderReasonCode, CampaignCode, JobType, InstallationType and TelephoneNumberId.
    note: Option<Vec<Note>>,
    product_order_item: Vec<ProductOrderItem>,
    /// PR must have one whose `@referredType` is Customer.
    related_party: Option<Vec<RelatedParty>>,
    order_characteristics: Option<BTreeMap<String, String>>,
    service_address: Option<BTreeMap<String, String>>,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
struct BillingAccount {
    /// A `#` before it is taken off.
    id: String,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
struct Note {
    /// The key, in any case.
    #[schema(rename = "@type")]
    key: String,
    text: String,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
struct ProductOrderItem {
    /// May repeat: then the product tells the items apart.
    id: String,
    quantity: Option<u32>,
    action: Option<String>,
    product: Option<Product>,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its form is used")]
struct Product {
    id: Option<String>,
    is_bundle: Option<bool>,
    product_characteristic: Option<Vec<ProductCharacteristic>>,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its form is used")]
struct ProductCharacteristic {
    name: String,
    value_type: Option<String>,
    value: String,
}

#[derive(utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its form is used")]
struct RelatedParty {
    id: String,
    name: Option<String>,
    role: Option<String>,
    #[schema(rename = "@referredType")]
    referred_type: Option<String>,
}
