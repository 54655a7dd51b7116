//! Variables that look like settings and are none: a slip of the pen would leave a limit, or a lock, at its default.

use std::collections::BTreeSet;
use std::env;

use clap::CommandFactory;

use super::Config;

const PREFIX: &str = "ORDER_TIMELINE_";

/// For the project's own tests and measurements.
const OTHERS: [&str; 5] = ["TRIAL", "DISK_TESTS", "BROWSER_TESTS", "TEST_", "BENCH_"];

/// # Errors
/// Names a variable that no setting reads, and the setting's that is most like it.
pub fn check_environment() -> Result<(), String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    check(names.filter(|name| name.starts_with(PREFIX)))
}

fn check(mut names: impl Iterator<Item = String>) -> Result<(), String> {
    let known = known();
    let is_known = |name: &str| {
        let rest = name.strip_prefix(PREFIX).unwrap_or(name);
        known.contains(name) || OTHERS.iter().any(|other| rest.starts_with(other)) || is_of_a_service(name)
    };
    let Some(unknown) = names.find(|name| !is_known(name)) else { return Ok(()) };
    let nearest = known.iter().min_by_key(|known| distance(known, &unknown));
    let nearest = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
    Err(format!("the environment has {unknown}, which is no setting{nearest}"))
}

/// What Kubernetes and Docker tell of services that are named like this program: nobody has written it there.
fn is_of_a_service(name: &str) -> bool {
    name.ends_with("_PORT") || ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part))
}

fn known() -> BTreeSet<String> {
    fn collect(command: &clap::Command, known: &mut BTreeSet<String>) {
        let names = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        known.extend(names.map(str::to_owned));
        command.get_subcommands().for_each(|command| collect(command, known));
    }
    let mut known = BTreeSet::new();
    collect(&Config::command(), &mut known);
    known
}

/// In how many letters two names differ: put in, left out or other ones (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (line, line + 1);
        for (above, counterpart) in row.iter_mut().skip(1).zip(other.bytes()) {
            let changed = diagonal + usize::from(letter != counterpart);
            diagonal = *above;
            left = changed.min(left + 1).min(diagonal + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{check, distance};

    #[test]
    fn a_variable_that_no_setting_reads_is_told_with_the_nearest() {
        let told = |name: &str| check(std::iter::once(name.to_owned()));
        assert_eq!(told("ORDER_TIMELINE_SPOOL"), Ok(()));
        assert_eq!(told("ORDER_TIMELINE_BROWSER_TESTS"), Ok(()));
        for name in ["SERVICE_HOST", "PORT", "PORT_8622_TCP_ADDR", "DB_SERVICE_PORT_POSTGRES"] {
            assert_eq!(told(&format!("ORDER_TIMELINE_{name}")), Ok(()), "of Kubernetes");
        }
        let slip = told("ORDER_TIMELINE_MAX_BODYBYTES").unwrap_err();
        assert!(slip.ends_with("did you mean ORDER_TIMELINE_MAX_BODY_BYTES?"), "{slip}");
    }

    #[test]
    fn names_differ_by_letters() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "abc")), (3, 3, 0));
    }
}
