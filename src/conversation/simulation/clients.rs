//! The clients of a simulated run: what they ask for, retry and hear, recorded in a history.

use switchboard_loadtest::history::{self, Elapsed, History, Outcome, Person, RefusalKind};
use tokio::sync::oneshot::error::TryRecvError;
use uuid::Uuid;

use super::listeners::{Link, Listener};
use super::script::{Action, Fault, Script};
use super::world::{Happening, World};
use crate::conversation::core::{CommandError, ConversationCommand, Defect, Input, Responder};
use crate::domain::{
    AddNote, AnswerHandover, Claim, Close, Command, HandoverId, Open, Reason, Refusal, RequestHandover, SendMessage,
    SendReply, SubmitRating, Target,
};
use crate::testing::{account, agent, answer_handover, claim, close, customer, note_as, open, rate, reply_as, send_as};

/// Numbers the attempts of a run: a call is attempted once or more.
pub(super) type AttemptId = usize;

/// A caller waits for so many microseconds.
const PATIENCE: u64 = 2_000_000;

pub(super) struct Clients {
    pub(super) history: History,
    pub(super) conversation: history::Conversation,
    customer: Person,
    pub(super) agents: Vec<Person>,
    calls: Vec<Call>,
    attempts: Vec<Attempt>,
    pub(super) listeners: Vec<Listener>,
    /// The handover that was requested last: its call, its id, and who was asked.
    handover: Option<(history::Call, HandoverId, usize)>,
    /// How many subscriptions there were.
    pub(super) subscribers: u64,
}

struct Call {
    record: history::Call,
    command: Command,
    /// The agent who was asked, for a handover that is requested.
    target: Option<usize>,
    /// Attempts that are under way.
    pending: usize,
    /// Whether an attempt ended without saying what came of it.
    is_uncertain: bool,
    outcome: Option<Outcome>,
}

struct Attempt {
    call: usize,
    server: usize,
    life: u64,
    answer: Option<Waiting>,
}

/// Takes an answer out of its channel when it is there.
type Waiting = Box<dyn FnMut() -> Option<Result<Answer, Unanswered>>>;

/// What a call is answered with, as far as it matters here.
enum Answer {
    Message(Option<i64>),
    Handover(HandoverId),
    Done,
}

/// Why there is no answer.
enum Unanswered {
    Error(CommandError),
    /// The machine has dropped the command.
    Dropped,
}

impl Clients {
    pub(super) fn new(script: &Script) -> Self {
        let mut history = History::new();
        let customer = history.add_person("jane", false);
        let agents: Vec<Person> =
            (0..script.agents).map(|number| history.add_person(agent_name(number), true)).collect();
        let conversation = history.add_conversation(customer);
        let listeners = (0..script.listeners)
            .map(|number| {
                let agent = (number % 2 == 1).then_some(number % script.agents);
                let person = agent.map_or(customer, |agent| agents[agent]);
                let record = history.add_listener(conversation, person, true);
                Listener { record, agent, last: 0, link: Link::Absent }
            })
            .collect();
        Self {
            history,
            conversation,
            customer,
            agents,
            calls: Vec::new(),
            attempts: Vec::new(),
            listeners,
            handover: None,
            subscribers: 0,
        }
    }

    /// Whether every call has ended and no listener waits.
    pub(super) fn are_done(&self) -> bool {
        self.calls.iter().all(|call| call.outcome.is_some() && call.pending == 0)
            && self.listeners.iter().all(|listener| matches!(listener.link, Link::Absent | Link::Attached(_)))
    }

    pub(super) fn unfinished(&self) -> String {
        let calls = self.calls.iter().filter(|call| call.outcome.is_none() || call.pending > 0);
        let calls: Vec<_> = calls.map(|call| self.history[call.record].action).collect();
        let waiting = |listener: &&Listener| !matches!(listener.link, Link::Absent | Link::Attached(_));
        format!("calls {calls:?}, {} listeners", self.listeners.iter().filter(waiting).count())
    }
}

fn agent_name(number: usize) -> String {
    format!("agent-{number}")
}

impl World {
    pub(super) fn elapsed(&self) -> Elapsed {
        Elapsed(self.now * 1000)
    }

    /// A client makes a call at a server.
    pub(super) fn call_at(&mut self, server: usize, action: Action) {
        let Some((by, recorded, target)) = self.recorded(action) else { return };
        let now = self.elapsed();
        let conversation = self.clients.conversation;
        let record = self.clients.history.invoke(conversation, by, recorded, now);
        let command = self.command(action, record);
        let call = self.clients.calls.len();
        self.clients.calls.push(Call { record, command, target, pending: 0, is_uncertain: false, outcome: None });
        self.note(|| format!("call {} at server {server}: {action:?}", record.0));
        self.attempt(call, server);
        // Before the conversation exists, one of two attempts may be refused and the other not.
        if action == (Action::Send { is_doubled: true }) && self.database.version() > 0 {
            let other = (server + 1) % self.servers.len();
            self.attempt(call, other);
        }
    }

