//! What the service is told about access, and whether it may start so.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use chrono::TimeDelta;

use super::open_files::connections_within;
use crate::access::{OidcSettings, State, is_private};
use crate::config::{ForwardedHeaderName, HttpConfig, LimitsConfig, SignInConfig, TlsConfig};
use crate::http::{AccessSettings, ForwardedHeader, Limits, Proxies, TlsSettings};
use crate::spool::SpoolStatus;

/// Settings that are right each by itself and make no sense together.
///
/// # Errors
/// Which, and why.
pub fn check(config: &HttpConfig) -> Result<()> {
    let (access, limits, spool) = (&config.access, &config.limits, &config.spool);
    ensure!(
        limits.max_bytes_in_flight >= config.max_body_bytes,
        "--max-bytes-in-flight {} is less than --max-body-bytes {}: such a body could never be taken in",
        limits.max_bytes_in_flight,
        config.max_body_bytes
    );
    let one_body = u64::try_from(config.max_body_bytes).unwrap_or(u64::MAX).saturating_add(SpoolStatus::LOW);
    ensure!(
        spool.spool.is_none() || spool.spool_max >= one_body,
        "--spool-max {} has no room for a body of --max-body-bytes {}, and {} KiB for what is kept beside it",
        spool.spool_max,
        config.max_body_bytes,
        SpoolStatus::LOW / 1024
    );
    if let Some(url) = &config.sign_in.public_url {
        ensure!(
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none(),
            "--public-url {url} has a path or more behind its host: all addresses of the service begin at /, so nobody \
             who signs in would find back"
        );
    }
    ensure!(
        access.session_idle <= access.session_longest,
        "--session-idle {} is more than --session-longest {}: no session would last so long",
        access.session_idle,
        access.session_longest
    );
    Ok(())
}

/// The settings of access.
///
/// # Errors
/// Where they are half settings.
pub fn access(config: &HttpConfig) -> Result<AccessSettings> {
    let access = &config.access;
    Ok(AccessSettings {
        unprotected: access.unprotected,
        proxies: Proxies {
            trusted: access.trusted_proxy.clone(),
            header: match access.forwarded_header {
                ForwardedHeaderName::XForwardedFor => ForwardedHeader::XForwardedFor,
                ForwardedHeaderName::Forwarded => ForwardedHeader::Forwarded,
            },
        },
        is_behind_proxy: is_behind_proxy(config),
        is_public_address_encrypted: is_public_address_encrypted(config),
        session_idle: TimeDelta::minutes(i64::from(access.session_idle)),
        session_longest: TimeDelta::minutes(i64::from(access.session_longest)),
        oidc: sign_in(&config.sign_in)?,
        ..AccessSettings::default()
    })
}

/// Whether others are to reach the service through a proxy.
pub fn is_behind_proxy(config: &HttpConfig) -> bool {
    !config.access.trusted_proxy.is_empty() || config.sign_in.public_url.is_some()
}

fn is_public_address_encrypted(config: &HttpConfig) -> bool {
    config.sign_in.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
}

/// What may be meant otherwise, in words.
pub fn doubt(config: &HttpConfig) -> Option<&'static str> {
    let is_told = config.tls.tls_cert.is_some() || !config.access.trusted_proxy.is_empty();
    (is_public_address_encrypted(config) && !is_told).then_some(
        "--public-url says that browsers come by https, and there is neither --tls-cert nor --trusted-proxy: a proxy \
         must be before the service that encrypts, where requests come from is not known behind it, and whoever comes \
         past it, by http, cannot stay signed in",
    )
}

