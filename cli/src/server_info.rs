//! `seatwise server-info`.

use std::process::ExitCode;

use clap::Args;
use seatwise_client::v1;

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{self, Column, Row, column};

#[derive(Args)]
pub(crate) struct ServerInfoArgs {
    #[command(flatten)]
    connect: Connect,
}

impl Row for v1::GetServerInfoResponse {
    const COLUMNS: &'static [Column<Self>] = &[
        column("version", |info| info.version.clone()),
        column("database", |info| info.database.clone()),
        column("insecure_overrides", |info| {
            info.insecure_overrides.join(" ")
        }),
        column("authentication", |info| info.authentication.join(" ")),
    ];
}

pub(crate) async fn run(args: ServerInfoArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let info = client.get_server_info(v1::GetServerInfoRequest {}).await?;
    output::show(format, &info)?;
    Ok(ExitCode::SUCCESS)
}
