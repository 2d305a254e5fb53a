//! A filter becomes a statement here.

use super::{Reads, UserKey};
use crate::domain::{CustomerId, Place, PlanChoice, PlanId, UserFilter, UserOrder};
use crate::store::codec::decode_choice;
use crate::store::error::{Error, Refusal};
use crate::store::sql::{Portable, portable};
use crate::store::types::{Id, Timestamp};

/// More than every name: they have at most 256 characters.
const LAST_CHARS: usize = 257;

/// A filter, with what had to be read before a statement can be made of it.
pub(super) struct Question<'a> {
    customer: Id,
    filter: &'a UserFilter,
    /// Keys that begin with the text are at least the first and below the second.
    search: Option<(String, String)>,
    /// The choices that leave the wanted plan on, besides "all", as JSON.
    choices: String,
}

/// Users of which each meets the filter, and whom no other source of the same question has.
pub(super) struct Source {
    /// Those to look up; without it the index of the order is walked.
    driver: Option<Driver>,
    search: Search,
}

/// A condition that few users meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    Holds,
    Plan,
    FailedIn,
    Location,
    State,
    NotActive,
    DisplayName,
    PrincipalName,
    EitherName,
}

/// Which names begin with the text, seen from the name that the list is ordered by.
#[derive(Clone, Copy)]
enum Search {
    Either,
    Own,
    OtherOnly,
}

impl<'a> Question<'a> {
    /// Refused if the customer has no such batch as the filter names.
    pub(super) async fn new(
        conn: &mut impl Reads,
        customer: CustomerId,
        filter: &'a UserFilter,
    ) -> Result<Self, Error> {
        let customer = Id::from(customer);
        if let Some(batch) = filter.failed_in {
            let exists = portable("SELECT user_count FROM batches WHERE customer_id = ")
                .id(customer)
                .sql(" AND batch_id = ")
                .id(batch);
            if conn.number(exists.returning()).await?.is_none() {
                return Err(Refusal::NotFound {
                    resource: "batch",
                    id: batch.to_string(),
                }
                .into());
            }
        }
        let choices = match filter.holds_plan {
            Some(plan) => choices_with(conn, customer, plan).await?,
            None => String::new(),
        };
        Ok(Self {
            customer,
            filter,
            search: filter.search.as_deref().map(prefix_range),
            choices,
        })
    }

    /// Says how to read the users: by a condition that at most `few` meet, or else by walking.
    pub(super) async fn sources(
        &self,
        conn: &mut impl Reads,
        order: UserOrder,
        few: i64,
    ) -> Result<Vec<Source>, Error> {
        let mut best: Option<(i64, Driver)> = None;
        let mut names = [0; 2];
        for driver in self.drivers() {
            let size = self.size(conn, driver, few).await?;
            let driver_size = match driver {
                Driver::DisplayName => {
                    names[0] = size;
                    continue;
                }
                Driver::PrincipalName => {
                    names[1] = size;
                    (names[0] + names[1], Driver::EitherName)
                }
                driver => (size, driver),
            };
            if driver_size.0 <= few && best.is_none_or(|best| driver_size.0 < best.0) {
                best = Some(driver_size);
            }
        }
        let source = |driver, search| Source { driver, search };
        if best.is_some() || self.search.is_none() || order == UserOrder::Id {
            return Ok(vec![source(best.map(|best| best.1), Search::Either)]);
        }
        // A name that the list is ordered by is a range of its index. The other names are few, or
        // spread over the list.
        let (other_size, other) = match order {
            UserOrder::PrincipalName => (names[0], Driver::DisplayName),
            _ => (names[1], Driver::PrincipalName),
        };
        let other = (other_size <= few).then_some(other);
        Ok(vec![
            source(None, Search::Own),
            source(other, Search::OtherOnly),
        ])
    }

    /// The conditions of the filter that an index can find the users of.
    fn drivers(&self) -> Vec<Driver> {
        let filter = self.filter;
        if filter.failed_in.is_some() {
            return vec![Driver::FailedIn];
        }
        let candidates = [
            (filter.holds_product.is_some(), Driver::Holds),
            (filter.holds_plan.is_some(), Driver::Plan),
            (filter.usage_location.is_some(), Driver::Location),
            (filter.active.is_some(), Driver::State),
            (filter.not_active_since.is_some(), Driver::NotActive),
            (filter.search.is_some(), Driver::DisplayName),
            (filter.search.is_some(), Driver::PrincipalName),
        ];
        let given = candidates.into_iter().filter(|(given, _)| *given);
        given.map(|(_, driver)| driver).collect()
    }

