//! What was refused, counted.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::entrance::Entrance;
use crate::access::RefusalCount;

/// For the description of the API.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its form is used")]
struct RefusalsBody {
    refusals: Vec<RefusalCount>,
}

/// How often which door was closed to whom, and why: by this process since it started. Nothing of what was refused is
/// kept.
#[utoipa::path(get, path = "/api/v1/refusals", tag = "operations", responses((status = 200, body = RefusalsBody)))]
pub async fn list(entrance: web::Data<Entrance>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "refusals": entrance.refusals.counts() }))
}
