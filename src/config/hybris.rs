//! The Hybris front door and the billing systems behind it.

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Url;

use crate::hybris::{JmSystem, System};

/// The Hybris front door. Where a market's billing system has no address, a simulator answers as the
/// document's examples do.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Hybris front door")]
pub struct HybrisConfig {
    /// Where the API begins: POST {base path}/{businessId}/productOrder.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BASE_PATH", value_name = "PATH", default_value = "/hybris",
          value_parser = base_path)]
    pub hybris_base_path: String,
    /// Puerto Rico's billing system: the full address of its productOrder resource, http or https. Without it
    /// the simulator answers.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_PR", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_pr: Option<Url>,
    /// Jamaica's billing system; of two that for Liberate.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_JM", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_jm: Option<Url>,
    /// Jamaica's billing system for Cerillion, where it has an address of its own.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_JM_CERILLION", hide_env_values = true, value_name = "URL",
          value_parser = address)]
    pub hybris_bss_jm_cerillion: Option<Url>,
    /// Panama's billing system.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_BSS_PA", hide_env_values = true, value_name = "URL", value_parser = address)]
    pub hybris_bss_pa: Option<Url>,
    /// Which of Jamaica's billing systems an order goes to.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_JM", value_name = "SYSTEM", default_value = "auto")]
    pub hybris_jm: HybrisJm,
    /// Seconds that a billing system may take to answer.
    #[arg(long, env = "ORDER_TIMELINE_HYBRIS_TIME_OUT", value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub hybris_time_out: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HybrisJm {
    /// By the body: Cerillion's has a discountGroupCode.
    Auto,
    Liberate,
    Cerillion,
}

impl HybrisJm {
    pub fn system(self) -> Option<JmSystem> {
        match self {
            Self::Auto => None,
            Self::Liberate => Some(JmSystem::Liberate),
            Self::Cerillion => Some(JmSystem::Cerillion),
        }
    }
}

impl HybrisConfig {
    /// The address of a billing system; without one it is simulated.
    pub fn address(&self, system: System) -> Option<&Url> {
        match system {
            System::Pr => self.hybris_bss_pr.as_ref(),
            System::JmLiberate => self.hybris_bss_jm.as_ref(),
            System::JmCerillion => self.hybris_bss_jm_cerillion.as_ref().or(self.hybris_bss_jm.as_ref()),
            System::Pa => self.hybris_bss_pa.as_ref(),
        }
    }
}

#[derive(Clone, Debug, Subcommand)]
pub enum HybrisCommand {
    /// The orders that a billing system may or may not have placed: sent, and without an answer that tells.
    /// Somebody has to look there; this service will not send them again.
    Unsettled {
        /// How many at most.
        #[arg(long, env = "ORDER_TIMELINE_LIMIT", default_value_t = 50)]
        limit: u16,
    },
}

fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(c));
    if !path.starts_with('/') || !is_plain || path.contains("//") {
        return Err("is no base path; write it like /hybris".to_owned());
    }
    Ok(path.to_owned())
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err("is no address of a billing system; write it like https://bss.example/productOrder".to_owned());
    }
    Ok(url)
}
