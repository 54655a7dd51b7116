//! The service under load, a process of its own, as an operator runs it.

use std::io::{BufWriter, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;

pub struct Service {
    pub address: SocketAddr,
    process: Child,
    database: String,
}

/// The address of a database, as an operator would give it.
pub fn url(options: &PgConnectOptions) -> String {
    let socket = options.get_socket().unwrap().display().to_string().replace('/', "%2F");
    let (user, port) = (options.get_username(), options.get_port());
    format!("postgres://{user}@{socket}:{port}/{}", options.get_database().unwrap())
}

/// Runs a command of the program on a database to its end, and gives the seconds that it takes.
pub fn run(arguments: &[&str], database: &str) -> f64 {
    let began = Instant::now();
    let program = env!("CARGO_BIN_EXE_order-timeline");
    let status =
        Command::new(program).args(arguments).args(["--database-url", database]).stdout(Stdio::null()).status();
    assert!(status.unwrap().success(), "{arguments:?}");
    began.elapsed().as_secs_f64()
}

impl Service {
    pub fn start(options: &PgConnectOptions) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = url(options);
        run(&["migrate"], &url);
        let process = Command::new(env!("CARGO_BIN_EXE_order-timeline"))
            .args(["serve", "--database-url", &url, "--listen", &address.to_string(), "--log", "warn"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { address, process, database: url }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Takes bodies in the quick way.
    pub fn ingest(&self, bodies: impl Iterator<Item = Vec<u8>>) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_order-timeline"))
            .args(["ingest", "--database-url", &self.database, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        {
            let mut lines = BufWriter::new(process.stdin.take().unwrap());
            for body in bodies {
                lines.write_all(&body).unwrap();
                lines.write_all(b"\n").unwrap();
            }
        }
        assert!(process.wait().unwrap().success());
    }

    pub fn stop(mut self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Service {
    /// A measurement that failed leaves nothing running.
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}
