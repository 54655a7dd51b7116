//! TLS by the service itself, and what client certificates are worth.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;

use order_timeline::http::TlsSettings;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sha2::{Digest, Sha256};

use crate::app::{TestApp, bearer, body};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// The same with a common name, until a year.
    fn issue_as(&self, names: &[&str], common: &str, until: i32) -> (String, String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, common);
        parameters.not_after = rcgen::date_time_ymd(until, 1, 1);
        self.sign(parameters)
    }

    /// A certificate and its key as PEM, and its fingerprint.
    fn issue(&self, names: &[&str]) -> (String, String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.sign(CertificateParams::new(names).unwrap())
    }

    fn sign(&self, parameters: CertificateParams) -> (String, String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let fingerprint = Sha256::digest(certificate.der()).iter().map(|byte| format!("{byte:02x}")).collect();
        (certificate.pem(), key.serialize_pem(), fingerprint)
    }
}

fn client(authority: &Authority, identity: Option<&(String, String, String)>) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(authority.0.pem().as_bytes()).unwrap();
    let builder = reqwest::Client::builder().tls_certs_only([root]).redirect(reqwest::redirect::Policy::none());
    let builder = match identity {
        Some((certificate, key, _)) => {
            builder.identity(reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

fn write(folder: &Path, (certificate, key, _): &(String, String, String)) -> TlsSettings {
    let (certificate_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate_file, certificate).unwrap();
    std::fs::write(&key_file, key).unwrap();
    TlsSettings { certificate: certificate_file, key: key_file, client_ca: None }
}

async fn deliver(client: &reqwest::Client, address: SocketAddr, token: &str) -> (u16, String) {
    let url = format!("https://localhost:{}/listener", address.port());
    let answer = client.post(url).header("Authorization", bearer(token)).body(body("02")).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json::<serde_json::Value>().await.unwrap()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_certificate_counts_by_its_name_or_its_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs, strangers) = (Authority::new("ours"), Authority::new("theirs"), Authority::new("strangers"));
    let named = theirs.issue(&["acme.example"]);
    let other = theirs.issue(&["bolt.example"]);
    let forged = strangers.issue(&["acme.example"]);
    let pinned = strangers.issue(&["whoever.example"]);
    let pin = format!("senders add pinned --bearer --certificate-fingerprint {}", pinned.2);
    let commands = ["senders add acme --bearer --certificate-name acme.example", &pin, "keys add reader"];
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, theirs.0.pem()).unwrap();
    let server = ours.issue(&["localhost"]);
    let settings = TlsSettings { client_ca: Some(ca), ..write(folder.path(), &server) };
    let (app, told) = TestApp::after(&commands, |app| app.tls = Some(settings)).await;
    let [acme, pinned_secret] = [&told[0], &told[1]].map(|told| told["secret"].as_str().unwrap());
    for (name, identity, secret, expected) in [
        ("its own", Some(&named), acme, (200, "")),
        ("none", None, acme, (401, "no-certificate")),
        ("another's", Some(&other), acme, (403, "wrong-certificate")),
        ("of nobody we trust", Some(&forged), acme, (403, "wrong-certificate")),
        ("pinned, whoever signed it", Some(&pinned), pinned_secret, (200, "")),
        ("not the pinned one", Some(&named), pinned_secret, (403, "wrong-certificate")),
        ("its own, with a wrong token", Some(&named), "x", (401, "wrong-credentials")),
    ] {
        let (status, code) = deliver(&client(&ours, identity), app.address, secret).await;
        assert_eq!((status, code.as_str()), expected, "{name}");
    }
    assert_eq!(app.database.rows("select from delivery").await.len(), 2);
    // Over TLS a cookie is for TLS alone.
    let form = format!("key={}", told[2]["key"].as_str().unwrap());
    let url = format!("https://localhost:{}/sign-in", app.address.port());
    let request = client(&ours, None).post(url).header("Sec-Fetch-Site", "same-origin").body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let answer = request.send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    app.stop().await;
}

#[tokio::test]
async fn a_changed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let settings = write(folder.path(), &first.issue(&["localhost"]));
    let app = TestApp::with(|app| app.tls = Some(settings)).await;
    let url = format!("https://localhost:{}/health/live", app.address.port());
    let reaches = async |authority: &Authority| client(authority, None).get(&url).send().await.is_ok();
    assert!(reaches(&first).await && !reaches(&second).await);
    std::fs::write(folder.path().join("cert.pem"), "broken").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert!(reaches(&first).await, "what works is kept");
    write(folder.path(), &second.issue(&["localhost"]));
    let mut tries = 0;
    while !reaches(&second).await {
        tries += 1;
        assert!(tries < 300, "the new certificate was never taken up");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    app.stop().await;
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, 0], payload].concat()
}

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;

