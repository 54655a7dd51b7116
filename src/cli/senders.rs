//! `senders`: who may post, and what they must show.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::{TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::database::{Database, Purpose};
use super::terminal::harmless;
use crate::access::{
    CertificateDemand, Demands, IssuerDemand, Kept, OAuthDemand, Secret, Sender, State, Way, WebhookDemand,
    usual_algorithms,
};
use crate::config::{DatabaseConfig, RotateConfig, SenderConfig, SendersCommand};
use crate::order::rfc3339;
use crate::store::{SecretRow, SenderRow, Store};

pub async fn run(database: &DatabaseConfig, command: SendersCommand) -> Result<()> {
    let purpose = if matches!(command, SendersCommand::List { .. }) { Purpose::Read } else { Purpose::Write };
    let database = Database::open(database, purpose).await?;
    let store = &database.store;
    let done = match command {
        SendersCommand::Add(config) => add(store, &config).await,
        SendersCommand::List { json } => list(store, json).await,
        SendersCommand::Rotate(config) => rotate(store, &config).await,
        SendersCommand::Disable { sender } => enable(store, &sender, false).await,
        SendersCommand::Enable { sender } => enable(store, &sender, true).await,
    };
    database.close().await?;
    let mut out = anstream::stdout();
    for line in done? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

async fn add(store: &Store, config: &SenderConfig) -> Result<Vec<String>> {
    let demands = demands(config);
    demands.check().map_err(|wrong| anyhow!("the sender {} cannot be set up so: {wrong}", config.sender))?;
    let state = State::read(store.access_rows().await?);
    let former = state.sender(&config.sender);
    ensure!(
        config.replace || former.is_none_or(|former| !former.set_up),
        "the sender {} was set up before; to set it up anew add --replace, for a new secret use `senders rotate`",
        config.sender
    );
    let lacking = |way: &Way| former.is_none_or(|former| former.secrets(*way).next().is_none());
    let ways: Vec<Way> = demands.ways().into_iter().filter(lacking).collect();
    ensure!(
        config.secret_file.is_none() || !ways.is_empty() || demands.ways().is_empty(),
        "the sender {0} keeps the secret that it has; to give it the one of --secret-file use `senders rotate {0}`",
        config.sender
    );
    let given = given(config.secret_file.as_deref(), &ways)?;
    // Setting it up in another way does not let in what somebody has shut out.
    let enabled = former.is_none_or(|former| former.enabled);
    let mut made = Vec::new();
    for way in ways {
        made.push(new_secret(&config.sender, way, given.clone())?);
    }
    let row = SenderRow {
        sender: config.sender.clone(),
        enabled,
        set_up: true,
        ack_status: config.ack_status.map(i32::from),
        demands: serde_json::to_value(&demands)?,
        changed_at: Utc::now(),
    };
    // Settings before secrets: in between, nothing of it gets in.
    store.set_sender(&row).await?;
    let ways: Vec<String> = demands.ways().into_iter().map(|way| way.name().to_owned()).collect();
    store.keep_secrets_of(&config.sender, &ways).await?;
    for (secret, _) in &made {
        store.rotate_secret(secret, Utc::now()).await?;
    }
    let told = format!("The sender {} must show {demands}.", config.sender);
    let still = format!("It is still disabled; `senders enable {}` lets it in.", config.sender);
    let shown = shown(&config.sender, &made, config.json);
    Ok(if config.json {
        shown
    } else {
        let still = (!enabled).then_some(still);
        [told].into_iter().chain(shown).chain(still).chain(first_of_all(&state)).collect()
    })
}

fn demands(config: &SenderConfig) -> Demands {
    let certificate = CertificateDemand {
        names: config.certificate_name.clone(),
        fingerprints: config
            .certificate_fingerprint
            .iter()
            // As `openssl x509 -fingerprint` writes it.
            .map(|text| text.replace(':', "").to_ascii_lowercase())
            .collect(),
    };
    Demands {
        oauth: config
            .oauth
            .then(|| OAuthDemand { token_seconds: config.token_lifetime, audience: config.token_audience.clone() }),
        basic: config.basic,
        bearer: config.bearer,
        issuer: config.issuer.as_ref().map(|issuer| IssuerDemand {
            issuer: issuer.clone(),
            jwks: config.jwks.clone(),
            audience: config.audience.clone().unwrap_or_default(),
            claims: config.claim.iter().cloned().collect(),
            algorithms: if config.algorithm.is_empty() { usual_algorithms() } else { config.algorithm.clone() },
        }),
        webhook: config.webhook.then_some(WebhookDemand { tolerance_seconds: config.webhook_tolerance }),
        certificate: (certificate != CertificateDemand::default()).then_some(certificate),
        addresses: config.address.clone(),
    }
}

async fn rotate(store: &Store, config: &RotateConfig) -> Result<Vec<String>> {
    let state = State::read(store.access_rows().await?);
    let sender = known(&state, &config.sender)?;
    let demands = sender.demands.as_ref().map_err(|wrong| anyhow!("its settings cannot be understood: {wrong}"))?;
    let ways = match config.way {
        Some(way) => {
            ensure!(demands.ways().contains(&way), "the sender {} does not use {}", sender.name, way.name());
            vec![way]
        }
        None => demands.ways(),
    };
    ensure!(!ways.is_empty(), "the sender {} shows who it is without a secret of ours: {demands}", sender.name);
    let given = given(config.secret_file.as_deref(), &ways)?;
    let mut made = Vec::new();
    for way in ways {
        made.push(new_secret(&sender.name, way, given.clone())?);
    }
    let now = Utc::now();
    for (secret, _) in &made {
        store.rotate_secret(secret, now + TimeDelta::seconds(i64::from(config.overlap))).await?;
    }
    let mut told = shown(&sender.name, &made, config.json);
    if !config.json && made.iter().any(|(row, _)| sender.secrets.iter().any(|had| had.way.name() == row.way)) {
        told.push(match config.overlap {
            0 => "The former secret, and the tokens got with it, end within seconds.".to_owned(),
            _ => format!(
                "The former secret holds until {}; any older one has ended.",
                rfc3339(now + TimeDelta::seconds(i64::from(config.overlap)))
            ),
        });
    }
    if !config.json {
        told.extend(first_of_all(&state));
    }
    Ok(told)
}

fn new_secret(sender: &str, way: Way, given: Option<Secret>) -> Result<(SecretRow, Option<Secret>)> {
    let made = if given.is_none() { Some(Secret::generate(way.prefix())?) } else { None };
    let kept = match (way, &given, &made) {
        (Way::Webhook, Some(secret), _) | (Way::Webhook, None, Some(secret)) => Kept::webhook(secret),
        (_, Some(secret), _) => Kept::given(secret),
        (_, None, Some(secret)) => Ok(Kept::made(secret)),
        (_, None, None) => Err("there is no secret".to_owned()),
    };
    let row = SecretRow {
        sender: sender.to_owned(),
        secret_id: Uuid::now_v7(),
        way: way.name().to_owned(),
        secret: kept.map_err(|wrong| anyhow!("the secret cannot be taken: {wrong}"))?.to_text(),
        created_at: Utc::now(),
        expires_at: None,
    };
    Ok((row, made))
}

/// Shorter secrets are guessed.
const SHORTEST: usize = 12;

/// The secret that the supplier has chosen, if one was given.
fn given(file: Option<&Path>, ways: &[Way]) -> Result<Option<Secret>> {
    let Some(file) = file else { return Ok(None) };
    ensure!(!ways.is_empty(), "--secret-file gives a secret, and none is needed: it is shown otherwise who it is");
    ensure!(ways.len() == 1, "--secret-file gives one secret, and {} are needed: name one way", ways.len());
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    let text = text.trim_end_matches(['\r', '\n']);
    ensure!(text.len() >= SHORTEST, "the secret is shorter than {SHORTEST} characters; whoever tries could guess it");
    ensure!(!text.contains(char::is_control), "the secret has control characters in it");
    Ok(Some(Secret::new(text.to_owned())))
}

/// The new secrets, this once.
fn shown(sender: &str, made: &[(SecretRow, Option<Secret>)], json: bool) -> Vec<String> {
    if json {
        let secret = |(row, secret): &(SecretRow, Option<Secret>)| {
            json!({ "sender": sender, "way": row.way, "clientId": sender, "secret": secret.as_ref().map(Secret::reveal) })
                .to_string()
        };
        return made.iter().map(secret).collect();
    }
    let mut lines = Vec::new();
    for (row, secret) in made {
        let secret = secret.as_ref().map_or("as you gave it", Secret::reveal);
        match Way::from_name(&row.way) {
            Some(Way::OAuth) => {
                lines.push(format!("  client id      {sender}"));
                lines.push(format!("  client secret  {secret}"));
                lines.push("  tokens         POST /oauth/token, grant_type=client_credentials".to_owned());
            }
            Some(Way::Basic) => {
                lines.push(format!("  user           {sender}"));
                lines.push(format!("  password       {secret}"));
            }
            Some(Way::Bearer) => lines.push(format!("  bearer token   {secret}")),
            Some(Way::Webhook) => lines.push(format!("  webhook secret {secret}")),
            None => {}
        }
    }
    if made.iter().any(|(_, secret)| secret.is_some()) {
        lines.push("Note it now: it is not shown again.".to_owned());
    }
    lines
}

/// What else follows where this is the first that is set up.
fn first_of_all(state: &State) -> Vec<String> {
    if state.is_set_up() {
        return Vec::new();
    }
    vec![
        "From now on, nobody gets in who shows nothing, to the pages and the API neither: `order-timeline keys add NAME` \
         makes a key for those who read."
            .to_owned(),
    ]
}

async fn list(store: &Store, as_json: bool) -> Result<Vec<String>> {
    let rows = store.access_rows().await?;
    let all_secrets = rows.secrets.clone();
    let changed: Vec<_> = rows.senders.iter().map(|row| (row.sender.clone(), row.changed_at)).collect();
    let state = State::read(rows);
    let line = |(sender, (_, changed_at)): (&std::sync::Arc<Sender>, &(String, chrono::DateTime<Utc>))| {
        let secrets: Vec<&SecretRow> = all_secrets.iter().filter(|secret| secret.sender == sender.name).collect();
        let lacks = sender.demands.iter().flat_map(Demands::ways).any(|way| sender.secrets(way).next().is_none());
        let condition = match (&sender.demands, sender.enabled) {
            (Err(_), _) => "unusable",
            (Ok(_), false) => "disabled",
            (Ok(_), true) if lacks => "no secret yet",
            (Ok(_), true) => "ready",
        };
        if as_json {
            let secret = |row: &&SecretRow| {
                json!({ "secretId": row.secret_id, "way": row.way, "createdAt": rfc3339(row.created_at),
                        "expiresAt": row.expires_at.map(rfc3339) })
            };
            return json!({
                "sender": sender.name, "condition": condition, "demands": sender.demands.as_ref().ok(),
                "ackStatus": sender.ack_status, "changedAt": rfc3339(*changed_at),
                "secrets": secrets.iter().map(secret).collect::<Vec<_>>(),
            })
            .to_string();
        }
        let demands = match &sender.demands {
            Ok(demands) => demands.to_string(),
            Err(wrong) => wrong.clone(),
        };
        let mut told = format!("{:<24} {condition:<14} {demands}", sender.name);
        for secret in secrets {
            told.push_str(&format!("; {} secret of {}", secret.way, rfc3339(secret.created_at)));
            if let Some(end) = secret.expires_at {
                told.push_str(&format!(" (until {})", rfc3339(end)));
            }
        }
        harmless(&told)
    };
    Ok(state.senders.iter().zip(&changed).map(line).collect())
}

async fn enable(store: &Store, name: &str, enabled: bool) -> Result<Vec<String>> {
    let rows = store.access_rows().await?;
    let Some(row) = rows.senders.iter().find(|row| row.sender == name) else {
        bail!("there is no sender {name}; see `senders list`");
    };
    store.set_sender(&SenderRow { enabled, set_up: true, changed_at: Utc::now(), ..row.clone() }).await?;
    Ok(vec![if enabled {
        format!("The sender {name} is let in again, within seconds.")
    } else {
        format!("Nothing of the sender {name} is let in any more, within seconds.")
    }])
}

fn known<'s>(state: &'s State, name: &str) -> Result<&'s Sender> {
    let Some(sender) = state.sender(name) else { bail!("there is no sender {name}; see `senders list`") };
    Ok(sender)
}
