//! Which database a command works on.

use std::path::Path;

use anyhow::{Result, bail};
use tracing::info;

use crate::config::DatabaseConfig;
use crate::store::Store;
use crate::store::private_postgres::{self, Durability, PrivatePostgres, Settings};

/// An open database, and the server behind it where the command started that itself.
pub struct Database {
    pub store: Store,
    server: Option<PrivatePostgres>,
}

/// What a command needs of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To read what is there. Nothing is made.
    Read,
    /// To write; the private database is made where there is none yet.
    Write,
    /// To serve: a private database must be nobody else's.
    Serve,
}

impl Database {
    /// Opens the database that the settings name; without one the private database, the running one
    /// first: that of `serve`, then, to read, that of `demo`.
    ///
    /// # Errors
    /// Where there is none, it does not answer, or it is not up to date.
    pub async fn open(config: &DatabaseConfig, purpose: Purpose) -> Result<Self> {
        let database = match &config.database_url {
            Some(url) => Self { store: Store::connect(url.options(), config.database_connections), server: None },
            None => Self::private(config, purpose).await?,
        };
        database.check(config).await?;
        Ok(database)
    }

    /// The database that the settings name by its address, whether it is there or not.
    pub fn unseen(config: &DatabaseConfig) -> Option<Self> {
        let url = config.database_url.as_ref()?;
        Some(Self { store: Store::connect(url.options(), config.database_connections), server: None })
    }

    async fn private(config: &DatabaseConfig, purpose: Purpose) -> Result<Self> {
        let data_dir = config.data_dir();
        if purpose != Purpose::Serve {
            if let Some(running) = private_postgres::running(&data_dir).await {
                return Ok(Self { store: Store::connect(running, config.database_connections), server: None });
            }
            let demo = config.demo_dir();
            if purpose == Purpose::Read
                && let Some(running) = private_postgres::running(&demo).await
            {
                info!("reading the database of the demo that is running");
                return Ok(Self { store: Store::connect(running, config.database_connections), server: None });
            }
        }
        if purpose == Purpose::Read && !private_postgres::exists(&data_dir) {
            bail!(
                "there is no database yet: neither --database-url was given, nor is there a private one under {} or a \
                 demo running; start `order-timeline demo` or `order-timeline serve`, or ingest some files",
                data_dir.display()
            );
        }
        Self::start(config, &data_dir).await
    }

    /// Starts the private database under a directory and brings it up to date.
    ///
    /// # Errors
    /// Where it cannot be started; the error says what to do.
    pub async fn start(config: &DatabaseConfig, data_dir: &Path) -> Result<Self> {
        let settings = Settings { data_dir: data_dir.to_owned(), durability: Durability::Durable };
        let mut server = PrivatePostgres::start(&settings).await?;
        server.keep_running();
        let store = Store::connect(server.connect_options(), config.database_connections);
        store.migrate().await?;
        Ok(Self { store, server: Some(server) })
    }

    async fn check(&self, config: &DatabaseConfig) -> Result<()> {
        match self.store.pending_migrations().await? {
            0 => Ok(()),
            pending if config.database_url.is_some() => {
                bail!("the database lacks {pending} migrations; run `order-timeline migrate` first")
            }
            pending => {
                bail!("the running private database lacks {pending} migrations; restart the service that runs it")
            }
        }
    }

    /// Closes the connections and stops the server that was started.
    ///
    /// # Errors
    /// Where the server does not stop.
    pub async fn close(self) -> Result<()> {
        self.store.close().await;
        if let Some(server) = self.server {
            server.stop().await?;
        }
        Ok(())
    }
}
