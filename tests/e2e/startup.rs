//! The rule of the start: what may run, and what is refused with everything that is wrong.

mod files;
mod table;

use std::path::Path;
use std::process::{Command, Output};

use seatwise_client::Client;
use seatwise_client::v1::GetServerInfoRequest;

use crate::harness::{Harness, free_address, on_every_engine};
use crate::log;
use files::files;
use table::{OPEN, TABLE, TLS};

const LOOPBACK: [&str; 3] = ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"];
const OUTSIDE: [&str; 4] = [
    "0.0.0.0:0",
    "[::]:0",
    "192.0.2.1:7400",
    "[2001:db8::1]:7400",
];

/// `seatwise serve` with these options, in which `FILES/` is the folder.
fn serve(folder: &Path, address: &str, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatwise"));
    command.args(["serve", "--listen", address]);
    command.env("HOME", folder).env_remove("XDG_DATA_HOME");
    for option in options
        .iter()
        .flat_map(|options| options.split_whitespace())
    {
        let folder = format!("{}/", folder.display());
        command.arg(option.replace("FILES/", &folder));
    }
    command.output().expect("the binary was built")
}

/// The checks that fail, as the refusal names them. Each says what to do.
fn failing(refused: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&refused.stderr);
    let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
    let mut checks = Vec::new();
    for line in lines {
        let (check, told) = line.split_once(": ").expect("a check");
        let (_, way_out) = told.rsplit_once("; ").expect("a way out");
        let is_told = ["give", "leave", "run `chmod", "add", "or leave"];
        assert!(
            is_told.iter().any(|start| way_out.starts_with(start)),
            "{line}"
        );
        checks.push(check.to_owned());
    }
    checks.sort();
    checks
}

#[test]
fn the_table_of_starts() {
    assert!(TABLE.len() * 2 >= 40);
    let folder = files();
    let mut wrong = Vec::new();
    for (row, (options, on_loopback, elsewhere)) in TABLE.iter().enumerate() {
        let addresses = [LOOPBACK[row % LOOPBACK.len()], OUTSIDE[row % OUTSIDE.len()]];
        for (address, expected) in addresses.into_iter().zip([on_loopback, elsewhere]) {
            let options: Vec<&str> = options.iter().copied().chain(["--check"]).collect();
            let checked = serve(folder.path(), address, &options);
            let (failing, code) = (failing(&checked).join(" "), checked.status.code());
            let expected_code = if expected.is_empty() { 0 } else { 78 };
            if failing != *expected || code != Some(expected_code) {
                let said = String::from_utf8_lossy(&checked.stderr).into_owned();
                wrong.push(format!(
                    "{address} {options:?}: {code:?}, not {expected:?}:\n{said}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let made = folder.path().join("new");
    assert!(!made.exists(), "a check makes nothing");
}

#[test]
fn a_server_does_not_start_where_its_check_fails() {
    let folder = files();
    let refused = serve(
        folder.path(),
        "0.0.0.0:0",
        &[OPEN, "--tls-certificate FILES/expired.pem"],
    );
    assert_eq!(refused.status.code(), Some(78));
    assert_eq!(
        failing(&refused),
        ["plaintext-database", "tls-certificate", "tls-key"]
    );
    assert!(refused.stdout.is_empty(), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.starts_with("seatwise: refusing to start:\n"), "{said}");
    assert!(
        said.contains("expired.pem has expired at 2021-01-01T00:00:00Z"),
        "{said}"
    );
    assert!(!said.contains("u:p@"), "{said}");
}

#[test]
fn an_unknown_override_is_refused_with_those_that_there_are() {
    let folder = files();
    let refused = serve(
        folder.path(),
        "127.0.0.1:0",
        &["--allow-insecure everything"],
    );
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("plaintext, no-authentication, plaintext-database"),
        "{said}"
    );
}

/// What is overridden is said in the log, and to who asks the server.
async fn overrides_are_told(server: &Harness) {
    let address = free_address();
    let arguments = ["--allow-insecure", "no-authentication"];
    let logging = log::serve(server, address, &server.database_url(), &arguments).await;
    let line = logging.line("this server is run insecurely").await;
    assert!(
        line.contains("WARN") && line.contains("no-authentication"),
        "{line}"
    );
    let client = Client::new(format!("http://{address}")).expect("an endpoint");
    let info = client.get_server_info(GetServerInfoRequest {}).await;
    let info = info.expect("it answers");
    assert_eq!(info.insecure_overrides, ["no-authentication"]);
    assert!(info.authentication.is_empty(), "{info:?}");
    let engine = format!("{:?}", server.engine()).to_lowercase();
    assert_eq!(info.database, engine);
    assert!(!info.version.is_empty());
    logging.end().await;
}

async fn a_safe_server_tells_how_callers_prove_who_they_are(server: &Harness) {
    server.start().await;
    let info = server
        .client()
        .get_server_info(GetServerInfoRequest {})
        .await;
    let info = info.expect("it answers");
    assert_eq!(info.insecure_overrides, [""; 0]);
    assert_eq!(info.authentication, ["key"]);
}

on_every_engine![
    overrides_are_told,
    a_safe_server_tells_how_callers_prove_who_they_are,
];
