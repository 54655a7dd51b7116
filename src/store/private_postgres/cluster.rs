use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use postgresql_commands::CommandBuilder;
use postgresql_commands::initdb::InitDbBuilder;
use sqlx::PgConnection;

use super::Durability;
use super::error::{PrivatePostgresError, io};
use super::layout::{Layout, create_private_dir, remove_tree};
use super::programs::Programs;
use super::user::ServerUser;

pub(super) const SUPERUSER: &str = "order_timeline";
pub(super) const DATABASE: &str = "order_timeline";

const STAGING: &str = "data.new-";

/// Makes the cluster aside and moves it to its place when it is complete, so that a run which dies
/// half-way leaves nothing that looks like a cluster.
pub(super) async fn initialise(
    layout: &Layout,
    programs: &Programs,
    user: &ServerUser,
    durability: Durability,
) -> Result<(), PrivatePostgresError> {
    remove_abandoned(&layout.home).await?;
    // A name of its own each time: the initdb of a run that was killed a moment ago may still be
    // writing into the former one.
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let staging = layout.home.join(format!("{STAGING}{moment}"));
    create_private_dir(&staging).map_err(io("create", &staging))?;
    user.give(&staging).map_err(io("hand over", &staging))?;

    let output = output_of(user.run(initdb(&staging, programs, durability))).await?;
    if !output.status.success() {
        let _ = fs::remove_dir_all(&staging);
        return Err(PrivatePostgresError::Initdb { cluster: layout.cluster.clone(), output: text_of(&output) });
    }
    fs::rename(&staging, &layout.cluster).map_err(io("move the new cluster to", &layout.cluster))?;
    let home = File::open(&layout.home).map_err(io("open", &layout.home))?;
    home.sync_all().map_err(io("write", &layout.home))
}

fn initdb(directory: &Path, programs: &Programs, durability: Durability) -> Command {
    let initdb = InitDbBuilder::new()
        .program_dir(&programs.bin_dir)
        .pgdata(directory)
        .username(SUPERUSER)
        // Whoever reaches the socket may come in: its directory lets in only the server's user and
        // root, and there is no TCP port.
        .auth("trust")
        .encoding("UTF8")
        // The one locale that every machine has and that no upgrade of its C library reorders,
        // which would break indexes on text.
        .locale("C")
        .data_checksums()
        .no_instructions()
        .env("LC_ALL", "C");
    match durability {
        Durability::Durable => initdb.build(),
        Durability::ThrowAway => initdb.no_sync().build(),
    }
}

async fn remove_abandoned(home: &Path) -> Result<(), PrivatePostgresError> {
    for entry in fs::read_dir(home).map_err(io("read", home))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            remove_tree(&entry.path()).await?;
        }
    }
    Ok(())
}

/// Makes our database unless it is there. No two do it at once, since we hold the lock of the data
/// directory.
pub(super) async fn create_database(connection: &mut PgConnection) -> Result<(), PrivatePostgresError> {
    let is_there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut *connection)
        .await
        .map_err(PrivatePostgresError::Database)?;
    if !is_there {
        sqlx::query("create database order_timeline")
            .execute(connection)
            .await
            .map_err(PrivatePostgresError::Database)?;
    }
    Ok(())
}

/// Runs a tool of PostgreSQL to its end, without holding up the other tasks.
pub(super) async fn output_of(mut command: Command) -> Result<Output, PrivatePostgresError> {
    let program = command.get_program().into();
    let running = tokio::task::spawn_blocking(move || command.output());
    let output = running.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    output.map_err(|source| PrivatePostgresError::Run { program, source })
}

/// What a tool said, for a message.
pub(super) fn text_of(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}
