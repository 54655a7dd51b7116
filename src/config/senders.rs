//! The commands that say who may post.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand};
use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use reqwest::Url;

use crate::access::Way;

#[derive(Clone, Debug, Subcommand)]
pub enum SendersCommand {
    /// Set a sender up, and show its secrets, this once
    Add(Box<SenderConfig>),
    /// The senders, and what their deliveries must show
    List {
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// Give a sender a new secret, and show it, this once. The former one holds for a while longer.
    Rotate(RotateConfig),
    /// Let nothing of a sender in any more, within seconds
    Disable { sender: String },
    /// Let a disabled sender in again
    Enable { sender: String },
}

/// Of the ways that use the header Authorization (--oauth, --basic, --bearer, --issuer) one has to be shown; all
/// else that is demanded has to be met as well.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("demand").multiple(true).required(true)
    .args(["oauth", "basic", "bearer", "issuer", "webhook", "certificate_name", "certificate_fingerprint", "address"]))]
pub struct SenderConfig {
    /// Its name: small letters, digits and hyphens. It is its client id and its user name, too.
    #[arg(value_parser = sender_name)]
    pub sender: String,
    /// OAuth 2 client credentials: it gets tokens of POST /oauth/token.
    #[arg(long, env = "ORDER_TIMELINE_OAUTH")]
    pub oauth: bool,
    /// How long such a token is valid, 60 to 86400 [default: 3600]
    #[arg(long, env = "ORDER_TIMELINE_TOKEN_LIFETIME", value_name = "SECONDS", requires = "oauth")]
    pub token_lifetime: Option<u32>,
    /// The audience of these tokens [default: order-timeline]
    #[arg(long, env = "ORDER_TIMELINE_TOKEN_AUDIENCE", value_name = "NAME", requires = "oauth",
          value_parser = NonEmptyStringValueParser::new())]
    pub token_audience: Option<String>,
    /// HTTP Basic with its name and a password.
    #[arg(long, env = "ORDER_TIMELINE_BASIC")]
    pub basic: bool,
    /// A fixed bearer token.
    #[arg(long, env = "ORDER_TIMELINE_BEARER")]
    pub bearer: bool,
    /// A token of an outside issuer: its address, as in its tokens' iss.
    #[arg(long, env = "ORDER_TIMELINE_ISSUER", value_name = "URL", requires = "audience", requires = "claim")]
    pub issuer: Option<String>,
    /// Where the issuer's keys are, if not where its discovery document says.
    #[arg(long, env = "ORDER_TIMELINE_JWKS", value_name = "URL", requires = "issuer")]
    pub jwks: Option<Url>,
    /// The audience that the issuer's tokens must name.
    #[arg(long, env = "ORDER_TIMELINE_AUDIENCE", value_name = "NAME", requires = "issuer")]
    pub audience: Option<String>,
    /// What the issuer's tokens must say besides, so that it is this sender: sub=abc. Several times for several.
    #[arg(long, env = "ORDER_TIMELINE_CLAIM", value_name = "NAME=VALUE", value_parser = claim, requires = "issuer")]
    pub claim: Vec<(String, String)>,
    /// How the issuer's tokens may be signed [default: RS256 PS256 ES256 ES384 EdDSA]
    #[arg(long, env = "ORDER_TIMELINE_ALGORITHM", value_name = "NAME", value_parser = algorithm, requires = "issuer")]
    pub algorithm: Vec<Algorithm>,
    /// A signature of Standard Webhooks over each body.
    #[arg(long, env = "ORDER_TIMELINE_WEBHOOK")]
    pub webhook: bool,
    /// How far a signature's time may be from now, 1 to 3600 [default: 300]
    #[arg(long, env = "ORDER_TIMELINE_WEBHOOK_TOLERANCE", value_name = "SECONDS", requires = "webhook")]
    pub webhook_tolerance: Option<u32>,
    /// A client certificate of --tls-client-ca with this name (DNS, URI, e-mail or common name). Several for any.
    #[arg(long, env = "ORDER_TIMELINE_CERTIFICATE_NAME", value_name = "NAME")]
    pub certificate_name: Vec<String>,
    /// A client certificate with this SHA-256, in hexadecimal digits, whoever signed it.
    #[arg(long, env = "ORDER_TIMELINE_CERTIFICATE_FINGERPRINT", value_name = "HEX")]
    pub certificate_fingerprint: Vec<String>,
    /// An address in this range: 192.0.2.0/24. Several times for several.
    #[arg(long, env = "ORDER_TIMELINE_ADDRESS", value_name = "CIDR", value_parser = range, value_delimiter = ',')]
    pub address: Vec<IpNet>,
    /// Status that acknowledges its deliveries [default: the service's]
    #[arg(long, env = "ORDER_TIMELINE_SENDER_ACK_STATUS", value_name = "STATUS",
          value_parser = clap::value_parser!(u16).range(200..=299))]
    pub ack_status: Option<u16>,
    /// Take the secret from this file (- for standard input) instead of making one: where the supplier has chosen
    /// it. Only where one way needs one.
    #[arg(long, env = "ORDER_TIMELINE_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Set up anew a sender that was set up before. Secrets of ways that it keeps stay.
    #[arg(long, env = "ORDER_TIMELINE_REPLACE")]
    pub replace: bool,
    /// The secrets as JSON.
    #[arg(long, env = "ORDER_TIMELINE_JSON")]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct RotateConfig {
    pub sender: String,
    /// Which of its secrets: oauth, basic, bearer, webhook [default: all that it needs]
    #[arg(long, env = "ORDER_TIMELINE_WAY", value_name = "WAY", value_parser = way)]
    pub way: Option<Way>,
    /// How long the former secret holds; 0 ends it, and the tokens got with it, within seconds.
    #[arg(long, env = "ORDER_TIMELINE_OVERLAP", value_name = "SECONDS", default_value_t = 24 * 60 * 60)]
    pub overlap: u32,
    /// Take the secret from this file (- for standard input) instead of making one.
    #[arg(long, env = "ORDER_TIMELINE_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The secrets as JSON.
    #[arg(long, env = "ORDER_TIMELINE_JSON")]
    pub json: bool,
}

fn sender_name(text: &str) -> Result<String, String> {
    let is_name = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("is no name: small letters, digits and hyphens, 64 at most".to_owned())
    }
}

fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("is no claim; write it like sub=abc".to_owned()),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    text.parse().map_err(|_| "is no algorithm; RS256, PS256, ES256, ES384, EdDSA …".to_owned())
}

/// A range of addresses, or a single one.
pub fn range(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| "is no range of addresses; write it like 192.0.2.0/24".to_owned())
}

fn way(text: &str) -> Result<Way, String> {
    let names = Way::ALL.map(Way::name).join(", ");
    Way::from_name(text).ok_or_else(|| format!("is none of {names}"))
}
