//! The agents' list against a model: random filters, orders and pages over random conversations, compared with a filter in
//! memory.

use std::cmp::Ordering;

use chrono::{SecondsFormat, TimeDelta};
use entity::{closed_counters, conversations, messages, users};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use crate::support::{
    ApiServer, Backend, QUEUE, ScratchDatabase, TestUser, conversation_row, message_row, minute, on_both_databases,
    user_row,
};

const CONVERSATIONS: usize = 150;
const QUERIES: usize = 300;
const WORDS: [&str; 10] =
    ["refund", "Transfer", "failed", "card_1", "100%", r"back\slash", "José", "hello", "+234", "NGN 5,000"];
const TERMS: [&str; 16] = [
    "refund",
    "TRANSFER",
    "ail",
    "card_",
    "_",
    "%",
    "0%",
    r"k\s",
    "josé",
    "he",
    "234",
    "5,0",
    "user-1",
    "example.com",
    "doe",
    "nothing at all",
];
const STATUSES: [&str; 4] = ["active", "waiting_support", "waiting_user", "closed"];

struct ListModel {
    conversations: Vec<ListedConversation>,
}

struct ListedConversation {
    row: conversations::Model,
    /// All texts that a search covers.
    words: Vec<String>,
}

/// A random conversation and its messages; some are not listed.
fn random_conversation(random: &mut impl Rng, users: &[users::Model]) -> (conversations::Model, Vec<messages::Model>) {
    let user = users.choose(random).unwrap();
    // Few timestamps, so that many are equal.
    let mut row = conversation_row(&user.id, random.random_range(0..12));
    row.updated_at = minute(random.random_range(0..12));
    row.last_message_at = minute(random.random_range(0..12));
    row.status = (*STATUSES.choose(random).unwrap()).to_owned();
    row.channel = (*["support", "support", "help_center", "ticket"].choose(random).unwrap()).to_owned();
    row.assigned_to = ["sarah", "mike"].choose(random).filter(|_| row.status != "active").map(|id| (*id).to_owned());
    row.assigned_at = row.assigned_to.as_ref().map(|_| minute(0));
    row.ticket_id = random.random_bool(0.2).then(Uuid::now_v7);
    row.phone_number = random.random_bool(0.5).then(|| "+2348012345678".to_owned());
    // Only an open help center conversation may have no message.
    row.message_count =
        if row.channel == "help_center" && row.status == "active" { 0 } else { random.random_range(1..4) };
    let bodies = (0..row.message_count).map(|number| {
        let words: Vec<&str> = (0..3).map(|_| *WORDS.choose(random).unwrap()).collect();
        message_row(&row, 2 + number, &words.join(" "))
    });
    let bodies = bodies.collect();
    (row, bodies)
}

impl ListModel {
    async fn create(database: &ScratchDatabase, random: &mut impl Rng) -> Self {
        let connection = database.connection().await;
        let users: Vec<_> = (0..8).map(|number| user_row(&format!("user-{number}"), false)).collect();
        users::Entity::insert_many(users.iter().cloned().map(IntoActiveModel::into_active_model))
            .exec_without_returning(&connection)
            .await
            .unwrap();
        let mut model = Self { conversations: Vec::new() };
        for _ in 0..CONVERSATIONS {
            // A customer has one conversation in the help center.
            let (row, bodies) = loop {
                let (row, bodies) = random_conversation(random, &users);
                let is_taken = |conversation: &ListedConversation| {
                    (&conversation.row.channel, &conversation.row.user_id) == (&row.channel, &row.user_id)
                };
                if row.channel != "help_center" || !model.conversations.iter().any(is_taken) {
                    break (row, bodies);
                }
            };
            let user = users.iter().find(|user| Some(&user.id) == row.user_id.as_ref()).unwrap();
            let mut words: Vec<_> = bodies.iter().map(|message| message.body.clone()).collect();
            words.extend([row.email.clone(), row.phone_number.clone(), user.email.clone()].into_iter().flatten());
            words.push("John Doe".to_owned());
            let bodies: Vec<_> = bodies.into_iter().map(IntoActiveModel::into_active_model).collect();
            if !bodies.is_empty() {
                messages::Entity::insert_many(bodies).exec_without_returning(&connection).await.unwrap();
            }
            row.clone().into_active_model().insert(&connection).await.unwrap();
            model.conversations.push(ListedConversation { row, words });
        }
        let closed = model.listed().filter(|conversation| conversation.row.status == "closed").count();
        let tally = closed_counters::Model { shard: 1000, closed: i64::try_from(closed).unwrap() };
        tally.into_active_model().insert(&connection).await.unwrap();
        model
    }

    fn listed(&self) -> impl Iterator<Item = &ListedConversation> {
        self.conversations
            .iter()
            .filter(|conversation| conversation.row.channel != "ticket" && conversation.row.message_count > 0)
    }
}

