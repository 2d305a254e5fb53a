//! What users hold against the rules: page by page, summed up, and as the users of a selection.
//!
//! Nothing is stored about violations: they follow from the assignments and the catalogue, and most
//! users share a few holdings, so that walking the users is all the time that it takes.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::Error;
use super::members::users_of;
use super::roll::ReadSeats;
use super::types::Id;
use super::walk::{ReadHolders, Walk};
use super::{CustomerStore, User};
use crate::domain::{
    Catalogue, Compliance, CustomerId, Reason, UserId, Violation, ViolationFilter,
};

/// So many users are walked for a page and no more, so that a page takes its time however few
/// violations there are. Tests have few users.
const PAGE_USERS_MAX: usize = if cfg!(test) { 21 } else { 20_000 };
/// Rules that a summary tells one by one.
pub(super) const RULES_TOLD_MAX: usize = 200;

/// A user with violations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violator {
    /// The user.
    pub user: User,
    /// Those that are asked for.
    pub violations: Vec<Violation>,
}

/// Some users with violations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violators {
    /// By id. There may be none although others follow.
    pub users: Vec<Violator>,
    /// After whom to go on; none at the end.
    pub next: Option<UserId>,
}

/// How many users break which rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViolationSummary {
    /// Users with a violation.
    pub users: u64,
    /// Violations of all users together.
    pub violations: u64,
    /// The rules that most users break, with their numbers; those that most break come first.
    pub rules: Vec<(Reason, u64)>,
    /// How many rules are broken.
    pub rule_count: usize,
}

impl CustomerStore {
    /// Returns users after `after` with violations that meet the filter, by id: until they have
    /// `limit` violations together, or so many users were walked.
    pub async fn violators(
        &self,
        catalogue: &Catalogue,
        filter: &ViolationFilter,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Violators, Error> {
        let page = read_tx!(self, conn => {
            let mut inspection = Inspection::new(conn, self.customer, catalogue, filter, after).await?;
            inspection.page(conn, limit).await
        })?;
        if page.users.is_empty() && page.next.is_none() {
            self.customer().await?;
        }
        Ok(page)
    }

    /// Sums up the violations that meet the filter, at one moment.
    pub async fn summarize_violations(
        &self,
        catalogue: &Catalogue,
        filter: &ViolationFilter,
    ) -> Result<ViolationSummary, Error> {
        let summary = read_tx!(self, conn => {
            let mut inspection = Inspection::new(conn, self.customer, catalogue, filter, None).await?;
            inspection.sum_up(conn).await
        })?;
        if summary.users == 0 {
            self.customer().await?;
        }
        Ok(summary)
    }
}

/// The users with violations that meet the filter, by id; one more than `max` shows that there are
/// too many.
pub(super) async fn violators(
    conn: &mut (impl ReadHolders + ReadSeats),
    customer: CustomerId,
    catalogue: &Catalogue,
    filter: &ViolationFilter,
    max: usize,
) -> Result<Vec<UserId>, Error> {
    let mut inspection = Inspection::new(conn, customer, catalogue, filter, None).await?;
    let mut users = Vec::new();
    while users.len() <= max
        && let Some(found) = inspection.next(conn).await?
    {
        users.extend(found.into_iter().map(|(user, _)| user));
    }
    Ok(users)
}

/// Users who are walked and judged.
struct Inspection<'a> {
    customer: CustomerId,
    filter: &'a ViolationFilter,
    walk: Walk,
    walked: usize,
    compliance: Compliance<'a>,
}

impl<'a> Inspection<'a> {
    async fn new(
        conn: &mut impl ReadSeats,
        customer: CustomerId,
        catalogue: &'a Catalogue,
        filter: &'a ViolationFilter,
        after: Option<UserId>,
    ) -> Result<Self, Error> {
        let licensed = conn.seats(Id::from(customer)).await?.into_keys();
        Ok(Self {
            customer,
            filter,
            walk: Walk::new(customer, after),
            walked: 0,
            compliance: Compliance::new(catalogue, licensed.collect()),
        })
    }

    /// Those of the next users who have violations that meet the filter, with all that they have; none
    /// at the end.
    async fn next(
        &mut self,
        conn: &mut impl ReadHolders,
    ) -> Result<Option<Vec<(UserId, Arc<[Violation]>)>>, Error> {
        let holders = self.walk.next(conn).await?;
        self.walked += holders.len();
        let is_end = holders.is_empty();
        let mut found = Vec::new();
        for holder in holders {
            let choices = self.walk.choices();
            let held = self
                .compliance
                .violations(choices, holder.location, &holder.held);
            if held.iter().any(|violation| self.filter.is_met(violation)) {
                found.push((holder.user, held));
            }
        }
        Ok((!is_end).then_some(found))
    }

    async fn page(
        &mut self,
        conn: &mut impl ReadHolders,
        limit: usize,
    ) -> Result<Violators, Error> {
        let (mut page, mut next, mut count) = (Vec::new(), None, 0);
        while let Some(found) = self.next(conn).await? {
            let mut found = found.into_iter().peekable();
            while count < limit
                && let Some((user, violations)) = found.next()
            {
                let met = violations.iter().filter(|one| self.filter.is_met(one));
                let met: Vec<Violation> = met.cloned().collect();
                count += met.len();
                page.push((user, met));
            }
            let has_more = found.peek().is_some() || !self.walk.has_ended();
            if count >= limit && has_more {
                next = page.last().map(|(user, _)| *user);
                break;
            }
            if self.walked >= PAGE_USERS_MAX && has_more {
                next = self.walk.last();
                break;
            }
        }
        let ids: Vec<UserId> = page.iter().map(|(user, _)| *user).collect();
        let users = users_of(conn, self.customer, &ids).await?.into_iter();
        let mut users: HashMap<UserId, User> = users.map(|user| (user.user_id, user)).collect();
        let violator = |(user, violations)| {
            let user = users.remove(&user)?;
            Some(Violator { user, violations })
        };
        Ok(Violators {
            users: page.into_iter().filter_map(violator).collect(),
            next,
        })
    }

    async fn sum_up(&mut self, conn: &mut impl ReadHolders) -> Result<ViolationSummary, Error> {
        let (mut users, mut violations, mut rules) = (0, 0, RuleCounts::default());
        while let Some(found) = self.next(conn).await? {
            for (_, held) in found {
                users += 1;
                for violation in held.iter().filter(|one| self.filter.is_met(one)) {
                    violations += 1;
                    rules.add(&violation.reason);
                }
            }
        }
        let (rules, rule_count) = rules.told();
        Ok(ViolationSummary {
            users,
            violations,
            rules,
            rule_count,
        })
    }
}

/// How many users break each rule.
#[derive(Default)]
pub(super) struct RuleCounts(HashMap<Reason, u64>);

impl RuleCounts {
    pub(super) fn add(&mut self, reason: &Reason) {
        match self.0.get_mut(reason) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(reason.clone(), 1)),
        }
    }

    /// The rules that most users break, in that order, and how many are broken.
    pub(super) fn told(self) -> (Vec<(Reason, u64)>, usize) {
        let mut rules: Vec<(Reason, u64)> = self.0.into_iter().collect();
        rules.sort_unstable_by(|(one, count), (other, more)| (more, one).cmp(&(count, other)));
        let count = rules.len();
        rules.truncate(RULES_TOLD_MAX);
        (rules, count)
    }
}
