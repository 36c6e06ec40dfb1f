//! CORS: which web pages may call.

use reqwest::{Method, StatusCode};

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser};

const HEADERS: &str = "authorization, content-type, x-device-id, x-signature, idempotency-key";

#[tokio::test]
async fn a_preflight_allows_the_requested_method_and_headers() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for (path, method) in
        [(SEND, "POST"), (MY_CONVERSATIONS, "GET"), (QUEUE, "GET"), ("/socket.io/?EIO=4&transport=polling", "POST")]
    {
        let request = server.request(Method::OPTIONS, &TestUser::anonymous(), path);
        let answer = request
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", HEADERS)
            .send(None)
            .await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
        let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap().to_lowercase();
        for header in HEADERS.split(", ") {
            assert!(allowed.contains(header), "{path}: {allowed}");
        }
        assert!(answer.headers["access-control-allow-methods"].to_str().unwrap().contains(method), "{path}");
    }
}

#[tokio::test]
async fn error_answers_have_cors_headers_too() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    for path in [MY_CONVERSATIONS, "/nonsense", "/socket.io/?EIO=4&transport=nonsense"] {
        let request =
            server.request(Method::GET, &TestUser::anonymous(), path).header("origin", "https://app.example.com");
        let answer = request.send(None).await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
        let readable = answer.headers["access-control-expose-headers"].to_str().unwrap();
        assert!(readable.contains("x-request-id"), "{path}: {readable}");
    }
}

#[tokio::test]
async fn only_configured_origins_are_allowed() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let variables =
        [("SWITCHBOARD__CORS__ORIGINS", "https://app.example.com"), ("SWITCHBOARD__CORS__CREDENTIALS", "true")];
    let server = ApiServer::start_with(&database, &variables).await;
    for (origin, allowed) in
        [("https://app.example.com", Some("https://app.example.com")), ("https://evil.example", None)]
    {
        let answer = server
            .request(Method::GET, &TestUser::customer("john"), MY_CONVERSATIONS)
            .header("origin", origin)
            .send(None)
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        let header = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(header, allowed);
    }
}
