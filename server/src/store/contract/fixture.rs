//! A customer with a small catalogue, and short words for what checks do with it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use uuid::Uuid;

use super::engine::Fresh;
use crate::domain::{
    Assign, Catalogue, Change, Comment, Country, CustomerId, DisplayName, Origin, Place,
    PlanChoice, PlanEdit, PlanId, PrincipalName, ProductId, Scope, UserFilter, UserId, UserOrder,
    UserRef,
};
use crate::edition::{AppliesTo, Edition, EditionPlan, EditionProduct, EditionRule, RuleSet};
use crate::store::{
    AssignmentFilter, CustomerStore, Error, ImportUser, Imported, License, NewUser, SeatsUpdate,
    Store, Timestamp, User, UserUpdate,
};

/// The moment of every call, unless time matters.
pub(super) const NOW: Timestamp = Timestamp(1_750_000_000_123_456);

/// Who asks, unless it matters.
pub(super) static BY: LazyLock<Origin> = LazyLock::new(|| Origin {
    who: "ada".to_owned(),
    through: "Contract/Check".to_owned(),
    request: None,
    comment: Comment::parse("because").expect("a comment"),
});

/// So many seconds after `NOW`.
pub(super) fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

/// A product with plans 1 and 2.
pub(super) const OFFICE: ProductId = product(1);
/// A product whose plan 3 excludes plan 4.
pub(super) const BASIC: ProductId = product(2);
/// A product whose plan 4 excludes plan 3.
pub(super) const PREMIUM: ProductId = product(3);
/// A product for the company as a whole.
pub(super) const COMPANY_WIDE: ProductId = product(4);

pub(super) const fn product(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

pub(super) const fn plan(number: u128) -> PlanId {
    PlanId(Uuid::from_u128(number))
}

pub(super) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(super) const fn customer(number: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(number))
}

/// The way into a customer, or into the installation's journal.
pub(super) fn scope(customer: CustomerId) -> Scope {
    Scope::of_service(customer)
}

pub(super) fn display(name: &str) -> DisplayName {
    DisplayName::parse(name).expect("a name")
}

pub(super) fn principal(name: &str) -> PrincipalName {
    PrincipalName::parse(name).expect("a principal name")
}

pub(super) fn by_id(user: UserId) -> UserRef {
    UserRef::Id(user)
}

pub(super) fn by_name(name: &str) -> UserRef {
    UserRef::Name(principal(name))
}

/// The principal name of the user with this number.
pub(super) fn name_of(number: u128) -> String {
    format!("user{number}@example.com")
}

pub(super) fn country(code: &str) -> Country {
    Country::parse(code).expect("a country")
}

pub(super) fn new_user(number: u128, name: &str) -> NewUser {
    NewUser {
        id: user(number),
        principal_name: principal(name),
        display_name: display("Ada"),
        usage_location: Some(country("NL")),
        active: true,
        last_active_at: None,
    }
}

pub(super) fn assign(products: &[ProductId]) -> Change {
    let assign = products
        .iter()
        .map(|&product| Assign {
            product,
            plans: None,
        })
        .collect();
    Change {
        assign,
        ..Change::default()
    }
}

pub(super) fn assign_plans(product: ProductId, plans: PlanChoice) -> Change {
    Change {
        assign: vec![Assign {
            product,
            plans: Some(PlanEdit::Set(plans)),
        }],
        ..Change::default()
    }
}

pub(super) fn revoke(products: &[ProductId]) -> Change {
    Change {
        revoke: products.to_vec(),
        ..Change::default()
    }
}

/// A product of an edition, for users, with plans by number.
pub(super) fn edition_product(id: ProductId, name: &str, plans: &[u128]) -> EditionProduct {
    EditionProduct {
        id: id.0,
        display_name: name.to_owned(),
        string_id: name.to_uppercase(),
        applies_to: Some(AppliesTo::User),
        plan_ids: plans.iter().map(|number| plan(*number).0).collect(),
    }
}

