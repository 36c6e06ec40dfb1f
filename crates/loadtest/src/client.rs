//! An app's client: a socket that joins conversations, reconnects as the stock client does when it is cut, and catches
//! up if the server could not recover its session.
//!
//! It is a task of its own, with a bounded queue of commands and a bounded queue of events.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::accounts::Account;
use super::event_recorder::{ClientEvent, EventRecorder};
use super::history::{Conversation, Elapsed, Listener};
use super::packet::ReceivedMessage;
use super::rest_actions::{self, MINE, path};
use super::run_state::RunState;
use super::socket::{Resume, Socket, SocketError};
use super::statistics::Operation;

/// The pause before a client tries again to reconnect.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);
/// How often it tries to reconnect.
const ATTEMPTS: u32 = 40;
/// The capacity of the queues of commands and events.
const QUEUE: usize = 1024;
/// Messages a page when it fetches what it missed.
const PAGE: usize = 200;

/// A command to a client.
pub(super) enum ClientCommand {
    /// Join a conversation; the answer is whether it has.
    Join(Conversation, String, oneshot::Sender<bool>),
    /// Leave it.
    Leave(Conversation, String),
    /// Emit an event about a conversation without an ack: `typing` or `stop_typing`.
    Emit(&'static str, String),
    /// Lose the connection and reconnect after `away`; answered once nothing is missing. With `forget`, the client cannot
    /// resume its session.
    Cut { away: Duration, forget: bool, back: oneshot::Sender<bool> },
}

/// The handle of a running client.
pub(super) struct Client {
    commands: mpsc::Sender<ClientCommand>,
    pub(super) events: mpsc::Receiver<ClientEvent>,
}

impl Client {
    /// Connects, and records the latency as [`Operation::Connect`]. Without `with_events`, the owner is sent no events.
    pub(super) async fn start(
        run_state: &Rc<RunState>,
        account: &Account,
        with_events: bool,
    ) -> Result<Self, SocketError> {
        let due = run_state.now();
        let (commands, command_receiver) = mpsc::channel(QUEUE);
        let (event_sender, events) = mpsc::channel(QUEUE);
        let recorder = EventRecorder {
            run_state: Rc::clone(run_state),
            person: run_state.person(&account.name),
            is_agent: run_state.accounts.agents.iter().any(|agent| agent.name == account.name),
            joined: HashMap::new(),
            event_sender: with_events.then_some(event_sender),
        };
        let mut app = App { recorder, account: account.clone() };
        let mut attempts = 0;
        let socket = loop {
            match app.connect(None).await {
                Ok(socket) => break socket,
                Err(SocketError::Refused(why)) if why == "HTTP 429" && attempts < ATTEMPTS => {
                    run_state.statistics.borrow_mut().limited += 1;
                    attempts += 1;
                    tokio::time::sleep(BETWEEN_ATTEMPTS).await;
                }
                Err(error) => return Err(error),
            }
        };
        run_state.record(Operation::Connect, due);
        tokio::task::spawn_local(app.run(socket, command_receiver));
        Ok(Self { commands, events })
    }

    /// Joins a conversation. Returns whether the server accepted.
    pub(super) async fn join(&self, conversation: Conversation, id: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        self.command(ClientCommand::Join(conversation, id.to_owned(), answer)).await;
        answered.await.unwrap_or(false)
    }

    /// Cuts the connection. Returns whether the client has reconnected.
    pub(super) async fn cut(&self, away: Duration, forget: bool) -> bool {
        let (back, is_back) = oneshot::channel();
        self.command(ClientCommand::Cut { away, forget, back }).await;
        is_back.await.unwrap_or(false)
    }

    /// Queues a command. A client that has ended ignores it.
    pub(super) async fn command(&self, command: ClientCommand) {
        let _ = self.commands.send(command).await;
    }
}

struct App {
    recorder: EventRecorder,
    account: Account,
}

impl App {
    async fn connect(&mut self, resume: Option<Resume>) -> Result<Socket, SocketError> {
        let recorder = &self.recorder;
        Socket::connect(&recorder.run_state.endpoint, &self.account.token, resume, &mut |name, array| {
            recorder.record(name, array)
        })
        .await
    }

    async fn run(mut self, mut socket: Socket, mut commands: mpsc::Receiver<ClientCommand>) {
        loop {
            let recorder = &self.recorder;
            let mut record = |name: &str, array: &str| recorder.record(name, array);
            tokio::select! {
                step = socket.step(&mut record) => {
                    if step.is_err() {
                        recorder.run_state.count("connections lost");
                        let resume = socket.resume.clone();
                        drop(socket);
                        match self.reconnect(Some(resume), Duration::ZERO).await {
                            Some(back) => socket = back,
                            None => return,
                        }
                    }
                }
                command = commands.recv() => match command {
                    None => return,
                    Some(ClientCommand::Cut { away, forget, back }) => {
                        let resume = (!forget).then(|| socket.resume.clone());
                        drop(socket);
                        recorder.run_state.count("connections cut");
                        match self.reconnect(resume, away).await {
                            Some(returned) => socket = returned,
                            None => return,
                        }
                        let _ = back.send(true);
                    }
                    Some(command) => self.handle(&mut socket, command).await,
                }
            }
        }
    }

