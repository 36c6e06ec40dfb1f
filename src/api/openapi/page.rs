//! `/openapi.json`, `/asyncapi.json`, and `/docs`: Swagger UI on the former. The page is built into the program; its content security policy
//! allows requests to this server only.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, serve};

use super::DOCUMENT;
use crate::api::Api;
use crate::api::endpoint::Endpoint;
use crate::api_error::{ApiError, Code};

const PAGE: &str = include_str!("page.html");
const START: &str = include_str!("page.js");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The AsyncAPI document, once it has been asked for.
static ASYNCAPI: OnceLock<web::Bytes> = OnceLock::new();

/// Served if `docs.enabled`; they are not part of the document.
pub(in crate::api) fn endpoints() -> [Endpoint; 6] {
    [
        Endpoint::get("/", || to_page("docs")),
        Endpoint::get("/openapi.json", openapi),
        Endpoint::get("/asyncapi.json", asyncapi),
        Endpoint::get("/docs", page),
        Endpoint::get("/docs/", || to_page("../docs")),
        Endpoint::get("/docs/{file}", file),
    ]
}

/// Refers to the page; relative, because a proxy may serve this server below another path.
async fn to_page(location: &'static str) -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, location)).finish()
}

async fn asyncapi(api: web::Data<Api>) -> Result<HttpResponse, ApiError> {
    let document = api.asyncapi.ok_or_else(ApiError::internal)?;
    let document = ASYNCAPI.get_or_init(|| document().to_string().into()).clone();
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.clone())
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE)
}

/// A script or stylesheet of the page.
async fn file(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let (content_type, bytes) = match name.as_str() {
        "start.js" => ("text/javascript; charset=utf-8", web::Bytes::from_static(START.as_bytes())),
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", swagger_ui_file(&name)?),
        "swagger-ui.css" => ("text/css; charset=utf-8", swagger_ui_file(&name)?),
        _ => return Err(ApiError::new(Code::NotFound, "The page has no such file")),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "max-age=3600"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

fn swagger_ui_file(name: &str) -> Result<web::Bytes, ApiError> {
    let file = serve(name, Arc::new(Config::default())).ok().flatten().ok_or_else(ApiError::internal)?;
    Ok(match file.bytes {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}