    /// How many users a driver finds; more than `few` is not counted on.
    async fn size(&self, conn: &mut impl Reads, driver: Driver, few: i64) -> Result<i64, Error> {
        let statement = match driver {
            // The customer's failures are stored together, and in no index.
            Driver::FailedIn => return Ok(0),
            Driver::Holds => portable("SELECT assigned FROM licenses WHERE customer_id = ")
                .id(self.customer)
                .sql(" AND product_id = ")
                .id(self.filter.holds_product.expect("it drives")),
            Driver::Plan => {
                portable("SELECT CAST(coalesce(sum(l.assigned), 0) AS bigint) FROM licenses AS l ")
                    .append(self.with_plan())
            }
            driver => portable("SELECT count(*) FROM (")
                .append(self.found_by(driver))
                .sql(" LIMIT ")
                .number(few + 1)
                .sql(") AS d"),
        };
        Ok(conn.number(statement.returning()).await?.unwrap_or(0))
    }

    /// Joins those of the customer's licenses `l` that have the wanted plan.
    fn with_plan(&self) -> Portable {
        let plan = self.filter.holds_plan.expect("it is asked for");
        portable("CROSS JOIN ")
            .per_engine(
                "LATERAL (SELECT plan_id FROM product_plans WHERE product_id = l.product_id AND plan_id = ",
                "product_plans AS pp ON pp.product_id = l.product_id AND pp.plan_id = ",
            )
            .id(plan)
            .per_engine(" OFFSET 0) AS pp", "")
            .sql(" WHERE l.customer_id = ")
            .id(self.customer)
    }

    /// Selects the ids of the users that a driver finds.
    fn found_by(&self, driver: Driver) -> Portable {
        let filter = self.filter;
        let (low, high) = self
            .search
            .as_ref()
            .map_or(("", ""), |(low, high)| (low, high));
        let users = || {
            portable("SELECT user_id FROM users WHERE deleted_at IS NULL AND customer_id = ")
                .id(self.customer)
        };
        match driver {
            Driver::Holds => portable("SELECT user_id FROM assignments WHERE customer_id = ")
                .id(self.customer)
                .sql(" AND product_id = ")
                .id(filter.holds_product.expect("it drives")),
            Driver::Plan => self.holders_of_plan(),
            Driver::FailedIn => self.failed(),
            Driver::Location => match filter.usage_location.expect("it drives") {
                Some(country) => users().sql(" AND usage_location = ").text(country.as_str()),
                None => users().sql(" AND usage_location IS NULL"),
            },
            Driver::State => users()
                .sql(" AND active = ")
                .flag(filter.active.expect("it drives")),
            Driver::NotActive => users()
                .sql(" AND last_active_at < ")
                .time(Timestamp(filter.not_active_since.expect("it drives")))
                .sql(" UNION ALL ")
                .append(users())
                .sql(" AND last_active_at IS NULL"),
            Driver::DisplayName => users()
                .sql(" AND sort_key >= ")
                .text(low)
                .sql(" AND sort_key < ")
                .text(high),
            Driver::PrincipalName => users()
                .sql(" AND principal_key >= ")
                .text(low)
                .sql(" AND principal_key < ")
                .text(high),
            Driver::EitherName => self
                .found_by(Driver::DisplayName)
                .sql(" UNION ")
                .append(self.found_by(Driver::PrincipalName)),
        }
    }

    /// A user who holds the plan by two products is there once.
    fn holders_of_plan(&self) -> Portable {
        portable("SELECT DISTINCT a.user_id FROM (SELECT l.product_id FROM licenses AS l ")
            .append(self.with_plan())
            .sql(") AS p CROSS JOIN ")
            .per_engine(
                "LATERAL (SELECT user_id, choice_id FROM assignments WHERE customer_id = ",
                "assignments AS a ON a.customer_id = ",
            )
            .id(self.customer)
            .per_engine(
                " AND product_id = p.product_id OFFSET 0) AS a",
                " AND a.product_id = p.product_id",
            )
            .sql(" WHERE ")
            .append(self.chosen())
    }

    /// The choice of the assignment `a` leaves the plan on.
    fn chosen(&self) -> Portable {
        portable("(a.choice_id = 0 OR a.choice_id IN (SELECT ")
            .per_engine(
                "value::int4 FROM json_array_elements_text(",
                "value FROM json_each(",
            )
            .text(&*self.choices)
            .per_engine("::json)))", ")))")
    }

