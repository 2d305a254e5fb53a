//! `seatwise keys`: API keys and, with the first of somebody, what it may do.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, Subcommand};
use seatwise_client::Client;
use seatwise_client::v1::principal::Kind;
use seatwise_client::v1::{self, Key, Principal};
use seatwise_server::server;

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{self, Column, Format, Printer, Row, column, detail, note, time};
use crate::principals::{self, GrantArgs};
use crate::serve::{Direct, Settings};
use crate::text::text;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key for somebody new with --role, or another one for somebody who has none or is to get a new
    /// one. It is shown once
    Create {
        /// Name for people, as `ada` or `payroll`
        #[arg(value_parser = Filled::new())]
        name: String,
        #[command(flatten)]
        grant: GrantArgs,
        /// Write the key to this new file, which only you can read, instead of showing it
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        why: Why,
    },
    /// List the keys, also those that are no longer good
    List {
        /// Only of those whose name begins so
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        search: String,
    },
    /// Make another global admin in the database itself: the way out when every key of an admin is lost.
    /// With SQLite the server must not run
    Recover {
        #[command(flatten)]
        direct: Direct,
        /// Write the key to this new file, which only you can read
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Revoke a key for ever
    Revoke {
        /// UUID of the key
        key: String,
        #[command(flatten)]
        why: Why,
    },
}

impl Row for Key {
    const COLUMNS: &'static [Column<Self>] = &[
        column("key_id", |key| key.key_id.clone()),
        column("expire_time", |key| time(key.expire_time.as_ref())),
        column("revoke_time", |key| time(key.revoke_time.as_ref())),
        column("last_use_time", |key| time(key.last_use_time.as_ref())),
        detail("create_time", |key| time(key.create_time.as_ref())),
    ];
}

pub(crate) async fn run(args: KeysArgs, settings: Settings) -> Result<ExitCode, Error> {
    let format = args.connect.output;
    if let Command::Recover { direct, to } = args.command {
        let name = server::recover(&direct.location(&settings)?, &to).await?;
        let file = to.display().to_string();
        note(&text!("admin-recovered", name = name, file = file));
        return Ok(ExitCode::SUCCESS);
    }
    let client = args.connect.client()?;
    match args.command {
        Command::Recover { .. } => unreachable!("done above"),
        Command::Create {
            name,
            grant,
            to,
            why,
        } => create(&client, format, name, grant, to, why).await?,
        Command::List { search } => list(format, &principals::all(&client, &search).await?)?,
        Command::Revoke { key, why } => {
            let request = v1::RevokeKeyRequest {
                key_id: key,
                comment: why.comment,
            };
            output::show(format, &client.revoke_key(request).await?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    client: &Client,
    format: Format,
    name: String,
    grant: GrantArgs,
    to: Option<PathBuf>,
    why: Why,
) -> Result<(), Error> {
    // Before anything is done: a key that cannot be written is lost.
    let file = to.as_deref().map(new_file).transpose()?;
    let made = make(client, name, grant, why).await;
    if let (Err(_), Some(path)) = (&made, &to) {
        // It is empty, and would be in the way of the next try.
        let _ = std::fs::remove_file(path);
    }
    let made = made?;
    if let (Some(mut file), Some(path)) = (file, to) {
        writeln!(file, "{}", made.secret)?;
        file.sync_all()?;
        output::show(format, &made.key.unwrap_or_default())?;
        note(&text!("key-written", file = path.display().to_string()));
        return Ok(());
    }
    if format == Format::Json {
        return output::line(&output::json(&made)?);
    }
    output::show(format, &made.key.unwrap_or_default())?;
    note(&text!("key-shown-once"));
    output::line(&made.secret)
}

/// Makes a key, and who it is for if it is said what they may do.
async fn make(
    client: &Client,
    name: String,
    grant: GrantArgs,
    why: Why,
) -> Result<v1::CreateKeyResponse, Error> {
    let comment = why.comment.clone();
    let principal = match grant.grant(client).await? {
        Some(new) => {
            let request = principals::request(Kind::Key, name, Some(new), why);
            client.create_principal(request).await?
        }
        None => principals::find(client, &name).await?,
    };
    let request = v1::CreateKeyRequest {
        principal_id: principal.principal_id,
        expire_time: grant.end(),
        comment,
    };
    Ok(client.create_key(request).await?)
}

fn list(format: Format, principals: &[Principal]) -> Result<(), Error> {
    if format == Format::Json {
        let mut keys = principals.iter().flat_map(|one| &one.keys);
        return keys.try_for_each(|key| output::line(&output::json(key)?));
    }
    let headers = Key::COLUMNS.iter().map(Column::name);
    let mut printer = Printer::new(format, ["name"].into_iter().chain(headers).collect());
    for principal in principals {
        for key in &principal.keys {
            let cells = Key::COLUMNS.iter().map(|column| column.cell(key));
            printer.cells([principal.name.clone()].into_iter().chain(cells).collect())?;
        }
    }
    printer.finish()
}

/// A file that is not there yet, for its owner alone.
fn new_file(path: &Path) -> Result<std::fs::File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| Error::Input(format!("--to {}: {error}", path.display())))
}
