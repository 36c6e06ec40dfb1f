//! The command as it is typed: its exit codes, what it prints, what it writes.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::liar::{Liar, Lie};
use crate::support::{Backend, SECRET, TestDatabase, TestServer};

async fn switchboard(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.arg("loadtest").args(["--duration", "700ms", "--warm-up", "100ms"]).args(arguments);
    // This machine's own settings are not to matter.
    command.env_remove("JWT_SECRET").env("SWITCHBOARD_ENV", "production");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Ended with 1 and one sentence.
fn sentence(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    stderr.lines().last().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_run_ends_with_0_a_table_a_page_and_json() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let folder = TempDir::new().unwrap();
    let (page, json) = (folder.path().join("run.html"), folder.path().join("run.json"));
    let files = [page.to_str().unwrap(), json.to_str().unwrap()];
    let output = switchboard(&[
        "--url",
        &server.url,
        "--secret",
        SECRET,
        "--users",
        "3",
        "--report-html",
        files[0],
        "--json",
        files[1],
    ])
    .await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("Clean: nothing lost, nothing doubled"), "{stdout}");
    assert!(std::fs::read_to_string(page).unwrap().contains("<svg"));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((&json["schema"], &json["outcome"]), (&"switchboard-loadtest/1".into(), &"clean".into()));
    assert!(json["deeds"]["send"]["count"].as_u64().unwrap() > 0);

    let output =
        switchboard(&["--url", &server.url, "--secret", SECRET, "--users", "2", "--json", "-", "--rate", "20"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["rate"], &json["deeds"]["send"]["corrected_ms"]), (&20.0.into(), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_ends_with_1_and_its_history() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let liar = Liar::before(&server.url, Lie::Drop).await;
    let output = switchboard(&["--url", &liar.url, "--secret", SECRET, "--users", "3"]).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(
        stdout.contains("VIOLATED") && stdout.contains("nothing lost:") && stdout.contains("sends message"),
        "{stdout}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_politely_why_there_is_no_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = sentence(&switchboard(&["--url", &nobody]).await);
    assert!(said.contains("no server answers") && said.contains("make run"), "{said}");

    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let said = sentence(&switchboard(&["--url", &server.url]).await);
    assert!(said.contains("refuses our token") && said.contains("--secret"), "{said}");
    let said = sentence(&switchboard(&["--url", &server.url, "--secret", SECRET, "--agent-role", "user"]).await);
    assert!(said.contains("--agent-role"), "{said}");
    let said = sentence(&switchboard(&["--url", &format!("{}/api", server.url)]).await);
    assert!(said.contains("--url must look like"), "{said}");
    let said = sentence(&switchboard(&["--url", &server.url, "--tokens", "/nowhere/tokens"]).await);
    assert!(said.contains("/nowhere/tokens"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_switchboard_is_told() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"status\":\"live\"}";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let said = sentence(&switchboard(&["--url", &url]).await);
    assert!(said.contains("is not a Switchboard"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_teaches_every_scenario_and_a_wrong_option_ends_with_2() {
    let help = String::from_utf8(switchboard(&["--help"]).await.stdout).unwrap();
    for scenario in switchboard::loadtest::plan::Scenario::ALL {
        assert!(help.contains(&format!("\n  {:<11}", scenario.as_str())), "{scenario:?} is not explained in\n{help}");
    }
    assert!(help.contains("Examples:"));
    assert!(!help.contains("development-secret"));
    for wrong in [["--rate", "0"], ["--duration", "soon"], ["--users", "0"], ["--scenario", "nonsense"]] {
        assert_eq!(switchboard(&wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}
