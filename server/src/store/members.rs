//! Statements about a set of users that travels with them: as one array to PostgreSQL, as one blob to
//! SQLite, which a recursive query takes apart. So their number does not depend on that of the users.
//!
//! Each user is then found by key. PostgreSQL does so in a `LATERAL` with `OFFSET 0`, which it cannot
//! turn round; SQLite takes the tables of a `CROSS JOIN` as they come.

use diesel::QueryResult;

use super::error::Error;
use super::filter::{Reads, USER_COLUMNS, UserKey};
use super::portable::{Keys, Portable, Value, in_order, portable};
use super::types::{Id, Ids};
use super::users::User;
use crate::domain::{ChoiceId, CustomerId, Place, ProductId, UserId};

/// A product that users hold, or lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The product.
    pub product: ProductId,
    /// True if they lack it.
    pub lacking: bool,
}

/// How many users hold a product with a choice.
pub(super) type Tally = ((ProductId, ChoiceId), i64);

/// The order in which users are listed.
const KEYS: Keys = &["u.sort_key", "u.user_id"];

/// The users of the set, in any order.
pub(super) async fn users_of(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
) -> QueryResult<Vec<User>> {
    let statement = members(users)
        .sql("SELECT ")
        .sql(USER_COLUMNS)
        .append(from_users(customer));
    conn.users(statement.returning()).await
}

/// The users of the set by display name and id.
pub(super) async fn sort(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
) -> Result<Vec<UserId>, Error> {
    let statement = members(users)
        .sql("SELECT u.user_id")
        .append(from_users(customer))
        .ordered(KEYS, false);
    let ids = conn.ids(statement.returning()).await?;
    Ok(ids.into_iter().map(UserId::from).collect())
}

/// Up to `limit` users of the set by display name and id, at a place; only those who hold or lack a
/// product, if one is given.
pub(super) async fn page(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
    holding: Option<Holding>,
    place: &Place<UserKey>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let statement = members(users)
        .sql("SELECT ")
        .sql(USER_COLUMNS)
        .append(from_users(customer))
        .append(holds(customer, holding));
    let key = |(name, id): &UserKey| vec![Value::Text(name.clone()), Value::Id(Id::from(*id))];
    let statement = statement
        .beyond(KEYS, &place.map(key))
        .ordered(KEYS, place.is_backward())
        .limit(limit);
    let users = conn.users(statement.returning()).await?;
    Ok(in_order(users, place))
}

/// Counts those of the set who hold or lack a product.
pub(super) async fn count(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
    holding: Holding,
) -> Result<i64, Error> {
    let statement = members(users)
        .sql("SELECT count(*)")
        .append(from_users(customer))
        .append(holds(customer, Some(holding)));
    Ok(conn.number(statement.returning()).await?.unwrap_or(0))
}

/// Counts for each product who of the set holds it, with whatever choice.
pub(super) async fn tally(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
) -> Result<Vec<Tally>, Error> {
    let statement = members(users)
        .per_engine(
            "SELECT a.product_id, 0, count(*) FROM n CROSS JOIN LATERAL \
             (SELECT product_id FROM assignments WHERE customer_id = ",
            "SELECT tally(a.product_id, 0) FROM n CROSS JOIN assignments AS a \
             WHERE a.customer_id = ",
        )
        .id(customer)
        .per_engine(
            " AND user_id = n.id OFFSET 0) AS a GROUP BY a.product_id",
            " AND a.user_id = n.id",
        );
    counts(conn, statement).await
}

/// Counts for each product and choice, but that of all plans, who of the set holds it so.
pub(super) async fn tally_choices(
    conn: &mut impl Reads,
    customer: CustomerId,
    users: &[UserId],
) -> Result<Vec<Tally>, Error> {
    let statement = members(users)
        .per_engine(
            "SELECT a.product_id, a.choice_id, count(*) FROM n CROSS JOIN LATERAL \
             (SELECT product_id, choice_id FROM assignments WHERE customer_id = ",
            "SELECT tally(a.product_id, a.choice_id) FROM n CROSS JOIN \
             assignments AS a INDEXED BY assignments_choice_idx WHERE a.customer_id = ",
        )
        .id(customer)
        .per_engine(
            " AND user_id = n.id AND choice_id <> 0 OFFSET 0) AS a \
             GROUP BY a.product_id, a.choice_id",
            " AND a.user_id = n.id AND a.choice_id <> 0",
        );
    counts(conn, statement).await
}

/// Counts for each product and choice, but that of all plans, who of the customer holds it so.
pub(super) async fn tally_all_choices(
    conn: &mut impl Reads,
    customer: CustomerId,
) -> Result<Vec<Tally>, Error> {
    let statement = portable("")
        .per_engine(
            "SELECT a.product_id, a.choice_id, count(*) FROM assignments AS a",
            "SELECT tally(a.product_id, a.choice_id) \
             FROM assignments AS a INDEXED BY assignments_choice_idx",
        )
        .sql(" WHERE a.customer_id = ")
        .id(customer)
        .per_engine(
            " AND a.choice_id <> 0 GROUP BY a.product_id, a.choice_id",
            " AND a.choice_id <> 0",
        );
    counts(conn, statement).await
}

async fn counts(conn: &mut impl Reads, statement: Portable) -> Result<Vec<Tally>, Error> {
    let rows = conn.counts(statement);
    let tally = |(product, choice, count): (Id, i32, i64)| {
        let key = (ProductId::from(product), ChoiceId(choice));
        (key, count)
    };
    Ok(rows.await?.into_iter().map(tally).collect())
}

/// Begins a statement for which the ids of the set are the rows of `n (id)`. SQLite needs the blob
/// once more; it is its first parameter.
pub(super) fn members(ids: impl Into<Ids>) -> Portable {
    portable("")
        .per_engine(
            "WITH n(id) AS (SELECT unnest(",
            "WITH RECURSIVE places(at) AS (SELECT 0 WHERE length(",
        )
        .ids(ids)
        .per_engine(
            ")) ",
            ") > 0 UNION ALL SELECT at + 16 FROM places WHERE at + 16 < length(?1)), \
             n(id) AS (SELECT substr(?1, at + 1, 16) FROM places) ",
        )
}

/// Those of the set who are users of the customer, as `u`; conditions can follow.
fn from_users(customer: CustomerId) -> Portable {
    portable("")
        .per_engine(
            " FROM n CROSS JOIN LATERAL (SELECT * FROM users WHERE customer_id = ",
            " FROM n CROSS JOIN users AS u WHERE u.customer_id = ",
        )
        .id(customer)
        .per_engine(
            " AND user_id = n.id OFFSET 0) AS u WHERE u.deleted_at IS NULL",
            " AND u.user_id = n.id AND u.deleted_at IS NULL",
        )
}

/// The condition that `u` holds, or lacks, a product. `IS TRUE` keeps PostgreSQL from beginning with
/// everybody who holds it.
fn holds(customer: CustomerId, holding: Option<Holding>) -> Portable {
    let Some(Holding { product, lacking }) = holding else {
        return portable("");
    };
    let begin = if lacking {
        " AND (NOT EXISTS (SELECT 1 FROM assignments AS a WHERE a.customer_id = "
    } else {
        " AND (EXISTS (SELECT 1 FROM assignments AS a WHERE a.customer_id = "
    };
    portable(begin)
        .id(customer)
        .sql(" AND a.user_id = u.user_id AND a.product_id = ")
        .id(product)
        .sql(")) IS TRUE")
}
