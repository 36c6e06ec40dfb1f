//! What reading costs is bounded: an answer in bytes, what clients leave unread in memory, and what an account reads over
//! time.

use std::path::Path;

use entity::{conversations, messages};
use reqwest::StatusCode;
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use switchboard_testkit::PollingSession;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{
    ApiServer, Backend, CREATE_TICKET, MY_CONVERSATIONS, MY_TICKETS, QUEUE, SEND, ScratchDatabase, ServerOptions,
    SupportSession, TICKET, TestServer, TestUser, conversation_row, message_row, on_both_databases, ticket_body,
};

const ANSWER_BYTES: usize = 65_536;
const SMALL_ANSWERS: (&str, &str) = ("SWITCHBOARD__READS__ANSWER_BYTES", "65536");

/// Inserts a conversation of John's with a message for each text. Gives its id.
async fn insert_conversation(database: &ScratchDatabase, texts: &[String]) -> String {
    let connection = database.connection().await;
    let count = i64::try_from(texts.len()).unwrap();
    let row = conversations::Model {
        version: count + 1,
        last_seq: count,
        message_count: count,
        ..conversation_row("john", 0)
    };
    let messages: Vec<_> =
        texts.iter().zip(2..).map(|(text, position)| message_row(&row, position, text).into_active_model()).collect();
    let id = row.id.to_string();
    conversations::Entity::insert(row.into_active_model()).exec_without_returning(&connection).await.unwrap();
    for chunk in messages.chunks(100) {
        messages::Entity::insert_many(chunk.iter().cloned()).exec_without_returning(&connection).await.unwrap();
    }
    id
}

/// Texts of very different sizes, in the database and as JSON.
fn texts() -> Vec<String> {
    let text = |number: usize| match number % 5 {
        0 => "👋".repeat(5000),
        1 => "x".repeat(number),
        2 => "\u{1}".repeat(5000),
        3 => "\"\\\n".repeat(1500),
        _ => "é".repeat(40 * number),
    };
    (1..=60).map(text).collect()
}

fn seqs(page: &Value) -> Vec<i64> {
    page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_i64().unwrap()).collect()
}

on_both_databases! {
    async fn a_page_that_would_be_too_long_ends_earlier_and_a_walk_yields_every_message_once(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start_with(&database, &[SMALL_ANSWERS]).await;
        let texts = texts();
        let id = insert_conversation(&database, &texts).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let own = async |query: &str| {
            server.get(&john, &format!("{MY_CONVERSATIONS}/{id}{query}")).await.body["data"]["conversation"].take()
        };
        let agents = async |query: &str| server.get(&sarah, &format!("{QUEUE}/{id}{query}")).await.body["data"].take();
        let check = |page: &Value| {
            let bytes = serde_json::to_string(&page["messages"]).unwrap().len();
            let found = seqs(page);
            assert!(bytes <= ANSWER_BYTES || found.len() == 1, "{bytes} bytes in {found:?}");
            assert!(found.is_sorted() && found.iter().all(|seq| (1..=60).contains(seq)), "{found:?}");
            assert_eq!(page["total_messages"], 60);
            found
        };
        let mut forward = Vec::new();
        while forward.len() < 60 {
            let page = own(&format!("?after_seq={}&limit=200", forward.last().unwrap_or(&0))).await;
            forward.extend(check(&page));
            assert_eq!(page["has_more"], json!(forward.len() < 60));
        }
        let mut backward: Vec<i64> = Vec::new();
        while backward.len() < 60 {
            let before = backward.first().map(|seq| format!("?before_seq={seq}")).unwrap_or_default();
            let mut page = check(&own(&before).await);
            page.extend(backward);
            backward = page;
        }
        assert_eq!((&forward, &backward), (&(1..=60).collect(), &(1..=60).collect()));
        let newest = agents("").await;
        let found = seqs(&newest);
        assert!(found.len() < 60 && found.last() == Some(&60) && newest["has_more"] == json!(true), "{found:?}");
        // The messages themselves are complete.
        for message in newest["messages"].as_array().unwrap() {
            let seq = usize::try_from(message["seq"].as_i64().unwrap()).unwrap();
            assert!(message["message"] == json!(texts[seq - 1]));
        }
        let timeline = server.get(&sarah, &format!("{QUEUE}/{id}/timeline")).await;
        assert_eq!(timeline.body["data"]["events"][4]["data"]["preview"], "👋".repeat(100));
    }
}

