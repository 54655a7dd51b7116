use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::download;
use super::error::PrivatePostgresError;
use super::layout::Layout;

/// A directory with the programs of one PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    pub bin_dir: PathBuf,
    pub major: u32,
}

/// What the product's SQL needs.
const OLDEST_MAJOR: u32 = 15;

/// Finds the machine's own PostgreSQL, else downloads one. A cluster that exists decides which
/// major version it has to be.
pub(super) async fn find(layout: &Layout) -> Result<Programs, PrivatePostgresError> {
    find_in(candidates(layout), layout).await
}

/// The programs that are on this machine, best first.
pub(super) fn installed(layout: &Layout) -> Vec<Programs> {
    candidates(layout).iter().filter_map(|directory| programs_in(directory)).collect()
}

async fn find_in(directories: Vec<PathBuf>, layout: &Layout) -> Result<Programs, PrivatePostgresError> {
    let needed = layout.major_version()?;
    let mut others = Vec::new();
    // One at a time: asking a directory costs starting a process, and the first is mostly the one.
    for directory in directories {
        match (programs_in(&directory), needed) {
            (Some(programs), Some(needed)) if programs.major != needed => others.push(programs),
            (Some(programs), _) => return Ok(programs),
            (None, _) => {}
        }
    }
    match needed {
        Some(needed) if !others.is_empty() => {
            Err(PrivatePostgresError::OtherMajor { cluster: layout.cluster.clone(), needed, found: describe(&others) })
        }
        _ => {
            let bin_dir = download::download(&layout.binaries, needed).await?;
            programs_in(&bin_dir).ok_or_else(|| PrivatePostgresError::NoPrograms {
                binaries: layout.binaries.clone(),
                source: format!("the programs downloaded into {} do not run here", bin_dir.display()).into(),
            })
        }
    }
}

/// Where PostgreSQL's programs may be: the way its own tools tell it, the packagers' directories,
/// the search path, and what we downloaded once.
fn candidates(layout: &Layout) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = told_by_pg_config().into_iter().collect();
    directories.extend(versioned(Path::new("/usr/lib/postgresql"), ""));
    directories.extend(versioned(Path::new("/usr"), "pgsql-"));
    directories.extend(versioned(Path::new("/opt/homebrew/opt"), "postgresql@"));
    directories.extend(versioned(Path::new("/usr/local/opt"), "postgresql@"));
    directories.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    directories.extend(versioned(&layout.binaries, ""));
    directories
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|directory| directory.is_absolute())
}

/// The `bin` directories of the versions side by side in one directory, newest first.
fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?;
            let parts: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
            Some((parts?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, directory)| directory).collect()
}

/// The programs in a directory, if all are there and new enough. Debian's `/usr/bin` has `psql` and
/// `pg_config` but no server.
fn programs_in(directory: &Path) -> Option<Programs> {
    if !["initdb", "pg_ctl", "postgres"].iter().all(|program| directory.join(program).is_file()) {
        return None;
    }
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let major = major_of(&String::from_utf8(output.stdout).ok()?)?;
    (major >= OLDEST_MAJOR).then(|| Programs { bin_dir: directory.to_owned(), major })
}

/// Reads what `postgres --version` prints, such as `postgres (PostgreSQL) 15.14 (Debian
/// 15.14-0+deb12u1)` or `… 19beta1`.
fn major_of(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let end = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    version.get(..end)?.parse().ok()
}

fn describe(programs: &[Programs]) -> String {
    let each: Vec<String> =
        programs.iter().map(|found| format!("PostgreSQL {} in {}", found.major, found.bin_dir.display())).collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Programs that know nothing but their version.
    fn pretend_programs(directory: &Path, version: &str) {
        fs::create_dir_all(directory).unwrap();
        for name in ["initdb", "pg_ctl", "postgres"] {
            let program = directory.join(name);
            fs::write(&program, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn empty_layout(directory: &tempfile::TempDir) -> Layout {
        Layout::of_existing(directory.path()).unwrap()
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_of("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(major_of("something else"), None);
    }

    #[test]
    fn versions_are_ordered_by_number_and_not_by_text() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "100", "common"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let expected: Vec<PathBuf> =
            ["100", "15", "9.6"].iter().map(|name| directory.path().join(name).join("bin")).collect();
        assert_eq!(versioned(directory.path(), ""), expected);
    }

    #[test]
    fn a_directory_counts_only_with_all_programs_of_a_new_enough_version() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("14"), directory.path().join("17"));
        pretend_programs(&old, "14.3");
        pretend_programs(&new, "17.2");
        assert_eq!(programs_in(&old), None);
        assert_eq!(programs_in(&new).map(|programs| programs.major), Some(17));
        fs::remove_file(new.join("initdb")).unwrap();
        assert_eq!(programs_in(&new), None);
    }

    #[tokio::test]
    async fn a_cluster_of_another_major_version_is_explained() {
        let directory = tempfile::tempdir().unwrap();
        let layout = empty_layout(&directory);
        super::super::layout::prepare_home(&layout).unwrap();
        fs::create_dir(&layout.cluster).unwrap();
        fs::write(layout.cluster.join("PG_VERSION"), "16\n").unwrap();
        let programs = directory.path().join("17");
        pretend_programs(&programs, "17.2");
        let message = find_in(vec![programs], &layout).await.unwrap_err().to_string();
        assert!(message.contains("made by PostgreSQL 16") && message.contains("only PostgreSQL 17 in"), "{message}");
    }
}
