//! The catalogue as the rules see it: products, their plans, and the rules between plans, with
//! plans numbered densely so that a set of them is a few machine words.

use std::collections::HashMap;

use super::{Country, PlanChoice, PlanId, ProductId};

/// A set of plans of one [`Catalogue`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanBits(Vec<u64>);

impl PlanBits {
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(super) fn insert(&mut self, plan: usize) {
        if self.0.len() <= plan / 64 {
            self.0.resize(plan / 64 + 1, 0);
        }
        self.0[plan / 64] |= 1 << (plan % 64);
    }

    pub(super) fn contains(&self, plan: usize) -> bool {
        self.0
            .get(plan / 64)
            .is_some_and(|word| word & (1 << (plan % 64)) != 0)
    }

    pub(super) fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(super) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// True if a plan is in `self` that is not in `other`.
    pub(super) fn exceeds(&self, other: &Self) -> bool {
        let words = self.0.iter().enumerate();
        words
            .into_iter()
            .any(|(i, word)| word & !other.0.get(i).copied().unwrap_or(0) != 0)
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let words = self.0.iter().enumerate();
        Self(
            words
                .map(|(i, word)| word & !other.0.get(i).copied().unwrap_or(0))
                .collect(),
        )
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.0.iter().enumerate();
        words.flat_map(|(i, word)| {
            (0..64)
                .filter(move |b| word & (1 << b) != 0)
                .map(move |b| i * 64 + b)
        })
    }
}

/// What becomes of plans that a later edition adds to a product, for a user who is given all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaterPlans {
    /// They are on.
    #[default]
    On,
    /// They are off.
    Off,
}

/// A product.
#[derive(Clone, Debug)]
pub struct Product {
    /// The key.
    pub id: ProductId,
    /// Name for people.
    pub display_name: String,
    /// True if no user can hold it.
    pub for_company: bool,
    /// What becomes of plans that are added later.
    pub later_plans: LaterPlans,
    /// All plans, also retired ones.
    plans: PlanBits,
    /// Plans that the newest edition no longer has in the product.
    retired_plans: PlanBits,
}

/// A product, as [`Catalogue::new`] takes it.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// The key.
    pub id: ProductId,
    /// Name for people.
    pub display_name: String,
    /// True if no user can hold it.
    pub for_company: bool,
    /// What becomes of plans that are added later.
    pub later_plans: LaterPlans,
}

/// A plan as a part of a product, as [`Catalogue::new`] takes it.
#[derive(Clone, Copy, Debug)]
pub struct ProductPlan {
    /// The product.
    pub product: ProductId,
    /// The plan.
    pub plan: PlanId,
    /// True if the newest edition no longer has the plan in the product.
    pub retired: bool,
}

/// A rule between plans, or between a plan and a country.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The two plans cannot be on for one user. Symmetric; `plan < other`.
    Excludes {
        /// One plan.
        plan: PlanId,
        /// The other.
        other: PlanId,
    },
    /// `plan` needs at least one of `others`.
    RequiresAnyOf {
        /// The plan in need.
        plan: PlanId,
        /// What would do, sorted.
        others: Vec<PlanId>,
    },
    /// `plan` cannot be on for a user in `country`.
    ProhibitedIn {
        /// The plan.
        plan: PlanId,
        /// Where it is prohibited.
        country: Country,
    },
}

/// Products, plans and rules at one version.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Grows with every change.
    pub version: i64,
    products: HashMap<ProductId, Product>,
    plans: Vec<(PlanId, String)>,
    plan_numbers: HashMap<PlanId, usize>,
    pub(super) excludes: Vec<(usize, usize)>,
    pub(super) requires: Vec<(usize, PlanBits)>,
    pub(super) prohibited: Vec<(usize, Country)>,
}

