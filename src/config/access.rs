//! Who gets in at the service's doors, how encrypted, and within what limits.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;
use reqwest::Url;

use super::senders::range;
use crate::access::{Scope, Secret};

/// Who gets in. Senders are set up with “senders add”, keys for staff and programs with “keys add”.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Access")]
pub struct AccessConfig {
    /// Let in whoever reaches the service, from other machines too, as long as neither a sender nor a key has been
    /// set up. For trials in closed networks.
    #[arg(long, env = "ORDER_TIMELINE_UNPROTECTED")]
    pub unprotected: bool,
    /// A proxy whose word is taken for where requests come from, or a range of them; several with commas.
    #[arg(long, env = "ORDER_TIMELINE_TRUSTED_PROXY", value_name = "CIDR", value_parser = range, value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,
    /// The header that these proxies write. The other is not looked at: a stranger may have written it.
    #[arg(
        long,
        env = "ORDER_TIMELINE_FORWARDED_HEADER",
        value_name = "NAME",
        default_value = "x-forwarded-for",
        requires = "trusted_proxy"
    )]
    pub forwarded_header: ForwardedHeaderName,
    /// Minutes without a request after which a session is over.
    #[arg(long, env = "ORDER_TIMELINE_SESSION_IDLE", value_name = "MINUTES", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub session_idle: u32,
    /// Minutes after which a session is over in any case.
    #[arg(long, env = "ORDER_TIMELINE_SESSION_LONGEST", value_name = "MINUTES", default_value_t = 12 * 60,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub session_longest: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForwardedHeaderName {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

/// Sign-in of people with OpenID Connect. All of it, or none.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sign-in")]
pub struct SignInConfig {
    /// Address of the issuer where people sign in.
    #[arg(long, env = "ORDER_TIMELINE_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<Url>,
    /// What this service is called there.
    #[arg(long, env = "ORDER_TIMELINE_OIDC_CLIENT_ID", value_name = "ID",
          value_parser = NonEmptyStringValueParser::new())]
    pub oidc_client_id: Option<String>,
    /// Its secret there, if it has one. Better given in the environment: arguments can be seen by others.
    #[arg(long, env = "ORDER_TIMELINE_OIDC_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET",
          value_parser = secret)]
    pub oidc_client_secret: Option<Secret>,
    /// Where browsers reach this service, such as `https://orders.example`, without a path. The issuer has to know
    /// `{this}/sign-in/callback`. With https, cookies are for encrypted connections alone.
    #[arg(long, env = "ORDER_TIMELINE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// What is asked for besides openid, so that the groups are told [default: profile,email]
    #[arg(long, env = "ORDER_TIMELINE_OIDC_SCOPES", value_name = "SCOPE", value_delimiter = ',')]
    pub oidc_scopes: Option<Vec<String>>,
    /// The claim of the ID token that names a person's groups or roles [default: groups]
    #[arg(long, env = "ORDER_TIMELINE_OIDC_GROUPS_CLAIM", value_name = "NAME",
          value_parser = NonEmptyStringValueParser::new())]
    pub oidc_groups_claim: Option<String>,
    /// Whoever is in one of these groups may read; several with commas.
    #[arg(long, env = "ORDER_TIMELINE_OIDC_READ_GROUPS", value_name = "GROUP", value_delimiter = ',',
          value_parser = NonEmptyStringValueParser::new())]
    pub oidc_read_groups: Vec<String>,
    /// Whoever is in one of these groups may read and operate.
    #[arg(long, env = "ORDER_TIMELINE_OIDC_OPERATE_GROUPS", value_name = "GROUP", value_delimiter = ',',
          value_parser = NonEmptyStringValueParser::new())]
    pub oidc_operate_groups: Vec<String>,
}

