//! `vocabulary`: what the suppliers' codes mean, and which of them nobody knows yet.

use std::io::Write;

use anyhow::Result;

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::config::{DatabaseConfig, WordConfig};
use crate::order::rfc3339;
use crate::store::Store;
use crate::vocabulary::{self, Word};

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
    let word = Word {
        subject: config.subject.clone(),
        value: config.value.clone(),
        words: config.words.clone(),
        classes: config.classes.clone(),
        fault: config.fault.clone(),
        milestone: config.milestone.clone(),
        source: config.source.clone(),
        confidence: "operator".to_owned(),
    };
    vocabulary::compile(std::slice::from_ref(&word))?;
    let database = Database::open(database, Purpose::Write).await?;
    let done = database.store.set_word(&word).await;
    database.close().await?;
    done?;
    writeln!(anstream::stdout(), "Set: {}", told(&word))?;
    writeln!(
        anstream::stdout(),
        "It holds for events that come from now on; a running service takes it up within seconds. Run \
         `order-timeline rebuild` to apply it to those that came before."
    )?;
    Ok(())
}
