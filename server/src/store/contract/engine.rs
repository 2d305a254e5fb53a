//! The engines: each is one function that opens a fresh, empty store.

use std::io::Write;
use std::panic::resume_unwind;
use std::sync::Once;

use diesel_async::SimpleAsyncConnection;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::store::{Location, Store, postgres as pg};

/// Checks on PostgreSQL at one time: each takes connections, and a server has a hundred.
static PLACES: Semaphore = Semaphore::const_new(4);

/// An empty store and where it is.
pub(super) struct Fresh {
    pub(super) store: Store,
    pub(super) location: Location,
}

impl Fresh {
    /// The store as another server has it: with connections and queues of its own, where more than
    /// one server may have the database open.
    pub(super) async fn another_server(&self) -> Store {
        match &self.location {
            Location::Postgres(_) => Store::open(&self.location).await.expect("opened again"),
            Location::Sqlite(_) => self.store.clone(),
        }
    }
}

/// What is to be removed after the check.
enum Remains {
    Folder(TempDir),
    Database {
        server: String,
        name: String,
        _place: SemaphorePermit<'static>,
    },
}

/// A store in a folder of its own.
pub(super) async fn sqlite() -> Option<Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let location = Location::Sqlite(folder.path().join("data").join("seatwise.db"));
    Some(Engine::open(location, Remains::Folder(folder)).await)
}

/// A store in a database of its own; none if no server was named.
pub(super) async fn postgres() -> Option<Engine> {
    let Some(server) = setting("TEST_POSTGRES_URL") else {
        assert!(
            setting("SEATWISE_TEST_ALL").is_none(),
            "TEST_POSTGRES_URL is not set"
        );
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            // Not through the macro, whose output is shown for failures only.
            let line = "PostgreSQL left out: set TEST_POSTGRES_URL";
            writeln!(std::io::stderr(), "{line}").expect("standard error is open");
        });
        return None;
    };
    let place = PLACES.acquire().await.expect("never closed");
    let name = format!("seatwise_{}", Uuid::new_v4().simple());
    execute(&server, &format!("CREATE DATABASE {name}")).await;
    let location = Location::Postgres(with_database(&server, &name));
    Some(
        Engine::open(
            location,
            Remains::Database {
                server,
                name,
                _place: place,
            },
        )
        .await,
    )
}

/// A fresh store and what remains of it.
pub(super) struct Engine {
    fresh: Fresh,
    remains: Remains,
}

impl Engine {
    async fn open(location: Location, remains: Remains) -> Self {
        let store = Store::open(&location).await.expect("opened");
        Self {
            fresh: Fresh { store, location },
            remains,
        }
    }

    /// Runs a check in a task of its own, as callers do, and cleans up.
    pub(super) async fn run<F>(self, check: impl FnOnce(Fresh) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let outcome = tokio::spawn(check(self.fresh)).await;
        match self.remains {
            Remains::Folder(folder) => folder.close().expect("removed"),
            Remains::Database { server, name, .. } => {
                // By force: tasks of a check that failed may still be connected.
                execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
        if let Err(failed) = outcome {
            resume_unwind(failed.into_panic());
        }
    }
}

async fn execute(server: &str, statement: &str) {
    let mut conn = pg::connect(server)
        .await
        .expect("TEST_POSTGRES_URL can be reached");
    conn.batch_execute(statement).await.expect(statement);
}

fn with_database(url: &str, name: &str) -> String {
    let (url, options) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{server}/{name}{mark}{options}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line to be configured by"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
