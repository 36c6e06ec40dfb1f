//! `switchboard migrate`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use migration::{Migrator, MigratorTrait};

use super::CliError;
use crate::config::Settings;
use crate::database::Database;
use crate::migrations;

#[derive(Debug, Args)]
pub(super) struct MigrateArguments {
    #[command(subcommand)]
    direction: Direction,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Direction {
    /// Apply all pending migrations
    Up,
    /// Revert the last migrations; this deletes the data in the tables that they created
    Down {
        /// Number of migrations
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations and whether they are applied
    Status,
}

pub(super) async fn run(arguments: MigrateArguments, settings: &Settings) -> Result<(), CliError> {
    let (database, _runtime) = Database::connect(&settings.database, settings.journal.writers).await?;
    let applied_before = applied(&database).await?;
    match arguments.direction {
        Direction::Up => migrations::up(&database, &settings.database).await?,
        Direction::Down { steps } => migrations::down(&database, &settings.database, steps).await?,
        Direction::Status => return status(&applied_before),
    }
    let applied_now = applied(&database).await?;
    let change = |from: &[String], to: &[String]| to.iter().filter(|name| !from.contains(name)).cloned().collect();
    let (up, down): (Vec<String>, Vec<String>) =
        (change(&applied_before, &applied_now), change(&applied_now, &applied_before));
    // Reverted last to first.
    let down = down.into_iter().rev().collect();
    for (verb, names) in [("applied", up), ("reverted", down)] {
        for name in names {
            writeln!(io::stdout(), "{verb}  {name}")?;
        }
    }
    writeln!(io::stdout(), "{} of {} migrations applied", applied_now.len(), Migrator::migrations().len())?;
    Ok(())
}

async fn applied(database: &Database) -> Result<Vec<String>, CliError> {
    Ok(migrations::applied(database).await?)
}

fn status(applied: &[String]) -> Result<(), CliError> {
    for migration in Migrator::migrations() {
        let name = migration.name();
        let state = if applied.iter().any(|applied| applied == name) { "applied" } else { "pending" };
        writeln!(io::stdout(), "{state}  {name}")?;
    }
    Ok(())
}
