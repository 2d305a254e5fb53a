//! `seatwise demo`: the whole main job in one run, over real gRPC, with every figure checked. It is
//! also the quickest way to see whether an installation works.

mod company;
mod report;
mod steps;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use seatwise_client::Client;
use seatwise_server::server::{self, Config, Keep};
use seatwise_server::store::Location;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::error::Error;
use report::Report;

/// Where a pretended shop sells seats.
const BUY_MORE_URL: &str = "https://shop.example.com/seats";

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Users of the customer
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    users: u32,
    /// Where the data goes: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`. A temporary file if
    /// not given
    #[arg(long, value_name = "URL")]
    database: Option<Location>,
    /// Leave the server running afterwards, to try things
    #[arg(long)]
    keep: bool,
    /// Text for people, or one JSON object per step for scripts
    #[arg(long, value_enum, default_value = "text")]
    output: report::Format,
}

pub(crate) async fn demo(args: DemoArgs) -> Result<ExitCode, Error> {
    let folder = tempfile::Builder::new()
        .prefix("seatwise-demo-")
        .tempdir()?;
    let database = args
        .database
        .clone()
        .unwrap_or_else(|| temporary(folder.path().join("seatwise.db")));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, is_ready) = oneshot::channel::<()>();
    let admin_key = folder.path().join("admin.key");
    let config = Config {
        database: database.clone(),
        buy_more_url: BUY_MORE_URL.to_owned(),
        keep: Keep::default(),
        tls: None,
        issuer: None,
        admin_key: admin_key.clone(),
        overrides: Vec::new(),
    };
    let serve = server::run(
        config,
        listener,
        |_| ready.send(()).unwrap_or_default(),
        async {
            let _ = stopped.await;
        },
    );
    let report = Report::new(args.output);
    let run = async {
        let _ = is_ready.await;
        let client = Client::builder(format!("http://{address}"));
        let client = client.token_file(&admin_key).build()?;
        let place = steps::run(&client, &report, args.users as usize).await?;
        report.closing(address, &admin_key, &place, args.keep)?;
        if args.keep {
            tokio::signal::ctrl_c().await?;
        }
        let _ = stop.send(());
        Ok::<_, Error>(())
    };
    report.opening(address, &database)?;
    tokio::pin!(serve, run);
    tokio::select! {
        served = &mut serve => {
            served?;
            return Err(Error::Failed("the server stopped before the demo was over".to_owned()));
        }
        ran = &mut run => ran?,
    }
    serve.await?;
    Ok(ExitCode::SUCCESS)
}

fn temporary(path: PathBuf) -> Location {
    Location::Sqlite(path)
}
