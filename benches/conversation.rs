//! What a command costs in the conversation machine, without journal and database: time and allocations for a send that
//! is committed and published, and for a claim that is refused because another agent has the conversation.
//!
//! `cargo bench --bench conversation`. A send includes building the command and the caller's channel.

#![allow(missing_docs, clippy::print_stdout, clippy::expect_used, clippy::panic)]

use std::cell::Cell;
use std::time::{Duration, Instant};

use switchboard::conversation::core::{
    ClockAndIds, ConversationCommand, Defects, Effect, Effects, Input, Machine, MachineLimits, Responder, Watermark,
};
use switchboard::domain::{
    Agent, Channel, Claim, ConversationId, Customer, EventId, MessageText, Open, Origin, Owner, Post, SendMessage,
    Target, Timestamp, UserId,
};
use uuid::Uuid;

const COMMANDS: u32 = 100_000;
const ROUNDS: usize = 5;

/// A clock that does not move, and ids that are numbers.
struct Numbers(Cell<u128>);

impl ClockAndIds for Numbers {
    fn timestamp(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn event_id(&self) -> EventId {
        self.0.set(self.0.get() + 1);
        EventId(Uuid::from_u128(self.0.get()))
    }
}

/// A machine whose appends are committed at once, and whose reads find what is committed.
struct Driver {
    machine: Machine,
    effects: Effects,
    now: Instant,
    stored: i64,
}

impl Driver {
    fn new() -> Self {
        let limits = MachineLimits {
            in_flight: 1000,
            idempotency_cache: 100,
            catch_up_events: 500,
            in_doubt: Duration::from_secs(60),
            trim_after: Duration::from_secs(600),
            passivate_after: Duration::from_secs(3600),
        };
        let (id, now) = (ConversationId(Uuid::from_u128(1)), Instant::now());
        let environment = Box::new(Numbers(Cell::new(0)));
        let machine = Machine::new(id, limits, Watermark::unknown(), environment, Defects::default(), now);
        Self { machine, effects: Effects::default(), now, stored: 0 }
    }

    fn input(&mut self, input: Input) {
        let mut next = vec![input];
        while let Some(input) = next.pop() {
            self.machine.handle(input, self.now, &mut self.effects);
            for effect in self.effects.drain() {
                match effect {
                    Effect::Append(append) => {
                        self.stored = append.state.version;
                        // Taken from the end: queued, then committed.
                        next.push(Input::Committed { epoch: append.epoch, version: append.state.version });
                        next.push(Input::Queued);
                    }
                    Effect::ReadVersion => next.push(Input::VersionRead(Ok(self.stored))),
                    Effect::Reply(responder, outcome) => responder.respond(outcome),
                    _ => {}
                }
            }
        }
    }

    fn execute<C: ConversationCommand>(&mut self, command: C) -> bool {
        let (responder, mut answer) = Responder::new::<C>();
        self.input(Input::Command(command.into(), responder));
        answer.try_recv().expect("an answer").is_ok()
    }
}

fn agent(id: &str) -> Agent {
    Agent { id: UserId::parse(id).expect("an id"), name: id.to_owned(), email: None }
}

fn opened() -> (Driver, Customer) {
    let account = UserId::parse("ada").expect("an id");
    let customer = Customer {
        owner: Owner::Account(account),
        name: Some("Ada".to_owned()),
        email: Some("ada@example.com".to_owned()),
        phone_number: None,
    };
    let origin = Origin {
        channel: Channel::Support,
        customer: customer.clone(),
        device_metadata: None,
        ip_address: None,
        user_agent: None,
    };
    let text = MessageText::parse("Hello").expect("a text");
    let mut driver = Driver::new();
    assert!(driver.execute(Open { origin, text, ticket: None, client_message_id: None }));
    (driver, customer)
}

/// Nanoseconds and allocations for each command: the median and the minimum of some rounds.
fn measure(name: &str, mut execute: impl FnMut()) {
    let mut rounds = Vec::new();
    let mut allocations = u64::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let counted = allocation_counter::measure(|| (0..COMMANDS).for_each(|_| execute()));
        rounds.push(begun.elapsed());
        allocations = allocations.min(counted.count_total);
    }
    rounds.sort();
    let median = rounds.get(ROUNDS / 2).map_or(f64::NAN, |median| median.as_nanos() as f64 / f64::from(COMMANDS));
    println!("{name:14} {median:8.0} ns {:8.2} allocations", allocations as f64 / f64::from(COMMANDS));
}

fn main() {
    let (mut driver, customer) = opened();
    let text = MessageText::parse("Is anyone there?").expect("a text");
    measure("send", || {
        let (target, from, text) = (Target::Conversation, customer.clone(), text.clone());
        assert!(driver.execute(SendMessage(Post { target, from, text, client_message_id: None })));
    });

    let (mut driver, _) = opened();
    assert!(driver.execute(Claim { by: agent("grace") }));
    let edsger = agent("edsger");
    measure("refused claim", || assert!(!driver.execute(Claim { by: edsger.clone() })));
}
