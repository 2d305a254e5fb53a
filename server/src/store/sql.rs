//! Fixed SQL text with typed holes that Diesel prepares once and keeps.
//!
//! `diesel::sql_query` and some of the query builder are prepared anew at every execution, which
//! costs a round trip each. Only `&'static str` pieces are taken, so the cache stays bounded and
//! nothing can be injected.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text, Untyped};
use diesel::sqlite::Sqlite;

use super::types::{Guid, Guids, Id, Ids, Instant, Timestamp};

enum Part<'a, DB: Backend> {
    Text(&'static str),
    Bind(Box<dyn QueryFragment<DB> + Send + 'a>),
}

/// A statement being put together; `ST` is what its rows hold.
pub(super) struct Sql<'a, DB: Backend, ST = Untyped> {
    parts: Vec<Part<'a, DB>>,
    returns: PhantomData<ST>,
}

/// Begins a statement.
pub(super) fn sql<'a, DB: Backend>(text: &'static str) -> Sql<'a, DB> {
    Sql {
        parts: vec![Part::Text(text)],
        returns: PhantomData,
    }
}

struct Bind<ST, T>(T, PhantomData<ST>);

impl<DB, ST, T> QueryFragment<DB> for Bind<ST, T>
where
    DB: Backend + HasSqlType<ST>,
    T: ToSql<ST, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_bind_param::<ST, T>(&self.0)
    }
}

impl<'a, DB: Backend, ST> Sql<'a, DB, ST> {
    /// Goes on with fixed text.
    pub(super) fn sql(mut self, text: &'static str) -> Self {
        self.parts.push(Part::Text(text));
        self
    }

    /// Goes on with a value of the SQL type `B`.
    pub(super) fn bind<B, T>(mut self, value: T) -> Self
    where
        DB: HasSqlType<B>,
        B: Send + 'a,
        T: ToSql<B, DB> + Send + 'a,
    {
        self.parts
            .push(Part::Bind(Box::new(Bind::<B, T>(value, PhantomData))));
        self
    }

    /// Says what the rows hold.
    pub(super) fn returning<R>(self) -> Sql<'a, DB, R> {
        Sql {
            parts: self.parts,
            returns: PhantomData,
        }
    }
}

impl<DB: Backend, ST> QueryFragment<DB> for Sql<'_, DB, ST> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Text(text) => pass.push_sql(text),
                Part::Bind(bind) => bind.walk_ast(pass.reborrow())?,
            }
        }
        Ok(())
    }
}

impl<DB: Backend, ST> QueryId for Sql<'_, DB, ST> {
    type QueryId = ();
    // Not known by type, so it is kept by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, ST> Query for Sql<'_, DB, ST> {
    type SqlType = ST;
}

impl<DB: Backend, ST, Conn> diesel::RunQueryDsl<Conn> for Sql<'_, DB, ST> {}

/// A statement that is put together once and runs on either engine.
#[derive(Clone, Debug)]
pub(super) struct Portable<ST = Untyped> {
    parts: Vec<PortablePart>,
    returns: PhantomData<fn() -> ST>,
}

#[derive(Clone, Debug)]
enum PortablePart {
    Text(&'static str),
    PerEngine {
        postgres: &'static str,
        sqlite: &'static str,
    },
    Id(Id),
    Ids(Ids),
    Name(String),
    Flag(bool),
    Time(Timestamp),
    Number(i64),
}

/// Begins a portable statement.
pub(super) fn portable(text: &'static str) -> Portable {
    Portable {
        parts: vec![PortablePart::Text(text)],
        returns: PhantomData,
    }
}

impl<ST> Portable<ST> {
    fn part(mut self, part: PortablePart) -> Self {
        self.parts.push(part);
        self
    }

    /// Goes on with fixed text.
    pub(super) fn sql(self, text: &'static str) -> Self {
        self.part(PortablePart::Text(text))
    }

    /// Goes on with text that the engines spell differently.
    pub(super) fn per_engine(self, postgres: &'static str, sqlite: &'static str) -> Self {
        self.part(PortablePart::PerEngine { postgres, sqlite })
    }

    /// Goes on with another statement.
    pub(super) fn append<R>(mut self, other: Portable<R>) -> Self {
        self.parts.extend(other.parts);
        self
    }

    pub(super) fn id(self, id: impl Into<Id>) -> Self {
        self.part(PortablePart::Id(id.into()))
    }

    pub(super) fn ids(self, ids: Ids) -> Self {
        self.part(PortablePart::Ids(ids))
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.part(PortablePart::Name(text.into()))
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.part(PortablePart::Flag(flag))
    }

    pub(super) fn time(self, time: Timestamp) -> Self {
        self.part(PortablePart::Time(time))
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.part(PortablePart::Number(number))
    }

    /// Says what the rows hold.
    pub(super) fn returning<R>(self) -> Portable<R> {
        Portable {
            parts: self.parts,
            returns: PhantomData,
        }
    }
}

/// An engine, as far as portable statements tell them apart.
pub(super) trait Dialect: Backend {
    const IS_POSTGRES: bool;
}

impl Dialect for Pg {
    const IS_POSTGRES: bool = true;
}

impl Dialect for Sqlite {
    const IS_POSTGRES: bool = false;
}

impl<DB, ST> QueryFragment<DB> for Portable<ST>
where
    DB: Dialect + HasSqlType<Guid> + HasSqlType<Guids> + HasSqlType<Instant> + HasSqlType<Bool>,
    Id: ToSql<Guid, DB>,
    Ids: ToSql<Guids, DB>,
    String: ToSql<Text, DB>,
    bool: ToSql<Bool, DB>,
    Timestamp: ToSql<Instant, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                PortablePart::Text(text) => pass.push_sql(text),
                PortablePart::PerEngine { postgres, sqlite } => {
                    pass.push_sql(if DB::IS_POSTGRES { postgres } else { sqlite });
                }
                PortablePart::Id(id) => pass.push_bind_param::<Guid, _>(id)?,
                PortablePart::Ids(ids) => pass.push_bind_param::<Guids, _>(ids)?,
                PortablePart::Name(text) => pass.push_bind_param::<Text, _>(text)?,
                PortablePart::Flag(flag) => pass.push_bind_param::<Bool, _>(flag)?,
                PortablePart::Time(time) => pass.push_bind_param::<Instant, _>(time)?,
                PortablePart::Number(number) => pass.push_bind_param::<BigInt, _>(number)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Portable<ST> {
    type QueryId = ();
    // Not known by type, so it is kept by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Portable<ST> {
    type SqlType = ST;
}

impl<ST, Conn> diesel::RunQueryDsl<Conn> for Portable<ST> {}
