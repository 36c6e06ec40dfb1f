//! Lists of tickets: an index per sort order and filter, one for search, and sharded counters, so that counting does not
//! read the entire table.
//!
//! Triggers change the counters in the transaction that writes a ticket. So no writer can forget them, and none needs to
//! know the row's previous values.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Tickets {
    Table,
    Id,
    UserId,
    SupportType,
    Status,
    PriorityRank,
    AssignedTo,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum TicketTallies {
    Table,
    Share,
    Status,
    Priority,
    SupportType,
    IsAssigned,
    Tickets,
    Responded,
    ResponseSeconds,
    Rated,
    Stars,
}

#[derive(DeriveIden)]
enum TicketDays {
    Table,
    Day,
    Share,
    Tickets,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in indexes() {
            manager.create_index(index).await?;
        }
        manager.create_table(ticket_tallies()).await?;
        manager.create_table(ticket_days()).await?;
        let is_postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        let statements = if is_postgres { &POSTGRES[..] } else { &SQLITE[..] };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        let statements = if is_postgres { &POSTGRES_BACK[..] } else { &SQLITE_BACK[..] };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        manager.drop_table(Table::drop().table(TicketDays::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(TicketTallies::Table).to_owned()).await?;
        for index in indexes() {
            let name = index.get_index_spec().get_name().unwrap_or_default().to_owned();
            manager.drop_index(Index::drop().name(name).table(Tickets::Table).to_owned()).await?;
        }
        Ok(())
    }
}

fn ticket_tallies() -> TableCreateStatement {
    Table::create()
        .table(TicketTallies::Table)
        .col(ColumnDef::new(TicketTallies::Share).integer().not_null())
        .col(ColumnDef::new(TicketTallies::Status).text().not_null())
        .col(ColumnDef::new(TicketTallies::Priority).text().not_null())
        .col(ColumnDef::new(TicketTallies::SupportType).text().not_null())
        .col(ColumnDef::new(TicketTallies::IsAssigned).boolean().not_null())
        .col(ColumnDef::new(TicketTallies::Tickets).big_integer().not_null())
        .col(ColumnDef::new(TicketTallies::Responded).big_integer().not_null())
        .col(ColumnDef::new(TicketTallies::ResponseSeconds).big_integer().not_null())
        .col(ColumnDef::new(TicketTallies::Rated).big_integer().not_null())
        .col(ColumnDef::new(TicketTallies::Stars).big_integer().not_null())
        .primary_key(
            Index::create()
                .col(TicketTallies::Share)
                .col(TicketTallies::Status)
                .col(TicketTallies::Priority)
                .col(TicketTallies::SupportType)
                .col(TicketTallies::IsAssigned),
        )
        .to_owned()
}

fn ticket_days() -> TableCreateStatement {
    Table::create()
        .table(TicketDays::Table)
        .col(ColumnDef::new(TicketDays::Day).text().not_null())
        .col(ColumnDef::new(TicketDays::Share).integer().not_null())
        .col(ColumnDef::new(TicketDays::Tickets).big_integer().not_null())
        .primary_key(Index::create().col(TicketDays::Day).col(TicketDays::Share))
        .to_owned()
}

/// Each serves a filter or an order by its first column.
fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).table(Tickets::Table).to_owned();
    let by = |name: &str, first: Tickets| index(name).col(first).col(Tickets::CreatedAt).col(Tickets::Id).to_owned();
    vec![
        index("tickets_created_at").col(Tickets::CreatedAt).col(Tickets::Id).to_owned(),
        index("tickets_updated_at").col(Tickets::UpdatedAt).col(Tickets::Id).to_owned(),
        by("tickets_priority_rank", Tickets::PriorityRank),
        by("tickets_status", Tickets::Status),
        by("tickets_support_type", Tickets::SupportType),
        by("tickets_assigned_to", Tickets::AssignedTo),
        by("tickets_user_id", Tickets::UserId),
    ]
}

