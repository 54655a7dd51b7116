//! ChromeDriver, for as long as the tests run.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running driver; it ends with this.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts it at a port of its own.
    ///
    /// # Errors
    /// What is missing, for people.
    pub fn start() -> Result<Self, String> {
        if chromium().is_none() {
            return Err("Chromium is missing (Debian: apt-get install chromium)".to_owned());
        }
        let driver = on_path(&["chromedriver"])
            .ok_or_else(|| "ChromeDriver is missing (Debian: apt-get install chromium-driver)".to_owned())?;
        let mut process = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("ChromeDriver cannot be started: {error}"))?;
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse().ok()
        });
        // It goes on writing; nobody reading would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        match port {
            Some(port) => Ok(Self { process, port }),
            None => {
                let _ = process.kill();
                Err("ChromeDriver ended without a port".to_owned())
            }
        }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn chromium() -> Option<PathBuf> {
    on_path(&["chromium", "chromium-browser", "google-chrome"])
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}
