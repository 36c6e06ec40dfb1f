//! Agents who claim the same conversation.

use futures_util::future::join_all;
use reqwest::StatusCode;

use super::ROUNDS;
use crate::support::{ApiServer, Backend, QUEUE, ScratchDatabase, TestUser};

const AGENTS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_agents_claiming_on_two_servers_exactly_one_wins_a_thousand_times() {
    let database = ScratchDatabase::create(Backend::Postgres).await;
    let servers = [ApiServer::start(&database).await, ApiServer::start(&database).await];
    let john = TestUser::customer("john");
    let agents: Vec<TestUser> = (0..AGENTS).map(|number| TestUser::agent(&format!("agent-{number}"))).collect();
    for round in 0..ROUNDS {
        let id = servers[round % 2].open_conversation(&john).await;
        let claims = agents.iter().enumerate().map(|(number, agent)| {
            let server = &servers[number % 2];
            let id = &id;
            async move { (number, server.agent_action(agent, id, "claim", None).await) }
        });
        let answers = join_all(claims).await;
        let winners: Vec<usize> = answers
            .iter()
            .filter(|(_, answer)| answer.status == StatusCode::CREATED)
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        for (_, answer) in answers.iter().filter(|(number, _)| *number != winners[0]) {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "round {round}: {}", answer.body);
            assert_eq!(
                answer.message(),
                "This conversation is already assigned to another support agent. \
                 Use the handover flow to request a transfer."
            );
        }
        let stored = servers[round % 2].get(&agents[0], &format!("{QUEUE}/{id}")).await;
        assert_eq!(stored.body["data"]["assigned_to"], format!("agent-{}", winners[0]), "round {round}");
    }
}
