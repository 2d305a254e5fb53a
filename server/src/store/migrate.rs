//! Brings a database to the schema of this build. Migrations are part of the program, and only run
//! forward.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite as SqliteBackend;
use diesel::{QueryableByName, sql_types::Text};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::{Error, unavailable};
use super::{Db, Store, postgres};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// How the schema of a database compares with the one of this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// No table at all.
    Empty,
    /// The same.
    Current,
    /// So many migrations are missing.
    Behind(usize),
    /// A newer build has been here: this migration is unknown.
    Newer(String),
    /// Not what any build leaves behind; the text says why.
    Dirty(String),
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Store {
    /// Compares the schema of the database with the one of this build.
    pub async fn schema(&self) -> Result<Schema, Error> {
        let tables: Vec<Name> = read!(self, conn => {
            diesel::sql_query(self.list_tables()).load(conn).await
        })?;
        let tables: Vec<String> = tables.into_iter().map(|row| row.name).collect();
        if tables.is_empty() {
            return Ok(Schema::Empty);
        }
        if !tables
            .iter()
            .any(|table| table == "__diesel_schema_migrations")
        {
            let text = format!("it has tables that are not Seatwise's, as {:?}", tables[0]);
            return Ok(Schema::Dirty(text));
        }
        let applied: Vec<Name> = read!(self, conn => {
            diesel::sql_query(
                "SELECT CAST(version AS text) AS name FROM __diesel_schema_migrations ORDER BY 1",
            )
            .load(conn)
            .await
        })?;
        let applied: Vec<String> = applied.into_iter().map(|row| row.name).collect();
        if applied.is_empty() && tables.len() == 1 {
            return Ok(Schema::Empty);
        }
        Ok(compare(&applied, &self.known()?, tables.len() - 1))
    }

    /// Applies the migrations that are missing and says how many there were. Several servers may do
    /// so at once: they take turns.
    pub async fn migrate(&self) -> Result<usize, Error> {
        match &self.db {
            Db::Postgres(pool) => {
                let mut guard = pool.get().await.map_err(unavailable)?;
                guard
                    .transaction(async |guard| {
                        guard
                            .batch_execute("SELECT pg_advisory_xact_lock(7310027)")
                            .await?;
                        self.migrate_postgres().await
                    })
                    .await
            }
            Db::Sqlite(db) => {
                let mut writer = db.writer.lock().await;
                let run =
                    writer.spawn_blocking(|conn| Ok(run(conn.run_pending_migrations(SQLITE))));
                run.await?
            }
        }
    }

    async fn migrate_postgres(&self) -> Result<usize, Error> {
        let conn = postgres::connect(&self.url).await.map_err(unavailable)?;
        let work = tokio::task::spawn_blocking(move || {
            let mut harness = AsyncMigrationHarness::new(conn);
            run(harness.run_pending_migrations(POSTGRES))
        });
        work.await
            .map_err(|error| Error::Broken(error.to_string()))?
    }

    fn list_tables(&self) -> &'static str {
        match &self.db {
            Db::Postgres(_) => {
                "SELECT CAST(tablename AS text) AS name FROM pg_catalog.pg_tables \
                 WHERE schemaname = current_schema() ORDER BY 1"
            }
            Db::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' \
                 AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            }
        }
    }

    fn known(&self) -> Result<Vec<String>, Error> {
        fn versions<DB: diesel::backend::Backend>(
            source: &impl MigrationSource<DB>,
        ) -> Result<Vec<String>, Error> {
            let migrations = source
                .migrations()
                .map_err(|e| Error::Broken(e.to_string()))?;
            let mut versions: Vec<_> = migrations
                .iter()
                .map(|migration| migration.name().version().to_string())
                .collect();
            versions.sort();
            Ok(versions)
        }
        match &self.db {
            Db::Postgres(_) => versions::<Pg>(&POSTGRES),
            Db::Sqlite(_) => versions::<SqliteBackend>(&SQLITE),
        }
    }
}

fn run<T>(result: diesel::migration::Result<Vec<T>>) -> Result<usize, Error> {
    result
        .map(|applied| applied.len())
        .map_err(|error| Error::Broken(error.to_string()))
}

fn compare(applied: &[String], known: &[String], tables: usize) -> Schema {
    if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
        return Schema::Newer(unknown.clone());
    }
    let missing = known.len() - applied.len();
    if !known.starts_with(applied) {
        return Schema::Dirty(format!("{missing} migrations are missing in between"));
    }
    if applied.is_empty() {
        return Schema::Dirty(format!(
            "it has {tables} tables but no migration was recorded"
        ));
    }
    if missing > 0 {
        Schema::Behind(missing)
    } else {
        Schema::Current
    }
}

#[cfg(test)]
mod tests {
    use super::{Schema, compare};

    #[test]
    fn a_schema_is_current_behind_newer_or_dirty() {
        let list = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let known = list("1 2 3");
        assert_eq!(compare(&list("1 2 3"), &known, 3), Schema::Current);
        assert_eq!(compare(&list("1 2"), &known, 3), Schema::Behind(1));
        assert_eq!(
            compare(&list("1 2 3 4"), &known, 3),
            Schema::Newer("4".into())
        );
        assert!(matches!(compare(&list("1 3"), &known, 3), Schema::Dirty(_)));
        assert!(matches!(compare(&[], &known, 3), Schema::Dirty(_)));
    }
}
