//! `keys`: API keys for staff and programs.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::access::{ApiKey, Kept, Scope, generate_key};
use crate::config::{DatabaseConfig, KeysCommand};
use crate::order::rfc3339;
use crate::store::{Store, StoreError};

pub async fn run(database: &DatabaseConfig, command: KeysCommand) -> Result<()> {
    let purpose = if matches!(command, KeysCommand::List { .. }) { Purpose::Read } else { Purpose::Write };
    let database = Database::open(database, purpose).await?;
    let store = &database.store;
    let done = match command {
        KeysCommand::Add { name, scope, days, json } => add(store, name, scope, days, json).await,
        KeysCommand::List { json } => list(store, json).await,
        KeysCommand::Revoke { name } => revoke(store, &name).await,
    };
    database.close().await?;
    let mut out = anstream::stdout();
    for line in done? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn add(store: &Store, name: String, scope: Scope, days: Option<u16>, as_json: bool) -> Result<Vec<String>> {
    ensure!(!name.trim().is_empty(), "a key needs a name, to tell it from others and to revoke it by");
    ensure!(name.chars().count() <= 100, "a key's name has 100 letters at most");
    ensure!(!name.contains(char::is_control), "a key's name has no control characters");
    let (key_id, secret) = generate_key()?;
    let now = Utc::now();
    let key = ApiKey {
        key_id,
        name: name.clone(),
        scopes: vec![scope],
        secret: Kept::made(&secret),
        created_at: now,
        expires_at: days.map(|days| now + TimeDelta::days(i64::from(days))),
        revoked_at: None,
    };
    store.add_api_key(&key).await.map_err(|cause| match cause {
        StoreError::Refused(_) => anyhow::anyhow!("there is, or was, a key with the name “{name}”; take another"),
        cause => cause.into(),
    })?;
    if as_json {
        return Ok(vec![json!({ "name": name, "scope": scope.name(), "key": secret.reveal() }).to_string()]);
    }
    Ok(vec![
        format!("  key    {}", secret.reveal()),
        format!("  scope  {scope}"),
        "Note it now: it is not shown again. Programs send it as “Authorization: Bearer …”, people sign in with it at \
         /sign-in."
            .to_owned(),
    ])
}

async fn list(store: &Store, as_json: bool) -> Result<Vec<String>> {
    let keys = store.access_rows().await.context("the keys cannot be read")?.keys;
    let now = Utc::now();
    let line = |key: &ApiKey| {
        let scopes: Vec<&str> = key.scopes.iter().copied().map(Scope::name).collect();
        let condition = match (key.revoked_at, key.holds(now)) {
            (Some(at), _) => format!("revoked {}", rfc3339(at)),
            (None, false) => "expired".to_owned(),
            (None, true) => key.expires_at.map_or_else(|| "ready".to_owned(), |end| format!("until {}", rfc3339(end))),
        };
        if as_json {
            return json!({
                "name": key.name, "keyId": key.key_id, "scopes": scopes, "createdAt": rfc3339(key.created_at),
                "expiresAt": key.expires_at.map(rfc3339), "revokedAt": key.revoked_at.map(rfc3339),
            })
            .to_string();
        }
        harmless(&format!("{:<32} {:<14} {condition}; made {}", key.name, scopes.join(", "), rfc3339(key.created_at)))
    };
    let lines: Vec<String> = keys.iter().map(line).collect();
    Ok(if lines.is_empty() && !as_json { vec!["There are no keys yet.".to_owned()] } else { lines })
}

async fn revoke(store: &Store, name: &str) -> Result<Vec<String>> {
    let is_done = store.revoke_api_key(name, Utc::now()).await?;
    ensure!(is_done, "there is no key “{name}” that holds; see `keys list`");
    Ok(vec![format!("The key “{name}” ends within seconds, and so do the sessions that were opened with it.")])
}
