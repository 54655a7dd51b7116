//! Passwords that people chose, which take long to compare.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::secret::{Kept, Secret, random};
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
/// remembered while it is used (as a keyed hash), and few are made at once. Whoever guesses slows only guessers down:
/// what is remembered waits for nobody, each address has few checks waiting, and all together not many.
#[derive(Debug)]
pub struct SlowChecks {
    known: Mutex<HashMap<[u8; 32], Instant>>,
    at_once: Semaphore,
    waiting: Mutex<HashMap<Option<IpAddr>, usize>>,
    salt: [u8; 32],
}

/// There are more guesses than can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

const REMEMBERED: Duration = Duration::from_mins(5);
const REMEMBERED_AT_MOST: usize = 1024;
const AT_ONCE: usize = 2;
/// An address has so many checks under way or waiting at most, and so has everybody together.
const FROM_ONE: usize = 4;
const FROM_ALL: usize = 32;

impl Default for SlowChecks {
    fn default() -> Self {
        // Without random numbers the salt is no secret, and neither is it needed to be: it never leaves memory.
        let salt = random().unwrap_or_default();
        Self { known: Mutex::default(), at_once: Semaphore::new(AT_ONCE), waiting: Mutex::default(), salt }
    }
}

impl SlowChecks {
    /// Whether this is the password that is kept; `from` is where whoever asks is.
    ///
    /// # Errors
    /// Where more are tried than can be checked.
    pub async fn check(
        &self,
        kept: &SenderSecret,
        secret: &Secret,
        effort: Effort,
        from: Option<IpAddr>,
    ) -> Result<bool, TooMany> {
        let mut mark = Sha256::new();
        mark.update(self.salt);
        mark.update(kept.secret_id.as_bytes());
        mark.update(secret.reveal().as_bytes());
        let mark: [u8; 32] = mark.finalize().into();
        if self.is_remembered(mark) {
            return Ok(true);
        }
        if effort == Effort::Quick {
            return Ok(false);
        }
        let is_it = self.compare(kept.kept.clone(), secret, from).await?;
        if is_it {
            self.remember(mark);
        }
        Ok(is_it)
    }

    /// Takes as long as a check that fails: where there is no such sender, the time tells nothing.
    ///
    /// # Errors
    /// As [`SlowChecks::check`].
    pub async fn check_nothing(&self, secret: &Secret, from: Option<IpAddr>) -> Result<(), TooMany> {
        self.compare(Kept::nobodys(), secret, from).await.map(|_| ())
    }

    async fn compare(&self, kept: Kept, secret: &Secret, from: Option<IpAddr>) -> Result<bool, TooMany> {
        let _place = Place::take(self, from)?;
        let Ok(_turn) = self.at_once.acquire().await else { return Ok(false) };
        let secret = secret.clone();
        Ok(tokio::task::spawn_blocking(move || kept.is_of(&secret)).await.unwrap_or(false))
    }

    fn is_remembered(&self, mark: [u8; 32]) -> bool {
        let mut known = self.known();
        let Some(at) = known.get_mut(&mark).filter(|at| at.elapsed() < REMEMBERED) else { return false };
        *at = Instant::now();
        true
    }

    fn remember(&self, mark: [u8; 32]) {
        let mut known = self.known();
        if known.len() >= REMEMBERED_AT_MOST {
            known.retain(|_, at| at.elapsed() < REMEMBERED);
        }
        if known.len() >= REMEMBERED_AT_MOST {
            known.clear();
        }
        known.insert(mark, Instant::now());
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Instant>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the checks that wait, until it is dropped.
struct Place<'c> {
    checks: &'c SlowChecks,
    from: Option<IpAddr>,
}

impl<'c> Place<'c> {
    fn take(checks: &'c SlowChecks, from: Option<IpAddr>) -> Result<Self, TooMany> {
        let mut waiting = checks.waiting();
        let all: usize = waiting.values().sum();
        if all >= FROM_ALL || waiting.get(&from).is_some_and(|mine| *mine >= FROM_ONE) {
            return Err(TooMany);
        }
        *waiting.entry(from).or_default() += 1;
        Ok(Self { checks, from })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.checks.waiting();
        if let Some(mine) = waiting.get_mut(&self.from) {
            *mine -= 1;
            if *mine == 0 {
                waiting.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::{Effort, FROM_ONE, SlowChecks, TooMany};
    use crate::access::{Kept, Secret, SenderSecret, Way};

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_waits_for_no_guesses_and_guesses_wait_for_few_others() {
        let kept = Kept::given(&secret("right")).unwrap();
        let kept = Arc::new(SenderSecret { secret_id: Uuid::nil(), way: Way::Basic, kept, expires_at: None });
        let checks = Arc::new(SlowChecks::default());
        let (guesser, other) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        assert_eq!(checks.check(&kept, &secret("right"), Effort::Any, other).await, Ok(true));
        let mut guesses = tokio::task::JoinSet::new();
        for number in 0..FROM_ONE * 3 {
            let (checks, kept) = (Arc::clone(&checks), Arc::clone(&kept));
            guesses.spawn(async move { checks.check(&kept, &secret(&number.to_string()), Effort::Any, guesser).await });
        }
        tokio::task::yield_now().await;
        // Quick: what is remembered is not even tried against the slow hash.
        assert_eq!(checks.check(&kept, &secret("right"), Effort::Quick, guesser).await, Ok(true));
        assert_eq!(
            checks.check(&kept, &secret("wrong"), Effort::Any, other).await,
            Ok(false),
            "it has places of its own"
        );
        let told: Vec<_> = guesses.join_all().await;
        assert_eq!(told.iter().filter(|told| **told == Ok(false)).count(), FROM_ONE, "{told:?}");
        assert_eq!(told.iter().filter(|told| **told == Err(TooMany)).count(), FROM_ONE * 2);
        assert_eq!(checks.check_nothing(&secret("x"), guesser).await, Ok(()), "the places are free again");
        assert!(checks.waiting().is_empty());
    }
}