    /// Takes the ids apart that the results of the batch have together.
    fn failed(&self) -> Portable {
        let batch = self.filter.failed_in.expect("it drives");
        portable(
            "WITH RECURSIVE places (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n < \
             (SELECT max(length(failed_user_ids)) / 16 - 1 FROM batch_results WHERE customer_id = ",
        )
        .id(self.customer)
        .sql(" AND batch_id = ")
        .id(batch)
        .sql(")) SELECT ")
        .per_engine(
            "encode(substr(r.failed_user_ids, places.n * 16 + 1, 16), 'hex')::uuid",
            "substr(r.failed_user_ids, places.n * 16 + 1, 16)",
        )
        .sql(" AS user_id FROM batch_results AS r CROSS JOIN places WHERE r.customer_id = ")
        .id(self.customer)
        .sql(" AND r.batch_id = ")
        .id(batch)
        .sql(" AND places.n < length(r.failed_user_ids) / 16")
    }

    /// Selects from a source the users who meet all of the filter, at a place of the order.
    pub(super) fn select(
        &self,
        columns: &'static str,
        source: &Source,
        order: UserOrder,
        place: &Place<UserKey>,
    ) -> Portable {
        let statement = match source.driver {
            None => portable("SELECT ")
                .sql(columns)
                .sql(" FROM users AS u WHERE u.customer_id = ")
                .id(self.customer),
            Some(driver) => portable("SELECT ")
                .sql(columns)
                .sql(" FROM (")
                .append(self.found_by(driver))
                .sql(") AS d CROSS JOIN ")
                .per_engine(
                    "LATERAL (SELECT * FROM users WHERE customer_id = ",
                    "users AS u ON u.customer_id = ",
                )
                .id(self.customer)
                .per_engine(
                    " AND user_id = d.user_id OFFSET 0) AS u WHERE TRUE",
                    " AND u.user_id = d.user_id WHERE TRUE",
                ),
        };
        let statement = self.met(statement.sql(" AND u.deleted_at IS NULL"), source.driver);
        self.named(statement, source, order, place)
    }

    /// Demands what the driver does not see to.
    fn met(&self, mut statement: Portable, driver: Option<Driver>) -> Portable {
        let filter = self.filter;
        if let Some(active) = filter.active {
            statement = statement
                .sql(" AND (u.active = ")
                .flag(active)
                .sql(") IS TRUE");
        }
        statement = match filter.usage_location {
            None => statement,
            Some(None) => statement.sql(" AND (u.usage_location IS NULL) IS TRUE"),
            Some(Some(country)) => statement
                .sql(" AND (u.usage_location = ")
                .text(country.as_str())
                .sql(") IS TRUE"),
        };
        if let Some(since) = filter.not_active_since {
            statement = statement
                .sql(" AND (u.last_active_at IS NULL OR u.last_active_at < ")
                .time(Timestamp(since))
                .sql(") IS TRUE");
        }
        let holds = |statement: Portable, product| {
            statement
                .sql("(EXISTS (SELECT 1 FROM assignments AS a WHERE a.customer_id = ")
                .id(self.customer)
                .sql(" AND a.user_id = u.user_id AND a.product_id = ")
                .id(product)
                .sql("))")
        };
        if let Some(product) = filter
            .holds_product
            .filter(|_| driver != Some(Driver::Holds))
        {
            statement = holds(statement.sql(" AND "), product).sql(" IS TRUE");
        }
        if let Some(product) = filter.lacks_product {
            statement = holds(statement.sql(" AND "), product).sql(" IS FALSE");
        }
        if let Some(plan) = filter.holds_plan.filter(|_| driver != Some(Driver::Plan)) {
            statement = statement
                .sql(" AND (EXISTS (SELECT 1 FROM assignments AS a WHERE a.customer_id = ")
                .id(self.customer)
                .sql(" AND a.user_id = u.user_id AND ")
                .append(self.chosen())
                .sql(
                    " AND (EXISTS (SELECT 1 FROM product_plans AS pp \
                     WHERE pp.product_id = a.product_id AND pp.plan_id = ",
                )
                .id(plan)
                .sql(")) IS TRUE)) IS TRUE");
        }
        statement
    }

