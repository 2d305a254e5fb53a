//! TLS between server and PostgreSQL, against a cluster that speaks nothing else.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::SanType;
use seatwise_server::store::connect_driver;

use crate::authority::{Authority, Pair, ServerAuth};
use crate::database::variable;

/// Starts a cluster, says where it is, and stops it when nobody is there any more.
const START: &str = r#"
set -euo pipefail
source tests/postgres.sh
postgres_programs >/dev/null || exit 0
trap postgres_stop EXIT
postgres_start "$1" "$2"
echo "$TEST_POSTGRES_URL"
read -r _ || true
"#;

/// A cluster of our own, and its URL; none if PostgreSQL is not installed and need not be.
fn start(folder: &Path, pair: &Pair) -> Option<(Child, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new("bash");
    command
        .current_dir(root)
        .args(["-c", START, "start"])
        .args(pair.write(folder));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("bash is there");
    let mut url = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    let read = BufReader::new(stdout).read_line(&mut url);
    read.expect("the script's output can be read");
    if url.is_empty() {
        let _ = child.wait();
        let line = "PostgreSQL with TLS left out: its programs are not installed";
        assert!(variable("SEATWISE_TEST_ALL").is_none(), "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    }
    Some((child, url.trim().to_owned()))
}

/// Connects and says whether what is sent is encrypted.
async fn is_encrypted(url: &str) -> Result<bool, String> {
    let client = connect_driver(url).await?;
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = client.query_one(query, &[]).await.expect("an answer");
    Ok(row.get(0))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one cluster, reached in every way")]
async fn a_database_is_spoken_to_as_its_url_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (right, wrong, rubbish) = (path("right.pem"), path("wrong.pem"), path("rubbish.pem"));
    std::fs::write(&right, authority.pem()).expect("written");
    std::fs::write(&wrong, Authority::new().pem()).expect("written");
    std::fs::write(&rubbish, "rubbish").expect("written");
    // For its name, and not for its address.
    let pair = authority.issue(ServerAuth, |params| {
        let is_name = |name: &SanType| matches!(name, SanType::DnsName(_));
        params.subject_alt_names.retain(is_name);
    });
    let Some((mut cluster, url)) = start(folder.path(), &pair) else {
        return;
    };
    let by_address = url.replace("postgres@", "postgres:canary@");
    let by_name = by_address.replace("127.0.0.1", "localhost");

    for (url, parameters) in [
        (&by_name, format!("sslmode=verify-full&sslrootcert={right}")),
        (&by_name, format!("sslmode=verify-ca&sslrootcert={right}")),
        (
            &by_address,
            format!("sslmode=verify-ca&sslrootcert={right}"),
        ),
        (&by_address, format!("sslmode=require&sslrootcert={right}")),
        (&by_address, "sslmode=require".to_owned()),
        (&by_address, "sslmode=prefer".to_owned()),
        (
            &by_address,
            "sslmode=allow&application_name=seats".to_owned(),
        ),
    ] {
        let encrypted = is_encrypted(&format!("{url}?{parameters}")).await;
        assert_eq!(encrypted, Ok(true), "{parameters}");
    }
    for (url, parameters, told) in [
        (
            &by_address,
            format!("sslmode=verify-full&sslrootcert={right}"),
            "not valid for name",
        ),
        (
            &by_name,
            format!("sslmode=verify-full&sslrootcert={wrong}"),
            "UnknownIssuer",
        ),
        (
            &by_name,
            format!("sslmode=verify-ca&sslrootcert={wrong}"),
            "UnknownIssuer",
        ),
        (
            &by_name,
            format!("sslmode=require&sslrootcert={wrong}"),
            "UnknownIssuer",
        ),
        (
            &by_name,
            "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(),
            "/nowhere.pem",
        ),
        (
            &by_name,
            format!("sslmode=verify-full&sslrootcert={rubbish}"),
            "no certificate in it",
        ),
        (&by_name, "sslmode=verify-full".to_owned(), ""),
        (
            &by_name,
            "sslmode=verify-full&sslrootcert=system".to_owned(),
            "",
        ),
        (&by_name, "sslmode=disable".to_owned(), "no encryption"),
        (&by_name, String::new(), "no encryption"),
    ] {
        let error = is_encrypted(&format!("{url}?{parameters}")).await;
        let error = error.expect_err(&parameters);
        assert!(
            error.contains(told) && !error.contains("canary"),
            "{parameters}: {error}"
        );
    }

    // So do the store's own connections.
    for (ca, is_good) in [(&wrong, false), (&right, true)] {
        let mut migrate = Command::new(env!("CARGO_BIN_EXE_seatwise"));
        let url = format!("{by_name}?sslmode=verify-full&sslrootcert={ca}");
        migrate.args(["migrate", "--database", &url]);
        let run = tokio::task::spawn_blocking(move || migrate.output()).await;
        let ended = run.expect("it ends").expect("the binary was built");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.success(), is_good, "{said}");
        assert!(is_good || said.contains("UnknownIssuer"), "{said}");
    }
    drop(cluster.stdin.take());
    cluster.wait().expect("the script ends");
}
