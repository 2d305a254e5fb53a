//! `seatwise serve` and `seatwise migrate`.

mod database;
mod file;
mod options;
mod settings;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use seatwise_server::server::{self, Config, Override, Started};
use seatwise_server::store::{Exposure, Location, Store};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::command_line::quoted;
use crate::error::Error;
use crate::output;
pub(crate) use options::ServeArgs;
pub(crate) use settings::{Settings, configured};

/// Where the server listens unless told otherwise.
const ADDRESS: &str = "127.0.0.1:7400";

#[derive(Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    direct: Direct,
    #[command(flatten)]
    _source: options::Source,
}

/// What a command takes that works on the database itself, without a server.
#[derive(Args)]
pub(crate) struct Direct {
    #[command(flatten)]
    database: database::Database,
    /// Go on although the way to the database is not safe: `plaintext-database`
    #[arg(
        long,
        env = "SEATWISE_ALLOW_INSECURE",
        value_name = "CHECK",
        value_delimiter = ','
    )]
    allow_insecure: Vec<Override>,
}

impl Direct {
    /// Where the database is, if the way to it is as safe as a server wants it.
    pub(crate) fn location(&self, settings: &Settings) -> Result<Location, Error> {
        let location = self.database.location(settings)?;
        let is_allowed = self.allow_insecure.contains(&Override::PlaintextDatabase);
        if location.exposure() == Exposure::Open && !is_allowed {
            let text = "plaintext-database: others could read what goes to the database, or be it; connect \
                        with sslmode=verify-full, or accept it with --allow-insecure plaintext-database";
            return Err(Error::Config(text.to_owned()));
        }
        Ok(location)
    }
}

pub(crate) async fn serve(args: ServeArgs, settings: Settings) -> Result<ExitCode, Error> {
    if args.print_config {
        let config = settings.print(&args.implied(&settings)?);
        output::line(config.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let (config, mut failures) = args.config(&settings)?;
    failures.extend(server::check(&config, args.listen));
    if !failures.is_empty() {
        return Err(server::Error::Refused(failures).into());
    }
    if args.check {
        output::line("nothing speaks against running the server so")?;
        return Ok(ExitCode::SUCCESS);
    }
    log(args.log);
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener
        .map_err(|error| Error::Failed(format!("cannot listen on {}: {error}", args.listen)))?;
    let announcement = Announcement::of(&config, listener.local_addr()?);
    let announce = |started: Started| {
        // Who has read the first line may be gone; the server stays.
        let _ = std::io::stdout().write_all(announcement.text(&started).as_bytes());
    };
    server::run(config, listener, announce, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}

fn log(filter: EnvFilter) {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// What the server says on standard output once it serves.
struct Announcement {
    address: SocketAddr,
    is_tls: bool,
    database: String,
}

impl Announcement {
    fn of(config: &Config, address: SocketAddr) -> Self {
        Self {
            address,
            is_tls: config.tls.is_some(),
            database: database::shown(&config.database),
        }
    }

    fn text(&self, started: &Started) -> String {
        let Self {
            address, database, ..
        } = self;
        let mut text = format!("seatwise is listening on {address}\nits data is in {database}\n");
        if let Some(key) = &started.admin_key {
            let whole = std::path::absolute(key).unwrap_or_else(|_| key.clone());
            let key = quoted(whole.display().to_string());
            let server = self.server();
            text += &format!("the first admin key is in {key}; try it:\n");
            text += &format!("  SEATWISE_TOKEN_FILE={key} seatwise whoami{server}\n");
        }
        text
    }

    /// The option that leads to the server, if there must be one.
    fn server(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        match (self.is_tls, ip.is_unspecified()) {
            // Which name the certificate has, only its owner knows.
            (true, _) => format!(" --server https://NAME:{port}"),
            (false, _) if self.address.to_string() == ADDRESS => String::new(),
            (false, true) => format!(" --server 127.0.0.1:{port}"),
            (false, false) => format!(" --server {}", self.address),
        }
    }
}

pub(crate) async fn migrate(args: MigrateArgs, settings: Settings) -> Result<ExitCode, Error> {
    let store = Store::open(&args.direct.location(&settings)?)
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
    fn the_line_to_try_leads_to_the_server() {
        for (address, is_tls, line) in [
            (
                "127.0.0.1:7400",
                false,
                "SEATWISE_TOKEN_FILE=/k seatwise whoami\n",
            ),
            (
                "127.0.0.1:1",
                false,
                "SEATWISE_TOKEN_FILE=/k seatwise whoami --server 127.0.0.1:1\n",
            ),
            (
                "[::1]:1",
                false,
                "SEATWISE_TOKEN_FILE=/k seatwise whoami --server [::1]:1\n",
            ),
            (
                "0.0.0.0:1",
                false,
                "SEATWISE_TOKEN_FILE=/k seatwise whoami --server 127.0.0.1:1\n",
            ),
            (
                "0.0.0.0:7400",
                true,
                "SEATWISE_TOKEN_FILE=/k seatwise whoami --server https://NAME:7400\n",
            ),
        ] {
            let announcement = Announcement {
                address: address.parse().unwrap(),
                is_tls,
                database: "d".to_owned(),
            };
            let admin_key = Some("/k".into());
            let text = announcement.text(&Started { admin_key });
            assert!(
                text.starts_with(&format!("seatwise is listening on {address}\n")),
                "{text}"
            );
            assert!(text.ends_with(line), "{text}");
            let text = announcement.text(&Started { admin_key: None });
            assert!(text.ends_with("\nits data is in d\n"), "{text}");
        }
    }
}
