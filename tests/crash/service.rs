//! The service as a process that is killed.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use tokio::sync::mpsc;

pub struct Service {
    child: Child,
    commands: ChildStdin,
    pub address: SocketAddr,
    /// Lines that it says while it runs: where it holds still.
    pub held: mpsc::UnboundedReceiver<String>,
}

impl Service {
    pub async fn start(url: &str, spool: Option<&Path>, faults: &str, log: &Path) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_order-timeline"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"]);
        if let Some(spool) = spool {
            command.arg("--spool").arg(spool);
        }
        command.env("DATABASE_URL", url).env("ORDER_TIMELINE_TRIAL", format!("listen,{faults}"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (say, mut said) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let first = said.recv().await.expect("the service does not start; its log says why");
        let address = first.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Self { child, commands, address, held: said }
    }

    /// Sets where it is to die or to hold still.
    pub fn arm(&mut self, trial: &str) {
        // One that is dead by now hears nothing.
        let _ = writeln!(self.commands, "{trial}");
    }

    /// Whether it ended by itself, which it never may.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}
