//! A customer with a small catalogue, and short words for what checks do with it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use uuid::Uuid;

use super::engine::Fresh;
use crate::domain::{
    Assign, BatchId, Catalogue, Change, Choices, Country, CustomerId, Digest, DisplayName,
    Disposition, Place, Plan, PlanChoice, PlanEdit, PlanId, PrincipalName, ProductId, RequestId,
    Snapshot, Stop, Terms, UserFilter, UserId, UserOrder, UserRef, decide,
};
use crate::edition::{AppliesTo, Edition, EditionPlan, EditionProduct, EditionRule, RuleSet};
use crate::store::{
    Accepted, AssignmentFilter, Batch, Capacity, Chunk, Decide, Decision, Error, ImportUser,
    Imported, License, NewBatch, NewUser, Rehearse, Rehearsed, SeatsUpdate, Store, StoredResults,
    Timestamp, User, UserUpdate, Users, Written,
};

/// The moment of every call, unless time matters.
pub(super) const NOW: Timestamp = Timestamp(1_750_000_000_123_456);

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
        .users(customer, &filter, UserOrder::Id, &Place::First, limit)
        .await
}

impl Fresh {
    /// Brings the store to its schema and gives it a first catalogue and a customer.
    pub(super) async fn fixture(self) -> Fixture {
        let store = self.store.clone();
        store.migrate().await.expect("migrated");
        store.token_key(b"secret").await.expect("a key");
        store
            .import_edition(&first_edition())
            .await
            .expect("imported");
        store.import_rules(&first_rules()).await.expect("imported");
        let customer = customer(1);
        store
            .create_customer(customer, &display("Contoso"), NOW)
            .await
            .expect("created");
        let catalogue = Arc::new(store.catalogue().await.expect("a catalogue"));
        Fixture {
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
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) fresh: Arc<Fresh>,
}

impl Fixture {
    /// The same customer as another server sees it.
    pub(super) async fn on_another_server(&self) -> Self {
        Self {
            store: self.fresh.another_server().await,
            ..self.clone()
        }
    }

    pub(super) async fn enable_seats(&self, product: ProductId, enabled: i64) -> License {
        let update = SeatsUpdate {
            enabled: Some(enabled),
            ..SeatsUpdate::default()
        };
        self.store
            .set_seats(self.customer, product, update, NOW)
            .await
            .expect("seats")
    }

    pub(super) async fn assigned(&self, product: ProductId) -> i64 {
        self.store
            .license(self.customer, product)
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
            let imported = self
                .store
                .import_users(self.customer, part.collect(), NOW)
                .await;
            let imported = imported.expect("imported");
            assert!(
                imported
                    .iter()
                    .all(|one| matches!(one, Imported::Created(_)))
            );
        }
        numbers.into_iter().map(user).collect()
    }

    /// A request number `number` that changes every one of `users` in the same way.
    pub(super) fn request(&self, number: u8, users: &[UserId], change: Change) -> NewBatch {
        let users = users.iter().map(|&user| (UserRef::Id(user), 0));
        NewBatch {
            customer: self.customer,
            id: BatchId(Uuid::from_u128(number.into())),
            request: RequestId(Uuid::from_u128(number.into())),
            request_hash: [number; 32],
            changes: vec![change],
            users: Users::Listed(users.collect()),
            terms: Terms::BestEffort,
            capacity: Capacity::FillInOrder,
            promised: None,
            unless_accepted: None,
            now: NOW,
            lease_expires_at: later(30),
        }
    }

