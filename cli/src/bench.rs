//! `seatwise bench`: the service beside the fastest that the same database can do, measured in turn on
//! the same machine with the same rows, so that the ratios mean something anywhere.
//!
//! - *service*: one batch over gRPC with every check, from the call to the last result received;
//! - *floor*: raw SQL that writes the same rows in the same chunks, and reads and decides nothing;
//! - *per user*: the same rows with one transaction per user, on a part of the users.
//!
//! Each of the three starts from its own copy of one prepared database.

mod cluster;
mod floor_postgres;
mod floor_sqlite;
mod postgres;
mod report;
mod service;
mod sqlite;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::error::Error;
use crate::serve::stop_signal;
use cluster::Cluster;
use postgres::Postgres;
use report::{Figures, Format, Report};
use sqlite::Sqlite;
use workload::{Rows, Workload};

/// What a process says that was interrupted.
const INTERRUPTED: i32 = 130;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Users of the batch
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    users: u32,
    /// Products that each user gets
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=50))]
    products: u32,
    /// In which order the request names the users: in that of their ids, or in none
    #[arg(long, value_enum, default_value = "both")]
    order: OrderArg,
    /// Which databases to measure
    #[arg(long, value_enum, default_value = "both")]
    engine: EngineArg,
    /// How often to measure everything; the medians are shown
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A PostgreSQL to measure on, in databases of its own that are dropped again. A temporary
    /// cluster if not given
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// A table for people, or one JSON object a line for scripts
    #[arg(long, value_enum, default_value = "table")]
    output: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineArg {
    Sqlite,
    Postgres,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderArg {
    Random,
    Sorted,
    Both,
}

/// In which order the users are given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Random,
    Sorted,
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Sorted => "sorted",
        }
    }
}

impl OrderArg {
    fn orders(self) -> &'static [Order] {
        match self {
            Self::Random => &[Order::Random],
            Self::Sorted => &[Order::Sorted],
            Self::Both => &[Order::Random, Order::Sorted],
        }
    }
}

/// A kind of database under measurement. A place names one copy of the prepared database.
trait Engine {
    const NAME: &'static str;
    /// Users of which the transaction per user is measured.
    const SAMPLE_USERS: usize;
    type Place;

    /// Makes the database that every measurement starts from a copy of.
    async fn prepare(&mut self, workload: &Workload) -> Result<(), Error>;
    /// Makes a copy whose pages are written and known, as those of a running server.
    async fn copy(&self, workload: &Workload) -> Result<Self::Place, Error>;
    async fn discard(&self, place: Self::Place) -> Result<(), Error>;
    /// What `seatwise serve --database` takes.
    fn url(&self, place: &Self::Place) -> String;
    /// Writes the rows, chunk by chunk, and says how long it took.
    async fn write(&self, place: &Self::Place, rows: Rows) -> Result<Duration, Error>;
    /// The results that the service stored: how many users each chunk has, and the bytes.
    async fn results(&self, place: &Self::Place) -> Result<Vec<(usize, Vec<u8>)>, Error>;
    /// Assignments, and the seats of each license that are taken.
    async fn counts(&self, place: &Self::Place) -> Result<(i64, Vec<i64>), Error>;
}

pub(crate) async fn bench(args: BenchArgs) -> Result<ExitCode, Error> {
    let mut postgres = None;
    let measured = tokio::select! {
        // First, so that no signal is missed.
        biased;
        () = stop_signal() => None,
        measured = run(&args, &mut postgres) => Some(measured),
    };
    // Whatever happened, nothing is left behind.
    let dropped = match postgres {
        Some(postgres) => postgres.drop_all().await,
        None => Ok(()),
    };
    let Some(measured) = measured else {
        // Not by returning: a thread may still be busy with a database that is gone.
        std::process::exit(INTERRUPTED);
    };
    measured.and(dropped).map(|()| ExitCode::SUCCESS)
}

async fn run(args: &BenchArgs, postgres: &mut Option<Postgres>) -> Result<(), Error> {
    let mut report = Report::new(args.output);
    if args.engine != EngineArg::Sqlite {
        match connect(args).await? {
            Some(found) => measure(postgres.insert(found), args, &mut report).await?,
            None => {
                eprintln!("PostgreSQL is left out: it is not installed, and there is no --postgres")
            }
        }
    }
    if args.engine != EngineArg::Postgres {
        measure(&mut Sqlite::new()?, args, &mut report).await?;
    }
    report.end();
    Ok(())
}

async fn connect(args: &BenchArgs) -> Result<Option<Postgres>, Error> {
    if let Some(url) = &args.postgres {
        return Postgres::connect(url, None).await.map(Some);
    }
    let Some(cluster) = Cluster::start()? else {
        return match args.engine {
            EngineArg::Postgres => Err(Error::Input(
                "PostgreSQL is not installed: install it, or give --postgres".to_owned(),
            )),
            _ => Ok(None),
        };
    };
    let url = cluster.url();
    Postgres::connect(&url, Some(cluster)).await.map(Some)
}

async fn measure<E: Engine>(
    engine: &mut E,
    args: &BenchArgs,
    report: &mut Report,
) -> Result<(), Error> {
    let workload = Workload::new(args.users as usize, args.products as usize);
    eprintln!("{}: {} users are imported", E::NAME, args.users);
    engine.prepare(&workload).await?;
    let orders = args.order.orders();
    let mut rounds: Vec<Vec<Figures>> = orders.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        for (order, rounds) in orders.iter().zip(&mut rounds) {
            let figures = measure_order(engine, &workload, *order).await?;
            eprintln!("{}, {}, round {round}: {figures}", E::NAME, order.name());
            rounds.push(figures);
        }
    }
    for (order, rounds) in orders.iter().zip(&rounds) {
        report.line(E::NAME, order.name(), &Figures::median(rounds));
    }
    Ok(())
}

async fn measure_order<E: Engine>(
    engine: &E,
    workload: &Workload,
    order: Order,
) -> Result<Figures, Error> {
    let users = workload.in_order(order);
    let per_second = |users: usize, took: Duration| {
        (users * workload.products.len()) as f64 / took.as_secs_f64()
    };

    let place = engine.copy(workload).await?;
    let (took, server_rss_mib) = service::measure(&engine.url(&place), workload, &users).await?;
    let service = per_second(users.len(), took);
    check(engine, &place, workload, users.len()).await?;
    let results = engine.results(&place).await?;
    engine.discard(place).await?;

    let place = engine.copy(workload).await?;
    let rows = Rows::chunked(workload, &users, results);
    let sample = rows.sample(E::SAMPLE_USERS);
    let floor = per_second(users.len(), engine.write(&place, rows).await?);
    check(engine, &place, workload, users.len()).await?;
    engine.discard(place).await?;

    let place = engine.copy(workload).await?;
    let sampled = sample.chunks.len();
    let per_user = per_second(sampled, engine.write(&place, sample).await?);
    check(engine, &place, workload, sampled).await?;
    engine.discard(place).await?;

    Ok(Figures {
        service,
        floor,
        per_user,
        server_rss_mib,
    })
}

/// What was measured must have been the work, all of it, and nothing else.
async fn check<E: Engine>(
    engine: &E,
    place: &E::Place,
    workload: &Workload,
    users: usize,
) -> Result<(), Error> {
    let counts = engine.counts(place).await?;
    let products = workload.products.len();
    let expected = ((users * products) as i64, vec![users as i64; products]);
    if counts == expected {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{}: {counts:?} assignments and taken seats instead of {expected:?}",
        E::NAME
    )))
}
