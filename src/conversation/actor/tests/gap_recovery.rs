//! Events stored by another server, running or stopped, are published on this one too: every subscriber receives the
//! events of a conversation without a gap.

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
    TestDatabase, account, agent, answer_handover, ask_handover, assign_ticket, claim, close, create_ticket, customer,
    enter, execute, note, on_both_databases, open_ticket, rate, reply, send, set_ticket_status, write,
};

const TURNS: usize = 1000;

fn positions(published: &[Event]) -> Vec<i64> {
    published.iter().map(|event| event.position).collect()
}

async fn send_messages(server: &Server, id: ConversationId, count: usize) {
    for number in 0..count {
        posted(server.ask(id, send(customer("ada"), &format!("{number}"))).await);
    }
}

async fn two_servers(database: &TestDatabase) -> [Server; 2] {
    [Server::start(database).await, Server::start(database).await]
}

async fn wait_until_passivated(server: &Server) {
    // Passivation sends no notification, so poll.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Subscribes at the latest stored version.
async fn subscribe_at_latest(server: &Server, id: ConversationId) {
    let version = server.stored(id).await.expect("stored").version;
    server.registry.subscribe(id, version, || ()).await.expect("subscribed");
}

async fn a_subscriber_starts_an_actor_only_if_other_subscribers_must_catch_up_first(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = second.opened().await;
    for _ in 0..2 {
        subscribe_at_latest(&first, id).await;
        assert_eq!(first.registry.live(), 0);
    }
    send_messages(&second, id, 2).await;
    // The new subscriber has read these two; the existing one has not received them.
    let (version, publisher) = (second.stored(id).await.unwrap().version, first.publisher.clone());
    let published = first.registry.subscribe(id, version, move || positions(&publisher.published())).await.unwrap();
    assert_eq!(published, [3, 4]);
}

/// Makes the server check the stored version: the command is refused in every state, but the refusal must be confirmed.
async fn refresh(server: &Server, id: ConversationId) {
    let rating = rate(Target::Conversation, customer("eve"), 1.0);
    assert!(matches!(server.ask(id, rating).await, Err(CommandError::Refused(_))));
}

async fn events_of_another_server_are_published_before_later_ones(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = first.opened().await;
    second.ask(id, reply("grace", "Hello")).await.unwrap();
    second.ask(id, note("grace", "Hm")).await.unwrap();
    send_messages(&first, id, 1).await;
    let published = first.publisher.wait_for_published(6).await;
    assert_eq!(positions(&published), [1, 2, 3, 4, 5, 6]);
    assert_eq!(published[2..5], second.publisher.wait_for_published(3).await);
    // The same in the other direction.
    send_messages(&second, id, 1).await;
    assert_eq!(positions(&second.publisher.wait_for_published(5).await), [3, 4, 5, 6, 7]);
}

/// Executes the commands on `second` and refreshes `first` after each; asserts that both publish the same events.
/// `first` publishes only the events after position `known`.
async fn assert_published_alike(
    first: &Server,
    second: &Server,
    id: ConversationId,
    known: usize,
    commands: Vec<Command>,
) {
    for command in commands {
        second.ask(id, command.clone()).await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        refresh(first, id).await;
    }
    let version = second.stored(id).await.unwrap().version;
    // An answer is given before its events are published.
    let expected = second.publisher.wait_for_position(id, version).await;
    let actual = first.publisher.wait_for_position(id, version).await;
    assert_eq!(positions(&expected), (1..=version).collect::<Vec<_>>());
    let expected: Vec<_> = expected.into_iter().skip(known).collect();
    assert_eq!(actual, expected);
}

async fn every_kind_of_event_of_another_server_is_published_unchanged(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = second.opened().await;
    subscribe_at_latest(&first, id).await;
    let priority = TicketPriority::High;
    let to = Some(Party { id: account("edsger"), name: "Edsger".to_owned() });
    let commands = vec![
        claim("grace"),
        reply("grace", "Hello"),
        note("grace", "Hm"),
        send(customer("ada"), "Thanks"),
        create_ticket("grace"),
        PrioritiseTicket { by: agent("grace"), priority }.into(),
        AssignTicket { to, ..assign_ticket("grace", "edsger") }.into(),
        // Its conversation's owner has changed with it.
        assign_ticket("edsger", "grace").into(),
        set_ticket_status("grace", TicketStatus::Resolved),
        rate(Target::Ticket, customer("ada"), 4.0),
        ask_handover("grace", "edsger"),
    ];
    assert_published_alike(&first, &second, id, 2, commands).await;
    for (by, accept, next) in [("edsger", true, ("edsger", "grace")), ("grace", false, ("edsger", "grace"))] {
        let handover = second.stored(id).await.unwrap().pending_handover.unwrap().id;
        let commands = vec![answer_handover(by, handover, accept), ask_handover(next.0, next.1)];
        assert_published_alike(&first, &second, id, 2, commands).await;
    }
    // Closing the conversation ends the pending handover.
    assert_published_alike(
        &first,
        &second,
        id,
        2,
        vec![close("edsger"), rate(Target::Conversation, customer("ada"), 4.0)],
    )
    .await;
    let last = first.publisher.published();
    assert!(last.iter().any(|event| matches!(&event.change, Change::HandoverResolved { resolution, .. }
        if *resolution == crate::domain::Resolution::Closed)));
}

async fn help_center_and_standalone_ticket_events_of_another_server_are_published(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = first.registry.help_center_id(&account("ada"));
    second.ask(id, enter(customer("ada"))).await.unwrap();
    wait_until_passivated(&second).await;
    subscribe_at_latest(&first, id).await;
    let commands = vec![
        write(customer("ada"), "Hello", AutoReplyPolicy::First),
        close("grace"),
        write(customer("ada"), "Once more", AutoReplyPolicy::Never),
    ];
    assert_published_alike(&first, &second, id, 1, commands).await;

    let (ticket, _) = open_with(&second.registry, open_ticket(customer("ada"), "")).await.unwrap();
    assert_eq!(second.stored(ticket).await.unwrap().channel, Channel::Ticket);
    subscribe_at_latest(&first, ticket).await;
    let commands = vec![set_ticket_status("grace", TicketStatus::Resolved)];
    assert_published_alike(&first, &second, ticket, 3, commands).await;
}

/// A commit of this server fails, and another server stores an event at its position.
async fn an_event_of_another_server_at_the_position_of_a_failed_one_is_published(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = first.opened().await;
    let connection = database.connection().await;
    execute(&connection, "ALTER TABLE messages RENAME TO elsewhere").await;
    let failed = first.ask(id, send(customer("ada"), "x")).await;
    assert_eq!(failed, Err(CommandError::Unavailable));
    execute(&connection, "ALTER TABLE elsewhere RENAME TO messages").await;
    send_messages(&second, id, 3).await;
    // No command follows: the in-doubt timer triggers the load.
    let published = first.publisher.wait_for_published(5).await;
    assert_eq!(published[2..], second.publisher.wait_for_published(3).await);
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(6).await), [1, 2, 3, 4, 5, 6]);
}

