//! The journal on SQLite: a statement per record that is prepared once.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use crate::domain::INSTALLATION;
use crate::store::error::{Error, expect_rows};
use crate::store::record::{Draft, HeadRow};
use crate::store::schema::{changes as ch, commits as k, customers as c, installation as i};
use crate::store::types::{Id, Timestamp};

/// Writes a commit with its records at the end of its chain, unless it has none. Gives the number of
/// the first record, or of the one that comes next.
pub(in crate::store) fn write(conn: &mut SqliteConnection, draft: &Draft) -> Result<i64, Error> {
    let is_installation = draft.customer == INSTALLATION;
    let customer = Id::from(draft.customer);
    let head: HeadRow = if is_installation {
        let head = i::table
            .find(1)
            .select((i::change_seq, i::change_hash, i::changed_at));
        head.get_result(conn)?
    } else {
        let head = c::table
            .find(customer)
            .select((c::change_seq, c::change_hash, c::changed_at));
        head.get_result(conn)?
    };
    let (commit, hash) = draft.link(&head.try_into()?);
    if draft.rows.is_empty() {
        return Ok(commit.first_seq);
    }
    for (row, seq) in draft.rows.iter().zip(commit.first_seq..) {
        let row = (
            ch::customer_id.eq(customer),
            ch::seq.eq(seq),
            ch::kind.eq(row.kind),
            ch::thing_id.eq(row.thing),
            ch::details.eq(&row.details),
        );
        diesel::insert_into(ch::table).values(row).execute(conn)?;
    }
    let (origin, at) = (&commit.origin, Timestamp(commit.at));
    let row = (
        k::customer_id.eq(customer),
        k::last_seq.eq(commit.last_seq),
        k::first_seq.eq(commit.first_seq),
        k::committed_at.eq(at),
        k::hash.eq(hash.as_slice()),
        k::who.eq(&origin.who),
        k::through.eq(&origin.through),
        k::request_id.eq(origin.request.map(Id::from)),
        k::batch_id.eq(commit.batch.map(Id::from)),
        k::comment.eq(origin.comment.as_str()),
    );
    diesel::insert_into(k::table).values(row).execute(conn)?;
    let (seq, hash) = (commit.last_seq, hash.as_slice());
    let written = if is_installation {
        let head = (
            i::change_seq.eq(seq),
            i::change_hash.eq(hash),
            i::changed_at.eq(at),
        );
        diesel::update(i::table.find(1)).set(head).execute(conn)?
    } else {
        let head = (
            c::change_seq.eq(seq),
            c::change_hash.eq(hash),
            c::changed_at.eq(at),
        );
        diesel::update(c::table.find(customer))
            .set(head)
            .execute(conn)?
    };
    expect_rows("chain", 1, written)?;
    Ok(commit.first_seq)
}
