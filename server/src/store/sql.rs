//! Fixed SQL text with typed holes that Diesel prepares once and keeps.
//!
//! `diesel::sql_query` and some of the query builder are prepared anew at every execution, which
//! costs a round trip each. Only `&'static str` pieces are taken, so the cache stays bounded and
//! nothing can be injected.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

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
