//! What tests try on debug builds; no setting of the program's.

use std::env;

use crate::trial::Trial;

/// What is to be tried; nothing in a release build.
///
/// # Errors
/// Where it cannot be read.
pub fn trial() -> Result<Trial, String> {
    if !cfg!(debug_assertions) {
        return Ok(Trial::default());
    }
    Trial::read(&env::var("ORDER_TIMELINE_TRIAL").unwrap_or_default())
}
