//! The schema and its versions.

use sqlx::migrate::Migrator;

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
        }
        self.ship_vocabulary().await?;
        Ok(before)
    }

    /// How many migrations the database lacks.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        // The table of applied migrations is the migrator's own, and not there before the first.
        let has_any = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "any!""#)
            .fetch_one(&self.pool)
            .await?;
        let applied: i64 = if has_any {
            sqlx::query_scalar("select count(*) from _sqlx_migrations where success").fetch_one(&self.pool).await?
        } else {
            0
        };
        Ok(MIGRATIONS.iter().count().saturating_sub(usize::try_from(applied).unwrap_or(0)))
    }
}
