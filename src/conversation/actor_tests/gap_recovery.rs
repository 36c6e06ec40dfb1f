//! What others have stored is told here too: by another server, or by one that is gone. What anybody is told has no
//! hole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use tokio::sync::oneshot;

use super::server::{Outcome, Server, open_with, posted};
use crate::conversation::CommandError;
use crate::domain::{
    AssignTicket, AutoReplyPolicy, Change, Channel, Command, ConversationId, Event, Party, PrioritiseTicket, Target,
    TicketPriority, TicketStatus,
};
use crate::testing::{
    TestDatabase, account, agent, answer_handover, ask_handover, claim, close, create_ticket, customer, enter, execute,
    note, on_both_databases, open_ticket, rate, reply, send, set_ticket_status, write,
};

const TURNS: usize = 1000;

fn positions(heard: &[Event]) -> Vec<i64> {
    heard.iter().map(|event| event.position).collect()
}

async fn sends(server: &Server, id: ConversationId, count: usize) {
    for number in 0..count {
        posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
}

async fn pair(place: &TestDatabase) -> [Server; 2] {
    [Server::start(place).await, Server::start(place).await]
}

async fn retired(server: &Server) {
    // Nothing tells of it: it is looked for.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Somebody joins who has all there is.
async fn joined(server: &Server, id: ConversationId) {
    let version = server.stored(id).await.expect("it is there").version;
    server.registry.join(id, version, || ()).await.expect("listening");
}

async fn whoever_joins_costs_no_actor_unless_others_must_be_told_first(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = there.opened().await;
    for _ in 0..2 {
        joined(&here, id).await;
        assert_eq!(here.registry.live(), 0);
    }
    sends(&there, id, 2).await;
    // Who joins now has read these two, and who is there has not been told of them.
    let (version, listener) = (there.stored(id).await.unwrap().version, here.listener.clone());
    let told = here.registry.join(id, version, move || positions(&listener.heard())).await.unwrap();
    assert_eq!(told, [3, 4]);
}

/// Refused whatever the conversation's state; but the server has to look at it first.
async fn looks(server: &Server, id: ConversationId) {
    let rating = rate(Target::Conversation, customer("eve"), 1.0);
    assert!(matches!(server.ask(id, rating).await, Err(CommandError::Refused(_))));
}

async fn what_another_server_stored_is_told_in_front_of_what_follows_it(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = here.opened().await;
    there.ask(id, reply("grace", "Hello")).await.unwrap();
    there.ask(id, note("grace", "Hm")).await.unwrap();
    sends(&here, id, 1).await;
    let heard = here.listener.heard_events(6).await;
    assert_eq!(positions(&heard), [1, 2, 3, 4, 5, 6]);
    assert_eq!(heard[2..5], there.listener.heard_events(3).await);
    // And the other way round.
    sends(&there, id, 1).await;
    assert_eq!(positions(&there.listener.heard_events(5).await), [3, 4, 5, 6, 7]);
}

/// Has `there` do all this, and `here` hear of each by looking; both tell the same.
async fn tells_alike(here: &Server, there: &Server, id: ConversationId, begun: usize, commands: Vec<Command>) {
    for command in commands {
        there.ask(id, command.clone()).await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        looks(here, id).await;
    }
    let told = there.stored(id).await.unwrap().version;
    let of_it = |heard: Vec<Event>| heard.into_iter().filter(|event| event.conversation == id).collect::<Vec<_>>();
    let theirs = of_it(there.listener.heard());
    let ours = of_it(here.listener.heard());
    assert_eq!(positions(&theirs), (1..=told).collect::<Vec<_>>());
    let theirs: Vec<_> = theirs.into_iter().skip(begun).collect();
    assert_eq!(ours, theirs);
}

async fn every_kind_of_event_is_told_as_if_it_had_happened_here(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = there.opened().await;
    joined(&here, id).await;
    let priority = TicketPriority::High;
    let to = Some(Party { id: account("edsger"), name: "Edsger".to_owned() });
    let commands = vec![
        claim("grace"),
        reply("grace", "Hello"),
        note("grace", "Hm"),
        send(customer("ada"), "Thanks"),
        create_ticket("grace"),
        PrioritiseTicket { by: agent("grace"), priority }.into(),
        AssignTicket { by: agent("grace"), to }.into(),
        set_ticket_status("grace", TicketStatus::Resolved),
        rate(Target::Ticket, customer("ada"), 4.0),
        ask_handover("grace", "edsger"),
    ];
    tells_alike(&here, &there, id, 2, commands).await;
    for (by, accept, next) in [("edsger", true, ("edsger", "grace")), ("grace", false, ("edsger", "grace"))] {
        let handover = there.stored(id).await.unwrap().pending_handover.unwrap().id;
        let commands = vec![answer_handover(by, handover, accept), ask_handover(next.0, next.1)];
        tells_alike(&here, &there, id, 2, commands).await;
    }
    // The handover that waits ends with the conversation.
    tells_alike(&here, &there, id, 2, vec![close("edsger"), rate(Target::Conversation, customer("ada"), 4.0)]).await;
    let last = here.listener.heard();
    assert!(last.iter().any(|event| matches!(&event.change, Change::HandoverResolved { resolution, .. }
        if *resolution == crate::domain::Resolution::Closed)));
}

async fn what_happens_in_the_help_center_and_to_tickets_alone_is_told_too(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = here.registry.help_center_id(&account("ada"));
    there.ask(id, enter(customer("ada"))).await.unwrap();
    retired(&there).await;
    joined(&here, id).await;
    let commands = vec![
        write(customer("ada"), "Hello", AutoReplyPolicy::First),
        close("grace"),
        write(customer("ada"), "Once more", AutoReplyPolicy::Never),
    ];
    tells_alike(&here, &there, id, 1, commands).await;

    let (ticket, _) = open_with(&there.registry, open_ticket(customer("ada"), "")).await.unwrap();
    assert_eq!(there.stored(ticket).await.unwrap().channel, Channel::Ticket);
    joined(&here, ticket).await;
    let commands = vec![set_ticket_status("grace", TicketStatus::Resolved)];
    tells_alike(&here, &there, ticket, 3, commands).await;
}

/// A commit of ours has failed, and another server's event has its place.
async fn what_took_the_place_of_what_failed_is_told(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = here.opened().await;
    let hand = place.connection().await;
    execute(&hand, "ALTER TABLE messages RENAME TO elsewhere").await;
    let failed = here.ask(id, send(customer("ada"), "x")).await;
    assert_eq!(failed, Err(CommandError::Unavailable));
    execute(&hand, "ALTER TABLE elsewhere RENAME TO messages").await;
    sends(&there, id, 3).await;
    // Nobody asks: what may be stored is looked for.
    let heard = here.listener.heard_events(5).await;
    assert_eq!(heard[2..], there.listener.heard_events(3).await);
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(6).await), [1, 2, 3, 4, 5, 6]);
}

