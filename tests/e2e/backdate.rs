//! Makes what was done long ago: changes a database while no server has it open.

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, RunQueryDsl};
use seatwise_client::v1::{Checkpoint, JournalCommit, JournalRecord};
use sha2::{Digest, Sha256};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::customer::Customer;
use crate::harness::{Engine, Harness};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A journal as it was streamed.
pub(crate) struct Journal {
    pub(crate) records: Vec<JournalRecord>,
    pub(crate) commits: Vec<JournalCommit>,
}

impl Harness {
    /// Runs statements. The server must be stopped.
    pub(crate) async fn execute_sql(&self, statements: &str) {
        match self.engine() {
            Engine::Sqlite => {
                let mut conn = self.open_file();
                conn.batch_execute(statements).expect("executed");
            }
            Engine::Postgres => {
                let client = self.connect().await;
                client.batch_execute(statements).await.expect("executed");
            }
        }
    }

    /// How many rows a table has. The server must be stopped.
    pub(crate) async fn count_rows(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        match self.engine() {
            Engine::Sqlite => {
                let query = diesel::dsl::sql::<BigInt>(&query);
                query.get_result(&mut self.open_file()).expect("counted")
            }
            Engine::Postgres => {
                let row = self.connect().await.query_one(&query, &[]).await;
                row.expect("counted").get(0)
            }
        }
    }

    pub(crate) fn open_file(&self) -> SqliteConnection {
        let url = self.database_url();
        let path = url.strip_prefix("sqlite:").expect("a file");
        SqliteConnection::establish(path).expect("nobody else has it open")
    }

    pub(crate) async fn connect(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(&self.database_url(), NoTls).await;
        let (client, connection) = connected.expect("the database is there");
        tokio::spawn(connection);
        client
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        match self.engine() {
            Engine::Sqlite => format!("x'{}'", hex(bytes)),
            Engine::Postgres => format!("'\\x{}'::bytea", hex(bytes)),
        }
    }

    pub(crate) fn id(&self, id: &str) -> String {
        match self.engine() {
            Engine::Sqlite => self.bytes(uuid(id).as_bytes()),
            Engine::Postgres => format!("'{id}'::uuid"),
        }
    }

    fn time(&self, micros: i64) -> String {
        match self.engine() {
            Engine::Sqlite => micros.to_string(),
            Engine::Postgres => {
                format!("'epoch'::timestamptz + {micros} * INTERVAL '1 microsecond'")
            }
        }
    }

    /// The statements that make a batch so many days older.
    pub(crate) fn backdate_batch(&self, customer: &Customer, batch: &str, days: i64) -> String {
        let (customer, batch) = (self.id(&customer.id), self.id(batch));
        let before = match self.engine() {
            Engine::Sqlite => format!("- {}", days * DAY_SECONDS * 1_000_000),
            Engine::Postgres => format!("- INTERVAL '{days} days'"),
        };
        format!(
            "UPDATE batches SET created_at = created_at {before}, ended_at = ended_at {before} \
             WHERE customer_id = {customer} AND batch_id = {batch};"
        )
    }

    /// The statements that make the commits up to a position so many days older, and chain all of them
    /// anew, as whoever forges a whole journal would; changes the journal that is given likewise.
    pub(crate) fn backdate_journal(
        &self,
        customer: &Customer,
        journal: &mut Journal,
        position: i64,
        days: i64,
    ) -> String {
        let key = self.id(&customer.id);
        let (mut statements, mut before) = (String::new(), vec![0; 32]);
        for commit in &mut journal.commits {
            if commit.last_position <= position {
                let time = commit.commit_time.as_mut().expect("a time");
                time.seconds -= days * DAY_SECONDS;
            }
            before = link(customer, &before, commit, &journal.records);
            commit.hash = hex(&before);
            statements += &format!(
                "UPDATE commits SET committed_at = {}, hash = {} \
                 WHERE customer_id = {key} AND last_seq = {};",
                self.time(micros(commit)),
                self.bytes(&before),
                commit.last_position
            );
        }
        let last = journal.commits.last().expect("a commit");
        statements += &format!(
            "UPDATE customers SET change_hash = {}, changed_at = {} WHERE customer_id = {key};",
            self.bytes(&before),
            self.time(micros(last))
        );
        statements
    }
}

impl Journal {
    /// The checkpoint at a commit.
    pub(crate) fn checkpoint(&self, customer: &Customer, position: i64) -> Checkpoint {
        let mut commits = self.commits.iter();
        let commit = commits.find(|commit| commit.last_position == position);
        let commit = commit.expect("a commit ends there");
        Checkpoint {
            customer_id: customer.id.clone(),
            position,
            hash: commit.hash.clone(),
            commit_time: commit.commit_time,
        }
    }
}

/// The hash of a commit, as `history.proto` describes it.
fn link(
    customer: &Customer,
    before: &[u8],
    commit: &JournalCommit,
    records: &[JournalRecord],
) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(b"seatwise commit 1\n");
    hash.update(before);
    hash.update(uuid(&customer.id).as_bytes());
    for number in [commit.first_position, commit.last_position, micros(commit)] {
        hash.update(number.to_be_bytes());
    }
    for text in [&commit.who, &commit.through, &commit.comment] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    for id in [&commit.request_id, &commit.batch_id] {
        hash.update(uuid(id).as_bytes());
    }
    let places = commit.first_position..=commit.last_position;
    for record in records.iter().filter(|one| places.contains(&one.position)) {
        let mut of_record = Sha256::new();
        of_record.update(b"seatwise record 1\n");
        of_record.update((record.kind as i16).to_be_bytes());
        of_record.update(uuid(&record.thing_id).as_bytes());
        of_record.update(&record.details);
        hash.update(of_record.finalize());
    }
    hash.finalize().to_vec()
}

fn micros(commit: &JournalCommit) -> i64 {
    let time = commit.commit_time.expect("a time");
    time.seconds * 1_000_000 + i64::from(time.nanos / 1_000)
}

/// An id; the nil one if there is none.
fn uuid(id: &str) -> Uuid {
    match id {
        "" => Uuid::nil(),
        id => id.parse().expect("an id"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
