//! Whether the service lives, whether it can do its work, and its figures.

use std::path::Path;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::app::App;
use super::entrance::Entrance;
use super::error::Problem;
use crate::metrics;
use crate::order::rfc3339;
use crate::spool::{Spool, SpoolStatus};
use crate::store::{Store, StoreError};

/// A database that answers later than this is of no use to a sender.
const ANSWER: Duration = Duration::from_secs(4);
/// A disk with less room than this will soon stop the service.
const LOW: u64 = 256 * 1024 * 1024;
const SPOOL: &str = "spool";
const FULL: &str = "The spool has no room left: what is delivered while the database is away cannot be kept.";

/// The database as it is asked for its health ([`Store::to_watch`]).
#[derive(Clone, Debug)]
pub struct Watched(pub Store);

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

/// How the service fares.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    /// `ready`, or `degraded`: deliveries are taken in, but a person should look.
    status: &'static str,
    /// `ok`, or what is wrong with it.
    database: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    spool: Option<SpoolReadiness>,
    /// Disks of this machine that the service needs.
    disks: Vec<DiskReadiness>,
    /// What a person should look at.
    concerns: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SpoolReadiness {
    deliveries: usize,
    bytes: u64,
    max_bytes: u64,
    /// When the delivery that waits longest was received.
    oldest: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct DiskReadiness {
    holds: &'static str,
    free_bytes: u64,
}

/// Deliveries can be made durable: the database answers, takes writes and has this program's schema, or, while it
/// is away, the spool has room and it is known who may deliver. Only then is the answer 200: a balancer is to take a
/// node out only if it could keep nothing.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses((status = 200, body = Readiness),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub async fn ready(
    app: web::Data<App>,
    entrance: web::Data<Entrance>,
    watched: web::Data<Watched>,
) -> Result<HttpResponse, Problem> {
    let database = timeout(ANSWER, database(&watched.0)).await.unwrap_or_else(|_| Err(StoreError::too_slow().into()));
    if database.is_err() {
        app.store.doubt_connections();
    }
    let spool = app.spool.as_ref().map(|spool| spool.status());
    let disks = disks(&app);
    let spool_is_full = spool.as_ref().is_some_and(SpoolStatus::is_full)
        || disks.iter().any(|disk| disk.holds == SPOOL && disk.free_bytes < SpoolStatus::LOW);
    let mut concerns: Vec<String> = database.as_ref().err().map(|problem| problem.detail.clone()).into_iter().collect();
    concerns.extend(spool.as_ref().and_then(spool_concern));
    concerns.extend(spool_is_full.then(|| FULL.to_owned()));
    concerns.extend(app.spool.iter().flat_map(|spool| trouble(spool, &spool.status())));
    for disk in disks.iter().filter(|disk| disk.free_bytes < LOW) {
        concerns.push(format!("The disk of the {} has only {} MiB left.", disk.holds, disk.free_bytes >> 20));
    }
    // A service that never knew who has access lets nobody in, spool or not.
    let can_spool = entrance.gate.shared.known().is_some()
        && spool.as_ref().is_some_and(|spool| !spool.is_failing && !spool_is_full);
    let word = match database {
        Ok(()) => "ok",
        Err(problem) if spool_is_full => {
            let detail = format!("{} {FULL}", problem.detail);
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "spool-full", detail));
        }
        Err(problem) if !can_spool => {
            let spool = spool.as_ref().filter(|spool| spool.is_failing).and_then(spool_concern);
            let detail = std::iter::once(problem.detail).chain(spool).collect::<Vec<_>>().join(" ");
            return Err(Problem { detail, ..problem });
        }
        Err(problem) => match problem.code.as_str() {
            "database-out-of-date" => "out-of-date",
            "database-of-another-version" => "of-another-version",
            "database-read-only" => "read-only",
            _ => "unavailable",
        },
    };
    let status = if concerns.is_empty() { "ready" } else { "degraded" };
    let spool = spool.map(SpoolReadiness::from);
    Ok(HttpResponse::Ok().json(Readiness { status, database: word, spool, disks, concerns }))
}

async fn database(store: &Store) -> Result<(), Problem> {
    match store.check_writable().await {
        Err(StoreError::ReadOnly) => {
            let detail = "The database is read-only: nothing can be kept in it.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-read-only", detail));
        }
        answered => answered?,
    }
    let pending = match store.pending_migrations().await {
        Err(StoreError::Schema(told)) => {
            let mut letters = told.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            let detail: String = first.chain(letters).chain(std::iter::once('.')).collect();
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-of-another-version", detail));
        }
        counted => counted?,
    };
    match pending {
        0 => Ok(()),
        pending => {
            let detail = format!("The database lacks {pending} migrations; run `order-timeline migrate`.");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-out-of-date", detail))
        }
    }
}

fn spool_concern(spool: &SpoolStatus) -> Option<String> {
    if spool.is_failing {
        return Some("The spool cannot be written; the log says why.".to_owned());
    }
    match spool.deliveries {
        0 if spool.is_away => Some("What is delivered now goes into the spool.".to_owned()),
        0 => None,
        1 => Some("One delivery waits in the spool for the database.".to_owned()),
        waiting => Some(format!("{waiting} deliveries wait in the spool for the database.")),
    }
}

/// What does not go away by itself, or may not.
fn trouble(spool: &Spool, status: &SpoolStatus) -> Vec<String> {
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{what} {count}."));
    let told = [
        counted(
            status.unreadable,
            "Deliveries in the spool whose files cannot be read now; the log says why, and they are tried again:",
        ),
        counted(
            status.untakeable,
            "Deliveries in the spool that the database does not take while it takes others; the log says why, and they \
             are tried again:",
        ),
        counted(
            spool.damaged_files(),
            "Files in the spool's directory that hold deliveries which could not be read or taken in (*.damaged); see \
             “Damage” in docs/operations.md:",
        ),
    ];
    told.into_iter().flatten().collect()
}

fn disks(app: &App) -> Vec<DiskReadiness> {
    let spool = app.spool.as_ref().map(|spool| (SPOOL, spool.directory()));
    let database = app.data_dir.as_deref().map(|directory| ("database", directory));
    let disks = [spool, database].into_iter().flatten();
    disks.filter_map(|(holds, path)| Some(DiskReadiness { holds, free_bytes: free_bytes(path)? })).collect()
}

/// What an ordinary user may still write there.
fn free_bytes(path: &Path) -> Option<u64> {
    let found = nix::sys::statvfs::statvfs(path).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()))
}

impl From<SpoolStatus> for SpoolReadiness {
    fn from(status: SpoolStatus) -> Self {
        let oldest: Option<DateTime<Utc>> = status.oldest;
        Self {
            deliveries: status.deliveries,
            bytes: status.bytes,
            max_bytes: status.max_bytes,
            oldest: oldest.map(rfc3339),
        }
    }
}

/// The figures, for Prometheus. Asking for them asks nothing of the database.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn figures(app: web::Data<App>) -> HttpResponse {
    for disk in disks(&app) {
        metrics::get().disk(disk.holds, disk.free_bytes);
    }
    let spool = app.spool.as_ref().map(|spool| spool.status());
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(metrics::get().text(spool.as_ref()))
}
