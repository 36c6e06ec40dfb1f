//! Headers that every answer has.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser};

fn assert_headers(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.headers.contains_key("x-request-id"), "{status}");
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {status}");
    }
}

#[tokio::test]
async fn no_answer_may_be_stored_by_a_cache_or_taken_for_another_type() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let (john, sarah, stranger) = (TestUser::customer("john"), TestUser::agent("sarah"), TestUser::anonymous());
    let sent = server.post(&john, SEND, json!({ "message": "Hello" })).await;
    assert_headers(&sent, StatusCode::CREATED);
    let unknown = format!("{MY_CONVERSATIONS}/no-such-id");
    for (user, path, status) in [
        (&john, MY_CONVERSATIONS, StatusCode::OK),
        (&sarah, QUEUE, StatusCode::OK),
        (&john, "/api/help-center/messages", StatusCode::OK),
        (&stranger, "/health/live", StatusCode::OK),
        (&stranger, "/health/ready", StatusCode::OK),
        (&stranger, MY_CONVERSATIONS, StatusCode::UNAUTHORIZED),
        (&john, QUEUE, StatusCode::FORBIDDEN),
        (&sarah, "/api/v1/unified-admin/support/conversations?page=0", StatusCode::BAD_REQUEST),
        (&john, unknown.as_str(), StatusCode::NOT_FOUND),
        (&stranger, "/api/v1/nonsense", StatusCode::NOT_FOUND),
        (&stranger, "/docs/no-such-file.js", StatusCode::NOT_FOUND),
        (&stranger, SEND, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert_headers(&server.get(user, path).await, status);
        // A HEAD request is answered alike.
        let head = server.http.head(format!("{}{path}", server.url)).bearer_auth(&user.token).send().await.unwrap();
        assert_eq!(head.headers()["x-content-type-options"], "nosniff", "HEAD {path}");
        assert!(head.headers().contains_key("cache-control"), "HEAD {path}");
    }
    for (content_type, body, status) in [
        ("application/json", "{".to_owned(), StatusCode::BAD_REQUEST),
        ("application/json", format!("{{\"message\":\"{}\"}}", "x".repeat(300_000)), StatusCode::PAYLOAD_TOO_LARGE),
        ("text/plain", "Hello".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = server.request(Method::POST, &john, SEND).header("content-type", content_type);
        assert_headers(&request.body(body).send(None).await, status);
    }
}

#[tokio::test]
async fn the_documentation_may_be_stored_by_a_cache() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let answer = server.http.get(format!("{}/docs/swagger-ui.css", server.url)).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "max-age=3600");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}
