//! Which handshakes of Socket.IO are admitted, and what they may carry.

use reqwest::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::support::{ApiServer, Backend, ScratchDatabase, TestUser};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

async fn server(variables: &[(&str, &str)]) -> ApiServer {
    ApiServer::start_with(&ScratchDatabase::create(Backend::Sqlite).await, variables).await
}

fn handshake(server: &ApiServer) -> RequestBuilder {
    Client::new().get(format!("{}{HANDSHAKE}", server.url))
}

/// The answer to a CONNECT packet, of a session that is opened with this request.
async fn connect(server: &ApiServer, handshake: RequestBuilder, packet: &str) -> String {
    let open = handshake.send().await.unwrap().text().await.unwrap();
    let sid = open.split('"').nth(3).unwrap();
    let url = format!("{}{HANDSHAKE}&sid={sid}", server.url);
    let posted = Client::new().post(&url).body(packet.to_owned()).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::OK);
    Client::new().get(&url).send().await.unwrap().text().await.unwrap()
}

/// Browsers send `Origin` from a page of the server itself too, and React Native does always.
#[tokio::test]
async fn the_servers_own_origin_is_admitted_where_no_origin_is_configured() {
    let server = server(&[("SWITCHBOARD__CORS__ORIGINS", "")]).await;
    let (own, port) = (server.url.clone(), server.url.rsplit(':').next().unwrap().to_owned());
    for (origin, status) in [
        (own.as_str(), 200),
        ("https://127.0.0.1", 403),
        ("http://localhost", 403),
        (&format!("http://localhost:{port}"), 403),
        (&format!("http://127.0.0.1.example:{port}"), 403),
        ("null", 403),
    ] {
        let answer = handshake(&server).header(ORIGIN, origin).send().await.unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
    let answer = handshake(&server).header(HOST, "a.example").header(ORIGIN, "https://a.example").send().await.unwrap();
    assert_eq!(answer.status(), 200, "behind a proxy that is not trusted the scheme is unknown");
    // REST requests of the same page.
    let answer = Client::new().get(format!("{own}/health/live")).header(ORIGIN, &own).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn the_scheme_of_a_trusted_proxy_counts() {
    let variables = [("SWITCHBOARD__CORS__ORIGINS", ""), ("SWITCHBOARD__SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let server = server(&variables).await;
    for (scheme, origin, status) in [
        ("https", "https://a.example", 200),
        ("https", "http://a.example", 403),
        ("http", "https://a.example", 403),
        ("https", "https://a.example:8443", 403),
    ] {
        let request = handshake(&server).header(HOST, "a.example").header("x-forwarded-proto", scheme);
        let answer = request.header(ORIGIN, origin).send().await.unwrap();
        assert_eq!(answer.status(), status, "{scheme} {origin}");
    }
}

/// REST takes as long a header.
#[tokio::test]
async fn a_long_token_is_accepted_in_the_handshakes_header() {
    let server = server(&[]).await;
    let user = TestUser::with_picture("john", &format!("https://example.com/{}", "x".repeat(5000)));
    assert!(user.token.len() > 6000, "{}", user.token.len());
    let request = || handshake(&server).header(AUTHORIZATION, format!("Bearer {}", user.token));
    let answer = connect(&server, request(), "40/support,").await;
    assert!(answer.starts_with("40/support,{\"sid\""), "{answer}");
    let answer = connect(&server, handshake(&server), "40/support,").await;
    assert!(answer.starts_with("44/support,"), "{answer}");
}

/// PHP's elephant.io and the C++ client join it before any other.
#[tokio::test]
async fn the_main_namespace_is_open_to_anyone_unless_it_is_disabled() {
    let on = server(&[]).await;
    let answer = connect(&on, handshake(&on), "40").await;
    assert!(answer.starts_with("40{\"sid\""), "{answer}");
    let off = server(&[("SWITCHBOARD__SOCKET__MAIN_NAMESPACE", "false")]).await;
    assert_eq!(connect(&off, handshake(&off), "40").await, "44{\"message\":\"Invalid namespace\"}");
}

#[tokio::test]
async fn the_first_subprotocol_that_a_client_offers_is_named() {
    let server = server(&[]).await;
    for (offered, named) in [(Some("chat"), Some("chat")), (Some("a, b"), Some("a")), (None, None), (Some(""), None)] {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.url);
        let request = Client::new().get(url).header("connection", "upgrade").header("upgrade", "websocket");
        let request =
            request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let request = match offered {
            Some(offered) => request.header(SEC_WEBSOCKET_PROTOCOL, offered),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS, "{offered:?}");
        let found = answer.headers().get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap());
        assert_eq!(found, named, "{offered:?}");
    }
}
