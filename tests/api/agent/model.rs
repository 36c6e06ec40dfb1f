//! The list against a filter done here over everything: random filters, orders and pages over random conversations.

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
    Backend, Person, QUEUE, TestDatabase, TestServer, conversation_row, message_row, minute, on_both_databases,
    user_row,
};

const CONVERSATIONS: usize = 150;
const QUESTIONS: usize = 300;
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

struct World {
    made: Vec<Made>,
}

struct Made {
    row: conversations::Model,
    /// Everything that a search looks at.
    words: Vec<String>,
}

/// A conversation or nothing that agents see, a few words in it, everything about it by lot.
fn made(random: &mut impl Rng, users: &[users::Model]) -> (conversations::Model, Vec<messages::Model>) {
    let user = users.choose(random).unwrap();
    // Few moments, so that many are the same.
    let mut row = conversation_row(&user.id, random.random_range(0..12));
    row.updated_at = minute(random.random_range(0..12));
    row.last_message_at = minute(random.random_range(0..12));
    row.status = (*STATUSES.choose(random).unwrap()).to_owned();
    row.channel = (*["support", "support", "help_center", "ticket"].choose(random).unwrap()).to_owned();
    row.assigned_to = ["sarah", "mike"].choose(random).filter(|_| row.status != "active").map(|id| (*id).to_owned());
    row.assigned_at = row.assigned_to.as_ref().map(|_| minute(0));
    row.ticket_id = random.random_bool(0.2).then(Uuid::now_v7);
    row.phone_number = random.random_bool(0.5).then(|| "+2348012345678".to_owned());
    // Only a help center is there before anything is written, and only an open one.
    row.message_count =
        if row.channel == "help_center" && row.status == "active" { 0 } else { random.random_range(1..4) };
    let bodies = (0..row.message_count).map(|number| {
        let words: Vec<&str> = (0..3).map(|_| *WORDS.choose(random).unwrap()).collect();
        message_row(&row, 2 + number, &words.join(" "))
    });
    let bodies = bodies.collect();
    (row, bodies)
}

impl World {
    async fn make(database: &TestDatabase, random: &mut impl Rng) -> Self {
        let hand = database.hand().await;
        let users: Vec<_> = (0..8).map(|number| user_row(&format!("user-{number}"), false)).collect();
        users::Entity::insert_many(users.iter().cloned().map(IntoActiveModel::into_active_model))
            .exec_without_returning(&hand)
            .await
            .unwrap();
        let mut world = Self { made: Vec::new() };
        for _ in 0..CONVERSATIONS {
            // A customer has one conversation in the help center.
            let (row, bodies) = loop {
                let (row, bodies) = made(random, &users);
                let is_taken = |made: &Made| (&made.row.channel, &made.row.user_id) == (&row.channel, &row.user_id);
                if row.channel != "help_center" || !world.made.iter().any(is_taken) {
                    break (row, bodies);
                }
            };
            let user = users.iter().find(|user| Some(&user.id) == row.user_id.as_ref()).unwrap();
            let mut words: Vec<_> = bodies.iter().map(|message| message.body.clone()).collect();
            words.extend([row.email.clone(), row.phone_number.clone(), user.email.clone()].into_iter().flatten());
            words.push("John Doe".to_owned());
            let bodies: Vec<_> = bodies.into_iter().map(IntoActiveModel::into_active_model).collect();
            if !bodies.is_empty() {
                messages::Entity::insert_many(bodies).exec_without_returning(&hand).await.unwrap();
            }
            row.clone().into_active_model().insert(&hand).await.unwrap();
            world.made.push(Made { row, words });
        }
        let closed = world.listed().filter(|made| made.row.status == "closed").count();
        let tally = closed_counters::Model { shard: 1000, closed: i64::try_from(closed).unwrap() };
        tally.into_active_model().insert(&hand).await.unwrap();
        world
    }

    fn listed(&self) -> impl Iterator<Item = &Made> {
        self.made.iter().filter(|made| made.row.channel != "ticket" && made.row.message_count > 0)
    }
}

/// A query's keys and values.
type Question = Vec<(&'static str, String)>;

/// Asks for one of these, that often.
fn ask(question: &mut Question, random: &mut impl Rng, key: &'static str, often: f64, values: &[&str]) {
    if random.random_bool(often) {
        question.push((key, (*values.choose(random).unwrap()).to_owned()));
    }
}

fn question(random: &mut impl Rng) -> Question {
    let mut question = Question::new();
    ask(&mut question, random, "search", 0.4, &TERMS);
    ask(&mut question, random, "status", 0.3, &STATUSES);
    ask(&mut question, random, "assigned_to", 0.3, &["sarah", "mike", "unassigned", "nobody"]);
    ask(&mut question, random, "user_id", 0.15, &["user-1", "user-2"]);
    ask(&mut question, random, "has_ticket", 0.3, &["true", "false"]);
    ask(&mut question, random, "channel", 0.3, &["support", "help_center"]);
    ask(&mut question, random, "sort_by", 0.7, &["createdAt", "updatedAt", "last_message_at", "status"]);
    ask(&mut question, random, "sort_order", 0.7, &["asc", "desc"]);
    ask(&mut question, random, "limit", 0.7, &["1", "7", "20", "100"]);
    ask(&mut question, random, "page", 0.5, &["1", "2", "3", "9"]);
    for key in ["date_from", "date_to"] {
        if random.random_bool(0.2) {
            let moment = minute(random.random_range(0..12)) + TimeDelta::milliseconds(random.random_range(-1..2));
            question.push((key, moment.to_rfc3339_opts(SecondsFormat::Millis, true)));
        }
    }
    question
}

fn fits(made: &Made, (key, value): &(&'static str, String)) -> bool {
    let row = &made.row;
    match *key {
        "search" => made.words.iter().any(|words| words.to_lowercase().contains(&value.to_lowercase())),
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

/// The ids on the page, and how many fit.
fn expected(world: &World, question: &Question) -> (Vec<String>, usize) {
    let value = |key| question.iter().find(|(asked, _)| *asked == key).map(|(_, value)| value.as_str());
    let mut fitting: Vec<_> =
        world.listed().filter(|made| question.iter().all(|asked| fits(made, asked))).map(|made| &made.row).collect();
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
        let database = TestDatabase::create(backend).await;
        let server = TestServer::start(&database).await;
        let world = World::make(&database, &mut random).await;
        let sarah = Person::agent("sarah");
        for _ in 0..QUESTIONS {
            let question = question(&mut random);
            let query = Serializer::new(String::new()).extend_pairs(&question).finish();
            let answer = server.get(&sarah, &format!("{QUEUE}?{query}")).await;
            let got: Vec<String> = answer.body["data"]["conversations"]
                .as_array()
                .unwrap_or_else(|| panic!("{query}: {}", answer.body))
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            let (ids, total) = expected(&world, &question);
            assert_eq!((got, &answer.body["data"]["meta"]["total"]), (ids, &Value::from(total)), "seed {seed}: {query}");
        }
    }
}
