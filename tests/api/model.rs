//! The server against a model of the contract: random calls, valid and invalid, of customers, guests and agents over REST
//! and sockets. Every answer is compared, and every event that every socket receives.
//!
//! The model is written from the contract alone and shares no code with the server. `MODEL_SEED` repeats a walk,
//! `MODEL_STEPS` sets its length, and `SOAK=1` makes it 10 000 steps.

mod agents;
mod customers;
mod effects;
mod expected;
mod generator;
mod ownership;
mod ownership_effects;
mod placeholders;
mod reading;
mod reads;
mod sockets;
mod state;
mod tickets;
mod typing;
mod views;

use std::time::Duration;

use entity::users;
use futures_util::future::join_all;
use rand::RngExt;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use switchboard_testkit::{Event, PollingSession, SocketClient};
use tokio::time::timeout;

use self::generator::{NOTE_MARKER, Step};
use self::state::Model;
use crate::support::{ApiServer, Backend, MY_CONVERSATIONS, ScratchDatabase, TestUser, on_both_databases};

const STEPS: usize = 400;
const SOAK_STEPS: usize = 10_000;

/// How long an expected event or acknowledgement may take on a busy machine.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// A number that an environment variable is set to.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[expect(clippy::print_stderr, reason = "a failed walk can be repeated by its seed")]
fn print(seed: u64, steps: usize) {
    eprintln!("MODEL_SEED={seed} MODEL_STEPS={steps}");
}

async fn connect(server: &ApiServer, user: &TestUser) -> SocketClient {
    let session = PollingSession::open(&server.url).await.unwrap();
    SocketClient::join_polling(session, "/support", &user.token).await.unwrap()
}

/// The events that a socket has received, after waiting for as many as are expected.
///
/// The request at the end gives an unexpected event time to arrive. One that is still on its way then shows as unexpected
/// in a later step.
async fn receive(socket: &mut SocketClient, expected: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < expected {
        match timeout(EVENT_TIMEOUT, socket.events(1)).await {
            Ok(received) => events.extend(received.unwrap().into_iter().filter(is_modelled)),
            Err(_) => break,
        }
    }
    let nowhere = json!({ "conversation_id": "00000000-0000-4000-8000-000000000000" });
    let ack = timeout(EVENT_TIMEOUT, socket.request("typing", &nowhere)).await;
    ack.expect("no acknowledgement").unwrap();
    events.extend(socket.take_events().into_iter().filter(is_modelled));
    events
}

/// Whether the model knows of an event. How often lists are announced depends on the time:
/// `e2e/list-updates.test.mjs` is about these.
fn is_modelled((event, _): &Event) -> bool {
    !["inbox_updated", "queue_updated"].contains(&event.as_str())
}

struct RandomWalk {
    server: ApiServer,
    model: Model,
    /// In the order of the model's listeners.
    sockets: Vec<SocketClient>,
}

impl RandomWalk {
    /// Everyone is in the user directory and has a socket; one customer and one agent have two.
    async fn start(database: &ScratchDatabase, seed: u64) -> Self {
        let server = ApiServer::start(database).await;
        let mut model = Model::new(seed);
        for user in &model.users {
            server.get(&user.credentials, MY_CONVERSATIONS).await;
        }
        let connection = database.connection().await;
        while users::Entity::find().count(&connection).await.unwrap() < model.users.len() as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut sockets: Vec<SocketClient> = Vec::new();
        for user in 0..model.users.len() {
            sockets.push(connect(&server, &model.users[user].credentials).await);
            model.listen(user);
            if !model.is_agent(user) {
                continue;
            }
            // Every connected agent receives it, the new one too. Only then may the next agent connect.
            for agent in (0..sockets.len()).filter(|user| model.is_agent(*user)) {
                let events =
                    timeout(EVENT_TIMEOUT, sockets[agent].events(1)).await.expect("no agent_presence").unwrap();
                assert!(matches!(&events[..], [(event, _)] if event == "agent_presence"), "{events:?}");
            }
        }
        for user in [0, model.users.len() - 1] {
            sockets.push(connect(&server, &model.users[user].credentials).await);
            model.listen(user);
        }
        Self { server, model, sockets }
    }

