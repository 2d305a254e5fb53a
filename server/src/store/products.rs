//! Products of the catalogue, one by one and page by page. The catalogue is imported in
//! `catalogue.rs`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, SmallInt, Text};
use diesel_async::RunQueryDsl;

use super::Store;
use super::error::{Error, Refusal};
use super::portable::{Keys, Portable, Value, in_order, portable, prefix_range};
use super::schema::{product_plans as pp, products as p, service_plans as sp};
use super::types::{Guid, Id};
use crate::domain::{LaterPlans, Place, PlanId, ProductId, fold};

/// A product as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = p)]
pub struct Product {
    /// The key.
    #[diesel(deserialize_as = Id)]
    pub product_id: ProductId,
    /// Name for people.
    pub display_name: String,
    /// Technical name.
    pub string_id: String,
    /// True if no user can hold it.
    pub for_company: bool,
    /// What becomes of plans that are added later.
    #[diesel(deserialize_as = i16)]
    pub later_plans: LaterPlans,
    /// True if the newest edition lacks it.
    pub retired: bool,
}

/// A plan of a product as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOfProduct {
    /// The plan.
    pub plan: PlanId,
    /// Technical name.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// True if the newest edition no longer has it in the product.
    pub retired: bool,
}

/// Conditions on products, all of which must hold; `None` is met by every product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// The string id, whatever its case.
    pub string_id: Option<String>,
    /// The folded display name or string id begins with this text, which is folded, too.
    pub search: Option<String>,
    /// Retired or not.
    pub retired: Option<bool>,
    /// For the company or for users.
    pub for_company: Option<bool>,
}

impl ProductFilter {
    /// Goes on with the conditions. No index serves them: a catalogue has some hundred products.
    fn met(&self, mut statement: Portable) -> Portable {
        if let Some(string_id) = &self.string_id {
            statement = statement.sql(" AND string_key = ").text(fold(string_id));
        }
        if let Some(search) = &self.search {
            let (low, high) = prefix_range(search);
            statement = statement.sql(" AND (sort_key >= ").text(&*low);
            statement = statement.sql(" AND sort_key < ").text(&*high);
            statement = statement.sql(" OR string_key >= ").text(low);
            statement = statement.sql(" AND string_key < ").text(high).sql(")");
        }
        if let Some(retired) = self.retired {
            statement = statement.sql(" AND retired = ").flag(retired);
        }
        if let Some(for_company) = self.for_company {
            statement = statement.sql(" AND for_company = ").flag(for_company);
        }
        statement
    }
}

impl Store {
    /// Returns a product with its plans, by name.
    pub async fn product(&self, id: ProductId) -> Result<(Product, Vec<PlanOfProduct>), Error> {
        let found: Option<Product> = read!(self, conn => {
            p::table.find(Id::from(id)).select(Product::as_select()).first(conn).await.optional()
        })?;
        let found = found.ok_or_else(|| not_found(id))?;
        let plans: Vec<(Id, String, String, bool)> = read!(self, conn => {
            pp::table
                .inner_join(sp::table.on(sp::plan_id.eq(pp::plan_id)))
                .filter(pp::product_id.eq(Id::from(id)))
                .order((sp::name, sp::plan_id))
                .select((pp::plan_id, sp::name, sp::display_name, pp::retired))
                .load(conn)
                .await
        })?;
        let plan =
            |(plan, name, display_name, retired): (Id, String, String, bool)| PlanOfProduct {
                plan: plan.into(),
                name,
                display_name,
                retired,
            };
        Ok((found, plans.into_iter().map(plan).collect()))
    }

    /// Returns up to `limit` products who meet the filter, at a place, by display name and id.
    pub async fn products(
        &self,
        filter: &ProductFilter,
        place: &Place<(String, ProductId)>,
        limit: i64,
    ) -> Result<Vec<Product>, Error> {
        const KEYS: Keys = &["sort_key", "product_id"];
        let select = "SELECT product_id, display_name, string_id, for_company, later_plans, retired \
                      FROM products WHERE TRUE";
        let key = |(name, id): &(String, ProductId)| {
            vec![Value::Text(name.clone()), Value::Id(Id::from(*id))]
        };
        let statement = filter
            .met(portable(select))
            .beyond(KEYS, &place.map(key))
            .ordered(KEYS, place.is_backward())
            .limit(limit)
            .returning::<(Guid, Text, Text, Bool, SmallInt, Bool)>();
        let rows = read!(self, conn => { statement.load(conn).await })?;
        Ok(in_order(rows, place))
    }

    /// Counts the products who meet the filter.
    pub async fn count_products(&self, filter: &ProductFilter) -> Result<i64, Error> {
        let statement = filter.met(portable("SELECT count(*) FROM products WHERE TRUE"));
        read!(self, conn => { statement.returning::<BigInt>().get_result(conn).await })
    }
}

pub(super) fn not_found(product: ProductId) -> Error {
    Refusal::NotFound {
        resource: "product",
        id: product.to_string(),
    }
    .into()
}
