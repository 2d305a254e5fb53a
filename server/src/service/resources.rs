//! Customers, users, licenses, assignments and the catalogue: one call of the store each.

use super::{Error, Service, now};
use crate::domain::{
    BatchId, CustomerId, DisplayName, Place, PlanId, ProductId, UserFilter, UserId, UserOrder,
    UserRef,
};
use crate::store::{
    Assignment, Batch, Customer, ImportUser, Imported, License, NewUser, PlanOfProduct, Product,
    SeatsUpdate, Store, StoredResults, StoredRule, User, UserKey, UserUpdate,
};

impl Service {
    /// Creates a customer.
    pub async fn create_customer(
        &self,
        id: CustomerId,
        name: DisplayName,
    ) -> Result<Customer, Error> {
        self.call(|store| async move { store.create_customer(id, &name, now()).await })
            .await
    }

    /// Returns a customer.
    pub async fn customer(&self, id: CustomerId) -> Result<Customer, Error> {
        self.call(|store| async move { store.customer(id).await })
            .await
    }

    /// Returns a page of customers.
    pub async fn customers(
        &self,
        after: Option<CustomerId>,
        limit: i64,
    ) -> Result<Vec<Customer>, Error> {
        self.call(|store| async move { store.customers(after, limit).await })
            .await
    }

    /// Changes a customer, if it is still at `version` (when given).
    pub async fn update_customer(
        &self,
        id: CustomerId,
        name: Option<DisplayName>,
        version: Option<i64>,
    ) -> Result<Customer, Error> {
        let update = |store: Store| async move {
            store
                .update_customer(id, name.as_ref(), version, now())
                .await
        };
        self.call(update).await
    }

    /// Creates a user.
    pub async fn create_user(&self, customer: CustomerId, new: NewUser) -> Result<User, Error> {
        self.call(|store| async move { store.create_user(customer, new, now()).await })
            .await
    }

    /// Imports users in one transaction, each by itself.
    pub async fn import_users(
        &self,
        customer: CustomerId,
        users: Vec<ImportUser>,
    ) -> Result<Vec<Imported>, Error> {
        self.call(|store| async move { store.import_users(customer, users, now()).await })
            .await
    }

    /// Returns a user.
    pub async fn user(&self, customer: CustomerId, user: UserRef) -> Result<User, Error> {
        self.call(|store| async move { store.user(customer, &user).await })
            .await
    }

    /// Returns a page of the users who meet a filter.
    pub async fn users(
        &self,
        customer: CustomerId,
        filter: UserFilter,
        order: UserOrder,
        place: Place<UserKey>,
        limit: i64,
    ) -> Result<Vec<User>, Error> {
        let list = |store: Store| async move {
            store.users(customer, &filter, order, &place, limit).await
        };
        self.call(list).await
    }

    /// Counts the users who meet a filter.
    pub async fn count_users(
        &self,
        customer: CustomerId,
        filter: UserFilter,
    ) -> Result<i64, Error> {
        self.call(|store| async move { store.count_users(customer, &filter).await })
            .await
    }

    /// Changes a user, if it is still at `version` (when given).
    pub async fn update_user(
        &self,
        customer: CustomerId,
        user: UserRef,
        update: UserUpdate,
        version: Option<i64>,
    ) -> Result<User, Error> {
        let update = |store: Store| async move {
            store
                .update_user(customer, &user, &update, version, now())
                .await
        };
        self.call(update).await
    }

    /// Deletes a user and says which seats are free again.
    pub async fn delete_user(
        &self,
        customer: CustomerId,
        user: UserRef,
        version: Option<i64>,
    ) -> Result<(UserId, Vec<ProductId>), Error> {
        let delete =
            |store: Store| async move { store.delete_user(customer, &user, version, now()).await };
        self.call(delete).await
    }

    /// Sets the seats of a license.
    pub async fn set_seats(
        &self,
        customer: CustomerId,
        product: ProductId,
        update: SeatsUpdate,
    ) -> Result<License, Error> {
        let set =
            |store: Store| async move { store.set_seats(customer, product, update, now()).await };
        self.call(set).await
    }

    /// Returns a license.
    pub async fn license(
        &self,
        customer: CustomerId,
        product: ProductId,
    ) -> Result<License, Error> {
        self.call(|store| async move { store.license(customer, product).await })
            .await
    }

    /// Returns a page of licenses.
    pub async fn licenses(
        &self,
        customer: CustomerId,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<License>, Error> {
        self.call(|store| async move { store.licenses(customer, after, limit).await })
            .await
    }

    /// Returns a page of assignments of the customer or of one of its users.
    pub async fn assignments(
        &self,
        customer: CustomerId,
        user: Option<UserRef>,
        after: Option<(UserId, ProductId)>,
        limit: i64,
    ) -> Result<Vec<Assignment>, Error> {
        let list = |store: Store| async move {
            let user = match user {
                Some(user) => Some(store.user(customer, &user).await?.user_id),
                None => None,
            };
            store.assignments(customer, user, after, limit).await
        };
        self.call(list).await
    }

    /// Returns a product with its plans.
    pub async fn product(&self, id: ProductId) -> Result<(Product, Vec<PlanOfProduct>), Error> {
        self.call(|store| async move { store.product(id).await })
            .await
    }

    /// Returns a page of products; only those with the string id, if given.
    pub async fn products(
        &self,
        string_id: Option<String>,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<Product>, Error> {
        let list =
            |store: Store| async move { store.products(string_id.as_deref(), after, limit).await };
        self.call(list).await
    }

    /// Says who can hold a product.
    pub async fn set_for_company(&self, id: ProductId, for_company: bool) -> Result<(), Error> {
        self.call(|store| async move { store.set_for_company(id, for_company).await })
            .await
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
    pub async fn batch(&self, customer: CustomerId, id: BatchId) -> Result<Batch, Error> {
        self.call(|store| async move { store.batch(customer, id).await })
            .await
    }

    /// Returns a page of batches, the newest first.
    pub async fn batches(
        &self,
        customer: CustomerId,
        before: Option<BatchId>,
        limit: i64,
    ) -> Result<Vec<Batch>, Error> {
        self.call(|store| async move { store.batches(customer, before, limit).await })
            .await
    }

    /// Returns a batch and up to `chunks` chunks of its results from `position` on. The batch is read
    /// first, so that an ended one comes with all its results.
    pub async fn batch_results(
        &self,
        customer: CustomerId,
        id: BatchId,
        position: i64,
        chunks: i64,
    ) -> Result<(Batch, Vec<StoredResults>), Error> {
        let read = |store: Store| async move {
            let batch = store.batch(customer, id).await?;
            Ok((
                batch,
                store.batch_results(customer, id, position, chunks).await?,
            ))
        };
        self.call(read).await
    }
}
