//! How the service ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::app::{TestDatabase, body};

/// The program, serving, with a delivery half received.
struct HalfWay {
    service: Child,
    connection: TcpStream,
    rest: Vec<u8>,
}

impl HalfWay {
    fn begin(url: &str) -> Self {
        let mut service = Command::new(env!("CARGO_BIN_EXE_order-timeline"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("DATABASE_URL", url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(service.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let address = first.split("http://").nth(1).unwrap().split('/').next().unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        let mut body = body("02");
        let head = format!("POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
        let rest = body.split_off(body.len() / 2);
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(&body).unwrap();
        let half_way = Self { service, connection, rest };
        std::thread::sleep(Duration::from_millis(500));
        half_way
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.service.id().to_string()]).status().unwrap();
        assert!(sent.success());
        std::thread::sleep(Duration::from_millis(500));
    }

    /// The answer to the delivery, once its other half was sent.
    fn finish(&mut self) -> String {
        // Where the service has let go of it already, there is no answer.
        let _ = self.connection.write_all(&self.rest);
        self.connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = vec![0; 12];
        let read = self.connection.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn log(mut self) -> String {
        drop(self.connection);
        let mut log = String::new();
        self.service.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.service.wait().unwrap().success(), "{log}");
        log
    }
}

#[tokio::test]
async fn what_is_under_way_at_a_signal_is_kept_and_answered() {
    let database = TestDatabase::new().await;
    for (times, name) in [(1, "INT"), (2, "TERM")] {
        let url = database.url();
        let (answer, log) = tokio::task::spawn_blocking(move || {
            let mut half_way = HalfWay::begin(&url);
            half_way.signal(name);
            (half_way.finish(), half_way.log())
        })
        .await
        .unwrap();
        assert_eq!(answer, "HTTP/1.1 200", "{name}: {log}");
        assert!(log.contains(&format!("SIG{name}")) && log.contains("answered first"), "{log}");
        assert_eq!(database.rows("select * from delivery").await.len(), times, "{name}");
    }
    database.close().await;
}

#[tokio::test]
async fn a_second_interrupt_gives_up_what_is_under_way() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let (answer, log) = tokio::task::spawn_blocking(move || {
        let mut half_way = HalfWay::begin(&url);
        half_way.signal("INT");
        half_way.signal("INT");
        (half_way.finish(), half_way.log())
    })
    .await
    .unwrap();
    assert_eq!(answer, "", "{log}");
    assert!(log.contains("given up, unanswered"), "{log}");
    database.close().await;
}
