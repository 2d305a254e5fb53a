//! Which choice of plans a user ends with.

use super::Run;
use crate::domain::{
    ChoiceId, LaterPlans, PlanChoice, PlanEdit, PlanId, Product, ProductId, Reason,
};

impl<'a> Run<'a> {
    /// The choice to store: for a new holder it starts from `base`, for a holder from `before`.
    ///
    /// A plan that is retired from the product stays with whoever has it on; for everyone else "all"
    /// leaves it out and naming it is refused.
    pub(super) fn choose(
        &mut self,
        product: ProductId,
        before: Option<ChoiceId>,
        base: PlanChoice,
        asked: Option<&PlanEdit>,
        reasons: &mut Vec<Reason>,
    ) -> ChoiceId {
        let entry = self.entry(product);
        let kept = before
            .map(|choice| self.enabled(product, choice).clone())
            .unwrap_or_default();
        let gone = self.catalogue.plan_ids(&self.catalogue.gone(entry, &kept));
        let held = before.map(|choice| self.plan.choice(self.snapshot, choice).clone());
        let turned_on = match asked {
            Some(PlanEdit::Set(PlanChoice::Only(plans))) => plans.as_slice(),
            Some(PlanEdit::Delta { enable, .. }) => enable.as_slice(),
            Some(PlanEdit::Set(PlanChoice::AllExcept(_))) | None => &[],
        };
        let lost = turned_on.iter().filter(|plan| gone.contains(plan));
        reasons.extend(lost.map(|&plan| Reason::PlanNotInProduct { product, plan }));
        let wanted = match (asked, held) {
            (None, _) => self.complete(entry, base, gone),
            (Some(PlanEdit::Set(choice)), _) => self.complete(entry, choice.clone(), gone),
            (Some(PlanEdit::Delta { enable, disable }), None) => {
                self.complete(entry, edited(base, enable, disable), gone)
            }
            // What is not named stays, also what becomes of plans added later.
            (Some(PlanEdit::Delta { enable, disable }), Some(held)) => {
                edited(held, enable, disable)
            }
        };
        self.intern(wanted)
    }

    /// What a user who had `choice` of `from` gets of `to`: plans that both have as they were, and
    /// the others on.
    pub(super) fn carried(
        &mut self,
        from: ProductId,
        choice: ChoiceId,
        to: ProductId,
    ) -> PlanChoice {
        let shared = match self.catalogue.product(from) {
            Some(from) => self.catalogue.shared(self.entry(to), from),
            None => return PlanChoice::ALL,
        };
        let off = shared.minus(self.enabled(from, choice));
        PlanChoice::AllExcept(self.catalogue.plan_ids(&off))
    }

    /// "All" leaves out what is gone; and where plans that are added later shall be off, it is
    /// spelled out as what there is now.
    fn complete(&self, entry: &Product, choice: PlanChoice, gone: Vec<PlanId>) -> PlanChoice {
        let PlanChoice::AllExcept(except) = choice else {
            return choice;
        };
        let choice = PlanChoice::AllExcept(sorted(except.into_iter().chain(gone)));
        let later = self.snapshot.later_plans.get(&entry.id);
        match later.copied().unwrap_or(entry.later_plans) {
            LaterPlans::On => choice,
            LaterPlans::Off => PlanChoice::Only(self.catalogue.effective_plans(entry, &choice)),
        }
    }

    fn entry(&self, product: ProductId) -> &'a Product {
        let entry = self.catalogue.product(product);
        entry.expect("products that a change assigns are in the catalogue")
    }

    fn intern(&mut self, choice: PlanChoice) -> ChoiceId {
        let known = self.snapshot.choices.id(&choice);
        if let Some(id) = known.or_else(|| self.new_choices.get(&choice).copied()) {
            return id;
        }
        self.plan.new_choices.push(choice.clone());
        let number = i32::try_from(self.plan.new_choices.len()).expect("fewer than turns");
        self.new_choices.insert(choice, ChoiceId(-number));
        ChoiceId(-number)
    }
}

/// The choice with these plans on and those off, in its own form.
fn edited(choice: PlanChoice, enable: &[PlanId], disable: &[PlanId]) -> PlanChoice {
    let swap = |plans: Vec<PlanId>, add: &[PlanId], remove: &[PlanId]| {
        let stays = plans.into_iter().filter(|plan| !remove.contains(plan));
        sorted(stays.chain(add.iter().copied()))
    };
    match choice {
        PlanChoice::AllExcept(except) => PlanChoice::AllExcept(swap(except, disable, enable)),
        PlanChoice::Only(only) => PlanChoice::Only(swap(only, enable, disable)),
    }
}

fn sorted(plans: impl Iterator<Item = PlanId>) -> Vec<PlanId> {
    let mut plans: Vec<_> = plans.collect();
    plans.sort_unstable();
    plans.dedup();
    plans
}
