//! The support desk: the handlers of its pages.

mod cached;
mod deliveries;
mod home;
mod order;
mod orders;
mod queues;
mod settings;

use actix_web::web;

use super::routes::{Routes, only, operate, public, read};
use crate::access::Door;

pub use cached::Cached;

/// Adds the pages and what belongs to them.
pub fn routes(routes: &mut Routes<'_>) {
    routes
        .service(read("/", home::home))
        .service(read("/orders", orders::list))
        .service(read("/orders.csv", orders::csv))
        .service(read("/suggestions", orders::suggestions))
        .service(read("/orders/{order_id}", order::show))
        .service(read("/orders/{order_id}/deliveries", deliveries::of_order))
        .service(read("/deliveries", deliveries::list))
        .service(read("/deliveries/{id}", deliveries::show))
        .service(read("/deliveries/{id}/difference", deliveries::difference))
        .service(operate("/deliveries/{id}/retry", deliveries::retry))
        .service(read("/attention", queues::attention))
        .service(read("/visits", queues::visits))
        .service(read("/unknown", queues::unknown))
        .service(read("/feed", queues::feed))
        .service(read("/docs", home::docs))
        // It sets the viewer's own time zone and nothing of ours.
        .service(only(&["/settings"], Door::Public, "POST", |resource| {
            resource.route(web::post().to(settings::change))
        }))
        // The sign-in page needs them.
        .service(public("/assets/{file}", settings::asset));
}
