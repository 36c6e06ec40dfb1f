//! Concurrent requests for tickets, on several servers.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    ADD_MESSAGE, ApiServer, Backend, CREATE_TICKET, ScratchDatabase, TICKET, TICKETS, TestUser, TicketRef,
    on_both_databases, ticket_body,
};

const ROUNDS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_agents_creating_a_ticket_from_one_conversation_one_succeeds_a_thousand_times() {
    let database = ScratchDatabase::create(Backend::Postgres).await;
    let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
    let john = TestUser::customer("john");
    let agents = [TestUser::agent("sarah"), TestUser::agent("mike")];
    for round in 0..ROUNDS {
        let id = servers[round % 2].open_conversation(&john).await;
        let (one, other) =
            join(servers[0].create_ticket_from(&agents[0], &id), servers[1].create_ticket_from(&agents[1], &id)).await;
        let (ticket_ref, refused) = if one.status == StatusCode::CREATED { (one, other) } else { (other, one) };
        let number = TicketRef::from_answer(&ticket_ref).number;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
        assert_eq!(refused.message(), format!("This conversation already has ticket {number}"));
        // The refused request uses up no number.
        assert!(number.ends_with(&format!("-{:06}", round + 1)), "{number} in round {round}");
    }
}

on_both_databases! {
    async fn of_two_ratings_at_once_one_counts(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        for _ in 0..50 {
            let ticket_ref = server.create_ticket(&john, "A question").await;
            server.set_status(&sarah, &ticket_ref, "closed").await;
            let path = format!("{TICKET}/{}/rate", ticket_ref.number);
            let answers = join_all([1, 5].map(|stars| server.post(&john, &path, json!({ "rating": stars })))).await;
            let taken: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
            assert_eq!(taken.len(), 1);
            let seen = server.get(&john, &format!("{TICKET}?ticket_number={}", ticket_ref.number)).await;
            let kept = &seen.body["data"]["ticket"]["satisfaction_rating"];
            assert_eq!(kept, &taken[0].body["data"]["satisfaction_rating"]);
        }
        let analytics = server.get(&sarah, TICKETS).await.body["data"]["analytics"].clone();
        assert_eq!(analytics["performance"]["total_rated"], 50);
    }

    async fn fifty_concurrent_tickets_on_two_servers_have_consecutive_numbers(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let john = TestUser::customer("john");
        let all = (0..50).map(|number| servers[number % 2].post(&john, CREATE_TICKET, ticket_body("x")));
        let numbers: BTreeSet<String> = join_all(all).await.iter().map(|answer| TicketRef::from_answer(answer).number).collect();
        let year = numbers.first().unwrap().get(4..8).unwrap().to_owned();
        let expected: BTreeSet<String> = (1..=50).map(|number| format!("SMI-{year}-{number:06}")).collect();
        assert_eq!(numbers, expected);
        let analytics = servers[1].get(&TestUser::agent("sarah"), TICKETS).await.body["data"]["analytics"].clone();
        assert_eq!(analytics["overview"]["total_tickets"], 50);
        assert_eq!(analytics["activity"]["new_today"], 50);
    }

    async fn a_message_comes_before_the_end_of_a_ticket_or_is_refused(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
        let (john, sarah) = (TestUser::customer("john"), TestUser::agent("sarah"));
        for round in 0..50 {
            let ticket_ref = servers[0].create_ticket(&john, "A question").await;
            let body = json!({ "ticket_number": ticket_ref.number, "message": "More" });
            let (added, closed) = join(
                servers[round % 2].post(&john, ADD_MESSAGE, body),
                servers[1].put(&sarah, &format!("{TICKETS}/{}/status", ticket_ref.id), json!({ "status": "closed" })),
            )
            .await;
            assert_eq!(closed.status, StatusCode::OK, "{}", closed.body);
            let seen = servers[0].get(&sarah, &format!("{TICKETS}/{}", ticket_ref.id)).await.body["data"].clone();
            assert_eq!(seen["status"], "closed");
            if added.status == StatusCode::CREATED {
                assert_eq!(seen["total_messages"], 2);
            } else {
                assert_eq!(added.message(), "Cannot add messages to a closed or resolved ticket");
                assert_eq!(seen["total_messages"], 1);
            }
        }
    }
}
