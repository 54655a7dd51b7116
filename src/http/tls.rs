//! TLS by rustls: the certificate, read again when it changes, and the certificates that clients show.

use std::any::Any;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use tracing::{info, warn};

use crate::access::PeerCertificate;

/// The files.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose client certificates are believed what they say of names.
    pub client_ca: Option<PathBuf>,
}

/// So often the files are looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// What the server needs of it.
#[derive(Clone, Debug)]
pub struct Tls {
    pub config: Arc<ServerConfig>,
    authorities: Option<Arc<dyn ClientCertVerifier>>,
    identity: Arc<Identity>,
    settings: TlsSettings,
}

impl Tls {
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn new(settings: &TlsSettings) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let identity = Arc::new(Identity(RwLock::new(Arc::new(read(settings, &provider)?))));
        let authorities = match &settings.client_ca {
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    roots.add(certificate).map_err(|cause| format!("{}: {cause}", file.display()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
                Some(verifier.build().map_err(|cause| format!("{}: {cause}", file.display()))?)
            }
            None => None,
        };
        let any = Arc::new(AnyClient { provider: Arc::clone(&provider), authorities: authorities.clone() });
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|cause| cause.to_string())?;
        let certified: Arc<dyn ResolvesServerCert> = Arc::<Identity>::clone(&identity);
        let config = builder.with_client_cert_verifier(any).with_cert_resolver(certified);
        Ok(Self { config: Arc::new(config), authorities, identity, settings: settings.clone() })
    }

    /// Reads the certificate again whenever its files change. Files that cannot be used change nothing.
    pub async fn keep_up_to_date(self) {
        let mut seen = changed(&self.settings);
        loop {
            tokio::time::sleep(LOOKED_AT_EVERY).await;
            let now = changed(&self.settings);
            if now == seen {
                continue;
            }
            seen = now;
            match self.read_again() {
                Ok(()) => info!("the TLS certificate was read again"),
                Err(cause) => warn!(cause, "the changed TLS certificate cannot be used; the former one stays"),
            }
        }
    }

    /// # Errors
    /// Which file cannot be used, and why; the former certificate stays.
    pub fn read_again(&self) -> Result<(), String> {
        let key = read(&self.settings, self.config.crypto_provider())?;
        *self.identity.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        Ok(())
    }

    /// Notes with a connection which certificate its client has shown.
    pub fn note(&self, connection: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
        let Some([own, above @ ..]) = stream.get_ref().1.peer_certificates() else { return };
        let is_trusted = self
            .authorities
            .as_ref()
            .is_some_and(|authorities| authorities.verify_client_cert(own, above, UnixTime::now()).is_ok());
        extensions.insert(Arc::new(PeerCertificate::read(own, is_trusted)));
    }
}

fn changed(settings: &TlsSettings) -> [Option<SystemTime>; 2] {
    let changed = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    [changed(&settings.certificate), changed(&settings.key)]
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let told = |cause: rustls::pki_types::pem::Error| format!("{} cannot be read: {cause}", file.display());
    let all = CertificateDer::pem_file_iter(file).map_err(told)?.collect::<Result<Vec<_>, _>>().map_err(told)?;
    if all.is_empty() { Err(format!("{} holds no certificate", file.display())) } else { Ok(all) }
}

fn read(settings: &TlsSettings, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let chain = certificates(&settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|cause| format!("{} cannot be read: {cause}", settings.key.display()))?;
    let told = |cause| {
        format!("{} and {} do not fit together: {cause}", settings.certificate.display(), settings.key.display())
    };
    CertifiedKey::from_der(chain, key, provider).map_err(told)
}

/// The certificate that the service shows now.
#[derive(Debug)]
struct Identity(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Takes any client's certificate, or none, as long as the client proves that it has the private key. What it is
/// worth is judged with the sender's demands: most clients have none, and some show one that is pinned.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    authorities: Option<Arc<dyn ClientCertVerifier>>,
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.authorities.as_ref().map_or(&[], |authorities| authorities.root_hint_subjects())
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