async fn whoever_listens_is_told_though_the_actor_has_gone_meanwhile(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    for _ in 0..20 {
        let id = there.opened().await;
        sends(&there, id, 2).await;
        joined(&here, id).await;
        retired(&here).await;
        sends(&there, id, 3).await;
        let begun = here.listener.heard().len();
        sends(&here, id, 1).await;
        let heard = here.listener.heard_events(begun + 4).await;
        assert_eq!(positions(&heard[begun..]), [5, 6, 7, 8]);
        here.registry.let_go(id);
    }
}

async fn an_actor_that_goes_leaves_behind_what_it_has_told(place: TestDatabase) {
    let here = Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let there = Server::start(&place).await;
    let id = here.opened().await;
    retired(&here).await;
    sends(&there, id, 2).await;
    // To listen is enough to have it told to those who were there before; who begins has read it.
    let version = here.stored(id).await.unwrap().version;
    let read = async { Ok(Vec::new()) };
    let listener = here.listener.clone();
    let begun = here.registry.listen(id, version, read, move |_| listener.heard().len()).await.unwrap();
    assert_eq!((begun, positions(&here.listener.heard())), (4, vec![1, 2, 3, 4]));
    sends(&there, id, 1).await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(6).await), [1, 2, 3, 4, 5, 6]);
}

