//! The one binary: the server, its demo and benchmark, and the command line of a client.

mod apply;
mod assignments;
mod audit;
mod batch;
mod bench;
mod catalogue;
mod catalogue_import;
mod change;
mod command_line;
mod compliance;
mod connect;
mod customers;
mod demo;
mod error;
mod fields;
mod files;
mod groups;
mod history;
mod holdings;
mod keys;
mod layout;
mod licenses;
mod names;
mod outcome;
mod output;
mod paging;
mod plans;
mod principals;
mod products;
mod question;
mod seats;
mod selection;
mod serve;
mod server_info;
mod sync;
mod text;
mod users;
mod users_delete;
mod users_filter;
mod users_import;
mod watch;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::Error;
use crate::fields::Options;

const EXIT_CODES: &str = "\
Exit codes:
  0  all is as asked
  1  some users failed or were skipped, or would be in a preview; or something broke
  2  the request was refused, or the question was answered with no: nothing was done
  78  the server is not run, because it is configured wrongly or would not be safe";

/// Assigns and revokes software licenses for many users at once.
#[derive(Parser)]
#[command(name = "seatwise", version, about, max_term_width = 100, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process has one command")]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// Show the main job at work, on 10,000 users
    Demo(demo::DemoArgs),
    /// Measure the service against the fastest that its databases can do
    Bench(bench::BenchArgs),
    /// Bring a database to the schema of this version
    Migrate(serve::MigrateArgs),
    /// Import and show products, service plans and rules
    Catalogue(catalogue::CatalogueArgs),
    /// Create, show and change customers
    Customers(customers::CustomersArgs),
    /// Create, import, show, change and delete users
    Users(users::UsersArgs),
    /// Show licenses and set their seats
    Licenses(licenses::LicensesArgs),
    /// Show who holds what
    Assignments(assignments::AssignmentsArgs),
    /// Show what users hold against the rules
    Compliance(compliance::ComplianceArgs),
    /// Assign products to many users at once
    #[command(after_help = plans::help(change::ASSIGN_HELP))]
    Assign(change::AssignArgs),
    /// Revoke products from many users at once
    Revoke(change::RevokeArgs),
    /// Give many users one product for another, where they hold it
    #[command(after_help = plans::help(change::REPLACE_HELP))]
    Replace(change::ReplaceArgs),
    /// Assign, revoke and replace products in one step
    #[command(after_help = plans::help(change::CHANGE_HELP))]
    Change(change::ChangeArgs),
    /// Make users hold exactly what a file says
    #[command(after_help = plans::help(sync::HELP))]
    Sync(sync::SyncArgs),
    /// Show batches and what became of their users
    Batch(batch::BatchArgs),
    /// Show what was done to a customer, when, by whom and why
    History(history::HistoryArgs),
    /// Show what is done to a customer as it is done
    Watch(watch::WatchArgs),
    /// Verify and export the record of everything that was done
    Audit(audit::AuditArgs),
    /// Make, list and revoke API keys
    Keys(keys::KeysArgs),
    /// Say who may do what, for which customers and until when
    Principals(principals::PrincipalsArgs),
    /// Show who you are to the server, and what you may do
    Whoami(principals::WhoamiArgs),
    /// Show which server answers, and how it is run
    ServerInfo(server_info::ServerInfoArgs),
}

/// Exit codes: what a script can tell apart.
pub(crate) mod exit {
    use std::process::ExitCode;

    /// Some users of a batch failed, or something else went wrong.
    pub(crate) const FAILED: u8 = 1;
    /// The request was refused, by the service or by who was asked; nothing was done.
    pub(crate) const REFUSED: u8 = 2;
    /// The configuration is wrong or not safe: `EX_CONFIG` of BSD.
    pub(crate) const CONFIG: u8 = 78;
    /// Nobody reads the output any more: what shells show for programs that end by SIGPIPE.
    pub(crate) const OUTPUT_CLOSED: u8 = 141;

    /// The code of a command that did what it could.
    pub(crate) fn some_failed(failed: bool) -> ExitCode {
        ExitCode::from(if failed { FAILED } else { 0 })
    }
}

fn main() -> ExitCode {
    let command = Args::command();
    let matches = command.clone().get_matches();
    let (command, matches, settings) = match serve::configured(command, matches) {
        Ok(configured) => configured,
        Err(error) => return failed(&error),
    };
    let options = Options::of(&command, &matches);
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the operating system gives threads");
    let run = async {
        match args.command {
            Command::Serve(args) => serve::serve(args, settings).await,
            Command::Demo(args) => demo::demo(args).await,
            Command::Bench(args) => bench::bench(args).await,
            Command::Migrate(args) => serve::migrate(args, settings).await,
            Command::Catalogue(args) => catalogue::run(args).await,
            Command::Customers(args) => customers::run(args).await,
            Command::Users(args) => users::run(args).await,
            Command::Licenses(args) => licenses::run(args).await,
            Command::Assignments(args) => assignments::run(args).await,
            Command::Compliance(args) => compliance::run(args).await,
            Command::Assign(args) => change::assign(args).await,
            Command::Revoke(args) => change::revoke(args).await,
            Command::Replace(args) => change::replace(args).await,
            Command::Change(args) => change::change(args).await,
            Command::Sync(args) => sync::sync(args).await,
            Command::Batch(args) => batch::run(args).await,
            Command::History(args) => history::run(args).await,
            Command::Watch(args) => watch::run(args).await,
            Command::Audit(args) => audit::run(args).await,
            Command::Keys(args) => keys::run(args, settings).await,
            Command::Principals(args) => principals::run(args).await,
            Command::Whoami(args) => principals::whoami(args).await,
            Command::ServerInfo(args) => server_info::run(args).await,
        }
    };
    match runtime.block_on(run) {
        Ok(code) => code,
        Err(error @ Error::OutputClosed) => ExitCode::from(error.exit_code()),
        Err(mut error) => {
            if let Error::Call(error) = &mut error {
                options.put_into(error);
            }
            failed(&error)
        }
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("seatwise: {error}");
    ExitCode::from(error.exit_code())
}
