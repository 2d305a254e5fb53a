//! What another catalogue would mean for what the users of a customer hold.

use std::collections::BTreeSet;

use super::CustomerStore;
use super::error::Error;
use super::violations::RuleCounts;
use super::walk::{ReadHolders, Walk};
use crate::domain::{Catalogue, Compliance, CustomerId, ProductId, Reason, Violation};

/// What users would hold against the rules of another catalogue and not against those that are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impact {
    /// Users for whom a rule would be broken that is not broken now.
    pub users: u64,
    /// What they hold that would have part in that.
    pub assignments: u64,
    /// Users with a violation now.
    pub violators_now: u64,
    /// Users with a violation then.
    pub violators_then: u64,
    /// The rules that would be broken by most users who do not break them now; those that most
    /// would break come first.
    pub rules: Vec<(Reason, u64)>,
    /// How many rules that are.
    pub rule_count: usize,
}

impl CustomerStore {
    /// Compares what the users of a customer hold with two catalogues, at one moment. `walked` is told
    /// how many users were walked since it was told before; none is returned if it says false.
    pub async fn impact(
        &self,
        (now, then): (&Catalogue, &Catalogue),
        walked: &(dyn Fn(usize) -> bool + Send + Sync),
    ) -> Result<Option<Impact>, Error> {
        read_tx!(self, conn => { compare(conn, self.customer, (now, then), walked).await })
    }
}

async fn compare(
    conn: &mut impl ReadHolders,
    customer: CustomerId,
    (now, then): (&Catalogue, &Catalogue),
    walked: &(dyn Fn(usize) -> bool + Send + Sync),
) -> Result<Option<Impact>, Error> {
    // Without suppliers: from where a missing plan could come makes no other violation of it.
    let mut now = Compliance::new(now, Vec::new());
    let mut then = Compliance::new(then, Vec::new());
    let (mut impact, mut rules) = (Impact::default(), RuleCounts::default());
    let mut walk = Walk::new(customer, None);
    loop {
        let holders = walk.next(conn).await?;
        if holders.is_empty() {
            break;
        }
        for holder in &holders {
            let choices = walk.choices();
            let before = now.violations(choices, holder.location, &holder.held);
            let after = then.violations(choices, holder.location, &holder.held);
            impact.violators_now += u64::from(!before.is_empty());
            impact.violators_then += u64::from(!after.is_empty());
            let is_new = |one: &&Violation| before.iter().all(|old| old.reason != one.reason);
            let mut products: BTreeSet<ProductId> = BTreeSet::new();
            for violation in after.iter().filter(is_new) {
                rules.add(&violation.reason);
                products.extend(&violation.products);
            }
            impact.users += u64::from(!products.is_empty());
            impact.assignments += products.len() as u64;
        }
        if !walked(holders.len()) {
            return Ok(None);
        }
    }
    (impact.rules, impact.rule_count) = rules.told();
    Ok(Some(impact))
}