    /// Who makes a call, and as what it is recorded; `None` if there is no handover to answer.
    fn recorded(&self, action: Action) -> Option<(Person, history::Action, Option<usize>)> {
        let Clients { customer, agents, handover, .. } = &self.clients;
        Some(match action {
            Action::Open => (*customer, history::Action::Open, None),
            Action::Send { .. } => (*customer, history::Action::Send, None),
            Action::Reply(by) => (agents[by], history::Action::Reply, None),
            Action::Note(by) => (agents[by], history::Action::Note, None),
            Action::Claim(by) => (agents[by], history::Action::Claim, None),
            Action::Close(by) => (agents[by], history::Action::Close, None),
            Action::Rate => (*customer, history::Action::Rate, None),
            Action::RequestHandover(by, to) => (agents[by], history::Action::Handover(agents[to]), Some(to)),
            Action::AnswerHandover { accepts } => {
                let (handover, _, to) = (*handover)?;
                (agents[to], history::Action::Respond { handover, accept: accepts }, None)
            }
            Action::Subscribe(_) | Action::Disconnect(_) | Action::Crash | Action::Evict | Action::MakeRoom => {
                return None;
            }
        })
    }

    fn command(&self, action: Action, record: history::Call) -> Command {
        let (text, key) = (format!("call {}", record.0), format!("key-{}", record.0));
        match action {
            Action::Open => open(customer("jane"), &text, &key),
            Action::Send { .. } => send_as(customer("jane"), &text, &key),
            Action::Reply(by) => reply_as(&agent_name(by), &text, &key),
            Action::Note(by) => note_as(&agent_name(by), &text, &key),
            Action::Claim(by) => claim(&agent_name(by)),
            Action::Close(by) => close(&agent_name(by)),
            Action::Rate => rate(Target::Conversation, customer("jane"), 5.0),
            Action::RequestHandover(by, to) => RequestHandover {
                id: HandoverId(Uuid::from_u64_pair(u64::MAX, u64::from(record.0))),
                from: agent(&agent_name(by)),
                to: Some(account(&agent_name(to))),
                to_name: Some(agent_name(to)),
                reason: Reason::parse("lunch").ok(),
                is_target_online: true,
            }
            .into(),
            Action::AnswerHandover { accepts } => {
                let (_, id, to) = self.clients.handover.expect("a handover, see recorded");
                answer_handover(&agent_name(to), id, accepts)
            }
            Action::Subscribe(_) | Action::Disconnect(_) | Action::Crash | Action::Evict | Action::MakeRoom => {
                unreachable!("no call")
            }
        }
    }

    fn attempt(&mut self, call: usize, server: usize) {
        let server = self.next_up(server);
        let life = self.servers[server].life;
        let attempt = self.clients.attempts.len();
        self.clients.attempts.push(Attempt { call, server, life, answer: None });
        self.clients.calls[call].pending += 1;
        let pause = self.network_time();
        self.later(pause, Happening::Attempt(attempt));
        let is_impatient = self.strikes(Fault::ImpatientCallers) && self.chance(1, 5);
        let patience = if is_impatient { self.number(100, 8_000) } else { PATIENCE };
        self.later(patience, Happening::GiveUp(attempt));
    }

    pub(super) fn next_up(&self, server: usize) -> usize {
        let count = self.servers.len();
        (0..count).map(|offset| (server + offset) % count).find(|server| self.servers[*server].is_up).unwrap_or(server)
    }

    pub(super) fn attempt_arrives(&mut self, attempt: AttemptId) {
        let Attempt { call, server, life, .. } = self.clients.attempts[attempt];
        if self.is_ended(attempt) {
            return;
        }
        if !self.servers[server].is_up || self.servers[server].life != life {
            self.end_attempt(attempt, Err(Unanswered::Error(CommandError::Unavailable)));
            return;
        }
        let command = self.clients.calls[call].command.clone();
        let (responder, waiting) = ask(&command);
        self.clients.attempts[attempt].answer = Some(waiting);
        self.deliver(server, Input::Command(command, responder));
    }

    /// An attempt that is not under way any more has no server.
    fn is_ended(&self, attempt: AttemptId) -> bool {
        self.clients.attempts[attempt].server == usize::MAX
    }

    pub(super) fn give_up(&mut self, attempt: AttemptId) {
        if !self.is_ended(attempt) {
            self.note(|| format!("attempt {attempt} is given up"));
            self.end_attempt(attempt, Err(Unanswered::Error(CommandError::Unavailable)));
        }
    }

    /// Takes the answers that have arrived.
    pub(super) fn collect_answers(&mut self) {
        for attempt in 0..self.clients.attempts.len() {
            let Attempt { server, life, answer, .. } = &mut self.clients.attempts[attempt];
            if *server == usize::MAX {
                continue;
            }
            let (server, life) = (*server, *life);
            let Some(answer) = answer.as_mut().and_then(|waiting| waiting()) else { continue };
            let has_crashed = self.servers[server].life != life;
            // A machine that panics over a command loses it.
            let is_panicking = self.defects.has(Defect::Panic);
            match answer {
                Err(Unanswered::Dropped) if has_crashed || is_panicking => {
                    self.end_attempt(attempt, Err(Unanswered::Error(CommandError::Unavailable)));
                }
                answer => self.end_attempt(attempt, answer),
            }
        }
    }

