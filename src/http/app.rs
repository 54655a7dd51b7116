//! The composition root: what is served where.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App as ActixApp, HttpServer, middleware, web};

use super::{deliveries, error, health, listener, orders, site};
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
    /// Acknowledges a delivery; 2xx.
    pub ack_status: u16,
    pub max_body_bytes: usize,
}

/// How long a shutdown waits for requests under way, in seconds: what was received is to be answered.
const SHUTDOWN_SECONDS: u64 = 30;

/// Serves on a socket that is bound already, so that the caller knows the address. Ends by the
/// server's handle; signals are the caller's.
///
/// # Errors
/// Where the socket cannot be used.
pub fn serve(app: App, socket: TcpListener) -> std::io::Result<Server> {
    let group = web::Data::new(Group::start(&app.store, &app.vocabulary));
    let app = web::Data::new(app);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(group.clone())
            .app_data(web::QueryConfig::default().error_handler(|cause, _| error::bad_query(&cause).into()))
            .app_data(web::PathConfig::default().error_handler(|cause, _| error::bad_path(&cause).into()))
            .wrap(middleware::from_fn(site::guard))
            .configure(routes)
            .default_service(web::to(error::not_found))
    })
    // Its own handling takes Ctrl-C for an order to drop everything.
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .listen(socket)?
    .run();
    Ok(server)
}

fn routes(config: &mut web::ServiceConfig) {
    let listen = || web::resource(["/listener", "/listener/{event_name}"]).post(listener::take);
    config
        .service(listen().default_service(web::to(error::method_not_allowed)))
        .service(web::resource("/api/v1/orders").get(orders::list))
        .service(web::resource("/api/v1/orders/{order_id}").get(orders::show))
        .service(web::resource("/api/v1/orders/{order_id}/timeline").get(orders::timeline))
        .service(web::resource("/api/v1/orders/{order_id}/deliveries").get(deliveries::of_order))
        .service(web::resource("/api/v1/deliveries").get(deliveries::list))
        .service(web::resource("/api/v1/deliveries/{id}").get(deliveries::show))
        .service(web::resource("/api/v1/deliveries/{id}/body").get(deliveries::body))
        .service(web::resource("/health/live").get(health::live))
        .service(web::resource("/health/ready").get(health::ready))
        .service(web::resource("/").get(site::orders))
        .service(web::resource("/orders/{order_id}").get(site::order))
        .service(web::resource("/assets/style.css").get(site::style));
}
