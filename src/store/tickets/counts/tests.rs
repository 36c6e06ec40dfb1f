//! The counters that triggers keep, compared with tickets that are written directly.

use chrono::{DateTime, TimeDelta};
use entity::tickets;
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait, DatabaseConnection, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait, Set};

use super::{TicketCounts, average, counts};
use crate::domain::{SupportType, TicketPriority, TicketStatus, Timestamp};
use crate::testing::{TestDatabase, execute, on_both_databases};

on_both_databases! {
    a_week_and_a_month_go_back_from_midnight,
    the_counters_follow_every_change_of_tickets,
    tickets_that_are_older_than_the_counters_are_counted,
}

#[test]
fn an_average_has_one_decimal_and_is_rounded() {
    assert_eq!([average(0, 0), average(14, 3), average(1, 20), average(9, 2)], [0.0, 4.7, 0.1, 4.5]);
}

fn time(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
}

fn ticket(number: usize, created_at: Timestamp) -> tickets::Model {
    let (status, priority) = (TicketStatus::ALL[number % 6], TicketPriority::ALL[number % 4]);
    tickets::Model {
        id: Uuid::now_v7(),
        ticket_number: format!("SMI-2026-{number:06}"),
        conversation_id: Uuid::now_v7(),
        is_of_conversation: false,
        user_id: None,
        email: None,
        phone_number: None,
        subject: "s".to_owned(),
        description: "d".to_owned(),
        support_type: SupportType::ALL[number % 15].as_str().to_owned(),
        status: status.as_str().to_owned(),
        priority: priority.as_str().to_owned(),
        priority_rank: priority.rank(),
        assigned_to: number.is_multiple_of(2).then(|| "sarah".to_owned()),
        assigned_name: None,
        resolved_at: None,
        resolved_by: None,
        resolved_by_name: None,
        resolution_notes: None,
        related_transaction_id: None,
        session_id: None,
        first_response_at: None,
        last_response_at: None,
        response_time_seconds: number.is_multiple_of(3).then_some(number as i64),
        rating: number.is_multiple_of(5).then_some(4),
        feedback: None,
        created_at,
        updated_at: created_at,
    }
}

async fn insert(hand: &DatabaseConnection, ticket: tickets::Model) {
    tickets::Entity::insert(ticket.into_active_model()).exec_without_returning(hand).await.expect("stored");
}

async fn now(hand: &DatabaseConnection) -> TicketCounts {
    counts(hand, time("2026-11-23T04:00:00Z")).await.expect("counts")
}

async fn a_week_and_a_month_go_back_from_midnight(database: TestDatabase) {
    let hand = database.connection().await;
    for (number, created_at) in [
        "2026-11-23T03:59:59.999Z",
        "2026-11-23T00:00:00Z",
        "2026-11-22T23:59:59.999Z",
        "2026-11-16T00:00:00Z",
        "2026-11-15T23:59:59.999Z",
        "2026-10-24T00:00:00Z",
        "2026-10-23T23:59:59.999Z",
    ]
    .into_iter()
    .enumerate()
    {
        insert(&hand, ticket(number, time(created_at))).await;
    }
    let counts = now(&hand).await;
    assert_eq!((counts.new_today, counts.new_this_week, counts.new_this_month), (2, 4, 6));
    assert_eq!(counts.total(), 7);
}

async fn the_counters_follow_every_change_of_tickets(database: TestDatabase) {
    let hand = database.connection().await;
    let created_at = time("2026-11-23T03:00:00Z");
    for number in 0..60 {
        insert(&hand, ticket(number, created_at)).await;
    }
    compare(&hand).await;
    for row in tickets::Entity::find().all(&hand).await.expect("rows") {
        let number: usize = row.ticket_number[9..].parse().expect("a number");
        let other = ticket(number + 7, created_at);
        let mut changed = row.into_active_model();
        changed.status = Set(other.status);
        changed.priority = Set(other.priority);
        changed.support_type = Set(other.support_type);
        changed.assigned_to = Set(other.assigned_to);
        changed.rating = Set(other.rating);
        changed.response_time_seconds = Set(other.response_time_seconds);
        changed.update(&hand).await.expect("changed");
    }
    compare(&hand).await;
    // Changes no counter: nothing that is counted changes.
    execute(&hand, "UPDATE tickets SET updated_at = created_at, subject = 'other'").await;
    compare(&hand).await;
    execute(&hand, "UPDATE tickets SET status = 'escalated', assigned_to = NULL WHERE status = 'closed'").await;
    compare(&hand).await;
    for row in tickets::Entity::find().all(&hand).await.expect("rows").into_iter().take(30) {
        row.delete(&hand).await.expect("deleted");
    }
    compare(&hand).await;
    assert_eq!(now(&hand).await.new_today, 30);
}

/// The tallies against the rows themselves.
async fn compare(hand: &DatabaseConnection) {
    let rows = tickets::Entity::find().all(hand).await.expect("rows");
    let of = |which: &dyn Fn(&tickets::Model) -> bool| {
        i64::try_from(rows.iter().filter(|row| which(row)).count()).expect("a count")
    };
    let counts = now(hand).await;
    assert_eq!(counts.total(), of(&|_| true));
    for status in TicketStatus::ALL {
        assert_eq!(counts.of_status(*status), of(&|row| row.status == status.as_str()), "{status:?}");
    }
    for priority in TicketPriority::ALL {
        assert_eq!(counts.of_priority(*priority), of(&|row| row.priority == priority.as_str()), "{priority:?}");
    }
    for support_type in SupportType::ALL {
        let expected = of(&|row| row.support_type == support_type.as_str());
        assert_eq!(counts.of_type(*support_type), expected, "{support_type:?}");
    }
    let is_open = |row: &tickets::Model| ["pending", "in_progress", "escalated"].contains(&row.status.as_str());
    assert_eq!(counts.open(), of(&is_open));
    assert_eq!(counts.unassigned(), of(&|row| is_open(row) && row.assigned_to.is_none()));
    let performance = counts.performance();
    assert_eq!(performance.total_rated, of(&|row| row.rating.is_some()));
    assert_eq!(performance.average_rating, 4.0);
    let seconds: Vec<i64> = rows.iter().filter_map(|row| row.response_time_seconds).collect();
    let average = seconds.iter().sum::<i64>() as f64 / seconds.len() as f64;
    assert!((performance.average_response_seconds - average).abs() <= 0.05 + 1e-9, "{performance:?} {average}");
}

async fn tickets_that_are_older_than_the_counters_are_counted(database: TestDatabase) {
    use migration::{Migrator, MigratorTrait};
    let hand = database.connection().await;
    let created_at = time("2026-11-23T03:00:00Z");
    let steps = Migrator::migrations();
    let before = steps.iter().take_while(|step| step.name() != "m20261123_000006_ticket_lists").count();
    let back = u32::try_from(steps.len() - before).expect("a number of steps");
    Migrator::down(&hand, Some(back)).await.expect("taken back");
    for number in 0..30 {
        insert(&hand, ticket(number, created_at - TimeDelta::days(1))).await;
    }
    Migrator::up(&hand, None).await.expect("applied again");
    compare(&hand).await;
    assert_eq!(now(&hand).await.new_this_week, 30);
    assert_eq!(tickets::Entity::find().count(&hand).await.expect("a count"), 30);
}
