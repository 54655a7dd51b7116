//! The composition root: what is served where.

use std::fmt;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App as ActixApp, HttpServer, middleware, web};
use tokio::sync::Notify;
use tracing::warn;

use super::background::Background;
use super::body::{Limits, Room};
use super::desk::Cached;
use super::entrance::{AccessSettings, Entrance};
use super::health::Watched;
use super::live::Live;
use super::routes::routes;
use super::tls::{Tls, TlsSettings};
use super::{error, idle, site};
use crate::access::{Gate, Oidc, Refusals, Shared};
use crate::hybris::Hybris;
use crate::intake::Intake;
use crate::spool::Spool;
use crate::store::{FeedNumbers, Numbers, Store, UnknownRow};
use crate::vocabulary::Current;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    pub store: Store,
    pub vocabulary: Current,
    /// The sender whose deliveries come to the listener.
    pub sender: String,
    /// The others that `?sender=` may name there.
    pub other_senders: Vec<String>,
    /// The front door where orders are placed.
    pub hybris: Arc<Hybris>,
    /// Acknowledges a delivery; 2xx.
    pub ack_status: u16,
    /// Where deliveries wait while the database is away, if anywhere.
    pub spool: Option<Arc<Spool>>,
    pub max_body_bytes: usize,
    /// Where the private PostgreSQL lies, if that is the database.
    pub data_dir: Option<PathBuf>,
    /// Who gets in.
    pub access: AccessSettings,
    /// How much may come in, and how slowly.
    pub limits: Limits,
    /// Encryption by the service itself.
    pub tls: Option<TlsSettings>,
}

/// How long a shutdown waits for requests under way, in seconds: what was received is to be answered.
const SHUTDOWN_SECONDS: u64 = 30;

/// Serves on a socket that is bound already, so that the caller knows the address. Ends by the
/// server's handle; signals are the caller's.
///
/// # Errors
/// Where the socket cannot be used.
pub async fn serve(app: App, socket: TcpListener) -> std::io::Result<Service> {
    let intake = web::Data::new(Intake::open(&app.store, &app.vocabulary, app.spool.clone())?);
    let entrance = web::Data::new(entrance(&app, &socket).map_err(std::io::Error::other)?);
    // Once it is known who has access, requests are judged while the database is away, too.
    let is_away = app.spool.as_ref().is_some_and(|spool| spool.is_away());
    if entrance.gate.shared.known().is_none()
        && !is_away
        && let Err(cause) = entrance.gate.shared.refresh().await
    {
        warn!(%cause, "who has access cannot be read yet; until it can, nobody is let in");
    }
    let limits = app.limits;
    // The server counts each worker's.
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let connections_each = limits.connections.div_ceil(workers);
    let tls = app.tls.as_ref().map(Tls::new).transpose().map_err(std::io::Error::other)?;
    let live = Live::new();
    let app = web::Data::new(app);
    let health = web::Data::new(Watched(app.store.to_watch()));
    let mut background = Background::of(&app, &entrance, &health, &live);
    let numbers = web::Data::new(Cached::<Numbers>::default());
    let feeds = web::Data::new(Cached::<Vec<FeedNumbers>>::default());
    let unknown = web::Data::new(Cached::<Vec<UnknownRow>>::default());
    let watched = web::Data::new(live.clone());
    let base_path = app.hybris.base_path.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(intake.clone())
            .app_data(entrance.clone())
            .app_data(watched.clone())
            .app_data(health.clone())
            .app_data(numbers.clone())
            .app_data(feeds.clone())
            .app_data(unknown.clone())
            .app_data(web::QueryConfig::default().error_handler(site::bad_query_told))
            .app_data(web::PathConfig::default().error_handler(site::bad_path_told))
            .app_data(web::FormConfig::default().error_handler(site::bad_form_told))
            .wrap(middleware::from_fn(site::guard))
            .configure(|config| drop(routes(config, &base_path)))
            .default_service(web::to(error::not_found))
    })
    // Its own handling takes Ctrl-C for an order to drop everything.
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .client_request_timeout(limits.head_time_out)
    .max_connections(connections_each);
    let Some(tls) = tls else { return Ok(Service::of(server.listen(socket)?.run(), background, live)) };
    background.spawn(tls.clone().keep_up_to_date());
    let config = rustls::ServerConfig::clone(&tls.config);
    let server = server.on_connect(move |connection, extensions| {
        tls.note(connection, extensions);
        idle::watch(connection, extensions, limits.idle);
    });
    Ok(Service::of(server.listen_rustls_0_23(socket, config)?.run(), background, live))
}

/// The service under way.
#[must_use = "it serves only while it runs"]
pub struct Service {
    server: Server,
    background: Background,
    live: Live,
    given_up: Arc<Notify>,
}

/// Stops a service from elsewhere.
#[derive(Clone, Debug)]
pub struct ServiceHandle {
    server: ServerHandle,
    live: Live,
    given_up: Arc<Notify>,
}

impl Service {
    fn of(server: Server, background: Background, live: Live) -> Self {
        Self { server, background, live, given_up: Arc::default() }
    }

    pub fn handle(&self) -> ServiceHandle {
        ServiceHandle { server: self.server.handle(), live: self.live.clone(), given_up: Arc::clone(&self.given_up) }
    }

    /// Serves until it is stopped, and ends what runs in the background.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        let Self { server, background, given_up, .. } = self;
        // Dropped while it stops, the server lets its requests go.
        let ended = tokio::select! {
            ended = server => ended,
            () = given_up.notified() => Ok(()),
        };
        background.end().await;
        ended
    }
}

impl ServiceHandle {
    /// Stops it; gracefully, what is under way is answered first. Whoever watches an order is sent away: that
    /// has no end of its own. The service has heard of it when this returns; it has ended when what it gives does.
    pub fn stop(&self, is_graceful: bool) -> impl Future<Output = ()> + use<> {
        self.live.close();
        self.server.stop(is_graceful)
    }

    /// Gives up what is under way, whether it is being stopped already or not.
    pub fn give_up(&self) {
        self.live.close();
        self.given_up.notify_one();
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("live", &self.live).finish_non_exhaustive()
    }
}

fn entrance(app: &App, socket: &TcpListener) -> Result<Entrance, String> {
    let is_local = socket.local_addr().is_ok_and(|address| address.ip().is_loopback());
    Ok(Entrance {
        store: app.store.clone(),
        gate: Gate::new(Shared::new(app.store.clone(), app.access.known.clone(), app.access.copy.clone()))?,
        refusals: Refusals::default(),
        room: Room::new(app.limits.room),
        oidc: app.access.oidc.clone().map(Oidc::new).transpose()?,
        settings: app.access.clone(),
        is_local,
        is_tls: app.tls.is_some(),
        body_time_out: app.limits.body_time_out,
    })
}
