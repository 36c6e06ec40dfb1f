//! Which path goes where.

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, ResponseError, Route};

use super::{Api, agent, error, health, user};
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
            .service(resource("/health/live", [(Method::GET, web::get().to(health::live))]))
            .service(resource("/health/ready", [(Method::GET, web::get().to(health::ready))]))
            .configure(users)
            .configure(agents)
            .default_service(web::to(error::unknown_path));
    }
}

fn users(config: &mut ServiceConfig) {
    config
        .service(resource("/api/v1/support/chat/send", [(Method::POST, web::post().to(user::send))]))
        .service(resource(
            "/api/v1/support/chat/send-unauthenticated",
            [(Method::POST, web::post().to(user::send_unauthenticated))],
        ))
        .service(resource("/api/v1/support/conversations/{id}/rate", [(Method::POST, web::post().to(user::rate))]))
        .service(resource("/api/v1/support/conversations", [(Method::GET, web::get().to(user::list))]))
        .service(resource("/api/v1/support/conversations/{id}", [(Method::GET, web::get().to(user::detail))]));
}

fn agents(config: &mut ServiceConfig) {
    const BASE: &str = "/api/v1/unified-admin/support/conversations";
    config
        .service(resource(BASE, [(Method::GET, web::get().to(agent::list))]))
        .service(resource(&format!("{BASE}/{{id}}"), [(Method::GET, web::get().to(agent::detail))]))
        .service(resource(&format!("{BASE}/{{id}}/claim"), [(Method::POST, web::post().to(agent::claim))]))
        .service(resource(&format!("{BASE}/{{id}}/reply"), [(Method::POST, web::post().to(agent::reply))]))
        .service(resource(&format!("{BASE}/{{id}}/close"), [(Method::POST, web::post().to(agent::close))]));
}

/// A path with the methods it knows; any other gets 405 with `Allow`.
fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> Resource {
    let methods: Vec<String> = routes.iter().map(|(method, _)| method.to_string()).collect();
    let allowed = methods.join(", ");
    let resource = web::resource(path.to_owned()).default_service(web::to(move || {
        let answer = method_not_allowed(&allowed);
        async move { answer }
    }));
    routes.into_iter().fold(resource, |resource, (_, route)| resource.route(route))
}

fn method_not_allowed(allowed: &str) -> HttpResponse {
    let mut response = Failure::new(Code::MethodNotAllowed, "This method is not allowed here").error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
