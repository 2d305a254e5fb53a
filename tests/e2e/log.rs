//! A server in a process of its own, whose log is read.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::harness::Harness;
use crate::process;

/// How long a line may take that must come.
const LINE_WAIT_MAX: Duration = Duration::from_secs(30);

/// The server, and what it says.
pub(crate) struct Logging {
    child: Child,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// Starts a server on a database that the harness has the key of, and waits until it serves.
pub(crate) async fn serve(
    server: &Harness,
    address: SocketAddr,
    database: &str,
    arguments: &[&str],
) -> Logging {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatwise"));
    command
        .args(["serve", "--listen", &address.to_string()])
        .args(["--database", database])
        .args(arguments)
        .env("SEATWISE_ADMIN_KEY_FILE", server.admin_key())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary was built");
    let log = Arc::new(Log::default());
    let stderr = child.stderr.take().expect("it is piped");
    log.follow(stderr);
    let stdout = child.stdout.take().expect("it is piped");
    log.follow(stdout);
    let logging = Logging { child, log };
    logging.line("listening on").await;
    logging
}

impl Log {
    fn follow(self: &Arc<Self>, output: impl std::io::Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                log.lines.lock().expect("nobody panics").push(line);
                log.more.notify_all();
            }
        });
    }
}

impl Logging {
    /// Waits for a line with this text.
    pub(crate) async fn line(&self, text: &str) -> String {
        let (log, text) = (self.log.clone(), text.to_owned());
        let wait = move || {
            let lines = log.lines.lock().expect("nobody panics");
            let has_none = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(&text));
            let waited = log.more.wait_timeout_while(lines, LINE_WAIT_MAX, has_none);
            let (lines, _) = waited.expect("nobody panics");
            let line = lines.iter().find(|line| line.contains(&text)).cloned();
            line.unwrap_or_else(|| panic!("no line has {text:?}: {lines:#?}"))
        };
        let found = tokio::task::spawn_blocking(wait).await;
        found.expect("the line comes")
    }

    /// All lines with this text by now.
    pub(crate) fn lines(&self, text: &str) -> Vec<String> {
        let lines = self.log.lines.lock().expect("nobody panics");
        let found = lines.iter().filter(|line| line.contains(text));
        found.cloned().collect()
    }

    pub(crate) async fn end(self) {
        process::kill(self.child).await;
    }
}
