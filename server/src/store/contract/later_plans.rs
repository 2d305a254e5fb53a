//! Plans that editions add: the policy, what "all" comes to under it, and whom an edition reached.

use std::sync::Arc;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, assign_plans, customer, edition, edition_product,
    later, plan, product, scope, user,
};
use super::raw;
use crate::domain::{LaterPlans, PlanChoice, ProductId, UserId};
use crate::store::Refusal;

/// Imports an edition in which two products have these plans.
async fn import(fixture: &mut Fixture, office: &[u128], basic: &[u128]) -> i64 {
    let next = edition(vec![
        edition_product(OFFICE, "Office", office),
        edition_product(BASIC, "Basic", basic),
    ]);
    let imported = fixture
        .store
        .import_edition(&next, &BY, NOW)
        .await
        .expect("imported");
    let catalogue = fixture.store.catalogue().await.expect("a catalogue");
    fixture.catalogue = Arc::new(catalogue);
    imported.version
}

/// Who has gained which plans of which products since a version, read in pages of this size.
async fn gained(fixture: &Fixture, since: i64, size: i64) -> Vec<(ProductId, UserId, Vec<u128>)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.rows.gained_plans(since, after, size);
        let page = page.await.expect("a page");
        assert!(page.len() <= usize::try_from(size).expect("small"));
        let Some(last) = page.last() else {
            return all;
        };
        after = Some((last.product, last.user));
        all.extend(page.into_iter().map(|row| {
            assert_eq!(row.display_name, "Ada");
            let plans = row.plans.iter().map(|plan| plan.0.as_u128()).collect();
            (row.product, row.user, plans)
        }));
    }
}

pub(super) async fn an_import_tells_whose_plans_it_has_changed(fresh: Fresh) {
    let mut fixture = fresh.fixture().await;
    let before = import(&mut fixture, &[1, 2], &[3]).await;
    for product in [OFFICE, BASIC] {
        fixture.enable_seats(product, 9).await;
    }
    let users = fixture.create_users(1..=6).await;
    let one = |number: usize| &users[number - 1..number];
    fixture.run(1, &users[..2], assign(&[OFFICE, BASIC])).await;
    let except = PlanChoice::AllExcept(vec![plan(1)]);
    fixture.run(2, one(3), assign_plans(OFFICE, except)).await;
    let only = PlanChoice::Only(vec![plan(1)]);
    fixture.run(3, one(4), assign_plans(OFFICE, only)).await;
    assert_eq!(gained(&fixture, before, 9).await, []);

    let middle = import(&mut fixture, &[1, 2, 8, 9], &[3]).await;
    // Who is given all plans after an import has gained nothing by it.
    fixture.run(4, one(5), assign(&[OFFICE])).await;
    // A choice that is made anew is no longer as it was before the import.
    let except = PlanChoice::AllExcept(vec![plan(8)]);
    fixture.run(5, one(2), assign_plans(OFFICE, except)).await;
    let office = |number, plans: &[u128]| (OFFICE, user(number), plans.to_vec());
    let expected = [office(1, &[8, 9]), office(3, &[8, 9])];
    for size in [1, 2, 9] {
        assert_eq!(gained(&fixture, before, size).await, expected);
        assert_eq!(gained(&fixture, middle, size).await, []);
    }

    import(&mut fixture, &[1, 2, 7, 8, 9], &[3, 7]).await;
    let basic = |number| (BASIC, user(number), vec![7]);
    let newest = [
        office(1, &[7]),
        office(2, &[7]),
        office(3, &[7]),
        office(5, &[7]),
        basic(1),
        basic(2),
    ];
    for size in [1, 4, 9] {
        assert_eq!(gained(&fixture, middle, size).await, newest);
    }
    let all = gained(&fixture, before, 2).await;
    assert_eq!(all[0], office(1, &[7, 8, 9]));
    assert_eq!(all.len(), newest.len());

    let nobody = customer(77);
    let nobody = fixture.store.of(scope(nobody));
    let read = nobody.gained_plans(0, None, 9);
    let refusal = raw::refusal(&fixture.store, read).await;
    assert!(matches!(
        refusal,
        Refusal::NotFound {
            resource: "customer",
            ..
        }
    ));
}

pub(super) async fn a_policy_says_what_all_plans_are(fresh: Fresh) {
    let mut fixture = fresh.fixture().await;
    import(&mut fixture, &[1, 2], &[3]).await;
    for product in [OFFICE, BASIC] {
        fixture.enable_seats(product, 9).await;
    }
    let users = fixture.create_users(1..=4).await;
    let set = async |later, version| {
        let rows = &fixture.rows;
        rows.set_later_plans(OFFICE, later, version, &BY, later_time())
            .await
    };
    let license = set(Some(LaterPlans::Off), None).await.expect("set");
    assert_eq!(license.later_plans, Some(LaterPlans::Off));
    assert_eq!(license.updated_at, later_time());
    let again = set(Some(LaterPlans::Off), Some(license.version)).await;
    assert_eq!(again.expect("so already"), license);
    let refused = raw::refusal(&fixture.store, set(None, Some(license.version + 1))).await;
    assert!(matches!(refused, Refusal::VersionMismatch { .. }));
    let unknown = fixture
        .rows
        .set_later_plans(product(99), None, None, &BY, NOW);
    let refused = raw::refusal(&fixture.store, unknown).await;
    assert!(matches!(
        refused,
        Refusal::NotFound {
            resource: "license",
            ..
        }
    ));

    // Off for this customer: "all" is spelled out, and an import brings nothing.
    fixture.run(1, &users[..1], assign(&[OFFICE, BASIC])).await;
    set(None, None).await.expect("set");
    fixture.run(2, &users[1..2], assign(&[OFFICE])).await;
    // Off for everybody, and on again for this customer.
    let store = &fixture.store;
    let off = store.update_product(OFFICE, None, Some(LaterPlans::Off), &BY, NOW);
    off.await.expect("updated");
    assert!(!store.product(OFFICE).await.expect("found").0.for_company);
    fixture.catalogue = Arc::new(store.catalogue().await.expect("a catalogue"));
    fixture.run(3, &users[2..3], assign(&[OFFICE])).await;
    let license = fixture
        .rows
        .set_later_plans(OFFICE, Some(LaterPlans::On), None, &BY, NOW);
    license.await.expect("set");
    fixture.run(4, &users[3..], assign(&[OFFICE])).await;

    let spelled_out = PlanChoice::Only(vec![plan(1), plan(2)]);
    let choices = [
        spelled_out.clone(),
        PlanChoice::ALL,
        spelled_out,
        PlanChoice::ALL,
    ];
    for (user, choice) in users.iter().zip(choices) {
        let held = fixture.plans_of(*user, OFFICE).await;
        assert_eq!(held, choice, "{user}");
    }
    assert_eq!(fixture.plans_of(users[0], BASIC).await, PlanChoice::ALL);
    // An edition keeps the policy.
    let before = import(&mut fixture, &[1, 2, 9], &[3]).await - 1;
    let (office, _) = fixture.store.product(OFFICE).await.expect("found");
    assert_eq!(office.later_plans, LaterPlans::Off);
    let reached: Vec<_> = gained(&fixture, before, 9).await;
    let expected = [users[1], users[3]].map(|user| (OFFICE, user, vec![9]));
    assert_eq!(reached, expected);
}

fn later_time() -> crate::store::Timestamp {
    later(5)
}
