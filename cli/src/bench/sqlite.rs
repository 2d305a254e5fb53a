//! SQLite under measurement: files in a temporary folder, copied from a prepared one.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tempfile::TempDir;

use super::service::Server;
use super::workload::{Rows, Workload};
use super::{Engine, floor_sqlite};
use crate::error::Error;

/// As the service opens its file, but for what the file itself remembers.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000; \
    PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY";

pub(super) struct Sqlite {
    folder: TempDir,
    copies: Cell<u32>,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    result_count: i64,
    #[diesel(sql_type = Binary)]
    results: Vec<u8>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Sqlite {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            folder: tempfile::Builder::new()
                .prefix("seatwise-bench-")
                .tempdir()?,
            copies: Cell::new(0),
        })
    }

    fn prepared(&self) -> PathBuf {
        self.folder.path().join("prepared.db")
    }
}

impl Engine for Sqlite {
    const NAME: &'static str = "sqlite";
    const SAMPLE_USERS: usize = 5_000;
    type Place = PathBuf;

    async fn prepare(&mut self, workload: &Workload) -> Result<(), Error> {
        let path = self.prepared();
        let server = Server::start(&self.url(&path)).await?;
        workload.prepare(&server.client).await?;
        drop(server);
        let mut conn = open(&path)?;
        // All of it in the one file, which is then copied.
        let settle = "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)";
        conn.batch_execute(settle).map_err(failed)
    }

    async fn copy(&self, _: &Workload) -> Result<PathBuf, Error> {
        self.copies.set(self.copies.get() + 1);
        let path = self.folder.path().join(format!("{}.db", self.copies.get()));
        fs::copy(self.prepared(), &path)?;
        File::open(&path)?.sync_all()?;
        Ok(path)
    }

    async fn discard(&self, path: PathBuf) -> Result<(), Error> {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            if Path::new(&name).exists() {
                fs::remove_file(&name)?;
            }
        }
        Ok(())
    }

    fn url(&self, path: &PathBuf) -> String {
        format!("sqlite:{}", path.display())
    }

    async fn write(&self, path: &PathBuf, rows: Rows) -> Result<Duration, Error> {
        let mut conn = open(path)?;
        let write = move || floor_sqlite::write(&mut conn, &rows).map_err(failed);
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| Error::Failed(error.to_string()))?
    }

    async fn results(&self, path: &PathBuf) -> Result<Vec<(usize, Vec<u8>)>, Error> {
        let stored = "SELECT result_count, results FROM batch_results ORDER BY first_position";
        let stored: Vec<Stored> = diesel::sql_query(stored)
            .load(&mut open(path)?)
            .map_err(failed)?;
        let chunk = |chunk: Stored| (chunk.result_count as usize, chunk.results);
        Ok(stored.into_iter().map(chunk).collect())
    }

    async fn counts(&self, path: &PathBuf) -> Result<(i64, Vec<i64>), Error> {
        let mut conn = open(path)?;
        let mut numbers = |query| -> Result<Vec<i64>, Error> {
            let numbers: Vec<Number> = diesel::sql_query(query).load(&mut conn).map_err(failed)?;
            Ok(numbers.into_iter().map(|row| row.number).collect())
        };
        let assignments = numbers("SELECT count(*) AS number FROM assignments")?;
        let seats = numbers("SELECT assigned AS number FROM licenses ORDER BY product_id")?;
        Ok((assignments.iter().sum(), seats))
    }
}

fn open(path: &Path) -> Result<SqliteConnection, Error> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).map_err(failed)?;
    conn.batch_execute(PRAGMAS).map_err(failed)?;
    Ok(conn)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(format!("SQLite: {error}"))
}