async fn of_so_many_conversations_as_the_configuration_says_it_is_remembered(place: TestDatabase) {
    let here = Server::start_with(&place, |settings| settings.conversation.watermark_cache_size = 0).await;
    let there = Server::start(&place).await;
    let id = there.opened().await;
    joined(&here, id).await;
    retired(&here).await;
    sends(&there, id, 1).await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(1).await), [4], "what it loads first is taken for told");
    sends(&there, id, 1).await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(3).await), [4, 5, 6], "it is kept by a live actor");
}

async fn of_more_than_is_told_at_once_the_newest_is_told(place: TestDatabase) {
    let here = Server::start_with(&place, |settings| settings.conversation.catch_up_max_events = 5).await;
    let there = Server::start(&place).await;
    let id = here.opened().await;
    sends(&there, id, 5).await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(8).await), [1, 2, 3, 4, 5, 6, 7, 8]);
    sends(&there, id, 6).await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(14).await[8..]), [10, 11, 12, 13, 14, 15]);
}

async fn a_row_that_makes_no_sense_is_left_out_and_holds_up_nothing(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = here.opened().await;
    there.ask(id, reply("grace", "Hello")).await.unwrap();
    let hand = place.connection().await;
    execute(&hand, "UPDATE conversation_events SET type = 'of a newer server' WHERE position = 3").await;
    sends(&here, id, 1).await;
    assert_eq!(positions(&here.listener.heard_events(4).await), [1, 2, 4, 5]);
}

async fn servers_that_take_turns_tell_everything_once_and_in_order(place: TestDatabase) {
    let servers = [
        Server::start_with(&place, |settings| settings.conversation.passivate_after_seconds = 1).await,
        Server::start_with(&place, |settings| settings.conversation.idempotency_cache_size = 0).await,
    ];
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = servers[0].opened().await;
        joined(&servers[1], id).await;
        ids.push(id);
    }
    for turn in 0..TURNS {
        let server = &servers[random.random_range(0..servers.len())];
        let id = ids[random.random_range(0..ids.len())];
        match random.random_range(0..20) {
            0 => joined(server, id).await,
            1 => looks(server, id).await,
            2 => server.registry.let_go(id),
            3..6 => {
                // Several at a time, so that they conflict.
                let asked: Vec<_> = (0..6)
                    .map(|number| servers[number % 2].asking(id, send(customer("ada"), &format!("{turn} {number}"))))
                    .collect();
                for answer in asked {
                    posted(answer.await.unwrap());
                }
            }
            6..9 => drop(posted(server.ask(id, note("grace", "Hm")).await)),
            _ => drop(posted(server.ask(id, send(customer("ada"), &format!("{turn}"))).await)),
        }
    }
    let mut expected = HashMap::new();
    for id in ids {
        for server in &servers {
            sends(server, id, 1).await;
            looks(server, id).await;
        }
        looks(&servers[0], id).await;
        expected.insert(id, servers[0].stored(id).await.unwrap().version);
    }
    for (server, from) in servers.iter().zip([1, 3]) {
        let count: i64 = expected.values().map(|version| version - (from - 1)).sum();
        let heard = server.listener.heard_events(usize::try_from(count).unwrap()).await;
        for (id, version) in &expected {
            let of_it = heard.iter().filter(|event| event.conversation == *id).map(|event| event.position);
            assert!(of_it.clone().eq(from..=*version), "{:?} and not {from} to {version}", of_it.collect::<Vec<_>>());
        }
    }
}

