//! Chance that is the same on every machine.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use uuid::{Builder, Uuid};

/// How often something happens, between never and always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share(u64);

const WHOLE: u64 = 1_000_000;

impl Share {
    pub const NEVER: Self = Self(0);

    /// So many of a million.
    pub const fn of_million(count: u64) -> Self {
        Self(count)
    }

    /// From 0 to 1, taken to the millionth; `None` outside.
    pub fn new(share: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a number from 0 to a million"
        )]
        let count = |share: f64| (share * WHOLE as f64).round() as u64;
        (0.0..=1.0).contains(&share).then(|| Self(count(share)))
    }
}

/// Throws that a seed and a number determine, whatever else is thrown elsewhere.
#[derive(Clone, Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub fn new(seed: u64, number: u64) -> Self {
        let start = Xoshiro256PlusPlus::seed_from_u64(seed).next_u64();
        Self(Xoshiro256PlusPlus::seed_from_u64(start.wrapping_add(number)))
    }

    /// From 0 up to, and without, `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or_default();
        low + i64::try_from(self.below(width + 1)).unwrap_or_default()
    }

    pub fn happens(&mut self, share: Share) -> bool {
        self.below(WHOLE) < share.0
    }

    /// So many times of a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        const { assert!(N > 0, "there is something to pick from") };
        let at = usize::try_from(self.below(u64::try_from(N).unwrap_or(1))).unwrap_or_default();
        of.get(at).copied().unwrap_or(of[0])
    }

    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }
}
