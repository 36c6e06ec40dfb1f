//! What is stored with a conversation in the same transaction: its numbered ticket, its handovers, the closed counter.

use std::collections::BTreeSet;

use entity::{closed_counters, handovers, ticket_numbers, tickets};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::*;
use crate::domain::TicketStatus;
use crate::testing::{
    BlockedRuntime, answer_handover, ask_handover, claim, close, create_ticket, note, on_both_databases, open_ticket,
    reply, reply_to_ticket, send, set_ticket_status,
};

impl Speculating {
    /// Appends the command's events and waits until they are stored.
    async fn stored(&mut self, server: &Server, command: &Command) {
        let (append, outcome) = self.append(command);
        server.append(append);
        assert_committed(outcome.await);
    }

    fn number(&self) -> String {
        self.story.conversation().ticket.as_ref().expect("a ticket").number.to_string()
    }

    fn pending(&self) -> crate::domain::HandoverId {
        self.story.conversation().pending_handover.as_ref().expect("a handover").id
    }
}

fn answer(by: &str, words: &str) -> Command {
    reply_to_ticket(by, words)
}

async fn numbers(hand: &DatabaseConnection) -> Vec<String> {
    let rows = tickets::Entity::find().order_by_asc(tickets::Column::TicketNumber).all(hand).await.expect("read");
    rows.into_iter().map(|row| row.ticket_number).collect()
}

async fn closed(hand: &DatabaseConnection) -> i64 {
    closed_counters::Entity::find().all(hand).await.expect("read").iter().map(|shard| shard.closed).sum()
}

/// A long history, in many transactions and in one: the loaded state is the one that the events lead to.
async fn a_conversation_is_loaded_as_it_was_stored(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut conversation = server.opened(&open(customer("ada"), "Hello", "")).await;
    let steps = || {
        [
            claim("grace"),
            create_ticket("grace"),
            ask_handover("grace", "edsger"),
            send(customer("ada"), "And?"),
            reply("grace", "Soon"),
            note("grace", "Hm"),
            set_ticket_status("grace", TicketStatus::Resolved),
            set_ticket_status("grace", TicketStatus::Pending),
            answer("grace", "Again"),
        ]
    };
    for command in &steps() {
        conversation.stored(&server, command).await;
        assert_eq!(server.stored(conversation.story.id).await, conversation.story.state, "{command:?}");
    }
    conversation.stored(&server, &answer_handover("edsger", conversation.pending(), true)).await;
    assert_eq!(server.stored(conversation.story.id).await, conversation.story.state);

    // And in one transaction.
    let halt = BlockedRuntime::start(&server.database).await;
    let mut at_once = Speculating::begin(InMemoryConversation::empty());
    let mut outcomes = Vec::new();
    for command in [open(customer("ada"), "Hello", "")].iter().chain(&steps()) {
        let (append, outcome) = at_once.append(command);
        server.append(append);
        outcomes.push(outcome);
    }
    let (append, rejected) = at_once.append(&answer_handover("edsger", at_once.pending(), false));
    server.append(append);
    let (append, asked_again) = at_once.append(&ask_handover("grace", "barbara"));
    server.append(append);
    let (append, ended) = at_once.append(&close("edsger"));
    server.append(append);
    drop(halt);
    for outcome in outcomes.into_iter().chain([rejected, asked_again, ended]) {
        assert_committed(outcome.await);
    }
    assert_eq!(server.stored(at_once.story.id).await, at_once.story.state);
    let hand = place.connection().await;
    let handovers = handovers::Entity::find()
        .filter(handovers::Column::ConversationId.eq(at_once.story.id.0))
        .order_by_asc(handovers::Column::Id)
        .all(&hand)
        .await
        .expect("read");
    let events: Vec<_> = handovers.iter().map(|row| (row.to_id.as_str(), row.status.as_str())).collect();
    assert_eq!(events, [("edsger", "rejected"), ("barbara", "rejected")]);
}

