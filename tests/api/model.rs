//! The whole server against a model of the contract: random calls, valid and not, of customers, guests and agents over
//! HTTP and sockets. Every answer is compared, and every event that every socket hears.
//!
//! The model is written from the contract alone and shares nothing with the server. `MODEL_SEED` repeats a walk,
//! `MODEL_STEPS` sets its length, and `SOAK=1` makes it 10 000 steps.

mod agents;
mod customers;
mod effects;
mod expected;
mod generator;
mod listener;
mod placeholders;
mod reads;
mod sockets;
mod tickets;
mod views;
mod world;

use std::time::Duration;

use entity::users;
use futures_util::future::join_all;
use rand::RngExt;
use sea_orm::{EntityTrait, PaginatorTrait};

use self::generator::{HUSH, Step};
use self::listener::{Ear, Heard};
use self::world::World;
use crate::support::{Backend, MINE, Person, TestDatabase, TestServer, on_both_databases};

const STEPS: usize = 400;
const STEPS_OF_A_SOAK: usize = 10_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[expect(clippy::print_stderr, reason = "a walk that went wrong can be taken again")]
fn print(seed: u64, steps: usize) {
    eprintln!("MODEL_SEED={seed} MODEL_STEPS={steps}");
}

struct Walk {
    server: TestServer,
    world: World,
    /// In the order of the world's listeners.
    ears: Vec<Ear>,
}

impl Walk {
    /// Everybody has been there once and is written down, and has a socket; one customer and one agent have two.
    async fn begin(database: &TestDatabase, seed: u64) -> Self {
        let server = TestServer::start(database).await;
        let mut world = World::new(seed);
        for someone in &world.people {
            server.get(&someone.person, MINE).await;
        }
        let hand = database.hand().await;
        while users::Entity::find().count(&hand).await.unwrap() < world.people.len() as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut ears = Vec::new();
        for person in (0..world.people.len()).chain([0, world.people.len() - 1]) {
            ears.push(Ear::connect(&server.url, &world.people[person].person.token).await);
            world.listen(person);
        }
        // That agents have come was heard by those who were there; that is not what is looked at here.
        for ear in &mut ears {
            let heard = ear.listen(0).await;
            assert!(heard.iter().all(|(event, _)| event == "agent_presence"), "{heard:?}");
        }
        Self { server, world, ears }
    }

    /// Chooses what is done next; what must come of it has happened in the model then.
    fn choose(&mut self) -> Step {
        let world = &mut self.world;
        loop {
            let step = match world.random.random_range(0..100) {
                0..14 => Some(world.send()),
                14..18 => world.claim_something(),
                18..30 => world.reply(),
                30..33 => world.close_something(),
                33..37 => world.hand_over(),
                37..41 => world.respond(),
                41..43 => world.ticket_of_conversation(),
                43..46 => world.repeat(),
                46..47 => world.intrude(),
                47..49 => world.rate_something(),
                49..51 => Some(world.create_ticket()),
                51..54 => world.add_message(),
                54..55 => world.rate_ticket_of_somebody(),
                55..59 => world.reply_in_ticket(),
                59..61 => world.change_status(),
                61..63 => world.assign_something(),
                63..64 => world.prioritise_something(),
                64..68 => world.join_conversation(),
                68..70 => world.leave_conversation(),
                70..72 => world.join_ticket(),
                72..73 => world.leave_ticket(),
                73..76 => world.type_something(),
                76..79 => Some(world.list_own()),
                79..84 => world.read_own(),
                84..88 => world.read_as_agent(),
                88..91 => world.read_timeline(),
                91..93 => world.read_ticket_as_agent(),
                93..94 => Some(world.list_own_tickets()),
                94..96 => world.read_own_ticket(),
                96..97 => Some(world.list_agents()),
                97..99 => Some(world.list_queue()),
                _ => Some(world.list_tickets()),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    async fn step(&mut self) -> Result<(), String> {
        let step = self.choose();
        self.carry_out(&step).await.map_err(|difference| format!("{step:?}\n\n{difference}"))?;
        self.listen().await.map_err(|difference| format!("{step:?}\n\n{difference}"))
    }

    async fn carry_out(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Call { method, path, who, body, expected } => {
                let nobody = Person::nobody();
                let person = who.map_or(&nobody, |person| &self.world.people[person].person);
                let answer = self.server.request(method.clone(), person, path).send(body.clone()).await;
                if answer.status.as_u16() != expected.status() {
                    return Err(format!("{}: {}", answer.status, answer.body));
                }
                if !self.world.may_hear_notes(*who) && answer.body.to_string().contains(HUSH) {
                    return Err(format!("a note in {}", answer.body));
                }
                self.world.unknowns.fit(&expected.body(), &answer.body)
            }
            Step::Emit { ear, event, payload, ack } => {
                let answer = self.ears[*ear].ask(event, payload).await;
                self.world.unknowns.fit(ack, &answer)
            }
        }
    }

    /// Compares what every socket has heard. Within one step only what is said in one place has an order.
    async fn listen(&mut self) -> Result<(), String> {
        let expected: Vec<Vec<Heard>> =
            self.world.listeners.iter_mut().map(|listener| std::mem::take(&mut listener.expected)).collect();
        let counts: Vec<usize> = expected.iter().map(Vec::len).collect();
        let heard = join_all(self.ears.iter_mut().zip(counts).map(|(ear, count)| ear.listen(count))).await;
        for (ear, (mut expected, mut heard)) in expected.into_iter().zip(heard).enumerate() {
            let person = self.world.listeners[ear].person;
            let whose = format!("at socket {ear}, of {}", self.world.people[person].id);
            if !self.world.may_hear_notes(Some(person)) && heard.iter().any(|(_, said)| said.to_string().contains(HUSH))
            {
                return Err(format!("{whose}: a note in {heard:?}"));
            }
            let place = |(event, payload): &Heard| {
                (event.clone(), payload["event"].to_string(), payload.get("ticket_id").is_some())
            };
            expected.sort_by_key(place);
            heard.sort_by_key(place);
            let events = |all: &[Heard]| all.iter().map(|(event, _)| event.clone()).collect::<Vec<_>>();
            if events(&expected) != events(&heard) {
                return Err(format!("{whose}:\n  expected {expected:?}\n  but heard {heard:?}"));
            }
            for ((event, expected), (_, heard)) in expected.iter().zip(&heard) {
                let fits = self.world.unknowns.fit(expected, heard);
                fits.map_err(|difference| format!("{whose}, {event} {difference}"))?;
            }
        }
        Ok(())
    }
}

on_both_databases! {
    async fn every_answer_and_every_event_is_what_the_contract_says(backend: Backend) {
        let seed = number("MODEL_SEED").unwrap_or_else(rand::random);
        let usual = if std::env::var_os("SOAK").is_some() { STEPS_OF_A_SOAK } else { STEPS };
        let steps = number("MODEL_STEPS").map_or(usual, |steps| usize::try_from(steps).unwrap());
        print(seed, steps);
        let database = TestDatabase::create(backend).await;
        let mut walk = Walk::begin(&database, seed).await;
        for step in 1..=steps {
            if let Err(difference) = walk.step().await {
                panic!("MODEL_SEED={seed}, step {step}: {difference}");
            }
        }
        for talk in &walk.world.talks {
            assert!(walk.world.unknowns.in_order(&talk.moments), "MODEL_SEED={seed}: time went back");
        }
    }
}
