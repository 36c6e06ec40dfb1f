//! A simulated server: it drives the machines of the conversation as the actor does, and publishes to its subscribers.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::journal::Journal;
use super::world::{Happening, World};
use crate::conversation::core::{
    Backlog, ClockAndIds, CommandError, Defect, Effect, Effects, Input, LoadQuery, LoadedState, Lookup, Machine,
    MachineLimits, Publication, SubscriberId, Timer, Watermark,
};
use crate::domain::{Conversation, EventId, IdempotencyKey, Posted, Timestamp};

/// Numbers the machines of a run.
pub(super) type SlotId = usize;

/// What the machine looks for an event in doubt.
pub(super) const IN_DOUBT: Duration = Duration::from_secs(2);

pub(super) struct Server {
    /// Counts its starts; what belongs to an earlier life is void.
    pub(super) life: u64,
    pub(super) is_up: bool,
    /// The machine in the registry.
    current: Option<SlotId>,
    watermark: Watermark,
    pub(super) journal: Journal,
    /// Position of the last event that it has published in this life, unless it has forgotten the watermark since.
    published: Option<i64>,
    /// All events that it has published in this life.
    pub(super) announced: Vec<EventId>,
    /// Events that were reported failed in this life and may be stored.
    pub(super) in_doubt: Vec<EventId>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            life: 0,
            is_up: true,
            current: None,
            watermark: Watermark::unknown(),
            journal: Journal::default(),
            published: None,
            announced: Vec::new(),
            in_doubt: Vec::new(),
        }
    }
}

/// A machine and what its actor holds.
pub(super) struct Slot {
    pub(super) server: usize,
    life: u64,
    /// `None` when it has stopped.
    machine: Option<Machine>,
    mailbox: VecDeque<Input>,
    /// Counts how often each timer was set: only the last setting counts.
    timers: [u64; 3],
    /// The batch of backlogs that is being read.
    backlogs: Vec<(SubscriberId, Option<ReadBacklog>)>,
}

/// What a subscriber has missed, or why that is not known.
type ReadBacklog = Result<Vec<Posted>, CommandError>;

/// A read on its way.
pub(super) enum Read {
    Load(LoadQuery),
    Version,
    Send(Lookup, IdempotencyKey),
    Backlog(SubscriberId),
}

/// Ids and times of a simulated machine.
struct SimulatedClockAndIds {
    slot: u64,
    count: std::cell::Cell<u64>,
    clock: std::rc::Rc<std::cell::Cell<u64>>,
}

impl ClockAndIds for SimulatedClockAndIds {
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_timestamp_millis(1_700_000_000_000 + (self.clock.get() / 1000) as i64).expect("a valid time")
    }

    fn event_id(&self) -> EventId {
        self.count.set(self.count.get() + 1);
        EventId(Uuid::from_u64_pair(self.slot, self.count.get()))
    }
}

impl World {
    /// Gives the conversation's machine on a server a message, and starts one if there is none.
    pub(super) fn deliver(&mut self, server: usize, input: Input) {
        let slot = match self.servers[server].current {
            Some(slot) => slot,
            None => self.start_machine(server),
        };
        self.send(slot, input);
    }

    fn start_machine(&mut self, server: usize) -> SlotId {
        let slot = self.slots.len();
        let environment =
            SimulatedClockAndIds { slot: slot as u64, count: std::cell::Cell::new(0), clock: self.clock.clone() };
        let limits = MachineLimits {
            in_flight: 64,
            idempotency_cache: 2,
            catch_up_events: 1_000,
            in_doubt: IN_DOUBT,
            trim_after: Duration::from_micros(self.script.passivate_after / 2),
            passivate_after: Duration::from_micros(self.script.passivate_after),
        };
        let watermark = self.servers[server].watermark.clone();
        let machine = Machine::new(self.id, limits, watermark, Box::new(environment), self.defects, self.instant());
        let life = self.servers[server].life;
        self.slots.push(Slot {
            server,
            life,
            machine: Some(machine),
            mailbox: VecDeque::new(),
            timers: [0; 3],
            backlogs: Vec::new(),
        });
        self.servers[server].current = Some(slot);
        self.note(|| format!("server {server}: machine {slot} starts"));
        self.input(slot, Input::Started);
        slot
    }

    /// Puts a message into a machine's mailbox.
    pub(super) fn send(&mut self, slot: SlotId, input: Input) {
        if self.is_running(slot) {
            self.slots[slot].mailbox.push_back(input);
            // A busy thread lets messages wait, also those of a machine that is leaving.
            let longest = if self.chance(1, 8) { 6_000 } else { 60 };
            let pause = self.number(0, longest);
            self.later(pause, Happening::Mailbox(slot));
        }
    }

