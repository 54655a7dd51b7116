//! Which database is used, and where a private one lives.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::{Arg, Args};
use sqlx::postgres::PgConnectOptions;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseConfig {
    /// PostgreSQL 15 or later to use: postgres://user:password@host/database. Without it a private
    /// PostgreSQL is run under the data directory.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL",
          value_parser = DatabaseUrlParser)]
    pub database_url: Option<DatabaseUrl>,
    /// Where the private PostgreSQL lives [default: /var/lib/order-timeline for root, else
    /// ~/.local/share/order-timeline]
    #[arg(long, global = true, env = "ORDER_TIMELINE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Connections to the database at most. More than a few only wait for each other there.
    #[arg(long, global = true, env = "ORDER_TIMELINE_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub database_connections: u32,
}

impl DatabaseConfig {
    /// The data directory that was asked for, else the one that fits whoever runs the program.
    pub fn data_dir(&self) -> PathBuf {
        let chosen = || {
            if nix::unistd::geteuid().is_root() {
                // Root's home is closed to the user that PostgreSQL has to run as.
                return PathBuf::from("/var/lib/order-timeline");
            }
            let home = || env::home_dir().map(|home| home.join(".local").join("share"));
            let shared = env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from).or_else(home);
            shared.map_or_else(|| PathBuf::from(".order-timeline"), |dir| dir.join("order-timeline"))
        };
        self.data_dir.clone().unwrap_or_else(chosen)
    }

    /// Where the demo keeps its database: apart from the service's. It is made anew each time, so that a
    /// user without a home can have it among the temporary files.
    pub fn demo_dir(&self) -> PathBuf {
        let has_place = self.data_dir.is_some()
            || nix::unistd::geteuid().is_root()
            || env::var_os("XDG_DATA_HOME").is_some_and(|dir| !dir.is_empty())
            || env::home_dir().is_some_and(|home| is_own_folder(&home));
        if has_place {
            return self.data_dir().join("demo");
        }
        env::temp_dir().join(format!("order-timeline-demo-{}", nix::unistd::geteuid()))
    }
}

fn is_own_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw())
}

/// The address of a database, password and all: it is never printed.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

impl DatabaseUrl {
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// # Errors
    /// What is wrong, without the address: it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err("it does not begin with postgres://".to_owned());
        }
        match text.parse() {
            Ok(options) => Ok(Self(options)),
            Err(sqlx::Error::Configuration(cause)) => Err(cause.to_string()),
            Err(_) => Err("it cannot be read".to_owned()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl([redacted])")
    }
}

/// Reads the address. Clap's own parsers show a value that they refuse.
#[derive(Clone, Debug)]
struct DatabaseUrlParser;

impl TypedValueParser for DatabaseUrlParser {
    type Value = DatabaseUrl;

    fn parse_ref(&self, command: &clap::Command, _: Option<&Arg>, value: &OsStr) -> Result<DatabaseUrl, clap::Error> {
        let text = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        text.and_then(str::parse).map_err(|wrong| {
            let told = format!(
                "--database-url (or DATABASE_URL) is no address of a PostgreSQL database: {wrong}; write it like \
                 postgres://user:password@host/database, special characters of the password as %40 for @\n"
            );
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, told).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Config;

    #[test]
    fn a_database_address_is_never_shown() {
        let parsed = |url: &str| Config::try_parse_from(["order-timeline", "--database-url", url, "migrate"]);
        let config = parsed("postgres://user:hush@host/database").unwrap();
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        for (url, wrong) in [
            ("postgres://user:hush@host:port/database", "invalid port number"),
            ("postgres://user:hu/sh@host/database", "invalid port number"),
            ("postgres://user:hush@host/database?port=hush", "invalid digit"),
            ("user:hush@host/database", "does not begin with postgres://"),
            ("mysql://user:hush@host/database", "does not begin with postgres://"),
        ] {
            let error = parsed(url).unwrap_err();
            for told in [error.to_string(), format!("{error:?}")] {
                assert!(told.contains(wrong) && !told.contains("hush") && !told.contains("hu/sh"), "{url}: {told}");
            }
        }
    }
}