/// Speaks HTTP/2, asks for nothing and answers pings, until the connection ends; gives how many it answered.
fn answer_pings(authority: &Authority, address: SocketAddr) -> usize {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = "localhost".try_into().unwrap();
    let session = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(session, std::net::TcpStream::connect(address).unwrap());
    stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, &[])].concat()).unwrap();
    for answered in 0.. {
        assert!(answered < 20, "it would go on for ever");
        let mut is_ping = false;
        while !is_ping {
            let mut head = [0; 9];
            if stream.read_exact(&mut head).is_err() {
                return answered;
            }
            let mut payload = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
            stream.read_exact(&mut payload).unwrap();
            is_ping = head[3] == PING && head[4] & ACK == 0;
            let reply = match head[3] {
                PING if is_ping => frame(PING, ACK, &payload),
                SETTINGS if head[4] & ACK == 0 => frame(SETTINGS, ACK, &[]),
                _ => continue,
            };
            if stream.write_all(&reply).is_err() {
                return answered;
            }
        }
    }
    unreachable!()
}

#[tokio::test]
async fn whoever_asks_for_nothing_does_not_keep_a_connection_of_http_2_by_answering_pings() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("authority");
    let settings = write(folder.path(), &authority.issue(&["localhost"]));
    let app = TestApp::with(|app| {
        app.tls = Some(settings);
        app.limits.idle = std::time::Duration::from_secs(8);
    })
    .await;
    let address = app.address;
    let answered = tokio::task::spawn_blocking(move || answer_pings(&authority, address)).await.unwrap();
    assert!(answered > 0, "it was ended for being idle, not for silence");
    app.stop().await;
}

/// Of a sender that shows nothing but its certificate.
#[tokio::test]
async fn a_certificate_alone_is_judged_by_its_time_and_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let named = theirs.issue(&["acme.example"]);
    let other = theirs.issue(&["bolt.example"]);
    let common = theirs.issue_as(&["bolt.example"], "acme.example", 2100);
    let common_alone = theirs.issue_as(&[], "acme.example", 2100);
    let expired = theirs.issue_as(&["old.example"], "old", 2020);
    let expired_named = theirs.issue_as(&["acme.example"], "old", 2020);
    let pin = format!("senders add pinned --certificate-fingerprint {}", expired.2);
    let commands = ["senders add acme --certificate-name ACME.Example", &pin, "keys add reader"];
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, theirs.0.pem()).unwrap();
    let settings = TlsSettings { client_ca: Some(ca), ..write(folder.path(), &ours.issue(&["localhost"])) };
    let (app, _) = TestApp::after(&commands, |app| app.tls = Some(settings)).await;
    let url = format!("https://localhost:{}/listener", app.address.port());
    for (name, identity, expected) in [
        ("its own", Some(&named), (200, "")),
        ("of its common name, having no other", Some(&common_alone), (200, "")),
        ("of its common name, having others", Some(&common), (403, "wrong-certificate")),
        ("another's", Some(&other), (403, "wrong-certificate")),
        ("pinned, and expired", Some(&expired), (403, "certificate-time")),
        ("of its name, and expired", Some(&expired_named), (403, "wrong-certificate")),
        ("none", None, (401, "no-credentials")),
    ] {
        let answer = client(&ours, identity).post(&url).body(body("02")).send().await.unwrap();
        let status = answer.status().as_u16();
        let answer = answer.json::<serde_json::Value>().await.unwrap();
        assert_eq!((status, answer["code"].as_str().unwrap_or_default()), expected, "{name}: {answer}");
    }
    app.stop().await;
}
