//! Composition: opens the store, puts the RPCs on a listener, and takes everything down again.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};
use uuid::Uuid;

pub use crate::config::{Config, Issuer, Override, Tls};
use crate::domain::Roles;
use crate::identity::Verifier;
pub use crate::listen::{BadFile, LoadedTls};
use crate::listen::{Certificates, Connections};
use crate::rpc::{self, Rpc, Tokens};
pub use crate::service::{HistoryTooShort, Keep};
use crate::service::{Service, new_key};
pub use crate::startup::{Failure, check};
use crate::store::{self, Location, Schema, Store};

/// Calls on one connection at the same time. Unlimited by default, which lets one peer open
/// thousands of streams.
const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// The name of the first principal.
const ADMIN: &str = "admin";
/// A silent peer is asked whether it is there, and given up.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is said that checks of the start are overridden.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);
/// How long calls may take to end when the server stops. Some peers never end.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Why the service could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's reason.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The schema is not the one of this build.
    #[error("{0}")]
    Schema(String),
    /// It would not be safe, or the configuration is wrong: every check that fails.
    #[error("refusing to start:{}", listed(.0))]
    Refused(Vec<Failure>),
    /// A key cannot be written there.
    #[error("{0}")]
    KeyFile(String),
    /// No token could be verified.
    #[error(transparent)]
    Issuer(#[from] crate::identity::Problem),
    /// The directory could not be read or made.
    #[error(transparent)]
    Service(#[from] crate::service::Error),
    /// A file of TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] BadFile),
    /// The listener failed.
    #[error("cannot serve: {0}")]
    Io(#[from] std::io::Error),
    /// The transport failed.
    #[error("cannot serve: {0}")]
    Transport(#[from] tonic::transport::Error),
}

fn listed(failures: &[Failure]) -> String {
    let lines = failures.iter().map(|failure| format!("\n  {failure}"));
    lines.collect()
}

/// What the service tells once it serves calls.
#[derive(Debug)]
pub struct Started {
    /// Where it has written the first admin key, if it has made one.
    pub admin_key: Option<PathBuf>,
}

/// Opens the store and makes its schema, if there is none yet.
pub async fn open(database: &Location) -> Result<Store, Error> {
    current(Store::open(database).await?).await
}

async fn current(store: Store) -> Result<Store, Error> {
    match store.schema().await? {
        Schema::Current => {}
        Schema::Empty => {
            let count = store.migrate().await?;
            tracing::info!(count, "schema made");
        }
        Schema::Behind(missing) => {
            return Err(Error::Schema(format!(
                "the schema lacks {missing} migrations of this version: run `seatwise migrate`"
            )));
        }
        Schema::Newer(version) => {
            return Err(Error::Schema(format!(
                "the schema is newer than this version (it has migration {version}): \
                 run the newer seatwise"
            )));
        }
        Schema::Dirty(reason) => {
            return Err(Error::Schema(format!(
                "the database is not one that seatwise left behind: {reason}; \
                 use an empty one or restore a backup"
            )));
        }
    }
    Ok(store)
}

/// Runs the service on a listener until `shutdown` completes, then lets every running chunk commit.
/// What is accepted and not ended goes on at the next start. `ready` is called once calls are served.
pub async fn run(
    config: Config,
    listener: TcpListener,
    ready: impl FnOnce(Started),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let failures = check(&config, listener.local_addr()?);
    if !failures.is_empty() {
        return Err(Error::Refused(failures));
    }
    let certificates = config.tls.clone().map(Certificates::load).transpose()?;
    let store = open(&config.database).await?;
    let tokens = tokens(&store).await?;
    let service = Service::new(store, rpc::encoder(tokens.clone()), rpc::BATCH_ROLES);
    let asks = !config.overrides.contains(&Override::NoAuthentication);
    let verifier = config.issuer.as_ref().map(Verifier::new).transpose()?;
    let is_made = asks && make_admin(&service, &config.admin_key).await?;
    let admin_key = is_made.then(|| config.admin_key.clone());
    let recovery = tokio::spawn({
        let service = service.clone();
        async move { service.recover().await }
    });
    let pruning = tokio::spawn({
        let service = service.clone();
        async move { service.prune(config.keep).await }
    });

    let (health, health_service) = tonic_health::server::health_reporter();
    set_status(&health, ServingStatus::Serving).await;
    let mut routes = Routes::new(health_service);
    for reflection in reflection() {
        routes = reflection(routes);
    }
    let rpc = Rpc {
        service: service.clone(),
        tokens,
        server_info: rpc::server_info(&config),
        buy_more_url: config.buy_more_url,
    };
    let routes = rpc::add_to(routes, rpc);

    let incoming = Connections::accept(listener, certificates);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serve = Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(rpc::RequestLog)
        .layer(rpc::InCallersLanguage)
        .layer(rpc::Gate::new(service.clone(), asks, verifier))
        .layer(CatchPanicLayer::custom(Panicked))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async {
            let _ = stopped.await;
        });
    tokio::pin!(serve);
    ready(Started { admin_key });
    tokio::select! {
        served = &mut serve => return Ok(served?),
        never = warn_of(&config.overrides) => match never {},
        () = shutdown => {}
    }
    tracing::info!("stopping");
    set_status(&health, ServingStatus::NotServing).await;
    let drain = async {
        let _ = stop.send(());
        let (served, ()) = tokio::join!(serve, service.stop());
        let _ = tokio::join!(recovery, pruning);
        served
    };
    match tokio::time::timeout(DRAIN_MAX, drain).await {
        Ok(served) => served?,
        Err(_) => tracing::warn!("some calls did not end in time"),
    }
    Ok(())
}

/// The secret of page tokens and cursors, which the first server makes.
async fn tokens(store: &Store) -> Result<Tokens, Error> {
    let fresh = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    Ok(Tokens::new(&store.token_key(&fresh).await?))
}

/// Makes another global admin in a database that is there, and writes its key to a new file; returns its
/// name.
pub async fn recover(database: &Location, file: &Path) -> Result<String, Error> {
    let is_there = !matches!(database, Location::Sqlite(path) if !path.exists());
    let store = if is_there {
        Some(Store::open(database).await?)
    } else {
        None
    };
    let store = match store {
        Some(store) if store.schema().await? != Schema::Empty => current(store).await?,
        _ => {
            return Err(Error::Schema(format!(
                "there is no database of seatwise at {database:?}"
            )));
        }
    };
    // No server may have been started on it yet.
    tokens(&store).await?;
    let service = Service::new(store, Arc::new(|_| Vec::new()), Roles::NONE);
    let (key, shown) = new_key(None)?;
    let name = format!("recovered {}", key.id);
    check_new(file)?;
    write_secret(file, &shown)?;
    let made = service.create_admin(&name, "keys recover", key).await;
    if made.is_err() {
        std::fs::remove_file(file)?;
    }
    made?;
    service.stop().await;
    Ok(name)
}

/// Makes the first admin and writes its key to a file, if there is nobody who may call.
async fn make_admin(service: &Service, file: &Path) -> Result<bool, Error> {
    if service.has_principals().await? {
        return Ok(false);
    }
    check_new(file)?;
    let (key, shown) = new_key(None)?;
    // First the file: a key that nobody could read would keep everybody out.
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    write_secret(&draft, &shown)?;
    let is_made = service.create_admin(ADMIN, "serve", key).await?;
    if is_made {
        std::fs::rename(&draft, file)?;
    } else {
        // Another server that started at the same time was faster.
        std::fs::remove_file(&draft)?;
    }
    Ok(is_made)
}

/// Refuses to write a key over what may be the only one of another server.
fn check_new(file: &Path) -> Result<(), Error> {
    if !file.exists() {
        return Ok(());
    }
    Err(Error::KeyFile(format!(
        "{} is there already: no key is written over it; name another file, or move it away",
        file.display()
    )))
}

/// Writes a secret to a file that only its owner can read, in place of an older one.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    writeln!(file, "{secret}")?;
    file.sync_all()
}

/// Tells who watches the health of all services.
async fn set_status(health: &HealthReporter, status: ServingStatus) {
    for name in rpc::SERVICES.into_iter().chain([""]) {
        health.set_service_status(name, status).await;
    }
}

/// Says again and again what the operator has overridden, so that it does not stay by being forgotten.
async fn warn_of(overrides: &[Override]) -> Infallible {
    let names: Vec<_> = overrides.iter().map(|check| check.name()).collect();
    if names.is_empty() {
        return std::future::pending().await;
    }
    let overridden = names.join(", ");
    let mut again = tokio::time::interval(WARNING_INTERVAL);
    loop {
        again.tick().await;
        tracing::warn!(overridden, "this server is run insecurely");
    }
}

type AddReflection = Box<dyn FnOnce(Routes) -> Routes>;

/// Reflection in both versions, since older tools know only the alpha.
fn reflection() -> [AddReflection; 2] {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(seatwise_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // Without it grpcurl cannot print the details of an error.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let built = "the descriptor sets are compiled in";
    let v1 = builder().build_v1().expect(built);
    let v1alpha = builder().build_v1alpha().expect(built);
    [
        Box::new(move |routes| routes.add_service(v1)),
        Box::new(move |routes| routes.add_service(v1alpha)),
    ]
}

/// A defect in a call must not break the connection of all others.
#[derive(Clone, Copy)]
struct Panicked;

impl ResponseForPanic for Panicked {
    type ResponseBody = tonic::body::Body;

    fn response_for_panic(
        &mut self,
        _: Box<dyn std::any::Any + Send + 'static>,
    ) -> http::Response<Self::ResponseBody> {
        rpc::panicked().into_http()
    }
}
