//! A batch request, parsed and not yet resolved: what its `request_id` stands for.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::{
    Change, Country, Digest, Origin, PlanChoice, PlanEdit, PlanId, RequestId, Scope, SelectionPart,
    Terms, UserFilter, UserRef,
};
use crate::store::{Capacity, Refusal, Users};

/// Grows when the form of the hash changes, so that no old hash is taken for a new one.
const HASH_VERSION: u8 = 2;

/// A parsed request.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    /// The customer.
    pub scope: Scope,
    /// The caller's name for the request.
    pub request: RequestId,
    /// Who asks for it. Not part of the request.
    pub origin: Origin,
    /// The distinct changes; none if the users are those of an earlier batch.
    pub changes: Vec<Change>,
    /// The users in order, each with the number of its change. At least one; no name twice.
    pub users: Users,
    /// How they are judged.
    pub terms: Terms,
    /// What to do when seats are short.
    pub capacity: Capacity,
    /// What a preview has promised. Not part of the request.
    pub promised: Option<Digest>,
    /// The digest of the losses that somebody has confirmed. Not part of the request.
    pub confirmed: Option<[u8; 32]>,
    /// Refuses the request as things are now, unless it was accepted when they were different.
    pub unless_accepted: Option<Refusal>,
}

impl BatchRequest {
    /// Tells requests apart: customer, users in order and what is asked for each. How the request
    /// was sent is not part of it.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([HASH_VERSION]);
        hash.update(self.scope.customer().0.as_bytes());
        let changes: Vec<[u8; 32]> = self.changes.iter().map(hash_change).collect();
        match &self.users {
            Users::Listed(users) => {
                for (user, change) in users {
                    hash_user(&mut hash, user);
                    hash.update(changes[*change as usize]);
                }
            }
            Users::Selected(selection) => {
                for parts in [&selection.parts, &selection.except] {
                    hash.update((parts.len() as u64).to_le_bytes());
                    parts.iter().for_each(|part| hash_part(&mut hash, part));
                }
                hash.update(changes[0]);
            }
            Users::Reverted(revert) => {
                hash.update([6, u8::from(revert.takes_safe_part)]);
                hash.update(revert.batch.0.as_bytes());
            }
            Users::Retried(retry) => {
                hash.update([7, u8::from(retry.with_skipped)]);
                hash.update(retry.batch.0.as_bytes());
            }
        }
        let terms = match self.terms {
            Terms::BestEffort => 0,
            Terms::StopAfter(failures) => i64::from(failures),
            Terms::Atomic => -1,
        };
        hash.update(terms.to_le_bytes());
        hash.update([u8::from(self.capacity == Capacity::RefuseIfShort)]);
        hash.finalize().into()
    }
}

fn hash_part(hash: &mut Sha256, part: &SelectionPart) {
    match part {
        SelectionPart::Users(users) => {
            hash.update([3]);
            users.iter().for_each(|user| hash_user(hash, user));
            hash.update((users.len() as u64).to_le_bytes());
        }
        SelectionPart::Filter(filter) => {
            hash.update([4]);
            hash_filter(hash, filter);
        }
        SelectionPart::Frozen(id) => {
            hash.update([5]);
            hash.update(id.0.as_bytes());
        }
        SelectionPart::Violating(filter) => {
            hash.update([8]);
            let mut field = |value: &[u8]| {
                hash.update((value.len() as u64).to_le_bytes());
                hash.update(value);
            };
            field(filter.code.unwrap_or_default().as_bytes());
            let ids = [filter.product.map(|id| id.0), filter.plan.map(|id| id.0)];
            ids.iter()
                .for_each(|id| field(id.as_ref().map_or(&[], |id| id.as_bytes().as_slice())));
        }
    }
}

fn hash_filter(hash: &mut Sha256, filter: &UserFilter) {
    let mut field = |value: Option<&[u8]>| {
        hash.update([u8::from(value.is_some())]);
        hash.update((value.map_or(0, <[u8]>::len) as u64).to_le_bytes());
        hash.update(value.unwrap_or_default());
    };
    field(filter.search.as_deref().map(str::as_bytes));
    field(
        filter
            .active
            .map(|active| [u8::from(active)])
            .as_ref()
            .map(<[u8; 1]>::as_slice),
    );
    let location = filter.usage_location.as_ref();
    let location = location.map(|location| location.as_ref().map_or("", Country::as_str));
    field(location.map(str::as_bytes));
    let ids = [
        filter.holds_product.map(|id| id.0),
        filter.lacks_product.map(|id| id.0),
        filter.holds_plan.map(|id| id.0),
        filter.failed_in.map(|id| id.0),
    ];
    ids.iter()
        .for_each(|id| field(id.as_ref().map(|id| id.as_bytes().as_slice())));
    let since = filter.not_active_since.map(i64::to_le_bytes);
    field(since.as_ref().map(<[u8; 8]>::as_slice));
}

fn hash_user(hash: &mut Sha256, user: &UserRef) {
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
}

fn hash_change(change: &Change) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((change.assign.len() as u64).to_le_bytes());
    for assign in &change.assign {
        hash.update(assign.product.0.as_bytes());
        hash_plan_edit(&mut hash, assign.plans.as_ref());
    }
    hash_ids(&mut hash, change.revoke.iter().map(|id| id.0));
    hash.update((change.replace.len() as u64).to_le_bytes());
    for replace in &change.replace {
        hash.update(replace.product.0.as_bytes());
        hash.update(replace.by.0.as_bytes());
        hash_plan_edit(&mut hash, replace.plans.as_ref());
    }
    hash.update([u8::from(change.revoke_others.is_some())]);
    let kept = change.revoke_others.iter().flatten();
    hash_ids(&mut hash, kept.map(|id| id.0));
    hash.finalize().into()
}

