//! The envelope of a success: `{ "success": true, "message": …, "data": … }`.

use actix_web::HttpResponse;
use serde::Serialize;

#[derive(Serialize)]
struct Envelope<Data> {
    success: bool,
    message: &'static str,
    data: Data,
}

/// 201, for a POST.
pub(super) fn created(message: &'static str, data: impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(Envelope { success: true, message, data })
}

/// 200, for a GET.
pub(super) fn fetched(message: &'static str, data: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Envelope { success: true, message, data })
}
