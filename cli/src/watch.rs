//! `seatwise watch`.

use std::process::ExitCode;

use clap::Args;
use seatwise_client::{WatchStream, v1};
use serde_json::json;

use crate::command_line;
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::history::Kinds;
use crate::output::{self, Format, Printer};
use crate::serve::stop_signal;
use crate::text::text;

#[derive(Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    customer: CustomerArgs,
    /// Go on where an earlier watch has ended, with the token that it has told. From now on if not given
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    since: Option<String>,
    #[command(flatten)]
    kinds: Kinds,
}

pub(crate) async fn run(args: WatchArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let mut watch = client.watch(v1::WatchChangesRequest {
        customer_id: args.customer.id(&client).await?,
        watch_token: args.since.unwrap_or_default(),
        kinds: args.kinds.numbers(),
    });
    let ended = tokio::select! {
        ended = print(format, &mut watch) => ended,
        () = stop_signal() => Ok(()),
    };
    note_token(format, watch.token());
    ended.map(|()| ExitCode::SUCCESS)
}

/// Prints the changes as they come.
async fn print(format: Format, watch: &mut WatchStream) -> Result<(), Error> {
    watch.begun().await?;
    output::note_of(format, &text!("watching"));
    let mut printer = Printer::of::<v1::HistoryRecord>(format);
    loop {
        let change = watch.next().await?;
        match (format, &change.record) {
            (Format::Json, _) => output::line(&output::json(&change)?)?,
            (Format::Csv, Some(record)) => printer.row(record)?,
            (Format::Table, Some(record)) => output::line(&output::alone(record))?,
            (_, None) => {}
        }
    }
}

/// Says how to go on: to people as the command line that does it.
fn note_token(format: Format, token: &str) {
    if token.is_empty() {
        return;
    }
    if format == Format::Json {
        return output::note(&json!({ "watch_token": token }).to_string());
    }
    let command = command_line::again(&["--since="], &["--since", token]);
    output::note(&text!("watch-from-here", command = command));
}
