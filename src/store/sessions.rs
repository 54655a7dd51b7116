//! Sessions of people, and sign-ins on their way.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError};

/// A session, by the SHA-256 of what its cookie says.
#[derive(Clone, Debug)]
pub struct Session {
    pub session_hash: Vec<u8>,
    pub subject: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// The key that it was opened with, if it was.
    pub key_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A sign-in that has gone to the issuer, by the SHA-256 of its state.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub state_hash: Vec<u8>,
    pub nonce: String,
    pub verifier: String,
    pub return_to: String,
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// # Errors
    /// Where the database is not available.
    pub async fn session(&self, session_hash: &[u8]) -> Result<Option<Session>, StoreError> {
        let session = sqlx::query_as!(
            Session,
            "select session_hash, subject, name, scopes, key_id, created_at, seen_at, expires_at
             from session where session_hash = $1",
            session_hash
        );
        Ok(session.fetch_optional(&self.pool).await?)
    }

    /// # Errors
    /// Where the database is not available.
    pub async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into session (session_hash, subject, name, scopes, key_id, created_at, seen_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            session.session_hash,
            session.subject,
            session.name,
            &session.scopes,
            session.key_id,
            session.created_at,
            session.seen_at,
            session.expires_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn touch_session(&self, session_hash: &[u8], now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("update session set seen_at = $2 where session_hash = $1", session_hash, now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn end_session(&self, session_hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query!("delete from session where session_hash = $1", session_hash).execute(&self.pool).await?;
        Ok(())
    }

    /// Remembers a sign-in, and forgets those, and the sessions, that are over.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn begin_sign_in(&self, sign_in: &SignIn, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.forget_sessions(now).await?;
        sqlx::query!(
            "insert into sign_in (state_hash, nonce, verifier, return_to, expires_at) values ($1, $2, $3, $4, $5)",
            sign_in.state_hash,
            sign_in.nonce,
            sign_in.verifier,
            sign_in.return_to,
            sign_in.expires_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The sign-in of a state, once: it is forgotten.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn end_sign_in(&self, state_hash: &[u8], now: DateTime<Utc>) -> Result<Option<SignIn>, StoreError> {
        let sign_in = sqlx::query_as!(
            SignIn,
            "delete from sign_in where state_hash = $1 returning state_hash, nonce, verifier, return_to, expires_at",
            state_hash
        );
        let sign_in = sign_in.fetch_optional(&self.pool).await?;
        Ok(sign_in.filter(|sign_in| sign_in.expires_at > now))
    }

    /// Forgets the sessions and sign-ins that are over.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn forget_sessions(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from sign_in where expires_at <= $1", now).execute(&self.pool).await?;
        sqlx::query!("delete from session where expires_at <= $1", now).execute(&self.pool).await?;
        Ok(())
    }
}
