//! A filter becomes a statement here.

use super::driver::Driver;
use super::{ALL_USERS_MAX, Reads, USER_COLUMNS, UserKey};
use crate::domain::{CustomerId, Place, PlanChoice, PlanId, UserFilter, UserOrder, fold};
use crate::store::batches::{self, KEPT};
use crate::store::codec::decode_choice;
use crate::store::error::{Error, Refusal};
use crate::store::portable::{Keys, Portable, Value, portable, prefix_range};
use crate::store::types::{Id, Timestamp};
use crate::store::users::User;

/// A filter, with what had to be read before a statement can be made of it.
pub(super) struct Question<'a> {
    pub(super) customer: Id,
    pub(super) filter: &'a UserFilter,
    /// Keys that begin with the text are at least the first and below the second.
    pub(super) search: Option<(String, String)>,
    /// The choices that leave the wanted plan on, besides "all", as JSON.
    pub(super) choices: String,
}

/// Users of which each meets the filter, and whom no other source of the same question has.
pub(super) struct Source {
    /// Who is looked up and sorted; without it the index of the order is walked.
    driver: Option<Driver>,
    search: Search,
    /// How far is walked; to the end if not set.
    pub(super) until: Option<UserKey>,
}

/// Which names begin with the text, seen from the name that the list is ordered by.
#[derive(Clone, Copy)]
enum Search {
    Either,
    Own,
    OtherOnly,
}

impl<'a> Question<'a> {
    /// Refused if the customer has no such batch as the filter names, or its results are pruned.
    pub(super) async fn new(
        conn: &mut impl Reads,
        customer: CustomerId,
        filter: &'a UserFilter,
    ) -> Result<Self, Error> {
        let customer = Id::from(customer);
        if let Some(batch) = filter.failed_in {
            let results = portable("SELECT CAST(results AS bigint) FROM batches")
                .sql(" WHERE customer_id = ")
                .id(customer)
                .sql(" AND batch_id = ")
                .id(batch);
            match conn.number(results.returning()).await? {
                None => return Err(batches::not_found(batch)),
                Some(results) if results != i64::from(KEPT) => {
                    return Err(Refusal::ResultsPruned(batch).into());
                }
                Some(_) => {}
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
        let source = |driver, search| Source {
            driver,
            search,
            until: None,
        };
        if best.is_some() || self.search.is_none() || order == UserOrder::Id {
            return Ok(vec![source(best.map(|best| best.1), Search::Either)]);
        }
        // Names that the list is ordered by are a range of its index. The others are looked up, however
        // many: most people have names that begin alike, so that walking would find hardly one.
        let other = match order {
            UserOrder::PrincipalName => Driver::DisplayName,
            _ => Driver::PrincipalName,
        };
        Ok(vec![
            source(None, Search::Own),
            source(Some(other), Search::OtherOnly),
        ])
    }

    /// How many users meet the filter, if it has one condition of which indexes know.
    pub(super) async fn known_count(&self, conn: &mut impl Reads) -> Result<Option<i64>, Error> {
        let known = [
            Driver::Holds,
            Driver::Location,
            Driver::State,
            Driver::NotActive,
        ];
        match self.drivers()[..] {
            [driver] if known.contains(&driver) && self.filter.lacks_product.is_none() => {
                Ok(Some(self.size(conn, driver, i64::MAX - 1).await?))
            }
            _ => Ok(None),
        }
    }

    /// True if users are walked and hardly one may be found: because most hold the product that they
    /// are to lack, or because each condition is met by many and all of them together by few.
    pub(super) fn may_walk_far(&self, sources: &[Source]) -> bool {
        let is_walk = matches!(sources, [Source { driver: None, .. }]);
        is_walk && (self.filter.lacks_product.is_some() || self.drivers().len() > 1)
    }

    /// How to look up everybody who meets the condition that the fewest do, in the order of their ids,
    /// in which neighbours share pages. By a product that users lack only if there is nothing else.
    pub(super) async fn exhaustive(&self, conn: &mut impl Reads) -> Result<Vec<Source>, Error> {
        // To look up very many takes longer than to see whom the product's holders leave over.
        let few = match self.filter.lacks_product {
            Some(_) => ALL_USERS_MAX,
            None => i64::MAX - 1,
        };
        let mut sources = self.sources(conn, UserOrder::Id, few).await?;
        for source in &mut sources {
            source.driver = source.driver.or(Some(Driver::Lacks));
        }
        Ok(sources)
    }

    /// The key so many users beyond a place of the order; none if there are fewer.
    pub(super) async fn horizon(
        &self,
        conn: &mut impl Reads,
        order: UserOrder,
        place: &Place<UserKey>,
        users: i64,
    ) -> Result<Option<UserKey>, Error> {
        let place = place.map(|key| key_values(order, key));
        let at = portable(
            "SELECT u.user_id FROM users AS u WHERE u.deleted_at IS NULL AND u.customer_id = ",
        )
        .id(self.customer)
        .beyond(keys(order), &place)
        .ordered(keys(order), place.is_backward())
        .sql(" LIMIT 1 OFFSET ")
        .number(users - 1);
        let user = conn.users(self.join(USER_COLUMNS, at).returning()).await?;
        Ok(user.first().map(|user| key_of(user, order)))
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
                .limit(few + 1)
                .sql(") AS d"),
        };
        Ok(conn.number(statement.returning()).await?.unwrap_or(0))
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
            None => {
                let walk = portable("SELECT ")
                    .sql(columns)
                    .sql(" FROM users AS u WHERE u.customer_id = ")
                    .id(self.customer);
                match &source.until {
                    Some(key) => walk.until(keys(order), place, &key_values(order, key)),
                    None => walk,
                }
            }
            Some(driver) => self.join(columns, self.found_by(driver)),
        };
        let statement = self.met(statement.sql(" AND u.deleted_at IS NULL"), source.driver);
        self.named(statement, source, order, place)
    }

