//! Who has access: senders and their secrets, keys, and what our own tokens are signed with.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::access::{ApiKey, Kept, Scope};

/// All rows that access is judged by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccessRows {
    pub senders: Vec<SenderRow>,
    pub secrets: Vec<SecretRow>,
    pub keys: Vec<ApiKey>,
    pub signing_keys: Vec<SigningKey>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SenderRow {
    pub sender: String,
    pub enabled: bool,
    pub set_up: bool,
    pub ack_status: Option<i32>,
    pub demands: Value,
    pub changed_at: DateTime<Utc>,
}

/// A sender's secret, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct SecretRow {
    pub sender: String,
    pub secret_id: Uuid,
    pub way: String,
    pub secret: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for SecretRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRow({} {} {})", self.sender, self.way, self.secret_id)
    }
}

/// What our own tokens are signed with.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    pub key_id: Uuid,
    pub key: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id)
    }
}

impl Store {
    /// All rows that access is judged by. Secrets that no longer hold are left out.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn access_rows(&self) -> Result<AccessRows, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let senders = sqlx::query_as!(
            SenderRow,
            "select sender, enabled, set_up, ack_status, demands, changed_at from sender order by sender"
        );
        let senders = senders.fetch_all(&mut *connection).await?;
        let secrets = sqlx::query_as!(
            SecretRow,
            "select sender, secret_id, way, secret, created_at, expires_at from sender_secret
             where expires_at is null or expires_at > $1 order by sender, secret_id",
            Utc::now()
        );
        let secrets = secrets.fetch_all(&mut *connection).await?;
        let keys = sqlx::query!(
            "select key_id, name, scopes, secret, created_at, expires_at, revoked_at from api_key order by created_at"
        );
        let keys = keys.fetch_all(&mut *connection).await?.into_iter().filter_map(|row| {
            Some(ApiKey {
                key_id: row.key_id,
                name: row.name,
                scopes: row.scopes.iter().filter_map(|scope| Scope::from_name(scope)).collect(),
                secret: Kept::from_text(&row.secret)?,
                created_at: row.created_at,
                expires_at: row.expires_at,
                revoked_at: row.revoked_at,
            })
        });
        let keys = keys.collect();
        let signing_keys = sqlx::query_as!(SigningKey, "select key_id, key, created_at from signing_key");
        let signing_keys = signing_keys.fetch_all(&mut *connection).await?;
        Ok(AccessRows { senders, secrets, keys, signing_keys })
    }

    /// Writes a sender's settings, over whatever stood there.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn set_sender(&self, row: &SenderRow) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into sender (sender, enabled, set_up, ack_status, demands, changed_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict on constraint sender_pk do update set
                 enabled = excluded.enabled, set_up = excluded.set_up, ack_status = excluded.ack_status,
                 demands = excluded.demands, changed_at = excluded.changed_at",
            row.sender,
            row.enabled,
            row.set_up,
            row.ack_status,
            row.demands,
            row.changed_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives a sender a new secret: the former one of this way holds until `former_until`, any older one ends now.
    /// The sender counts as set up from now on.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn rotate_secret(&self, new: &SecretRow, former_until: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "delete from sender_secret where sender = $1 and way = $2 and expires_at is not null",
            new.sender,
            new.way
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update sender_secret set expires_at = $3 where sender = $1 and way = $2",
            new.sender,
            new.way,
            former_until
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "insert into sender_secret (sender, secret_id, way, secret, created_at) values ($1, $2, $3, $4, $5)",
            new.sender,
            new.secret_id,
            new.way,
            new.secret,
            new.created_at,
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("update sender set set_up = true, changed_at = $2 where sender = $1", new.sender, new.created_at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets a sender's secrets of the ways that it no longer uses.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn keep_secrets_of(&self, sender: &str, ways: &[String]) -> Result<(), StoreError> {
        sqlx::query!("delete from sender_secret where sender = $1 and not way = any($2)", sender, ways)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Writes a signing key, unless another node has written one since `after`.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn add_signing_key(&self, key: &SigningKey, after: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into signing_key (key_id, key, created_at)
             select $1, $2, $3 where not exists (select from signing_key where created_at > $4)",
            key.key_id,
            key.key,
            key.created_at,
            after
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets the signing keys made before a time.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn forget_signing_keys(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from signing_key where created_at < $1", before).execute(&self.pool).await?;
        Ok(())
    }

    /// Adds an API key.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where another has the name.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let scopes: Vec<String> = key.scopes.iter().map(|scope| scope.name().to_owned()).collect();
        sqlx::query!(
            "insert into api_key (key_id, name, scopes, secret, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
            key.key_id,
            key.name,
            &scopes,
            key.secret.to_text(),
            key.created_at,
            key.expires_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Revokes a key by its name; whether there was one that held.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn revoke_api_key(&self, name: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query!("update api_key set revoked_at = $2 where name = $1 and revoked_at is null", name, now);
        Ok(revoked.execute(&self.pool).await?.rows_affected() > 0)
    }
}
