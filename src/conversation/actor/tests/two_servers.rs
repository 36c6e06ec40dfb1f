//! Two servers on one database that write to the same conversation behave as one server.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};

use super::server::{Answer, Outcome, Server, assert_seq_has_no_gap, execute, posted, written};
use crate::config::Settings;
use crate::conversation::CommandError;
use crate::domain::{Change, Command, ConversationId, Event, EventId, Refusal, TicketStatus, decide, permit};
use crate::testing::{
    TestDatabase, answer_handover, ask_handover, claim, close, create_ticket, customer, on_both_databases, reply, send,
    set_ticket_status,
};

const SENDERS: usize = 8;
const SENDS: usize = 40;
const AGENTS: usize = 32;
const ROUNDS: usize = 100;

/// Latencies of one server's sends.
struct Measurement {
    latencies: Vec<Duration>,
    elapsed: Duration,
}

/// Sends from concurrent senders, each of which waits for its answer before the next send, as clients do.
async fn send_concurrently(server: &Server, id: ConversationId, name: &str) -> (Vec<(EventId, String)>, Measurement) {
    let start = Instant::now();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (registry, name) = (server.registry.clone(), name.to_owned());
        senders.push(actix::spawn(async move {
            let mut answered = Vec::new();
            for number in 0..SENDS {
                let text = format!("{name} {sender} {number}");
                let asked = Instant::now();
                let answer = execute(&registry, id, send(customer("ada"), &text)).await;
                answered.push((posted(answer).id, text, asked.elapsed()));
            }
            answered
        }));
    }
    let mut acknowledged = Vec::new();
    let mut latencies = Vec::new();
    for sender in senders {
        for (id, text, latency) in sender.await.unwrap() {
            acknowledged.push((id, text));
            latencies.push(latency);
        }
    }
    latencies.sort();
    (acknowledged, Measurement { latencies, elapsed: start.elapsed() })
}

async fn claim_by_many(server: &Server, id: ConversationId, name: &str) -> Vec<(String, Answer)> {
    let claims: Vec<_> = (0..AGENTS)
        .map(|number| {
            let who = format!("{name} {number}");
            (who.clone(), server.asking(id, claim(&who)))
        })
        .collect();
    let mut answers = Vec::new();
    for (who, claim) in claims {
        answers.push((who, claim.await.unwrap()));
    }
    answers
}

