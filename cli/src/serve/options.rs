//! The options of `seatwise serve`, and the configuration that they make.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use seatwise_server::server::{Config, Failure, Issuer, Keep, Override, Tls};
use seatwise_server::store::Location;
use tracing_subscriber::EnvFilter;

use super::database::{Database, data_folder};
use super::settings::Settings;
use super::{ADDRESS, database};
use crate::error::Error;

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on. One that is not loopback takes TLS. Port 0 takes a free one
    #[arg(long, env = "SEATWISE_LISTEN", default_value = ADDRESS, value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,
    /// What to log, as `info`, `seatwise_server=debug`, or `info,seatwise::calls=warn` for only those
    /// calls that were denied
    #[arg(
        long,
        env = "SEATWISE_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(super) log: EnvFilter,
    /// Run although this check of the start fails; repeat for others. The refusal names it, the log and
    /// `seatwise server-info` tell of it
    #[arg(
        long,
        env = "SEATWISE_ALLOW_INSECURE",
        value_name = "CHECK",
        value_delimiter = ',',
        action = ArgAction::Append
    )]
    allow_insecure: Vec<Override>,
    #[command(flatten)]
    pub(super) source: Source,
    /// Only check whether the server may be run so, without listening: ends with 0, or says all that
    /// speaks against it and ends with 78
    #[arg(long, help_heading = "Configuration")]
    pub(super) check: bool,
    /// Only print the configuration, and where each value is from, as a file for --config
    #[arg(long, help_heading = "Configuration")]
    pub(super) print_config: bool,
    #[command(flatten)]
    pub(super) database: Database,
    /// Where customers buy more seats; shown with licenses that have none left
    #[arg(
        long,
        env = "SEATWISE_BUY_MORE_URL",
        default_value = "",
        value_name = "URL",
        help_heading = "Data"
    )]
    buy_more_url: String,
    /// How many days after its end the results of a batch are kept: as long it can be read, reverted and
    /// retried. What it came to is kept for ever
    #[arg(
        long,
        env = "SEATWISE_KEEP_RESULTS",
        default_value = "90",
        value_name = "DAYS",
        value_parser = days,
        help_heading = "Data"
    )]
    keep_results: NonZeroU16,
    /// How many days the history of a customer and its audit are kept, at least as long as results. For
    /// ever if not given
    #[arg(
        long,
        env = "SEATWISE_KEEP_HISTORY",
        value_name = "DAYS",
        value_parser = days,
        help_heading = "Data"
    )]
    keep_history: Option<NonZeroU16>,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    who: WhoArgs,
}

/// Where options can also come from.
#[derive(Args)]
pub(crate) struct Source {
    /// File of options in TOML, named as here without `--`: what neither the command line nor the
    /// environment says is read from it
    #[arg(
        long,
        env = "SEATWISE_CONFIG",
        value_name = "FILE",
        help_heading = "Configuration"
    )]
    config: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "TLS")]
struct TlsArgs {
    /// Certificate of the server in PEM, followed by those up to its authority
    #[arg(long, env = "SEATWISE_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// Its private key in PEM. In the certificate's file if not given
    #[arg(long, env = "SEATWISE_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Authorities in PEM whose certificates prove who a caller is
    #[arg(long, env = "SEATWISE_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Also speak TLS 1.2, not only 1.3
    #[arg(
        long,
        env = "SEATWISE_ALLOW_TLS12",
        value_name = "true|false",
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set,
        hide_possible_values = true,
        hide_default_value = true
    )]
    allow_tls12: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Who may call")]
struct WhoArgs {
    /// Issuer whose JSON Web Tokens prove who a caller is: exactly what `iss` must be
    #[arg(long, env = "SEATWISE_ISSUER", value_name = "URL")]
    issuer: Option<String>,
    /// What `aud` of its tokens must be or hold, exactly
    #[arg(long, env = "SEATWISE_ISSUER_AUDIENCE", value_name = "AUDIENCE")]
    issuer_audience: Option<String>,
    /// Where its key set (JWKS) is
    #[arg(long, env = "SEATWISE_ISSUER_KEYS_URL", value_name = "URL")]
    issuer_keys_url: Option<String>,
    /// Authorities in PEM that vouch for that place. Those of the system if not given
    #[arg(long, env = "SEATWISE_ISSUER_CA", value_name = "FILE")]
    issuer_ca: Option<PathBuf>,
    /// Where the first admin key is written when nobody may call yet. Beside the database, or in your
    /// data directory, if not given
    #[arg(long, env = "SEATWISE_ADMIN_KEY_FILE", value_name = "FILE")]
    admin_key_file: Option<PathBuf>,
}

