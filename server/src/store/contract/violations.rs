//! What users hold against the rules, and what an import would make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign, by_id, country, customer, display, plan, scope,
};
use super::raw;
use super::violation_model::{BUNDLE, Model, PRODUCTS, offer, rule_set, selection};
use crate::domain::{
    CustomerId, ProductId, Reason, SelectionId, SelectionPart, UserId, Violation, ViolationFilter,
};
use crate::edition::EditionRule;
use crate::store::{Refusal, UserUpdate};

pub(super) fn words(rule: &EditionRule) -> String {
    match rule {
        EditionRule::Excludes { plan, other } => {
            format!("{} excludes {}", plan.as_u128(), other.as_u128())
        }
        EditionRule::RequiresAnyOf { plan, others } => {
            let others: Vec<u128> = others.iter().map(|id| id.as_u128()).collect();
            format!("{} requires {others:?}", plan.as_u128())
        }
        EditionRule::ProhibitedIn { plan, country } => {
            format!("{} prohibited {country}", plan.as_u128())
        }
    }
}

pub(super) fn told(reason: &Reason) -> String {
    match reason {
        Reason::MutuallyExclusivePlans { plan, others } => {
            assert_eq!(others.len(), 1, "rule by rule");
            format!("{} excludes {}", plan.0.as_u128(), others[0].0.as_u128())
        }
        Reason::PrerequisiteMissing { plan, any_of, .. } => {
            let others: Vec<u128> = any_of.iter().map(|id| id.0.as_u128()).collect();
            format!("{} requires {others:?}", plan.0.as_u128())
        }
        Reason::UsageLocationProhibited { plan, country } => {
            format!("{} prohibited {}", plan.0.as_u128(), country.as_str())
        }
        Reason::UsageLocationMissing => "no location".to_owned(),
        Reason::ProductNotForUsers { product } => {
            format!("{} is for the company", product.0.as_u128())
        }
        other => panic!("{other:?} stands against nothing that is held"),
    }
}

pub(super) fn filters() -> Vec<ViolationFilter> {
    let any = ViolationFilter::default();
    let code = |code| ViolationFilter {
        code: Some(code),
        ..any.clone()
    };
    let mut filters: Vec<_> = Violation::CODES.into_iter().map(code).collect();
    filters.push(any.clone());
    filters.push(ViolationFilter {
        product: Some(BUNDLE),
        ..any.clone()
    });
    filters.push(ViolationFilter {
        plan: Some(plan(1)),
        ..any.clone()
    });
    filters
}

/// Whether a rule in words meets a filter.
pub(super) fn meets(rule: &str, products: &BTreeSet<ProductId>, filter: &ViolationFilter) -> bool {
    let words: Vec<&str> = rule.split(' ').collect();
    let code = match words[1] {
        "excludes" => "MUTUALLY_EXCLUSIVE_PLANS",
        "requires" => "PREREQUISITE_MISSING",
        "prohibited" => "USAGE_LOCATION_PROHIBITED",
        "location" => "USAGE_LOCATION_MISSING",
        _ => "PRODUCT_NOT_FOR_USERS",
    };
    let is_about = |number: u128| {
        let number = number.to_string();
        match words[1] {
            "excludes" => words[0] == number || words[2] == number,
            "requires" | "prohibited" => words[0] == number,
            _ => false,
        }
    };
    filter.code.is_none_or(|wanted| wanted == code)
        && filter.product.is_none_or(|id| products.contains(&id))
        && filter.plan.is_none_or(|id| is_about(id.0.as_u128()))
}

/// The fixture again, for another customer with users of the same ids.
async fn neighbour(fixture: &Fixture) -> Fixture {
    let id = customer(2);
    let (store, name) = (&fixture.store, display("Fabrikam"));
    let created = store.create_customer(id, &name, &BY, NOW).await;
    created.expect("created");
    fixture.of(id)
}

pub(super) async fn violations_are_what_a_naive_model_says(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let other = neighbour(&fixture).await;
    let mut models = [
        Model::new(fixture.clone(), 7).await,
        Model::new(other, 8).await,
    ];
    let store = &fixture.store;
    let mut seen = BTreeSet::new();
    for round in 0..8 {
        let (rules, mut plans, mut company) = (
            models[0].draw_rules(),
            models[0].plans.clone(),
            models[0].company.clone(),
        );
        let now = models.each_ref().map(Model::all_broken);
        let before = raw::contents(store).await;
        let is_edition = round % 3 == 2;
        let preview = if is_edition {
            let gained = models[0].random.below(6) as u128 + 1;
            plans.entry(BASIC).or_default().push(gained + 2);
            company.insert(PRODUCTS[models[0].random.below(4)]);
            store.preview_edition(&offer(&plans, &company)).await
        } else {
            store.preview_rules(&rule_set(&rules)).await
        };
        let preview = preview.expect("a preview");
        assert_eq!(raw::contents(store).await, before, "nothing is written");
        let imported = if is_edition {
            store
                .import_edition(&offer(&plans, &company), &BY, NOW)
                .await
        } else {
            store.import_rules(&rule_set(&rules), &BY, NOW).await
        };
        let imported = imported.expect("imported");
        assert_eq!(imported.version, preview.outcome.version);
        assert_eq!(imported.changes, preview.outcome.changes);
        for model in &mut models {
            if is_edition {
                (model.plans, model.company) = (plans.clone(), company.clone());
            } else {
                model.rules.clone_from(&rules);
            }
            model.check().await;
        }
        for (model, now) in models.iter().zip(&now) {
            model.check_preview(&preview, now).await;
        }
        let broken = models[0].all_broken();
        let rules = broken.values().flat_map(BTreeMap::keys);
        seen.extend(rules.map(|rule| rule.split(' ').nth(1).expect("words").to_owned()));
    }
    let kinds: Vec<&str> = seen.iter().map(String::as_str).collect();
    let all = ["excludes", "is", "location", "prohibited", "requires"];
    assert_eq!(kinds, all, "every kind of rule was broken");
}

