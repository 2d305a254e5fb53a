//! Statements that are put together once and run on either engine, for lists: as in `sql.rs`, of
//! fixed text and values, so that each is prepared once and nothing can be injected.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text, Untyped};
use diesel::sqlite::Sqlite;

use super::types::{Guid, Guids, Id, Ids, Instant, Timestamp};
use crate::domain::Place;

/// More characters than a name has.
const NAME_CHARS: usize = 257;

/// A statement being put together; `ST` is what its rows hold.
#[derive(Clone, Debug)]
pub(super) struct Portable<ST = Untyped> {
    parts: Vec<Part>,
    returns: PhantomData<fn() -> ST>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(&'static str),
    PerEngine {
        postgres: &'static str,
        sqlite: &'static str,
    },
    Ids(Ids),
    Value(Value),
}

/// A value that a row is compared with.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Id(Id),
    Text(String),
    Flag(bool),
    Time(Timestamp),
    Number(i64),
}

/// The columns that a list is ordered by. Together they tell rows apart.
pub(super) type Keys = &'static [&'static str];

/// Begins a statement.
pub(super) fn portable(text: &'static str) -> Portable {
    Portable {
        parts: vec![Part::Text(text)],
        returns: PhantomData,
    }
}

impl<ST> Portable<ST> {
    fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    fn value(self, value: Value) -> Self {
        self.part(Part::Value(value))
    }

    /// Goes on with fixed text.
    pub(super) fn sql(self, text: &'static str) -> Self {
        self.part(Part::Text(text))
    }

    /// Goes on with text that the engines spell differently.
    pub(super) fn per_engine(self, postgres: &'static str, sqlite: &'static str) -> Self {
        self.part(Part::PerEngine { postgres, sqlite })
    }

    /// Goes on with another statement.
    pub(super) fn append<R>(mut self, other: Portable<R>) -> Self {
        self.parts.extend(other.parts);
        self
    }

    pub(super) fn id(self, id: impl Into<Id>) -> Self {
        self.value(Value::Id(id.into()))
    }

    /// Goes on with a set of ids.
    pub(super) fn ids(self, ids: impl Into<Ids>) -> Self {
        self.part(Part::Ids(ids.into()))
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.value(Value::Text(text.into()))
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.value(Value::Flag(flag))
    }

    pub(super) fn time(self, time: Timestamp) -> Self {
        self.value(Value::Time(time))
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.value(Value::Number(number))
    }

    /// Demands rows beyond the place, seen from the side that the page is read from.
    pub(super) fn beyond(self, keys: Keys, place: &Place<Vec<Value>>) -> Self {
        let Some(values) = place.key() else {
            return self;
        };
        let than = if place.is_backward() {
            ") < ("
        } else {
            ") > ("
        };
        self.compared(keys, than, values)
    }

    /// Demands rows no further than some from the place; the first key is said alone too, since only
    /// that ends the walk on SQLite.
    pub(super) fn until<K>(self, keys: Keys, place: &Place<K>, values: &[Value]) -> Self {
        let (than, first_than) = if place.is_backward() {
            (") >= (", " >= ")
        } else {
            (") <= (", " <= ")
        };
        let statement = self.sql(" AND ").sql(keys[0]).sql(first_than);
        let statement = statement.value(values[0].clone());
        match keys {
            [_] => statement,
            _ => statement.compared(keys, than, values),
        }
    }

    fn compared(self, keys: Keys, than: &'static str, values: &[Value]) -> Self {
        let mut statement = self.sql(" AND (").sql(keys[0]);
        for key in &keys[1..] {
            statement = statement.sql(", ").sql(key);
        }
        statement = statement.sql(than);
        for (value, number) in values.iter().zip(0..) {
            statement = statement.sql(if number == 0 { "" } else { ", " });
            statement = statement.value(value.clone());
        }
        statement.sql(")")
    }

