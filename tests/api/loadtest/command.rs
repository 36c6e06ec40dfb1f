//! The command as it is typed: its exit codes, what it prints, what it writes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::faulty_proxy::{Liar, Lie};
use crate::support::{Backend, SECRET, TestDatabase, TestServer};

/// A short run.
async fn switchboard(arguments: &[&str]) -> Output {
    typed(&[&["--duration", "700ms", "--warm-up", "100ms"], arguments].concat()).await
}

/// These options and no others.
async fn typed(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.arg("loadtest").args(arguments);
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
async fn a_server_that_is_gone_in_the_middle_leaves_the_figures_and_proves_nothing() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let liar = Liar::before(&server.url, Lie::Vanish).await;
    let output = switchboard(&["--url", &liar.url, "--secret", SECRET, "--users", "3"]).await;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("error: send: ") && stdout.contains("NOT CHECKED, so nothing is proved"), "{stdout}");
    assert!(!stdout.contains("Clean"), "{stdout}");
    assert!(stderr.contains("errors, the last: ") && stderr.contains("could not be checked"), "{stderr}");
}

/// A long run of which the stage that it is in is known by what it says.
fn long_run(url: &str, arguments: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.args(["loadtest", "--url", url, "--secret", SECRET, "--users", "3", "--duration", "1h"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    heard(&mut said, until);
    (child, said)
}

/// Reads up to a line that begins so.
fn heard(said: &mut BufReader<ChildStderr>, until: &str) {
    let mut line = String::new();
    while !line.starts_with(until) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ends before it says {until}");
    }
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// The exit code, what it printed, and what it said last.
fn ended(mut child: Child, mut said: BufReader<ChildStderr>) -> (Option<i32>, String, String) {
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    (child.wait().unwrap().code(), printed, rest)
}

/// Ended with 1, and said why.
fn ended_with_nothing(child: Child, said: BufReader<ChildStderr>, why: &str) {
    let (code, printed, rest) = ended(child, said);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{rest}");
    assert!(rest.contains(why), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whoever_interrupts_gets_what_was_done_until_then() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    let url = server.url.clone();
    let run = move || {
        let (child, said) = long_run(&url, &["--warm-up", "100ms"], "measuring: ");
        interrupt(&child);
        let (code, printed, rest) = ended(child, said);
        assert_eq!(code, Some(0), "{printed}{rest}");
        assert!(printed.contains("Interrupted after ") && printed.contains("Clean: "), "{printed}");
        assert!(rest.contains("interrupted: what was done is checked"), "{rest}");

        let (child, said) = long_run(&url, &["--warm-up", "1h"], "warming up");
        interrupt(&child);
        ended_with_nothing(child, said, "interrupted before anything was measured");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whoever_interrupts_twice_waits_for_nothing() {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let server = TestServer::start(&database).await;
    // With the server gone, the end of a run waits for what does not come.
    let liar = Liar::before(&server.url, Lie::Vanish).await;
    let url = liar.url.clone();
    let run = move || {
        let (child, mut said) = long_run(&url, &["--warm-up", "100ms"], "measuring");
        interrupt(&child);
        heard(&mut said, "interrupted: ");
        interrupt(&child);
        ended_with_nothing(child, said, "interrupted twice");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
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
    // Before the run, not behind it.
    for option in ["--json", "--report-html"] {
        let output = switchboard(&["--url", &server.url, "--secret", SECRET, option, "/nowhere/report"]).await;
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
        assert!(sentence(&output).contains("/nowhere/report"));
    }
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
    for scenario in switchboard_loadtest::options::Scenario::ALL {
        assert!(help.contains(&format!("\n  {:<11}", scenario.as_str())), "{scenario:?} is not explained in\n{help}");
    }
    assert!(help.contains("Examples:"));
    assert!(!help.contains("development-secret"));
    for wrong in
        [["--rate", "0"], ["--duration", "soon"], ["--duration", "0s"], ["--users", "0"], ["--scenario", "nonsense"]]
    {
        let output = typed(&wrong).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {said}");
        let [option, value] = wrong;
        assert!(said.contains(&format!("invalid value '{value}' for '{option} ")), "{said}");
    }
}

#[test]
fn a_server_built_without_the_feature_does_not_link_the_load_generator() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "switchboard", "--no-default-features", "--edges", "normal"])
        .args(["--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let linked = |name: &&str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(linked(&"actix-web"));
    let clients = ["switchboard-loadtest", "hyper", "hyper-util", "tokio-tungstenite", "hdrhistogram", "indicatif"];
    assert_eq!(clients.iter().filter(|name| linked(name)).count(), 0, "{tree}");
}
