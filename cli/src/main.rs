//! The one binary: the server, its demo and benchmark, and the command line of a client.

mod demo;
mod error;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Assigns and revokes software licenses for many users at once.
#[derive(Parser)]
#[command(name = "seatwise", version, about, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// Show the main job at work, on 10,000 users
    Demo(demo::DemoArgs),
    /// Bring a database to the schema of this version
    Migrate(serve::MigrateArgs),
}

/// Exit codes: what a script can tell apart.
pub(crate) mod exit {
    /// Some users of a batch failed, or something else went wrong.
    pub(crate) const FAILED: u8 = 1;
    /// The request was refused; nothing was done.
    pub(crate) const REFUSED: u8 = 2;
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the operating system gives threads");
    let run = async {
        match args.command {
            Command::Serve(args) => serve::serve(args).await,
            Command::Demo(args) => demo::demo(args).await,
            Command::Migrate(args) => serve::migrate(args).await,
        }
    };
    match runtime.block_on(run) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("seatwise: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
