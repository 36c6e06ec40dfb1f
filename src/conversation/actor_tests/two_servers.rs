//! Two servers on one database write to one conversation: the outcome is as with one.

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

/// What one server's senders met: how long each answer took.
struct Met {
    latencies: Vec<Duration>,
    whole: Duration,
}

/// Sends, each sender one after the other, as a client does that waits for its answer.
async fn hammer(server: &Server, id: ConversationId, name: &str) -> (Vec<(EventId, String)>, Met) {
    let begun = Instant::now();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (registry, name) = (server.registry.clone(), name.to_owned());
        senders.push(actix::spawn(async move {
            let mut met = Vec::new();
            for number in 0..SENDS {
                let words = format!("{name} {sender} {number}");
                let asked = Instant::now();
                let answer = execute(&registry, id, send(customer("ada"), &words)).await;
                met.push((posted(answer).id, words, asked.elapsed()));
            }
            met
        }));
    }
    let mut acknowledged = Vec::new();
    let mut latencies = Vec::new();
    for sender in senders {
        for (id, words, latency) in sender.await.unwrap() {
            acknowledged.push((id, words));
            latencies.push(latency);
        }
    }
    latencies.sort();
    (acknowledged, Met { latencies, whole: begun.elapsed() })
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

async fn two_servers_that_hammer_one_conversation_agree(place: TestDatabase) {
    // The one may be done long before the other.
    let tells_all = |settings: &mut Settings| settings.conversation.catch_up_max_events = 1000;
    let servers = [Server::start_with(&place, tells_all).await, Server::start_with(&place, tells_all).await];
    let id = servers[0].opened().await;

    let [one, two] = &servers;
    let ((mut acknowledged, met_one), (more, met_two), mut claims, more_claims) = tokio::join!(
        hammer(one, id, "one"),
        hammer(two, id, "two"),
        claim_by_many(one, id, "one"),
        claim_by_many(two, id, "two")
    );
    acknowledged.extend(more);
    claims.extend(more_claims);
    let winner = winner(claims);

    // Every acknowledged send is stored once, and nothing else is.
    let written = written(&place, id).await;
    assert_seq_has_no_gap(&written);
    let stored: HashMap<_, _> =
        written.iter().skip(1).map(|message| (EventId(message.id), message.body.clone())).collect();
    assert_eq!(stored, acknowledged.into_iter().collect());
    assert_eq!(written.len(), 1 + 2 * SENDERS * SENDS);
    let state = one.stored(id).await.unwrap();
    assert_eq!(state.assignee.unwrap().id.as_str(), winner);
    // Created, all messages, and one claim.
    assert_eq!(state.version, written.len() as i64 + 2);

    // What was stored last by the one is told by the other with the next thing that happens there.
    for server in &servers {
        let refused = server.ask(id, claim("nobody")).await;
        assert_eq!(refused, Err(CommandError::Refused(Refusal::ClaimedByAnother)));
    }
    // Each told of everything, once and in order: the one from the beginning, the other from where it came in.
    let all = one.listener.heard_events(state.version as usize).await;
    assert!(all.iter().map(|event| event.position).eq(1..=state.version));
    let of_two = two.listener.heard();
    let from = of_two[0].position;
    assert!(of_two.iter().map(|event| event.position).eq(from..=state.version));
    for (event, message) in all.iter().filter_map(Event::posted).zip(&written) {
        assert_eq!(
            (event.id.0, event.message.seq, event.message.text.as_str()),
            (message.id, message.seq, message.body.as_str())
        );
    }
    assert_eq!(all.iter().filter(|event| matches!(event.change, Change::Claimed(_))).count(), 1);

    for (name, met) in [("one", met_one), ("two", met_two)] {
        let at = |share: usize| met.latencies[(met.latencies.len() - 1) * share / 100].as_millis();
        println!(
            "{:?}, server {name}: {} sends in {} ms; ms to an answer: median {}, 90% {}, 99% {}, most {}",
            place.backend,
            met.latencies.len(),
            met.whole.as_millis(),
            at(50),
            at(90),
            at(99),
            at(100),
        );
    }
}

async fn of_many_agents_on_two_servers_one_gets_each_conversation(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
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

/// What a server believed is out of date: it finds that out, and nobody who asks it notices.
async fn a_server_that_was_overtaken_answers_as_if_it_had_known(place: TestDatabase) {
    let [one, two] = [Server::start(&place).await, Server::start(&place).await];
    let id = one.opened().await;
    two.ask(id, claim("edsger")).await.unwrap();
    assert_eq!(
        one.ask(id, claim("grace")).await,
        Err(CommandError::Refused(Refusal::ClaimedByAnother)),
        "one still believed that nobody holds it"
    );
    two.ask(id, close("edsger")).await.unwrap();
    assert_eq!(one.ask(id, send(customer("ada"), "x")).await, Err(CommandError::Refused(Refusal::SendToClosed)));
    for (server, from) in [(&one, 1), (&two, 3)] {
        assert!(server.listener.heard().iter().map(|event| event.position).eq(from..=4));
    }
}

/// What a command comes to by the rules, on what is stored.
async fn by_the_rules(server: &Server, id: ConversationId, command: &Command) -> Result<(), CommandError> {
    let state = server.stored(id).await;
    permit(state.as_ref(), command).and_then(|()| decide(state.as_ref(), command)).map(drop).map_err(Into::into)
}

/// Grace has it, and one server knows; the other lets her hand it over. Both agents ask the first one again.
async fn who_lost_it_on_another_server_is_told_so(place: TestDatabase) {
    let [here, there] = [Server::start(&place).await, Server::start(&place).await];
    for _ in 0..ROUNDS {
        let id = here.opened().await;
        here.ask(id, claim("grace")).await.unwrap();
        let Ok(Outcome::HandoverRequested(handover)) = there.ask(id, ask_handover("grace", "edsger")).await else {
            panic!("the handover was not asked for");
        };
        there.ask(id, answer_handover("edsger", handover.id, true)).await.unwrap();

        let again = here.ask(id, claim("grace")).await;
        assert_eq!(again, Err(CommandError::Refused(Refusal::ClaimedByAnother)), "it is edsger's by now");
        assert!(matches!(here.ask(id, ask_handover("edsger", "barbara")).await, Ok(Outcome::HandoverRequested(_))));
    }
}

/// Whatever is asked of whichever of them: the answer is what the rules say of what is stored.
async fn servers_that_take_turns_answer_as_one(place: TestDatabase) {
    const AGENTS: [&str; 3] = ["grace", "edsger", "barbara"];
    let servers = [Server::start(&place).await, Server::start(&place).await];
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut met = HashMap::<String, usize>::new();
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
            let expected = by_the_rules(server, id, &command).await;
            let answer = server.ask(id, command.clone()).await.map(drop);
            assert_eq!(answer, expected, "{command:?}");
            *met.entry(format!("{answer:?}")).or_default() += 1;
        }
    }
    println!("{met:#?}");
}

on_both_databases!(
    who_lost_it_on_another_server_is_told_so,
    servers_that_take_turns_answer_as_one,
    two_servers_that_hammer_one_conversation_agree,
    of_many_agents_on_two_servers_one_gets_each_conversation,
    a_server_that_was_overtaken_answers_as_if_it_had_known,
);
