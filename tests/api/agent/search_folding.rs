//! `search` finds what a person means, whatever it is written like (`additions.md`, 4), in conversations and tickets.

use std::collections::BTreeSet;

use entity::{conversations, messages};
use reqwest::StatusCode;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Statement, TransactionTrait};
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::support::{
    ApiServer, Backend, QUEUE, ScratchDatabase, TICKETS, TestUser, conversation_row, message_row, on_both_databases,
    ticket_row, user_row,
};

/// The conversations that a list's answer is about, and its total.
async fn found(server: &ApiServer, list: &str, term: &str) -> BTreeSet<String> {
    let term: String = byte_serialize(term.as_bytes()).collect();
    let answer = server.get(&TestUser::agent("sarah"), &format!("{list}?limit=100&search={term}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{term}: {}", answer.body);
    let (key, id) = if list == QUEUE { ("conversations", "id") } else { ("tickets", "conversation_id") };
    let entries = answer.body["data"][key].as_array().unwrap();
    assert_eq!(answer.body["data"]["meta"]["total"], entries.len(), "{term}");
    entries.iter().map(|one| one[id].as_str().unwrap().to_owned()).collect()
}

/// Waits until the search indexer has nothing left to do.
async fn indexed(database: &ScratchDatabase, backend: Backend) {
    let connection = database.connection().await;
    let left = "SELECT (SELECT count(*) FROM unsearchable_messages) + (SELECT count(*) FROM unsearchable_rows) \
                + (SELECT count(*) FROM search_backfills) + (SELECT count(*) FROM searchable_texts WHERE kind < 0) AS n";
    let left = || Statement::from_string(connection.get_database_backend(), left);
    while backend == Backend::Postgres
        && connection.query_one_raw(left()).await.unwrap().unwrap().try_get::<i64>("", "n").unwrap() > 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A conversation with a ticket, for each of these texts, that has it as a message and nothing else that a term below
/// could mean. Gives their ids.
async fn with_messages(database: &ScratchDatabase, texts: &[&str]) -> Vec<String> {
    let connection = database.connection().await;
    let mut ids = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let mut row = conversation_row("", 1);
        (row.user_id, row.email, row.ticket_id) = (Some(format!("#{number}")), None, Some(Uuid::now_v7()));
        message_row(&row, 2, text).into_active_model().insert(&connection).await.unwrap();
        let mut ticket = ticket_row(&row, &format!("0-{number}"));
        (ticket.subject, ticket.description) = ("_".to_owned(), "_".to_owned());
        ids.push(row.id.to_string());
        row.into_active_model().insert(&connection).await.unwrap();
        ticket.into_active_model().insert(&connection).await.unwrap();
    }
    ids
}

const TEXTS: [&str; 14] = [
    "Das Café ist schön",
    "Das Cafe\u{301} ist scho\u{308}n",
    "I can\u{2019}t wait — \u{201c}really\u{201d}",
    "STRASSE Straße",
    "请帮忙转账",
    "перевод ЁЛКА",
    "in\u{200b}vis\u{ad}ible",
    "a\u{a0}\u{a0}wide\n\n  gap",
    "co\u{2011}operate 5 %",
    "ガード",
    "カード",
    "Łódź",
    "퇵 xq",
    "𠮷野家 👩\u{200d}👧",
];

const TERMS: &[(&str, &[usize])] = &[
    ("cafe", &[0, 1]),
    ("CAFÉ IST SCHÖN", &[0, 1]),
    ("cafe\u{301}", &[0, 1]),
    ("can't", &[2]),
    ("can‘t", &[2]),
    ("- \"really\"", &[2]),
    ("strasse", &[3]),
    ("straße strasse", &[3]),
    ("strasse straße", &[3]),
    ("转账", &[4]),
    ("转", &[4]),
    ("帮忙转账", &[4]),
    ("转帮", &[]),
    ("елка", &[5]),
    ("Перевод ё", &[5]),
    ("ЁЛ", &[5]),
    ("invisible", &[6]),
    ("a wide gap", &[7]),
    ("wide  gap", &[7]),
    ("co-op", &[8]),
    ("5 %", &[8]),
    ("ガード", &[9]),
    ("カード", &[10]),
    ("lodz", &[11]),
    ("xq", &[12]),
    ("𠮷野", &[13]),
];

on_both_databases! {
    async fn a_text_is_found_whatever_it_is_written_like(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let ids = with_messages(&database, &TEXTS).await;
        for is_indexed in [false, true] {
            if is_indexed {
                indexed(&database, backend).await;
            }
            for &(term, expected) in TERMS {
                let expected: BTreeSet<String> = expected.iter().map(|at| ids[*at].clone()).collect();
                for list in [QUEUE, TICKETS] {
                    assert_eq!(found(&server, list, term).await, expected, "{term} in {list}, indexed: {is_indexed}");
                }
            }
        }
    }

    async fn people_tickets_and_ids_are_found(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let mut known = user_row("u-1", false);
        (known.first_name, known.last_name, known.email) = (None, None, Some("m@x.test".to_owned()));
        known.name = Some("Núria Vidal i Soler".to_owned());
        (known.phone_number, known.smipay_tag) = (Some("+234 (803) 123-4567".to_owned()), Some("@Nuri".to_owned()));
        let mut other = user_row("u-2", false);
        (other.first_name, other.last_name, other.email) = (Some("Jane".to_owned()), Some("Roe".to_owned()), None);
        for user in [known, other] {
            user.into_active_model().insert(&connection).await.unwrap();
        }
        let mut rows = [conversation_row("u-1", 1), conversation_row("u-2", 2), conversation_row("u-3", 3)];
        for row in &mut rows {
            (row.email, row.ticket_id) = (None, Some(Uuid::now_v7()));
        }
        rows[2].id = Uuid::parse_str("aaaabbbb-cccc-7ddd-8eee-ffff00001111").unwrap();
        (rows[2].email, rows[2].phone_number) = (Some("Guest@Example.com".to_owned()), Some("+49 (0)30 901820".to_owned()));
        let mut of_it = ticket_row(&rows[1], "SMI-2026-000777");
        (of_it.subject, of_it.description) = ("Lost its wåy".to_owned(), "Nowhere else".to_owned());
        of_it.into_active_model().insert(&connection).await.unwrap();
        let ids = rows.clone().map(|row| row.id.to_string());
        conversations::Entity::insert_many(rows.map(IntoActiveModel::into_active_model)).exec_without_returning(&connection).await.unwrap();
        let terms: [(&str, Option<usize>); 23] = [
            ("nuria vidal", Some(0)), ("SOLER", Some(0)), ("@nuri", Some(0)), ("m@x", Some(0)),
            ("0803 123 4567", Some(0)), ("+2348031234567", Some(0)), ("00234 803", Some(0)), ("8031234", Some(0)),
            ("jane roe", Some(1)), ("Roe Jane", Some(1)), ("roe  JANE", Some(1)), ("janeroe", None),
            ("smi-2026-000777", Some(1)), ("#SMI-2026-777", Some(1)), ("SMI\u{2013}2026\u{2013}777", Some(1)), ("lost its way", Some(1)),
            ("guest@example.com", Some(2)), ("030 901820", Some(2)), ("+49 (0)30", Some(2)),
            ("aaaabbbb-cccc-7ddd-8eee-ffff00001111", Some(2)), ("AAAABBBBCCCC", Some(2)), ("aaaabbb", None), ("0803 123 4568", None),
        ];
        for is_indexed in [false, true] {
            if is_indexed {
                indexed(&database, backend).await;
            }
            for (term, expected) in terms {
                let expected: BTreeSet<_> = expected.map(|at| ids[at].clone()).into_iter().collect();
                assert_eq!(found(&server, QUEUE, term).await, expected, "{term}, indexed: {is_indexed}");
            }
            let ticket: BTreeSet<_> = [ids[1].clone()].into();
            for term in ["jane roe", "lost", "nowhere ELSE", "#smi-2026-777", ids[1].as_str()] {
                assert_eq!(found(&server, TICKETS, term).await, ticket, "{term}, indexed: {is_indexed}");
            }
            assert_eq!(found(&server, QUEUE, "nowhere else").await, BTreeSet::new(), "only tickets have descriptions");
        }
    }

    async fn a_changed_name_is_found_and_the_former_one_is_not(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let row = conversation_row("u-1", 1);
        let id: BTreeSet<_> = [row.id.to_string()].into();
        row.into_active_model().insert(&connection).await.unwrap();
        user_row("u-1", false).into_active_model().insert(&connection).await.unwrap();
        for name in ["Zoë", "Ødegård"] {
            indexed(&database, backend).await;
            connection.execute_unprepared(&format!("UPDATE users SET first_name = '{name}' WHERE id = 'u-1'")).await.unwrap();
            assert_eq!(found(&server, QUEUE, &name.to_lowercase()).await, id, "{name}");
            indexed(&database, backend).await;
            assert_eq!(found(&server, QUEUE, &name.to_lowercase()).await, id, "{name}");
        }
        assert_eq!(found(&server, QUEUE, "zoe").await, BTreeSet::new());
    }

    async fn a_search_that_takes_too_long_is_refused(backend: Backend) {
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start_with(&database, &[("SWITCHBOARD__READS__SEARCH_TIMEOUT_MS", "50")]).await;
        let connection = database.connection().await;
        let row = conversation_row("u-1", 1);
        // On SQLite everything is folded, which takes longer than that; PostgreSQL waits for a lock.
        let bodies = if backend == Backend::Sqlite { 60_000 } else { 1 };
        let bodies: Vec<_> = (0..bodies).map(|at| message_row(&row, at + 2, &"é".repeat(200)).into_active_model()).collect();
        for chunk in bodies.chunks(2000) {
            messages::Entity::insert_many(chunk.iter().cloned()).exec_without_returning(&connection).await.unwrap();
        }
        row.into_active_model().insert(&connection).await.unwrap();
        let lock = connection.begin().await.unwrap();
        if backend == Backend::Postgres {
            lock.execute_unprepared("LOCK TABLE searchable_texts IN ACCESS EXCLUSIVE MODE").await.unwrap();
        }
        for list in [QUEUE, TICKETS] {
            let answer = server.get(&TestUser::agent("sarah"), &format!("{list}?search=nothing")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert_eq!(answer.body["code"], "SEARCH_TOO_BROAD");
        }
        lock.rollback().await.unwrap();
        // The connections work again.
        assert_eq!(server.get(&TestUser::agent("sarah"), QUEUE).await.status, StatusCode::OK);
    }

    async fn while_the_texts_of_an_earlier_release_are_not_folded_a_search_is_refused(backend: Backend) {
        if backend == Backend::Sqlite {
            return;
        }
        let database = ScratchDatabase::create(backend).await;
        let server = ApiServer::start(&database).await;
        let connection = database.connection().await;
        let lock = connection.begin().await.unwrap();
        // The key of the indexer's work, so that it does nothing meanwhile.
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(8315159430931440760)").await.unwrap();
        database.connection().await.execute_unprepared("INSERT INTO search_backfills VALUES ('conversations', '')").await.unwrap();
        let answer = server.get(&TestUser::agent("sarah"), &format!("{QUEUE}?search=x")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert!(answer.headers.contains_key("retry-after"));
        lock.rollback().await.unwrap();
        indexed(&database, backend).await;
        assert_eq!(found(&server, QUEUE, "x").await, BTreeSet::new());
    }
}