    /// Accepts a request that must be new.
    pub(super) async fn accept(&self, request: &NewBatch) -> Batch {
        match self.try_accept(request).await.expect("accepted") {
            Accepted::New(batch) => batch,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub(super) async fn try_accept(&self, request: &NewBatch) -> Result<Accepted, Error> {
        let rehearse = self.rehearse(request.terms);
        self.store.accept_batch(request, &rehearse).await
    }

    /// The rehearsal that the service would hold.
    pub(super) fn rehearse(&self, terms: Terms) -> Rehearse {
        let catalogue = self.catalogue.clone();
        Rehearse {
            catalogue_version: catalogue.version,
            decide: Arc::new(move |snapshot, order, _| {
                let plan = decide(&catalogue, snapshot, order, terms);
                let digest = Digest::of(&catalogue, snapshot, order, &plan);
                let Decision { plan, results } = decision_of(plan);
                Rehearsed {
                    plan,
                    digest,
                    results,
                }
            }),
        }
    }

    /// The chunk of a batch at a position, to be written under the first fence.
    pub(super) async fn chunk(&self, batch: &Batch, first_position: i64) -> Chunk {
        let order = self
            .store
            .batch_chunk(self.customer, batch.batch_id, first_position)
            .await;
        let (order, _) = order.expect("a chunk");
        Chunk {
            customer: self.customer,
            batch: batch.batch_id,
            fence: 1,
            first_position,
            is_last: first_position + order.turns.len() as i64 == batch.user_count,
            order,
            catalogue_version: self.catalogue.version,
            choices: Choices::default(),
            now: NOW,
            lease_expires_at: later(30),
        }
    }

    /// The decision that the service would take, of a best-effort batch.
    pub(super) fn decision(&self, chunk: &Arc<Chunk>) -> Decide {
        self.decision_by(chunk, Terms::BestEffort, None)
    }

    fn decision_by(&self, chunk: &Arc<Chunk>, terms: Terms, promised: Option<Digest>) -> Decide {
        let (catalogue, chunk) = (self.catalogue.clone(), chunk.clone());
        Arc::new(move |snapshot: &Snapshot| {
            let order = &chunk.order;
            let mut plan = decide(&catalogue, snapshot, order, terms);
            let kept = |promised| promised == Digest::of(&catalogue, snapshot, order, &plan);
            if snapshot.progress.stopped.is_none() && !promised.is_none_or(kept) {
                plan = Plan::skip(snapshot, order, Stop::PlanStale);
            }
            decision_of(plan)
        })
    }

    /// Writes a chunk of a best-effort batch, which must be done, and gives the choices that are
    /// known then.
    pub(super) async fn write(&self, chunk: Chunk) -> Choices {
        let chunk = Arc::new(chunk);
        let decide = self.decision(&chunk);
        self.write_by(chunk, decide).await
    }

    async fn write_by(&self, chunk: Arc<Chunk>, decide: Decide) -> Choices {
        let written = self.store.write_chunk(chunk, decide).await;
        match written.expect("written") {
            Written::Done(choices) => choices,
            other => panic!("not done: {other:?}"),
        }
    }

    /// Does all of a batch and says for each turn in service order: A for applied, U for
    /// unchanged, F for failed.
    pub(super) async fn work(&self, batch: &Batch) -> String {
        let (mut position, mut choices) = (0, Choices::default());
        while position < batch.user_count {
            let chunk = Chunk {
                choices,
                ..self.chunk(batch, position).await
            };
            let stored = self
                .store
                .batch_chunk(self.customer, batch.batch_id, position);
            let (_, promised) = stored.await.expect("a chunk");
            position += chunk.order.turns.len() as i64;
            let chunk = Arc::new(chunk);
            let decide = self.decision_by(&chunk, batch.terms(), promised);
            choices = self.write_by(chunk, decide).await;
        }
        let results = self.results(batch, 0).await;
        let bytes = results
            .into_iter()
            .flat_map(|results| results.bytes)
            .collect();
        String::from_utf8(bytes).expect("letters")
    }

    /// Accepts a request and does all of it.
    pub(super) async fn run(&self, number: u8, users: &[UserId], change: Change) -> String {
        let batch = self.accept(&self.request(number, users, change)).await;
        self.work(&batch).await
    }

    /// The batch as it is now.
    pub(super) async fn batch(&self, batch: &Batch) -> Batch {
        self.store
            .batch(self.customer, batch.batch_id)
            .await
            .expect("a batch")
    }

    pub(super) async fn results(&self, batch: &Batch, position: i64) -> Vec<StoredResults> {
        let results = self
            .store
            .batch_results(self.customer, batch.batch_id, position, i64::MAX);
        results.await.expect("results")
    }

    /// The choice with which a user holds a product.
    pub(super) async fn plans_of(&self, user: UserId, product: ProductId) -> PlanChoice {
        let held = AssignmentFilter {
            user: Some(user),
            product: Some(product),
        };
        let held = self
            .store
            .assignments(self.customer, held, &Place::First, 1);
        held.await.expect("assignments").remove(0).plans
    }

    /// Which products a user holds.
    pub(super) async fn held(&self, user: UserId) -> Vec<ProductId> {
        let held = self
            .store
            .assignments(self.customer, of_user(user), &Place::First, i64::MAX)
            .await;
        held.expect("assignments")
            .into_iter()
            .map(|assignment| assignment.product)
            .collect()
    }
}

/// A plan with its results encoded as one letter each.
pub(super) fn decision_of(plan: Plan) -> Decision {
    let letter = |disposition| match disposition {
        Disposition::Applied => b'A',
        Disposition::Unchanged => b'U',
        Disposition::Failed => b'F',
        Disposition::Skipped => b'S',
    };
    let results: Vec<u8> = plan
        .outcomes
        .iter()
        .map(|outcome| letter(outcome.disposition))
        .collect();
    let results = vec![(results.len(), results)];
    Decision { plan, results }
}
