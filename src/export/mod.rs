//! The analysts' views as files, a few rows in memory at a time.

mod parquet;

use std::io::{self, Write};

use futures_util::TryStreamExt;

use self::parquet::ParquetFile;
use crate::store::{Store, StoreError, View};

/// Why a view could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file could not be written: {0}")]
    File(#[from] io::Error),
    #[error("the file could not be written as Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

/// Writes a view as CSV with a header. `watch` is told the number of rows now and then. Gives their number.
///
/// # Errors
/// Where the database is not available or the sink takes no more.
pub async fn csv(store: &Store, view: &View, sink: impl Write, mut watch: impl FnMut(u64)) -> Result<u64, ExportError> {
    let mut sink = io::BufWriter::new(sink);
    let mut pieces = store.csv(view).await?;
    let mut lines = 0_u64;
    while let Some(piece) = pieces.try_next().await? {
        sink.write_all(piece.as_ref())?;
        lines += 1;
        watch(lines.saturating_sub(1));
    }
    sink.flush()?;
    // The first piece is the header.
    Ok(lines.saturating_sub(1))
}

/// The same as Parquet, typed: numbers, truth values, dates and times are what they are; arrays and JSON
/// are JSON text, exact decimals are doubles.
///
/// # Errors
/// Where the database is not available or the sink takes no more.
pub async fn parquet(
    store: &Store,
    view: &View,
    sink: impl Write + Send,
    mut watch: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let columns = store.columns(view).await?;
    let mut file = ParquetFile::create(&view.name, &columns, sink)?;
    let mut stream = store.rows(view, &columns);
    let mut rows = 0_u64;
    while let Some(row) = stream.try_next().await? {
        file.push(row)?;
        rows += 1;
        watch(rows);
    }
    file.close()?;
    Ok(rows)
}