    fn end_attempt(&mut self, attempt: AttemptId, answer: Result<Answer, Unanswered>) {
        let call = self.clients.attempts[attempt].call;
        self.clients.attempts[attempt].server = usize::MAX;
        self.clients.attempts[attempt].answer = None;
        self.clients.calls[call].pending -= 1;
        let Call { record, target, .. } = self.clients.calls[call];
        match answer {
            Ok(answer) => {
                let seq = match answer {
                    Answer::Message(seq) => seq,
                    Answer::Handover(id) => {
                        self.clients.handover = target.map(|to| (record, id, to));
                        None
                    }
                    Answer::Done => None,
                };
                self.end_call(call, Outcome::Ok { seq });
            }
            Err(Unanswered::Error(CommandError::Refused(refusal))) => {
                let kind = kind(&refusal);
                // An earlier attempt may still take effect, but not in a closed conversation: it stays closed.
                let is_final =
                    !self.clients.calls[call].is_uncertain || (self.is_send(call) && kind == RefusalKind::Closed);
                let outcome = if is_final { Outcome::Refused(kind) } else { Outcome::Unknown };
                self.end_call(call, outcome);
            }
            Err(Unanswered::Dropped) => self.fail(format!("the command of call {} is dropped", record.0)),
            Err(Unanswered::Error(_)) => {
                self.clients.calls[call].is_uncertain = true;
                if self.clients.calls[call].command.idempotency_key().is_some() {
                    let pause = self.number(500, 20_000);
                    self.later(pause, Happening::Retry(call));
                } else {
                    self.end_call(call, Outcome::Unknown);
                }
            }
        }
    }

    /// Whether it is a customer's message: every attempt at it has the same answer.
    fn is_send(&self, call: usize) -> bool {
        matches!(self.clients.calls[call].command, Command::Open(_) | Command::Send(_))
    }

    pub(super) fn retry(&mut self, call: usize) {
        if self.clients.calls[call].outcome.is_none() {
            let server = usize::try_from(self.number(0, self.servers.len() as u64)).expect("a server");
            self.attempt(call, server);
        }
    }

    fn end_call(&mut self, call: usize, outcome: Outcome) {
        let record = self.clients.calls[call].record;
        self.note(|| format!("call {}: {outcome:?}", record.0));
        match self.clients.calls[call].outcome {
            Some(first) if first != outcome && self.is_send(call) => {
                self.fail(format!("call {} is answered {first:?} and {outcome:?}", record.0));
            }
            Some(_) => {}
            None => {
                self.clients.calls[call].outcome = Some(outcome);
                let now = self.elapsed();
                self.clients.history.finish(record, outcome, now);
            }
        }
    }
}

/// A responder for a command, and where its answer arrives.
fn ask(command: &Command) -> (Responder, Waiting) {
    match command {
        Command::Open(_) => typed::<Open>(|opened| Answer::Message(opened.message.message.seq)),
        Command::Send(_) => typed::<SendMessage>(|sent| Answer::Message(sent.message.message.seq)),
        Command::Reply(_) => typed::<SendReply>(|posted| Answer::Message(posted.message.seq)),
        Command::Note(_) => typed::<AddNote>(|posted| Answer::Message(posted.message.seq)),
        Command::Claim(_) => typed::<Claim>(|_| Answer::Done),
        Command::Close(_) => typed::<Close>(|()| Answer::Done),
        Command::Rate(_) => typed::<SubmitRating>(|()| Answer::Done),
        Command::RequestHandover(_) => typed::<RequestHandover>(|handover| Answer::Handover(handover.id)),
        Command::AnswerHandover(_) => typed::<AnswerHandover>(|()| Answer::Done),
        other => unreachable!("no client asks for {other:?}"),
    }
}

fn typed<C: ConversationCommand>(answer: fn(C::Answer) -> Answer) -> (Responder, Waiting) {
    let (responder, mut receiver) = Responder::new::<C>();
    let waiting = move || match receiver.try_recv() {
        Ok(outcome) => Some(outcome.map(answer).map_err(Unanswered::Error)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(Unanswered::Dropped)),
    };
    (responder, Box::new(waiting))
}

fn kind(refusal: &Refusal) -> RefusalKind {
    match refusal {
        Refusal::SendToClosed
        | Refusal::ClaimClosed
        | Refusal::ReplyToClosed
        | Refusal::AlreadyClosed
        | Refusal::TransferClosed => RefusalKind::Closed,
        Refusal::ClaimedByAnother | Refusal::AssignedToAnother | Refusal::TransferNotAssignee => {
            RefusalKind::HeldByAnother
        }
        Refusal::RateOpen => RefusalKind::NotClosed,
        Refusal::AlreadyRated => RefusalKind::AlreadyRated,
        Refusal::TransferPending => RefusalKind::HandoverPending,
        Refusal::HandoverResolved => RefusalKind::HandoverResolved,
        _ => RefusalKind::Other,
    }
}