async fn a_subscriber_receives_every_event_after_its_actor_was_passivated(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    for _ in 0..20 {
        let id = second.opened().await;
        send_messages(&second, id, 2).await;
        subscribe_at_latest(&first, id).await;
        wait_until_passivated(&first).await;
        send_messages(&second, id, 3).await;
        let before = first.publisher.published().len();
        send_messages(&first, id, 1).await;
        let published = first.publisher.wait_for_published(before + 4).await;
        assert_eq!(positions(&published[before..]), [5, 6, 7, 8]);
        first.registry.passivate(id);
    }
}

async fn the_watermark_outlives_the_actor(database: TestDatabase) {
    let first = Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await;
    let second = Server::start(&database).await;
    let id = first.opened().await;
    wait_until_passivated(&first).await;
    send_messages(&second, id, 2).await;
    // A new subscriber alone triggers the catch-up of the existing ones; it has read these events itself.
    let version = first.stored(id).await.unwrap().version;
    let read = async { Ok(Vec::new()) };
    let publisher = first.publisher.clone();
    let attached =
        first.registry.subscribe_with_backlog(id, version, read, move |_| publisher.published().len()).await.unwrap();
    assert_eq!((attached, positions(&first.publisher.published())), (4, vec![1, 2, 3, 4]));
    send_messages(&second, id, 1).await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(6).await), [1, 2, 3, 4, 5, 6]);
}

