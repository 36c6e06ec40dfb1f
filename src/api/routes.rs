//! Which path goes where.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError, Route};

use super::exchange::exchange;
use super::{Api, agent, error, health, help_center, user};
use crate::failure::{Code, Failure};

/// Mounts every route of the API, and answers for every path that is none.
pub fn configure(api: Api) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |config| {
        config
            .app_data(web::Data::new(api))
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|_, _| Failure::new(Code::ValidationError, "The query string is not valid").into()),
            )
            .service(resource("/health/live", Method::GET, || web::route().to(health::live)))
            .service(resource("/health/ready", Method::GET, || web::route().to(health::ready)))
            .configure(users)
            .configure(agents)
            .configure(tickets)
            .configure(help_centers)
            .default_service(web::to(error::unknown_path));
    }
}

fn users(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/support/chat/send", Method::POST, || web::route().to(user::send)))
        .service(resource("/api/v1/support/chat/send-unauthenticated", Method::POST, || {
            web::route().to(user::send_unauthenticated)
        }))
        .service(resource("/api/v1/support/conversations/{id}/rate", Method::POST, || web::route().to(user::rate)))
        .service(resource("/api/v1/support/conversations", Method::GET, || web::route().to(user::list)))
        .service(resource("/api/v1/support/conversations/{id}", Method::GET, || web::route().to(user::detail)));
}

fn agents(config: &mut ServiceConfig) {
    const BASE: &str = "/api/v1/unified-admin/support/conversations";
    config
        .service(resource(BASE, Method::GET, || web::route().to(agent::list)))
        .service(resource(&format!("{BASE}/{{id}}"), Method::GET, || web::route().to(agent::detail)))
        .service(resource(&format!("{BASE}/{{id}}/timeline"), Method::GET, || web::route().to(agent::timeline)))
        .service(resource("/api/v1/unified-admin/support/agents", Method::GET, || web::route().to(agent::agents)))
        .service(resource(&format!("{BASE}/{{id}}/claim"), Method::POST, || web::route().to(agent::claim)))
        .service(resource(&format!("{BASE}/{{id}}/reply"), Method::POST, || web::route().to(agent::reply)))
        .service(resource(&format!("{BASE}/{{id}}/close"), Method::POST, || web::route().to(agent::close)))
        .service(resource(&format!("{BASE}/{{id}}/handover"), Method::POST, || web::route().to(agent::ask_handover)))
        .service(resource("/api/v1/unified-admin/support/handovers/{id}/respond", Method::POST, || {
            web::route().to(agent::respond_to_handover)
        }));
}

/// Behind all others: any one segment behind the agents' base path is a ticket's id.
fn tickets(config: &mut ServiceConfig) {
    const USERS: &str = "/api/v1/support";
    const AGENTS: &str = "/api/v1/unified-admin/support";
    let users = |path: &str, method, route| resource(&format!("{USERS}{path}"), method, route);
    let agents = |path: &str, method, route| resource(&format!("{AGENTS}{path}"), method, route);
    config
        .service(users("/request-support", Method::POST, || web::route().to(user::tickets::request_support)))
        .service(users("/create-ticket", Method::POST, || web::route().to(user::tickets::create_ticket)))
        .service(users("/my-tickets", Method::GET, || web::route().to(user::tickets::my_tickets)))
        .service(users("/ticket", Method::GET, || web::route().to(user::tickets::ticket)))
        .service(users("/ticket/add-message", Method::POST, || web::route().to(user::tickets::add_message)))
        .service(users("/ticket/{number}/rate", Method::POST, || web::route().to(user::tickets::rate)))
        .service(agents("/conversations/{id}/create-ticket", Method::POST, || web::route().to(agent::tickets::create)))
        .service(agents("", Method::GET, || web::route().to(agent::tickets::list)))
        .service(agents("/{id}", Method::GET, || web::route().to(agent::tickets::detail)))
        .service(agents("/{id}/reply", Method::POST, || web::route().to(agent::tickets::reply)))
        .service(agents("/{id}/status", Method::PUT, || web::route().to(agent::tickets::set_status)))
        .service(agents("/{id}/assign", Method::PUT, || web::route().to(agent::tickets::assign)))
        .service(agents("/{id}/priority", Method::PUT, || web::route().to(agent::tickets::prioritise)));
}

fn help_centers(config: &mut ServiceConfig) {
    let methods: [(Method, fn() -> Route); 2] = [
        (Method::GET, || web::route().to(help_center::messages)),
        (Method::POST, || web::route().to(help_center::send)),
    ];
    config.service(resource_of("/api/help-center/messages", methods));
}

/// A path with the one method it knows.
fn resource(path: &str, method: Method, route: fn() -> Route) -> impl HttpServiceFactory + use<> {
    resource_of(path, [(method, route)])
}

/// A path with the methods it knows; any other gets 405 with `Allow`. What answers GET answers HEAD too, without a body.
fn resource_of<const N: usize>(path: &str, methods: [(Method, fn() -> Route); N]) -> impl HttpServiceFactory + use<N> {
    let mut resource = web::resource(path.to_owned());
    let mut allowed = Vec::new();
    for (method, route) in methods {
        allowed.push(method.to_string());
        resource = resource.route(route().method(method.clone()));
        if method == Method::GET {
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
    let mut response = Failure::new(Code::MethodNotAllowed, "This method is not allowed here").error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