async fn a_number_is_known_as_soon_as_the_ticket_is_stored_and_not_before(place: TestDatabase) {
    let server = Server::start(&place).await;
    let halt = BlockedRuntime::start(&server.database).await;
    let mut ticket = Speculating::begin(InMemoryConversation::empty());
    let (append, outcome) = ticket.append(&open_ticket(customer("ada"), ""));
    server.append(append);
    assert_eq!(ticket.number(), "");
    drop(halt);
    assert_committed(outcome.await);
    assert_eq!(ticket.number(), format!("SMI-{}-000001", ticket.story.now.format("%Y")));
}

/// On two servers at once, with conversations among them that fail their fence.
async fn numbers_are_unique_and_none_is_skipped(place: TestDatabase) {
    const EACH: usize = 25;
    let servers = [Server::start(&place).await, Server::start(&place).await];
    let mut outcomes = Vec::new();
    for number in 0..EACH {
        for (index, server) in servers.iter().enumerate() {
            let mut ticket = Speculating::begin(InMemoryConversation::empty());
            let (append, outcome) = ticket.append(&open_ticket(customer(&format!("{index}-{number}")), ""));
            server.append(append);
            outcomes.push(outcome);
            let mut outdated = server.opened(&open(customer("ada"), "Hello", "")).await;
            let mut late = outdated.reloaded();
            outdated.stored(server, &note("grace", "First")).await;
            let (append, conflict) = late.append(&create_ticket("grace"));
            server.append(append);
            assert_conflict(conflict.await);
            assert_eq!(late.number(), "");
        }
    }
    for outcome in outcomes {
        assert_committed(outcome.await);
    }
    let hand = place.connection().await;
    let numbers = numbers(&hand).await;
    let year = InMemoryConversation::empty().now.format("%Y").to_string();
    let expected: Vec<_> = (1..=2 * EACH).map(|number| format!("SMI-{year}-{number:06}")).collect();
    assert_eq!(numbers, expected);
    let counter = ticket_numbers::Entity::find().one(&hand).await.expect("read").expect("a counter");
    assert_eq!(counter.last, 2 * EACH as i64);
}

async fn each_year_counts_from_one(place: TestDatabase) {
    let server = Server::start(&place).await;
    let mut years = BTreeSet::new();
    for _ in 0..2 {
        let mut story = InMemoryConversation::empty();
        for _ in 0..2 {
            let mut ticket =
                Speculating::begin(InMemoryConversation { now: story.now, ..InMemoryConversation::empty() });
            ticket.stored(&server, &open_ticket(customer("ada"), "")).await;
            years.insert(ticket.number());
            story.move_clock(366 * 24 * 60 * 60 * 1000);
        }
    }
    let year: i32 = InMemoryConversation::empty().now.format("%Y").to_string().parse().expect("a year");
    let number = |year: i32, number: u32| format!("SMI-{year}-{number:06}");
    assert_eq!(years, BTreeSet::from([number(year, 1), number(year, 2), number(year + 1, 1), number(year + 1, 2)]));
}

async fn the_closed_counter_counts_the_closes_of_all_servers(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
    for (index, server) in servers.iter().enumerate() {
        for mut conversation in server.opened_by(0..5).await {
            conversation.stored(server, &close("grace")).await;
        }
        assert_eq!(closed(&place.connection().await).await, 5 * (index as i64 + 1));
    }
    // A conflict is not counted.
    let mut conversation = servers[0].opened(&open(customer("ada"), "Hello", "")).await;
    let mut late = conversation.reloaded();
    conversation.stored(&servers[0], &note("grace", "First")).await;
    let (append, outcome) = late.append(&close("grace"));
    servers[1].append(append);
    assert_conflict(outcome.await);
    assert_eq!(closed(&place.connection().await).await, 10);
}

on_both_databases!(
    a_conversation_is_loaded_as_it_was_stored,
    a_number_is_known_as_soon_as_the_ticket_is_stored_and_not_before,
    numbers_are_unique_and_none_is_skipped,
    each_year_counts_from_one,
    the_closed_counter_counts_the_closes_of_all_servers,
);