async fn without_a_watermark_cache_the_first_load_counts_as_published(database: TestDatabase) {
    let first = Server::start_with(&database, |settings| settings.conversation.watermark_cache_size = 0).await;
    let second = Server::start(&database).await;
    let id = second.opened().await;
    subscribe_at_latest(&first, id).await;
    wait_until_passivated(&first).await;
    send_messages(&second, id, 1).await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(1).await), [4], "the first load counts as published");
    send_messages(&second, id, 1).await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(3).await), [4, 5, 6], "a live actor keeps its watermark");
}

async fn a_catch_up_beyond_its_limit_publishes_the_newest_events(database: TestDatabase) {
    let first = Server::start_with(&database, |settings| settings.conversation.catch_up_max_events = 5).await;
    let second = Server::start(&database).await;
    let id = first.opened().await;
    send_messages(&second, id, 5).await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(8).await), [1, 2, 3, 4, 5, 6, 7, 8]);
    send_messages(&second, id, 6).await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(14).await[8..]), [10, 11, 12, 13, 14, 15]);
}

async fn an_unreadable_row_is_skipped_and_blocks_nothing(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = first.opened().await;
    second.ask(id, reply("grace", "Hello")).await.unwrap();
    let connection = database.connection().await;
    execute(&connection, "UPDATE conversation_events SET type = 'of a newer server' WHERE position = 3").await;
    send_messages(&first, id, 1).await;
    assert_eq!(positions(&first.publisher.wait_for_published(4).await), [1, 2, 4, 5]);
}

async fn alternating_servers_publish_every_event_once_and_in_order(database: TestDatabase) {
    let servers = [
        Server::start_with(&database, |settings| settings.conversation.passivate_after_seconds = 1).await,
        Server::start_with(&database, |settings| settings.conversation.idempotency_cache_size = 0).await,
    ];
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = servers[0].opened().await;
        subscribe_at_latest(&servers[1], id).await;
        ids.push(id);
    }
    for turn in 0..TURNS {
        let server = &servers[random.random_range(0..servers.len())];
        let id = ids[random.random_range(0..ids.len())];
        match random.random_range(0..20) {
            0 => subscribe_at_latest(server, id).await,
            1 => refresh(server, id).await,
            2 => server.registry.passivate(id),
            3..6 => {
                // Several concurrently, so that the servers conflict.
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
            send_messages(server, id, 1).await;
            refresh(server, id).await;
        }
        refresh(&servers[0], id).await;
        expected.insert(id, servers[0].stored(id).await.unwrap().version);
    }
    for (server, from) in servers.iter().zip([1, 3]) {
        let count: i64 = expected.values().map(|version| version - (from - 1)).sum();
        let published = server.publisher.wait_for_published(usize::try_from(count).unwrap()).await;
        for (id, version) in &expected {
            let published = published.iter().filter(|event| event.conversation == *id).map(|event| event.position);
            assert!(
                published.clone().eq(from..=*version),
                "{:?} and not {from} to {version}",
                published.collect::<Vec<_>>()
            );
        }
    }
}

