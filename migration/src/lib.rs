//! Switchboard's schema as a sequence of migrations.
//!
//! Every migration runs on PostgreSQL and on SQLite, runs online next to servers of the previous release, and can be
//! reverted by `switchboard migrate down`. A released migration never changes what it does.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::prelude::{MigratorTrait, SchemaManager};

mod m20261123_000001_conversations;
mod m20261123_000002_people;
mod m20261123_000003_nonces;
mod m20261123_000004_tickets;
mod m20261123_000005_lists;
mod m20261123_000006_ticket_lists;
mod m20261123_000007_help_center;
mod m20261123_000008_searchable_texts;
mod m20261130_000009_event_details;
mod m20261130_000010_handover_resolutions;
mod m20261201_000011_ownership;
mod m20261201_000012_folded_texts;
mod m20261201_000013_guest_email;
mod m20261201_000014_roles_and_reading;
mod m20261201_000015_pending_handovers;

/// All migrations in the order they are applied.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_conversations::Migration),
            Box::new(m20261123_000002_people::Migration),
            Box::new(m20261123_000003_nonces::Migration),
            Box::new(m20261123_000004_tickets::Migration),
            Box::new(m20261123_000005_lists::Migration),
            Box::new(m20261123_000006_ticket_lists::Migration),
            Box::new(m20261123_000007_help_center::Migration),
            Box::new(m20261123_000008_searchable_texts::Migration),
            Box::new(m20261130_000009_event_details::Migration),
            Box::new(m20261130_000010_handover_resolutions::Migration),
            Box::new(m20261201_000011_ownership::Migration),
            Box::new(m20261201_000012_folded_texts::Migration),
            Box::new(m20261201_000013_guest_email::Migration),
            Box::new(m20261201_000014_roles_and_reading::Migration),
            Box::new(m20261201_000015_pending_handovers::Migration),
        ]
    }
}
