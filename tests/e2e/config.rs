//! The configuration of the server: by option, environment and file, the stronger first.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const LISTEN: [&str; 4] = [
    "127.0.0.1:1",
    "127.0.0.1:2",
    "127.0.0.1:3",
    "127.0.0.1:7400",
];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path.display().to_string()
}

/// Runs `seatwise` with this as the user's home and only these variables of its own.
fn seatwise(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatwise"));
    command.args(arguments).envs(environment.iter().copied());
    command.env("HOME", home).env_remove("XDG_DATA_HOME");
    command.output().expect("the binary was built")
}

fn printed(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let arguments: Vec<&str> = [&["serve", "--print-config"], arguments].concat();
    let printed = seatwise(home, &arguments, environment);
    assert!(printed.status.success(), "{printed:?}");
    String::from_utf8(printed.stdout).expect("a text")
}

fn refused(folder: &TempDir, file: &str) -> String {
    let path = write(folder, "wrong.toml", file);
    let refused = seatwise(folder.path(), &["serve", "--check", "--config", &path], &[]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let said = String::from_utf8(refused.stderr).expect("a text");
    said.replace(&path, "wrong.toml")
}

#[test]
fn an_option_is_stronger_than_the_environment_and_that_than_the_file() {
    let folder = folder();
    let file = write(
        &folder,
        "seatwise.toml",
        &format!("\nlisten = {:?}\n", LISTEN[2]),
    );
    let option = ["--listen", LISTEN[0]];
    let config = ["--config", file.as_str()];
    let environment = [("SEATWISE_LISTEN", LISTEN[1])];
    let in_environment = [("SEATWISE_CONFIG", file.as_str())];
    let from_file = format!("{file}, line 2");
    for (arguments, environment, listen, from) in [
        (
            [&option[..], &config].concat(),
            &environment[..],
            LISTEN[0],
            "command line",
        ),
        (
            config.to_vec(),
            &environment,
            LISTEN[1],
            "environment, SEATWISE_LISTEN",
        ),
        (config.to_vec(), &[], LISTEN[2], from_file.as_str()),
        (Vec::new(), &in_environment, LISTEN[2], from_file.as_str()),
        (Vec::new(), &[], LISTEN[3], "default"),
    ] {
        let printed = printed(folder.path(), &arguments, environment);
        let line = format!("listen = {listen:?}  # {from}\n");
        assert!(printed.contains(&line), "{line} is not in\n{printed}");
    }
}

#[test]
fn what_is_printed_can_be_read_again() {
    let folder = folder();
    let arguments = [
        "--listen=0.0.0.0:7400",
        "--database=postgres://u@db.example.com/d?sslmode=verify-full",
        "--buy-more-url=https://shop.example.com/\"seats\"\\",
        "--keep-results=30",
        "--keep-history=400",
        "--log=info,seatwise::calls=warn",
        "--tls-certificate=/etc/seatwise/tls.pem",
        "--client-ca=ca \u{e9}.pem",
        "--allow-tls12",
        "--issuer=https://id.example.com",
        "--allow-insecure=plaintext",
        "--allow-insecure=no-authentication",
    ];
    let first = printed(folder.path(), &arguments, &[]);
    let path = write(&folder, "printed.toml", &first);
    let again = printed(folder.path(), &["--config", &path], &[]);
    let values = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.split("  # ").next().unwrap_or_default());
        lines.map(str::to_owned).collect()
    };
    assert_eq!(values(&first), values(&again));
    let set = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(set(&first), arguments.len(), "{first}"); // two are one, and the admin key has a default
    assert!(
        again.contains("allow-insecure = [\"plaintext\", \"no-authentication\"]"),
        "{again}"
    );
}

