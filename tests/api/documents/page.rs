//! The page `/docs`, and whether the documents are served.

use reqwest::StatusCode;

use crate::support::{ApiServer, Backend, ScratchDatabase, TestUser};

#[tokio::test]
async fn the_page_loads_everything_from_this_server() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let page = server.get(&TestUser::anonymous(), "/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");

    let html = page.body.as_str().unwrap();
    assert!(!html.contains("//"), "it names another host: {html}");
    let named: Vec<&str> = html.split(['"', '\'']).filter(|text| text.starts_with("docs/")).collect();
    assert_eq!(named, ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]);
    for (name, kind) in named.iter().zip(["text/css", "text/javascript", "text/javascript"]) {
        let file = server.get(&TestUser::anonymous(), &format!("/{name}")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.headers["content-type"], format!("{kind}; charset=utf-8"), "{name}");
        assert!(!file.body.as_str().unwrap().is_empty());
    }
    let start = server.get(&TestUser::anonymous(), "/docs/start.js").await;
    assert!(start.body.as_str().unwrap().contains("url: 'openapi.json'"));
    for stranger in ["/docs/index.html", "/docs/swagger-initializer.js", "/docs/..%2f..%2fCargo.toml"] {
        assert_eq!(server.get(&TestUser::anonymous(), stranger).await.status, StatusCode::NOT_FOUND, "{stranger}");
    }
}

#[tokio::test]
async fn a_client_that_asks_for_the_root_is_led_to_the_page() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let page = server.get(&TestUser::anonymous(), "/docs").await;
    for path in ["/", "/docs/"] {
        let answer = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!((answer.status(), answer.url().path()), (StatusCode::OK, "/docs"), "{path}");
        assert_eq!(answer.text().await.unwrap(), page.body.as_str().unwrap());
    }
}

#[tokio::test]
async fn both_documents_are_served_and_name_each_other() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let document = async |path: &str| {
        let answer = server.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let (rest, events) = (document("/openapi.json").await, document("/asyncapi.json").await);
    assert_eq!(events, switchboard::realtime::asyncapi_document());
    assert_eq!(rest["servers"][0]["url"], "/");
    let about = rest["info"]["description"].as_str().unwrap();
    assert!(about.contains("`/asyncapi.json`") && about.contains("switchboard token"), "{about}");
    assert!(events["info"]["description"].as_str().unwrap().contains("`/openapi.json`"));
}

#[tokio::test]
async fn the_documents_are_served_only_if_enabled() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start_with(&database, &[("SWITCHBOARD__DOCS__ENABLED", "false")]).await;
    for path in ["/openapi.json", "/asyncapi.json", "/docs", "/docs/", "/docs/start.js", "/"] {
        let answer = server.get(&TestUser::anonymous(), path).await;
        assert_eq!((answer.status, answer.message()), (StatusCode::NOT_FOUND, &*format!("Cannot GET {path}")));
    }
}
