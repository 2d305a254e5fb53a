//! Users to whom the same was done, or who were refused for the same reason, together.

use seatwise_client::UserResult;
use seatwise_client::v1::{HeldProduct, plan_choice::Choice};

use crate::names::Names;
use crate::text::text;

/// What was done to a user: ids of products, with the plans that the user has of them now.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Change {
    assigned: Vec<(String, Plans)>,
    revoked: Vec<String>,
    changed: Vec<(String, Plans)>,
}

/// Which plans of a product are on, as intent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Plans {
    AllBut(Vec<String>),
    Only(Vec<String>),
}

#[derive(Default)]
pub(crate) struct Group {
    count: usize,
    /// The first of them.
    users: Vec<String>,
}

/// The most frequent first.
pub(crate) fn sorted<'g, K: Ord>(
    groups: impl Iterator<Item = (&'g K, &'g Group)>,
) -> Vec<(&'g K, &'g Group)> {
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by(|(a, one), (b, other)| other.count.cmp(&one.count).then(a.cmp(b)));
    groups
}

impl Change {
    pub(crate) fn of(result: &UserResult) -> Self {
        let with_plans = |ids: &[String]| {
            let plans = ids
                .iter()
                .map(|id| (id.clone(), Plans::of(&result.held, id)));
            plans.collect()
        };
        Self {
            assigned: with_plans(&result.assigned_product_ids),
            revoked: result.revoked_product_ids.clone(),
            changed: with_plans(&result.changed_product_ids),
        }
    }

    /// The products, each with whether plans of it are named.
    pub(crate) fn products(&self) -> impl Iterator<Item = (&String, bool)> {
        let held = self.assigned.iter().chain(&self.changed);
        let held = held.map(|(id, plans)| (id, !plans.are_all()));
        held.chain(self.revoked.iter().map(|id| (id, false)))
    }

    /// What was done, or in a preview what is to be done.
    pub(crate) fn words(&self, is_preview: bool, names: &Names) -> String {
        let assigned = self.assigned.iter().map(|(id, plans)| {
            let product = names.product(id);
            plans
                .of_product(id, names)
                .unwrap_or_else(|| product.to_owned())
        });
        let revoked = self.revoked.iter().map(|id| names.product(id).to_owned());
        let changed = self.changed.iter().map(|(id, plans)| {
            let all = || text!("product-with-all-plans", product = names.product(id));
            plans.of_product(id, names).unwrap_or_else(all)
        });
        let mut parts = Vec::new();
        if !self.assigned.is_empty() {
            let products = list(assigned);
            parts.push(match is_preview {
                true => text!("assign", products = products),
                false => text!("assigned", products = products),
            });
        }
        if !self.revoked.is_empty() {
            let products = list(revoked);
            parts.push(match is_preview {
                true => text!("revoke", products = products),
                false => text!("revoked", products = products),
            });
        }
        if !self.changed.is_empty() {
            let products = list(changed);
            parts.push(match is_preview {
                true => text!("change-plans", products = products),
                false => text!("changed-plans", products = products),
            });
        }
        parts.join("; ")
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl Plans {
    /// The plans that a user has of a product.
    fn of(held: &[HeldProduct], product_id: &str) -> Self {
        let held = held.iter().find(|held| held.product_id == product_id);
        let choice = held.and_then(|held| held.plans.as_ref()?.choice.as_ref());
        match choice {
            None => Self::AllBut(Vec::new()),
            Some(Choice::AllExcept(set)) => Self::AllBut(set.plan_ids.clone()),
            Some(Choice::Only(set)) => Self::Only(set.plan_ids.clone()),
        }
    }

    fn are_all(&self) -> bool {
        matches!(self, Self::AllBut(ids) if ids.is_empty())
    }

    /// The product with its plans in words; `None` if these are all that it has.
    fn of_product(&self, product_id: &String, names: &Names) -> Option<String> {
        let product = names.product(product_id);
        match self {
            Self::AllBut(ids) if ids.is_empty() => None,
            Self::AllBut(ids) => {
                let plans = names.plans(product_id, ids);
                Some(text!(
                    "product-without-plans",
                    product = product,
                    plans = plans
                ))
            }
            Self::Only(ids) if names.are_all(product_id, ids) => None,
            Self::Only(ids) => {
                let plans = names.plans(product_id, ids);
                Some(text!(
                    "product-with-only-plans",
                    product = product,
                    plans = plans
                ))
            }
        }
    }
}

impl Group {
    pub(crate) fn add(&mut self, result: &UserResult, users_shown: usize) {
        self.count += 1;
        if self.users.len() < users_shown {
            let names = [&result.principal_name, &result.user_id];
            let name = names.into_iter().find(|name| !name.is_empty());
            self.users.push(match name {
                Some(name) => name.clone(),
                None => format!("users[{}]", result.index()),
            });
        }
    }

    pub(crate) fn text(&self, title: &str) -> String {
        let mut text = format!("\n\n{title} ({})", text!("users", count = self.count));
        for name in &self.users {
            text += &format!("\n  {name}");
        }
        if let more @ 1.. = self.count - self.users.len() {
            text += &format!("\n  {}", text!("more", count = more));
        }
        text
    }
}
