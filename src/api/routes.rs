//! Mounts the [`Endpoint`]s.

use std::collections::HashSet;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};

use super::deadline::with_deadline;
use super::endpoint::Endpoint;
use super::reading::with_read_limits;
use super::{Api, endpoint_table, error, health, openapi};
use crate::api_error::{ApiError, Code};

/// Mounts every endpoint, and answers 404 for every other path.
pub fn configure(api: Api) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        let mut endpoints = endpoint_table::endpoints();
        endpoints.push(health::short());
        if api.asyncapi.is_some() {
            endpoints.extend(openapi::endpoints());
        }
        let mount = |config: &mut ServiceConfig| {
            let mut mounted = HashSet::new();
            for Endpoint { path, .. } in &endpoints {
                if mounted.insert(path) {
                    config.service(resource(path, &endpoints));
                }
            }
        };
        config
            .app_data(web::Data::new(api))
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|_, _| ApiError::new(Code::ValidationError, "The query string is not valid").into()),
            )
            .configure(mount)
            .default_service(web::to(error::unknown_path));
    }
}

/// A path with all its methods; any other method is answered 405 with `Allow`. GET includes HEAD.
fn resource(path: &str, endpoints: &[Endpoint]) -> impl HttpServiceFactory + use<> {
    let mut resource = web::resource(path.to_owned());
    let mut allowed = Vec::new();
    for Endpoint { method, route, .. } in endpoints.iter().filter(|endpoint| endpoint.path == path) {
        allowed.push(method.to_string());
        resource = resource.route(route().method(method.clone()));
        if *method == Method::GET {
            allowed.push(Method::HEAD.to_string());
            resource = resource.route(route().method(Method::HEAD));
        }
    }
    let allowed = allowed.join(", ");
    resource
        .default_service(web::to(move || {
            let answer = method_not_allowed(&allowed);
            async move { answer }
        }))
        .wrap(from_fn(with_read_limits))
        .wrap(from_fn(with_deadline))
        .wrap(DefaultHeaders::new().add((X_CONTENT_TYPE_OPTIONS, error::NOSNIFF)).add((CACHE_CONTROL, error::NO_STORE)))
}

fn method_not_allowed(allowed: &str) -> HttpResponse {
    let mut response = ApiError::new(Code::MethodNotAllowed, "This method is not allowed here").error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