/// Encryption of the service's own connections. Without it, put a proxy before it that encrypts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "TLS")]
pub struct TlsConfig {
    /// The certificate and those above it, as PEM. Read again when the file changes.
    #[arg(long, env = "ORDER_TIMELINE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, as PEM.
    #[arg(long, env = "ORDER_TIMELINE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The authorities whose client certificates are believed what they say of names, as PEM.
    #[arg(long, env = "ORDER_TIMELINE_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
}

/// Limits of the doors.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// Seconds that a client may take to send the head of a request.
    #[arg(long, env = "ORDER_TIMELINE_HEAD_TIME_OUT", value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub head_time_out: u64,
    /// Seconds that a client may take to send a body.
    #[arg(long, env = "ORDER_TIMELINE_BODY_TIME_OUT", value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub body_time_out: u64,
    /// Connections at once.
    #[arg(long, env = "ORDER_TIMELINE_MAX_CONNECTIONS", value_name = "N", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// Bytes of bodies on their way in, all together. Beyond, senders are asked to come again.
    #[arg(long, env = "ORDER_TIMELINE_MAX_BYTES_IN_FLIGHT", value_name = "BYTES", default_value_t = 256 * 1024 * 1024)]
    pub max_bytes_in_flight: usize,
}

#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key for a program or a person, and show it, this once
    Add {
        /// What it is called.
        name: String,
        /// What it is good for: metrics (the figures alone, for Prometheus), read, or operate (which is read too).
        #[arg(long, env = "ORDER_TIMELINE_SCOPE", value_name = "SCOPE", value_parser = scope, default_value = "read")]
        scope: Scope,
        /// Days after which it ends [default: never]
        #[arg(long, env = "ORDER_TIMELINE_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
        days: Option<u16>,
        /// As JSON.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// The keys
    List {
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// End a key, and the sessions that were opened with it, within seconds
    Revoke { name: String },
}

#[derive(Clone, Debug, Subcommand)]
pub enum AnalystsCommand {
    /// Let a database role see the orders of these parties, and no others: in the schema analytics_by_party. The role is
    /// made where there is none
    Add {
        /// Small letters, digits and underscores.
        #[arg(value_parser = role)]
        role: String,
        /// A party's id, CUG… Several times, or with commas, for several.
        #[arg(long, env = "ORDER_TIMELINE_PARTY", value_name = "ID", required = true, value_delimiter = ',',
              value_parser = party)]
        party: Vec<String>,
    },
    /// The roles and the parties whose orders they see
    List,
    /// Let a role see nothing any more
    Remove {
        #[arg(value_parser = role)]
        role: String,
    },
}

fn role(text: &str) -> Result<String, String> {
    let is_plain = (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit());
    // The first sees all orders already, the others are PostgreSQL's own.
    if text == "order_timeline_analyst" || text.starts_with("pg_") || ["public", "none", "postgres"].contains(&text) {
        return Err("is a role with another purpose; take a new one".to_owned());
    }
    if is_plain { Ok(text.to_owned()) } else { Err("is no name: small letters, digits and underscores".to_owned()) }
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::from_name(text).ok_or_else(|| "is none of metrics, read and operate".to_owned())
}

fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() {
        return Err("is empty; leave it out where there is none".to_owned());
    }
    Ok(Secret::new(text.to_owned()))
}

/// A party's id, as somebody may have written it into a list.
fn party(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("is empty, and a party has an id, such as CUG5009999999".to_owned()),
        party => Ok(party.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::Config;

    #[test]
    fn no_secret_stands_in_the_manual_or_in_what_is_logged_of_the_settings() {
        let mut command = Config::command();
        command.build();
        for serving in ["serve", "demo"] {
            let command = command.find_subcommand(serving).unwrap();
            let secret = command.get_arguments().find(|argument| argument.get_id() == "oidc_client_secret").unwrap();
            assert!(secret.is_hide_env_values_set(), "{serving}");
        }
        let config = Config::parse_from(["order-timeline", "serve", "--oidc-client-secret", "hush"]);
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    }
}
