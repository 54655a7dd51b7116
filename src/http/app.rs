//! The composition root: what is served where.

use std::fmt;
use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App as ActixApp, HttpServer, middleware, web};
use tracing::{debug, info, warn};

use super::body::{Limits, Room};
use super::desk::Cached;
use super::entrance::{AccessSettings, Entrance, keep_up_to_date};
use super::live::Live;
use super::routes::routes;
use super::tls::{Tls, TlsSettings};
use super::{error, site};
use crate::access::{Gate, Oidc, Refusals, Shared};
use crate::hybris::{Hybris, settle_left_behind};
use crate::intake::Intake;
use crate::metrics;
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
const SETTLE_EVERY: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(2);

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
    actix_web::rt::spawn(live.clone().ask(app.store.clone()));
    let app = web::Data::new(app);
    actix_web::rt::spawn(settle_exchanges(app.clone()));
    actix_web::rt::spawn(follow_vocabulary(app.clone()));
    actix_web::rt::spawn(count(app.clone()));
    actix_web::rt::spawn(watch_database(app.clone()));
    actix_web::rt::spawn(keep_up_to_date(entrance.clone()));
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
    let Some(tls) = tls else { return Ok(Service { server: server.listen(socket)?.run(), live }) };
    actix_web::rt::spawn(tls.clone().keep_up_to_date());
    let config = rustls::ServerConfig::clone(&tls.config);
    let server = server.on_connect(move |connection, extensions| tls.note(connection, extensions));
    Ok(Service { server: server.listen_rustls_0_23(socket, config)?.run(), live })
}

/// The service under way; it ends when it is stopped.
#[must_use = "it serves only while it is awaited"]
pub struct Service {
    server: Server,
    live: Live,
}

/// Stops a service from elsewhere.
#[derive(Clone, Debug)]
pub struct ServiceHandle {
    server: ServerHandle,
    live: Live,
}

impl Service {
    pub fn handle(&self) -> ServiceHandle {
        ServiceHandle { server: self.server.handle(), live: self.live.clone() }
    }
}

impl ServiceHandle {
    /// Stops it; gracefully, what is under way is answered first. Whoever watches an order is sent away: that
    /// has no end of its own. The service has heard of it when this returns; it has ended when what it gives does.
    pub fn stop(&self, is_graceful: bool) -> impl Future<Output = ()> + use<> {
        self.live.close();
        self.server.stop(is_graceful)
    }
}

impl Future for Service {
    type Output = std::io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.server).poll(context)
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

/// What a former run, or another node that is no more, left open at the front door.
async fn settle_exchanges(app: web::Data<App>) {
    loop {
        if let Err(cause) = settle_left_behind(&app.hybris, &app.store, &app.vocabulary.now()).await {
            warn!(%cause, "exchanges that were left behind cannot be settled now; it is tried again");
        }
        tokio::time::sleep(SETTLE_EVERY).await;
    }
}

/// Takes up what an operator changes in the vocabulary. The events of a batch are told with it from then on; it is one
/// small question now and then, and none an event.
async fn follow_vocabulary(app: web::Data<App>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match app.store.vocabulary().await {
            Ok(vocabulary) => {
                if app.vocabulary.take(vocabulary) {
                    info!(
                        "the vocabulary has changed: events are told with it from now on; `order-timeline rebuild` \
                         applies it to those taken in before"
                    );
                }
            }
            Err(cause) => debug!(%cause, "whether the vocabulary has changed cannot be seen now; it is tried again"),
        }
    }
}

/// Asks for the metrics whether the database is there. It is asked whether there is a spool or not, and whether
/// deliveries come or not.
async fn watch_database(app: web::Data<App>) {
    const EVERY: Duration = Duration::from_secs(5);
    // By a connection of its own: it is to tell of the database, not of how busy the service is.
    let store = app.store.with_own_connections(1);
    loop {
        let answered = tokio::time::timeout(EVERY, store.check_writable()).await;
        metrics::get().database(matches!(answered, Ok(Ok(()))));
        tokio::time::sleep(EVERY).await;
    }
}

/// Counts for the metrics what only the database knows.
async fn count(app: web::Data<App>) {
    const EVERY: Duration = Duration::from_mins(1);
    loop {
        match app.store.census().await {
            Ok(census) => metrics::get().counted(&census),
            Err(cause) => warn!(%cause, "what the metrics need of the database cannot be counted now"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
