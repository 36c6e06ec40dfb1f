//! The form of every error.

use insta::assert_snapshot;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, QUEUE, SEND, ScratchDatabase, TestUser};

async fn server() -> (ScratchDatabase, ApiServer) {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    (database, server)
}

#[tokio::test]
async fn an_unknown_path_is_not_found_in_the_envelope() {
    let (_database, server) = server().await;
    assert_snapshot!(server.get(&TestUser::anonymous(), "/api/v1/nonsense?x=1").await.snapshot(), @r#"
        404 Not Found
        content-type: application/json

        {
          "code": "NOT_FOUND",
          "error": "Not Found",
          "message": "Cannot GET /api/v1/nonsense",
          "statusCode": 404,
          "success": false
        }
        "#);
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_allowed_ones() {
    let (_database, server) = server().await;
    assert_snapshot!(server.get(&TestUser::anonymous(), SEND).await.snapshot(), @r#"
        405 Method Not Allowed
        allow: POST
        content-type: application/json

        {
          "code": "METHOD_NOT_ALLOWED",
          "error": "Method Not Allowed",
          "message": "This method is not allowed here",
          "statusCode": 405,
          "success": false
        }
        "#);
    let answer = server.request(Method::DELETE, &TestUser::anonymous(), MY_CONVERSATIONS).send(None).await;
    assert_eq!(
        (answer.status, &answer.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD".parse().unwrap())
    );
}

#[tokio::test]
async fn malformed_json_is_refused() {
    let (_database, server) = server().await;
    let john = TestUser::customer("john");
    for body in ["{", "", "{\"message\":\"a\"} x", "{\"message\":\"\\ud80\"}"] {
        let request = server.request(Method::POST, &john, SEND).header("content-type", "application/json");
        let answer = request.body(body).send(None).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.message(), "The request body is not valid JSON", "{body}");
    }
    for body in ["[]", "[\"text\",null,null,null]", "\"a\"", "null", "1"] {
        let request = server.request(Method::POST, &john, SEND).header("content-type", "application/json");
        let answer = request.body(body).send(None).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.message(), "The request body must be a JSON object", "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let (_database, server) = server().await;
    let john = TestUser::customer("john");
    let request = server.request(Method::POST, &john, SEND).header("content-type", "text/plain");
    assert_snapshot!(request.body("hello").send(None).await.snapshot(), @r#"
        415 Unsupported Media Type
        content-type: application/json

        {
          "code": "UNSUPPORTED_MEDIA_TYPE",
          "error": "Unsupported Media Type",
          "message": "The request body must be application/json",
          "statusCode": 415,
          "success": false
        }
        "#);
    let request = server.request(Method::POST, &john, SEND).header("content-type", "application/json; charset=utf-8");
    assert_eq!(request.body("{\"message\":\"a\"}").send(None).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_at_its_edge() {
    let (_database, server) = server().await;
    let john = TestUser::customer("john");
    let frame = json!({ "message": "a", "x": "" }).to_string().len();
    for (length, status) in [(262_144, StatusCode::CREATED), (262_145, StatusCode::PAYLOAD_TOO_LARGE)] {
        let body = json!({ "message": "a", "x": "y".repeat(length - frame) });
        assert_eq!(server.post(&john, SEND, body).await.status, status, "{length}");
        // Also without a Content-Length.
        let body = json!({ "message": "a", "x": "y".repeat(length - frame) }).to_string();
        let chunks =
            body.as_bytes().chunks(10_000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
        let request = server.request(Method::POST, &john, SEND).header("content-type", "application/json");
        let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        assert_eq!(request.body(stream).send(None).await.status, status, "{length}, in chunks");
    }
}

#[tokio::test]
async fn a_bad_token_is_unauthorized_without_details() {
    let (_database, server) = server().await;
    for token in ["x.y.z", "Bearer", &"a".repeat(3000)] {
        let answer = server.get(&TestUser { token: token.to_owned() }, MY_CONVERSATIONS).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::UNAUTHORIZED, "Unauthorized"), "{token}");
    }
    assert_snapshot!(server.get(&TestUser::anonymous(), QUEUE).await.snapshot(), @r#"
        401 Unauthorized
        www-authenticate: Bearer
        content-type: application/json

        {
          "code": "UNAUTHORIZED",
          "error": "Unauthorized",
          "message": "Unauthorized",
          "statusCode": 401,
          "success": false
        }
        "#);
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let (_database, server) = server().await;
    for path in ["/health/live", "/nonsense", MY_CONVERSATIONS] {
        let answer = server.get(&TestUser::anonymous(), path).await;
        assert!(uuid::Uuid::parse_str(answer.headers["x-request-id"].to_str().unwrap()).is_ok(), "{path}");
    }
}
