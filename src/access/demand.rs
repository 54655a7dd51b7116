//! What a sender's deliveries must show.
//!
//! The ways that use the header `Authorization` are alternatives, since a request has one such header: any one of
//! those demanded will do (so a sender can be moved from one to the other). Every other demand has to be met as
//! well. A setting that this program does not know, or half a one, is an error: it is never passed over.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// All demands on a sender.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Demands {
    /// A token of our own, got with client credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OAuthDemand>,
    /// HTTP Basic: the sender's name, and its password.
    #[serde(default, skip_serializing_if = "is_false")]
    pub basic: bool,
    /// A fixed bearer token.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bearer: bool,
    /// A token of an outside issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<IssuerDemand>,
    /// A signature of Standard Webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookDemand>,
    /// A client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateDemand>,
    /// An address in one of these ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OAuthDemand {
    /// How long a token is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_seconds: Option<u32>,
    /// The audience of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// Longest life of a token of ours; a signing key is kept for so long after its last use.
pub const LONGEST_TOKEN_SECONDS: u32 = 24 * 60 * 60;
const TOKEN_SECONDS: u32 = 60 * 60;
const AUDIENCE: &str = "order-timeline";

impl OAuthDemand {
    pub fn seconds(&self) -> u32 {
        self.token_seconds.unwrap_or(TOKEN_SECONDS)
    }

    pub fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(AUDIENCE)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IssuerDemand {
    /// The `iss` of its tokens; its keys are found through its discovery document.
    pub issuer: String,
    /// Where its keys are, if not where its discovery document says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Url>,
    pub audience: String,
    /// Claims that say that it is this sender: others may have tokens of the same issuer for us.
    pub claims: BTreeMap<String, String>,
    /// Signature algorithms; asymmetric ones only.
    #[serde(default = "usual_algorithms")]
    pub algorithms: Vec<Algorithm>,
}

pub fn usual_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebhookDemand {
    /// How far its timestamp may be from our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<u32>,
}

impl WebhookDemand {
    pub fn tolerance(&self) -> i64 {
        i64::from(self.tolerance_seconds.unwrap_or(5 * 60))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateDemand {
    /// SHA-256 of the certificate, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<String>,
    /// Names in it: an alternative name (DNS, URI, e-mail) or the subject's common name. They count only in
    /// certificates of `--tls-client-ca`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// A way that a sender has a secret for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    OAuth,
    Basic,
    Bearer,
    Webhook,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::OAuth, Self::Basic, Self::Bearer, Self::Webhook];

    pub fn name(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::Webhook => "webhook",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// What its secrets begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::OAuth => "ots_",
            Self::Basic => "otp_",
            Self::Bearer => "ott_",
            Self::Webhook => super::secret::WEBHOOK_PREFIX,
        }
    }
}

impl Demands {
    /// The ways that need a secret.
    pub fn ways(&self) -> Vec<Way> {
        let wanted = |way: &Way| match way {
            Way::OAuth => self.oauth.is_some(),
            Way::Basic => self.basic,
            Way::Bearer => self.bearer,
            Way::Webhook => self.webhook.is_some(),
        };
        Way::ALL.into_iter().filter(wanted).collect()
    }

    /// Whether something is wanted in the header `Authorization`.
    pub fn wants_authorization(&self) -> bool {
        self.oauth.is_some() || self.basic || self.bearer || self.issuer.is_some()
    }

    /// # Errors
    /// What is missing or cannot be.
    pub fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("nothing is demanded: whoever reaches the listener could post as this sender".to_owned());
        }
        if let Some(oauth) = &self.oauth
            && !(60..=LONGEST_TOKEN_SECONDS).contains(&oauth.seconds())
        {
            return Err(format!("a token lives from 60 to {LONGEST_TOKEN_SECONDS} seconds"));
        }
        if let Some(webhook) = &self.webhook
            && !(1..=3600).contains(&webhook.tolerance())
        {
            return Err("the tolerance of a webhook's time is from 1 to 3600 seconds".to_owned());
        }
        if let Some(issuer) = &self.issuer {
            issuer.check()?;
        }
        if let Some(certificate) = &self.certificate {
            if certificate.fingerprints.is_empty() && certificate.names.is_empty() {
                return Err("a certificate is demanded, but none is named".to_owned());
            }
            let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if let Some(wrong) = certificate.fingerprints.iter().find(|text| !is_hash(text)) {
                return Err(format!("“{wrong}” is no fingerprint: SHA-256 has 64 hexadecimal digits"));
            }
        }
        Ok(())
    }
}

