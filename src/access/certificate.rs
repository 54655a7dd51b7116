//! Client certificates: what of one is compared.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::demand::CertificateDemand;

/// The certificate that a client showed, and proved with its private key to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of it, in hexadecimal digits.
    pub fingerprint: String,
    /// What it calls its owner; nothing where nobody we trust has signed it.
    names: Names,
    /// From when until when it is valid, in seconds since 1970; never where that cannot be read.
    valid: Option<(i64, i64)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// Those of hosts, which are compared without case: DNS names, or else the common name.
    hosts: Vec<String>,
    /// URIs and e-mail addresses, compared letter by letter.
    others: Vec<String>,
}

impl PeerCertificate {
    /// Reads a certificate. `is_trusted` says that its chain ends at an authority of `--tls-client-ca`; the names
    /// of any other are whatever its maker wrote.
    pub fn read(der: &[u8], is_trusted: bool) -> Self {
        let digest = Sha256::digest(der);
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Self { fingerprint, names: Names::default(), valid: None };
        };
        let valid = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
        let names = if is_trusted { Names::of(&certificate) } else { Names::default() };
        Self { fingerprint, names, valid: Some(valid) }
    }

    /// Whether it is one of those that are demanded, valid or not.
    pub fn meets(&self, demand: &CertificateDemand) -> bool {
        let is_pinned = demand.fingerprints.iter().any(|pinned| pinned.eq_ignore_ascii_case(&self.fingerprint));
        let is_named = |name: &String| {
            self.names.hosts.iter().any(|host| host.eq_ignore_ascii_case(name)) || self.names.others.contains(name)
        };
        is_pinned || demand.names.iter().any(is_named)
    }

    /// Whether it is valid at a time.
    pub fn is_valid(&self, at: DateTime<Utc>) -> bool {
        self.valid.is_some_and(|(from, until)| (from..=until).contains(&at.timestamp()))
    }
}

impl Names {
    /// The subject's common name counts only where there are no alternative names (RFC 9525 §2, RFC 6125 §6.4.4).
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self::default();
        match certificate.subject_alternative_name() {
            Ok(Some(alternative)) => {
                for name in &alternative.value.general_names {
                    match name {
                        GeneralName::DNSName(name) => names.hosts.push((*name).to_owned()),
                        GeneralName::URI(name) | GeneralName::RFC822Name(name) => names.others.push((*name).to_owned()),
                        _ => {}
                    }
                }
            }
            Ok(None) => {
                let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
                names.hosts.extend(common.map(str::to_owned));
            }
            // What cannot be read names nobody.
            Err(_) => {}
        }
        names
    }
}
