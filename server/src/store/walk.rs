//! All users of a customer with what they hold, block by block in the order of their ids, on any
//! connection. A block is two statements that read neighbouring rows, however many users there are.

use diesel::QueryResult;
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::codec::decode_choice;
use super::error::Error;
use super::filter::Reads;
use super::portable::{Keys, Portable, Value, portable};
use super::sqlite;
use super::types::{Guid, Id};
use crate::domain::{ChoiceId, Choices, Country, CustomerId, Held, Place, UserId};

/// Users of a block. Tests have few users and go through several.
pub(super) const BLOCK_USERS: usize = if cfg!(test) { 7 } else { 1_000 };

/// A user and what it holds, by product.
pub(super) struct Holder {
    pub(super) user: UserId,
    pub(super) location: Option<Country>,
    pub(super) held: Vec<Held>,
}

/// A way through the users.
pub(super) struct Walk {
    customer: Id,
    after: Option<UserId>,
    ended: bool,
    choices: Choices,
}

impl Walk {
    /// Begins with the first user after one, who need not be there.
    pub(super) fn new(customer: CustomerId, after: Option<UserId>) -> Self {
        Self {
            customer: customer.into(),
            after,
            ended: false,
            choices: Choices::default(),
        }
    }

    /// The next users; none at the end.
    pub(super) async fn next(&mut self, conn: &mut impl ReadHolders) -> Result<Vec<Holder>, Error> {
        const KEYS: Keys = &["user_id"];
        if self.ended {
            return Ok(Vec::new());
        }
        let place = self.after.map_or(Place::First, |user| {
            Place::After(vec![Value::Id(Id::from(user))])
        });
        let people = portable("SELECT user_id, usage_location FROM users WHERE deleted_at IS NULL")
            .sql(" AND customer_id = ")
            .id(self.customer)
            .beyond(KEYS, &place)
            .ordered(KEYS, false)
            .limit(BLOCK_USERS as i64);
        let people = conn.people(people.returning()).await?;
        self.ended = people.len() < BLOCK_USERS;
        let ids: Vec<Id> = people.iter().map(|(id, _)| *id).collect();
        let [first, ..] = ids[..] else {
            return Ok(Vec::new());
        };
        let last = ids[ids.len() - 1];
        self.after = Some(last.into());
        let held = portable("SELECT user_id, product_id, choice_id FROM assignments")
            .sql(" WHERE customer_id = ")
            .id(self.customer)
            .sql(" AND user_id >= ")
            .id(first)
            .sql(" AND user_id <= ")
            .id(last)
            .sql(" ORDER BY user_id, product_id");
        let held = conn.holdings(held.returning()).await?;
        if held
            .iter()
            .any(|row| self.choices.get(ChoiceId(row.2)).is_none())
        {
            self.read_choices(conn).await?;
        }
        holders(people, &held)
    }

    /// The user whom the walk has come to.
    pub(super) fn last(&self) -> Option<UserId> {
        self.after
    }

    /// True if no user comes after the block that came last.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The choices of the users up to here.
    pub(super) fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Reads the customer's choices, all at once: a walk meets most of them.
    async fn read_choices(&mut self, conn: &mut impl ReadHolders) -> Result<(), Error> {
        let statement: Portable<(Integer, Bool, Binary)> = portable(
            "SELECT choice_id, only_named, plan_ids FROM plan_choices WHERE customer_id = ",
        )
        .id(self.customer)
        .returning();
        for (id, only, plans) in conn.choices(statement).await? {
            self.choices
                .insert(ChoiceId(id), decode_choice(only, &plans)?);
        }
        Ok(())
    }
}

/// Users and holdings in the same order, put together.
fn holders(
    people: Vec<(Id, Option<String>)>,
    held: &[(Id, Id, i32)],
) -> Result<Vec<Holder>, Error> {
    let mut held = held.iter().peekable();
    let mut holder = |(user, location): (Id, Option<String>)| {
        let location = location.map(|text| Country::parse(&text)).transpose();
        let location = location
            .map_err(|_| Error::Broken(format!("user {} has a damaged location", user.0)))?;
        let mut own = Vec::new();
        while let Some((_, product, choice)) = held.next_if(|row| row.0 == user) {
            own.push(Held {
                product: (*product).into(),
                choice: ChoiceId(*choice),
            });
        }
        Ok(Holder {
            user: user.into(),
            location,
            held: own,
        })
    };
    let holders = people
        .into_iter()
        .map(&mut holder)
        .collect::<Result<_, _>>();
    match held.next() {
        None => holders,
        Some((user, ..)) => Err(Error::Broken(format!(
            "{} holds something and is not there",
            user.0
        ))),
    }
}

/// What a walk needs of a connection, of either engine.
pub(super) trait ReadHolders: Reads {
    async fn people(
        &mut self,
        statement: Portable<(Guid, Nullable<Text>)>,
    ) -> QueryResult<Vec<(Id, Option<String>)>>;
    async fn holdings(
        &mut self,
        statement: Portable<(Guid, Guid, Integer)>,
    ) -> QueryResult<Vec<(Id, Id, i32)>>;
}

impl ReadHolders for AsyncPgConnection {
    async fn people(
        &mut self,
        statement: Portable<(Guid, Nullable<Text>)>,
    ) -> QueryResult<Vec<(Id, Option<String>)>> {
        statement.load(self).await
    }

    async fn holdings(
        &mut self,
        statement: Portable<(Guid, Guid, Integer)>,
    ) -> QueryResult<Vec<(Id, Id, i32)>> {
        statement.load(self).await
    }
}

/// The async face would keep all rows apart first, at many times their size.
impl ReadHolders for sqlite::Connection {
    async fn people(
        &mut self,
        statement: Portable<(Guid, Nullable<Text>)>,
    ) -> QueryResult<Vec<(Id, Option<String>)>> {
        self.spawn_blocking(move |conn| diesel::RunQueryDsl::load(statement, conn))
            .await
    }

    async fn holdings(
        &mut self,
        statement: Portable<(Guid, Guid, Integer)>,
    ) -> QueryResult<Vec<(Id, Id, i32)>> {
        self.spawn_blocking(move |conn| diesel::RunQueryDsl::load(statement, conn))
            .await
    }
}
