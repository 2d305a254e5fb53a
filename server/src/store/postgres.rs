//! PostgreSQL: opening the pool. The statements of its hot path are in `chunk/postgres.rs`.

mod target;
mod verify;

use std::error::Error as _;
use std::time::Duration;

use bb8::ErrorSink;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(super) use target::Target;

use super::error::{Error, unavailable};

/// Connections of one server. Batches of one customer use one at a time, so this bounds how many
/// customers are served at once.
const CONNECTIONS_MAX: u32 = 16;
/// How long a call waits for a connection before the database counts as out of reach.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(10);

/// Each statement finds its rows by key; a plan made while a table was empty must not scan it later.
/// Generic plans, because a plan for one customer goes by statistics that do not know a new one yet:
/// it expects no rows, takes any index that begins with the customer, and reads all its users for
/// each of them. The time limits free locks that a lost server holds.
const SESSION: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off; \
    SET lc_messages = 'C'; SET lock_timeout = '10s'; \
    SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '30s'";

pub(super) async fn open(url: &str) -> Result<Pool<AsyncPgConnection>, Error> {
    // The pool hides why it cannot connect, so the first connection is made without it.
    drop(connect(url).await.map_err(unavailable)?);
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| {
        let url = url.to_owned();
        Box::pin(async move { connect(&url).await })
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let pool = Pool::builder()
        .max_size(CONNECTIONS_MAX)
        .connection_timeout(CONNECTION_WAIT_MAX)
        .test_on_check_out(false)
        .error_sink(Box::new(LogSink))
        .build(manager);
    pool.await.map_err(unavailable)
}

pub(super) async fn connect(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) = dial(url).await.map_err(ConnectionError::BadConnection)?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    conn.batch_execute(SESSION)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// A connection of the driver alone, for what is not done through the store. It ends with the client.
///
/// # Errors
/// What is wrong, without the password.
pub async fn connect_driver(url: &str) -> Result<Client, String> {
    let (client, connection) = dial(url).await?;
    // Its errors are those of the client's calls.
    tokio::spawn(connection);
    Ok(client)
}

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

async fn dial(url: &str) -> Result<(Client, Connection<Socket, Stream>), String> {
    let (config, tls) = Target::parse(url)?.tls()?;
    config
        .connect(tls)
        .await
        .map_err(|error| match error.source() {
            // What the driver says by itself lacks the cause.
            Some(cause) if !error.to_string().contains(&cause.to_string()) => {
                format!("{error}: {cause}")
            }
            _ => error.to_string(),
        })
}

#[derive(Debug, Clone, Copy)]
struct LogSink;

impl ErrorSink<PoolError> for LogSink {
    fn sink(&self, error: PoolError) {
        tracing::warn!(%error, "cannot connect to PostgreSQL");
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<PoolError>> {
        Box::new(*self)
    }
}