fn days(text: &str) -> Result<NonZeroU16, String> {
    let days = text.parse().ok();
    days.ok_or_else(|| format!("must be a number of days from 1 to {}", u16::MAX))
}

impl ServeArgs {
    /// The configuration, and what does not fit together in it.
    pub(super) fn config(&self, settings: &Settings) -> Result<(Config, Vec<Failure>), Error> {
        let mut failures = Vec::new();
        let database = self.database.location(settings)?;
        let admin_key = self.admin_key(&database)?;
        let keep = Keep::new(self.keep_results, self.keep_history).unwrap_or_else(|error| {
            let way_out = "or leave out --keep-history to keep it for ever";
            failures.push(Failure::new("keep-history", error.to_string(), way_out));
            Keep::default()
        });
        let mut overrides = self.allow_insecure.clone();
        overrides.sort_unstable();
        overrides.dedup();
        let config = Config {
            database,
            buy_more_url: self.buy_more_url.clone(),
            keep,
            tls: self.tls.tls(&mut failures),
            issuer: self.who.issuer(&mut failures),
            admin_key,
            overrides,
        };
        Ok((config, failures))
    }

    /// Values that are made of others where they are not given, as the command line takes them.
    pub(super) fn implied(
        &self,
        settings: &Settings,
    ) -> Result<[(&'static str, String); 2], Error> {
        let database = self.database.location(settings)?;
        let admin_key = self.admin_key(&database)?;
        Ok([
            ("database", database::url(&database)),
            ("admin-key-file", admin_key.display().to_string()),
        ])
    }

    fn admin_key(&self, database: &Location) -> Result<PathBuf, Error> {
        const NAME: &str = "admin.key";
        match (&self.who.admin_key_file, database) {
            (Some(path), _) => Ok(path.clone()),
            (None, Location::Sqlite(path)) => {
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Ok(whole.with_file_name(NAME))
            }
            (None, Location::Postgres(_)) => Ok(data_folder("--admin-key-file")?.join(NAME)),
        }
    }
}

impl TlsArgs {
    fn tls(&self, failures: &mut Vec<Failure>) -> Option<Tls> {
        let Some(certificate) = self.tls_certificate.clone() else {
            let useless = [
                ("tls-key", self.tls_key.is_some()),
                ("client-ca", self.client_ca.is_some()),
                ("allow-tls12", self.allow_tls12),
            ];
            failures.extend(without_effect(useless, "tls-certificate"));
            return None;
        };
        Some(Tls {
            key: self.tls_key.clone().unwrap_or_else(|| certificate.clone()),
            certificate,
            client_ca: self.client_ca.clone(),
            allow_tls12: self.allow_tls12,
        })
    }
}

impl WhoArgs {
    fn issuer(&self, failures: &mut Vec<Failure>) -> Option<Issuer> {
        let (audience, keys_url) = (&self.issuer_audience, &self.issuer_keys_url);
        let Some(issuer) = self.issuer.clone() else {
            let useless = [
                ("issuer-audience", audience.is_some()),
                ("issuer-keys-url", keys_url.is_some()),
                ("issuer-ca", self.issuer_ca.is_some()),
            ];
            failures.extend(without_effect(useless, "issuer"));
            return None;
        };
        // What is missing is told with all else that is wrong.
        Some(Issuer {
            issuer,
            audience: audience.clone().unwrap_or_default(),
            keys_url: keys_url.clone().unwrap_or_default(),
            ca: self.issuer_ca.clone(),
        })
    }
}

/// Tells of options that are given although they need another one.
fn without_effect(
    options: [(&'static str, bool); 3],
    needed: &'static str,
) -> impl Iterator<Item = Failure> {
    let given = options.into_iter().filter(|(_, is_given)| *is_given);
    given.map(move |(name, _)| {
        let problem = format!("has no effect without --{needed}");
        Failure::new(name, problem, format!("give --{needed}, or leave it out"))
    })
}
