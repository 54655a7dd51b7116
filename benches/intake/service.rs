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

impl Service {
    pub fn start(options: &PgConnectOptions) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let socket = options.get_socket().unwrap().display().to_string().replace('/', "%2F");
        let url = format!(
            "postgres://{}@{socket}:{}/{}",
            options.get_username(),
            options.get_port(),
            options.get_database().unwrap()
        );
        let program = env!("CARGO_BIN_EXE_order-timeline");
        let migrated = Command::new(program).args(["migrate", "--database-url", &url]).stdout(Stdio::null()).status();
        assert!(migrated.unwrap().success());
        let process = Command::new(program)
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

    /// Takes bodies in the quick way, and gives how many a second.
    pub fn ingest(&self, bodies: impl Iterator<Item = Vec<u8>>) -> f64 {
        let mut process = Command::new(env!("CARGO_BIN_EXE_order-timeline"))
            .args(["ingest", "--database-url", &self.database, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let mut count = 0.0;
        {
            let mut lines = BufWriter::new(process.stdin.take().unwrap());
            for body in bodies {
                lines.write_all(&body).unwrap();
                lines.write_all(b"\n").unwrap();
                count += 1.0;
            }
        }
        assert!(process.wait().unwrap().success());
        count / began.elapsed().as_secs_f64()
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