fn sign_in(config: &SignInConfig) -> Result<Option<OidcSettings>> {
    let Some(issuer) = &config.oidc_issuer else {
        let is_set = config.oidc_client_id.is_some()
            || config.oidc_client_secret.is_some()
            || config.oidc_scopes.is_some()
            || config.oidc_groups_claim.is_some()
            || !config.oidc_read_groups.is_empty()
            || !config.oidc_operate_groups.is_empty();
        ensure!(!is_set, "half a sign-in is configured: --oidc-issuer is missing");
        return Ok(None);
    };
    let Some(client_id) = config.oidc_client_id.clone() else {
        bail!("half a sign-in is configured: --oidc-client-id is missing");
    };
    let Some(public_url) = config.public_url.clone() else {
        bail!("half a sign-in is configured: --public-url is missing, the address that people are sent back to");
    };
    ensure!(
        !config.oidc_read_groups.is_empty() || !config.oidc_operate_groups.is_empty(),
        "half a sign-in is configured: nobody could do anything; name groups with --oidc-read-groups or \
         --oidc-operate-groups"
    );
    for (name, url) in [("--oidc-issuer", issuer), ("--public-url", &public_url)] {
        ensure!(is_private(url), "{name} {url} is not https: who signs in could be listened to");
    }
    Ok(Some(OidcSettings {
        issuer: issuer.clone(),
        client_id,
        client_secret: config.oidc_client_secret.clone(),
        public_url,
        scopes: config.oidc_scopes.clone().unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]),
        groups_claim: config.oidc_groups_claim.clone().unwrap_or_else(|| "groups".to_owned()),
        read_groups: config.oidc_read_groups.clone(),
        operate_groups: config.oidc_operate_groups.clone(),
    }))
}

pub fn limits(config: &LimitsConfig, tls: &TlsConfig) -> Limits {
    // An encrypted one may be of HTTP/2, and is then held by who watches it, too.
    let files_each = if tls.tls_cert.is_some() { 2 } else { 1 };
    Limits {
        head_time_out: Duration::from_secs(config.head_time_out),
        body_time_out: Duration::from_secs(config.body_time_out),
        connections: connections_within(usize::try_from(config.max_connections).unwrap_or(usize::MAX), files_each),
        room: config.max_bytes_in_flight,
        ..Limits::default()
    }
}

pub fn tls(config: &TlsConfig) -> Option<TlsSettings> {
    let (certificate, key) = (config.tls_cert.clone()?, config.tls_key.clone()?);
    Some(TlsSettings { certificate, key, client_ca: config.tls_client_ca.clone() })
}

/// Whether the service may start at this address with what is set up; gives what to tell of it.
///
/// # Errors
/// Where others could reach it and nobody has been set up, or a sender's settings cannot be met.
pub fn safe_to_open(config: &HttpConfig, address: SocketAddr, state: &State) -> Result<String> {
    if let Some(fault) = state.faults().into_iter().next() {
        bail!("{fault}; set the sender up anew with `senders add --replace`");
    }
    for sender in state.senders.iter().filter(|sender| sender.enabled) {
        let certificate = sender.demands.as_ref().ok().and_then(|demands| demands.certificate.as_ref());
        if let Some(certificate) = certificate {
            ensure!(
                config.tls.tls_cert.is_some(),
                "the sender {} must show a client certificate, and the service speaks no TLS: give --tls-cert and \
                 --tls-key",
                sender.name
            );
            ensure!(
                certificate.names.is_empty() || config.tls.tls_client_ca.is_some(),
                "the sender {} must show a certificate with a name, and nobody is trusted to write names into \
                 certificates: give --tls-client-ca, or demand a fingerprint",
                sender.name
            );
        }
    }
    let is_set_up = state.is_set_up() || config.sign_in.oidc_issuer.is_some();
    if is_set_up {
        return Ok("Nobody gets in who does not show who they are.".to_owned());
    }
    if address.ip().is_loopback() && !is_behind_proxy(config) {
        return Ok("Nobody has been set up, so it is open to whoever is on this machine (see `senders` and `keys`)."
            .to_owned());
    }
    if config.access.unprotected {
        return Ok("IT IS OPEN TO WHOEVER REACHES IT: --unprotected, and nobody has been set up.".to_owned());
    }
    ensure!(
        !address.ip().is_loopback(),
        "--trusted-proxy and --public-url say that others reach the service through a proxy, and nobody has been set up: \
         whoever reaches the proxy could read every order and push events. Set somebody up first (`order-timeline senders \
         rotate bt-wholesale`, `order-timeline keys add NAME`), or leave these two out, or say --unprotected"
    );
    bail!(
        "--listen {address} can be reached from other machines, and nobody has been set up: whoever reaches the service \
         could read every order and push events. Set somebody up first (`order-timeline senders rotate bt-wholesale`, \
         `order-timeline keys add NAME`), or listen at 127.0.0.1, or say --unprotected"
    )
}
