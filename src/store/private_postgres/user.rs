use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Result as IoResult;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, geteuid};

use super::error::PrivatePostgresError;
use super::layout::Layout;

/// As whom the server and its tools run.
#[derive(Debug)]
pub(super) struct ServerUser {
    pub name: String,
    pub uid: u32,
    /// The group to switch to along with the user; `None` when we run as that user already.
    switch_to_gid: Option<u32>,
}

/// Ourselves, unless we are root: then the owner of the cluster that is there, else `postgres`,
/// else `nobody`.
pub(super) fn choose(layout: &Layout) -> Result<ServerUser, PrivatePostgresError> {
    let owner = fs::metadata(&layout.cluster).ok();
    let ourselves = geteuid();
    if !ourselves.is_root() {
        let user = ServerUser { name: name_of(ourselves.as_raw()), uid: ourselves.as_raw(), switch_to_gid: None };
        return match owner.map(|owner| owner.uid()) {
            Some(owner) if owner != user.uid => Err(PrivatePostgresError::OtherOwner {
                cluster: layout.cluster.clone(),
                owner: name_of(owner),
                user: user.name,
            }),
            _ => Ok(user),
        };
    }
    if let Some(owner) = owner.filter(|owner| owner.uid() != 0) {
        return Ok(ServerUser { name: name_of(owner.uid()), uid: owner.uid(), switch_to_gid: Some(owner.gid()) });
    }
    for name in ["postgres", "nobody"] {
        let user =
            User::from_name(name).map_err(|error| PrivatePostgresError::NoUser { source: Some(error.into()) })?;
        if let Some(user) = user {
            return Ok(ServerUser { name: user.name, uid: user.uid.as_raw(), switch_to_gid: Some(user.gid.as_raw()) });
        }
    }
    Err(PrivatePostgresError::NoUser { source: None })
}

impl ServerUser {
    /// Makes the command run as this user, in a directory that everybody can enter: ours may be
    /// closed to it. Of our environment it gets what programs are found and times and texts are told by: the rest
    /// holds secrets, which whoever this user is could read.
    pub fn run(&self, mut command: Command) -> Command {
        command.current_dir("/");
        let own: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let is_passed_on = |name: &OsStr| {
            ["PATH", "LANG", "TZ"].iter().any(|passed| name == *passed) || name.as_bytes().starts_with(b"LC_")
        };
        command.env_clear().envs(env::vars_os().filter(|(name, _)| is_passed_on(name))).envs(own);
        if let Some(gid) = self.switch_to_gid {
            command.uid(self.uid).gid(gid);
        }
        command
    }

    /// Hands over what we made for this user; never what a symbolic link points to.
    pub fn give(&self, path: &Path) -> IoResult<()> {
        match self.switch_to_gid {
            Some(gid) => lchown(path, Some(self.uid), Some(gid)),
            None => Ok(()),
        }
    }
}

/// Asks the system, as the user, whether it can enter the directory, and names the uppermost one it
/// cannot: mode bits alone would overlook access lists and the rules of security modules.
pub(super) fn check_reach(user: &ServerUser, directory: &Path, layout: &Layout) -> Result<(), PrivatePostgresError> {
    let mut way: Vec<&Path> = directory.ancestors().collect();
    way.reverse();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"for d; do test -x "$d" || { printf %s "$d"; exit; }; done"#, "sh"]).args(way);
    let output =
        user.run(command).output().map_err(|source| PrivatePostgresError::Run { program: "/bin/sh".into(), source })?;
    if output.stdout.is_empty() {
        return Ok(());
    }
    Err(PrivatePostgresError::Unreachable {
        directory: OsString::from_vec(output.stdout).into(),
        user: user.name.clone(),
        data_dir: layout.data_dir.clone(),
    })
}

fn name_of(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name)
}
