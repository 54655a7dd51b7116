//! Passwords that people chose, which take long to compare.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::secret::{Secret, random};
use super::state::SenderSecret;

/// How much a check may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Microseconds: a password that a person chose counts only where it is remembered.
    Quick,
    /// A slow hash, too.
    Any,
}

/// Checks of passwords that people chose. Each takes tens of milliseconds and megabytes, so what was right is
/// remembered for a while (as a keyed hash), and few are made at once: whoever guesses slows only guessers down.
#[derive(Debug)]
pub struct SlowChecks {
    known: Mutex<HashMap<[u8; 32], Instant>>,
    at_once: Semaphore,
    salt: [u8; 32],
}

const REMEMBERED: Duration = Duration::from_mins(5);
const REMEMBERED_AT_MOST: usize = 1024;
const AT_ONCE: usize = 2;

impl Default for SlowChecks {
    fn default() -> Self {
        // Without random numbers the salt is no secret, and neither is it needed to be: it never leaves memory.
        let salt = random().unwrap_or_default();
        Self { known: Mutex::default(), at_once: Semaphore::new(AT_ONCE), salt }
    }
}

impl SlowChecks {
    /// Whether this is the password that is kept.
    pub async fn check(&self, kept: &SenderSecret, secret: &Secret, effort: Effort) -> bool {
        let mut mark = Sha256::new();
        mark.update(self.salt);
        mark.update(kept.secret_id.as_bytes());
        mark.update(secret.reveal().as_bytes());
        let mark: [u8; 32] = mark.finalize().into();
        if self.known().get(&mark).is_some_and(|at| at.elapsed() < REMEMBERED) {
            return true;
        }
        if effort == Effort::Quick {
            return false;
        }
        let Ok(_turn) = self.at_once.acquire().await else { return false };
        let (hash, secret) = (kept.kept.clone(), secret.clone());
        let is_it = tokio::task::spawn_blocking(move || hash.is_of(&secret)).await.unwrap_or(false);
        if is_it {
            let mut known = self.known();
            if known.len() >= REMEMBERED_AT_MOST {
                known.clear();
            }
            known.insert(mark, Instant::now());
        }
        is_it
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Instant>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
