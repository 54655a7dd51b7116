//! What can go wrong with the database, by what the caller can do about it.

use sqlx::postgres::PgDatabaseError;

/// A failure of the database. The cause is for the log, not for the outside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot take anything now: away, full, read-only, out of connections. Later it may.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It is there, but did not do this: somebody holds a lock, a statement took too long, a page of it cannot be
    /// read, a rule of an operator's stands against it. Of what else it would do this says nothing.
    #[error("the database did not do it: {0}")]
    Failed(#[source] sqlx::Error),
    /// It answers, but takes no writes: a standby, or a server that an operator or its host has set so.
    #[error("the database is read-only")]
    ReadOnly,
    /// Two transactions got in each other's way; the same again will do.
    #[error("the transaction has to be repeated: {0}")]
    Transient(#[source] sqlx::Error),
    /// It refuses these values, and will again.
    #[error("the database refused the values: {0}")]
    Refused(#[source] sqlx::Error),
    /// Bodies that it needs have been let go, as the operator wishes, or are damaged; what was made of them stays.
    #[error("bodies that are needed for it are no longer kept as they were received")]
    NoLongerKept,
    /// A role that is to see some orders only may see all.
    #[error(
        "the role {0} can read all orders already (it may use the schema analytics, or the tables, or is a superuser, or is \
         a member of a role that can): what it is let see here would take nothing from that. Take another role, or take \
         that right from it"
    )]
    SeesAll(String),
    /// The schema is not the program's.
    #[error("{0}")]
    Schema(String),
}

impl StoreError {
    /// Whether something else may go well at the same time: it may be the fault of what was asked for.
    pub fn may_be_its_own(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Transient(_) | Self::Refused(_) | Self::NoLongerKept)
    }

    /// Whether the database said nothing: it is away, or what was asked of it ended the connection.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.as_database_error().is_none())
    }

    /// Nothing was heard of the database for longer than a statement may take.
    pub fn too_slow() -> Self {
        Self::Unavailable(sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut)))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => {
                database.try_downcast_ref::<PgDatabaseError>().map(|database| database.code().to_owned())
            }
            sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                return Self::Refused(error);
            }
            _ => None,
        };
        match code.as_deref() {
            Some("40001" | "40P01") => Self::Transient(error),
            // Data exception, integrity constraint, program limit exceeded (an index row too large, say).
            Some(code) if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => Self::Refused(error),
            Some(code) if !concerns_all(code) => Self::Failed(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// Whether a code tells of the whole server, or of a schema that is not this program's, and so of whatever else would be
/// asked of it: connections, logins, rights and names, what it has no room for, its end.
fn concerns_all(code: &str) -> bool {
    const OUT_OF_MEMORY: &str = "53200";
    const CLASSES: [&str; 9] = ["08", "25", "28", "3D", "3F", "42", "53", "57P", "F0"];
    code != OUT_OF_MEMORY && CLASSES.iter().any(|class| code.starts_with(class))
}
