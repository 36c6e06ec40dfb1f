//! Which path goes where.

use std::collections::HashSet;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError, Route};

use super::deadline::exchange;
use super::{Api, agent, error, health, help_center, openapi, user};
use crate::api_error::{ApiError, Code};

/// Mounts every route of the API, and answers for every path that is none.
pub fn configure(api: Api) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        let mut endpoints = endpoints();
        if api.serves_documents {
            endpoints.extend(documents());
        }
        let mount = |config: &mut ServiceConfig| {
            // A path stands where its first method does: the first path that fits is taken.
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

/// One method of one path.
pub(super) struct Endpoint {
    pub(super) path: String,
    pub(super) method: Method,
    route: fn() -> Route,
}

fn get(path: impl Into<String>, route: fn() -> Route) -> Endpoint {
    Endpoint { path: path.into(), method: Method::GET, route }
}

fn post(path: impl Into<String>, route: fn() -> Route) -> Endpoint {
    Endpoint { path: path.into(), method: Method::POST, route }
}

fn put(path: impl Into<String>, route: fn() -> Route) -> Endpoint {
    Endpoint { path: path.into(), method: Method::PUT, route }
}

/// Everything that the API answers to; `openapi` describes each of them.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let mut all = vec![
        get("/health/live", || web::route().to(health::live)),
        get("/health/ready", || web::route().to(health::ready)),
    ];
    all.extend(users());
    all.extend(agents());
    all.extend(tickets());
    all.extend(help_centers());
    all
}

/// What describes it.
fn documents() -> Vec<Endpoint> {
    vec![
        get("/openapi.json", || web::route().to(openapi::openapi)),
        get("/docs", || web::route().to(openapi::page)),
        get("/docs/{file}", || web::route().to(openapi::file)),
    ]
}

fn users() -> Vec<Endpoint> {
    let at = |path: &str| format!("/api/v1/support{path}");
    vec![
        post(at("/chat/send"), || web::route().to(user::send)),
        post(at("/chat/send-unauthenticated"), || web::route().to(user::send_unauthenticated)),
        get(at("/conversations"), || web::route().to(user::list)),
        get(at("/conversations/{id}"), || web::route().to(user::detail)),
        post(at("/conversations/{id}/rate"), || web::route().to(user::rate)),
        post(at("/request-support"), || web::route().to(user::tickets::request_support)),
        post(at("/create-ticket"), || web::route().to(user::tickets::create_ticket)),
        get(at("/my-tickets"), || web::route().to(user::tickets::my_tickets)),
        get(at("/ticket"), || web::route().to(user::tickets::ticket)),
        post(at("/ticket/add-message"), || web::route().to(user::tickets::add_message)),
        post(at("/ticket/{number}/rate"), || web::route().to(user::tickets::rate)),
    ]
}

fn agents() -> Vec<Endpoint> {
    let at = |path: &str| format!("/api/v1/unified-admin/support{path}");
    vec![
        get(at("/conversations"), || web::route().to(agent::list)),
        get(at("/conversations/{id}"), || web::route().to(agent::detail)),
        get(at("/conversations/{id}/timeline"), || web::route().to(agent::timeline)),
        post(at("/conversations/{id}/claim"), || web::route().to(agent::claim)),
        post(at("/conversations/{id}/reply"), || web::route().to(agent::reply)),
        post(at("/conversations/{id}/close"), || web::route().to(agent::close)),
        post(at("/conversations/{id}/handover"), || web::route().to(agent::ask_handover)),
        post(at("/conversations/{id}/create-ticket"), || web::route().to(agent::tickets::create)),
        post(at("/handovers/{id}/respond"), || web::route().to(agent::respond_to_handover)),
        get(at("/agents"), || web::route().to(agent::agents)),
    ]
}

/// Behind all others: any one segment behind the agents' base path is a ticket's id.
fn tickets() -> Vec<Endpoint> {
    let at = |path: &str| format!("/api/v1/unified-admin/support{path}");
    vec![
        get(at(""), || web::route().to(agent::tickets::list)),
        get(at("/{id}"), || web::route().to(agent::tickets::detail)),
        post(at("/{id}/reply"), || web::route().to(agent::tickets::reply)),
        put(at("/{id}/status"), || web::route().to(agent::tickets::set_status)),
        put(at("/{id}/assign"), || web::route().to(agent::tickets::assign)),
        put(at("/{id}/priority"), || web::route().to(agent::tickets::prioritise)),
    ]
}

fn help_centers() -> Vec<Endpoint> {
    const MESSAGES: &str = "/api/help-center/messages";
    vec![
        get(MESSAGES, || web::route().to(help_center::messages)),
        post(MESSAGES, || web::route().to(help_center::send)),
    ]
}

/// A path with the methods it knows; any other gets 405 with `Allow`. What answers GET answers HEAD too, without a
/// body.
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
        .wrap(from_fn(exchange))
}

fn method_not_allowed(allowed: &str) -> HttpResponse {
    let mut response = ApiError::new(Code::MethodNotAllowed, "This method is not allowed here").error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
