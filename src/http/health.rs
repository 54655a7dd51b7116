//! Whether the service lives, and whether it can do its work.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::app::App;
use super::entrance::Entrance;
use super::error::Problem;

/// The process answers. `access` says whether it is open to whoever reaches it, or closed to all who do not show who
/// they are; unknown until the database has told.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200)))]
pub async fn live(entrance: web::Data<Entrance>) -> HttpResponse {
    let access = match entrance.gate.shared.known() {
        Some(state) if entrance.is_open(&state) => "open",
        Some(_) => "closed",
        None => "unknown",
    };
    HttpResponse::Ok().json(json!({ "status": "live", "access": access }))
}

/// The database answers and has the schema of this program.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses((status = 200),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub async fn ready(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    app.store.ping().await?;
    match app.store.pending_migrations().await? {
        0 => Ok(HttpResponse::Ok().json(json!({ "status": "ready" }))),
        pending => {
            let detail = format!("The database lacks {pending} migrations; run `order-timeline migrate`.");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-out-of-date", detail))
        }
    }
}
