//! `/openapi.json`, and `/docs`: a page to read it and to try it. The page is Swagger UI, built into the program; it
//! asks nobody but this server, and its policy lets it ask nobody else.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, serve};

use super::DOCUMENT;
use crate::api_error::{ApiError, Code};

const PAGE: &str = include_str!("page.html");
const START: &str = include_str!("page.js");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /openapi.json`.
pub(in crate::api) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.clone())
}

/// `GET /docs`.
pub(in crate::api) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE)
}

/// `GET /docs/{file}`: what the page is made of.
pub(in crate::api) async fn file(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let (kind, bytes) = match name.as_str() {
        "start.js" => ("text/javascript; charset=utf-8", web::Bytes::from_static(START.as_bytes())),
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", part(&name)?),
        "swagger-ui.css" => ("text/css; charset=utf-8", part(&name)?),
        _ => return Err(ApiError::new(Code::NotFound, "The page has no such file")),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

fn part(name: &str) -> Result<web::Bytes, ApiError> {
    let found = serve(name, Arc::new(Config::default())).ok().flatten().ok_or_else(ApiError::internal)?;
    Ok(match found.bytes {
        std::borrow::Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    })
}
