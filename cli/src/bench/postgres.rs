//! PostgreSQL under measurement: databases of its own, copied from a prepared one.

use std::cell::Cell;
use std::time::Duration;

use seatwise_server::store::connect_driver;
use tokio_postgres::Client;
use uuid::Uuid;

use super::cluster::Cluster;
use super::service::Server;
use super::workload::{Rows, Workload};
use super::{Engine, floor_postgres};
use crate::error::Error;

pub(super) struct Postgres {
    url: String,
    admin: Client,
    /// What the names of our databases begin with.
    prefix: String,
    copies: Cell<u32>,
    /// Last, so that it goes after what is connected to it.
    cluster: Option<Cluster>,
}

impl Postgres {
    /// Uses the server of a URL, which goes with this value if it is a cluster of ours.
    pub(super) async fn connect(url: &str, cluster: Option<Cluster>) -> Result<Self, Error> {
        Ok(Self {
            url: url.to_owned(),
            admin: connect(url).await?,
            prefix: format!("seatwise_bench_{}_", Uuid::new_v4().simple()),
            copies: Cell::new(0),
            cluster,
        })
    }

    /// Drops every database that was made here.
    pub(super) async fn drop_all(self) -> Result<(), Error> {
        if self.cluster.is_some() {
            return Ok(());
        }
        let names = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
        let names = self
            .admin
            .query(names, &[&self.prefix])
            .await
            .map_err(failed)?;
        for name in names {
            self.discard(name.get(0)).await?;
        }
        Ok(())
    }

    fn prepared(&self) -> String {
        format!("{}prepared", self.prefix)
    }

    async fn create(&self, name: &str, template: &str) -> Result<(), Error> {
        let create = format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'");
        self.admin.batch_execute(&create).await.map_err(failed)
    }
}

impl Engine for Postgres {
    const NAME: &'static str = "postgres";
    const SAMPLE_USERS: usize = 2_000;
    type Place = String;

    async fn prepare(&mut self, workload: &Workload) -> Result<(), Error> {
        let name = self.prepared();
        self.create(&name, "template0").await?;
        let server = Server::start(&self.url(&name)).await?;
        workload.prepare(&server.client).await?;
        drop(server);
        let client = connect(&self.url(&name)).await?;
        client
            .batch_execute("VACUUM (FREEZE, ANALYZE)")
            .await
            .map_err(failed)
    }

    async fn copy(&self, workload: &Workload) -> Result<String, Error> {
        self.copies.set(self.copies.get() + 1);
        let name = format!("{}{}", self.prefix, self.copies.get());
        self.create(&name, &self.prepared()).await?;
        let client = connect(&self.url(&name)).await?;
        // Puts index and rows into memory, where a running server has them.
        let planner = "SET enable_seqscan = off; SET enable_bitmapscan = off";
        client.batch_execute(planner).await.map_err(failed)?;
        let warm = "SELECT count(principal_name) FROM users WHERE customer_id = $1";
        client
            .query_one(warm, &[&workload.customer])
            .await
            .map_err(failed)?;
        if let Err(error) = client.batch_execute("CHECKPOINT").await {
            eprintln!("no checkpoint before the measurement: {}", failed(error));
        }
        Ok(name)
    }

    async fn discard(&self, name: String) -> Result<(), Error> {
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        self.admin.batch_execute(&drop).await.map_err(failed)
    }

    fn url(&self, name: &String) -> String {
        with_database(&self.url, name)
    }

    async fn write(&self, name: &String, rows: Rows) -> Result<Duration, Error> {
        let client = connect(&self.url(name)).await?;
        floor_postgres::write(&client, &rows).await.map_err(failed)
    }

    async fn results(&self, name: &String) -> Result<Vec<(usize, Vec<u8>)>, Error> {
        let client = connect(&self.url(name)).await?;
        let stored = "SELECT result_count, results FROM batch_results ORDER BY first_position";
        let stored = client.query(stored, &[]).await.map_err(failed)?;
        let chunk = |row: &tokio_postgres::Row| (row.get::<_, i64>(0) as usize, row.get(1));
        Ok(stored.iter().map(chunk).collect())
    }

    async fn counts(&self, name: &String) -> Result<(i64, Vec<i64>), Error> {
        let client = connect(&self.url(name)).await?;
        let assignments = "SELECT count(*) FROM assignments";
        let assignments = client.query_one(assignments, &[]).await.map_err(failed)?;
        let seats = "SELECT assigned FROM licenses ORDER BY product_id";
        let seats = client.query(seats, &[]).await.map_err(failed)?;
        Ok((
            assignments.get(0),
            seats.iter().map(|row| row.get(0)).collect(),
        ))
    }
}

async fn connect(url: &str) -> Result<Client, Error> {
    let connected = connect_driver(url).await;
    connected.map_err(|problem| Error::Failed(format!("PostgreSQL: {problem}")))
}

/// The URL of another database on the same server.
fn with_database(url: &str, name: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let server = place.find("://").map_or(0, |at| at + 3);
    let server = place[server..]
        .find('/')
        .map_or(place, |at| &place[..server + at]);
    match parameters {
        "" => format!("{server}/{name}"),
        parameters => format!("{server}/{name}?{parameters}"),
    }
}

fn failed(error: tokio_postgres::Error) -> Error {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    Error::Failed(format!(
        "PostgreSQL: {}",
        cause.unwrap_or_else(|| error.to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn a_url_is_turned_to_another_database() {
        for (url, expected) in [
            ("postgres://a:b@h:1/old", "postgres://a:b@h:1/new"),
            ("postgres://h", "postgres://h/new"),
            (
                "postgres://h/old?application_name=a/b",
                "postgres://h/new?application_name=a/b",
            ),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
