//! The vocabulary in the database: what was shipped, and what operators made of it.

use super::{Store, StoreError};
use crate::order::{Vocabulary, compared};
use crate::vocabulary::{OPERATOR, Word, compile, shipped_words};

impl Store {
    /// Brings the shipped words in. What an operator has set stays as it is.
    ///
    /// # Errors
    /// Where the database is not available.
    pub(super) async fn ship_vocabulary(&self) -> Result<(), StoreError> {
        let words = shipped_words().map_err(|error| StoreError::Schema(error.to_string()))?;
        for word in &words {
            self.ship_word(word).await?;
        }
        Ok(())
    }

    async fn ship_word(&self, word: &Word) -> Result<(), StoreError> {
        self.put_word(word, &word.confidence).await
    }

    /// Sets a word, over whatever stood there.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn set_word(&self, word: &Word) -> Result<(), StoreError> {
        self.put_word(word, OPERATOR).await
    }

    /// What an operator says stands over what is shipped, whichever comes later.
    async fn put_word(&self, word: &Word, confidence: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into vocabulary (subject, compared, value, words, classes, fault, milestone, source, confidence)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict on constraint vocabulary_pk do update set
                 value = excluded.value, words = excluded.words, classes = excluded.classes, fault = excluded.fault,
                 milestone = excluded.milestone, source = excluded.source, confidence = excluded.confidence
             where excluded.confidence = 'operator' or vocabulary.confidence <> 'operator'",
            word.subject,
            compared(&word.value),
            word.value,
            word.words,
            &word.classes,
            word.fault,
            word.milestone,
            word.source,
            confidence,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What the codes mean, for the fold.
    ///
    /// # Errors
    /// Where the database is not available, or holds a word that this program does not understand.
    pub async fn vocabulary(&self) -> Result<Vocabulary, StoreError> {
        compile(&self.words().await?).map_err(|error| StoreError::Schema(error.to_string()))
    }

    /// Takes back what an operator has set: what is shipped holds again. Says whether there was such a word.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unset_word(&self, subject: &str, value: &str) -> Result<bool, StoreError> {
        let compared_value = compared(value);
        let deleted = sqlx::query!(
            "delete from vocabulary where subject = $1 and compared = $2 and confidence = 'operator'",
            subject,
            compared_value
        );
        let was_set = deleted.execute(&self.pool).await?.rows_affected() > 0;
        // Should this fail, `migrate` brings it back.
        let shipped = shipped_words().map_err(|error| StoreError::Schema(error.to_string()))?;
        for word in shipped.iter().filter(|word| word.subject == subject && compared(&word.value) == compared_value) {
            self.ship_word(word).await?;
        }
        Ok(was_set)
    }

    /// What is known of a value, in whatever spelling.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn word(&self, subject: &str, value: &str) -> Result<Option<Word>, StoreError> {
        let word = sqlx::query_as!(
            Word,
            "select subject, value, words, classes, fault, milestone, source, confidence
             from vocabulary where subject = $1 and compared = $2",
            subject,
            compared(value)
        );
        Ok(word.fetch_optional(&self.pool).await?)
    }

    /// All words, by subject and value.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn words(&self) -> Result<Vec<Word>, StoreError> {
        let words = sqlx::query_as!(
            Word,
            "select subject, value, words, classes, fault, milestone, source, confidence
             from vocabulary order by subject, value"
        );
        Ok(words.fetch_all(&self.pool).await?)
    }

    /// Values of the feed that no word explains, the most frequent first: subject, value, how often, and in
    /// how many orders.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn unknown_values(&self) -> Result<Vec<UnknownValue>, StoreError> {
        let values = sqlx::query_as!(
            UnknownValue,
            r#"select subject as "subject!", value as "value!", first_seen as "first_seen!", last_seen as "last_seen!",
                 occurrences as "occurrences!", orders as "orders!"
               from analytics.unknown_values
               order by occurrences desc, subject, value
               limit 1000"#
        );
        Ok(values.fetch_all(&self.pool).await?)
    }
}

/// A value that the feed uses and the vocabulary does not know.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownValue {
    pub subject: String,
    pub value: String,
    #[serde(serialize_with = "crate::record::time")]
    pub first_seen: chrono::DateTime<chrono::Utc>,
    #[serde(serialize_with = "crate::record::time")]
    pub last_seen: chrono::DateTime<chrono::Utc>,
    pub occurrences: i64,
    pub orders: i64,
}