/// Users who hold Office, whose plans are prohibited in a country afterwards.
async fn prohibited(fresh: Fresh, users: u128, rules: &[EditionRule]) -> (Fixture, Vec<UserId>) {
    let mut fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 100).await;
    let users = fixture.create_users(1..=users).await;
    fixture.run(1, &users, assign(&[OFFICE])).await;
    let imported = fixture.store.import_rules(&rule_set(rules), &BY, NOW).await;
    imported.expect("imported");
    fixture.catalogue = Arc::new(fixture.store.catalogue().await.expect("a catalogue"));
    (fixture, users)
}

async fn move_to(fixture: &Fixture, user: UserId, location: Option<&str>) {
    let update = UserUpdate {
        usage_location: Some(location.map(country)),
        ..UserUpdate::default()
    };
    let user = by_id(user);
    let moved = fixture.rows.update_user(&user, &update, None, &BY, NOW);
    moved.await.expect("updated");
}

fn prohibit(number: u128, country: &str) -> EditionRule {
    EditionRule::ProhibitedIn {
        plan: plan(number).0,
        country: country.to_owned(),
    }
}

pub(super) async fn a_page_of_violations_ends_with_a_whole_user(fresh: Fresh) {
    let rules = [prohibit(1, "NL"), prohibit(2, "NL"), prohibit(1, "US")];
    let (fixture, users) = prohibited(fresh, 50, &rules).await;
    let page = async |filter: &ViolationFilter, after, limit| {
        let Fixture { rows, .. } = &fixture;
        let page = rows.violators(&fixture.catalogue, filter, after, limit);
        let page = page.await.expect("a page");
        let counts = page.users.iter();
        let counts: Vec<_> = counts
            .map(|one| (one.user.user_id, one.violations.len()))
            .collect();
        (counts, page.next)
    };
    let any = ViolationFilter::default();
    let two = |number: usize| (users[number - 1], 2);
    let first = page(&any, None, 3).await;
    assert_eq!(first, (vec![two(1), two(2)], Some(users[1])));
    let next = page(&any, first.1, 1).await;
    assert_eq!(next, (vec![two(3)], Some(users[2])));
    let last = page(&any, Some(users[48]), 1).await;
    assert_eq!(last, (vec![two(50)], None), "nobody comes after the last");
    let beyond = page(&any, Some(users[49]), 1).await;
    assert_eq!(beyond, (vec![], None));

    // One user whom a page of 21 users does not come to.
    move_to(&fixture, users[29], None).await;
    let nowhere = ViolationFilter {
        code: Some("USAGE_LOCATION_MISSING"),
        ..any
    };
    let (mut after, mut found) = (None, Vec::new());
    for expected in [(0, true), (1, true), (0, false)] {
        let (users, next) = page(&nowhere, after, 9).await;
        assert_eq!((users.len(), next.is_some()), expected);
        found.extend(users);
        after = next;
    }
    assert_eq!(found, [(users[29], 1)]);
}

pub(super) async fn a_summary_tells_the_rules_that_most_users_break(fresh: Fresh) {
    let needs = |number: u128| EditionRule::RequiresAnyOf {
        plan: plan(1).0,
        others: vec![plan(1_000 + number).0],
    };
    let mut rules: Vec<EditionRule> = (0..249).map(needs).collect();
    rules.push(prohibit(2, "US"));
    let (fixture, users) = prohibited(fresh, 3, &rules).await;
    let Fixture { rows, .. } = &fixture;
    move_to(&fixture, users[0], Some("US")).await;
    let any = ViolationFilter::default();
    let summary = rows.summarize_violations(&fixture.catalogue, &any);
    let summary = summary.await.expect("a summary");
    assert_eq!((summary.users, summary.violations), (3, 3 * 249 + 1));
    assert_eq!((summary.rules.len(), summary.rule_count), (200, 250));
    assert!(summary.rules.iter().all(|(_, users)| *users == 3));

    let id = SelectionId(uuid::Uuid::from_u128(1));
    let violating = SelectionPart::Violating(any);
    let frozen = fixture.freeze(id, selection(vec![violating], vec![]), NOW);
    assert_eq!(frozen.await.expect("frozen").0.user_count, 3);
}

pub(super) async fn a_customer_that_is_not_there_has_no_violations_to_tell(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let (store, catalogue) = (&fixture.store, &fixture.catalogue);
    let any = ViolationFilter::default();
    let missing: CustomerId = customer(9);
    let not_found = Refusal::NotFound {
        resource: "customer",
        id: missing.to_string(),
    };
    let rows = store.of(scope(missing));
    let page = rows.violators(catalogue, &any, None, 9);
    assert_eq!(raw::refusal(store, page).await, not_found);
    let summary = rows.summarize_violations(catalogue, &any);
    assert_eq!(raw::refusal(store, summary).await, not_found);
}
