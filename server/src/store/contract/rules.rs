//! The rules of the catalogue.

use super::catalogue::{change, empty, import};
use super::engine::Fresh;
use super::fixture::{BY, NOW, first_edition, first_rules, plan};
use crate::domain::PlanId;
use crate::edition::{EditionRule, RuleSet};
use crate::store::{CatalogueChange, ChangeKind, Store, StoredRule};

/// Imports rules, twice: the second time must change nothing. Gives the changes in words.
async fn import_rules(store: &Store, rules: &RuleSet) -> Vec<String> {
    let version = store.catalogue_version().await.expect("a version");
    let outcome = store.import_rules(rules, &BY, NOW).await.expect("imported");
    let moved = i64::from(!outcome.changes.is_empty());
    assert_eq!(outcome.version, version + moved);
    let again = store.import_rules(rules, &BY, NOW).await.expect("imported");
    assert_eq!(
        (again.changes, again.version),
        (Vec::new(), outcome.version)
    );
    let words = |change: CatalogueChange| format!("{:?} {}", change.kind, change.name);
    outcome.changes.into_iter().map(words).collect()
}

fn excludes(one: u128, other: u128) -> EditionRule {
    let (plan, other) = (plan(one).0, plan(other).0);
    EditionRule::Excludes { plan, other }
}

fn requires(one: u128, others: &[u128]) -> EditionRule {
    let others = others.iter().map(|number| plan(*number).0).collect();
    EditionRule::RequiresAnyOf {
        plan: plan(one).0,
        others,
    }
}

fn prohibited(one: u128, country: &str) -> EditionRule {
    let country = country.to_owned();
    EditionRule::ProhibitedIn {
        plan: plan(one).0,
        country,
    }
}

fn rule_set(rules: Vec<EditionRule>, names: &[(u128, &str)]) -> RuleSet {
    let name = |(number, name): &(u128, &str)| (plan(*number).0, (*name).to_owned());
    RuleSet {
        rules,
        plan_names: names.iter().map(name).collect(),
    }
}

pub(super) async fn rules_are_added_renamed_and_removed(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let names = [
        (1, "One"),
        (2, "Two"),
        (3, "Three"),
        (4, "Four"),
        (9, "Nine"),
    ];
    let rules = vec![excludes(3, 4), requires(4, &[1, 9]), prohibited(2, "CN")];
    let mut rules = rule_set(rules, &names);
    let expected = [
        "Added Three excludes Four",
        "Added Four requires any of One, Nine",
        "Added Two is prohibited in CN",
    ];
    assert_eq!(import_rules(&store, &rules).await, expected);
    let stored = store.rules(None, 9).await.expect("rules");
    let name = |(id, name): &(PlanId, String)| format!("{} {name}", id.0.as_u128());
    let others: Vec<_> = stored[1].others.iter().map(name).collect();
    assert_eq!(others, ["1 One", "9 Nine"]);
    assert_eq!((stored[2].kind, stored[2].plan_name.as_str()), (3, "Two"));

    rules.plan_names.insert(plan(9).0, "Neuf".to_owned());
    let outcome = store
        .import_rules(&rules, &BY, NOW)
        .await
        .expect("imported");
    let now = "Four requires any of One, Neuf";
    let before = "Four requires any of One, Nine";
    let renamed = change(ChangeKind::Renamed, None, Some(plan(4)), now, before);
    assert_eq!(outcome.changes, [renamed]);
    assert_eq!(import_rules(&store, &rules).await, [""; 0]);

    rules.rules.remove(1);
    let removed = "Removed Four requires any of One, Neuf";
    assert_eq!(import_rules(&store, &rules).await, [removed]);
    let expected = [
        "Removed Three excludes Four",
        "Removed Two is prohibited in CN",
    ];
    let none = rule_set(Vec::new(), &[]);
    assert_eq!(import_rules(&store, &none).await, expected);
    assert_eq!(store.rules(None, 9).await.expect("rules"), []);
    assert_eq!(import_rules(&store, &first_rules()).await.len(), 1);
}

pub(super) async fn a_plan_that_no_product_has_is_named_by_the_rules(fresh: Fresh) {
    let store = empty(fresh).await;
    import(&store, &first_edition()).await;
    let names = [(1, "One"), (7, "Seven"), (8, "Eight"), (9, "Nine")];
    let rules = vec![excludes(1, 7), requires(8, &[1, 9])];
    import_rules(&store, &rule_set(rules, &names)).await;
    let catalogue = store.catalogue().await.expect("a catalogue");
    for (number, name) in [
        (7, "Seven"),
        (8, "Eight"),
        (9, "Nine"),
        (1, "PLAN1"),
        (6, ""),
    ] {
        assert_eq!(catalogue.plan_name(plan(number)), name, "plan {number}");
    }
}

pub(super) async fn rules_are_paged_each_exactly_once(fresh: Fresh) {
    let store = empty(fresh).await;
    // Lists that a language sorts in another order than their bytes.
    let rules = vec![
        excludes(1, 2),
        excludes(1, 0xa << 64),
        excludes(2, 3),
        requires(1, &[2]),
        requires(1, &[2, 3]),
        requires(1, &[3]),
        requires(1, &[0xa << 124, 0xb << 124]),
        prohibited(1, "CN"),
    ];
    import_rules(&store, &rule_set(rules, &[])).await;
    let all = store.rules(None, 99).await.expect("rules");
    assert_eq!(all.len(), 8);
    let key = |rule: &StoredRule| (rule.kind, rule.plan, rule.other.clone());
    assert!(
        all.is_sorted_by_key(key),
        "by kind, plan and bytes of the other side"
    );
    for size in 1..=4 {
        let mut seen: Vec<StoredRule> = Vec::new();
        loop {
            let last = seen.last();
            let after = last.map(|rule| (rule.kind, rule.plan, rule.other.as_str()));
            let page = store.rules(after, size).await.expect("a page");
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, all, "pages of {size}");
    }
}