/// An edition of these products, in which plan 1 is named PLAN1.
pub(super) fn edition(products: Vec<EditionProduct>) -> Edition {
    let mut ids: Vec<Uuid> = products.iter().flat_map(|p| p.plan_ids.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let plan = |id: Uuid| EditionPlan {
        id,
        name: format!("PLAN{}", id.as_u128()),
        display_name: format!("Plan {}", id.as_u128()),
    };
    Edition {
        products,
        plans: ids.into_iter().map(plan).collect(),
    }
}

/// The edition of the fixture.
pub(super) fn first_edition() -> Edition {
    let mut edition = edition(vec![
        edition_product(OFFICE, "Office", &[1, 2]),
        edition_product(BASIC, "Basic", &[3]),
        edition_product(PREMIUM, "Premium", &[4]),
        edition_product(COMPANY_WIDE, "Company", &[]),
    ]);
    edition.products[3].applies_to = Some(AppliesTo::Company);
    edition
}

/// The rules of the fixture.
pub(super) fn first_rules() -> RuleSet {
    let rules = vec![EditionRule::Excludes {
        plan: plan(3).0,
        other: plan(4).0,
    }];
    RuleSet {
        rules,
        plan_names: BTreeMap::new(),
    }
}

/// Only the assignments of this user.
pub(super) fn of_user(user: UserId) -> AssignmentFilter {
    AssignmentFilter {
        user: Some(user),
        product: None,
    }
}

/// The first users of a customer by id.
pub(super) async fn first_users(
    store: &Store,
    customer: CustomerId,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let filter = UserFilter::default();
    store
        .of(scope(customer))
        .users(&filter, UserOrder::Id, &Place::First, limit)
        .await
}

impl Fresh {
    /// Brings the store to its schema and gives it a first catalogue and a customer.
    pub(super) async fn fixture(self) -> Fixture {
        let store = self.store.clone();
        store.migrate().await.expect("migrated");
        store.token_key(b"secret").await.expect("a key");
        store
            .import_edition(&first_edition(), &BY, NOW)
            .await
            .expect("imported");
        store
            .import_rules(&first_rules(), &BY, NOW)
            .await
            .expect("imported");
        let customer = customer(1);
        store
            .create_customer(customer, &display("Contoso"), &BY, NOW)
            .await
            .expect("created");
        let catalogue = Arc::new(store.catalogue().await.expect("a catalogue"));
        Fixture {
            rows: store.of(scope(customer)),
            store,
            customer,
            catalogue,
            fresh: Arc::new(self),
        }
    }
}

/// A customer in a store, and the catalogue as the service would have it in memory.
#[derive(Clone)]
pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) customer: CustomerId,
    /// What is the customer's.
    pub(super) rows: CustomerStore,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) fresh: Arc<Fresh>,
}

impl Fixture {
    /// Another customer of the same store.
    pub(super) fn of(&self, customer: CustomerId) -> Self {
        Self {
            customer,
            rows: self.store.of(scope(customer)),
            ..self.clone()
        }
    }

    /// The same customer as another server sees it.
    pub(super) async fn on_another_server(&self) -> Self {
        let store = self.fresh.another_server().await;
        Self {
            rows: store.of(scope(self.customer)),
            store,
            ..self.clone()
        }
    }

    pub(super) async fn enable_seats(&self, product: ProductId, enabled: i64) -> License {
        let update = SeatsUpdate {
            enabled: Some(enabled),
            ..SeatsUpdate::default()
        };
        self.rows
            .set_seats(product, update, &BY, NOW)
            .await
            .expect("seats")
    }

    pub(super) async fn assigned(&self, product: ProductId) -> i64 {
        self.rows
            .license(product)
            .await
            .expect("a license")
            .seats
            .assigned
    }

    /// Creates the users with these numbers.
    pub(super) async fn create_users(&self, numbers: RangeInclusive<u128>) -> Vec<UserId> {
        let numbers: Vec<u128> = numbers.collect();
        for part in numbers.chunks(1_000) {
            let part = part.iter().map(|&number| ImportUser {
                id: Some(user(number)),
                new_id: user(number),
                values: UserUpdate {
                    principal_name: Some(principal(&name_of(number))),
                    display_name: Some(display("Ada")),
                    usage_location: Some(Some(country("NL"))),
                    active: None,
                    last_active_at: None,
                },
            });
            let imported = self.rows.import_users(part.collect(), &BY, NOW).await;
            let imported = imported.expect("imported");
            assert!(
                imported
                    .iter()
                    .all(|one| matches!(one, Imported::Created(_)))
            );
        }
        numbers.into_iter().map(user).collect()
    }

    /// The choice with which a user holds a product.
    pub(super) async fn plans_of(&self, user: UserId, product: ProductId) -> PlanChoice {
        let held = AssignmentFilter {
            user: Some(user),
            product: Some(product),
        };
        let held = self.rows.assignments(held, &Place::First, 1);
        held.await.expect("assignments").remove(0).plans
    }

    /// Which products a user holds.
    pub(super) async fn held(&self, user: UserId) -> Vec<ProductId> {
        let held = self
            .rows
            .assignments(of_user(user), &Place::First, i64::MAX)
            .await;
        held.expect("assignments")
            .into_iter()
            .map(|assignment| assignment.product)
            .collect()
    }
}
