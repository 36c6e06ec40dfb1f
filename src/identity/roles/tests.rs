//! What several servers on one database know of an agent's role.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use secrecy::SecretString;
use tokio::sync::Notify;

use super::*;
use crate::config::{Settings, Sources};
use crate::database::DatabaseRuntime;
use crate::identity::{Identity, Principal};
use crate::testing::{TestDatabase, execute, on_both_databases};

/// Records who has lost an agent's role.
#[derive(Default)]
struct Lost {
    people: Mutex<Vec<String>>,
    changed: Notify,
}

impl RoleListener for Lost {
    fn agent_role_changed(&self, person: &UserId) {
        self.people.lock().push(person.as_str().to_owned());
        self.changed.notify_one();
    }
}

struct Server {
    roles: Roles,
    lost: Arc<Lost>,
    _runtime: DatabaseRuntime,
}

impl Server {
    async fn start(place: &TestDatabase) -> Self {
        let (database, runtime) = Database::connect(&place.settings, 1).await.expect("connected");
        let (_, settings) = Settings::load(&Sources::default()).expect("the defaults");
        let auth = AuthSettings { role_refresh_ms: 10, jwt_secret: SecretString::from("x"), ..settings.auth };
        let roles = Roles::start(&database, &auth);
        let lost = Arc::new(Lost::default());
        roles.notify(Arc::clone(&lost) as _);
        Self { roles, lost, _runtime: runtime }
    }

    /// Whether the bearer of this token is an agent now.
    async fn is_agent(&self, token: &Token) -> bool {
        self.roles.resolve(token.verified(), 1_000).await.is_agent
    }

    /// Waits until the server has ended the connections of an agent.
    async fn wait_until_lost(&self, person: &str) {
        while !self.lost.people.lock().iter().any(|lost| lost == person) {
            self.lost.changed.notified().await;
        }
    }
}

#[derive(Clone, Copy)]
struct Token {
    sub: &'static str,
    role: &'static str,
    fingerprint: u64,
    issued_at: i64,
    seen_before: Option<i64>,
}

impl Token {
    fn new(role: &'static str, fingerprint: u64, issued_at: i64) -> Self {
        Self { sub: "sarah", role, fingerprint, issued_at, seen_before: None }
    }

    fn verified(&self) -> VerifiedToken {
        let principal = Principal::from(Identity {
            id: UserId::parse(self.sub).expect("an id"),
            role: self.role.to_owned(),
            is_agent: self.role == "admin",
            email: None,
            first_name: None,
            last_name: None,
            name: None,
            phone_number: None,
            smipay_tag: None,
            picture: None,
        });
        let Self { fingerprint, issued_at, seen_before, .. } = *self;
        VerifiedToken { principal, last_second: 1_000_000, issued_at, fingerprint, seen_before }
    }
}

