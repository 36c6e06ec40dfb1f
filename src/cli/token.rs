//! `switchboard token`: a token for development and tests, signed with the configured secret. With a public key only, no
//! token can be signed.

use std::io::{self, Write};

use clap::Args;
use jsonwebtoken::get_current_timestamp;

use super::CliError;
use crate::config::Settings;
use crate::identity::{TokenClaims, TokenError, sign_as_configured};

#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// Account id
    #[arg(long)]
    sub: String,
    /// `user`, or one of auth.agent_roles
    #[arg(long, default_value = "user")]
    role: String,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// Lifetime in seconds
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    ttl: u64,
}

pub(super) fn run(arguments: &TokenArguments, settings: &Settings) -> Result<(), CliError> {
    let token = signed(settings, arguments)?;
    writeln!(io::stdout(), "{token}")?;
    Ok(())
}

fn signed(settings: &Settings, arguments: &TokenArguments) -> Result<String, TokenError> {
    crate::domain::UserId::parse(&arguments.sub).map_err(|_| TokenError::Subject)?;
    let claims = TokenClaims {
        sub: arguments.sub.clone(),
        exp: get_current_timestamp().saturating_add(arguments.ttl),
        role: Some(arguments.role.clone()),
        email: arguments.email.clone(),
        name: arguments.name.clone(),
        ..TokenClaims::default()
    };
    sign_as_configured(&claims, &settings.auth)
}

/// The token of an example account, which `serve` prints in development.
pub(super) fn example(settings: &Settings, sub: &str, role: &str, name: &str) -> Result<String, TokenError> {
    let arguments = TokenArguments {
        sub: sub.to_owned(),
        role: role.to_owned(),
        email: Some(format!("{sub}@example.com")),
        name: Some(name.to_owned()),
        ttl: 86_400,
    };
    signed(settings, &arguments)
}
