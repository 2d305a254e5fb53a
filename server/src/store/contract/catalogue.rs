//! The catalogue: what an import changes, and what it is afterwards.

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, COMPANY_WIDE, NOW, OFFICE, PREMIUM, edition, edition_product, first_edition, plan,
    product,
};
use super::raw;
use crate::domain::{Place, PlanChoice, PlanId, ProductId};
use crate::edition::{AppliesTo, Edition};
use crate::store::{CatalogueChange, ChangeKind, ProductFilter, Refusal, Store};

use ChangeKind::{Added, Changed, Removed, Renamed};

pub(super) fn change(
    kind: ChangeKind,
    product: Option<ProductId>,
    plan: Option<PlanId>,
    name: &str,
    previous: &str,
) -> CatalogueChange {
    CatalogueChange {
        kind,
        product,
        plan,
        name: name.to_owned(),
        previous: previous.to_owned(),
    }
}

/// A store with the schema and no catalogue.
pub(super) async fn empty(fresh: Fresh) -> Store {
    fresh.store.migrate().await.expect("migrated");
    fresh.store.token_key(b"secret").await.expect("a key");
    assert_eq!(fresh.store.catalogue_version().await.expect("a version"), 0);
    fresh.store
}

/// Imports an edition, twice: the second time must change nothing.
pub(super) async fn import(store: &Store, edition: &Edition) -> Vec<CatalogueChange> {
    let version = store.catalogue_version().await.expect("a version");
    let outcome = store
        .import_edition(edition, &BY, NOW)
        .await
        .expect("imported");
    let moved = i64::from(!outcome.changes.is_empty());
    assert_eq!(outcome.version, version + moved);
    let before = raw::contents(store).await;
    let again = store
        .import_edition(edition, &BY, NOW)
        .await
        .expect("imported");
    assert_eq!(
        (again.changes, again.version),
        (Vec::new(), outcome.version)
    );
    assert_eq!(raw::contents(store).await, before);
    assert_eq!(
        store.catalogue_version().await.expect("a version"),
        outcome.version
    );
    outcome.changes
}

/// The plans of a product that are on for whoever chose this.
async fn effective(store: &Store, product: ProductId, choice: &PlanChoice) -> Vec<PlanId> {
    let catalogue = store.catalogue().await.expect("a catalogue");
    assert_eq!(
        catalogue.version,
        store.catalogue_version().await.expect("a version")
    );
    let product = catalogue.product(product).expect("known");
    catalogue.effective_plans(product, choice)
}

pub(super) async fn a_first_edition_is_added_and_read_back(fresh: Fresh) {
    let store = empty(fresh).await;
    let changes = import(&store, &first_edition()).await;
    let added = |id, name| change(Added, Some(id), None, name, "");
    let expected = [
        added(OFFICE, "Office"),
        added(BASIC, "Basic"),
        added(PREMIUM, "Premium"),
        added(COMPANY_WIDE, "Company"),
    ];
    assert_eq!(changes, expected);

    let catalogue = store.catalogue().await.expect("a catalogue");
    assert_eq!(catalogue.version, 1);
    let office = catalogue.product(OFFICE).expect("known");
    assert_eq!(
        (office.display_name.as_str(), office.for_company),
        ("Office", false)
    );
    assert_eq!(
        catalogue.effective_plans(office, &PlanChoice::ALL),
        [plan(1), plan(2)]
    );
    assert_eq!(catalogue.has_plan(office, plan(1)), Some(false));
    assert_eq!(catalogue.has_plan(office, plan(3)), None);
    assert_eq!(catalogue.plan_name(plan(4)), "PLAN4");
    assert!(catalogue.product(COMPANY_WIDE).expect("known").for_company);
    assert!(catalogue.product(product(99)).is_none());

    let (office, plans) = store.product(OFFICE).await.expect("found");
    assert_eq!(
        (office.string_id.as_str(), office.retired),
        ("OFFICE", false)
    );
    let plans: Vec<_> = plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.retired))
        .collect();
    assert_eq!(plans, [("PLAN1", false), ("PLAN2", false)]);
    let unknown = product(99);
    let expected = Refusal::NotFound {
        resource: "product",
        id: unknown.to_string(),
    };
    assert_eq!(raw::refusal(&store, store.product(unknown)).await, expected);
}

pub(super) async fn an_edition_renames_products_and_plans(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let mut next = first_edition();
    next.products[0].display_name = "Office 2".to_owned();
    next.products[1].string_id = "BASIC_2".to_owned();
    next.plans[0].name = "PLAN1_2".to_owned();
    next.plans[1].display_name = "Plan two".to_owned();
    let expected = [
        change(Renamed, None, Some(plan(1)), "PLAN1_2", "PLAN1"),
        change(Renamed, None, Some(plan(2)), "Plan two", "Plan 2"),
        change(Renamed, Some(OFFICE), None, "Office 2", "Office"),
        change(Renamed, Some(BASIC), None, "BASIC_2", "BASIC"),
    ];
    assert_eq!(import(&store, &next).await, expected);
    let (office, plans) = store.product(OFFICE).await.expect("found");
    assert_eq!(office.display_name, "Office 2");
    let plans: Vec<_> = plans
        .iter()
        .map(|p| (p.name.as_str(), p.display_name.as_str()))
        .collect();
    assert_eq!(plans, [("PLAN1_2", "Plan 1"), ("PLAN2", "Plan two")]);
    let found = store
        .products(
            &ProductFilter {
                string_id: Some("basic_2".to_owned()),
                ..ProductFilter::default()
            },
            &Place::First,
            9,
        )
        .await
        .expect("a page");
    assert_eq!(
        found
            .iter()
            .map(|product| product.product_id)
            .collect::<Vec<_>>(),
        [BASIC]
    );
    let catalogue = store.catalogue().await.expect("a catalogue");
    assert_eq!(catalogue.plan_name(plan(1)), "PLAN1_2");
}