/// Adds a statement's changes to the counters, all rows at once: row by row, a statement with many rows would update the
/// same counter again and again. A sum of zero writes nothing.
macro_rules! tally_function {
    ($name:literal, $changed:literal) => {
        concat!(
            "CREATE FUNCTION ",
            $name,
            "() RETURNS trigger LANGUAGE plpgsql AS $$ \
             DECLARE mine integer := free_ticket_share(); \
             BEGIN \
               INSERT INTO ticket_tallies AS tally (share, status, priority, support_type, is_assigned, tickets, \
                 responded, response_seconds, rated, stars) \
               SELECT mine, status, priority, support_type, assigned_to IS NOT NULL, sum(times), \
                 COALESCE(sum(times) FILTER (WHERE response_time_seconds IS NOT NULL), 0), \
                 COALESCE(sum(times * response_time_seconds), 0), \
                 COALESCE(sum(times) FILTER (WHERE rating IS NOT NULL), 0), COALESCE(sum(times * rating), 0) \
               FROM (",
            $changed,
            ") changed GROUP BY 2, 3, 4, 5 \
               HAVING sum(times) <> 0 OR sum(times * response_time_seconds) <> 0 OR sum(times * rating) <> 0 \
                 OR sum(times) FILTER (WHERE response_time_seconds IS NOT NULL) <> 0 \
                 OR sum(times) FILTER (WHERE rating IS NOT NULL) <> 0 \
               ON CONFLICT (share, status, priority, support_type, is_assigned) DO UPDATE SET \
                 tickets = tally.tickets + excluded.tickets, responded = tally.responded + excluded.responded, \
                 response_seconds = tally.response_seconds + excluded.response_seconds, \
                 rated = tally.rated + excluded.rated, stars = tally.stars + excluded.stars; \
               INSERT INTO ticket_days AS days (day, share, tickets) \
               SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), mine, sum(times) \
               FROM (",
            $changed,
            ") changed GROUP BY 1 HAVING sum(times) <> 0 \
               ON CONFLICT (day, share) DO UPDATE SET tickets = days.tickets + excluded.tickets; \
               RETURN NULL; \
             END $$"
        )
    };
}

/// A transaction uses a shard that no other one has locked, so that none waits unless there are more writers than shards.
/// Existing tickets are counted first: nothing can be written meanwhile, as the same transaction created the indexes.
const POSTGRES: [&str; 10] = [
    "CREATE FUNCTION free_ticket_share() RETURNS integer LANGUAGE plpgsql AS $$ \
     DECLARE share integer; \
     BEGIN \
       FOR attempt IN 0..15 LOOP \
         share := (pg_backend_pid() + attempt) % 16; \
         EXIT WHEN pg_try_advisory_xact_lock(1953199219, share); \
       END LOOP; \
       RETURN share; \
     END $$",
    tally_function!("tally_tickets_made", "SELECT 1 AS times, made.* FROM made"),
    tally_function!("tally_tickets_gone", "SELECT -1 AS times, gone.* FROM gone"),
    tally_function!(
        "tally_tickets_changed",
        "SELECT 1 AS times, made.* FROM made UNION ALL SELECT -1, gone.* FROM gone"
    ),
    "INSERT INTO ticket_tallies \
       (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) \
     SELECT 0, status, priority, support_type, assigned_to IS NOT NULL, count(*), count(response_time_seconds), \
            COALESCE(sum(response_time_seconds), 0), count(rating), COALESCE(sum(rating), 0) \
     FROM tickets GROUP BY 2, 3, 4, 5",
    "INSERT INTO ticket_days (day, share, tickets) \
     SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 0, count(*) FROM tickets GROUP BY 1",
    "CREATE TRIGGER tickets_made AFTER INSERT ON tickets REFERENCING NEW TABLE AS made \
     FOR EACH STATEMENT EXECUTE FUNCTION tally_tickets_made()",
    "CREATE TRIGGER tickets_gone AFTER DELETE ON tickets REFERENCING OLD TABLE AS gone \
     FOR EACH STATEMENT EXECUTE FUNCTION tally_tickets_gone()",
    "CREATE TRIGGER tickets_changed AFTER UPDATE ON tickets REFERENCING OLD TABLE AS gone NEW TABLE AS made \
     FOR EACH STATEMENT EXECUTE FUNCTION tally_tickets_changed()",
    // Without pg_trgm, or without permission to create it, search has no index.
    "DO $$ BEGIN \
       CREATE EXTENSION IF NOT EXISTS pg_trgm; \
       CREATE INDEX tickets_search ON tickets USING gin (ticket_number gin_trgm_ops, subject gin_trgm_ops, \
         email gin_trgm_ops, phone_number gin_trgm_ops, description gin_trgm_ops); \
     EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR undefined_object THEN \
       RAISE WARNING 'tickets are searched without an index: %', SQLERRM; \
     END $$",
];