async fn a_subscriber_that_has_read_ahead_is_attached_after_the_others_have_caught_up(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = first.opened().await;
    send_messages(&second, id, 3).await;
    let messages: Vec<_> = second.publisher.wait_for_published(3).await.iter().filter_map(Event::posted).collect();
    let read = {
        let messages = messages.clone();
        async move { Ok(messages) }
    };
    let publisher = first.publisher.clone();
    let attached = first
        .registry
        .subscribe_with_backlog(id, 2, read, move |backlog| (backlog.messages, publisher.published().len()))
        .await;
    assert_eq!(attached, Ok((messages, 5)), "events that it has read are not sent to it again");
    assert_eq!(positions(&first.publisher.published()), [1, 2, 3, 4, 5]);
}

/// This server has no watermark. While its first subscriber reads, another server stores an event, and this server
/// loads it.
async fn events_found_while_the_first_subscriber_reads_are_in_its_backlog(database: TestDatabase) {
    let [first, second] = two_servers(&database).await;
    let id = second.opened().await;
    let (has_started, reading) = oneshot::channel();
    let (end, may_end) = oneshot::channel();
    let read = async {
        has_started.send(()).unwrap();
        Ok(may_end.await.unwrap())
    };
    let registry = Arc::clone(&first.registry);
    let attached =
        actix::spawn(async move { registry.subscribe_with_backlog(id, 2, read, |backlog| backlog.messages).await });
    reading.await.unwrap();
    send_messages(&second, id, 1).await;
    send_messages(&first, id, 1).await;
    first.publisher.wait_for_published(2).await;
    end.send(Vec::new()).unwrap();
    let backlog = attached.await.unwrap().unwrap();
    assert_eq!(backlog.iter().map(|posted| posted.position).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(positions(&first.publisher.published()), [3, 4]);
}

async fn a_subscriber_whose_catch_up_fails_is_not_attached(mut database: TestDatabase) {
    database.settings.timeout_ms = 2_000;
    let [first, second] = two_servers(&database).await;
    let id = first.opened().await;
    send_messages(&second, id, 1).await;
    let connection = database.connection().await;
    execute(&connection, "ALTER TABLE conversation_events RENAME TO elsewhere").await;
    let read = async { Ok(Vec::new()) };
    assert!(first.registry.subscribe_with_backlog(id, 3, read, |_| ()).await.is_err());
    execute(&connection, "ALTER TABLE elsewhere RENAME TO conversation_events").await;
    subscribe_at_latest(&first, id).await;
    assert_eq!(positions(&first.publisher.published()), [1, 2, 3]);
}

async fn a_subscriber_that_claims_a_future_version_is_attached(database: TestDatabase) {
    let server = Server::start(&database).await;
    let id = server.opened().await;
    let read = async { Ok(Vec::new()) };
    server.registry.subscribe_with_backlog(id, 1000, read, |_| ()).await.expect("subscribed");
    send_messages(&server, id, 1).await;
    assert_eq!(positions(&server.publisher.wait_for_published(3).await), [1, 2, 3]);
    let Ok(Outcome::Posted(_)) = server.ask(id, reply("grace", "Hello")).await else { panic!("not posted") };
}

on_both_databases!(
    a_subscriber_starts_an_actor_only_if_other_subscribers_must_catch_up_first,
    events_found_while_the_first_subscriber_reads_are_in_its_backlog,
    events_of_another_server_are_published_before_later_ones,
    every_kind_of_event_of_another_server_is_published_unchanged,
    help_center_and_standalone_ticket_events_of_another_server_are_published,
    an_event_of_another_server_at_the_position_of_a_failed_one_is_published,
    a_subscriber_receives_every_event_after_its_actor_was_passivated,
    the_watermark_outlives_the_actor,
    without_a_watermark_cache_the_first_load_counts_as_published,
    a_catch_up_beyond_its_limit_publishes_the_newest_events,
    an_unreadable_row_is_skipped_and_blocks_nothing,
    alternating_servers_publish_every_event_once_and_in_order,
    a_subscriber_that_has_read_ahead_is_attached_after_the_others_have_caught_up,
    a_subscriber_whose_catch_up_fails_is_not_attached,
    a_subscriber_that_claims_a_future_version_is_attached,
);