async fn whoever_reads_more_than_the_others_were_told_begins_behind_them(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = here.opened().await;
    sends(&there, id, 3).await;
    let messages: Vec<_> = there.listener.heard_events(3).await.iter().filter_map(Event::posted).collect();
    let read = {
        let messages = messages.clone();
        async move { Ok(messages) }
    };
    let listener = here.listener.clone();
    let begun = here.registry.listen(id, 2, read, move |missed| (missed.messages, listener.heard().len())).await;
    assert_eq!(begun, Ok((messages, 5)), "what they have read does not come to them again");
    assert_eq!(positions(&here.listener.heard()), [1, 2, 3, 4, 5]);
}

/// Nobody here knows up to where it was told; then somebody reads, and behind them, before they are back, another
/// server stores something and this one loads.
async fn what_is_found_while_the_first_reader_reads_is_not_missed_by_them(place: TestDatabase) {
    let [here, there] = pair(&place).await;
    let id = there.opened().await;
    let (has_begun, reading) = oneshot::channel();
    let (end, may_end) = oneshot::channel();
    let read = async {
        has_begun.send(()).unwrap();
        Ok(may_end.await.unwrap())
    };
    let registry = Arc::clone(&here.registry);
    let begun = actix::spawn(async move { registry.listen(id, 2, read, |missed| missed.messages).await });
    reading.await.unwrap();
    sends(&there, id, 1).await;
    sends(&here, id, 1).await;
    here.listener.heard_events(2).await;
    end.send(Vec::new()).unwrap();
    let missed = begun.await.unwrap().unwrap();
    assert_eq!(missed.iter().map(|posted| posted.position).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(positions(&here.listener.heard()), [3, 4]);
}

async fn whoever_cannot_be_brought_up_to_date_does_not_begin(mut place: TestDatabase) {
    place.settings.timeout_ms = 2_000;
    let [here, there] = pair(&place).await;
    let id = here.opened().await;
    sends(&there, id, 1).await;
    let hand = place.connection().await;
    execute(&hand, "ALTER TABLE conversation_events RENAME TO elsewhere").await;
    let read = async { Ok(Vec::new()) };
    assert!(here.registry.listen(id, 3, read, |_| ()).await.is_err());
    execute(&hand, "ALTER TABLE elsewhere RENAME TO conversation_events").await;
    joined(&here, id).await;
    assert_eq!(positions(&here.listener.heard()), [1, 2, 3]);
}

async fn a_reader_who_says_more_than_there_is_begins_all_the_same(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = server.opened().await;
    let read = async { Ok(Vec::new()) };
    server.registry.listen(id, 1000, read, |_| ()).await.expect("listening");
    sends(&server, id, 1).await;
    assert_eq!(positions(&server.listener.heard_events(3).await), [1, 2, 3]);
    let Ok(Outcome::Posted(_)) = server.ask(id, reply("grace", "Hello")).await else { panic!("not posted") };
}

on_both_databases!(
    whoever_joins_costs_no_actor_unless_others_must_be_told_first,
    what_is_found_while_the_first_reader_reads_is_not_missed_by_them,
    what_another_server_stored_is_told_in_front_of_what_follows_it,
    every_kind_of_event_is_told_as_if_it_had_happened_here,
    what_happens_in_the_help_center_and_to_tickets_alone_is_told_too,
    what_took_the_place_of_what_failed_is_told,
    whoever_listens_is_told_though_the_actor_has_gone_meanwhile,
    an_actor_that_goes_leaves_behind_what_it_has_told,
    of_so_many_conversations_as_the_configuration_says_it_is_remembered,
    of_more_than_is_told_at_once_the_newest_is_told,
    a_row_that_makes_no_sense_is_left_out_and_holds_up_nothing,
    servers_that_take_turns_tell_everything_once_and_in_order,
    whoever_reads_more_than_the_others_were_told_begins_behind_them,
    whoever_cannot_be_brought_up_to_date_does_not_begin,
    a_reader_who_says_more_than_there_is_begins_all_the_same,
);
