//! The import rules of CONTRIBUTING.md and the size of files, held by reading the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 450;

/// What must not be named, per part. `server/src/store` is `store.rs` and everything in `store/`.
const RULES: &[(&str, &str)] = &[
    (
        "server/src/domain",
        "crate::identity crate::store crate::service crate::rpc crate::edition crate::server diesel \
         tonic prost tokio tracing seatwise_proto std::env std::fs std::net std::time SystemTime \
         now_v7 new_v4",
    ),
    (
        "server/src/edition",
        "crate::identity crate::store crate::service crate::rpc crate::server diesel tonic prost \
         tokio tracing seatwise_proto std::env std::fs std::net std::time",
    ),
    (
        "server/src/identity",
        "crate::store crate::service crate::rpc crate::edition crate::server diesel tonic prost \
         seatwise_proto std::env",
    ),
    (
        "server/src/store",
        "crate::identity crate::service crate::rpc crate::server tonic prost seatwise_proto",
    ),
    (
        "server/src/service",
        "crate::identity crate::rpc crate::server diesel tonic prost seatwise_proto",
    ),
    ("server/src/rpc", "crate::store crate::server diesel"),
    ("client/src", "seatwise_server diesel"),
    (
        "cli/src",
        "seatwise_server::domain seatwise_server::service seatwise_server::edition \
         seatwise_server::identity",
    ),
    ("proto", "seatwise_server seatwise_client"),
];

/// The only file of the server that makes a `tonic::Status`.
const STATUS_MAKER: &str = "server/src/rpc/status.rs";

/// Where keys to customers are made without a check: where they are defined, and where the work that the
/// service does by itself begins. Tests may, too.
const KEY_MAKERS: &[&str] = &[
    "server/src/domain/access.rs",
    "server/src/store/fleet.rs",
    "server/src/store/contract",
];

/// What reads across customers, and so never writes.
const READ_ONLY: &str = "server/src/store/fleet.rs";
const WRITES: &str = "insert insert_into update delete write_tx lock_customer lock_chain execute";

/// All Rust files of the workspace, with their paths in it.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the server's folder is in the workspace");
    let parts = ["server", "client", "cli", "tests", "proto"];
    let mut folders: Vec<PathBuf> = parts.map(|name| root.join(name)).to_vec();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("below the root");
                let text = fs::read_to_string(&path).expect("a source file");
                sources.push((name.display().to_string(), text));
            }
        }
    }
    sources
}

/// Lines of a file that name what they must not. Comments may speak of anything.
fn forbidden(path: &str, text: &str) -> Vec<String> {
    let rules = RULES.iter().filter(|(part, _)| is_in(path, part));
    let names: Vec<&str> = rules.flat_map(|(_, names)| names.split(' ')).collect();
    let makes_keys = |maker: &&str| path == *maker || is_in(path, maker);
    let may_make_keys = KEY_MAKERS.iter().any(makes_keys) || !path.starts_with("server/src");
    let may_make_status = path == STATUS_MAKER || !path.starts_with("server/src");
    let (mut found, mut is_test) = (Vec::new(), false);
    for (line, text) in text.lines().map(str::trim).enumerate() {
        is_test |= text == "mod tests {";
        if text.starts_with("//") {
            continue;
        }
        let place = format!("{path}:{}: {text}", line + 1);
        let known = names.iter().filter(|name| has_word(text, name));
        found.extend(known.map(|name| format!("{place}  <- must not know {name}")));
        if !may_make_status && has_word(text, "Status::") {
            found.push(format!("{place}  <- only {STATUS_MAKER} makes a status"));
        }
        if !may_make_keys && !is_test && has_word(text, "of_service") {
            found.push(format!("{place}  <- a customer is entered with a check"));
        }
        if path == READ_ONLY && writes(text) {
            found.push(format!("{place}  <- writes to one customer at a time only"));
        }
    }
    found
}

/// True if a line writes to a database, as code or as SQL.
fn writes(line: &str) -> bool {
    let line = line.to_lowercase();
    WRITES.split(' ').any(|word| has_word(&line, word))
}

fn is_in(path: &str, part: &str) -> bool {
    path.strip_prefix(part)
        .is_some_and(|rest| rest.starts_with(['/', '.']))
}

/// True if `name` stands in the line and is not part of a longer word.
fn has_word(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        let after = line[place + name.len()..].chars().next();
        let goes_on = name.ends_with(is_word) && after.is_some_and(is_word);
        !(before.is_some_and(is_word) || goes_on)
    })
}

#[test]
fn modules_name_only_what_they_may() {
    let sources = sources();
    assert!(sources.len() > 50, "found only {} files", sources.len());
    let files = sources.iter();
    let found: Vec<String> = files
        .flat_map(|(path, text)| forbidden(path, text))
        .collect();
    assert!(
        found.is_empty(),
        "see CONTRIBUTING.md:\n{}",
        found.join("\n")
    );
}

#[test]
fn files_are_short_and_modules_are_named_after_their_files() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            found.push(format!("{path} has {lines} lines: split it by concept"));
        }
        if path.ends_with("/mod.rs") {
            found.push(format!("{path}: give the module's file its name"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_rules_bite() {
    for (path, text) in [
        ("server/src/domain/decide.rs", "use tokio::sync::mpsc;"),
        ("server/src/domain.rs", "let id = Uuid::now_v7();"),
        ("server/src/service/batch.rs", "use diesel::prelude::*;"),
        ("server/src/identity/token.rs", "use crate::store::Store;"),
        (
            "server/src/domain/access.rs",
            "use crate::identity::Verified;",
        ),
        ("server/src/rpc/users.rs", "use crate::store::Store;"),
        (
            "server/src/rpc/users.rs",
            "return Err(Status::internal(text));",
        ),
        ("server/src/store.rs", "use seatwise_proto::v1;"),
        ("client/src/batch.rs", "use seatwise_server::store;"),
        (
            "server/src/rpc/users.rs",
            "let scope = Scope::of_service(id);",
        ),
        ("server/src/service/batch.rs", "ids.map(Scope::of_service)"),
        ("server/src/store/users.rs", "Scope::of_service(customer)"),
        ("server/src/store/fleet.rs", "write_tx!(self, conn => {"),
        (
            "server/src/store/fleet.rs",
            "portable(\"DELETE FROM users\")",
        ),
        ("server/src/store/fleet.rs", "diesel::update(b::table)"),
    ] {
        assert_eq!(forbidden(path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("server/src/domain/decide.rs", "// tokio has no place here"),
        ("server/src/domain/decide.rs", "let tokios = 1;"),
        ("server/src/stores.rs", "use tonic::Code;"),
        ("server/src/store/users.rs", "use diesel::prelude::*;"),
        ("server/src/rpc/users.rs", "ServingStatus::Serving"),
        ("server/src/store/fleet.rs", "Scope::of_service(id.into())"),
        ("server/src/store/fleet.rs", "c::updated_at, created_at"),
        (
            "server/src/store/contract/fixture.rs",
            "Scope::of_service(customer)",
        ),
        (
            "server/src/service/request.rs",
            "mod tests {\n    Scope::of_service(id)",
        ),
    ] {
        assert!(forbidden(path, text).is_empty(), "{path}: {text}");
    }
}
