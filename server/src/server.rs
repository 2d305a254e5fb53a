//! Composition: opens the store, puts the RPCs on a listener, and takes everything down again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};
use uuid::Uuid;

pub use crate::config::{Config, Issuer, Override, Tls};
pub use crate::listen::{BadFile, LoadedTls};
use crate::listen::{Certificates, Connections};
use crate::rpc::{self, Rpc, Tokens};
use crate::service::Service;
pub use crate::service::{HistoryTooShort, Keep};
use crate::store::{self, Location, Schema, Store};

/// Calls on one connection at the same time. Unlimited by default, which lets one peer open
/// thousands of streams.
const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// A silent peer is asked whether it is there, and given up.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
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
    /// The address is reachable from outside.
    #[error(
        "refusing to listen on {0}: without access control only a loopback address is safe; \
         use 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// History would be kept too short.
    #[error(transparent)]
    Keep(#[from] HistoryTooShort),
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

/// Opens the store and makes its schema, if there is none yet.
pub async fn open(database: &Location) -> Result<Store, Error> {
    let store = Store::open(database).await?;
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
    ready: impl FnOnce(),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    let certificates = config.tls.map(Certificates::load).transpose()?;
    let store = open(&config.database).await?;
    let fresh = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let tokens = Tokens::new(&store.token_key(&fresh).await?);
    let service = Service::new(store, rpc::encoder(tokens.clone()));
    let recovery = tokio::spawn({
        let service = service.clone();
        async move { service.recover().await }
    });
    let pruning = tokio::spawn({
        let service = service.clone();
        async move { service.prune(config.keep).await }
    });

    let (health, health_service) = tonic_health::server::health_reporter();
    for name in rpc::SERVICES.into_iter().chain([""]) {
        health
            .set_service_status(name, ServingStatus::Serving)
            .await;
    }
    let mut routes = Routes::new(health_service);
    for reflection in reflection() {
        routes = reflection(routes);
    }
    let rpc = Rpc {
        service: service.clone(),
        tokens,
        buy_more_url: config.buy_more_url,
    };
    let routes = rpc::add_to(routes, rpc);

    let incoming = Connections::accept(listener, certificates);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serve = Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(rpc::InCallersLanguage)
        .layer(rpc::Gate)
        .layer(CatchPanicLayer::custom(Panicked))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async {
            let _ = stopped.await;
        });
    tokio::pin!(serve);
    ready();
    tokio::select! {
        served = &mut serve => return Ok(served?),
        () = shutdown => {}
    }
    tracing::info!("stopping");
    for name in rpc::SERVICES.into_iter().chain([""]) {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
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
