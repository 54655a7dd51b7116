//! The composition root: what is served where.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as ActixApp, HttpServer, middleware, web};
use tracing::warn;

use super::body::{Limits, Room};
use super::entrance::{AccessSettings, Entrance, keep_up_to_date};
use super::routes::routes;
use super::tls::{Tls, TlsSettings};
use super::{error, site};
use crate::access::{Gate, Oidc, Refusals};
use crate::hybris::{Hybris, settle_left_behind};
use crate::intake::Group;
use crate::order::Vocabulary;
use crate::store::Store;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    pub store: Store,
    pub vocabulary: Arc<Vocabulary>,
    /// The sender whose deliveries come to the listener.
    pub sender: String,
    /// The others that `?sender=` may name there.
    pub other_senders: Vec<String>,
    /// The front door where orders are placed.
    pub hybris: Arc<Hybris>,
    /// Acknowledges a delivery; 2xx.
    pub ack_status: u16,
    pub max_body_bytes: usize,
    /// Who gets in.
    pub access: AccessSettings,
    /// How much may come in, and how slowly.
    pub limits: Limits,
    /// Encryption by the service itself.
    pub tls: Option<TlsSettings>,
}

/// How long a shutdown waits for requests under way, in seconds: what was received is to be answered.
const SHUTDOWN_SECONDS: u64 = 30;
const SETTLE_EVERY: Duration = Duration::from_secs(30);

/// Serves on a socket that is bound already, so that the caller knows the address. Ends by the
/// server's handle; signals are the caller's.
///
/// # Errors
/// Where the socket cannot be used.
pub fn serve(app: App, socket: TcpListener) -> std::io::Result<Server> {
    let group = web::Data::new(Group::start(&app.store, &app.vocabulary)?);
    let entrance = web::Data::new(entrance(&app, &socket).map_err(std::io::Error::other)?);
    let limits = app.limits;
    // The server counts each worker's.
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let connections_each = limits.connections.div_ceil(workers);
    let tls = app.tls.as_ref().map(Tls::new).transpose().map_err(std::io::Error::other)?;
    let app = web::Data::new(app);
    actix_web::rt::spawn(settle_exchanges(app.clone()));
    actix_web::rt::spawn(keep_up_to_date(entrance.clone()));
    let base_path = app.hybris.base_path.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(group.clone())
            .app_data(entrance.clone())
            .app_data(web::QueryConfig::default().error_handler(site::bad_query_told))
            .app_data(web::PathConfig::default().error_handler(|cause, _| error::bad_path(&cause).into()))
            .wrap(middleware::from_fn(site::guard))
            .configure(|config| drop(routes(config, &base_path)))
            .default_service(web::to(error::not_found))
    })
    // Its own handling takes Ctrl-C for an order to drop everything.
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .client_request_timeout(limits.head_time_out)
    .max_connections(connections_each);
    let Some(tls) = tls else { return Ok(server.listen(socket)?.run()) };
    actix_web::rt::spawn(tls.clone().keep_up_to_date());
    let config = rustls::ServerConfig::clone(&tls.config);
    let server = server.on_connect(move |connection, extensions| tls.note(connection, extensions));
    Ok(server.listen_rustls_0_23(socket, config)?.run())
}

fn entrance(app: &App, socket: &TcpListener) -> Result<Entrance, String> {
    let is_local = socket.local_addr().is_ok_and(|address| address.ip().is_loopback());
    Ok(Entrance {
        store: app.store.clone(),
        gate: Gate::new(app.store.clone())?,
        refusals: Refusals::default(),
        room: Room::new(app.limits.room),
        oidc: app.access.oidc.clone().map(Oidc::new).transpose()?,
        settings: app.access.clone(),
        is_local,
        is_tls: app.tls.is_some(),
    })
}

/// What a former run, or another node that is no more, left open at the front door.
async fn settle_exchanges(app: web::Data<App>) {
    loop {
        if let Err(cause) = settle_left_behind(&app.hybris, &app.store, &app.vocabulary).await {
            warn!(%cause, "exchanges that were left behind cannot be settled now; it is tried again");
        }
        tokio::time::sleep(SETTLE_EVERY).await;
    }
}