    /// Asks the server's machine to give way to another conversation.
    pub(super) fn make_room(&mut self, server: usize) {
        if let Some(slot) = self.servers[server].current {
            self.send(slot, Input::Passivate);
        }
    }

    /// The machine takes the next message out of its mailbox.
    pub(super) fn receive(&mut self, slot: SlotId) {
        if self.is_running(slot)
            && let Some(input) = self.slots[slot].mailbox.pop_front()
        {
            let is_passivated = self.slots[slot].machine.as_ref().is_some_and(Machine::is_passivated);
            if is_passivated && matches!(input, Input::Command(..) | Input::Subscribe { .. }) {
                let server = self.slots[slot].server;
                self.note(|| format!("machine {slot} forwards {}", brief(&input)));
                self.deliver(server, input);
            } else {
                self.input(slot, input);
            }
        }
    }

    fn is_running(&self, slot: SlotId) -> bool {
        let Slot { server, life, machine, .. } = &self.slots[slot];
        let server = &self.servers[*server];
        machine.is_some() && server.is_up && server.life == *life
    }

    /// Gives a machine an input and carries out its effects, as the actor does.
    pub(super) fn input(&mut self, slot: SlotId, input: Input) {
        if !self.is_running(slot) {
            return;
        }
        self.note(|| format!("machine {slot} <- {}", brief(&input)));
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let now = self.instant();
            let Some(machine) = self.slots[slot].machine.as_mut() else { return };
            let mut effects = Effects::default();
            let has_panicked = if self.defects.has(Defect::Panic) {
                catch_unwind(AssertUnwindSafe(|| machine.handle(input, now, &mut effects))).is_err()
            } else {
                machine.handle(input, now, &mut effects);
                false
            };
            for effect in effects.drain() {
                next = self.execute(slot, effect).or(next);
            }
            if has_panicked {
                next = Some(Input::Panicked);
            }
        }
        self.collect_answers();
    }

    fn execute(&mut self, slot: SlotId, effect: Effect) -> Option<Input> {
        let server = self.slots[slot].server;
        match effect {
            Effect::Append(append) => return Some(self.append(slot, append)),
            Effect::AbortEpoch(epoch) => self.servers[server].journal.abort(slot, epoch),
            Effect::Load(load) => self.begin_read(slot, Read::Load(load)),
            Effect::ReadVersion => self.begin_read(slot, Read::Version),
            Effect::FindSend { lookup, key } => self.begin_read(slot, Read::Send(lookup, key)),
            Effect::Reply(responder, outcome) => responder.respond(outcome),
            Effect::Publish(publication) => self.publish(server, &publication),
            Effect::ReadBacklogs(subscribers) => {
                self.slots[slot].backlogs = subscribers.iter().map(|subscriber| (*subscriber, None)).collect();
                for subscriber in subscribers {
                    self.begin_read(slot, Read::Backlog(subscriber));
                }
            }
            Effect::Attach(subscriber, backlog) => self.attach(server, subscriber, backlog),
            Effect::SetTimer(timer, pause) => {
                let setting = &mut self.slots[slot].timers[timer as usize];
                *setting += 1;
                let setting = *setting;
                let pause = u64::try_from(pause.as_micros()).expect("a short time");
                self.later(pause, Happening::Timer(slot, timer, setting));
            }
            Effect::Passivate => {
                self.note(|| format!("machine {slot} leaves the registry"));
                if self.servers[server].current == Some(slot) {
                    self.servers[server].current = None;
                }
                self.send(slot, Input::Drained);
            }
            Effect::Stop => {
                self.note(|| format!("machine {slot} stops"));
                self.slots[slot].machine = None;
                self.slots[slot].mailbox.clear();
            }
        }
        None
    }

    pub(super) fn tick(&mut self, slot: SlotId, timer: Timer, setting: u64) {
        if self.slots[slot].timers[timer as usize] == setting {
            self.input(slot, Input::Tick(timer));
        }
    }

    fn begin_read(&mut self, slot: SlotId, read: Read) {
        let pause = self.read_time();
        self.later(pause, Happening::Read(slot, read));
    }

    /// A read reaches the database.
    pub(super) fn read(&mut self, slot: SlotId, read: Read) {
        let is_failed = self.read_fails();
        let pause = self.read_time();
        let failed = || CommandError::Unavailable;
        let input = match read {
            // The rest of a load follows.
            Read::Load(load) if !is_failed => {
                let state = self.database.state().map(|state| Box::new(Conversation::clone(state)));
                self.later(pause, Happening::RestOfLoad(slot, load, state));
                return;
            }
            Read::Load(_) => Input::Loaded(Err(failed())),
            Read::Version if is_failed => Input::VersionRead(Err(failed())),
            Read::Version => Input::VersionRead(Ok(self.database.version())),
            Read::Send(lookup, key) => {
                let found = if is_failed { Err(failed()) } else { Ok(self.database.find_send(&key).map(Box::new)) };
                Input::SendFound { lookup, found }
            }
            Read::Backlog(subscriber) => {
                let read = if is_failed { Err(failed()) } else { Ok(self.missed_messages(subscriber)) };
                self.end_backlog(slot, subscriber, read, pause);
                return;
            }
        };
        self.later(pause, Happening::Input(slot, input));
    }

    /// The rest of a load: tickets, handovers, sends and events are read after the conversation.
    pub(super) fn rest_of_load(&mut self, slot: SlotId, load: &LoadQuery, state: Option<Box<Conversation>>) {
        let version = state.as_ref().map_or(0, |state| state.version);
        let conversation = state.map(|mut state| {
            if let Some(newer) = self.database.state() {
                state.pending_handover.clone_from(&newer.pending_handover);
                state.pending_since = newer.pending_since;
            }
            *state
        });
        let sends = load.keys.iter().filter_map(|key| self.database.find_send(key)).collect();
        let events = load.events.map(|after| self.database.events_after(after, version)).unwrap_or_default();
        let pause = self.read_time();
        let loaded = Box::new(LoadedState { conversation, sends, events });
        self.later(pause, Happening::Input(slot, Input::Loaded(Ok(loaded))));
    }

    fn end_backlog(&mut self, slot: SlotId, subscriber: SubscriberId, read: ReadBacklog, pause: u64) {
        let backlogs = &mut self.slots[slot].backlogs;
        if let Some((_, backlog)) = backlogs.iter_mut().find(|(reader, _)| *reader == subscriber) {
            *backlog = Some(read);
        }
        if backlogs.iter().all(|(_, backlog)| backlog.is_some()) {
            let read = std::mem::take(backlogs);
            let read = read.into_iter().filter_map(|(subscriber, backlog)| Some((subscriber, backlog?))).collect();
            self.later(pause, Happening::Input(slot, Input::BacklogsRead(read)));
        }
    }

    /// Checks what a server publishes, and shows it to its subscribers.
    fn publish(&mut self, server: usize, publication: &Publication) {
        for event in publication.events() {
            let at = usize::try_from(event.position - 1).expect("a position from 1");
            let is_stored = self.database.events().get(at).is_some_and(|stored| stored.id == event.id);
            if !is_stored {
                self.fail(format!("server {server} publishes event {}, which is not stored", event.position));
            }
            if let Some(last) = self.servers[server].published
                && event.position != last + 1
            {
                self.fail(format!("server {server} publishes event {} after event {last}", event.position));
            }
            self.servers[server].published = Some(event.position);
            self.servers[server].announced.push(event.id);
            self.note(|| format!("server {server} publishes event {}", event.position));
            self.show(server, event);
        }
    }

    fn attach(&mut self, server: usize, subscriber: SubscriberId, backlog: Result<Backlog, CommandError>) {
        self.note(|| {
            let read = backlog.as_ref().map(|backlog| backlog.messages.len());
            format!("server {server} attaches subscriber {}: {read:?}", subscriber.0)
        });
        self.subscribed(server, subscriber, backlog);
    }

    pub(super) fn crash(&mut self, server: usize) {
        if !self.servers[server].is_up || self.servers.iter().filter(|server| server.is_up).count() == 1 {
            return;
        }
        self.note(|| format!("server {server} crashes"));
        self.crash_journal(server);
        for slot in self.slots.iter_mut().filter(|slot| slot.server == server) {
            slot.machine = None;
        }
        let life = self.servers[server].life + 1;
        self.servers[server] = Server { life, is_up: false, ..Server::new() };
        self.cut_listeners(server);
        self.collect_answers();
        let pause = self.number(1_000, 100_000);
        self.later(pause, Happening::Restart(server));
    }

    /// Forgets the watermark, if neither a machine nor a subscriber needs it.
    pub(super) fn evict(&mut self, server: usize) {
        let is_used = self.slots.iter().any(|slot| slot.server == server && slot.machine.is_some());
        if !is_used && !self.has_listeners(server) {
            self.note(|| format!("server {server} forgets its watermark"));
            let server = &mut self.servers[server];
            server.watermark = Watermark::unknown();
            server.published = None;
            server.in_doubt.clear();
        }
    }

    pub(super) fn instant(&self) -> Instant {
        self.started + Duration::from_micros(self.now)
    }
}

fn brief(input: &Input) -> String {
    let text = format!("{input:?}");
    text.chars().take(160).collect()
}
