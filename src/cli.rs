//! The commands: `serve` (the default), `migrate`, `token`, and `loadtest` if the feature of that name is on.

#[cfg(feature = "loadtest")]
mod loadtest;
mod migrate;
mod serve;
mod token;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Settings, SettingsError, Sources};
use crate::database::DatabaseError;
use crate::identity::TokenError;
use crate::server::StartError;
#[cfg(feature = "loadtest")]
use switchboard_loadtest::LoadtestError;

/// Switchboard: a support-chat server. People write, agents claim the conversation and answer, everyone sees it at
/// once.
///
/// Without a command it serves. Settings come from config/default.toml and config/<environment>.toml (built in), from
/// SWITCHBOARD__SECTION__KEY, and from PORT, DATABASE_URL and JWT_SECRET. SWITCHBOARD_ENV is development or production.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version)]
struct Arguments {
    /// Folder with default.toml, development.toml and production.toml, instead of the built-in ones
    #[arg(long, global = true, value_name = "FOLDER")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve REST and Socket.IO until SIGTERM or Ctrl-C
    Serve(serve::Arguments),
    /// Move the database's schema on, back, or say where it stands
    Migrate(migrate::Arguments),
    /// Print a signed token, for trying things out
    Token(token::Arguments),
    /// Load a running server as its users would, measure it, and check that it keeps its promises
    #[cfg(feature = "loadtest")]
    Loadtest(Box<loadtest::Arguments>),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// No settings to run with.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The load test could not run.
    #[cfg(feature = "loadtest")]
    #[error(transparent)]
    Loadtest(#[from] LoadtestError),
    /// The server broke a promise. The report, with the evidence, is printed before this.
    #[cfg(feature = "loadtest")]
    #[error("the server broke its promises {0} times")]
    Violated(u64),
    /// The server did not answer the final reads of a load test. The report, with the reason, is printed before this.
    #[cfg(feature = "loadtest")]
    #[error("the run could not be checked, so nothing is proved")]
    Unchecked,
    /// A load test was interrupted twice.
    #[cfg(feature = "loadtest")]
    #[error("interrupted twice: nothing was checked, and there is no report")]
    Interrupted,
    /// No request of a load test succeeded.
    #[cfg(feature = "loadtest")]
    #[error("nothing that was asked for was done")]
    NothingDone,
    /// A file that could not be read or written.
    #[cfg(feature = "loadtest")]
    #[error("{}: {error}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Nothing could be printed, or no signal heard.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads the arguments and runs the command. The exit code is 0 where it did what it should, 1 where not.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = actix_web::rt::System::new().block_on(dispatch(arguments));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logging may not have begun: this is for whoever typed the command.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("switchboard: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments) -> Result<(), CliError> {
    // A load test is run from anywhere against another machine: this one's settings need not be good.
    let sources = Sources::of_process(arguments.config);
    let load = || Settings::load(&sources);
    match arguments.command.unwrap_or(Command::Serve(serve::Arguments::default())) {
        Command::Serve(arguments) => {
            let (environment, settings) = load()?;
            serve::run(arguments, environment, settings, &sources.old_names()?).await
        }
        Command::Migrate(arguments) => migrate::run(arguments, &load()?.1).await,
        Command::Token(arguments) => token::run(&arguments, &load()?.1),
        #[cfg(feature = "loadtest")]
        Command::Loadtest(arguments) => loadtest::run(*arguments).await,
    }
}
