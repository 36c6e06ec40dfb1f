//! Customers and agents, and what they do until the run is over.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use switchboard::identity::{TokenClaims, sign};
use switchboard_loadtest::history::{Action, Outcome, Person, RefusalKind};

use super::rest_actions::Caller;
use super::run_state::World;

/// The secret that the tests' servers and people share.
pub(crate) const SECRET: &str = "a-secret-for-tests-a-secret-for-tests";

pub(crate) const CUSTOMERS: usize = 3;
pub(crate) const AGENTS: usize = 3;

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) person: Person,
    pub(crate) is_agent: bool,
    pub(crate) token: String,
}

/// Customers first.
pub(crate) fn everybody(world: &Rc<World>) -> Vec<Account> {
    let customers = (0..CUSTOMERS).map(|number| account(world, &format!("customer-{number}"), false));
    let agents = (0..AGENTS).map(|number| account(world, &format!("agent-{number}"), true));
    customers.chain(agents).collect()
}

fn account(world: &Rc<World>, name: &str, is_agent: bool) -> Account {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = TokenClaims {
        sub: name.to_owned(),
        exp: now + 3600,
        role: Some(if is_agent { "admin" } else { "user" }.to_owned()),
        email: Some(format!("{name}@example.com")),
        first_name: Some(name.to_owned()),
        last_name: Some("Test".to_owned()),
        ..TokenClaims::default()
    };
    let person = world.history.borrow_mut().add_person(name, is_agent);
    Account { person, is_agent, token: sign(&claims, &SecretString::from(SECRET)).unwrap() }
}

/// Writes into their conversations, begins a new one where they are closed, and rates those.
pub(crate) async fn customer(caller: Caller) {
    let world = Rc::clone(&caller.world);
    let mut closed = Vec::new();
    while !world.is_over() {
        let mut theirs = world.conversations(Some(caller.person));
        theirs.retain(|(conversation, _)| !closed.contains(conversation));
        if theirs.is_empty() || (theirs.len() < 2 && world.dice(0..20) == 0) {
            caller.open().await;
        } else {
            let (conversation, id) = world.pick(&theirs).clone();
            if caller.send(conversation, &id).await == Outcome::Refused(RefusalKind::Closed) {
                closed.push(conversation);
                caller.decide(conversation, &id, Action::Rate).await;
            }
        }
        world.pause(0..30).await;
    }
}

/// Answers, notes, claims, hands over and closes, here and there.
pub(crate) async fn agent(caller: Caller, colleagues: Vec<Person>) {
    let world = Rc::clone(&caller.world);
    while !world.is_over() {
        world.pause(0..30).await;
        if respond(&caller).await {
            continue;
        }
        let all = world.conversations(None);
        // The newest ones: of those that are closed there is little to tell.
        let from = all.len().saturating_sub(CUSTOMERS * 2);
        let Some(newest) = all.get(from..).filter(|newest| !newest.is_empty()) else { continue };
        let (conversation, id) = world.pick(newest).clone();
        match world.dice(0..100) {
            0..45 => caller.reply(conversation, &id, false).await,
            45..65 => caller.reply(conversation, &id, true).await,
            65..85 => caller.decide(conversation, &id, Action::Claim).await,
            85..96 => caller.offer(conversation, &id, *world.pick(&colleagues)).await,
            _ => caller.decide(conversation, &id, Action::Close).await,
        };
    }
}

/// Answers an offer, where there is one: whether there was.
async fn respond(caller: &Caller) -> bool {
    let world = &caller.world;
    let offer = {
        let mut offers = world.offers.borrow_mut();
        let at = offers.iter().position(|(.., to)| *to == caller.person);
        at.map(|at| offers.remove(at))
    };
    let Some((conversation, call, id, _)) = offer else { return false };
    caller.respond(conversation, call, &id, world.dice(0..3) > 0).await;
    true
}
