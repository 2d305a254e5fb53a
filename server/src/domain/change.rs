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

/// A product to assign.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assign {
    /// The product.
    pub product: ProductId,
    /// The plans to turn on; `None` means all for a new holder and no change for a holder.
    pub plans: Option<PlanChoice>,
}

/// What to do to one user. No product is named twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// Products to assign.
    pub assign: Vec<Assign>,
    /// Products to revoke.
    pub revoke: Vec<ProductId>,
}

impl Change {
    /// Every product that the change names.
    pub fn products(&self) -> impl Iterator<Item = ProductId> + '_ {
        self.assign
            .iter()
            .map(|assign| assign.product)
            .chain(self.revoke.iter().copied())
    }
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
