//! Where a command writes a file.

use std::fs::{self, File};
use std::io::{Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Where the file goes: standard output, a device or a pipe that is there, or a file that takes its name when it
/// is complete.
pub enum Sink {
    Out(Stdout),
    There { file: File, path: PathBuf },
    File { file: File, part: PathBuf, path: PathBuf },
}

impl Sink {
    /// A sink at this path; `-` is standard output.
    pub fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Out(std::io::stdout()));
        }
        if let Ok(found) = fs::metadata(path)
            && !found.is_file()
        {
            ensure!(!found.is_dir(), "{} is a folder; name a file", path.display());
            let file = File::options().write(true).open(path);
            let file = file.with_context(|| format!("cannot write {}", path.display()))?;
            return Ok(Self::There { file, path: path.to_owned() });
        }
        // What a link leads to is written, and the link stays.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Self::File { file, part, path: path.to_owned() })
    }

    /// Where it goes, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Out(_) => "standard output".to_owned(),
            Self::File { path, .. } | Self::There { path, .. } => path.display().to_string(),
        }
    }

    /// Makes the file durable and gives it its name. Without this it keeps the name of a part.
    pub fn complete(self) -> Result<()> {
        if let Self::File { file, part, path } = self {
            file.sync_all()?;
            fs::rename(&part, &path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Out(out) => out.write(bytes),
            Self::File { file, .. } | Self::There { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Out(out) => out.flush(),
            Self::File { file, .. } | Self::There { file, .. } => file.flush(),
        }
    }
}