const POSTGRES_BACK: [&str; 8] = [
    "DROP INDEX IF EXISTS tickets_search",
    "DROP TRIGGER tickets_changed ON tickets",
    "DROP TRIGGER tickets_gone ON tickets",
    "DROP TRIGGER tickets_made ON tickets",
    "DROP FUNCTION tally_tickets_changed()",
    "DROP FUNCTION tally_tickets_gone()",
    "DROP FUNCTION tally_tickets_made()",
    "DROP FUNCTION free_ticket_share()",
];

macro_rules! add_to_tally {
    ($row:literal, $times:literal) => {
        concat!(
            "INSERT INTO ticket_tallies \
               (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) \
             VALUES (0, ", $row, ".status, ", $row, ".priority, ", $row, ".support_type, ",
            $row, ".assigned_to IS NOT NULL, ", $times, ", ",
            $times, " * (", $row, ".response_time_seconds IS NOT NULL), ",
            $times, " * COALESCE(", $row, ".response_time_seconds, 0), ",
            $times, " * (", $row, ".rating IS NOT NULL), ",
            $times, " * COALESCE(", $row, ".rating, 0)) \
             ON CONFLICT (share, status, priority, support_type, is_assigned) DO UPDATE SET \
               tickets = tickets + excluded.tickets, responded = responded + excluded.responded, \
               response_seconds = response_seconds + excluded.response_seconds, \
               rated = rated + excluded.rated, stars = stars + excluded.stars; "
        )
    };
}

macro_rules! add_to_day {
    ($row:literal, $times:literal) => {
        concat!(
            "INSERT INTO ticket_days (day, share, tickets) VALUES (date(",
            $row,
            ".created_at), 0, ",
            $times,
            ") \
             ON CONFLICT (day, share) DO UPDATE SET tickets = tickets + excluded.tickets; "
        )
    };
}

/// One writer at a time needs one shard.
const SQLITE: [&str; 5] = [
    "INSERT INTO ticket_tallies \
       (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) \
     SELECT 0, status, priority, support_type, assigned_to IS NOT NULL, count(*), count(response_time_seconds), \
            COALESCE(sum(response_time_seconds), 0), count(rating), COALESCE(sum(rating), 0) \
     FROM tickets GROUP BY 2, 3, 4, 5",
    "INSERT INTO ticket_days (day, share, tickets) SELECT date(created_at), 0, count(*) FROM tickets GROUP BY 1",
    concat!(
        "CREATE TRIGGER tickets_made AFTER INSERT ON tickets BEGIN ",
        add_to_tally!("NEW", "1"),
        add_to_day!("NEW", "1"),
        "END"
    ),
    concat!(
        "CREATE TRIGGER tickets_gone AFTER DELETE ON tickets BEGIN ",
        add_to_tally!("OLD", "-1"),
        add_to_day!("OLD", "-1"),
        "END"
    ),
    concat!(
        "CREATE TRIGGER tickets_changed AFTER UPDATE ON tickets \
         WHEN OLD.status IS NOT NEW.status OR OLD.priority IS NOT NEW.priority \
           OR OLD.support_type IS NOT NEW.support_type OR (OLD.assigned_to IS NULL) IS NOT (NEW.assigned_to IS NULL) \
           OR OLD.response_time_seconds IS NOT NEW.response_time_seconds OR OLD.rating IS NOT NEW.rating \
         BEGIN ",
        add_to_tally!("OLD", "-1"),
        add_to_tally!("NEW", "1"),
        "END"
    ),
];

const SQLITE_BACK: [&str; 3] =
    ["DROP TRIGGER tickets_changed", "DROP TRIGGER tickets_gone", "DROP TRIGGER tickets_made"];
