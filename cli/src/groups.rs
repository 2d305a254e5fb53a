//! Users to whom the same was done, or who were refused for the same reason, together.

use std::collections::HashMap;

use seatwise_client::UserResult;

use crate::output::count;

/// What was done to a user: ids of products.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Change {
    assigned: Vec<String>,
    revoked: Vec<String>,
    changed: Vec<String>,
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
        Self {
            assigned: result.assigned_product_ids.clone(),
            revoked: result.revoked_product_ids.clone(),
            changed: result.changed_product_ids.clone(),
        }
    }

    pub(crate) fn products(&self) -> impl Iterator<Item = &String> {
        [&self.assigned, &self.revoked, &self.changed]
            .into_iter()
            .flatten()
    }

    /// What was done, or in a preview what is to be done.
    pub(crate) fn words(&self, is_preview: bool, names: &HashMap<String, String>) -> String {
        let parts = [
            (&self.assigned, "assign", "assigned"),
            (&self.revoked, "revoke", "revoked"),
            (&self.changed, "change the plans of", "changed the plans of"),
        ];
        let parts = parts.into_iter().filter(|(ids, ..)| !ids.is_empty());
        let parts = parts.map(|(ids, to_do, done)| {
            let names = ids.iter().map(|id| names.get(id).unwrap_or(id).as_str());
            let names: Vec<_> = names.collect();
            let verb = if is_preview { to_do } else { done };
            format!("{verb} {}", names.join(", "))
        });
        parts.collect::<Vec<_>>().join("; ")
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
        let mut text = format!("\n\n{title} ({})", users(self.count as u64));
        for name in &self.users {
            text += &format!("\n  {name}");
        }
        if let more @ 1.. = self.count - self.users.len() {
            text += &format!("\n  and {} more", count(more as u64));
        }
        text
    }
}

pub(crate) fn users(number: u64) -> String {
    let noun = if number == 1 { "user" } else { "users" };
    format!("{} {noun}", count(number))
}
