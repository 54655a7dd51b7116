//! The support desk: the handlers of its pages.

mod cached;
mod deliveries;
mod home;
mod order;
mod orders;
mod queues;
mod settings;

use actix_web::web;

use super::app::{only, read};

pub use cached::Cached;

/// Adds the pages and what belongs to them.
pub fn routes(config: &mut web::ServiceConfig) {
    let retry = web::resource("/deliveries/{id}/retry").route(web::post().to(deliveries::retry));
    let settings = web::resource("/settings").route(web::post().to(settings::change));
    config
        .service(read("/", home::home))
        .service(read("/orders", orders::list))
        .service(read("/orders.csv", orders::csv))
        .service(read("/suggestions", orders::suggestions))
        .service(read("/orders/{order_id}", order::show))
        .service(read("/orders/{order_id}/deliveries", deliveries::of_order))
        .service(read("/deliveries", deliveries::list))
        .service(read("/deliveries/{id}", deliveries::show))
        .service(read("/deliveries/{id}/difference", deliveries::difference))
        .service(only(retry, "POST"))
        .service(read("/attention", queues::attention))
        .service(read("/visits", queues::visits))
        .service(read("/unknown", queues::unknown))
        .service(read("/feed", queues::feed))
        .service(read("/docs", home::docs))
        .service(only(settings, "POST"))
        .service(read("/assets/{file}", settings::asset));
}