pub(super) async fn a_product_that_an_edition_lacks_is_retired_and_can_come_back(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let mut next = first_edition();
    let basic = next.products.remove(1);
    next.plans.remove(2);
    assert_eq!(
        import(&store, &next).await,
        [change(Removed, Some(BASIC), None, "Basic", "")]
    );
    assert!(store.product(BASIC).await.expect("kept").0.retired);
    // Its holders keep its plan and are still ruled by it.
    assert_eq!(effective(&store, BASIC, &PlanChoice::ALL).await, [plan(3)]);
    assert_eq!(
        store
            .catalogue()
            .await
            .expect("a catalogue")
            .plan_name(plan(3)),
        "PLAN3"
    );

    let mut back = first_edition();
    back.products[1].display_name = "Basic again".to_owned();
    let expected = [
        change(Added, Some(BASIC), None, "Basic again", ""),
        change(Renamed, Some(BASIC), None, "Basic again", "Basic"),
    ];
    assert_eq!(import(&store, &back).await, expected);
    assert!(!store.product(BASIC).await.expect("kept").0.retired);
    assert_eq!(
        effective(&store, ProductId(basic.id), &PlanChoice::ALL).await,
        [plan(3)]
    );
}

pub(super) async fn a_product_gains_and_loses_plans(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let mut next = edition(vec![
        edition_product(OFFICE, "Office", &[2, 5]),
        edition_product(BASIC, "Basic", &[3]),
        edition_product(PREMIUM, "Premium", &[4]),
        edition_product(COMPANY_WIDE, "Company", &[]),
    ]);
    next.products[3].applies_to = Some(AppliesTo::Company);
    let expected = [
        change(Added, Some(OFFICE), Some(plan(5)), "PLAN5", ""),
        change(Removed, Some(OFFICE), Some(plan(1)), "PLAN1", ""),
    ];
    assert_eq!(import(&store, &next).await, expected);
    // A lost plan is kept for those who have it and no longer part of a new choice.
    assert_eq!(
        effective(&store, OFFICE, &PlanChoice::ALL).await,
        [plan(1), plan(2), plan(5)]
    );
    let (_, plans) = store.product(OFFICE).await.expect("found");
    let plans: Vec<_> = plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.retired))
        .collect();
    assert_eq!(plans, [("PLAN1", true), ("PLAN2", false), ("PLAN5", false)]);
    let catalogue = store.catalogue().await.expect("a catalogue");
    let office = catalogue.product(OFFICE).expect("known");
    assert_eq!(catalogue.has_plan(office, plan(1)), Some(true));
    assert_eq!(catalogue.has_plan(office, plan(5)), Some(false));

    let expected = [
        change(Added, Some(OFFICE), Some(plan(1)), "PLAN1", ""),
        change(Removed, Some(OFFICE), Some(plan(5)), "PLAN5", ""),
    ];
    assert_eq!(import(&store, &first_edition()).await, expected);
    let (_, plans) = store.product(OFFICE).await.expect("found");
    let plans: Vec<_> = plans
        .iter()
        .map(|plan| (plan.name.as_str(), plan.retired))
        .collect();
    assert_eq!(plans, [("PLAN1", false), ("PLAN2", false), ("PLAN5", true)]);
}

pub(super) async fn who_can_hold_a_product_is_kept_if_the_edition_does_not_say(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let mut silent = first_edition();
    silent
        .products
        .iter_mut()
        .for_each(|product| product.applies_to = None);
    assert_eq!(import(&store, &silent).await, []);
    assert!(
        store
            .product(COMPANY_WIDE)
            .await
            .expect("found")
            .0
            .for_company
    );

    for (for_company, version) in [(true, 2), (true, 2), (false, 3), (true, 4)] {
        store
            .update_product(OFFICE, Some(for_company), None, &BY, NOW)
            .await
            .expect("set");
        assert_eq!(store.catalogue_version().await.expect("a version"), version);
        let catalogue = store.catalogue().await.expect("a catalogue");
        assert_eq!(
            catalogue.product(OFFICE).expect("known").for_company,
            for_company
        );
    }
    assert_eq!(import(&store, &silent).await, []);
    let expected = [change(Changed, Some(OFFICE), None, "User", "Company")];
    assert_eq!(import(&store, &first_edition()).await, expected);
    assert!(!store.product(OFFICE).await.expect("found").0.for_company);
    let unknown = product(99);
    let expected = Refusal::NotFound {
        resource: "product",
        id: unknown.to_string(),
    };
    assert_eq!(
        raw::refusal(
            &store,
            store.update_product(unknown, Some(true), None, &BY, NOW)
        )
        .await,
        expected
    );
}
