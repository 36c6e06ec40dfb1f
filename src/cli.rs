//! The command line: `serve` (the default), `migrate`, `token`, and `loadtest` if the feature of that name is on.

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

/// Switchboard: a support-chat server. Customers write, agents claim conversations and answer, and every participant
/// sees every message immediately.
///
/// The default command is serve. Settings are read from config/default.toml and config/<environment>.toml (built in),
/// SWITCHBOARD__SECTION__KEY (items of a list separated by commas), PORT, DATABASE_URL, JWT_SECRET and REDIS_URL.
/// SWITCHBOARD_ENV is development or production.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version)]
struct CommandLine {
    /// Folder with default.toml, development.toml and production.toml, which replace the built-in ones
    #[arg(long, global = true, value_name = "FOLDER")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve REST and Socket.IO until SIGTERM or Ctrl-C
    Serve(serve::ServeArguments),
    /// Apply or revert database migrations, or show their status
    Migrate(migrate::MigrateArguments),
    /// Print a signed token, for development and tests
    Token(token::TokenArguments),
    /// Load a running server like its users do, measure it, and check its guarantees
    #[cfg(feature = "loadtest")]
    Loadtest(Box<loadtest::Arguments>),
}

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings are invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The token could not be signed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The role of a token is neither a customer's nor an agent's.
    #[error("--role is {got:?}; allowed: {allowed} (the latter from auth.agent_roles)")]
    Role {
        /// The role.
        got: String,
        /// The roles that the server tells apart.
        allowed: String,
    },
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
        /// Its path.
        file: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// Printing, or installing a signal handler, failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Parses the arguments and runs the command. The exit code is 0 on success, else 1.
#[must_use]
pub fn run() -> ExitCode {
    let command_line = CommandLine::parse();
    let outcome = actix_web::rt::System::new().block_on(dispatch(command_line));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not logged: logging may not be initialised.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("switchboard: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command_line: CommandLine) -> Result<(), CliError> {
    // Not for a load test, which runs on another machine than the server and needs no settings.
    let CommandLine { config, command } = command_line;
    let sources = || Sources::of_process(config.clone());
    let load = || Ok::<_, SettingsError>(Settings::load(&sources()?)?.1);
    match command.unwrap_or(Command::Serve(serve::ServeArguments::default())) {
        Command::Serve(arguments) => {
            let sources = sources()?;
            let (environment, settings) = Settings::load(&sources)?;
            serve::run(arguments, environment, settings, &sources.old_names()?).await
        }
        Command::Migrate(arguments) => migrate::run(arguments, &load()?).await,
        Command::Token(arguments) => token::run(&arguments, &load()?),
        #[cfg(feature = "loadtest")]
        Command::Loadtest(arguments) => loadtest::run(*arguments).await,
    }
}
