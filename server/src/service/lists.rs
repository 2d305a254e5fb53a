//! Lists: a slice of the rows and, on request, how many there are in all. The rows and their number
//! are read one after the other, so that in between some may come or go.

use super::{Error, Service};
use crate::domain::{
    BatchId, CustomerId, Customers, Place, ProductId, Scope, UserFilter, UserId, UserOrder, UserRef,
};
use crate::store::{
    Assignment, AssignmentFilter, Batch, Customer, CustomerStore, License, Product, ProductFilter,
    Store, User, UserKey,
};

/// The part of a list that is asked for.
#[derive(Debug, Clone)]
pub struct Slice<K> {
    /// Where it is.
    pub place: Place<K>,
    /// How many rows at most.
    pub limit: i64,
    /// True if all rows are to be counted.
    pub with_total: bool,
}

impl<K: Ord> Slice<K> {
    /// The part of rows that are at hand, in the order of their keys.
    pub fn of<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        match &self.place {
            Place::First | Place::Last => {}
            Place::After(after) => rows.retain(|row| key(row) > *after),
            Place::Before(before) => rows.retain(|row| key(row) < *before),
        }
        let excess = rows.len().saturating_sub(limit);
        if self.place.is_backward() {
            rows.drain(..excess);
        } else {
            rows.truncate(limit);
        }
        rows
    }
}

/// The rows of a slice, in the order of the list, and how many the list has, if asked.
pub type Sliced<T> = (Vec<T>, Option<i64>);

/// Reads the rows and, if the slice asks for it, their number.
macro_rules! sliced {
    ($slice:expr, $rows:expr, $total:expr) => {{
        let rows = $rows.await?;
        let total = match $slice.with_total {
            true => Some($total.await?),
            false => None,
        };
        Ok((rows, total))
    }};
}
pub(super) use sliced;

impl Service {
    /// Lists these customers by display name; only those whose name begins with the folded text, if
    /// given.
    pub async fn customers(
        &self,
        among: Customers,
        search: Option<String>,
        slice: Slice<(String, CustomerId)>,
    ) -> Result<Sliced<Customer>, Error> {
        let list = |store: Store| async move {
            let search = search.as_deref();
            sliced!(
                slice,
                store.customers(&among, search, &slice.place, slice.limit),
                store.count_customers(&among, search)
            )
        };
        self.call(list).await
    }

    /// Lists the users who meet a filter.
    pub async fn users(
        &self,
        scope: Scope,
        filter: UserFilter,
        order: UserOrder,
        slice: Slice<UserKey>,
    ) -> Result<Sliced<User>, Error> {
        let list = |store: CustomerStore| async move {
            sliced!(
                slice,
                store.users(&filter, order, &slice.place, slice.limit),
                store.count_users(&filter)
            )
        };
        self.call_in(scope, list).await
    }

    /// Lists products by display name.
    pub async fn products(
        &self,
        filter: ProductFilter,
        slice: Slice<(String, ProductId)>,
    ) -> Result<Sliced<Product>, Error> {
        let list = |store: Store| async move {
            sliced!(
                slice,
                store.products(&filter, &slice.place, slice.limit),
                store.count_products(&filter)
            )
        };
        self.call(list).await
    }

    /// Lists licenses by the display name of the product; only those with a seat available, or
    /// without, if said so.
    pub async fn licenses(
        &self,
        scope: Scope,
        available: Option<bool>,
        slice: Slice<(String, ProductId)>,
    ) -> Result<Sliced<License>, Error> {
        let list = |store: CustomerStore| async move {
            sliced!(
                slice,
                store.licenses(available, &slice.place, slice.limit),
                store.count_licenses(available)
            )
        };
        self.call_in(scope, list).await
    }

    /// Lists assignments by user and product; only those of a user and of a product, if given.
    pub async fn assignments(
        &self,
        scope: Scope,
        user: Option<UserRef>,
        product: Option<ProductId>,
        slice: Slice<(UserId, ProductId)>,
    ) -> Result<Sliced<Assignment>, Error> {
        let list = |store: CustomerStore| async move {
            let user = match user {
                Some(user) => Some(store.user(&user).await?.user_id),
                None => None,
            };
            let filter = AssignmentFilter { user, product };
            sliced!(
                slice,
                store.assignments(filter, &slice.place, slice.limit),
                store.count_assignments(filter)
            )
        };
        self.call_in(scope, list).await
    }

    /// Lists batches, the newest first; only those that have ended, or that run, if said so.
    pub async fn batches(
        &self,
        scope: Scope,
        ended: Option<bool>,
        slice: Slice<BatchId>,
    ) -> Result<Sliced<Batch>, Error> {
        let list = |store: CustomerStore| async move {
            sliced!(
                slice,
                store.batches(ended, &slice.place, slice.limit),
                store.count_batches(ended)
            )
        };
        self.call_in(scope, list).await
    }
}
