//! What decides a batch and what it comes to, in the words of the worlds.

use std::collections::{BTreeMap, BTreeSet};

use seatwise_client::v1::ReasonCode;
use seatwise_client::v1::batch_result::Disposition;

use super::catalogue::{Plan, Plans, Product};
use super::order::Choice;

/// What decides a batch, as a customer can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) people: BTreeMap<usize, Person>,
    pub(crate) licenses: BTreeMap<Product, License>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) location: String,
    pub(crate) held: BTreeMap<Product, Choice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct License {
    pub(crate) enabled: i32,
    pub(crate) warning: i32,
    pub(crate) suspended: i32,
    pub(crate) assigned: i32,
}

/// What became of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) disposition: Disposition,
    pub(crate) assigned: BTreeSet<Product>,
    pub(crate) revoked: BTreeSet<Product>,
    pub(crate) changed: BTreeSet<Product>,
    /// The plans that are on, per product.
    pub(crate) held: BTreeMap<Product, Plans>,
    pub(crate) reasons: BTreeSet<Why>,
}

/// A reason. Plans that exclude each other are one reason per pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Why {
    pub(crate) code: ReasonCode,
    pub(crate) product: Option<Product>,
    pub(crate) plan: Option<Plan>,
    pub(crate) others: Plans,
    pub(crate) location: String,
    pub(crate) available: Option<i32>,
    pub(crate) suppliers: BTreeSet<Product>,
}

/// Total and assigned seats before and after, and the shortage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seats {
    pub(crate) before: (i32, i32),
    pub(crate) after: (i32, i32),
    pub(crate) shortage: i32,
}

/// What a batch comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// By the place of the user in the request.
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) seats: BTreeMap<Product, Seats>,
    pub(crate) counts: BTreeMap<ReasonCode, i32>,
    pub(crate) rolled_back: bool,
}

impl Why {
    pub(super) fn of(code: ReasonCode) -> Self {
        Self {
            code,
            product: None,
            plan: None,
            others: Plans::new(),
            location: String::new(),
            available: None,
            suppliers: BTreeSet::new(),
        }
    }

    pub(super) fn about(code: ReasonCode, product: Product) -> Self {
        Self {
            product: Some(product),
            ..Self::of(code)
        }
    }

    pub(super) fn plan(code: ReasonCode, plan: Plan, others: Plans) -> Self {
        Self {
            plan: Some(plan),
            others,
            ..Self::of(code)
        }
    }
}