impl Catalogue {
    /// Builds the catalogue. Rules may name plans that no product has; such a plan is never on.
    pub fn new(
        version: i64,
        products: impl IntoIterator<Item = NewProduct>,
        plans: impl IntoIterator<Item = (PlanId, String)>,
        product_plans: impl IntoIterator<Item = ProductPlan>,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Self {
        let mut catalogue = Self {
            version,
            ..Self::default()
        };
        for new in products {
            let product = Product {
                id: new.id,
                display_name: new.display_name,
                for_company: new.for_company,
                later_plans: new.later_plans,
                plans: PlanBits::default(),
                retired_plans: PlanBits::default(),
            };
            catalogue.products.insert(new.id, product);
        }
        for (id, name) in plans {
            let number = catalogue.number(id);
            catalogue.plans[number].1 = name;
        }
        for pair in product_plans {
            let number = catalogue.number(pair.plan);
            let Some(product) = catalogue.products.get_mut(&pair.product) else {
                continue;
            };
            product.plans.insert(number);
            if pair.retired {
                product.retired_plans.insert(number);
            }
        }
        for rule in rules {
            catalogue.add_rule(rule);
        }
        catalogue
    }

    fn add_rule(&mut self, rule: Rule) {
        match rule {
            Rule::Excludes { plan, other } => {
                let pair = (self.number(plan), self.number(other));
                self.excludes.push(pair);
            }
            Rule::RequiresAnyOf { plan, others } => {
                let mut any_of = PlanBits::default();
                for other in others {
                    any_of.insert(self.number(other));
                }
                let number = self.number(plan);
                self.requires.push((number, any_of));
            }
            Rule::ProhibitedIn { plan, country } => {
                let number = self.number(plan);
                self.prohibited.push((number, country));
            }
        }
    }

    fn number(&mut self, plan: PlanId) -> usize {
        *self.plan_numbers.entry(plan).or_insert_with(|| {
            self.plans.push((plan, String::new()));
            self.plans.len() - 1
        })
    }

    /// The product, if the catalogue has ever known it.
    pub fn product(&self, id: ProductId) -> Option<&Product> {
        self.products.get(&id)
    }

    /// The plan's technical name; empty if the catalogue has never known it.
    pub fn plan_name(&self, id: PlanId) -> &str {
        self.plan_numbers
            .get(&id)
            .map_or("", |number| &self.plans[*number].1)
    }

    pub(super) fn plan(&self, number: usize) -> PlanId {
        self.plans[number].0
    }

    pub(super) fn plan_ids(&self, bits: &PlanBits) -> Vec<PlanId> {
        let mut ids: Vec<_> = bits.iter().map(|number| self.plan(number)).collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn bits(&self, plans: &[PlanId]) -> PlanBits {
        let mut bits = PlanBits::default();
        for number in plans.iter().filter_map(|plan| self.plan_numbers.get(plan)) {
            bits.insert(*number);
        }
        bits
    }

    /// Says whether any product has the plan, or once had it.
    pub fn is_sold(&self, plan: PlanId) -> bool {
        self.plan_numbers.get(&plan).is_some_and(|number| {
            self.products
                .values()
                .any(|product| product.plans.contains(*number))
        })
    }

    /// Says whether the product has the plan: `Some(true)` if it is retired.
    pub fn has_plan(&self, product: &Product, plan: PlanId) -> Option<bool> {
        let number = self.plan_numbers.get(&plan)?;
        product
            .plans
            .contains(*number)
            .then(|| product.retired_plans.contains(*number))
    }

    /// The plans that are on: intent × catalogue.
    pub fn effective(&self, product: &Product, choice: &PlanChoice) -> PlanBits {
        let named = self.bits(choice.plans());
        match choice {
            PlanChoice::AllExcept(_) => product.plans.minus(&named),
            PlanChoice::Only(_) => product.plans.minus(&product.plans.minus(&named)),
        }
    }

    /// The plans that are on for a holder of the product; none if the catalogue has never known it.
    pub(super) fn enabled(&self, product: ProductId, choice: &PlanChoice) -> PlanBits {
        let product = self.product(product);
        product
            .map(|product| self.effective(product, choice))
            .unwrap_or_default()
    }

    /// The plans that are on, by id.
    pub fn effective_plans(&self, product: &Product, choice: &PlanChoice) -> Vec<PlanId> {
        self.plan_ids(&self.effective(product, choice))
    }

    /// The plans of `product` that `other` has as well.
    pub(super) fn shared(&self, product: &Product, other: &Product) -> PlanBits {
        product.plans.minus(&product.plans.minus(&other.plans))
    }

    /// Says whether a new holder of the product gets one of the plans.
    pub(super) fn supplies(&self, product: &Product, plans: &PlanBits) -> bool {
        !product.for_company
            && product
                .plans
                .minus(&product.retired_plans)
                .intersects(plans)
    }

    /// Plans of the product that are retired and not in `kept`: a new choice cannot have them.
    pub(super) fn gone(&self, product: &Product, kept: &PlanBits) -> PlanBits {
        product.retired_plans.minus(kept)
    }
}
