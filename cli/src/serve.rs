//! `seatwise serve` and `seatwise migrate`.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use seatwise_server::server::{self, Config, Keep};
use seatwise_server::store::{Location, Store};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::error::Error;

/// Where the server listens unless told otherwise.
pub(crate) const ADDRESS: &str = "127.0.0.1:7400";

#[derive(Args)]
pub(crate) struct Database {
    /// Where the data lives: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`. A file in your data
    /// directory if not given
    #[arg(long, env = "SEATWISE_DATABASE", value_name = "URL")]
    database: Option<Location>,
}

impl Database {
    fn location(self) -> Result<Location, Error> {
        if let Some(location) = self.database {
            return Ok(location);
        }
        let missing = || Error::Input("there is no data directory: give --database".to_owned());
        let folder: PathBuf = dirs::data_dir().ok_or_else(missing)?;
        Ok(Location::Sqlite(
            folder.join("seatwise").join("seatwise.db"),
        ))
    }
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; only loopback addresses are safe and allowed. Port 0 takes a free one
    #[arg(long, env = "SEATWISE_LISTEN", default_value = ADDRESS)]
    listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    /// Where customers buy more seats; shown with licenses that have none left
    #[arg(
        long,
        env = "SEATWISE_BUY_MORE_URL",
        default_value = "",
        value_name = "URL"
    )]
    buy_more_url: String,
    /// How many days after its end the results of a batch are kept: as long it can be read, reverted and
    /// retried. What it came to is kept for ever
    #[arg(
        long,
        env = "SEATWISE_KEEP_RESULTS",
        default_value = "90",
        value_name = "DAYS",
        value_parser = days
    )]
    keep_results: NonZeroU16,
    /// How many days the history of a customer and its audit are kept, at least as long as results. For
    /// ever if not given
    #[arg(long, env = "SEATWISE_KEEP_HISTORY", value_name = "DAYS", value_parser = days)]
    keep_history: Option<NonZeroU16>,
    /// What to log, as `info` or `seatwise_server=debug`
    #[arg(long, env = "SEATWISE_LOG", default_value = "info")]
    log: EnvFilter,
}

#[derive(Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    database: Database,
}

pub(crate) async fn serve(args: ServeArgs) -> Result<ExitCode, Error> {
    tracing_subscriber::fmt()
        .with_env_filter(args.log)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if !args.listen.ip().is_loopback() {
        return Err(server::Error::NotLoopback(args.listen).into());
    }
    let config = Config {
        database: args.database.location()?,
        buy_more_url: args.buy_more_url,
        keep: Keep::new(args.keep_results, args.keep_history).map_err(server::Error::from)?,
        tls: None,
        issuer: None,
        admin_key: PathBuf::from("admin.key"),
        overrides: Vec::new(),
    };
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener
        .map_err(|error| Error::Failed(format!("cannot listen on {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let data = shown(&config.database);
    let announce = || {
        let text = format!("seatwise is listening on {address}\nits data is in {data}\n");
        // Who has read the first line may be gone; the server stays.
        let _ = std::io::stdout().write_all(text.as_bytes());
    };
    server::run(config, listener, announce, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}

fn days(text: &str) -> Result<NonZeroU16, String> {
    let days = text.parse().ok();
    days.ok_or_else(|| format!("must be a number of days from 1 to {}", u16::MAX))
}

/// Where the data lives, without the password.
fn shown(database: &Location) -> String {
    match database {
        Location::Sqlite(path) => {
            let whole = std::path::absolute(path);
            whole.as_ref().unwrap_or(path).display().to_string()
        }
        Location::Postgres(url) => {
            let url = url.split('?').next().unwrap_or_default();
            let (scheme, place) = url.split_once("://").unwrap_or(("postgres", url));
            match place.rsplit_once('@') {
                Some((user, place)) => {
                    let user = user.split(':').next().unwrap_or_default();
                    format!("{scheme}://{user}@{place}")
                }
                None => format!("{scheme}://{place}"),
            }
        }
    }
}

pub(crate) async fn migrate(args: MigrateArgs) -> Result<ExitCode, Error> {
    let store = Store::open(&args.database.location()?)
        .await
        .map_err(server::Error::from)?;
    match store.migrate().await.map_err(server::Error::from)? {
        0 => println!("the schema is current"),
        count => println!("applied {count} migrations"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Completes when somebody asks the process to end: Ctrl-C, or SIGTERM as service managers send.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("signals can be received");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, text) in [
            ("postgres://u:p@w@h/d?password=x", "postgres://u@h/d"),
            ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
            ("postgres:///d?host=/run", "postgres:///d"),
        ] {
            assert_eq!(shown(&url.parse().unwrap()), text);
        }
        let path = shown(&"sqlite:seats.db".parse().unwrap());
        assert!(
            path.starts_with('/') && path.ends_with("/seats.db"),
            "{path}"
        );
    }
}