impl IssuerDemand {
    fn check(&self) -> Result<(), String> {
        let issuer = Url::parse(&self.issuer).map_err(|cause| format!("the issuer is no address: {cause}"))?;
        for url in std::iter::once(&issuer).chain(&self.jwks) {
            if !is_private(url) {
                return Err(format!("{url} is not https: its keys could be exchanged on the way"));
            }
        }
        if self.audience.is_empty() {
            return Err("an issuer needs --audience: its tokens for others must not be good for us".to_owned());
        }
        if self.claims.is_empty() {
            return Err("an issuer needs --claim, such as sub=…: which of its clients this sender is".to_owned());
        }
        let symmetric =
            |algorithm: &&Algorithm| matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
        if self.algorithms.is_empty() || self.algorithms.iter().find(symmetric).is_some() {
            return Err("an issuer's algorithms are asymmetric: RS256, PS256, ES256, ES384, EdDSA …".to_owned());
        }
        Ok(())
    }
}

/// Encrypted, or within this machine.
pub fn is_private(url: &Url) -> bool {
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

impl fmt::Display for Demands {
    /// In words, without secrets, for `senders list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(oauth) = &self.oauth {
            words.push(format!("OAuth client credentials (tokens of {} s)", oauth.seconds()));
        }
        if self.basic {
            words.push("HTTP Basic".to_owned());
        }
        if self.bearer {
            words.push("a fixed bearer token".to_owned());
        }
        if let Some(issuer) = &self.issuer {
            let claims: Vec<String> = issuer.claims.iter().map(|(name, value)| format!("{name}={value}")).collect();
            words.push(format!("a token of {} for {} with {}", issuer.issuer, issuer.audience, claims.join(", ")));
        }
        let mut told = words.join(" or ");
        let mut also = Vec::new();
        if let Some(webhook) = &self.webhook {
            also.push(format!("a webhook signature (within {} s)", webhook.tolerance()));
        }
        if let Some(certificate) = &self.certificate {
            let which = certificate.names.iter().chain(&certificate.fingerprints).cloned().collect::<Vec<_>>();
            also.push(format!("a client certificate ({})", which.join(" or ")));
        }
        if !self.addresses.is_empty() {
            let ranges: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
            also.push(format!("an address in {}", ranges.join(" or ")));
        }
        for part in also {
            told.push_str(if told.is_empty() { "" } else { ", and " });
            told.push_str(&part);
        }
        f.write_str(&told)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::Demands;

    #[test]
    fn what_is_unknown_or_half_is_an_error() {
        let read = |text: &str| -> Result<(), String> {
            let demands: Demands = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
            demands.check()
        };
        for (text, wrong) in [
            (r"{}", "nothing is demanded"),
            (r#"{"oauht": {}}"#, "unknown field"),
            (r#"{"oauth": {"lifetime": 7}}"#, "unknown field"),
            (r#"{"oauth": {"tokenSeconds": 7}}"#, "from 60"),
            (r#"{"webhook": {"toleranceSeconds": 0}}"#, "tolerance"),
            (r#"{"certificate": {}}"#, "none is named"),
            (r#"{"certificate": {"fingerprints": ["ab"]}}"#, "64 hexadecimal"),
            (r#"{"addresses": ["10.0.0.0/99"]}"#, "invalid"),
            (r#"{"issuer": {"issuer": "https://a.example", "audience": "x"}}"#, "claims"),
            (r#"{"issuer": {"issuer": "https://a.example", "audience": "x", "claims": {}}}"#, "--claim"),
            (r#"{"issuer": {"issuer": "http://a.example", "audience": "x", "claims": {"sub": "y"}}}"#, "not https"),
            (
                r#"{"issuer": {"issuer": "https://a.example", "audience": "x", "claims": {"sub": "y"}, "algorithms": ["HS256"]}}"#,
                "asymmetric",
            ),
            (
                r#"{"issuer": {"issuer": "https://a.example", "audience": "x", "claims": {"sub": "y"}, "algorithms": ["none"]}}"#,
                "unknown variant",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(wrong), "{text}: {told}");
        }
        assert_eq!(read(r#"{"oauth": {}, "addresses": ["10.0.0.0/8"]}"#), Ok(()));
    }
}
