//! The help center's conversation: one however many come at once, no actor while it is empty, and a send that happens
//! once together with what follows it.

use std::time::Duration;

use futures_util::future::join_all;

use super::server::{Answer, Outcome, Server, assert_seq_has_no_gap, open_with, posted, written};
use crate::conversation::CommandError;
use crate::domain::{AUTO_REPLY_KEY, AutoReplyPolicy, ConversationId, Refusal};
use crate::store;
use crate::testing::{
    TestDatabase, account, claim, close, customer, enter, note, on_both_databases, reply, send, write, write_as,
};

const POLICIES: [AutoReplyPolicy; 3] = [AutoReplyPolicy::Unassigned, AutoReplyPolicy::First, AutoReplyPolicy::Never];

fn ada(server: &Server) -> ConversationId {
    server.registry.help_center_id(&account("ada"))
}

#[track_caller]
fn entered(answer: Answer) -> i64 {
    match answer {
        Ok(Outcome::Entered(conversation)) => conversation.message_count,
        other => panic!("not entered: {other:?}"),
    }
}

async fn retired(server: &Server) {
    // Nothing tells of it: it is looked for. No actor of these tests would go by its age.
    while server.registry.live() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn first_connections_at_the_same_instant_on_two_servers_make_one_conversation(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await];
    assert_eq!(ada(&servers[0]), ada(&servers[1]));
    let enters =
        servers.iter().flat_map(|server| (0..10).map(move |_| server.ask(ada(server), enter(customer("ada")))));
    assert_eq!(join_all(enters).await.into_iter().map(entered).collect::<Vec<_>>(), [0; 20]);
    let id = ada(&servers[0]);
    let stored = servers[0].stored(id).await.expect("it is there");
    assert_eq!((stored.version, stored.message_count), (1, 0));
    for server in &servers {
        retired(server).await;
    }
    let told = servers.iter().map(|server| server.listener.heard().len()).sum::<usize>();
    assert_eq!(told, 1, "it is made, and told of, once");
}

async fn what_nobody_has_written_in_costs_no_actor(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = ada(&server);
    entered(server.ask(id, enter(customer("ada"))).await);
    retired(&server).await;
    entered(server.ask(id, enter(customer("ada"))).await);
    retired(&server).await;
    for command in [claim("grace"), note("grace", "Hm"), close("grace"), send(customer("ada"), "x")] {
        assert_eq!(server.ask(id, command).await, Err(CommandError::Refused(Refusal::NotFound)));
    }
    retired(&server).await;
    let nothing = async { Ok(Vec::new()) };
    server.registry.listen(id, 1, nothing, |_| ()).await.expect("listening");
    retired(&server).await;
    posted(server.ask(id, write(customer("ada"), "Hello", AutoReplyPolicy::Never)).await);
    assert_eq!(server.registry.live(), 1, "from now on it is as any other");
}

async fn ten_sends_at_once_are_followed_by_what_the_policy_says(place: TestDatabase) {
    for (policy, expected) in POLICIES.into_iter().zip([10, 1, 0]) {
        let server = Server::start(&place).await;
        let who = customer(&format!("{policy:?}"));
        let id = server.registry.help_center_id(&account(&format!("{policy:?}")));
        let sends = (0..10).map(|number| server.ask(id, write(who.clone(), &format!("{number}"), policy)));
        for answer in join_all(sends).await {
            assert!(posted(answer).message.author.is_customer());
        }
        let written = written(&place, id).await;
        assert_seq_has_no_gap(&written);
        let (automatic, customers): (Vec<_>, Vec<_>) = written.iter().partition(|row| row.sender == AUTO_REPLY_KEY);
        assert_eq!((customers.len(), automatic.len()), (10, expected), "{policy:?}");
        // Each stands right behind what it answers.
        for reply in automatic {
            assert!(customers.iter().any(|message| message.position == reply.position - 1));
            assert_eq!((reply.is_from_user, &reply.sender_id), (false, &None));
        }
    }
}

async fn a_claim_between_sends_ends_the_auto_replies(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = ada(&server);
    posted(server.ask(id, write(customer("ada"), "1", AutoReplyPolicy::Unassigned)).await);
    let mut asking = vec![server.asking(id, claim("grace"))];
    asking.extend((0..5).map(|_| server.asking(id, write(customer("ada"), "2", AutoReplyPolicy::Unassigned))));
    for asked in asking {
        asked.await.expect("no panic").expect("not refused");
    }
    let written = written(&place, id).await;
    assert_eq!(written.iter().filter(|row| row.sender == AUTO_REPLY_KEY).count(), 1);
}

async fn a_send_happens_once_and_so_does_what_follows_it(place: TestDatabase) {
    let server = Server::start(&place).await;
    let id = ada(&server);
    let send = || write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let answers = join_all((0..10).map(|_| server.ask(id, send()))).await;
    let first = posted(answers[0].clone());
    assert_eq!(first.message.seq, Some(1));
    for answer in answers {
        assert_eq!(posted(answer), first);
    }
    let other = server.ask(id, write_as(customer("ada"), "Bye", AutoReplyPolicy::Unassigned, "one")).await;
    assert_eq!(other, Err(CommandError::Refused(Refusal::ClientMessageIdReused)));
    // However much has happened since, and on whatever server.
    posted(server.ask(id, reply("grace", "Hi")).await);
    server.ask(id, close("grace")).await.expect("closed");
    let another = Server::start(&place).await;
    for server in [&server, &another] {
        let repeated = posted(server.ask(id, send()).await);
        assert_eq!((repeated.id, repeated.message.seq), (first.id, Some(1)));
    }
    assert_eq!(written(&place, id).await.len(), 3);
    let stored = server.stored(id).await.expect("it is there");
    assert_eq!(stored.status, crate::domain::Status::Closed, "a repeat opens nothing again");
}

async fn a_name_that_the_support_app_has_used_is_taken(place: TestDatabase) {
    let server = Server::start(&place).await;
    let opening = crate::testing::open(customer("ada"), "Hello", "one");
    open_with(&server.registry, opening.clone()).await.expect("opened");
    let send = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "one");
    let taken = Err(CommandError::Refused(Refusal::ClientMessageIdReused));
    assert_eq!(server.ask(ada(&server), send).await, taken);
    let send = write_as(customer("ada"), "Hello", AutoReplyPolicy::Unassigned, "two");
    posted(server.ask(ada(&server), send).await);
    let opening = crate::testing::open(customer("ada"), "Hello", "two");
    assert_eq!(open_with(&server.registry, opening).await.map(drop), taken.map(drop));
}

async fn an_account_finds_its_conversation_and_nobody_elses(place: TestDatabase) {
    let server = Server::start(&place).await;
    entered(server.ask(ada(&server), enter(customer("ada"))).await);
    server.opened_by(customer("bob")).await;
    let found = store::help_center_of(&server.database, account("ada")).await.expect("read").expect("it is there");
    assert_eq!(found.id, ada(&server));
    assert_eq!(store::help_center_of(&server.database, account("bob")).await.expect("read"), None);
    // To everybody else it is not there before something is written in it.
    assert_eq!(store::conversation(&server.database, found.id).await.expect("read"), None);
}

on_both_databases!(
    first_connections_at_the_same_instant_on_two_servers_make_one_conversation,
    what_nobody_has_written_in_costs_no_actor,
    ten_sends_at_once_are_followed_by_what_the_policy_says,
    a_claim_between_sends_ends_the_auto_replies,
    a_send_happens_once_and_so_does_what_follows_it,
    a_name_that_the_support_app_has_used_is_taken,
    an_account_finds_its_conversation_and_nobody_elses,
);