#[tokio::test]
async fn an_account_reads_so_many_bytes_and_its_sockets_count() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings = [
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__LIMITS__READ_BYTES_PER_SECOND", "65536"),
        ("SWITCHBOARD__LIMITS__READ_BURST_BYTES", "1048576"),
    ];
    let server = ApiServer::start_with(&database, &settings).await;
    let id = insert_conversation(&database, &vec!["x".repeat(5000); 190]).await;
    let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
    // Each reads about a megabyte and gains 64 KiB a second.
    let path = format!("{MY_CONVERSATIONS}/{id}");
    let mut reads = 0;
    let refusal = loop {
        let answer = server.get(&john, &path).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        reads += 1;
        assert!(reads < 100, "never refused");
    };
    assert_eq!((refusal.status, &refusal.body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("RATE_LIMITED")));
    let wait: u64 = refusal.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(reads >= 2 && (1..=60).contains(&wait), "{reads} reads, then {wait} s");
    // Writing is another limit, and each account has its own.
    assert_eq!(server.post(&john, SEND, json!({ "message": "Hello" })).await.status, StatusCode::CREATED);
    assert_eq!(server.get(&sarah, &format!("{QUEUE}/{id}")).await.status, StatusCode::OK);
    // A socket that asks for the same messages again and again.
    let joined = async || {
        let socket = SupportSession::join(&server, &TestUser::agent("james")).await;
        socket.join_conversation(json!({ "conversation_id": id, "after_seq": 0 })).await.1
    };
    let mut joins = 0;
    let refusal = loop {
        let ack = joined().await;
        if ack["success"] != json!(true) {
            break ack;
        }
        joins += 1;
        assert!(joins < 100, "never refused");
    };
    assert!(joins >= 1 && refusal["error"]["code"] == "RATE_LIMITED", "{joins} joins, then {refusal}");
}

fn kib(server: &TestServer, key: &str) -> usize {
    let status = server.proc_status().expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Asks for a conversation and reads nothing of the answer.
async fn ask(server: &TestServer, user: &TestUser, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // What the kernel takes is none of the server's memory.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", user.token);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Answers of 1 MiB to 60 agents, two each: 120 MiB if they were kept, and 45 MiB each before answers were bounded.
#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_cost_bounded_memory_and_delay_no_other_client() {
    const READERS: usize = 60;
    const MAX_GROWTH_KIB: usize = 96 * 1024;
    let database = ScratchDatabase::sqlite();
    let binary = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let server = TestServer::spawn(binary, &ServerOptions::new(&database)).await.unwrap();
    let id = insert_conversation(&database, &vec!["👋".repeat(5000); 1000]).await;
    let (path, url, http) = (format!("{QUEUE}/{id}"), server.url(), reqwest::Client::new());
    let good = TestUser::agent("good");
    let read = async || http.get(format!("{url}{path}")).bearer_auth(&good.token).send().await.unwrap();
    let warm = read().await.bytes().await.unwrap().len();
    assert!(warm > 900_000, "{warm}");
    let before = kib(&server, "VmRSS:");
    let mut unread = Vec::new();
    for number in 0..READERS {
        for _ in 0..2 {
            unread.push(ask(&server, &TestUser::agent(&format!("agent-{number}")), &path).await);
        }
        // Others are served all the time.
        let sent = http.post(format!("{url}{SEND}")).bearer_auth(TestUser::customer("jane").token);
        assert_eq!(sent.json(&json!({ "message": "Hello" })).send().await.unwrap().status(), StatusCode::CREATED);
    }
    for stream in &unread {
        // The answer has begun, or the server has ended the connection.
        stream.readable().await.unwrap();
    }
    let answer = read().await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.bytes().await.unwrap().len(), warm);
    let growth = kib(&server, "VmHWM:").saturating_sub(before);
    assert!(growth < MAX_GROWTH_KIB, "the server has grown by {growth} KiB");
    println!("{growth} KiB for {} unread answers", unread.len());
}

