//! The spool's settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::spool::SpoolSettings;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Spool")]
pub struct SpoolConfig {
    /// Where deliveries wait while the database cannot take them, so that their senders do not notice: a directory
    /// on a disk of this machine, for this service alone. Without it they are answered 503.
    #[arg(long, env = "ORDER_TIMELINE_SPOOL", value_name = "DIR")]
    pub spool: Option<PathBuf>,
    /// Room that the spool may take, such as 512MiB or 4GiB. When it is full, deliveries are answered 503.
    #[arg(long, env = "ORDER_TIMELINE_SPOOL_MAX", value_name = "SIZE", default_value = "1GiB", value_parser = size,
          requires = "spool")]
    pub spool_max: u64,
    /// Seconds that a delivery waits for the database before it goes into the spool; some senders do not wait longer
    /// either.
    #[arg(long, env = "ORDER_TIMELINE_SPOOL_AFTER", value_name = "SECONDS", default_value = "3",
          requires = "spool", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub spool_after: u64,
}

impl SpoolConfig {
    /// The spool that is asked for, if any.
    pub fn settings(&self) -> Option<SpoolSettings> {
        let directory = self.spool.clone()?;
        let patience = Duration::from_secs(self.spool_after);
        Some(SpoolSettings { directory, max_bytes: self.spool_max, patience })
    }
}

/// Bytes, as people write them.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "is no size; write it like 512MiB or 4GiB".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim();
    let unit: u64 = match text.trim_start_matches(digits).trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
    if bytes < 1 << 20 { Err("is less than 1MiB; nothing would fit".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("4 GiB"), Ok(4 << 30));
        assert_eq!(size("2097152"), Ok(2 << 20));
        for wrong in ["", "GiB", "1.5GiB", "-1", "4XB", "1023", "99999999999999999TiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
