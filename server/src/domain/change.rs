//! What a batch is asked to do, parsed: changes, plan choices and the order of service.

use std::collections::HashMap;

use super::{PlanId, PrincipalName, ProductId, UserId};

/// Which plans of a product are on, as intent. The ids are sorted and unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanChoice {
    /// All but these, also those that the product gains later.
    AllExcept(Vec<PlanId>),
    /// These and no others.
    Only(Vec<PlanId>),
}

impl PlanChoice {
    /// Every plan.
    pub const ALL: Self = Self::AllExcept(Vec::new());

    /// The plans that the choice names.
    pub fn plans(&self) -> &[PlanId] {
        match self {
            Self::AllExcept(plans) | Self::Only(plans) => plans,
        }
    }
}

/// What a request asks of the plans of a product.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanEdit {
    /// This choice, whatever it was before.
    Set(PlanChoice),
    /// The choice as it is, with these plans on and those off; no plan is in both.
    Delta {
        /// Plans to turn on.
        enable: Vec<PlanId>,
        /// Plans to turn off.
        disable: Vec<PlanId>,
    },
}

/// A product to assign.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assign {
    /// The product.
    pub product: ProductId,
    /// The plans to turn on; `None` means all for a new holder and no change for a holder.
    pub plans: Option<PlanEdit>,
}

/// A product to hand over for another where it is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replace {
    /// What the user loses.
    pub product: ProductId,
    /// What the user gets for it.
    pub by: ProductId,
    /// What is asked of the plans of `by`; `None` means those that both products have as they were
    /// and the others on, and no change for a user who holds `by` already.
    pub plans: Option<PlanEdit>,
}

/// What to do to one user. No product is named twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// Products to assign.
    pub assign: Vec<Assign>,
    /// Products to revoke.
    pub revoke: Vec<ProductId>,
    /// Products to replace.
    pub replace: Vec<Replace>,
    /// Whether to revoke every product that the change does not name, but for these.
    pub revoke_others: Option<Vec<ProductId>>,
}

impl Change {
    /// Every product that the change names, other than to keep it.
    pub fn products(&self) -> impl Iterator<Item = ProductId> + '_ {
        let assigned = self.assign.iter().map(|assign| assign.product);
        let replaced = self.replace.iter().flat_map(|r| [r.product, r.by]);
        assigned.chain(self.revoke.iter().copied()).chain(replaced)
    }

    /// True if the change can take this product from a user.
    pub fn can_take(&self, product: ProductId) -> bool {
        let others = self.revoke_others.as_ref();
        self.revoke.contains(&product)
            || self
                .replace
                .iter()
                .any(|replace| replace.product == product)
            || others.is_some_and(|kept| {
                !kept.contains(&product) && !self.gains().any(|given| given == product)
            })
    }

    /// Every product that the change can give a user.
    pub fn gains(&self) -> impl Iterator<Item = ProductId> + '_ {
        let assigned = self.assign.iter().map(|assign| assign.product);
        assigned.chain(self.replace.iter().map(|replace| replace.by))
    }
}

/// How the users of a batch are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Terms {
    /// Each user alone.
    #[default]
    BestEffort,
    /// Each user alone, until so many have failed.
    StopAfter(u32),
    /// All or nobody, by what is so when all are served.
    Atomic,
}

/// How a request names a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserRef {
    /// By id.
    Id(UserId),
    /// By principal name.
    Name(PrincipalName),
}

impl UserRef {
    /// Reads an id or, if there is an `@` in it, a principal name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if super::ids::looks_like_id(text) {
            UserId::parse(text).map(Self::Id).map_err(
                |_| "must be the UUID of a user or a principal name of the form name@domain",
            )
        } else {
            PrincipalName::parse(text).map(Self::Name)
        }
    }
}

/// As the request has it.
impl std::fmt::Display for UserRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name.as_str()),
        }
    }
}

/// One user's turn in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Place in the request, from 0.
    pub index: u32,
    /// The user, resolved at acceptance; `None` if there was no such user.
    pub user: Option<UserId>,
    /// Principal name at acceptance, or what the request said if there was no such user.
    pub name: String,
    /// Which of the order's changes.
    pub change: u32,
}

/// The turns of one chunk in service order, and the distinct changes that they name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The changes.
    pub changes: Vec<Change>,
    /// The turns.
    pub turns: Vec<Turn>,
}

/// Number of an interned plan choice within its customer. 0 is [`PlanChoice::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChoiceId(pub i32);

impl ChoiceId {
    /// Every plan.
    pub const ALL: Self = Self(0);
}

/// The interned plan choices of one customer that are known so far. A choice never changes its
/// number, so what is in here stays true.
#[derive(Clone, Debug)]
pub struct Choices {
    by_id: HashMap<ChoiceId, PlanChoice>,
    by_choice: HashMap<PlanChoice, ChoiceId>,
}

impl Default for Choices {
    fn default() -> Self {
        let mut choices = Self {
            by_id: HashMap::new(),
            by_choice: HashMap::new(),
        };
        choices.insert(ChoiceId::ALL, PlanChoice::ALL);
        choices
    }
}

impl Choices {
    /// Adds a choice.
    pub fn insert(&mut self, id: ChoiceId, choice: PlanChoice) {
        self.by_choice.insert(choice.clone(), id);
        self.by_id.insert(id, choice);
    }

    /// The choice of a number, if it is known.
    pub fn get(&self, id: ChoiceId) -> Option<&PlanChoice> {
        self.by_id.get(&id)
    }

    /// The number of a choice, if it is known.
    pub fn id(&self, choice: &PlanChoice) -> Option<ChoiceId> {
        self.by_choice.get(choice).copied()
    }
}
