//! Who has access, as the database says: read every few seconds, and kept while the database is away.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::Utc;
use tracing::{error, warn};
use uuid::Uuid;

use super::copy::Copy;
use super::demand::{Demands, Way};
use super::key::ApiKey;
use super::secret::{Kept, NoRandom, random};
use super::token;
use crate::store::{AccessRows, SenderRow, SigningKey, Store, StoreError};

/// A sender and all that its deliveries are judged by.
#[derive(Clone, Debug)]
pub struct Sender {
    pub name: String,
    pub enabled: bool,
    pub set_up: bool,
    pub ack_status: Option<u16>,
    /// What its deliveries must show; an error where that cannot be understood. Nothing of it gets in then.
    pub demands: Result<Demands, String>,
    pub secrets: Vec<SenderSecret>,
}

#[derive(Clone, Debug)]
pub struct SenderSecret {
    pub secret_id: Uuid,
    pub way: Way,
    pub kept: Kept,
    pub expires_at: Option<chrono::DateTime<Utc>>,
}

impl Sender {
    /// Its secrets of a way that hold now.
    pub fn secrets(&self, way: Way) -> impl Iterator<Item = &SenderSecret> {
        let now = Utc::now();
        let holds = move |secret: &&SenderSecret| secret.expires_at.is_none_or(|end| end > now);
        self.secrets.iter().filter(move |secret| secret.way == way).filter(holds)
    }
}

/// All who have access.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub senders: Vec<Arc<Sender>>,
    pub keys: HashMap<Uuid, ApiKey>,
    pub signing_keys: Vec<SigningKey>,
}

impl State {
    /// From the rows. A row that cannot be understood gives no access, and says why.
    pub fn read(rows: AccessRows) -> Self {
        let mut secrets: HashMap<String, Vec<SenderSecret>> = HashMap::new();
        for row in rows.secrets {
            match (Way::from_name(&row.way), Kept::from_text(&row.secret)) {
                (Some(way), Some(kept)) => {
                    let secret = SenderSecret { secret_id: row.secret_id, way, kept, expires_at: row.expires_at };
                    secrets.entry(row.sender).or_default().push(secret);
                }
                _ => error!(sender = row.sender, secret_id = %row.secret_id, "a secret cannot be understood"),
            }
        }
        let sender = |row: SenderRow| {
            let demands = serde_json::from_value::<Demands>(row.demands).map_err(|cause| cause.to_string());
            let demands = demands.and_then(|demands| demands.check().map(|()| demands));
            Arc::new(Sender {
                secrets: secrets.remove(&row.sender).unwrap_or_default(),
                name: row.sender,
                enabled: row.enabled,
                set_up: row.set_up,
                ack_status: row.ack_status.and_then(|status| u16::try_from(status).ok()),
                demands,
            })
        };
        Self {
            senders: rows.senders.into_iter().map(sender).collect(),
            keys: rows.keys.into_iter().map(|key| (key.key_id, key)).collect(),
            signing_keys: rows.signing_keys,
        }
    }

    pub fn sender(&self, name: &str) -> Option<&Arc<Sender>> {
        self.senders.iter().find(|sender| sender.name == name)
    }

    /// Whether an operator has set anything up, ever: what was closed does not open because the last key was
    /// taken back.
    pub fn is_set_up(&self) -> bool {
        !self.keys.is_empty() || self.senders.iter().any(|sender| sender.set_up)
    }

    /// The settings that cannot be understood, in words.
    pub fn faults(&self) -> Vec<String> {
        let fault = |sender: &Arc<Sender>| {
            let wrong = sender.demands.as_ref().err()?;
            Some(format!("the settings of the sender {} cannot be understood: {wrong}", sender.name))
        };
        self.senders.iter().filter_map(fault).collect()
    }
}

/// The state, shared.
#[derive(Debug)]
pub struct Shared {
    store: Store,
    copy: Option<Arc<Copy>>,
    state: RwLock<Option<Arc<State>>>,
    /// When it could not be read, and nothing was known; held while it is read.
    failed: tokio::sync::Mutex<Option<Instant>>,
}

/// While nothing is known and the database is away, it is asked so often at most on behalf of requests.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Shared {
    /// The state, as it is `known` already; what is read is copied to `copy`, if there is one.
    pub fn new(store: Store, known: Option<Arc<State>>, copy: Option<Arc<Copy>>) -> Self {
        Self { store, copy, state: RwLock::new(known), failed: tokio::sync::Mutex::default() }
    }

    /// The state as it was read last.
    ///
    /// # Errors
    /// Where it was never read, and the database is not available now: nobody can be judged.
    pub async fn get(&self) -> Result<Arc<State>, StoreError> {
        if let Some(state) = self.known() {
            return Ok(state);
        }
        // One asks for all: each would wait as long as a connection may take, one after the other.
        let mut failed = self.failed.lock().await;
        if let Some(state) = self.known() {
            return Ok(state);
        }
        if failed.is_some_and(|at| at.elapsed() < ASK_AGAIN) {
            return Err(StoreError::too_slow());
        }
        let read = self.refresh().await;
        *failed = read.is_err().then(Instant::now);
        read
    }

    /// The state as it was read last, if it ever was.
    pub fn known(&self) -> Option<Arc<State>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it anew.
    ///
    /// # Errors
    /// Where the database is not available; the former state stays.
    pub async fn refresh(&self) -> Result<Arc<State>, StoreError> {
        let rows = self.store.access_rows().await?;
        if let Some(copy) = &self.copy {
            copy.write(&rows);
        }
        let state = Arc::new(State::read(rows));
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&state));
        Ok(state)
    }

    /// The state with a key to sign with in it.
    ///
    /// # Errors
    /// Where there is none yet, and the database is not available.
    pub async fn able_to_sign(&self) -> Result<Arc<State>, StoreError> {
        let state = self.get().await?;
        if !state.signing_keys.is_empty() {
            return Ok(state);
        }
        self.keep_signing_keys().await?;
        self.get().await
    }

    /// Sees to it that there is a key to sign with, and that an old one is followed by a new one in time.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn keep_signing_keys(&self) -> Result<(), StoreError> {
        let state = self.get().await?;
        let now = Utc::now();
        let newest = state.signing_keys.iter().map(|key| key.created_at).max();
        if newest.is_none_or(|newest| newest + token::KEY_AGE <= now) {
            let key = match random() {
                Ok(random) => random.to_vec(),
                Err(NoRandom { .. }) => {
                    warn!("the system gives no random numbers; no signing key was made");
                    return Ok(());
                }
            };
            let key = SigningKey { key_id: Uuid::now_v7(), key, created_at: now };
            self.store.add_signing_key(&key, now - token::KEY_AGE).await?;
            self.store.forget_signing_keys(now - token::KEY_AGE * 2).await?;
            self.refresh().await?;
        }
        Ok(())
    }
}
