//! The composition root: what is served where.

use std::fmt;
use std::future::ready;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{
    App as ActixApp, FromRequest, Handler, HttpRequest, HttpServer, Resource, Responder, guard, middleware, web,
};
use tracing::warn;

use super::desk::{self, Cached};
use super::live::Live;
use super::{deliveries, error, health, hybris, listener, openapi, orders, site, stream};
use crate::hybris::{Hybris, settle_left_behind};
use crate::intake::Group;
use crate::order::Vocabulary;
use crate::store::{FeedNumbers, Numbers, Store, UnknownRow};

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
}

/// How long a shutdown waits for requests under way, in seconds: what was received is to be answered.
const SHUTDOWN_SECONDS: u64 = 30;
const SETTLE_EVERY: Duration = Duration::from_secs(30);

/// Serves on a socket that is bound already, so that the caller knows the address. Ends by the
/// server's handle; signals are the caller's.
///
/// # Errors
/// Where the socket cannot be used.
pub fn serve(app: App, socket: TcpListener) -> std::io::Result<Service> {
    let group = web::Data::new(Group::start(&app.store, &app.vocabulary)?);
    let live = Live::new();
    actix_web::rt::spawn(live.clone().ask(app.store.clone()));
    let app = web::Data::new(app);
    actix_web::rt::spawn(settle_exchanges(app.clone()));
    let numbers = web::Data::new(Cached::<Numbers>::default());
    let feeds = web::Data::new(Cached::<Vec<FeedNumbers>>::default());
    let unknown = web::Data::new(Cached::<Vec<UnknownRow>>::default());
    let watched = web::Data::new(live.clone());
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(group.clone())
            .app_data(watched.clone())
            .app_data(numbers.clone())
            .app_data(feeds.clone())
            .app_data(unknown.clone())
            .app_data(web::QueryConfig::default().error_handler(site::bad_query_told))
            .app_data(web::PathConfig::default().error_handler(site::bad_path_told))
            .wrap(middleware::from_fn(site::guard))
            .configure(|config| routes(config, &app.hybris.base_path))
            .default_service(web::to(error::not_found))
    })
    // Its own handling takes Ctrl-C for an order to drop everything.
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .listen(socket)?
    .run();
    Ok(Service { server, live })
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

/// What a former run, or another node that is no more, left open at the front door.
async fn settle_exchanges(app: web::Data<App>) {
    loop {
        if let Err(cause) = settle_left_behind(&app.hybris, &app.store, &app.vocabulary).await {
            warn!(%cause, "exchanges that were left behind cannot be settled now; it is tried again");
        }
        tokio::time::sleep(SETTLE_EVERY).await;
    }
}

fn routes(config: &mut web::ServiceConfig, hybris_base: &str) {
    let listen = web::resource(["/listener", "/listener/{event_name}"]).route(web::post().to(listener::take));
    config
        .service(only(listen, "POST"))
        .service(
            web::resource(format!("{hybris_base}/{{business_id}}/productOrder"))
                .post(hybris::place)
                .default_service(web::to(hybris::method_not_allowed)),
        )
        .service(
            web::resource(format!("{hybris_base}/{{business_id}}/productOrder/{{id}}"))
                .get(hybris::show)
                .default_service(web::to(hybris::method_not_allowed)),
        )
        .service(read("/api/v1/orders", orders::list))
        .service(read("/api/v1/orders/{order_id}", orders::show))
        .service(read("/api/v1/orders/{order_id}/timeline", orders::timeline))
        .service(read("/api/v1/orders/{order_id}/deliveries", deliveries::of_order))
        .service(read("/api/v1/orders/{order_id}/stream", stream::stream))
        .service(read("/api/v1/deliveries", deliveries::list))
        .service(read("/api/v1/deliveries/{id}", deliveries::show))
        .service(read("/api/v1/deliveries/{id}/body", deliveries::body))
        .service(read("/openapi.json", openapi::show))
        .service(read("/health/live", health::live))
        .service(read("/health/ready", health::ready))
        .configure(desk::routes);
}

/// What is read with GET, and with HEAD: the same without its body, which the server leaves out.
pub fn read<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let reading = guard::Any(guard::Get()).or(guard::Head());
    only(web::resource(path).route(web::route().guard(reading).to(handler)), "GET, HEAD")
}

/// A resource that says what it takes where it is asked for anything else.
pub fn only(resource: Resource, methods: &'static str) -> Resource {
    let refuse = move |request: HttpRequest| ready(error::method_not_allowed(&request, methods));
    resource.default_service(web::to(refuse))
}