    /// Chooses the next step and applies it to the model.
    fn choose(&mut self) -> Step {
        let model = &mut self.model;
        loop {
            let step = match model.random.random_range(0..100) {
                0..12 => Some(model.send()),
                12..13 => model.release_any(),
                13..14 => model.withdraw_handover(),
                14..17 => model.claim_any(),
                17..18 => model.reopen_any(),
                18..30 => model.reply(),
                30..33 => model.close_any(),
                33..37 => model.request_handover(),
                37..41 => model.respond_to_handover(),
                41..43 => model.ticket_of_conversation(),
                43..46 => model.repeat_send(),
                46..47 => model.call_without_role(),
                47..49 => model.rate_any(),
                49..51 => Some(model.create_ticket()),
                51..54 => model.add_message(),
                54..55 => model.rate_any_ticket(),
                55..59 => model.reply_in_ticket(),
                59..61 => model.change_status(),
                61..63 => model.assign_any(),
                63..64 => model.prioritise_any(),
                64..66 => model.mark_read(),
                66..68 => model.join_conversation(),
                68..70 => model.leave_conversation(),
                70..72 => model.join_ticket(),
                72..73 => model.leave_ticket(),
                73..76 => model.type_or_stop(),
                76..79 => Some(model.list_own()),
                79..84 => model.read_own(),
                84..88 => model.read_as_agent(),
                88..91 => model.read_timeline(),
                91..93 => model.read_ticket_as_agent(),
                93..94 => Some(model.list_own_tickets()),
                94..96 => model.read_own_ticket(),
                96..97 => Some(model.list_agents()),
                97..99 => Some(model.list_queue()),
                _ => Some(model.list_tickets()),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    async fn step(&mut self) -> Result<(), String> {
        let step = self.choose();
        self.execute(&step).await.map_err(|difference| format!("{step:?}\n\n{difference}"))?;
        self.compare_events().await.map_err(|difference| format!("{step:?}\n\n{difference}"))
    }

    async fn execute(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Call { method, path, caller, body, expected } => {
                let anonymous = TestUser::anonymous();
                let credentials = caller.map_or(&anonymous, |user| &self.model.users[user].credentials);
                let answer = self.server.request(method.clone(), credentials, path).send(body.clone()).await;
                if answer.status.as_u16() != expected.status() {
                    return Err(format!("{}: {}", answer.status, answer.body));
                }
                if !self.model.may_see_notes(*caller) && answer.body.to_string().contains(NOTE_MARKER) {
                    return Err(format!("a note in {}", answer.body));
                }
                self.model.placeholders.match_value(&expected.body(), &answer.body)
            }
            Step::Emit { socket, event, payload, ack } => {
                let answer = timeout(EVENT_TIMEOUT, self.sockets[*socket].request(event, payload)).await;
                self.model.placeholders.match_value(ack, &answer.expect("no acknowledgement").unwrap())
            }
        }
    }

    /// Compares what every socket has received. Within one step only the events of one room have an order.
    async fn compare_events(&mut self) -> Result<(), String> {
        let expected: Vec<Vec<Event>> =
            self.model.listeners.iter_mut().map(|listener| std::mem::take(&mut listener.expected)).collect();
        let counts: Vec<usize> = expected.iter().map(Vec::len).collect();
        let received = self.sockets.iter_mut().zip(counts).map(|(socket, count)| receive(socket, count));
        let received = join_all(received).await;
        for (socket, (mut expected, mut received)) in expected.into_iter().zip(received).enumerate() {
            let user = self.model.listeners[socket].user;
            let label = format!("at socket {socket}, of {}", self.model.users[user].id);
            let has_note = received.iter().any(|(_, payload)| payload.to_string().contains(NOTE_MARKER));
            if has_note && !self.model.may_see_notes(Some(user)) {
                return Err(format!("{label}: a note in {received:?}"));
            }
            let room = |(event, payload): &Event| {
                (event.clone(), payload["event"].to_string(), payload.get("ticket_id").is_some())
            };
            expected.sort_by_key(room);
            received.sort_by_key(room);
            let names = |events: &[Event]| events.iter().map(|(event, _)| event.clone()).collect::<Vec<_>>();
            if names(&expected) != names(&received) {
                return Err(format!("{label}:\n  expected {expected:?}\n  but got  {received:?}"));
            }
            for ((event, expected), (_, received)) in expected.iter().zip(&received) {
                let comparison = self.model.placeholders.match_value(expected, received);
                comparison.map_err(|difference| format!("{label}, {event} {difference}"))?;
            }
        }
        Ok(())
    }
}

on_both_databases! {
    async fn every_answer_and_every_event_is_what_the_contract_says(backend: Backend) {
        let seed = variable("MODEL_SEED").unwrap_or_else(rand::random);
        let default = if std::env::var_os("SOAK").is_some() { SOAK_STEPS } else { STEPS };
        let steps = variable("MODEL_STEPS").map_or(default, |steps| usize::try_from(steps).unwrap());
        print(seed, steps);
        let database = ScratchDatabase::create(backend).await;
        let mut walk = RandomWalk::start(&database, seed).await;
        for step in 1..=steps {
            if let Err(difference) = walk.step().await {
                panic!("MODEL_SEED={seed}, step {step}: {difference}");
            }
        }
        for conversation in &walk.model.conversations {
            let timestamps = &conversation.timestamps;
            assert!(walk.model.placeholders.are_ascending(timestamps), "MODEL_SEED={seed}: a timestamp precedes the last");
        }
    }
}
