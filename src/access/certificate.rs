//! Client certificates: what of one is compared.

use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::demand::CertificateDemand;

/// The certificate that a client showed, and proved with its private key to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of it, in hexadecimal digits.
    pub fingerprint: String,
    /// Its alternative names and its common name; none where nobody we trust has signed it.
    pub names: Vec<String>,
}

impl PeerCertificate {
    /// Reads a certificate. `is_trusted` says that its chain ends at an authority of `--tls-client-ca`; the names
    /// of any other are whatever its maker wrote.
    pub fn read(der: &[u8], is_trusted: bool) -> Self {
        let digest = Sha256::digest(der);
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { fingerprint, names: if is_trusted { names(der) } else { Vec::new() } }
    }

    pub fn meets(&self, demand: &CertificateDemand) -> bool {
        let is_pinned = demand.fingerprints.iter().any(|pinned| pinned.eq_ignore_ascii_case(&self.fingerprint));
        is_pinned || demand.names.iter().any(|name| self.names.contains(name))
    }
}

fn names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let mut names = Vec::new();
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
                    names.push((*name).to_owned());
                }
                _ => {}
            }
        }
    }
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok().map(str::to_owned));
    names.extend(common);
    names
}