/// Waits until the table holds this role; only the test's own time limit ends it.
async fn wait_until_stored(hand: &DatabaseConnection, role: &str) {
    let query = sea_orm::Statement::from_string(
        hand.get_database_backend(),
        format!("SELECT 1 FROM agent_roles WHERE user_id = 'sarah' AND role = '{role}'"),
    );
    while hand.query_one_raw(query.clone()).await.expect("read").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn a_role_that_one_server_observes_takes_effect_on_all(place: TestDatabase) {
    let (one, other) = (Server::start(&place).await, Server::start(&place).await);
    let agent = Token::new("admin", 1, 100);
    assert!(one.is_agent(&agent).await);
    assert!(other.is_agent(&agent).await);
    // Not an agent's token, so nothing is stored of its bearer.
    assert!(!one.is_agent(&Token { sub: "jane", ..Token::new("user", 9, 100) }).await);

    assert!(!one.is_agent(&Token::new("user", 2, 101)).await);
    assert!(!one.is_agent(&agent).await, "at once");
    one.wait_until_lost("sarah").await;
    other.wait_until_lost("sarah").await;
    assert!(!other.is_agent(&agent).await);
    let id = UserId::parse("sarah").expect("an id");
    assert!(!one.roles.is_still_agent(&id) && !other.roles.is_still_agent(&id));

    // A server that starts later knows it before the first request, or asks.
    let third = Server::start(&place).await;
    assert!(!third.is_agent(&agent).await);

    // An agent again, with a later token; the older one has the rights of the latest.
    assert!(other.is_agent(&Token::new("admin", 3, 102)).await);
    assert!(other.is_agent(&agent).await);
    assert_eq!(other.lost.people.lock().len(), 1);
}

async fn a_customers_later_token_counts_though_the_server_did_not_know_the_agent(place: TestDatabase) {
    let hand = place.connection().await;
    let (one, other) = (Server::start(&place).await, Server::start(&place).await);
    // In any order of arrival at either server.
    assert!(!one.is_agent(&Token::new("user", 2, 101)).await);
    assert!(other.is_agent(&Token::new("admin", 1, 100)).await, "the other server cannot know yet");
    other.wait_until_lost("sarah").await;
    wait_until_stored(&hand, "user").await;
    assert!(!other.is_agent(&Token::new("admin", 1, 100)).await);
}

async fn an_agents_token_that_arrives_after_a_customers_is_the_latest(place: TestDatabase) {
    let server = Server::start(&place).await;
    let customer = Token::new("user", 1, 0);
    assert!(!server.is_agent(&customer).await);
    assert!(server.is_agent(&Token::new("admin", 2, 0)).await);
    // Used again: the token cache knows when it arrived.
    assert!(!server.is_agent(&Token { seen_before: Some(999), ..customer }).await, "it is no agent's");
    assert!(server.is_agent(&Token::new("admin", 2, 0)).await);
}

async fn the_directory_knows_the_latest_token_of_a_customer_who_comes_as_an_agent(place: TestDatabase) {
    let hand = place.connection().await;
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S+00:00");
    let user = format!(
        "INSERT INTO users (id, is_agent, role, token_issued_at, created_at, last_seen_at)
        VALUES ('sarah', false, 'user', 101, '{now}', '{now}')"
    );
    execute(&hand, &user).await;
    let server = Server::start(&place).await;
    assert!(!server.is_agent(&Token::new("admin", 1, 100)).await, "issued before");
    assert!(server.is_agent(&Token::new("admin", 2, 101)).await, "issued with it, arrived later");
}

async fn while_the_database_is_unavailable_roles_are_those_of_the_tokens(place: TestDatabase) {
    let hand = place.connection().await;
    let server = Server::start(&place).await;
    execute(&hand, "ALTER TABLE agent_roles RENAME TO elsewhere").await;
    let agent = Token::new("admin", 1, 100);
    assert!(server.is_agent(&agent).await);
    assert!(!server.is_agent(&Token::new("user", 2, 101)).await);
    assert!(!server.is_agent(&agent).await, "what the server knows counts");
    // It is written as soon as that is possible.
    execute(&hand, "ALTER TABLE elsewhere RENAME TO agent_roles").await;
    wait_until_stored(&hand, "user").await;
}

async fn servers_that_observe_tokens_at_the_same_time_agree(place: TestDatabase) {
    let servers = [Server::start(&place).await, Server::start(&place).await, Server::start(&place).await];
    let hand = place.connection().await;
    let tokens: Vec<Token> = (1..=30)
        .map(|number| Token::new(if number % 2 == 0 { "user" } else { "admin" }, number, number as i64))
        .collect();
    let observe = |server: usize| {
        let server = &servers[server];
        let tokens = &tokens;
        async move {
            for token in tokens {
                server.is_agent(token).await;
            }
        }
    };
    tokio::join!(observe(0), observe(1), observe(2));
    wait_until_stored(&hand, "user").await;
    for server in &servers {
        assert!(!server.is_agent(&tokens[28]).await, "the last one is a customer's");
    }
}

on_both_databases!(
    a_role_that_one_server_observes_takes_effect_on_all,
    a_customers_later_token_counts_though_the_server_did_not_know_the_agent,
    an_agents_token_that_arrives_after_a_customers_is_the_latest,
    the_directory_knows_the_latest_token_of_a_customer_who_comes_as_an_agent,
    while_the_database_is_unavailable_roles_are_those_of_the_tokens,
    servers_that_observe_tokens_at_the_same_time_agree,
);
