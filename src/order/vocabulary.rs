//! What the sender's codes mean, as the fold needs it.

use std::collections::HashMap;

use super::spelling::compared;

/// Codes and their meaning. Unknown values are normal: every look-up may find nothing, and then the
/// value stands as received (contract, law 7).
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    offerings: HashMap<String, Meaning>,
    sub_statuses: HashMap<String, Meaning>,
    characteristics: HashMap<String, Meaning>,
    bss_codes: HashMap<String, BssCode>,
}

/// What a billing system's code means and what to do about it, as one sentence: "conversation expired:
/// take a new quote".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BssCode {
    pub words: String,
    pub advice: String,
}

/// The words for a value, for the middle of a sentence: "committed by the supplier".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    pub words: String,
}

impl Vocabulary {
    pub fn add_offering(&mut self, id: &str, meaning: Meaning) {
        self.offerings.insert(id.to_owned(), meaning);
    }

    pub fn add_sub_status(&mut self, value: &str, meaning: Meaning) {
        self.sub_statuses.insert(compared(value), meaning);
    }

    pub fn add_characteristic(&mut self, name: &str, meaning: Meaning) {
        self.characteristics.insert(compared(name), meaning);
    }

    pub fn add_bss_code(&mut self, code: &str, meaning: BssCode) {
        self.bss_codes.insert(code.to_owned(), meaning);
    }

    pub fn bss_code(&self, code: &str) -> Option<&BssCode> {
        self.bss_codes.get(code)
    }

    pub fn offering(&self, id: &str) -> Option<&Meaning> {
        self.offerings.get(id)
    }

    pub fn sub_status(&self, value: &str) -> Option<&Meaning> {
        self.sub_statuses.get(&compared(value))
    }

    pub fn characteristic(&self, name: &str) -> Option<&Meaning> {
        self.characteristics.get(&compared(name))
    }
}
