//! `vocabulary`: what the suppliers' codes mean, and which of them nobody knows yet.

use std::io::Write;

use anyhow::{Result, bail, ensure};

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::config::{DatabaseConfig, WordConfig};
use crate::order::{compared, rfc3339};
use crate::store::Store;
use crate::vocabulary::{self, OPERATOR, Word};

/// What `vocabulary list` is to show.
pub struct List {
    pub subject: Option<String>,
    pub unknown: bool,
    pub json: bool,
}

pub async fn list(database: &DatabaseConfig, list: List) -> Result<()> {
    if let Some(subject) = &list.subject {
        vocabulary::subject(subject)?;
    }
    let database = Database::open(database, Purpose::Read).await?;
    let lines = if list.unknown { unknown(&database.store, &list).await } else { known(&database.store, &list).await };
    database.close().await?;
    let mut out = anstream::stdout();
    for line in lines? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn known(store: &Store, list: &List) -> Result<Vec<String>> {
    let wanted = |word: &Word| list.subject.as_ref().is_none_or(|subject| *subject == word.subject);
    let words = store.words().await?.into_iter().filter(wanted);
    words.map(|word| if list.json { Ok(serde_json::to_string(&word)?) } else { Ok(told(&word)) }).collect()
}

async fn unknown(store: &Store, list: &List) -> Result<Vec<String>> {
    let values = store.unknown_values().await?;
    let wanted =
        values.into_iter().filter(|value| list.subject.as_ref().is_none_or(|subject| *subject == value.subject));
    let line = |value: crate::store::UnknownValue| {
        if list.json {
            return Ok(serde_json::to_string(&value)?);
        }
        Ok(harmless(&format!(
            "{:<19} {:<32} {} times in {} orders, first {}, last {}",
            value.subject,
            value.value,
            value.occurrences,
            value.orders,
            rfc3339(value.first_seen),
            rfc3339(value.last_seen)
        )))
    };
    let lines: Vec<String> = wanted.map(line).collect::<Result<_>>()?;
    Ok(if lines.is_empty() && !list.json { vec!["Every value of the feed is known.".to_owned()] } else { lines })
}

fn told(word: &Word) -> String {
    let mut told = format!("{:<19} {:<32} {}", word.subject, word.value, word.words);
    for (name, value) in [
        ("classes", (!word.classes.is_empty()).then(|| word.classes.join(", "))),
        ("fault", word.fault.clone()),
        ("milestone", word.milestone.clone()),
        ("source", Some(format!("{} ({})", word.source, word.confidence))),
    ] {
        if let Some(value) = value {
            told.push_str(&format!("; {name}: {value}"));
        }
    }
    harmless(&told)
}

pub async fn set(database: &DatabaseConfig, config: &WordConfig) -> Result<()> {
    vocabulary::subject(&config.subject)?;
    ensure!(!compared(&config.value).is_empty(), "“{}” is no value: it has neither a letter nor a digit", config.value);
    let database = Database::open(database, Purpose::Write).await?;
    let done = set_over(&database.store, config).await;
    database.close().await?;
    writeln!(anstream::stdout(), "Set: {}\n{HOLDS}", told(&done?))?;
    Ok(())
}

/// Subjects whose values mean nothing but their words.
const WORDS_ONLY: [&str; 3] = ["offering", "characteristic", "shape"];

/// Sets the word over the one that is known, which says what is not given.
async fn set_over(store: &Store, config: &WordConfig) -> Result<Word> {
    // Given and empty is none.
    let text = |given: &Option<String>, known: Option<String>| {
        let given = given.as_ref().map(|given| given.trim().to_owned());
        given.map_or(known, |given| (!given.is_empty()).then_some(given))
    };
    let classes = config
        .classes
        .as_ref()
        .map(|classes| classes.iter().map(|class| class.trim().to_owned()).filter(|class| !class.is_empty()).collect());
    let known = store.word(&config.subject, &config.value).await?;
    // Where the shipped meaning is from is not how the operator knows.
    let source = known.as_ref().filter(|known| known.confidence == OPERATOR).map(|known| known.source.clone());
    let (words, known_classes, fault, milestone) =
        known.map(|known| (Some(known.words), known.classes, known.fault, known.milestone)).unwrap_or_default();
    let Some(words) = text(&config.words, words) else {
        bail!(
            "say with --words what {} “{}” means: there is nothing to show without them",
            config.subject,
            config.value
        )
    };
    let word = Word {
        subject: config.subject.clone(),
        value: config.value.clone(),
        words,
        classes: classes.unwrap_or(known_classes),
        fault: text(&config.fault, fault).filter(|fault| fault != "unknown"),
        milestone: text(&config.milestone, milestone),
        source: text(&config.source, source).unwrap_or_else(|| OPERATOR.to_owned()),
        confidence: OPERATOR.to_owned(),
    };
    vocabulary::compile(std::slice::from_ref(&word))?;
    let means_more = !word.classes.is_empty() || word.fault.is_some() || word.milestone.is_some();
    ensure!(
        !means_more || !WORDS_ONLY.contains(&word.subject.as_str()),
        "of {} only the words are used; classes, fault and milestone are of sub-statuses, appointments' statuses and messages",
        word.subject
    );
    // A milestone is one in whatever spelling: the views ask for it as it is spelled there.
    let spelled = store.vocabulary().await?;
    let milestone = word.milestone.as_ref().map(|name| spelled.milestone(name).unwrap_or(name).to_owned());
    let word = Word { milestone, ..word };
    store.set_word(&word).await?;
    Ok(word)
}

pub async fn unset(database: &DatabaseConfig, subject: &str, value: &str) -> Result<()> {
    vocabulary::subject(subject)?;
    let database = Database::open(database, Purpose::Write).await?;
    let done = unset_in(&database.store, subject, value).await;
    database.close().await?;
    match done? {
        Some(word) => writeln!(anstream::stdout(), "As it came with the program: {}\n{HOLDS}", told(&word))?,
        None => {
            writeln!(anstream::stdout(), "Nobody says any more what {subject} “{}” means.\n{HOLDS}", harmless(value))?
        }
    }
    Ok(())
}

async fn unset_in(store: &Store, subject: &str, value: &str) -> Result<Option<Word>> {
    let was_set = store.unset_word(subject, value).await?;
    ensure!(was_set, "nobody has set {subject} “{value}”; `order-timeline vocabulary list` shows what is known");
    Ok(store.word(subject, value).await?)
}

const HOLDS: &str = "It holds for events that come from now on; a running service takes it up within seconds. Run \
    `order-timeline rebuild` to apply it to those that came before.";
