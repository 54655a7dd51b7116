//! The program itself, serving, as an operator starts it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

pub struct Program {
    child: Child,
    pub address: SocketAddr,
    said: String,
    more: BufReader<ChildStdout>,
    log: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts it and waits until it says where it is.
    pub fn serve(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::serve_by(Command::new(env!("CARGO_BIN_EXE_order-timeline")), arguments, environment)
    }

    /// The same where it may have so many files open.
    pub fn serve_with_files(files: u32, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_order-timeline"));
        Self::serve_by(shell, arguments, environment)
    }

    fn serve_by(mut command: Command, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("DATABASE_URL")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let mut more = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        more.read_line(&mut said).unwrap();
        let Some(rest) = said.split("://").nth(1) else { panic!("it does not start: {}", log.join().unwrap()) };
        let address = rest.split('/').next().unwrap().parse().unwrap();
        Self { child, address, said, more, log: Some(log) }
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, which is to be a good one; gives what it said, and its log.
    pub fn ended(mut self) -> (String, String) {
        let mut said = std::mem::take(&mut self.said);
        self.more.read_to_string(&mut said).unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        (said, log)
    }

    /// Ends it at once; gives its log.
    pub fn killed(mut self) -> String {
        self.child.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }

    /// Stops it as an operator does.
    pub fn stop(self) -> (String, String) {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