    /// Selects the users whose ids were found.
    fn join(&self, columns: &'static str, found: Portable) -> Portable {
        portable("SELECT ")
            .sql(columns)
            .sql(" FROM (")
            .append(found)
            .sql(") AS d CROSS JOIN ")
            .per_engine(
                "LATERAL (SELECT * FROM users WHERE customer_id = ",
                "users AS u ON u.customer_id = ",
            )
            .id(self.customer)
            .per_engine(
                " AND user_id = d.user_id OFFSET 0) AS u WHERE TRUE",
                " AND u.user_id = d.user_id WHERE TRUE",
            )
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
        if let Some(product) = filter
            .lacks_product
            .filter(|_| driver != Some(Driver::Lacks))
        {
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
        let (keys, place) = (keys(order), place.map(|key| key_values(order, key)));
        let Some(range) = &self.search else {
            return statement.beyond(keys, &place);
        };
        let (own, other) = match order {
            UserOrder::PrincipalName => ("u.principal_key", "u.sort_key"),
            _ => ("u.sort_key", "u.principal_key"),
        };
        let begins = |statement: Portable, name: &'static str| {
            let statement = statement.sql("(").sql(name).sql(" >= ").text(&*range.0);
            let statement = statement.sql(" AND ").sql(name).sql(" < ").text(&*range.1);
            statement.sql(")")
        };
        match source.search {
            Search::Either => {
                let statement = begins(statement.sql(" AND ("), own).sql(" OR ");
                let statement = begins(statement, other).sql(") IS TRUE");
                statement.beyond(keys, &place)
            }
            Search::Own => statement.beyond_within(keys, &place, range),
            Search::OtherOnly => {
                let statement = begins(statement.sql(" AND "), other).sql(" IS TRUE");
                let statement = begins(statement.sql(" AND "), own).sql(" IS FALSE");
                statement.beyond(keys, &place)
            }
        }
    }

    /// Selects users of all sources in order: the page at a place, or the reverse of it.
    pub(super) fn list(
        &self,
        (columns, inner): (&'static str, &'static str),
        sources: &[Source],
        order: UserOrder,
        place: &Place<UserKey>,
        limit: i64,
    ) -> Portable {
        let (keys, is_backward) = (keys(order), place.is_backward());
        let list = |columns, source| {
            let users = self.select(columns, source, order, place);
            users.ordered(keys, is_backward).limit(limit)
        };
        match sources {
            [source] => list(columns, source),
            [one, other] => portable("SELECT ")
                .sql(columns)
                .sql(" FROM (SELECT * FROM (")
                .append(list(inner, one))
                .sql(") AS one UNION ALL SELECT * FROM (")
                .append(list(inner, other))
                .sql(") AS other) AS u")
                .ordered(keys, is_backward)
                .limit(limit),
            _ => unreachable!("a filter has one source or two"),
        }
    }
}

/// The columns that users are ordered by. A principal name is unique.
fn keys(order: UserOrder) -> Keys {
    match order {
        UserOrder::DisplayName => &["u.sort_key", "u.user_id"],
        UserOrder::PrincipalName => &["u.principal_key"],
        UserOrder::Id => &["u.user_id"],
    }
}

fn key_of(user: &User, order: UserOrder) -> UserKey {
    let text = match order {
        UserOrder::DisplayName => fold(&user.display_name),
        UserOrder::PrincipalName => fold(&user.principal_name),
        UserOrder::Id => String::new(),
    };
    (text, user.user_id)
}

fn key_values(order: UserOrder, (text, id): &UserKey) -> Vec<Value> {
    let (text, id) = (Value::Text(text.clone()), Value::Id(Id::from(*id)));
    match order {
        UserOrder::DisplayName => vec![text, id],
        UserOrder::PrincipalName => vec![text],
        UserOrder::Id => vec![id],
    }
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