    /// Demands the names and the place.
    fn named(
        &self,
        statement: Portable,
        source: &Source,
        order: UserOrder,
        place: &Place<UserKey>,
    ) -> Portable {
        let (low, high) = match &self.search {
            None => return beyond(statement, order, place),
            Some((low, high)) => (low, high),
        };
        let (own_low, own_high) = match order {
            UserOrder::PrincipalName => ("u.principal_key >= ", "u.principal_key < "),
            _ => ("u.sort_key >= ", "u.sort_key < "),
        };
        let (other_low, other_high) = match order {
            UserOrder::PrincipalName => ("u.sort_key >= ", "u.sort_key < "),
            _ => ("u.principal_key >= ", "u.principal_key < "),
        };
        let within = |statement: Portable, from: &'static str, to: &'static str| {
            statement
                .sql("(")
                .sql(from)
                .text(low)
                .sql(" AND ")
                .sql(to)
                .text(high)
                .sql(")")
        };
        match source.search {
            Search::Either => {
                let statement = within(statement.sql(" AND ("), own_low, own_high).sql(" OR ");
                let statement = within(statement, other_low, other_high).sql(") IS TRUE");
                beyond(statement, order, place)
            }
            Search::OtherOnly => {
                let statement = within(statement.sql(" AND "), other_low, other_high);
                let statement = within(statement.sql(" IS TRUE AND "), own_low, own_high);
                beyond(statement.sql(" IS FALSE"), order, place)
            }
            // The index is entered at one place, so the narrower of two bounds must stand alone.
            Search::Own => {
                let from_place = matches!(place, Place::After((key, _)) if key >= low);
                let to_place = matches!(place, Place::Before((key, _)) if key < high);
                let mut statement = statement;
                if !from_place {
                    statement = statement.sql(" AND ").sql(own_low).text(low);
                }
                if !to_place {
                    statement = statement.sql(" AND ").sql(own_high).text(high);
                }
                // Beyond a place outside the range is all of it, or nothing.
                match place {
                    Place::After((key, _)) if key < low => statement,
                    Place::Before((key, _)) if key >= high => statement,
                    _ => beyond(statement, order, place),
                }
            }
        }
    }

    /// Selects users of all sources in order: the page at a place, or the reverse of it.
    pub(super) fn list(
        &self,
        (columns, keys): (&'static str, &'static str),
        sources: &[Source],
        order: UserOrder,
        place: &Place<UserKey>,
        limit: i64,
    ) -> Portable {
        let list = |columns, source| {
            self.select(columns, source, order, place)
                .sql(order_by(order, place.is_backward()))
                .sql(" LIMIT ")
                .number(limit)
        };
        match sources {
            [source] => list(columns, source),
            [one, other] => portable("SELECT ")
                .sql(columns)
                .sql(" FROM (SELECT * FROM (")
                .append(list(keys, one))
                .sql(") AS one UNION ALL SELECT * FROM (")
                .append(list(keys, other))
                .sql(") AS other) AS u")
                .sql(order_by(order, place.is_backward()))
                .sql(" LIMIT ")
                .number(limit),
            _ => unreachable!("a filter has one source or two"),
        }
    }
}

/// Demands that users lie beyond the place.
fn beyond(statement: Portable, order: UserOrder, place: &Place<UserKey>) -> Portable {
    let Some((text, id)) = place.key() else {
        return statement;
    };
    let names = match order {
        UserOrder::DisplayName => " AND (u.sort_key, u.user_id)",
        UserOrder::PrincipalName => " AND u.principal_key",
        UserOrder::Id => " AND u.user_id",
    };
    let statement = statement
        .sql(names)
        .sql(if place.is_backward() { " < " } else { " > " });
    match order {
        UserOrder::DisplayName => statement.sql("(").text(text).sql(", ").id(*id).sql(")"),
        UserOrder::PrincipalName => statement.text(text),
        UserOrder::Id => statement.id(*id),
    }
}

fn order_by(order: UserOrder, backward: bool) -> &'static str {
    match (order, backward) {
        (UserOrder::DisplayName, false) => " ORDER BY u.sort_key, u.user_id",
        (UserOrder::DisplayName, true) => " ORDER BY u.sort_key DESC, u.user_id DESC",
        (UserOrder::PrincipalName, false) => " ORDER BY u.principal_key",
        (UserOrder::PrincipalName, true) => " ORDER BY u.principal_key DESC",
        (UserOrder::Id, false) => " ORDER BY u.user_id",
        (UserOrder::Id, true) => " ORDER BY u.user_id DESC",
    }
}

/// The texts that begin with `prefix`: from the first of them to the first beyond them, bytewise.
pub(in crate::store) fn prefix_range(prefix: &str) -> (String, String) {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // Skips what is no character.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return (prefix.to_owned(), end);
        }
    }
    (prefix.to_owned(), char::MAX.to_string().repeat(LAST_CHARS))
}

/// The customer's choices, besides "all", that leave a plan on, as JSON.
async fn choices_with(conn: &mut impl Reads, customer: Id, plan: PlanId) -> Result<String, Error> {
    let statement =
        portable("SELECT choice_id, only_named, plan_ids FROM plan_choices WHERE customer_id = ")
            .id(customer);
    let mut on = Vec::new();
    for (id, only, plans) in conn.choices(statement.returning()).await? {
        let is_on = match decode_choice(only, &plans)? {
            PlanChoice::Only(plans) => plans.contains(&plan),
            PlanChoice::AllExcept(plans) => !plans.contains(&plan),
        };
        if is_on {
            on.push(id.to_string());
        }
    }
    Ok(format!("[{}]", on.join(",")))
}
