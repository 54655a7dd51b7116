//! What a viewer may choose, and the files that pages need.

use actix_web::http::header::{self, CacheControl, CacheDirective};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::http::error::not_found;
use crate::http::pages::{self, Zone};
use crate::http::site::ZONE_COOKIE;

/// The file's name has its content's hash in it, so it never changes.
pub async fn asset(file: web::Path<String>, request: HttpRequest) -> HttpResponse {
    const YEAR: u32 = 365 * 24 * 60 * 60;
    let Some(asset) = pages::asset(&file) else { return not_found(request).await };
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header(CacheControl(vec![
            CacheDirective::Public,
            CacheDirective::MaxAge(YEAR),
            CacheDirective::Extension("immutable".to_owned(), None),
        ]))
        .body(asset.bytes)
}

#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    zone: String,
    /// The page to go back to.
    #[serde(default)]
    back: String,
}

/// Keeps the zone in a cookie and goes back to where the viewer was.
pub async fn change(settings: web::Form<Settings>) -> HttpResponse {
    let zone = Zone::from_name(&settings.zone).unwrap_or_default();
    let cookie = format!("{ZONE_COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", zone.name());
    // Only to a page of ours: neither to another site nor to what a browser would take for one.
    let is_ours = settings.back.starts_with('/')
        && !settings.back.starts_with("//")
        && settings.back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let back = if is_ours { settings.back.as_str() } else { "/" };
    HttpResponse::SeeOther()
        .insert_header((header::SET_COOKIE, cookie))
        .insert_header((header::LOCATION, back))
        .finish()
}
