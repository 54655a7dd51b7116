//! The schema and its versions.

use std::collections::BTreeMap;

use chrono::Utc;
use sqlx::migrate::Migrator;
use tracing::warn;

use super::{Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

impl Store {
    /// Brings the database up to date, the vocabulary too; gives the number of migrations that were applied.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where a migration fails or the database was made by another program.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let before = self.pending_migrations().await?;
        // Here another's lock is waited for: another node may be migrating. The session ends with it.
        let mut connection = self.pool.acquire().await?.detach();
        sqlx::raw_sql("set lock_timeout = 0").execute(&mut connection).await?;
        if before > 0 {
            super::analysts::drop_views(&mut connection).await?;
        }
        MIGRATIONS
            .run(&mut connection)
            .await
            .map_err(|error| StoreError::Schema(format!("the database could not be brought up to date: {error}")))?;
        if before > 0 {
            super::analysts::make_views(&mut connection).await?;
            // A new database may be delivered to before a service has looked after it, and no month gets a partition once
            // it has bodies elsewhere.
            if let Err(error) = self.make_room_for_bodies(Utc::now()).await {
                warn!(%error, "partitions for the bodies to come could not be made; the service will try again");
            }
        }
        self.ship_vocabulary().await?;
        Ok(before)
    }

    /// How many migrations the database lacks.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where it has others than this program's, or half of one; where it does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        // The table of applied migrations is the migrator's own, and not there before the first.
        let has_any = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "any!""#)
            .fetch_one(&self.pool)
            .await?;
        let mut applied: Vec<(i64, Vec<u8>, bool)> = Vec::new();
        if has_any {
            let rows = sqlx::query_as("select version, checksum, success from _sqlx_migrations order by version");
            applied = rows.fetch_all(&self.pool).await?;
        }
        let own: BTreeMap<i64, &[u8]> = MIGRATIONS.iter().map(|own| (own.version, &*own.checksum)).collect();
        for (version, checksum, success) in &applied {
            let told = match own.get(version) {
                None => format!(
                    "the database has the migration {version:04}, which this program does not know: a newer version has \
                     brought it up to date. Run that version"
                ),
                Some(_) if !success => format!("the migration {version:04} of the database was not finished"),
                Some(own) if *own != checksum => format!(
                    "the migration {version:04} of the database is another than this program's: the database was made by \
                     a program that was built of other sources"
                ),
                Some(_) => continue,
            };
            return Err(StoreError::Schema(told));
        }
        Ok(own.len().saturating_sub(applied.len()))
    }
}
