//! What a batch asks: in the words of the worlds, and in those of the protocol.

use std::collections::BTreeSet;

use seatwise_client::v1::{
    self, BatchOptions, PlanDelta, PlanEdit, PlanSet, ProductAssignment, ProductReplacement,
    RevokeOthers, batch_options, plan_choice, plan_edit,
};

use super::catalogue::{
    Plans, Product, is_for_company, plan, plan_id, plans_of, product_id, products,
};
use crate::fixtures::Random;

/// Which plans of a product are on, as intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    AllExcept(Plans),
    Only(Plans),
}

/// What is asked of the plans of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    Keep,
    Set(Choice),
    Delta { on: Plans, off: Plans },
}

/// What to do to a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Change {
    pub(crate) assign: Vec<(Product, Edit)>,
    pub(crate) revoke: Vec<Product>,
    pub(crate) replace: Vec<(Product, Product, Edit)>,
    /// The products to keep, if all that is not named is revoked.
    pub(crate) others: Option<BTreeSet<Product>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    BestEffort,
    StopAfter(i32),
    Atomic,
}

/// What is asked for whom, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) steps: Vec<(usize, Change)>,
    pub(crate) mode: Mode,
    pub(crate) refuse_if_short: bool,
}

impl Choice {
    pub(crate) fn all() -> Self {
        Self::AllExcept(Plans::new())
    }

    /// Not set means all.
    pub(crate) fn read(choice: Option<&v1::PlanChoice>) -> Self {
        let plans = |set: &PlanSet| set.plan_ids.iter().map(|id| plan(id)).collect();
        match choice.and_then(|choice| choice.choice.as_ref()) {
            None => Self::all(),
            Some(plan_choice::Choice::AllExcept(set)) => Self::AllExcept(plans(set)),
            Some(plan_choice::Choice::Only(set)) => Self::Only(plans(set)),
        }
    }
}

impl Edit {
    fn random(random: &mut Random, product: Product) -> Self {
        let mut some = |of: u64| -> Plans {
            let plans = plans_of(product).into_iter();
            plans.filter(|_| random.below(of) == 0).collect()
        };
        let (first, second) = (some(3), some(2));
        match random.below(5) {
            0 => Self::Set(Choice::AllExcept(first)),
            1 => Self::Set(Choice::Only(second)),
            2 if !first.is_empty() || !second.is_empty() => Self::Delta {
                on: &second - &first,
                off: first,
            },
            _ => Self::Keep,
        }
    }

    fn message(&self) -> Option<PlanEdit> {
        let edit = match self {
            Self::Keep => return None,
            Self::Set(Choice::AllExcept(plans)) => plan_edit::Edit::AllExcept(plan_set(plans)),
            Self::Set(Choice::Only(plans)) => plan_edit::Edit::Only(plan_set(plans)),
            Self::Delta { on, off } => plan_edit::Edit::Delta(PlanDelta {
                enable_plan_ids: plan_set(on).plan_ids,
                disable_plan_ids: plan_set(off).plan_ids,
            }),
        };
        Some(PlanEdit { edit: Some(edit) })
    }
}

impl Change {
    /// A change that asks for something of a few products, seldom of one without a license.
    pub(crate) fn random(random: &mut Random, licensed: &[Product]) -> Self {
        let mut order: Vec<_> = products().collect();
        random.shuffle(&mut order);
        // From the end: the products that can be had.
        order.sort_by_cached_key(|product| licensed.contains(product) && random.below(8) != 0);
        let mut change = Self::default();
        let count = 1 + random.below(3);
        for _ in 0..count {
            let product = order.pop().expect("more products than steps");
            let edit = Edit::random(random, product);
            match random.below(8) {
                0 | 1 => change.revoke.push(product),
                2 | 3 => {
                    // By preference one that has plans to carry.
                    let shares = |from: &Product| !plans_of(*from).is_disjoint(&plans_of(product));
                    let place = order.iter().rposition(shares).unwrap_or(order.len() - 1);
                    let from = order.remove(place);
                    change.replace.push((from, product, edit));
                }
                _ => change.assign.push((product, edit)),
            }
        }
        if random.below(5) == 0 {
            let kept = random.below(3);
            change.others = Some((0..kept).filter_map(|_| order.pop()).collect());
        }
        change
    }

    /// A change that gives a few products.
    pub(crate) fn gift(random: &mut Random, licensed: &[Product]) -> Self {
        let gifts = licensed.iter().copied();
        let gifts = gifts.filter(|product| !is_for_company(*product) && random.below(3) == 0);
        let gifts: Vec<_> = gifts.collect();
        let assign = gifts.into_iter().map(|product| {
            let edit = match product {
                // All plans of this one cannot be on together.
                9 => Edit::Set(Choice::Only(['p', 'r'].into())),
                _ => Edit::random(random, product),
            };
            (product, edit)
        });
        Self {
            assign: assign.collect(),
            ..Self::default()
        }
    }

    /// The products that the change gives, takes or leaves; not those that it keeps from revocation.
    pub(crate) fn named(&self) -> BTreeSet<Product> {
        let assigned = self.assign.iter().map(|(product, _)| *product);
        let replaced = self.replace.iter().flat_map(|(from, by, _)| [*from, *by]);
        assigned
            .chain(self.revoke.iter().copied())
            .chain(replaced)
            .collect()
    }

    /// The products that the change can give.
    pub(crate) fn given(&self) -> BTreeSet<Product> {
        let assigned = self.assign.iter().map(|(product, _)| *product);
        let replaced = self.replace.iter().map(|(_, by, _)| *by);
        assigned.chain(replaced).collect()
    }

    pub(crate) fn message(&self) -> v1::Change {
        let assign = |(product, edit): &(Product, Edit)| ProductAssignment {
            product_id: product_id(*product),
            plans: edit.message(),
        };
        let replace = |(from, by, edit): &(Product, Product, Edit)| ProductReplacement {
            product_id: product_id(*from),
            by_product_id: product_id(*by),
            plans: edit.message(),
        };
        let ids = |products: &BTreeSet<Product>| products.iter().map(|p| product_id(*p)).collect();
        v1::Change {
            assign: self.assign.iter().map(assign).collect(),
            revoke_product_ids: self.revoke.iter().map(|p| product_id(*p)).collect(),
            replace: self.replace.iter().map(replace).collect(),
            revoke_others: self.others.as_ref().map(|kept| RevokeOthers {
                keep_product_ids: ids(kept),
            }),
        }
    }
}

impl Order {
    pub(crate) fn named(&self) -> BTreeSet<Product> {
        let steps = self.steps.iter();
        steps.flat_map(|(_, change)| change.named()).collect()
    }

    pub(crate) fn options(&self) -> BatchOptions {
        let mode = match self.mode {
            Mode::Atomic => batch_options::Mode::Atomic,
            _ => batch_options::Mode::BestEffort,
        };
        let capacity = match self.refuse_if_short {
            true => batch_options::Capacity::RefuseIfShort,
            false => batch_options::Capacity::FillInOrder,
        };
        BatchOptions {
            mode: mode.into(),
            capacity: capacity.into(),
            stop_after_failures: match self.mode {
                Mode::StopAfter(count) => count,
                _ => 0,
            },
        }
    }
}

fn plan_set(plans: &Plans) -> PlanSet {
    PlanSet {
        plan_ids: plans.iter().map(|plan| plan_id(*plan)).collect(),
    }
}