    /// Demands rows beyond the place whose first key, a text, is within a range. The index is
    /// entered at one place, so of two bounds only the narrower is said.
    pub(super) fn beyond_within(
        self,
        keys: Keys,
        place: &Place<Vec<Value>>,
        (low, high): &(String, String),
    ) -> Self {
        let key = place.key().map(|values| match &values[0] {
            Value::Text(key) => key,
            other => unreachable!("{other:?} is not the text that a list is ordered by"),
        });
        let is_low = |key: &String| key >= low && !place.is_backward();
        let is_high = |key: &String| key < high && place.is_backward();
        let (place_is_low, place_is_high) = (key.is_some_and(is_low), key.is_some_and(is_high));
        let mut statement = self;
        if !place_is_low {
            statement = statement.sql(" AND ").sql(keys[0]).sql(" >= ").text(low);
        }
        if !place_is_high {
            statement = statement.sql(" AND ").sql(keys[0]).sql(" < ").text(high);
        }
        if place_is_low || place_is_high {
            statement = statement.beyond(keys, place);
        }
        statement
    }

    /// Puts the rows in order, the other way round for a page that is read from its end.
    pub(super) fn ordered(self, keys: Keys, is_backward: bool) -> Self {
        let mut statement = self.sql(" ORDER BY ");
        for (key, number) in keys.iter().zip(0..) {
            statement = statement.sql(if number == 0 { "" } else { ", " }).sql(key);
            statement = statement.sql(if is_backward { " DESC" } else { "" });
        }
        statement
    }

    /// Takes so many rows at most.
    pub(super) fn limit(self, limit: i64) -> Self {
        self.sql(" LIMIT ").number(limit)
    }

    /// Says what the rows hold.
    pub(super) fn returning<R>(self) -> Portable<R> {
        Portable {
            parts: self.parts,
            returns: PhantomData,
        }
    }
}

/// The texts that begin with `prefix`: from the first of them to the first beyond them, bytewise.
pub(super) fn prefix_range(prefix: &str) -> (String, String) {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // Skips what is no character.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return (prefix.to_owned(), end);
        }
    }
    (prefix.to_owned(), char::MAX.to_string().repeat(NAME_CHARS))
}

/// Rows in the order of the list, whichever way they were read.
pub(super) fn in_order<T, K>(mut rows: Vec<T>, place: &Place<K>) -> Vec<T> {
    if place.is_backward() {
        rows.reverse();
    }
    rows
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
                Part::Text(text) => pass.push_sql(text),
                Part::PerEngine { postgres, sqlite } => {
                    pass.push_sql(if DB::IS_POSTGRES { postgres } else { sqlite });
                }
                Part::Ids(ids) => pass.push_bind_param::<Guids, _>(ids)?,
                Part::Value(Value::Id(id)) => pass.push_bind_param::<Guid, _>(id)?,
                Part::Value(Value::Text(text)) => pass.push_bind_param::<Text, _>(text)?,
                Part::Value(Value::Flag(flag)) => pass.push_bind_param::<Bool, _>(flag)?,
                Part::Value(Value::Time(time)) => pass.push_bind_param::<Instant, _>(time)?,
                Part::Value(Value::Number(number)) => pass.push_bind_param::<BigInt, _>(number)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_of_texts() {
        let range = |prefix| prefix_range(prefix).1;
        assert_eq!(range("ad"), "ae");
        assert_eq!(range("é"), "ê");
        // What follows is no character, then nothing at all.
        assert_eq!(range("\u{d7ff}"), "\u{e000}");
        assert_eq!(range("a\u{10ffff}"), "b");
        assert!(range("\u{10ffff}") > "\u{10ffff}".repeat(256));
        for text in ["ada", "ad", "ad\u{10ffff}", "adé"] {
            let (low, high) = prefix_range("ad");
            assert!(*low <= *text && *text < *high, "{text}");
        }
    }
}
