//! A fresh database of an engine: a file in a temporary directory, or a database in the PostgreSQL
//! at `TEST_POSTGRES_URL`.

use std::io::Write;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use seatwise_server::store::Location;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::harness::Engine;

pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl Database {
    /// Makes an empty database; `None` if the engine is not there and need not be.
    pub(crate) async fn create(engine: Engine) -> Option<Self> {
        if engine == Engine::Sqlite {
            return Some(Self::Sqlite(tempfile::tempdir().expect("a directory")));
        }
        let server = postgres()?.to_owned();
        let name = format!("e2e_{}", Uuid::now_v7().simple());
        administer(&server, &format!("CREATE DATABASE {name}")).await;
        Some(Self::Postgres { server, name })
    }

    pub(crate) async fn remove(&self) {
        // The directory of SQLite goes with its value.
        if let Self::Postgres { server, name } = self {
            administer(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The database as the command line names it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite:{}", folder.path().join("seatwise.db").display())
            }
            Self::Postgres { server, name } => {
                let path = server.split('?').next().unwrap_or_default();
                let (host, old) = path.rsplit_once('/').expect("checked when it was read");
                let parameters = &server[host.len() + 1 + old.len()..];
                format!("{host}/{name}{parameters}")
            }
        }
    }

    /// Changes the database past its server, which must not run if it is on SQLite.
    pub(crate) async fn execute(&self, statements: String) {
        match self {
            Self::Postgres { .. } => administer(&self.url(), &statements).await,
            Self::Sqlite(folder) => {
                let path = folder.path().join("seatwise.db");
                let execute = move || {
                    let path = path.to_str().expect("a path in UTF-8");
                    let mut conn = SqliteConnection::establish(path).expect("the database opens");
                    conn.batch_execute(&statements).expect("it is done");
                };
                let executed = tokio::task::spawn_blocking(execute).await;
                executed.expect("the database is changed");
            }
        }
    }

    pub(crate) fn location(&self) -> Location {
        self.url().parse().expect("made above")
    }
}

/// The URL of the PostgreSQL to test with.
fn postgres() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let url = variable("TEST_POSTGRES_URL");
        if let Some(url) = &url {
            let path = url.split_once("://").map_or("", |(_, rest)| rest);
            let has_database = path.contains('/');
            assert!(has_database, "TEST_POSTGRES_URL must name a database");
            return Some(url.clone());
        }
        assert!(
            variable("SEATWISE_TEST_ALL").is_none(),
            "SEATWISE_TEST_ALL asks for PostgreSQL: set TEST_POSTGRES_URL"
        );
        // Not with `println!`, which tests show only when they fail.
        let line = "PostgreSQL left out: set TEST_POSTGRES_URL";
        let _ = writeln!(std::io::stderr(), "{line}");
        None
    };
    URL.get_or_init(read).as_deref()
}

/// A variable of the environment, unless it is empty.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line to read it from"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn administer(server: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls)
        .await
        .expect("the PostgreSQL at TEST_POSTGRES_URL answers");
    let connection = tokio::spawn(connection);
    let done = client.batch_execute(statement).await;
    done.expect("TEST_POSTGRES_URL may create databases");
    drop(client);
    let _ = connection.await;
}
