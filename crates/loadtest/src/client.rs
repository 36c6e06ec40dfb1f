//! Somebody's app: a socket that joins conversations, comes back when it is cut as the stock client does, and catches
//! up where the server could not give it all that it missed.
//!
//! It is a task of its own; whoever started it talks to it by a queue, and may have it tell what happens.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::accounts::Account;
use super::event_recorder::{ClientEvent, Ears};
use super::history::{Conversation, Listener, Moment};
use super::packet::SeenMessage;
use super::rest_actions::{self, MINE, path};
use super::run_state::World;
use super::socket::{Resume, Socket, SocketError};
use super::statistics::Operation;

/// Before a client that could not come back tries again.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);
/// How often it tries.
const ATTEMPTS: u32 = 40;
/// What may wait for it, or for whoever it tells.
const QUEUE: usize = 1024;
/// Messages in a page of what it missed.
const PAGE: usize = 200;

/// What a client may be asked for.
pub(super) enum ClientCommand {
    /// Join a conversation; the answer is whether it has.
    Join(Conversation, String, oneshot::Sender<bool>),
    /// Leave it.
    Leave(Conversation, String),
    /// Say that somebody types, or has stopped.
    Emit(&'static str, String),
    /// Lose the connection, and be away so long; the answer is when it is back and misses nothing.
    Cut { away: Duration, forget: bool, back: oneshot::Sender<bool> },
}

/// A client that runs.
pub(super) struct Client {
    wishes: mpsc::Sender<ClientCommand>,
    pub(super) news: mpsc::Receiver<ClientEvent>,
}

impl Client {
    /// Connects; the time it took is written down.
    pub(super) async fn start(world: &Rc<World>, account: &Account, tells: bool) -> Result<Self, SocketError> {
        let due = world.now();
        let (wishes, wished) = mpsc::channel(QUEUE);
        let (teller, news) = mpsc::channel(QUEUE);
        let ears = Ears {
            world: Rc::clone(world),
            person: world.person(&account.name),
            is_agent: world.people.agents.iter().any(|agent| agent.name == account.name),
            joined: HashMap::new(),
            teller: tells.then_some(teller),
        };
        let mut app = App { ears, account: account.clone() };
        let mut attempts = 0;
        let socket = loop {
            match app.connect(None).await {
                Ok(socket) => break socket,
                Err(SocketError::Refused(why)) if why == "HTTP 429" && attempts < ATTEMPTS => {
                    world.statistics.borrow_mut().limited += 1;
                    attempts += 1;
                    tokio::time::sleep(BETWEEN_ATTEMPTS).await;
                }
                Err(error) => return Err(error),
            }
        };
        world.record(Operation::Connect, due);
        tokio::task::spawn_local(app.run(socket, wished));
        Ok(Self { wishes, news })
    }

    /// Joins a conversation: whether it was let in.
    pub(super) async fn join(&self, conversation: Conversation, id: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        self.wish(ClientCommand::Join(conversation, id.to_owned(), answer)).await;
        answered.await.unwrap_or(false)
    }

    /// Is cut, and comes back: whether it did.
    pub(super) async fn cut(&self, away: Duration, forget: bool) -> bool {
        let (back, is_back) = oneshot::channel();
        self.wish(ClientCommand::Cut { away, forget, back }).await;
        is_back.await.unwrap_or(false)
    }

    /// Asks for something; one that is gone does nothing.
    pub(super) async fn wish(&self, wish: ClientCommand) {
        let _ = self.wishes.send(wish).await;
    }
}

struct App {
    ears: Ears,
    account: Account,
}

impl App {
    async fn connect(&mut self, resume: Option<Resume>) -> Result<Socket, SocketError> {
        let ears = &self.ears;
        Socket::connect(&ears.world.target, &self.account.token, resume, &mut |name, array| ears.hear(name, array))
            .await
    }

    async fn run(mut self, mut socket: Socket, mut wishes: mpsc::Receiver<ClientCommand>) {
        loop {
            let ears = &self.ears;
            let mut hear = |name: &str, array: &str| ears.hear(name, array);
            tokio::select! {
                step = socket.step(&mut hear) => {
                    if step.is_err() {
                        ears.world.count("connections lost");
                        let resume = socket.resume.clone();
                        drop(socket);
                        match self.come_back(Some(resume), Duration::ZERO).await {
                            Some(back) => socket = back,
                            None => return,
                        }
                    }
                }
                wish = wishes.recv() => match wish {
                    None => return,
                    Some(ClientCommand::Cut { away, forget, back }) => {
                        let resume = (!forget).then(|| socket.resume.clone());
                        drop(socket);
                        ears.world.count("connections cut");
                        match self.come_back(resume, away).await {
                            Some(returned) => socket = returned,
                            None => return,
                        }
                        let _ = back.send(true);
                    }
                    Some(wish) => self.grant(&mut socket, wish).await,
                }
            }
        }
    }