#[test]
fn a_file_is_refused_with_everything_that_is_wrong_in_it() {
    let folder = folder();
    let said = refused(
        &folder,
        "listen = \"here\"\n\
         allow_tls12 = true\n\
         allow-tls12 = \"yes\"\n\
         tls-certifcate = \"x\"\n\
         keep-results = 1.5\n\
         keep-history = 0\n\
         issuer = [\"https://id.example.com\"]\n\
         allow-insecure = \"plaintext\"\n\
         config = \"another.toml\"\n\
         [tls]\n\
         key = \"x\"\n",
    );
    for line in [
        "line 1: listen: invalid socket address syntax",
        "line 2: there is no option allow_tls12; did you mean allow-tls12?",
        "line 3: allow-tls12 must be true or false, not a text",
        "line 4: there is no option tls-certifcate; did you mean tls-certificate?",
        "line 5: keep-results must be a whole number, not a number with a fraction",
        "line 6: keep-history: must be a number of days from 1 to 65535",
        "line 7: issuer must be a text in quotes, not a list",
        "line 8: allow-insecure must be a list of texts in brackets, not a text",
        "line 9: there is no option config; ",
        "line 10: there is no option tls; ",
    ] {
        assert!(
            said.contains(&format!("wrong.toml, {line}")),
            "{line} is not in\n{said}"
        );
    }
    assert_eq!(said.matches("wrong.toml").count(), 10, "{said}");
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_the_line() {
    let folder = folder();
    for (file, line) in [
        (
            "listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n",
            "wrong.toml, line 2: duplicate key",
        ),
        ("\n\nlisten\n", "wrong.toml, line 3: "),
    ] {
        let said = refused(&folder, file);
        assert!(said.contains(line), "{said}");
    }
    let missing = seatwise(
        folder.path(),
        &["serve", "--check", "--config", "none.toml"],
        &[],
    );
    assert_eq!(missing.status.code(), Some(78));
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(said.contains("cannot read none.toml: "), "{said}");
}

#[test]
fn a_database_can_be_named_in_a_file_of_its_own_and_its_password_is_not_shown() {
    let folder = folder();
    let home = folder.path();
    let url = "postgres://u:canary@db.example.com/d?sslmode=verify-full&password=canary";
    let shown = "database = \"postgres://u@db.example.com/d?sslmode=verify-full\"  # ";
    let file = write(&folder, "database", &format!("{url}\n"));
    let config = write(
        &folder,
        "seatwise.toml",
        &format!("database-file = {file:?}\n"),
    );

    for (arguments, environment) in [
        (vec!["--database", url], vec![]),
        (vec![], vec![("SEATWISE_DATABASE", url)]),
        // The stronger way counts.
        (
            vec!["--config", config.as_str()],
            vec![("SEATWISE_DATABASE", url)],
        ),
        (
            vec!["--database", url],
            vec![("SEATWISE_DATABASE_FILE", file.as_str())],
        ),
    ] {
        let printed = printed(home, &arguments, &environment);
        assert!(printed.contains(shown), "{printed}");
        assert!(!printed.contains("canary"), "{printed}");
    }
    for (arguments, environment) in [
        (
            vec!["--database-file", file.as_str()],
            vec![("SEATWISE_DATABASE", "sqlite:x.db")],
        ),
        (vec![], vec![("SEATWISE_DATABASE_FILE", file.as_str())]),
        (vec!["--config", config.as_str()], vec![]),
    ] {
        let printed = printed(home, &arguments, &environment);
        assert!(printed.contains("# database is not set\n"), "{printed}");
        assert!(
            printed.contains(&format!("database-file = {file:?}  # ")),
            "{printed}"
        );
        assert!(!printed.contains("canary"), "{printed}");
    }

    let both = [
        "serve",
        "--check",
        "--database",
        url,
        "--database-file",
        &file,
    ];
    let refused = seatwise(home, &both, &[]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let wrong = write(&folder, "wrong", "canary\n");
    let wrong = seatwise(home, &["serve", "--check", "--database-file", &wrong], &[]);
    assert_eq!(wrong.status.code(), Some(78), "{wrong:?}");
    for output in [refused, wrong] {
        assert!(
            !String::from_utf8_lossy(&output.stderr).contains("canary"),
            "{output:?}"
        );
    }
}

#[test]
fn a_database_out_of_reach_is_told_without_its_password() {
    let folder = folder();
    let url = "postgres://u:canary@127.0.0.1:1/d?password=canary";
    let failed = seatwise(
        folder.path(),
        &["serve", "--listen=127.0.0.1:0", "--database", url],
        &[],
    );
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    for output in [failed.stdout, failed.stderr] {
        assert!(!String::from_utf8_lossy(&output).contains("canary"));
    }
}

#[test]
fn a_migration_reads_the_same_file() {
    let folder = folder();
    let database = folder.path().join("seatwise.db");
    let text = format!(
        "keep-results = 30\ndatabase = \"sqlite:{}\"\n",
        database.display()
    );
    let config = write(&folder, "seatwise.toml", &text);
    let migrated = seatwise(folder.path(), &["migrate", "--config", &config], &[]);
    assert!(migrated.status.success(), "{migrated:?}");
    assert!(database.exists());
    let again = seatwise(folder.path(), &["migrate"], &[("SEATWISE_CONFIG", &config)]);
    assert_eq!(again.stdout, b"the schema is current\n");
}

#[test]
#[cfg(unix)]
fn what_the_server_makes_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let database = folder.path().join("seatwise.db");
    let url = format!("sqlite:{}", database.display());
    let migrated = seatwise(folder.path(), &["migrate", "--database", &url], &[]);
    assert!(migrated.status.success(), "{migrated:?}");
    let files = std::fs::read_dir(folder.path()).expect("the folder is ours");
    let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    assert!(files.contains(&database), "{files:?}");
    for file in files {
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.display());
    }
}
