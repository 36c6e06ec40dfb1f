//! The command line: exit codes, output, and files.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::faulty_proxy::{Defect, FaultyProxy};
use crate::support::{ApiServer, Backend, SECRET, ScratchDatabase};

/// Runs `switchboard loadtest` for a short time.
async fn run_short(arguments: &[&str]) -> Output {
    run_command(&[&["--duration", "700ms", "--warm-up", "100ms"], arguments].concat()).await
}

/// Runs `switchboard loadtest` with exactly these options.
async fn run_command(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.arg("loadtest").args(arguments);
    // Settings of this machine must not matter.
    command.env_remove("JWT_SECRET").env("SWITCHBOARD_ENV", "production");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The error message of a command that has exited with 1 and printed nothing else.
fn error_message(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    stderr.lines().last().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_run_exits_with_0_and_writes_a_table_a_page_and_json() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let folder = TempDir::new().unwrap();
    let (page, json) = (folder.path().join("run.html"), folder.path().join("run.json"));
    let files = [page.to_str().unwrap(), json.to_str().unwrap()];
    let output = run_short(&[
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
        run_short(&["--url", &server.url, "--secret", SECRET, "--users", "2", "--json", "-", "--rate", "20"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["rate"], &json["deeds"]["send"]["corrected_ms"]), (&20.0.into(), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_exits_with_1_and_prints_its_history() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let proxy = FaultyProxy::start(&server.url, Defect::DropMessage).await;
    let output = run_short(&["--url", &proxy.url, "--secret", SECRET, "--users", "3"]).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(
        stdout.contains("VIOLATED") && stdout.contains("nothing lost:") && stdout.contains("sends message"),
        "{stdout}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_disappears_leaves_the_figures_and_proves_nothing() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let proxy = FaultyProxy::start(&server.url, Defect::Disappear).await;
    let output = run_short(&["--url", &proxy.url, "--secret", SECRET, "--users", "3"]).await;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("error: send: ") && stdout.contains("NOT CHECKED, so nothing is proved"), "{stdout}");
    assert!(!stdout.contains("Clean"), "{stdout}");
    assert!(stderr.contains("errors, the last: ") && stderr.contains("could not be checked"), "{stderr}");
}

/// Starts a long run and waits until it reports this stage.
fn start_long_run(url: &str, arguments: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.args(["loadtest", "--url", url, "--secret", SECRET, "--users", "3", "--duration", "1h"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_line(&mut stderr, until);
    (child, stderr)
}

/// Reads up to a line that begins with this.
fn wait_for_line(stderr: &mut BufReader<ChildStderr>, until: &str) {
    let mut line = String::new();
    while !line.starts_with(until) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "the command ends before it prints {until}");
    }
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// The exit code, the standard output, and the rest of the standard error.
fn wait_for_exit(mut child: Child, mut stderr: BufReader<ChildStderr>) -> (Option<i32>, String, String) {
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    (child.wait().unwrap().code(), printed, rest)
}

/// Asserts that the command has exited with 1, without a report and with this reason.
fn assert_no_report(child: Child, stderr: BufReader<ChildStderr>, why: &str) {
    let (code, printed, rest) = wait_for_exit(child, stderr);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{rest}");
    assert!(rest.contains(why), "{rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_interrupted_run_reports_what_was_measured() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let url = server.url.clone();
    let run = move || {
        let (child, stderr) = start_long_run(&url, &["--warm-up", "100ms"], "measuring: ");
        interrupt(&child);
        let (code, printed, rest) = wait_for_exit(child, stderr);
        assert_eq!(code, Some(0), "{printed}{rest}");
        assert!(printed.contains("Interrupted after ") && printed.contains("Clean: "), "{printed}");
        assert!(rest.contains("interrupted: what was done is checked"), "{rest}");

        let (child, stderr) = start_long_run(&url, &["--warm-up", "1h"], "warming up");
        interrupt(&child);
        assert_no_report(child, stderr, "interrupted before anything was measured");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_second_interrupt_ends_the_run_at_once() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    // Without a server, the end of a run waits for a timeout.
    let proxy = FaultyProxy::start(&server.url, Defect::Disappear).await;
    let url = proxy.url.clone();
    let run = move || {
        let (child, mut stderr) = start_long_run(&url, &["--warm-up", "100ms"], "measuring");
        interrupt(&child);
        wait_for_line(&mut stderr, "interrupted: ");
        interrupt(&child);
        assert_no_report(child, stderr, "interrupted twice");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_cannot_start_names_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let unused = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let message = error_message(&run_short(&["--url", &unused]).await);
    assert!(message.contains("no server answers") && message.contains("make run"), "{message}");

    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let server = ApiServer::start(&database).await;
    let message = error_message(&run_short(&["--url", &server.url]).await);
    assert!(message.contains("refuses our token") && message.contains("--secret"), "{message}");
    let message = error_message(&run_short(&["--url", &server.url, "--secret", SECRET, "--agent-role", "user"]).await);
    assert!(message.contains("--agent-role"), "{message}");
    let message = error_message(&run_short(&["--url", &format!("{}/api", server.url)]).await);
    assert!(message.contains("--url must look like"), "{message}");
    let message = error_message(&run_short(&["--url", &server.url, "--tokens", "/nowhere/tokens"]).await);
    assert!(message.contains("/nowhere/tokens"), "{message}");
    // Before the run, not after it.
    for option in ["--json", "--report-html"] {
        let output = run_short(&["--url", &server.url, "--secret", SECRET, option, "/nowhere/report"]).await;
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
        assert!(error_message(&output).contains("/nowhere/report"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_is_recognised() {
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
    let message = error_message(&run_short(&["--url", &url]).await);
    assert!(message.contains("is not a Switchboard"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_explains_every_scenario_and_a_wrong_option_exits_with_2() {
    let help = String::from_utf8(run_short(&["--help"]).await.stdout).unwrap();
    for scenario in switchboard_loadtest::options::Scenario::ALL {
        assert!(help.contains(&format!("\n  {:<11}", scenario.as_str())), "{scenario:?} is not explained in\n{help}");
    }
    assert!(help.contains("Examples:"));
    assert!(!help.contains("development-secret"));
    for wrong in
        [["--rate", "0"], ["--duration", "soon"], ["--duration", "0s"], ["--users", "0"], ["--scenario", "nonsense"]]
    {
        let output = run_command(&wrong).await;
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {message}");
        let [option, value] = wrong;
        assert!(message.contains(&format!("invalid value '{value}' for '{option} ")), "{message}");
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