fn hash_plan_edit(hash: &mut Sha256, edit: Option<&PlanEdit>) {
    let (kind, plans, more): (u8, &[PlanId], &[PlanId]) = match edit {
        None => (0, &[], &[]),
        Some(PlanEdit::Set(PlanChoice::AllExcept(plans))) => (1, plans, &[]),
        Some(PlanEdit::Set(PlanChoice::Only(plans))) => (2, plans, &[]),
        Some(PlanEdit::Delta { enable, disable }) => (3, enable, disable),
    };
    hash.update([kind]);
    hash_ids(hash, plans.iter().map(|id| id.0));
    hash_ids(hash, more.iter().map(|id| id.0));
}

/// The ids and, so that lists cannot run into each other, their number.
fn hash_ids(hash: &mut Sha256, ids: impl Iterator<Item = Uuid>) {
    let mut count = 0u64;
    for id in ids {
        hash.update(id.as_bytes());
        count += 1;
    }
    hash.update(count.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        Assign, BatchId, CustomerId, ProductId, Replace, Selection, UserId, Violation,
        ViolationFilter,
    };
    use crate::store::{Retry, Revert};

    fn scope(number: u128) -> Scope {
        Scope::of_service(CustomerId(Uuid::from_u128(number)))
    }

    fn listed(request: &mut BatchRequest) -> &mut Vec<(UserRef, u32)> {
        match &mut request.users {
            Users::Listed(users) => users,
            _ => unreachable!("the request lists its users"),
        }
    }

    fn base() -> BatchRequest {
        let id = Uuid::from_u128;
        BatchRequest {
            scope: scope(1),
            request: RequestId(id(2)),
            origin: Origin::default(),
            changes: vec![Change {
                assign: vec![Assign {
                    product: ProductId(id(3)),
                    plans: None,
                }],
                ..Change::default()
            }],
            unless_accepted: None,
            users: Users::Listed(vec![
                (UserRef::Id(UserId(id(4))), 0),
                (UserRef::Id(UserId(id(5))), 0),
            ]),
            terms: Terms::BestEffort,
            capacity: Capacity::FillInOrder,
            promised: None,
            confirmed: None,
        }
    }

    fn revert(number: u128, takes_safe_part: bool) -> Users {
        let batch = BatchId(Uuid::from_u128(number));
        Users::Reverted(Revert {
            batch,
            takes_safe_part,
        })
    }

    fn violating(filter: ViolationFilter) -> Users {
        Users::Selected(Selection {
            parts: vec![SelectionPart::Violating(filter)],
            except: Vec::new(),
        })
    }

    type Edit = fn(&mut BatchRequest);

    const EDITS: [Edit; 23] = [
        |request| request.scope = scope(9),
        |request| listed(request).reverse(),
        |request| drop(listed(request).pop()),
        |request| {
            let name = UserRef::parse("ada@x").expect("a name");
            listed(request)[0].0 = name;
        },
        |request| request.users = revert(8, false),
        |request| request.users = revert(8, true),
        |request| request.users = revert(9, false),
        |request| {
            request.users = Users::Retried(Retry {
                batch: BatchId(Uuid::from_u128(8)),
                with_skipped: false,
            });
        },
        |request| request.users = violating(ViolationFilter::default()),
        |request| {
            request.users = violating(ViolationFilter {
                code: Some(Violation::CODES[0]),
                ..ViolationFilter::default()
            });
        },
        |request| {
            request.users = violating(ViolationFilter {
                product: Some(ProductId(Uuid::from_u128(9))),
                ..ViolationFilter::default()
            });
        },
        |request| {
            request.users = violating(ViolationFilter {
                plan: Some(PlanId(Uuid::from_u128(9))),
                ..ViolationFilter::default()
            });
        },
        |request| request.terms = Terms::Atomic,
        |request| request.terms = Terms::StopAfter(1),
        |request| request.capacity = Capacity::RefuseIfShort,
        |request| request.changes[0].revoke_others = Some(vec![]),
        |request| {
            request.changes[0].revoke_others = Some(vec![ProductId(Uuid::from_u128(9))]);
        },
        |request| {
            request.changes[0].replace.push(Replace {
                product: ProductId(Uuid::from_u128(8)),
                by: ProductId(Uuid::from_u128(9)),
                plans: None,
            });
        },
        |request| {
            request.changes[0].assign[0].plans = Some(PlanEdit::Delta {
                enable: vec![],
                disable: vec![PlanId(Uuid::from_u128(9))],
            });
        },
        |request| request.changes[0].assign[0].product = ProductId(Uuid::from_u128(9)),
        |request| request.changes[0].assign[0].plans = Some(PlanEdit::Set(PlanChoice::ALL)),
        |request| {
            let plans = vec![PlanId(Uuid::from_u128(9))];
            request.changes[0].assign[0].plans = Some(PlanEdit::Set(PlanChoice::Only(plans)));
        },
        |request| {
            request.changes[0]
                .revoke
                .push(ProductId(Uuid::from_u128(9)))
        },
    ];

    #[test]
    fn the_hash_tells_requests_apart_by_all_that_they_ask() {
        let same = BatchRequest {
            request: RequestId(Uuid::from_u128(9)),
            ..base()
        };
        assert_eq!(
            base().hash(),
            same.hash(),
            "the request id is not part of it"
        );

        let mut hashes = vec![base().hash()];
        for edit in EDITS {
            let mut request = base();
            edit(&mut request);
            hashes.push(request.hash());
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), EDITS.len() + 1);
    }
}
