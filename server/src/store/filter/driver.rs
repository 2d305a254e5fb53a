//! The conditions that an index can find the users of.

use super::question::Question;
use crate::store::portable::{Portable, portable};
use crate::store::types::Timestamp;

/// A condition that users are looked up by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Holds,
    Lacks,
    Plan,
    FailedIn,
    Location,
    State,
    NotActive,
    DisplayName,
    PrincipalName,
    EitherName,
}

impl Question<'_> {
    /// Joins those of the customer's licenses `l` that have the wanted plan.
    pub(super) fn with_plan(&self) -> Portable {
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
    pub(super) fn found_by(&self, driver: Driver) -> Portable {
        let filter = self.filter;
        let (low, high) = self
            .search
            .as_ref()
            .map_or(("", ""), |(low, high)| (low, high));
        // Without statistics SQLite would read all users of the customer.
        let users = |indexed| {
            portable("SELECT user_id FROM users ")
                .per_engine("", indexed)
                .sql("WHERE deleted_at IS NULL AND customer_id = ")
                .id(self.customer)
        };
        match driver {
            Driver::Holds => portable("SELECT user_id FROM assignments WHERE customer_id = ")
                .id(self.customer)
                .sql(" AND product_id = ")
                .id(filter.holds_product.expect("it drives")),
            // In the order of the ids, which both indexes have, so that neighbours share pages.
            Driver::Lacks => portable("SELECT u.user_id FROM users AS u ")
                .per_engine("", "INDEXED BY users_active_idx ")
                .sql("WHERE u.deleted_at IS NULL AND u.customer_id = ")
                .id(self.customer)
                .sql(" AND NOT EXISTS (SELECT 1 FROM assignments AS a ")
                .per_engine("", "INDEXED BY assignments_product_idx ")
                .sql("WHERE a.customer_id = ")
                .id(self.customer)
                .sql(" AND a.user_id = u.user_id AND a.product_id = ")
                .id(filter.lacks_product.expect("it drives"))
                .per_engine(") ORDER BY u.active, u.user_id", ")"),
            Driver::Plan => self.holders_of_plan(),
            Driver::FailedIn => self.failed(),
            Driver::Location => match filter.usage_location.expect("it drives") {
                Some(country) => users("INDEXED BY users_location_idx ")
                    .sql(" AND usage_location = ")
                    .text(country.as_str()),
                None => users("INDEXED BY users_location_idx ").sql(" AND usage_location IS NULL"),
            },
            Driver::State => users("INDEXED BY users_active_idx ")
                .sql(" AND active = ")
                .flag(filter.active.expect("it drives")),
            Driver::NotActive => users("INDEXED BY users_last_active_idx ")
                .sql(" AND last_active_at < ")
                .time(Timestamp(filter.not_active_since.expect("it drives")))
                .sql(" UNION ALL ")
                .append(users("INDEXED BY users_last_active_idx "))
                .sql(" AND last_active_at IS NULL"),
            Driver::DisplayName => users("INDEXED BY users_sort_idx ")
                .sql(" AND sort_key >= ")
                .text(low)
                .sql(" AND sort_key < ")
                .text(high),
            Driver::PrincipalName => users("")
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
                "assignments AS a INDEXED BY assignments_product_idx ON a.customer_id = ",
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
    pub(super) fn chosen(&self) -> Portable {
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
}
