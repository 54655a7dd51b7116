//! What is served where, and through which door. Nothing is served without one.

use std::future::ready;

use actix_web::middleware::{Compress, from_fn};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, guard, web};

use super::{
    deliveries, desk, error, health, hybris, judge, listener, openapi, orders, refusals, sign_in, stream, token,
};
use crate::access::Door;

/// A resource and its door. What is not made into one of these cannot be registered.
pub struct Classified {
    paths: Vec<String>,
    door: Door,
    methods: &'static str,
    resource: Resource,
}

/// A route, for whoever wants to know what is served.
#[derive(Clone, Debug)]
pub struct Route {
    pub path: String,
    pub door: Door,
    /// `GET, HEAD`
    pub methods: &'static str,
}

/// Where resources are registered: each behind its door.
pub struct Routes<'c> {
    config: &'c mut web::ServiceConfig,
    table: Vec<Route>,
}

impl Routes<'_> {
    pub fn service(&mut self, classified: Classified) -> &mut Self {
        let Classified { paths, door, methods, resource } = classified;
        self.table.extend(paths.into_iter().map(|path| Route { path, door, methods }));
        let guarded = resource.wrap(from_fn(move |request, next| judge::check(door, request, next)));
        match door {
            // What is read is texts, often long ones. That their length tells of their content (BREACH) takes a page of
            // another site that makes the browser ask on and on, with its cookie, for what holds a secret beside words
            // of that page's: the cookie is not sent along but by following a link, and no answer holds a session,
            // a key or any other secret of ours.
            Door::Read | Door::Public => self.config.service(guarded.wrap(Compress::default())),
            _ => self.config.service(guarded),
        };
        self
    }
}

/// Registers everything, and says what that is.
pub fn routes(config: &mut web::ServiceConfig, hybris_base: &str) -> Vec<Route> {
    let mut routes = Routes { config, table: Vec::new() };
    routes
        .service(listen(&["/listener", "/listener/", "/listener/{event_name}", "/listener/{event_name}/"]))
        .service(placing(format!("{hybris_base}/{{business_id}}/productOrder")))
        .service(placed(format!("{hybris_base}/{{business_id}}/productOrder/{{id}}")))
        .service(only(&["/oauth/token"], Door::Token, "POST", |resource| resource.route(web::post().to(token::give))))
        .service(read("/api/v1/orders", orders::list))
        .service(read("/api/v1/orders/{order_id}", orders::show))
        .service(read("/api/v1/orders/{order_id}/timeline", orders::timeline))
        .service(read("/api/v1/orders/{order_id}/deliveries", deliveries::of_order))
        .service(read("/api/v1/orders/{order_id}/stream", stream::stream))
        .service(read("/api/v1/deliveries", deliveries::list))
        .service(read("/api/v1/deliveries/{id}", deliveries::show))
        .service(read("/api/v1/deliveries/{id}/body", deliveries::body))
        .service(operate("/api/v1/deliveries/{id}/retry", deliveries::retry))
        .service(read("/api/v1/refusals", refusals::list))
        .service(read("/openapi.json", openapi::show))
        .service(public("/health/live", health::live))
        .service(public("/health/ready", health::ready))
        .service(only(&["/sign-in"], Door::Public, "GET, HEAD, POST", |resource| {
            resource.route(reading().to(sign_in::show)).route(web::post().to(sign_in::with_key))
        }))
        .service(public("/sign-in/start", sign_in::start))
        .service(public("/sign-in/callback", sign_in::callback))
        .service(only(&["/sign-out"], Door::Public, "POST", |resource| {
            resource.route(web::post().to(sign_in::sign_out))
        }))
        .service(only(&["/metrics"], Door::Metrics, "GET, HEAD", |resource| {
            resource.route(reading().to(health::figures))
        }));
    desk::routes(&mut routes);
    routes.table
}

/// All routes, as they are registered.
pub fn routes_of(hybris_base: &str) -> Vec<Route> {
    let mut table = Vec::new();
    let _ = actix_web::App::new().configure(|config| table = routes(config, hybris_base));
    table
}

/// Where senders deliver.
fn listen(paths: &[&str]) -> Classified {
    only(paths, Door::Listener, "POST", |resource| resource.route(web::post().to(listener::take)))
}

/// The front door is the listener of its markets' senders. All its errors have a form of their own.
fn placing(path: String) -> Classified {
    let resource = web::resource(path.clone()).post(hybris::place).default_service(web::to(hybris::method_not_allowed));
    Classified { paths: vec![path], door: Door::Listener, methods: "POST", resource }
}

fn placed(path: String) -> Classified {
    let resource = web::resource(path.clone()).get(hybris::show).default_service(web::to(hybris::method_not_allowed));
    Classified { paths: vec![path], door: Door::Listener, methods: "GET", resource }
}

/// What staff and programs read with GET, and with HEAD: the same without its body, which the server leaves out.
pub fn read<F, Args>(path: &str, handler: F) -> Classified
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(&[path], Door::Read, "GET, HEAD", |resource| resource.route(reading().to(handler)))
}

/// What staff and programs do that changes something.
pub fn operate<F, Args>(path: &str, handler: F) -> Classified
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(&[path], Door::Operate, "POST", |resource| resource.route(web::post().to(handler)))
}

/// What anybody may read, whoever they are.
pub fn public<F, Args>(path: &str, handler: F) -> Classified
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(&[path], Door::Public, "GET, HEAD", |resource| resource.route(reading().to(handler)))
}

fn reading() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A resource that says what it takes where it is asked for anything else.
pub fn only(paths: &[&str], door: Door, methods: &'static str, with: impl FnOnce(Resource) -> Resource) -> Classified {
    let refuse = move |request: HttpRequest| ready(error::method_not_allowed(&request, methods));
    let resource = with(web::resource(paths.to_vec())).default_service(web::to(refuse));
    Classified { paths: paths.iter().map(|path| (*path).to_owned()).collect(), door, methods, resource }
}
