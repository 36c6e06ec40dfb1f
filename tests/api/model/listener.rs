//! A socket on `/support`, over HTTP polling, and what it hears.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

/// How long anything may take that is expected to happen at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// An event as it was heard, or as it is expected.
pub(super) type Heard = (String, Value);

pub(super) struct Ear {
    http: Client,
    url: String,
    asked: u64,
    /// What was heard and not yet looked at.
    pub(super) heard: Vec<Heard>,
    answers: Vec<(u64, Value)>,
}

impl Ear {
    pub(super) async fn connect(server: &str, token: &str) -> Self {
        let http = Client::new();
        let open = format!("{server}/socket.io/?EIO=4&transport=polling");
        let text = http.get(&open).send().await.unwrap().text().await.unwrap();
        let opened: Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
        let url = format!("{open}&sid={}", opened["sid"].as_str().unwrap());
        let mut ear = Self { http, url, asked: 0, heard: Vec::new(), answers: Vec::new() };
        ear.post(format!("40/support,{}", json!({ "token": token }))).await;
        let connected = ear.fetch().await;
        assert!(connected[0].starts_with("40/support,"), "{connected:?}");
        connected[1..].iter().for_each(|packet| ear.take(packet));
        ear
    }

    async fn post(&self, packet: String) {
        let answer = self.http.post(&self.url).body(packet).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");
    }

    /// Packets, but for pings, which are answered.
    async fn fetch(&self) -> Vec<String> {
        loop {
            let text = self.http.get(&self.url).send().await.unwrap().text().await.unwrap();
            let packets: Vec<String> = text.split('\u{1e}').map(ToOwned::to_owned).collect();
            if packets.iter().any(|packet| packet == "2") {
                self.post("3".to_owned()).await;
            }
            let packets: Vec<String> = packets.into_iter().filter(|packet| packet != "2").collect();
            if !packets.is_empty() {
                return packets;
            }
        }
    }

    fn take(&mut self, packet: &str) {
        if let Some(event) = packet.strip_prefix("42/support,") {
            // Behind the payload stands the place from which a lost connection is recovered.
            let parts: Vec<Value> = serde_json::from_str(event).unwrap();
            self.heard.push((parts[0].as_str().unwrap().to_owned(), parts[1].clone()));
        } else if let Some(answer) = packet.strip_prefix("43/support,") {
            let (id, answer) = answer.split_at(answer.find('[').unwrap());
            let [answer]: [Value; 1] = serde_json::from_str(answer).unwrap();
            self.answers.push((id.parse().unwrap(), answer));
        } else {
            panic!("an unexpected packet: {packet}");
        }
    }

    /// Emits, and waits for the acknowledgement.
    pub(super) async fn ask(&mut self, event: &str, payload: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.post(format!("42/support,{id}{}", json!([event, payload]))).await;
        let answered = async {
            loop {
                if let Some(at) = self.answers.iter().position(|(answered, _)| *answered == id) {
                    return self.answers.swap_remove(at).1;
                }
                for packet in self.fetch().await {
                    self.take(&packet);
                }
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.expect("no acknowledgement")
    }

    /// Everything that the server has sent until now, `count` events at least: whoever causes an event has the answer a
    /// moment before the others hear of it.
    pub(super) async fn listen(&mut self, count: usize) -> Vec<Heard> {
        let begun = Instant::now();
        loop {
            // The acknowledgement comes in line behind what was sent before.
            self.ask("typing", &json!({ "conversation_id": "00000000-0000-4000-8000-000000000000" })).await;
            if self.heard.len() >= count || begun.elapsed() > PATIENCE {
                return std::mem::take(&mut self.heard);
            }
        }
    }
}
