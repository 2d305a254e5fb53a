//! Customers, users, licenses, assignments and the catalogue: one call of the store each.

use super::{Error, Service, now};
use crate::domain::{
    BatchId, CustomerId, DisplayName, LaterPlans, Origin, PlanId, ProductId, Scope, UserId, UserRef,
};
use crate::store::{
    Batch, Customer, CustomerStore, CustomerUpdate, GainedPlans, ImportUser, Imported, License,
    NewUser, PlanOfProduct, Product, SeatsUpdate, Store, StoredResults, StoredRule, User,
    UserUpdate,
};

impl Service {
    /// Creates a customer.
    pub async fn create_customer(
        &self,
        id: CustomerId,
        name: DisplayName,
        origin: Origin,
    ) -> Result<Customer, Error> {
        let create =
            |store: Store| async move { store.create_customer(id, &name, &origin, now()).await };
        self.call(create).await
    }

    /// Returns a customer.
    pub async fn customer(&self, scope: Scope) -> Result<Customer, Error> {
        self.call_in(scope, |store| async move { store.customer().await })
            .await
    }

    /// Changes a customer, if it is still at `version` (when given).
    pub async fn update_customer(
        &self,
        scope: Scope,
        update: CustomerUpdate,
        version: Option<i64>,
        origin: Origin,
    ) -> Result<Customer, Error> {
        let update = |store: CustomerStore| async move {
            store
                .update_customer(&update, version, &origin, now())
                .await
        };
        self.call_in(scope, update).await
    }

    /// Creates a user.
    pub async fn create_user(
        &self,
        scope: Scope,
        new: NewUser,
        origin: Origin,
    ) -> Result<User, Error> {
        let create =
            |store: CustomerStore| async move { store.create_user(new, &origin, now()).await };
        self.call_in(scope, create).await
    }

    /// Imports users in one transaction, each by itself.
    pub async fn import_users(
        &self,
        scope: Scope,
        users: Vec<ImportUser>,
        origin: Origin,
    ) -> Result<Vec<Imported>, Error> {
        let import =
            |store: CustomerStore| async move { store.import_users(users, &origin, now()).await };
        self.call_in(scope, import).await
    }

    /// Returns a user.
    pub async fn user(&self, scope: Scope, user: UserRef) -> Result<User, Error> {
        self.call_in(scope, |store| async move { store.user(&user).await })
            .await
    }

    /// Changes a user, if it is still at `version` (when given).
    pub async fn update_user(
        &self,
        scope: Scope,
        user: UserRef,
        update: UserUpdate,
        version: Option<i64>,
        origin: Origin,
    ) -> Result<User, Error> {
        let update = |store: CustomerStore| async move {
            store
                .update_user(&user, &update, version, &origin, now())
                .await
        };
        self.call_in(scope, update).await
    }

    /// Deletes a user and says which seats are free again.
    pub async fn delete_user(
        &self,
        scope: Scope,
        user: UserRef,
        version: Option<i64>,
        origin: Origin,
    ) -> Result<(UserId, Vec<ProductId>), Error> {
        let delete = |store: CustomerStore| async move {
            store.delete_user(&user, version, &origin, now()).await
        };
        self.call_in(scope, delete).await
    }

    /// Sets the seats of a license.
    pub async fn set_seats(
        &self,
        scope: Scope,
        product: ProductId,
        update: SeatsUpdate,
        origin: Origin,
    ) -> Result<License, Error> {
        let set = |store: CustomerStore| async move {
            store.set_seats(product, update, &origin, now()).await
        };
        self.call_in(scope, set).await
    }

    /// Returns a license.
    pub async fn license(&self, scope: Scope, product: ProductId) -> Result<License, Error> {
        self.call_in(scope, |store| async move { store.license(product).await })
            .await
    }

    /// Returns a product with its plans.
    pub async fn product(&self, id: ProductId) -> Result<(Product, Vec<PlanOfProduct>), Error> {
        self.call(|store| async move { store.product(id).await })
            .await
    }

    /// Changes who can hold a product and what becomes of plans that are added later.
    pub async fn update_product(
        &self,
        id: ProductId,
        for_company: Option<bool>,
        later_plans: Option<LaterPlans>,
        origin: Origin,
    ) -> Result<(), Error> {
        let update = |store: Store| async move {
            store
                .update_product(id, for_company, later_plans, &origin, now())
                .await
        };
        self.call(update).await
    }

    /// Says what becomes of plans that are added later to a product, for users of the customer.
    pub async fn set_later_plans(
        &self,
        scope: Scope,
        product: ProductId,
        later: Option<LaterPlans>,
        version: Option<i64>,
        origin: Origin,
    ) -> Result<License, Error> {
        let set = |store: CustomerStore| async move {
            store
                .set_later_plans(product, later, version, &origin, now())
                .await
        };
        self.call_in(scope, set).await
    }

    /// Returns a page of assignments that have gained plans.
    pub async fn gained_plans(
        &self,
        scope: Scope,
        since: i64,
        after: Option<(ProductId, UserId)>,
        limit: i64,
    ) -> Result<Vec<GainedPlans>, Error> {
        let list =
            |store: CustomerStore| async move { store.gained_plans(since, after, limit).await };
        self.call_in(scope, list).await
    }

    /// Returns a page of rules.
    pub async fn rules(
        &self,
        after: Option<(i16, PlanId, String)>,
        limit: i64,
    ) -> Result<Vec<StoredRule>, Error> {
        let list = |store: Store| async move {
            let after = after
                .as_ref()
                .map(|(kind, plan, other)| (*kind, *plan, other.as_str()));
            store.rules(after, limit).await
        };
        self.call(list).await
    }

    /// Returns a batch.
    pub async fn batch(&self, scope: Scope, id: BatchId) -> Result<Batch, Error> {
        self.call_in(scope, |store| async move { store.batch(id).await })
            .await
    }

    /// Tells a batch to skip the rest, unless it has ended or does so already.
    pub async fn cancel_batch(
        &self,
        scope: Scope,
        id: BatchId,
        origin: Origin,
    ) -> Result<Batch, Error> {
        let cancel =
            |store: CustomerStore| async move { store.cancel_batch(id, &origin, now()).await };
        self.call_in(scope, cancel).await
    }

    /// Returns a batch and up to `chunks` chunks of its results from `position` on. The batch is read
    /// first, so that an ended one comes with all its results.
    pub async fn batch_results(
        &self,
        scope: Scope,
        id: BatchId,
        position: i64,
        chunks: i64,
    ) -> Result<(Batch, Vec<StoredResults>), Error> {
        let read = |store: CustomerStore| async move {
            let batch = store.batch(id).await?;
            Ok((batch, store.batch_results(id, position, chunks).await?))
        };
        self.call_in(scope, read).await
    }
}