    async fn handle(&mut self, socket: &mut Socket, command: ClientCommand) {
        match command {
            ClientCommand::Join(conversation, id, answer) => {
                let (run_state, person) = (&self.recorder.run_state, self.recorder.person);
                let listener = run_state.history.borrow_mut().add_listener(conversation, person, true);
                if let Some((before, _)) = self.recorder.joined.insert(conversation, (listener, id.clone())) {
                    run_state.history.borrow_mut().end_session(before, run_state.now());
                }
                let joined = self.join(socket, listener, &id).await;
                let _ = answer.send(joined.unwrap_or(false));
            }
            ClientCommand::Leave(conversation, id) => {
                let recorder = &self.recorder;
                let payload = format!("{{\"conversation_id\":\"{id}\"}}");
                let _ = socket
                    .emit_with_ack("leave_conversation", &payload, &mut |name, array| recorder.record(name, array))
                    .await;
                if let Some((listener, _)) = self.recorder.joined.remove(&conversation) {
                    self.recorder.run_state.history.borrow_mut().end_session(listener, self.recorder.run_state.now());
                }
            }
            ClientCommand::Emit(name, id) => {
                let _ = socket.emit(name, &format!("{{\"conversation_id\":\"{id}\"}}")).await;
            }
            ClientCommand::Cut { .. } => {}
        }
    }

    async fn join(&self, socket: &mut Socket, listener: Listener, id: &str) -> Result<bool, SocketError> {
        let (recorder, run_state) = (&self.recorder, &self.recorder.run_state);
        run_state.history.borrow_mut().begin_join(listener, run_state.now());
        let payload = format!("{{\"conversation_id\":\"{id}\"}}");
        let joined = socket
            .emit_with_ack("join_conversation", &payload, &mut |name, array| recorder.record(name, array))
            .await?;
        if joined {
            run_state.history.borrow_mut().complete_join(listener, run_state.now());
        } else {
            run_state.error("a join was refused");
        }
        Ok(joined)
    }

    /// Reconnects, and catches up: the server recovers the session, or else the client joins again and fetches.
    async fn reconnect(&mut self, resume: Option<Resume>, away: Duration) -> Option<Socket> {
        let run_state = Rc::clone(&self.recorder.run_state);
        tokio::time::sleep(away).await;
        let due = run_state.now();
        for _ in 0..ATTEMPTS {
            match self.resume_or_rejoin(resume.clone(), due).await {
                Ok(socket) => return Some(socket),
                Err(error) => run_state.error(format!("reconnect: {error}")),
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
        self.end_sessions();
        None
    }

    async fn resume_or_rejoin(&mut self, resume: Option<Resume>, due: Elapsed) -> Result<Socket, SocketError> {
        let mut socket = self.connect(resume).await?;
        let run_state = Rc::clone(&self.recorder.run_state);
        if socket.recovered {
            run_state.count("recovered by the server");
        } else {
            run_state.count("joined again");
            self.end_sessions();
            let joined: Vec<(Listener, String)> =
                self.recorder.joined.values().map(|(listener, id)| (*listener, id.clone())).collect();
            for (listener, id) in joined {
                let known = run_state.history.borrow()[listener].latest();
                self.join(&mut socket, listener, &id).await?;
                self.fetch(listener, &id, known).await;
            }
        }
        run_state.record(Operation::Return, due);
        Ok(socket)
    }

    /// Ends all sessions: events that are still on their way will not arrive.
    fn end_sessions(&self) {
        let now = self.recorder.run_state.now();
        let mut history = self.recorder.run_state.history.borrow_mut();
        self.recorder.joined.values().for_each(|(listener, _)| history.end_session(*listener, now));
    }

    /// Fetches the messages that it missed, page by page. It has joined already, so later ones are delivered.
    async fn fetch(&self, listener: Listener, id: &str, mut known: i64) {
        let run_state = &self.recorder.run_state;
        let mut http = run_state.http(&self.account);
        // A `position` is never less than the `seq`, so an agent who starts at the known `seq` reads some messages again and
        // misses none.
        let (base, key) =
            if self.recorder.is_agent { (rest_actions::QUEUE, "after_position") } else { (MINE, "after_seq") };
        loop {
            let answer = http.get(&path(&format!("{base}/{id}?{key}={known}&limit={PAGE}"))).await;
            let page = answer
                .as_ref()
                .ok()
                .filter(|answer| answer.status == 200)
                .and_then(|answer| messages_of_page(&answer.body));
            let Some(page) = page else {
                run_state.record_failure("fetch", &answer);
                return;
            };
            let now = run_state.now();
            for message in &page {
                known = known.max(if self.recorder.is_agent { message.position } else { message.seq }.unwrap_or(0));
                if let Some(seq) = message.seq {
                    let what = run_state.message(&message.id, &message.message);
                    run_state.history.borrow_mut().record_fetched(listener, seq, what, now);
                }
            }
            if page.len() < PAGE {
                return;
            }
        }
    }
}

/// The messages of a customer's or an agent's page.
pub(super) fn messages_of_page(body: &[u8]) -> Option<Vec<ReceivedMessage<'_>>> {
    #[derive(serde::Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        conversation: Option<Messages<'a>>,
        #[serde(borrow, default)]
        messages: Vec<ReceivedMessage<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Messages<'a> {
        #[serde(borrow)]
        messages: Vec<ReceivedMessage<'a>>,
    }
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    Some(page.data.conversation.map_or(page.data.messages, |conversation| conversation.messages))
}
