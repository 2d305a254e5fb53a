//! What users hold against the rules as they are.

use std::sync::Arc;

use super::{Error, Service};
use crate::domain::{Catalogue, Scope, UserId, ViolationFilter};
use crate::store::{CustomerStore, ViolationSummary, Violators};

impl Service {
    /// Returns users with violations after `after`, by id, with about `limit` violations together; and the
    /// catalogue whose rules they break.
    pub async fn violators(
        &self,
        scope: Scope,
        filter: ViolationFilter,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<(Violators, Arc<Catalogue>), Error> {
        let catalogue = self.catalogue().await?;
        let rules = catalogue.clone();
        let list = |store: CustomerStore| async move {
            store.violators(&rules, &filter, after, limit).await
        };
        Ok((self.call_in(scope, list).await?, catalogue))
    }

    /// Says how many users break which rules; and of which catalogue.
    pub async fn violation_summary(
        &self,
        scope: Scope,
        filter: ViolationFilter,
    ) -> Result<(ViolationSummary, Arc<Catalogue>), Error> {
        // It holds a connection for as long as a preview does.
        let _slot = self.0.previews.acquire().await;
        let catalogue = self.catalogue().await?;
        let rules = catalogue.clone();
        let sum_up =
            |store: CustomerStore| async move { store.summarize_violations(&rules, &filter).await };
        Ok((self.call_in(scope, sum_up).await?, catalogue))
    }
}
