//! A real server on a fresh database of one engine, and the client to it.
//!
//! The server runs in the test's own process, or as a process of its own where a test kills it.

use std::net::{Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU16, Ordering};

use futures_util::FutureExt;
use seatwise_client::Client;
use seatwise_server::server::{self, Config, Keep, Tls};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use crate::database::Database;
use crate::{fixtures, process};

/// Where customers of the server in the test's process buy more seats.
pub(crate) const BUY_MORE_URL: &str = "https://shop.example.com/seats";

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Makes two tests of each function, one on SQLite and one on PostgreSQL.
macro_rules! on_every_engine {
    ($($name:ident,)*) => {
        crate::harness::on_sqlite![$($name,)*];
        crate::harness::on_postgres![$($name,)*];
    };
}
macro_rules! on_sqlite {
    ($($name:ident,)*) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::harness::run(crate::harness::Engine::Sqlite, super::$name).await;
            }
        )* }
    };
}
macro_rules! on_postgres {
    ($($name:ident,)*) => {
        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::harness::run(crate::harness::Engine::Postgres, super::$name).await;
            }
        )* }
    };
}
pub(crate) use {on_every_engine, on_postgres, on_sqlite};

/// A server and its database.
pub(crate) struct Harness {
    database: Database,
    address: SocketAddr,
    running: Mutex<Option<Running>>,
    client: Client,
    secrets: TempDir,
}

enum Running {
    Here {
        stop: oneshot::Sender<()>,
        served: JoinHandle<Result<(), server::Error>>,
    },
    Process(Child),
}

/// Runs a test against a server on a fresh database, which is removed afterwards. Without the
/// engine nothing is run.
pub(crate) async fn run(engine: Engine, test: impl AsyncFn(&Harness)) {
    let Some(database) = Database::create(engine).await else {
        return;
    };
    let address = free_address();
    let secrets = tempfile::tempdir().expect("a directory");
    let harness = Harness {
        database,
        address,
        running: Mutex::new(None),
        client: client(address, &admin_key(secrets.path())),
        secrets,
    };
    let outcome = AssertUnwindSafe(test(&harness)).catch_unwind().await;
    harness.kill().await;
    harness.database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// A client with the key in a file, as soon as there is one.
fn client(address: SocketAddr, admin_key: &Path) -> Client {
    let builder = Client::builder(format!("http://{address}")).token_file(admin_key);
    builder.build().expect("an address makes an endpoint")
}

/// Where a server writes its first admin key.
fn admin_key(secrets: &Path) -> PathBuf {
    secrets.join("admin.key")
}

impl Harness {
    /// The client, which outlives restarts of the server.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client with a connection of its own.
    pub(crate) fn another_client(&self) -> Client {
        self.client_of(self.address)
    }

    /// A client of another server on the same database.
    pub(crate) fn client_of(&self, address: SocketAddr) -> Client {
        client(address, &self.admin_key())
    }

    /// A client that asks for texts in a language, in the words of `accept-language`.
    pub(crate) fn client_in(&self, language: &str) -> Client {
        let builder = Client::builder(self.endpoint()).token_file(self.admin_key());
        builder
            .language(language)
            .build()
            .expect("the language is ASCII")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the server writes its first admin key.
    pub(crate) fn admin_key(&self) -> PathBuf {
        admin_key(self.secrets.path())
    }

    /// The engine that the server is on.
    pub(crate) fn engine(&self) -> Engine {
        self.database.engine()
    }

    /// The database as the command line names it.
    pub(crate) fn database_url(&self) -> String {
        self.database.url()
    }

    /// Changes the database while no server runs.
    pub(crate) async fn edit_database(&self, statements: String) {
        assert!(self.running.lock().await.is_none(), "the server is running");
        self.database.execute(statements).await;
    }

    /// Starts the server with the small catalogue of the fixtures.
    pub(crate) async fn start_with_catalogue(&self) {
        self.start().await;
        fixtures::import_catalogue(&self.client).await;
    }

    /// Starts the server in this process and waits until it serves.
    pub(crate) async fn start(&self) {
        self.start_keeping(Keep::default()).await;
    }

    /// Starts the server in this process, which keeps results and history so long.
    pub(crate) async fn start_keeping(&self, keep: Keep) {
        self.start_configured(|config| config.keep = keep).await;
    }

    /// Starts the server in this process, with TLS.
    pub(crate) async fn start_secure(&self, tls: Tls) {
        self.start_configured(|config| config.tls = Some(tls)).await;
    }

    /// Starts the server in this process, configured by this.
    pub(crate) async fn start_configured(&self, configure: impl FnOnce(&mut Config)) {
        let mut running = self.running.lock().await;
        assert!(running.is_none(), "the server is running");
        let listener = TcpListener::bind(self.address).await;
        let listener = listener.expect("nobody else takes the address");
        let mut config = Config {
            database: self.database.location(),
            buy_more_url: BUY_MORE_URL.to_owned(),
            keep: Keep::default(),
            tls: None,
            issuer: None,
            admin_key: self.admin_key(),
            overrides: Vec::new(),
        };
        configure(&mut config);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let served = tokio::spawn(async move {
            let announce = |_| ready.send(()).expect("the test waits");
            let shutdown = async {
                let _ = stopped.await;
            };
            server::run(config, listener, announce, shutdown).await
        });
        *running = Some(Running::Here { stop, served });
        is_ready.await.expect("the server starts");
    }

    /// Starts the server in a process of its own and waits until it serves.
    pub(crate) async fn start_process(&self) {
        self.start_process_with(&[]).await;
    }

    /// Starts the server in a process of its own, with more arguments.
    pub(crate) async fn start_process_with(&self, arguments: &[&str]) {
        let mut running = self.running.lock().await;
        assert!(running.is_none(), "the server is running");
        *running = Some(Running::Process(
            process::serve_with(self, self.address, arguments).await,
        ));
    }

    /// Asks the server in this process to stop, and waits until it has.
    pub(crate) async fn stop(&self) {
        let running = self.running.lock().await.take();
        let Some(Running::Here { stop, served }) = running else {
            panic!("no server runs in this process");
        };
        stop.send(()).expect("the server is there");
        let served = served.await.expect("the server does not panic");
        served.expect("the server stops well");
    }

    pub(crate) async fn restart(&self) {
        self.stop().await;
        self.start().await;
    }

    /// Ends the server at once: its process with SIGKILL.
    pub(crate) async fn kill(&self) {
        match self.running.lock().await.take() {
            Some(Running::Process(child)) => process::kill(child).await,
            Some(Running::Here { served, .. }) => served.abort(),
            None => {}
        }
    }
}

/// An address that stays free while its server is down: below the ports that the system gives to
/// outgoing connections and to listeners on port 0.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 4_000).expect("below 4,000");
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (first + step) % 10_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if std::net::TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