#[track_caller]
fn winner(answers: Vec<(String, Answer)>) -> String {
    let mut winners = Vec::new();
    for (who, answer) in answers {
        match answer {
            Ok(Outcome::Claimed(assignee)) => {
                assert_eq!(assignee.id.as_str(), who);
                winners.push(who);
            }
            other => assert_eq!(other, Err(CommandError::Refused(Refusal::ClaimedByAnother))),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    winners.remove(0)
}

async fn two_servers_under_load_agree_on_one_conversation(database: TestDatabase) {
    // One server may finish long before the other, which then has everything to catch up.
    let catch_up_all = |settings: &mut Settings| settings.conversation.catch_up_max_events = 1000;
    let servers =
        [Server::start_with(&database, catch_up_all).await, Server::start_with(&database, catch_up_all).await];
    let id = servers[0].opened().await;

    let [one, two] = &servers;
    let ((mut acknowledged, measurement_one), (more, measurement_two), mut claims, more_claims) = tokio::join!(
        send_concurrently(one, id, "one"),
        send_concurrently(two, id, "two"),
        claim_by_many(one, id, "one"),
        claim_by_many(two, id, "two")
    );
    acknowledged.extend(more);
    claims.extend(more_claims);
    let winner = winner(claims);

    // Every acknowledged send is stored once, and nothing else is.
    let written = written(&database, id).await;
    assert_seq_has_no_gap(&written);
    let stored: HashMap<_, _> =
        written.iter().skip(1).map(|message| (EventId(message.id), message.body.clone())).collect();
    assert_eq!(stored, acknowledged.into_iter().collect());
    assert_eq!(written.len(), 1 + 2 * SENDERS * SENDS);
    let state = one.stored(id).await.unwrap();
    assert_eq!(state.assignee.unwrap().id.as_str(), winner);
    // Created, all messages, and one claim.
    assert_eq!(state.version, written.len() as i64 + 2);

    // Each server publishes the other's last events when it confirms its next refusal.
    for server in &servers {
        let refused = server.ask(id, claim("barbara")).await;
        assert_eq!(refused, Err(CommandError::Refused(Refusal::ClaimedByAnother)));
    }
    // Each published every event once and in order: one from the first, two from its first load.
    let all = one.publisher.wait_for_published(state.version as usize).await;
    assert!(all.iter().map(|event| event.position).eq(1..=state.version));
    let published_by_two = two.publisher.published();
    let from = published_by_two[0].position;
    assert!(published_by_two.iter().map(|event| event.position).eq(from..=state.version));
    for (event, message) in all.iter().filter_map(Event::posted).zip(&written) {
        assert_eq!(
            (event.id.0, event.message.seq, event.message.text.as_str()),
            (message.id, message.seq, message.body.as_str())
        );
    }
    assert_eq!(all.iter().filter(|event| matches!(event.change, Change::Claimed(_))).count(), 1);

    for (name, measurement) in [("one", measurement_one), ("two", measurement_two)] {
        let at = |share: usize| measurement.latencies[(measurement.latencies.len() - 1) * share / 100].as_millis();
        println!(
            "{:?}, server {name}: {} sends in {} ms; ms to an answer: median {}, 90% {}, 99% {}, most {}",
            database.backend,
            measurement.latencies.len(),
            measurement.elapsed.as_millis(),
            at(50),
            at(90),
            at(99),
            at(100),
        );
    }
}

async fn of_many_agents_on_two_servers_exactly_one_claims_each_conversation(database: TestDatabase) {
    let servers = [Server::start(&database).await, Server::start(&database).await];
    for round in 0..30 {
        let id = servers[round % 2].opened().await;
        let [one, two] = &servers;
        let (mut answers, more) = tokio::join!(claim_by_many(one, id, "one"), claim_by_many(two, id, "two"));
        answers.extend(more);
        let winner = winner(answers);
        let state = one.stored(id).await.unwrap();
        assert_eq!((state.assignee.unwrap().id.as_str(), state.version), (winner.as_str(), 3));
    }
}

/// A server whose cached state is outdated detects that, invisibly to its callers.
async fn a_server_with_an_outdated_state_answers_by_the_stored_one(database: TestDatabase) {
    let [one, two] = [Server::start(&database).await, Server::start(&database).await];
    let id = one.opened().await;
    two.ask(id, claim("edsger")).await.unwrap();
    assert_eq!(
        one.ask(id, claim("grace")).await,
        Err(CommandError::Refused(Refusal::ClaimedByAnother)),
        "the cached state of one had no assignee"
    );
    two.ask(id, close("edsger")).await.unwrap();
    assert_eq!(one.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Refused(Refusal::SendToClosed)));
    for (server, from) in [(&one, 1), (&two, 3)] {
        let published = server.publisher.wait_for_position(id, 4).await;
        assert!(published.iter().map(|event| event.position).eq(from..=4));
    }
}

/// The outcome of a command by the rules, on the stored state.
async fn expected_outcome(server: &Server, id: ConversationId, command: &Command) -> Result<(), CommandError> {
    let state = server.stored(id).await;
    permit(state.as_ref(), command).and_then(|()| decide(state.as_ref(), command)).map(drop).map_err(Into::into)
}

/// Grace is the assignee in the cached state of `first`; on `second` she hands the conversation over. Then both agents
/// give commands on `first`.
async fn an_agent_who_lost_the_conversation_on_another_server_is_refused(database: TestDatabase) {
    let [first, second] = [Server::start(&database).await, Server::start(&database).await];
    for _ in 0..ROUNDS {
        let id = first.opened().await;
        first.ask(id, claim("grace")).await.unwrap();
        let Ok(Outcome::HandoverRequested(handover)) = second.ask(id, ask_handover("grace", "edsger")).await else {
            panic!("the handover was not requested");
        };
        second.ask(id, answer_handover("edsger", handover.id, true)).await.unwrap();

        let again = first.ask(id, claim("grace")).await;
        assert_eq!(again, Err(CommandError::Refused(Refusal::ClaimedByAnother)), "edsger is the assignee now");
        assert!(matches!(first.ask(id, ask_handover("edsger", "barbara")).await, Ok(Outcome::HandoverRequested(_))));
    }
}

/// Every answer of either server is what the rules give on the stored state.
async fn alternating_servers_answer_as_one(database: TestDatabase) {
    const AGENTS: [&str; 3] = ["grace", "edsger", "barbara"];
    let servers = [Server::start(&database).await, Server::start(&database).await];
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut outcomes = HashMap::<String, usize>::new();
    for _ in 0..ROUNDS {
        let id = servers[0].opened().await;
        for _ in 0..12 {
            let who = AGENTS[random.random_range(0..AGENTS.len())];
            let pending = servers[0].stored(id).await.and_then(|state| state.pending_handover);
            let command = match (random.random_range(0..10), pending) {
                (0 | 1, _) => claim(who),
                (2, _) => reply(who, "Hello"),
                (3, _) => send(customer("ada"), "Hello?"),
                (4 | 5, _) => ask_handover(who, AGENTS[random.random_range(0..AGENTS.len())]),
                (6 | 7, Some(handover)) => answer_handover(who, handover.id, random.random_bool(0.5)),
                (8, _) => create_ticket(who),
                (9, _) if random.random_bool(0.3) => close(who),
                _ => set_ticket_status(who, TicketStatus::InProgress),
            };
            let server = &servers[random.random_range(0..servers.len())];
            let expected = expected_outcome(server, id, &command).await;
            let answer = server.ask(id, command.clone()).await.map(drop);
            assert_eq!(answer, expected, "{command:?}");
            *outcomes.entry(format!("{answer:?}")).or_default() += 1;
        }
    }
    println!("{outcomes:#?}");
}

on_both_databases!(
    an_agent_who_lost_the_conversation_on_another_server_is_refused,
    alternating_servers_answer_as_one,
    two_servers_under_load_agree_on_one_conversation,
    of_many_agents_on_two_servers_exactly_one_claims_each_conversation,
    a_server_with_an_outdated_state_answers_by_the_stored_one,
);
