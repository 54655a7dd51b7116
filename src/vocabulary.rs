//! The vocabulary: what the suppliers' codes mean, as data with a source and a confidence.
//!
//! The program ships a file; `migrate` brings it into the database, where operators add to it and
//! change it (`vocabulary set`) without a build. What an operator set is kept over upgrades.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::order::{Class, Fault, Meaning, Subject, Vocabulary};

/// The vocabulary that a running service works with: it changes when an operator changes it.
#[derive(Clone, Debug, Default)]
pub struct Current(Arc<RwLock<Arc<Vocabulary>>>);

impl Current {
    /// As it is now. Whoever works on a batch keeps it until the end.
    pub fn now(&self) -> Arc<Vocabulary> {
        // A panic cannot leave a pointer half written.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes another one from now on; says whether it is another one.
    pub fn take(&self, vocabulary: Vocabulary) -> bool {
        let is_other = self.now().fingerprint() != vocabulary.fingerprint();
        if is_other {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(vocabulary);
        }
        is_other
    }
}

impl From<Vocabulary> for Current {
    fn from(vocabulary: Vocabulary) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(vocabulary))))
    }
}

/// The confidence of what an operator has set: it stands over what is shipped.
pub const OPERATOR: &str = "operator";

const SHIPPED: [&str; 2] = [include_str!("../vocabulary/bt-wholesale.toml"), include_str!("../vocabulary/hybris.toml")];

/// One value and what it means, with where that is known from.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Word {
    /// What it is a value of: offering, sub-status, appointment-status, message, characteristic, shape.
    pub subject: String,
    pub value: String,
    pub words: String,
    pub classes: Vec<String>,
    pub fault: Option<String>,
    pub milestone: Option<String>,
    /// Where the meaning comes from.
    pub source: String,
    /// published, inferred, or operator.
    pub confidence: String,
}

/// A word that means nothing the program knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{given}” is no {what}; it is one of: {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

/// Why a vocabulary cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    #[error("the vocabulary file: {0}")]
    Form(#[from] toml::de::Error),
    #[error("the vocabulary: {0}")]
    Name(#[from] UnknownName),
}

/// The words that come with the program.
///
/// # Errors
/// Says where the file breaks its own form; a test keeps the shipped one right.
pub fn shipped_words() -> Result<Vec<Word>, VocabularyError> {
    let mut words = Vec::new();
    for file in SHIPPED {
        words.extend(words_of(file)?);
    }
    Ok(words)
}

/// The vocabulary that comes with the program.
///
/// # Errors
/// See [`shipped_words`].
pub fn shipped() -> Result<Vocabulary, VocabularyError> {
    compile(&shipped_words()?)
}

/// Makes words into what the fold looks values up in.
///
/// # Errors
/// Where a word names a subject, class or fault that the program does not know.
pub fn compile(words: &[Word]) -> Result<Vocabulary, VocabularyError> {
    let mut vocabulary = Vocabulary::default();
    for word in words {
        let meaning = Meaning {
            words: word.words.clone(),
            classes: word.classes.iter().map(|name| class(name)).collect::<Result<_, _>>()?,
            fault: word.fault.as_deref().map(fault).transpose()?,
            milestone: word.milestone.clone(),
        };
        vocabulary.add(subject(&word.subject)?, &word.value, meaning);
    }
    Ok(vocabulary)
}

pub fn subject(name: &str) -> Result<Subject, UnknownName> {
    Subject::from_name(name).ok_or_else(|| unknown("subject", name, &Subject::ALL.map(Subject::name)))
}

pub fn class(name: &str) -> Result<Class, UnknownName> {
    Class::from_name(name).ok_or_else(|| unknown("class", name, &Class::ALL.map(Class::name)))
}

pub fn fault(name: &str) -> Result<Fault, UnknownName> {
    Fault::from_name(name).ok_or_else(|| unknown("fault", name, &["customer", "supplier"]))
}

fn unknown(what: &'static str, given: &str, known: &[&str]) -> UnknownName {
    UnknownName { what, given: given.to_owned(), known: known.join(", ") }
}

/// Reads a vocabulary file: a TOML table for each subject, each entry with its values, `words`, `source`
/// and `confidence`.
fn words_of(text: &str) -> Result<Vec<Word>, VocabularyError> {
    let file: File = toml::from_str(text)?;
    let subjects = [
        (Subject::Offering, file.offering),
        (Subject::SubStatus, file.sub_status),
        (Subject::AppointmentStatus, file.appointment_status),
        (Subject::Message, file.message),
        (Subject::Characteristic, file.characteristic),
        (Subject::Shape, file.shape),
    ];
    let mut words = Vec::new();
    for (subject, entries) in subjects {
        for entry in entries {
            words.extend(entry.values.iter().map(|value| Word {
                subject: subject.name().to_owned(),
                value: value.clone(),
                words: entry.words.clone(),
                classes: entry.classes.clone(),
                fault: entry.fault.clone(),
                milestone: entry.milestone.clone(),
                source: entry.source.clone(),
                confidence: entry.confidence.name().to_owned(),
            }));
        }
    }
    Ok(words)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    offering: Vec<Entry>,
    #[serde(default)]
    sub_status: Vec<Entry>,
    #[serde(default)]
    appointment_status: Vec<Entry>,
    #[serde(default)]
    message: Vec<Entry>,
    #[serde(default)]
    characteristic: Vec<Entry>,
    #[serde(default)]
    shape: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    values: Vec<String>,
    words: String,
    #[serde(default)]
    classes: Vec<String>,
    fault: Option<String>,
    milestone: Option<String>,
    source: String,
    confidence: Confidence,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Confidence {
    /// The supplier's own document says it.
    Published,
    /// Read from what the documents show; it may be wrong.
    Inferred,
}

impl Confidence {
    fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Inferred => "inferred",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::order::{Class, Fault, Subject};

    #[test]
    fn the_shipped_vocabulary_can_be_read() {
        let vocabulary = super::shipped().unwrap();
        assert_eq!(vocabulary.words(Subject::Offering, "E0000703"), Some("IP address"));
        assert_eq!(vocabulary.words(Subject::SubStatus, "committed by BT-WWBC"), Some("committed by the supplier"));
        let missed = vocabulary.meaning(Subject::Message, "101158").unwrap();
        assert!(missed.is(Class::ActionNeeded) && missed.fault == Some(Fault::Customer));
    }

    #[test]
    fn a_meaning_without_a_source_or_of_an_unknown_class_is_refused() {
        assert!(super::words_of("[[offering]]\nvalues = [\"E1\"]\nwords = \"x\"").is_err());
        let word = super::Word { classes: vec!["urgent".to_owned()], ..super::shipped_words().unwrap().remove(0) };
        let error = super::compile(&[word]).unwrap_err().to_string();
        assert!(error.contains("“urgent” is no class") && error.contains("action-needed"), "{error}");
    }
}
