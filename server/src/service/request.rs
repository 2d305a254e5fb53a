//! A batch request, parsed and not yet resolved: what its `request_id` stands for.

use sha2::{Digest, Sha256};

use crate::domain::{Change, CustomerId, PlanChoice, RequestId, UserRef};
use crate::store::Refusal;

/// Grows when the form of the hash changes, so that no old hash is taken for a new one.
const HASH_VERSION: u8 = 1;

/// A parsed request.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    /// The customer.
    pub customer: CustomerId,
    /// The caller's name for the request.
    pub request: RequestId,
    /// The distinct changes.
    pub changes: Vec<Change>,
    /// The users in order, each with the number of its change. At least one; no name twice.
    pub users: Vec<(UserRef, u32)>,
    /// Refuses the request as things are now, unless it was accepted when they were different.
    pub unless_accepted: Option<Refusal>,
}

impl BatchRequest {
    /// Tells requests apart: customer, users in order and what is asked for each. How the request
    /// was sent is not part of it.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([HASH_VERSION]);
        hash.update(self.customer.0.as_bytes());
        let changes: Vec<[u8; 32]> = self.changes.iter().map(hash_change).collect();
        for (user, change) in &self.users {
            match user {
                UserRef::Id(id) => {
                    hash.update([1]);
                    hash.update(id.0.as_bytes());
                }
                UserRef::Name(name) => {
                    hash.update([2]);
                    hash.update((name.key().len() as u64).to_le_bytes());
                    hash.update(name.key().as_bytes());
                }
            }
            hash.update(changes[*change as usize]);
        }
        hash.finalize().into()
    }
}

fn hash_change(change: &Change) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((change.assign.len() as u64).to_le_bytes());
    for assign in &change.assign {
        hash.update(assign.product.0.as_bytes());
        let kind = match &assign.plans {
            None => 0u8,
            Some(PlanChoice::AllExcept(_)) => 1,
            Some(PlanChoice::Only(_)) => 2,
        };
        let plans = assign.plans.as_ref().map_or(&[][..], PlanChoice::plans);
        hash.update([kind]);
        hash.update((plans.len() as u64).to_le_bytes());
        for plan in plans {
            hash.update(plan.0.as_bytes());
        }
    }
    for product in &change.revoke {
        hash.update(product.0.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Assign, PlanId, ProductId, UserId};

    #[test]
    fn the_hash_tells_requests_apart_by_all_that_they_ask() {
        let id = Uuid::from_u128;
        let base = || BatchRequest {
            customer: CustomerId(id(1)),
            request: RequestId(id(2)),
            changes: vec![Change {
                assign: vec![Assign {
                    product: ProductId(id(3)),
                    plans: None,
                }],
                revoke: vec![],
            }],
            unless_accepted: None,
            users: vec![
                (UserRef::Id(UserId(id(4))), 0),
                (UserRef::Id(UserId(id(5))), 0),
            ],
        };
        let same = BatchRequest {
            request: RequestId(id(9)),
            ..base()
        };
        assert_eq!(
            base().hash(),
            same.hash(),
            "the request id is not part of it"
        );

        type Edit = fn(&mut BatchRequest);
        let edits: [Edit; 8] = [
            |request| request.customer = CustomerId(Uuid::from_u128(9)),
            |request| request.users.reverse(),
            |request| drop(request.users.pop()),
            |request| {
                let name = UserRef::parse("ada@x").expect("a name");
                request.users[0].0 = name;
            },
            |request| request.changes[0].assign[0].product = ProductId(Uuid::from_u128(9)),
            |request| request.changes[0].assign[0].plans = Some(PlanChoice::ALL),
            |request| {
                let plans = vec![PlanId(Uuid::from_u128(9))];
                request.changes[0].assign[0].plans = Some(PlanChoice::Only(plans));
            },
            |request| {
                request.changes[0]
                    .revoke
                    .push(ProductId(Uuid::from_u128(9)))
            },
        ];
        let mut hashes = vec![base().hash()];
        for edit in edits {
            let mut request = base();
            edit(&mut request);
            hashes.push(request.hash());
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 9);
    }
}
