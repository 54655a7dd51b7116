//! The vocabulary file: what the suppliers' codes mean, as data with a source.

use serde::Deserialize;

use crate::order::{BssCode, Meaning, Vocabulary};

const SHIPPED: [&str; 2] = [include_str!("../vocabulary/bt-wholesale.toml"), include_str!("../vocabulary/hybris.toml")];

/// The vocabulary that comes with the program.
///
/// # Errors
/// Says where the file breaks its own form; a test keeps the shipped one right.
pub fn shipped() -> Result<Vocabulary, toml::de::Error> {
    let mut vocabulary = Vocabulary::default();
    for file in SHIPPED {
        read_into(&mut vocabulary, file)?;
    }
    Ok(vocabulary)
}

/// Reads a vocabulary: TOML with `[[offering]]`, `[[sub_status]]`, `[[characteristic]]` and `[[bss_code]]`
/// tables, each with its values, `words` and `source`; a BSS code with `advice` too.
///
/// # Errors
/// Where the text is not TOML of that form, with line and column.
pub fn parse(text: &str) -> Result<Vocabulary, toml::de::Error> {
    let mut vocabulary = Vocabulary::default();
    read_into(&mut vocabulary, text)?;
    Ok(vocabulary)
}

fn read_into(vocabulary: &mut Vocabulary, text: &str) -> Result<(), toml::de::Error> {
    let file: File = toml::from_str(text)?;
    for entry in &file.offering {
        entry.values.iter().for_each(|id| vocabulary.add_offering(id, entry.meaning()));
    }
    for entry in &file.sub_status {
        entry.values.iter().for_each(|value| vocabulary.add_sub_status(value, entry.meaning()));
    }
    for entry in &file.characteristic {
        entry.values.iter().for_each(|name| vocabulary.add_characteristic(name, entry.meaning()));
    }
    for entry in &file.bss_code {
        let (words, advice) = (entry.words.clone(), entry.advice.clone());
        entry.codes.iter().for_each(|code| {
            vocabulary.add_bss_code(code, BssCode { words: words.clone(), advice: advice.clone() });
        });
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    offering: Vec<Entry>,
    #[serde(default)]
    sub_status: Vec<Entry>,
    #[serde(default)]
    characteristic: Vec<Entry>,
    #[serde(default)]
    bss_code: Vec<BssCodeEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BssCodeEntry {
    codes: Vec<String>,
    words: String,
    advice: String,
    #[expect(dead_code, reason = "for the people who edit the file; required so that no meaning stands without one")]
    source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(alias = "ids", alias = "names")]
    values: Vec<String>,
    words: String,
    #[expect(dead_code, reason = "for the people who edit the file; required so that no meaning stands without one")]
    source: Source,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Published,
    Inferred,
}

impl Entry {
    fn meaning(&self) -> Meaning {
        Meaning { words: self.words.clone() }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shipped_vocabulary_can_be_read() {
        let vocabulary = super::shipped().unwrap();
        assert_eq!(vocabulary.offering("E0000703").unwrap().words, "IP address");
        assert_eq!(vocabulary.sub_status("committed by BT-WWBC").unwrap().words, "committed by the supplier");
    }

    #[test]
    fn a_meaning_without_a_source_is_refused() {
        assert!(super::parse("[[offering]]\nids = [\"E1\"]\nwords = \"x\"").is_err());
    }
}