    async fn grant(&mut self, socket: &mut Socket, wish: ClientCommand) {
        match wish {
            ClientCommand::Join(conversation, id, answer) => {
                let (world, person) = (&self.ears.world, self.ears.person);
                let listener = world.history.borrow_mut().listener(conversation, person, true);
                if let Some((before, _)) = self.ears.joined.insert(conversation, (listener, id.clone())) {
                    world.history.borrow_mut().cut(before, world.now());
                }
                let joined = self.join(socket, listener, &id).await;
                let _ = answer.send(joined.unwrap_or(false));
            }
            ClientCommand::Leave(conversation, id) => {
                let ears = &self.ears;
                let payload = format!("{{\"conversation_id\":\"{id}\"}}");
                let _ = socket.ask("leave_conversation", &payload, &mut |name, array| ears.hear(name, array)).await;
                if let Some((listener, _)) = self.ears.joined.remove(&conversation) {
                    self.ears.world.history.borrow_mut().cut(listener, self.ears.world.now());
                }
            }
            ClientCommand::Emit(name, id) => {
                let _ = socket.emit(name, &format!("{{\"conversation_id\":\"{id}\"}}")).await;
            }
            ClientCommand::Cut { .. } => {}
        }
    }

    async fn join(&self, socket: &mut Socket, listener: Listener, id: &str) -> Result<bool, SocketError> {
        let (ears, world) = (&self.ears, &self.ears.world);
        world.history.borrow_mut().joining(listener, world.now());
        let payload = format!("{{\"conversation_id\":\"{id}\"}}");
        let joined = socket.ask("join_conversation", &payload, &mut |name, array| ears.hear(name, array)).await?;
        if joined {
            world.history.borrow_mut().joined(listener, world.now());
        } else {
            world.error("a join was refused");
        }
        Ok(joined)
    }

    /// Connects again, and gets what it missed: from the server's memory, or else by joining anew and fetching.
    async fn come_back(&mut self, resume: Option<Resume>, away: Duration) -> Option<Socket> {
        let world = Rc::clone(&self.ears.world);
        tokio::time::sleep(away).await;
        let due = world.now();
        for _ in 0..ATTEMPTS {
            match self.back(resume.clone(), due).await {
                Ok(socket) => return Some(socket),
                Err(error) => world.error(format!("coming back: {error}")),
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
        self.forget();
        None
    }

    async fn back(&mut self, resume: Option<Resume>, due: Moment) -> Result<Socket, SocketError> {
        let mut socket = self.connect(resume).await?;
        let world = Rc::clone(&self.ears.world);
        if socket.recovered {
            world.count("recovered by the server");
        } else {
            world.count("joined anew");
            self.forget();
            let joined: Vec<(Listener, String)> =
                self.ears.joined.values().map(|(listener, id)| (*listener, id.clone())).collect();
            for (listener, id) in joined {
                let known = world.history.borrow()[listener].latest();
                self.join(&mut socket, listener, &id).await?;
                self.fetch(listener, &id, known).await;
            }
        }
        world.record(Operation::Return, due);
        Ok(socket)
    }

    /// Whatever is still under way to it will not arrive.
    fn forget(&self) {
        let now = self.ears.world.now();
        let mut history = self.ears.world.history.borrow_mut();
        self.ears.joined.values().for_each(|(listener, _)| history.cut(*listener, now));
    }

    /// What came while it was away, page by page: whatever it does not hear from now on can be read now.
    async fn fetch(&self, listener: Listener, id: &str, mut known: i64) {
        let world = &self.ears.world;
        let mut http = world.http(&self.account);
        // Positions count more than places do, so an agent who pages by them reads some again, and misses none.
        let (base, key) =
            if self.ears.is_agent { (rest_actions::QUEUE, "after_position") } else { (MINE, "after_seq") };
        loop {
            let answer = http.get(&path(&format!("{base}/{id}?{key}={known}&limit={PAGE}"))).await;
            let page = answer.as_ref().ok().filter(|answer| answer.status == 200).and_then(|answer| seen(&answer.body));
            let Some(page) = page else {
                world.note_failure("fetch", &answer);
                return;
            };
            let now = world.now();
            for message in &page {
                known = known.max(if self.ears.is_agent { message.position } else { message.seq }.unwrap_or(0));
                if let Some(seq) = message.seq {
                    let what = world.message(&message.id, &message.message);
                    world.history.borrow_mut().fetched(listener, seq, what, now);
                }
            }
            if page.len() < PAGE {
                return;
            }
        }
    }
}

/// The messages of a customer's or an agent's page.
pub(super) fn seen(body: &[u8]) -> Option<Vec<SeenMessage<'_>>> {
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
        messages: Vec<SeenMessage<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Messages<'a> {
        #[serde(borrow)]
        messages: Vec<SeenMessage<'a>>,
    }
    let page: Page<'_> = serde_json::from_slice(body).ok()?;
    Some(page.data.conversation.map_or(page.data.messages, |conversation| conversation.messages))
}
