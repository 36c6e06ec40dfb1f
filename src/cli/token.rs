//! `switchboard token`: a token for development and tests, signed with the configured secret. With a public key only, no
//! token can be signed.

use std::io::{self, Write};

use clap::Args;
use jsonwebtoken::get_current_timestamp;

use super::CliError;
use crate::config::Settings;
use crate::identity::{TokenClaims, TokenError, sign_as_configured};

/// The role of an account that is not an agent.
const CUSTOMER: &str = "user";

#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// Account id
    #[arg(long)]
    sub: String,
    /// `user`, or one of auth.agent_roles
    #[arg(long, default_value = CUSTOMER)]
    role: String,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Full name, for an account without first and last name
    #[arg(long)]
    name: Option<String>,
    /// First name
    #[arg(long)]
    first_name: Option<String>,
    /// Last name
    #[arg(long)]
    last_name: Option<String>,
    /// Phone number
    #[arg(long)]
    phone: Option<String>,
    /// Lifetime in seconds
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    ttl: u64,
}

pub(super) fn run(arguments: &TokenArguments, settings: &Settings) -> Result<(), CliError> {
    let roles = &settings.auth.agent_roles;
    // The server takes any other role for a customer's, which is hardly what a misspelled one means.
    if arguments.role != CUSTOMER && !roles.contains(&arguments.role) {
        return Err(CliError::Role {
            got: arguments.role.clone(),
            allowed: format!("{CUSTOMER}, {}", roles.join(", ")),
        });
    }
    let token = signed(settings, arguments)?;
    writeln!(io::stdout(), "{token}")?;
    Ok(())
}

fn signed(settings: &Settings, arguments: &TokenArguments) -> Result<String, TokenError> {
    crate::domain::UserId::parse(&arguments.sub).map_err(|_| TokenError::Subject)?;
    let claims = TokenClaims {
        sub: arguments.sub.clone(),
        exp: get_current_timestamp().saturating_add(arguments.ttl),
        iat: Some(chrono::Utc::now().timestamp_millis()),
        role: Some(arguments.role.clone()),
        email: arguments.email.clone(),
        name: arguments.name.clone(),
        first_name: arguments.first_name.clone(),
        last_name: arguments.last_name.clone(),
        phone_number: arguments.phone.clone(),
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
        first_name: None,
        last_name: None,
        phone: None,
        ttl: 86_400,
    };
    signed(settings, &arguments)
}
