//! Taking back what a batch did to a user, unless somebody has changed it since.

use super::{BatchId, Edit, ProductId, Reason, UserState};

/// What a batch did to a user, to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Undo {
    /// What the batch did. At least one edit, no product twice.
    pub edits: Vec<Edit>,
    /// Whether to take back what is as the batch left it if the rest is not.
    pub takes_safe_part: bool,
}

/// What an undo comes to for a user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Undone {
    pub(super) edits: Vec<Edit>,
    /// Why nothing can be done.
    pub(super) reasons: Vec<Reason>,
    /// What is left as it is beside the edits.
    pub(super) left_alone: Vec<Reason>,
}

impl Undo {
    /// The products that are not as the batch left them. None if all are as they were before the
    /// batch: then there is nothing to overwrite, and nothing to do.
    pub fn changed_since(&self, user: &UserState) -> Vec<ProductId> {
        let is_done = |edit: &Edit| user.choice(edit.product) == edit.before;
        if self.edits.iter().all(is_done) {
            return Vec::new();
        }
        let changed = self.edits.iter().filter(|edit| {
            let is_left = user.choice(edit.product) == edit.after;
            // What somebody has taken back is no obstacle to taking back the rest.
            !(is_left || self.takes_safe_part && is_done(edit))
        });
        changed.map(|edit| edit.product).collect()
    }

    /// The edits that restore what was before the batch. Choices are restored as they were recorded,
    /// also with plans that the product has lost since: as if the batch had not been.
    pub(super) fn of(&self, user: &UserState) -> Undone {
        let changed = self.changed_since(user).into_iter().map(|product| {
            let by = user.changed_by(product);
            Reason::ChangedSince { product, by }
        });
        let changed: Vec<Reason> = changed.collect();
        let is_left = |edit: &&Edit| user.choice(edit.product) == edit.after;
        let back = |edit: &Edit| Edit {
            product: edit.product,
            before: edit.after,
            after: edit.before,
        };
        let edits: Vec<Edit> = self.edits.iter().filter(is_left).map(back).collect();
        if changed.is_empty() {
            Undone {
                edits,
                ..Undone::default()
            }
        } else if self.takes_safe_part && !edits.is_empty() {
            Undone {
                edits,
                left_alone: changed,
                ..Undone::default()
            }
        } else {
            Undone {
                reasons: changed,
                ..Undone::default()
            }
        }
    }
}

impl UserState {
    /// The batch that changed a product last, if that is known.
    fn changed_by(&self, product: ProductId) -> Option<BatchId> {
        let changer = self.changers.iter().find(|(id, _)| *id == product);
        changer.map(|(_, batch)| *batch)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ChoiceId, Held};

    #[test]
    fn whoever_changed_a_product_last_is_named_if_known() {
        let product = |number| ProductId(Uuid::from_u128(number));
        let batch = BatchId(Uuid::from_u128(9));
        let held = |number| Held {
            product: product(number),
            choice: ChoiceId(5),
        };
        let user = UserState {
            principal_name: String::new(),
            display_name: String::new(),
            usage_location: None,
            active: true,
            held: vec![held(1), held(2)],
            changers: vec![(product(2), batch)],
        };
        let given = |number| Edit {
            product: product(number),
            before: None,
            after: Some(ChoiceId::ALL),
        };
        let undo = Undo {
            edits: vec![given(1), given(2)],
            takes_safe_part: true,
        };
        let changed = |number, by| {
            let product = product(number);
            Reason::ChangedSince { product, by }
        };
        assert_eq!(undo.changed_since(&user), [product(1), product(2)]);
        let undone = undo.of(&user);
        assert_eq!(undone.edits, []);
        assert_eq!(undone.reasons, [changed(1, None), changed(2, Some(batch))]);
    }
}
