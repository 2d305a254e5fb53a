//! The server as a process of its own, to be killed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::harness::Harness;

/// Starts `seatwise serve` on the database of a server, and waits until it says that it listens.
pub(crate) async fn serve(server: &Harness, address: SocketAddr) -> Child {
    serve_with(server, address, &[]).await
}

/// The same with more arguments.
pub(crate) async fn serve_with(server: &Harness, address: SocketAddr, arguments: &[&str]) -> Child {
    let mut command = command(server, address);
    command.args(arguments);
    let start = move || {
        let mut child = command.spawn().expect("the binary was built");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("the server's output can be read");
        if !line.contains("listening on") {
            let _ = child.kill();
            panic!("the server did not start: it said {line:?} and ended");
        }
        child
    };
    tokio::task::spawn_blocking(start)
        .await
        .expect("the server starts")
}

/// Starts `seatwise serve` where it must not serve; gives what it complains of as it ends.
pub(crate) async fn refused(server: &Harness, address: SocketAddr) -> String {
    let mut command = command(server, address);
    command.stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().expect("the binary was built");
        let stdout = child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("the server's output can be read");
        if !line.is_empty() {
            let _ = child.kill();
        }
        assert_eq!(line, "", "the server says something good");
        let ended = child.wait_with_output().expect("the process is ours");
        assert!(!ended.status.success(), "{:?}", ended.status);
        String::from_utf8(ended.stderr).expect("a text")
    };
    tokio::task::spawn_blocking(run)
        .await
        .expect("the server does not start")
}

fn command(server: &Harness, address: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatwise"));
    command
        .args(["serve", "--log", "error", "--listen", &address.to_string()])
        .args(["--database", &server.database_url()])
        .arg("--admin-key-file")
        .arg(server.admin_key())
        .stdout(Stdio::piped());
    command
}

/// Ends the process with SIGKILL and waits until it is gone.
pub(crate) async fn kill(mut child: Child) {
    let end = move || {
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
    };
    tokio::task::spawn_blocking(end)
        .await
        .expect("the process ends");
}

/// Runs a command of the command line, as who has the admin key, to its end: its exit code, and what it
/// prints and says.
pub(crate) async fn seatwise(server: &Harness, arguments: &[&str]) -> (i32, String, String) {
    seatwise_at(server, &server.endpoint(), arguments).await
}

/// The same, by another name of the server.
pub(crate) async fn seatwise_at(
    server: &Harness,
    endpoint: &str,
    arguments: &[&str],
) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatwise"));
    command.args(arguments).args(["--server", endpoint]);
    if server.admin_key().exists() && !arguments.contains(&"--token-file") {
        command.env("SEATWISE_TOKEN_FILE", server.admin_key());
    }
    let run = move || command.output().expect("the binary was built");
    let ended = tokio::task::spawn_blocking(run).await;
    let ended = ended.expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("a text");
    let code = ended.status.code().expect("it was not killed");
    (code, text(ended.stdout), text(ended.stderr))
}
