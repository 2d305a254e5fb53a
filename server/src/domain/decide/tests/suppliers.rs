use super::{agreed, text};
use crate::domain::{ProductId, Reason};

/// The products that the only refused user of a world is told to ask for.
#[track_caller]
fn suppliers(world: &str) -> Vec<ProductId> {
    let decided = agreed(&text::parse(world));
    let mut reasons = decided
        .verdicts
        .into_iter()
        .flat_map(|verdict| verdict.reasons);
    let found = reasons.find_map(|reason| match reason {
        Reason::PrerequisiteMissing { suppliers, .. } => Some(suppliers),
        _ => None,
    });
    found.expect("a prerequisite is missing")
}

#[test]
fn licensed_products_with_a_plan_that_is_needed_are_told() {
    let suppliers = suppliers(
        "
        product A a1
        product B x
        product C y
        product D z
        product E ~x
        product F x
        company G x
        unlicensed F
        seats B 0
        rule a1 requires x y
        user ada NL
        turn ada +A
        ",
    );
    assert_eq!(suppliers, ["B", "C"].map(text::product_id));
}

#[test]
fn the_first_ten_suppliers_are_told() {
    let names = || ('B'..'P').map(|name| name.to_string());
    let products: String = names().map(|name| format!("product {name} x\n")).collect();
    let suppliers = suppliers(&format!(
        "
        {products}
        product A a1
        rule a1 requires x
        user ada NL
        turn ada +A
        "
    ));
    let first: Vec<_> = names()
        .take(10)
        .map(|name| text::product_id(&name))
        .collect();
    assert_eq!(suppliers, first);
}
