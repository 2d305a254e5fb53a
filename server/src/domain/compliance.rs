//! What users hold, judged by the rules as they are: a rule or a plan that came later, or a user who
//! has moved, can leave a holding that nobody would be given any more.
//!
//! What a user holds is judged as `decide` judges a user who holds nothing and gets all of it at once,
//! by the same functions. Being inactive, a suspended license and missing seats stand against
//! getting something and not against holding it, so they are no violations.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::PlanBits;
use super::{Catalogue, ChoiceId, Choices, Country, Held, PlanId, ProductId, Reason, rules};

/// Different holdings whose violations are remembered: most users share a few.
const KNOWN_MAX: usize = 20_000;

/// One rule that is broken by what a user holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule. Of plans that cannot be on together there are two.
    pub reason: Reason,
    /// What the user holds that has part in it, by id.
    pub products: Vec<ProductId>,
}

impl Violation {
    /// The codes that the reason of a violation can have.
    pub const CODES: [&'static str; 5] = [
        "MUTUALLY_EXCLUSIVE_PLANS",
        "PREREQUISITE_MISSING",
        "USAGE_LOCATION_MISSING",
        "USAGE_LOCATION_PROHIBITED",
        "PRODUCT_NOT_FOR_USERS",
    ];

    /// The plans that are on and should not be.
    fn plans(&self) -> Vec<PlanId> {
        plans(&self.reason)
    }
}

/// Conditions on violations, all of which must hold; `None` is met by every violation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ViolationFilter {
    /// The code of the reason: one of [`Violation::CODES`].
    pub code: Option<&'static str>,
    /// A product that has part in it.
    pub product: Option<ProductId>,
    /// A plan that is on and should not be.
    pub plan: Option<PlanId>,
}

impl ViolationFilter {
    /// Says whether a violation meets the filter.
    pub fn is_met(&self, violation: &Violation) -> bool {
        self.code.is_none_or(|code| violation.reason.code() == code)
            && self
                .product
                .is_none_or(|product| violation.products.contains(&product))
            && self
                .plan
                .is_none_or(|plan| violation.plans().contains(&plan))
    }
}

/// The violations of what was judged already.
type Known = HashMap<Vec<Held>, Arc<[Violation]>>;

/// Judges what users of one customer hold.
pub struct Compliance<'a> {
    catalogue: &'a Catalogue,
    /// Products that the customer has a license of, by id.
    licensed: Vec<ProductId>,
    enabled: HashMap<Held, PlanBits>,
    /// Licensed products that meet a requirement, by its number.
    suppliers: HashMap<usize, Vec<ProductId>>,
    known: HashMap<Option<Country>, Known>,
    known_count: usize,
}

impl<'a> Compliance<'a> {
    /// Begins with a customer. `licensed` are the products that a missing prerequisite can come from.
    pub fn new(catalogue: &'a Catalogue, licensed: Vec<ProductId>) -> Self {
        Self {
            catalogue,
            licensed,
            enabled: HashMap::new(),
            suppliers: HashMap::new(),
            known: HashMap::new(),
            known_count: 0,
        }
    }

    /// The rules that are broken by what a user holds, in the order of the rules. `choices` must know
    /// every choice that is held.
    pub fn violations(
        &mut self,
        choices: &Choices,
        location: Option<Country>,
        held: &[Held],
    ) -> Arc<[Violation]> {
        let known = self.known.get(&location).and_then(|known| known.get(held));
        if let Some(known) = known {
            return known.clone();
        }
        let found: Arc<[Violation]> = self.judge(choices, location, held).into();
        if self.known_count == KNOWN_MAX {
            self.known.clear();
            self.known_count = 0;
        }
        self.known_count += 1;
        let known = self.known.entry(location).or_default();
        known.insert(held.to_vec(), found.clone());
        found
    }

    fn judge(
        &mut self,
        choices: &Choices,
        location: Option<Country>,
        held: &[Held],
    ) -> Vec<Violation> {
        let catalogue = self.catalogue;
        let mut on = PlanBits::default();
        for held in held {
            let enabled = self
                .enabled
                .entry(*held)
                .or_insert_with(|| catalogue.enabled(held.product, chosen(choices, held.choice)));
            on.extend(enabled);
        }
        let products = held.iter().map(|held| held.product);
        let mut reasons = Vec::new();
        if !held.is_empty() {
            reasons.extend(rules::location(location));
        }
        reasons.extend(products.filter_map(|product| rules::holder(catalogue, product)));
        let (known, licensed) = (&mut self.suppliers, &self.licensed);
        let suppliers = |number: usize, plans: &PlanBits| {
            let find = || rules::suppliers(catalogue, licensed.iter().copied(), plans);
            known.entry(number).or_insert_with(find).clone()
        };
        let nothing = PlanBits::default();
        rules::violations(
            catalogue,
            (&nothing, &on),
            location,
            suppliers,
            &mut reasons,
        );
        let single = reasons.into_iter().flat_map(single);
        let violation = |reason| Violation {
            products: self.partakers(&reason, held),
            reason,
        };
        single.map(violation).collect()
    }

    /// What is held that has part in a violation.
    fn partakers(&self, reason: &Reason, held: &[Held]) -> Vec<ProductId> {
        let plans = self.catalogue.bits(&plans(reason));
        let has_part = |held: &&Held| match reason {
            Reason::UsageLocationMissing => true,
            Reason::ProductNotForUsers { product } => held.product == *product,
            _ => self.enabled[*held].intersects(&plans),
        };
        let partakers = held.iter().filter(has_part);
        partakers.map(|held| held.product).collect()
    }
}

fn chosen(choices: &Choices, id: ChoiceId) -> &super::PlanChoice {
    let choice = choices.get(id);
    choice.expect("choices that are held are known")
}

/// The plans that are on and that a reason is about.
fn plans(reason: &Reason) -> Vec<PlanId> {
    match reason {
        Reason::MutuallyExclusivePlans { plan, others } => {
            std::iter::once(plan).chain(others).copied().collect()
        }
        Reason::PrerequisiteMissing { plan, .. } | Reason::UsageLocationProhibited { plan, .. } => {
            vec![*plan]
        }
        _ => Vec::new(),
    }
}

/// One reason per rule: exclusions of one plan are told as one reason to a user who is refused.
fn single(reason: Reason) -> Vec<Reason> {
    let Reason::MutuallyExclusivePlans { plan, others } = reason else {
        return vec![reason];
    };
    let one = |other| Reason::MutuallyExclusivePlans {
        plan,
        others: vec![other],
    };
    others.into_iter().map(one).collect()
}
