//! `switchboard serve`.

use std::io::{self, Write};

use clap::Args;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, token};
use crate::config::{Environment, OldName, Settings};
use crate::server::Server;
use crate::telemetry;

#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct ServeArguments {
    /// Do not apply migrations; `switchboard migrate up` does
    #[arg(long)]
    no_migrate: bool,
}

pub(super) async fn run(
    arguments: ServeArguments,
    environment: Environment,
    settings: Settings,
    old_names: &[OldName],
) -> Result<(), CliError> {
    let _flush = telemetry::start(&settings.log);
    for old_name in old_names {
        tracing::warn!("{old_name}");
    }
    for warning in settings.warnings(environment) {
        tracing::warn!("{warning}");
    }
    // Installed before the start, so that a signal during it shuts down in order.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let server = Server::start(settings.clone(), !arguments.no_migrate).await?;
    tracing::info!(address = %server.address(), environment = environment.as_str(), "listening");
    if !settings.cluster.redis_url.expose_secret().is_empty() {
        tracing::warn!(
            "cluster.redis_url is set, but servers do not share broadcasts yet: each one publishes to its own sockets only"
        );
    }
    if environment == Environment::Development {
        print_examples(&server, &settings)?;
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => break tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => break tracing::info!("interrupted: stopping"),
            // A terminal that closes, or log rotation: neither is a reason to stop.
            _ = hangup.recv() => tracing::info!("SIGHUP: ignored"),
        }
    }
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Prints the address and two requests to try.
fn print_examples(server: &Server, settings: &Settings) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let url = format!("http://{}", server.address());
    writeln!(out, "Switchboard listens on {url}")?;
    writeln!(out, "Database: {}", without_password(settings.database.url.expose_secret()))?;
    if settings.docs.enabled {
        writeln!(out, "API, to read and to try: {url}/docs")?;
    }
    if settings.auth.algorithm.is_public() {
        writeln!(out, "Tokens ({}) are signed by the holder of the private key.\n", settings.auth.algorithm.as_str())?;
        return Ok(());
    }
    let agent_role = settings.auth.agent_roles.first().map_or("admin", String::as_str);
    let customer = token::example(settings, "customer-1", "user", "John Doe")?;
    let agent = token::example(settings, "agent-1", agent_role, "Sarah Johnson")?;
    writeln!(out, "\nA customer writes:")?;
    writeln!(out, "curl {url}/api/v1/support/chat/send -H 'Content-Type: application/json' \\")?;
    writeln!(out, "  -d '{{\"message\":\"Hello\"}}' -H 'Authorization: Bearer {customer}'")?;
    writeln!(out, "\nAn agent reads the queue:")?;
    writeln!(out, "curl {url}/api/v1/unified-admin/support/conversations \\")?;
    writeln!(out, "  -H 'Authorization: Bearer {agent}'\n")?;
    Ok(())
}

/// A database's URL without secrets.
fn without_password(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return "(an address that cannot be shown)".to_owned() };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "(an address that cannot be shown)".to_owned();
    }
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(without_password("postgres://app:hunter2@db/chat?x=y"), "postgres://app:***@db/chat");
        assert_eq!(without_password("sqlite://data/switchboard.db"), "sqlite://data/switchboard.db");
    }
}