/// A query's keys and values.
type Query = Vec<(&'static str, String)>;

/// Adds a filter with one of these values, with this probability.
fn add_filter(query: &mut Query, random: &mut impl Rng, key: &'static str, often: f64, values: &[&str]) {
    if random.random_bool(often) {
        query.push((key, (*values.choose(random).unwrap()).to_owned()));
    }
}

fn random_query(random: &mut impl Rng) -> Query {
    let mut query = Query::new();
    add_filter(&mut query, random, "search", 0.4, &TERMS);
    add_filter(&mut query, random, "status", 0.3, &STATUSES);
    add_filter(&mut query, random, "assigned_to", 0.3, &["sarah", "mike", "unassigned", "unknown"]);
    add_filter(&mut query, random, "user_id", 0.15, &["user-1", "user-2"]);
    add_filter(&mut query, random, "has_ticket", 0.3, &["true", "false"]);
    add_filter(&mut query, random, "channel", 0.3, &["support", "help_center"]);
    add_filter(&mut query, random, "sort_by", 0.7, &["createdAt", "updatedAt", "last_message_at", "status"]);
    add_filter(&mut query, random, "sort_order", 0.7, &["asc", "desc"]);
    add_filter(&mut query, random, "limit", 0.7, &["1", "7", "20", "100"]);
    add_filter(&mut query, random, "page", 0.5, &["1", "2", "3", "9"]);
    let mut times: Vec<_> = (0..2)
        .map(|_| minute(random.random_range(0..12)) + TimeDelta::milliseconds(random.random_range(-1..2)))
        .collect();
    // A range that ends before it begins is refused.
    times.sort();
    for (key, time) in ["date_from", "date_to"].into_iter().zip(times) {
        if random.random_bool(0.2) {
            query.push((key, time.to_rfc3339_opts(SecondsFormat::Millis, true)));
        }
    }
    query
}

fn fits(conversation: &ListedConversation, (key, value): &(&'static str, String)) -> bool {
    let row = &conversation.row;
    match *key {
        "search" => conversation.words.iter().any(|words| words.to_lowercase().contains(&value.to_lowercase())),
        "status" => row.status == *value,
        "assigned_to" if value == "unassigned" => row.assigned_to.is_none(),
        "assigned_to" => row.assigned_to.as_ref() == Some(value),
        "user_id" => row.user_id.as_ref() == Some(value),
        "has_ticket" => row.ticket_id.is_some() == (value == "true"),
        "channel" => row.channel == *value,
        "date_from" => row.created_at >= value.parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
        "date_to" => row.created_at <= value.parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
        _ => true,
    }
}

fn order(one: &conversations::Model, other: &conversations::Model, sort_by: &str) -> Ordering {
    let by = match sort_by {
        "createdAt" => one.created_at.cmp(&other.created_at),
        "updatedAt" => one.updated_at.cmp(&other.updated_at),
        "status" => one.status.cmp(&other.status).then(one.last_message_at.cmp(&other.last_message_at)),
        _ => one.last_message_at.cmp(&other.last_message_at),
    };
    by.then(one.id.cmp(&other.id))
}

/// The ids on the page, and the total of matching rows.
fn expected(model: &ListModel, query: &Query) -> (Vec<String>, usize) {
    let value = |key| query.iter().find(|(asked, _)| *asked == key).map(|(_, value)| value.as_str());
    let mut fitting: Vec<_> = model
        .listed()
        .filter(|conversation| query.iter().all(|asked| fits(conversation, asked)))
        .map(|conversation| &conversation.row)
        .collect();
    fitting.sort_by(|one, other| order(one, other, value("sort_by").unwrap_or_default()));
    if value("sort_order") != Some("asc") {
        fitting.reverse();
    }
    let limit: usize = value("limit").unwrap_or("20").parse().unwrap();
    let page: usize = value("page").unwrap_or("1").parse().unwrap();
    let ids = fitting.iter().skip(limit * (page - 1)).take(limit).map(|row| row.id.to_string());
    (ids.collect(), fitting.len())
}

on_both_databases! {
    async fn every_page_is_what_a_filter_over_everything_gives(backend: Backend) {
        let seed: u64 = rand::random();
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let model = ListModel::create(&database, &mut random).await;
        let sarah = TestUser::agent("sarah");
        for _ in 0..QUERIES {
            let filters = random_query(&mut random);
            let query = Serializer::new(String::new()).extend_pairs(&filters).finish();
            let answer = server.get(&sarah, &format!("{QUEUE}?{query}")).await;
            let got: Vec<String> = answer.body["data"]["conversations"]
                .as_array()
                .unwrap_or_else(|| panic!("{query}: {}", answer.body))
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            let (ids, total) = expected(&model, &filters);
            assert_eq!((got, &answer.body["data"]["meta"]["total"]), (ids, &Value::from(total)), "seed {seed}: {query}");
        }
    }
}