on_both_databases! {
    /// What makes a row long is not read for a customer's lists, and nothing else is missing in them.
    async fn lists_show_conversations_and_tickets_with_long_details(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        let body = json!({ "message": "Hello", "device_metadata": { "platform": "x".repeat(3000) } });
        let opened = server.post(&john, SEND, body).await;
        let id = opened.body["data"]["conversation"]["id"].as_str().unwrap().to_owned();
        let mut ticket = ticket_body("Long");
        ticket["description"] = json!("👋".repeat(5000));
        assert_eq!(server.post(&john, CREATE_TICKET, ticket).await.status, StatusCode::CREATED);
        server.agent_action(&sarah, &id, "close", None).await;
        let rating = json!({ "rating": 4, "feedback": "é".repeat(2000) });
        let rated = server.post(&john, &format!("{MY_CONVERSATIONS}/{id}/rate"), rating).await;
        assert_eq!(rated.status, StatusCode::OK, "{}", rated.body);
        let listed = server.get(&john, MY_CONVERSATIONS).await.body["data"]["conversations"][0].take();
        assert_eq!((&listed["id"], &listed["satisfaction_rating"]), (&json!(id), &json!(4)));
        let listed = server.get(&john, MY_TICKETS).await.body["data"]["tickets"][0].take();
        assert_eq!((&listed["subject"], &listed["message_count"]), (&json!("Long"), &json!(1)));
        // In detail everything is there.
        let own = server.get(&john, &format!("{MY_CONVERSATIONS}/{id}")).await;
        assert_eq!(own.body["data"]["conversation"]["feedback"], "é".repeat(2000));
        let read = server.get(&john, &format!("{TICKET}?ticket_number={}", listed["ticket_number"].as_str().unwrap())).await;
        assert_eq!(read.body["data"]["ticket"]["description"], "👋".repeat(5000));
    }
}

/// Connecting to the help center reads its newest messages.
#[tokio::test]
async fn connecting_to_the_help_center_counts_as_reading() {
    let database = ScratchDatabase::create(Backend::Sqlite).await;
    let settings = [
        ("SWITCHBOARD__LIMITS__ENABLED", "true"),
        ("SWITCHBOARD__LIMITS__HANDSHAKES_PER_SECOND", "1000"),
        ("SWITCHBOARD__LIMITS__SENDS_PER_SECOND", "1000"),
        ("SWITCHBOARD__LIMITS__SENDS_BURST", "1000"),
        ("SWITCHBOARD__LIMITS__READ_BYTES_PER_SECOND", "65536"),
        ("SWITCHBOARD__LIMITS__READ_BURST_BYTES", "1048576"),
    ];
    let server = ApiServer::start_with(&database, &settings).await;
    let jane = TestUser::customer("jane");
    // Each answers with the newest messages, and counts.
    for _ in 0..50 {
        server.post(&jane, "/api/help-center/messages", json!({ "text": "👋".repeat(2000) })).await;
    }
    for connected in 0..1000 {
        let session = PollingSession::open(&server.url).await.unwrap();
        session.send(&format!("40/help-center,{}", json!({ "token": jane.token }))).await.unwrap();
        let mut greeted = false;
        // The transport is closed after the refusal.
        while !greeted && let Ok(packets) = session.poll().await {
            if packets.iter().any(|packet| packet.contains("RATE_LIMITED") || packet == "1") {
                break;
            }
            greeted = packets.iter().any(|packet| packet.contains("help_center:connected"));
        }
        if !greeted {
            assert!(connected >= 1);
            let john = TestUser::customer("john");
            assert_eq!(server.get(&john, "/api/help-center/messages").await.status, StatusCode::OK);
            return;
        }
    }
    panic!("never refused");
}
