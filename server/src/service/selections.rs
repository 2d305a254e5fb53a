//! Selections, and what their users hold.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::lists::{Slice, Sliced, sliced};
use super::{Error, Service, now};
use crate::domain::{
    Catalogue, Origin, PlanChoice, PlanId, Scope, Selection, SelectionId, SelectionPart, UserRef,
};
use crate::store::{
    CustomerStore, FrozenSelection, Held, Holding, License, NewSelection, Timestamp, User, UserKey,
};

/// How long a frozen selection is kept.
const SELECTION_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What the users of a selection hold, plan by plan.
#[derive(Debug)]
pub struct Holdings {
    /// How many users they are.
    pub user_count: i64,
    /// Every license of the customer.
    pub licenses: Vec<LicenseHoldings>,
}

/// How many users of a selection hold a product.
#[derive(Debug)]
pub struct LicenseHoldings {
    /// The license.
    pub license: License,
    /// How many hold it.
    pub holder_count: i64,
    /// The plans of the product by name, and for how many each is on; empty if not asked for.
    pub plans: Vec<PlanHoldings>,
}

/// For how many users of a selection a plan is on.
#[derive(Debug)]
pub struct PlanHoldings {
    /// The plan.
    pub plan: PlanId,
    /// Its technical name.
    pub name: String,
    /// For how many users it is on.
    pub enabled_count: i64,
}

impl Service {
    /// Freezes a selection; also says which of the users that it names do not exist.
    pub async fn create_selection(
        &self,
        scope: Scope,
        selection: Selection,
        origin: Origin,
    ) -> Result<(FrozenSelection, Vec<UserRef>), Error> {
        let now = now();
        let lifetime = i64::try_from(SELECTION_LIFETIME.as_micros()).expect("a day");
        let new = NewSelection {
            id: SelectionId(Uuid::now_v7()),
            selection,
            origin,
            now,
            expires_at: Timestamp(now.0 + lifetime),
        };
        self.call_in(
            scope,
            |store| async move { store.create_selection(&new).await },
        )
        .await
    }

    /// Returns a frozen selection.
    pub async fn selection(&self, scope: Scope, id: SelectionId) -> Result<FrozenSelection, Error> {
        self.call_in(
            scope,
            |store| async move { store.selection(id, now()).await },
        )
        .await
    }

    /// Deletes a frozen selection, if it is there.
    pub async fn delete_selection(
        &self,
        scope: Scope,
        id: SelectionId,
        origin: Origin,
    ) -> Result<(), Error> {
        let delete =
            |store: CustomerStore| async move { store.delete_selection(id, &origin, now()).await };
        self.call_in(scope, delete).await
    }

    /// Lists the users of a frozen selection, each with its place.
    pub async fn frozen_users(
        &self,
        scope: Scope,
        id: SelectionId,
        slice: Slice<i64>,
    ) -> Result<Sliced<(i64, User)>, Error> {
        let list = |store: CustomerStore| async move {
            let selection = Selection {
                parts: vec![SelectionPart::Frozen(id)],
                except: Vec::new(),
            };
            sliced!(
                slice,
                store.frozen_users(id, &slice.place, slice.limit, now()),
                store.count_selected(&selection, None, now())
            )
        };
        self.call_in(scope, list).await
    }

    /// Lists the users of a selection, only those who hold or lack a product if one is given.
    pub async fn selected_users(
        &self,
        scope: Scope,
        selection: Selection,
        holding: Option<Holding>,
        slice: Slice<UserKey>,
    ) -> Result<Sliced<User>, Error> {
        let list = |store: CustomerStore| async move {
            let (place, limit) = (&slice.place, slice.limit);
            sliced!(
                slice,
                store.selected_users(&selection, holding, place, limit, now()),
                store.count_selected(&selection, holding, now())
            )
        };
        self.call_in(scope, list).await
    }

    /// Says what the users of a selection hold.
    pub async fn holdings(
        &self,
        scope: Scope,
        selection: Selection,
        with_plans: bool,
    ) -> Result<Holdings, Error> {
        let summarize = |store: CustomerStore| async move {
            store.summarize(&selection, with_plans, now()).await
        };
        let summary = self.call_in(scope, summarize).await?;
        let catalogue = self.catalogue().await?;
        let licenses = summary.licenses.into_iter();
        Ok(Holdings {
            user_count: summary.user_count,
            licenses: licenses
                .map(|held| by_plan(&catalogue, held, with_plans))
                .collect(),
        })
    }
}

/// What the choices of plans come to with the catalogue as it is.
fn by_plan(catalogue: &Catalogue, held: Held, with_plans: bool) -> LicenseHoldings {
    let product = with_plans.then(|| catalogue.product(held.license.product));
    let mut plans = Vec::new();
    if let Some(product) = product.flatten() {
        let mut counts: HashMap<PlanId, i64> = HashMap::new();
        for (choice, count) in &held.choices {
            for plan in catalogue.effective_plans(product, choice) {
                *counts.entry(plan).or_default() += count;
            }
        }
        let plan = |plan| PlanHoldings {
            plan,
            name: catalogue.plan_name(plan).to_owned(),
            enabled_count: counts.get(&plan).copied().unwrap_or(0),
        };
        let all = catalogue.effective_plans(product, &PlanChoice::ALL);
        plans = all.into_iter().map(plan).collect();
        plans.sort_by(|one: &PlanHoldings, other| {
            (&one.name, one.plan).cmp(&(&other.name, other.plan))
        });
    }
    LicenseHoldings {
        license: held.license,
        holder_count: held.holder_count,
        plans,
    }
}
