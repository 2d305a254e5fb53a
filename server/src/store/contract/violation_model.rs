//! A naive model of what users hold against the rules, which is compared with the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fixture::{
    BASIC, BY, COMPANY_WIDE, Fixture, NOW, OFFICE, PREMIUM, assign_plans, by_id, country, edition,
    edition_product, plan, product,
};
use super::model::Random;
use super::violations::{filters, meets, told, words};
use crate::domain::{
    PlanChoice, ProductId, Selection, SelectionPart, UserFilter, UserId, Violation, ViolationFilter,
};
use crate::edition::{AppliesTo, Edition, EditionRule, RuleSet};
use crate::store::{Impact, ImportPreview, UserUpdate, ViolationSummary};

/// A product that shares plan 1 with Office.
pub(super) const BUNDLE: ProductId = product(5);
pub(super) const PRODUCTS: [ProductId; 4] = [OFFICE, BASIC, PREMIUM, BUNDLE];
const COUNTRIES: [&str; 2] = ["NL", "US"];

/// A user of the naive model.
#[derive(Clone, Default)]
struct Person {
    location: Option<&'static str>,
    held: BTreeMap<ProductId, PlanChoice>,
}

/// What a rule is, in words that the model and the store share.
pub(super) type Broken = BTreeMap<String, BTreeSet<ProductId>>;

/// The catalogue and the users, kept in the simplest way.
pub(super) struct Model {
    fixture: Fixture,
    pub(super) random: Random,
    pub(super) plans: BTreeMap<ProductId, Vec<u128>>,
    pub(super) company: BTreeSet<ProductId>,
    pub(super) rules: Vec<EditionRule>,
    people: BTreeMap<UserId, Person>,
}

pub(super) fn rule_set(rules: &[EditionRule]) -> RuleSet {
    RuleSet {
        rules: rules.to_vec(),
        plan_names: BTreeMap::new(),
    }
}

impl Model {
    /// Users who hold what they like, as no rule forbids it yet.
    pub(super) async fn new(mut fixture: Fixture, seed: u64) -> Self {
        let plans = BTreeMap::from([
            (OFFICE, vec![1, 2]),
            (BASIC, vec![3]),
            (PREMIUM, vec![4]),
            (BUNDLE, vec![1, 5]),
            (COMPANY_WIDE, vec![]),
        ]);
        let company = BTreeSet::from([COMPANY_WIDE]);
        let (store, mut random) = (fixture.store.clone(), Random(seed));
        let first = offer(&plans, &company);
        let imported = store.import_edition(&first, &BY, NOW).await;
        imported.expect("imported");
        let imported = store.import_rules(&rule_set(&[]), &BY, NOW).await;
        imported.expect("imported");
        fixture.catalogue = Arc::new(store.catalogue().await.expect("a catalogue"));
        let users = fixture.create_users(1..=45).await;
        let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
        people.extend(users.iter().map(|id| (*id, Person::default())));
        let choices = [
            PlanChoice::ALL,
            PlanChoice::Only(vec![plan(1)]),
            PlanChoice::AllExcept(vec![plan(1)]),
        ];
        let mut request = 0;
        for product in PRODUCTS {
            fixture.enable_seats(product, 1_000).await;
            let mut left = users.clone();
            for choice in &choices {
                left.retain(|_| !random.one_in(3));
                let (given, rest) = left.split_at(left.len() / 3);
                request += 1;
                let change = assign_plans(product, choice.clone());
                let results = fixture.run(request, given, change).await;
                assert!(results.chars().all(|letter| letter == 'A'), "{results}");
                for id in given {
                    let person = people.get_mut(id).expect("a user");
                    person.held.insert(product, choice.clone());
                }
                left = rest.to_vec();
            }
        }
        let rules = Vec::new();
        let mut model = Self {
            fixture,
            random,
            plans,
            company,
            rules,
            people,
        };
        model.move_about(&users).await;
        model
    }

    /// Some have no location any more, some are inactive, some are deleted.
    async fn move_about(&mut self, users: &[UserId]) {
        let Fixture { rows, .. } = self.fixture.clone();
        for id in users {
            if self.random.one_in(12) {
                let user = by_id(*id);
                let deleted = rows.delete_user(&user, None, &BY, NOW).await;
                deleted.expect("deleted");
                self.people.remove(id);
                continue;
            }
            let location = [Some("NL"), Some("US"), None][self.random.below(3)];
            let update = UserUpdate {
                usage_location: Some(location.map(country)),
                active: Some(!self.random.one_in(4)),
                ..UserUpdate::default()
            };
            let user = by_id(*id);
            let updated = rows.update_user(&user, &update, None, &BY, NOW);
            updated.await.expect("updated");
            self.people.get_mut(id).expect("a user").location = location;
        }
    }

    /// The plans that are on.
    fn on(&self, product: ProductId, choice: &PlanChoice) -> BTreeSet<u128> {
        let plans = self.plans[&product].iter().copied();
        let is_named = |number: &u128| choice.plans().contains(&plan(*number));
        match choice {
            PlanChoice::Only(_) => plans.filter(is_named).collect(),
            PlanChoice::AllExcept(_) => plans.filter(|number| !is_named(number)).collect(),
        }
    }

    /// The rules that a user breaks, and with what.
    fn broken(&self, person: &Person) -> Broken {
        let with = |plans: &[u128]| -> BTreeSet<ProductId> {
            let held = person.held.iter();
            let has = |(product, choice): &(&ProductId, &PlanChoice)| {
                let on = self.on(**product, choice);
                plans.iter().any(|plan| on.contains(plan))
            };
            held.filter(has).map(|(product, _)| *product).collect()
        };
        let is_on = |plan: u128| !with(&[plan]).is_empty();
        let mut broken = Broken::new();
        for rule in &self.rules {
            let (is_broken, plans) = match rule {
                EditionRule::Excludes { plan, other } => {
                    let (plan, other) = (plan.as_u128(), other.as_u128());
                    (is_on(plan) && is_on(other), vec![plan, other])
                }
                EditionRule::RequiresAnyOf { plan, others } => {
                    let plan = plan.as_u128();
                    let lacks = others.iter().all(|other| !is_on(other.as_u128()));
                    (is_on(plan) && lacks, vec![plan])
                }
                EditionRule::ProhibitedIn { plan, country } => {
                    let plan = plan.as_u128();
                    let is_there = person.location == Some(country.as_str());
                    (is_on(plan) && is_there, vec![plan])
                }
            };
            if is_broken {
                broken.insert(words(rule), with(&plans));
            }
        }
        let held: BTreeSet<ProductId> = person.held.keys().copied().collect();
        if person.location.is_none() && !held.is_empty() {
            broken.insert("no location".to_owned(), held.clone());
        }
        for product in held.intersection(&self.company) {
            let key = format!("{} is for the company", product.0.as_u128());
            broken.insert(key, BTreeSet::from([*product]));
        }
        broken
    }

    /// All users with what they break.
    pub(super) fn all_broken(&self) -> BTreeMap<UserId, Broken> {
        let people = self.people.iter();
        people.map(|(id, one)| (*id, self.broken(one))).collect()
    }

    pub(super) fn draw_rules(&mut self) -> Vec<EditionRule> {
        let random = &mut self.random;
        let mut rules = BTreeSet::new();
        for _ in 0..random.below(5) + 1 {
            let number = |random: &mut Random| random.below(7) as u128 + 1;
            let (one, other) = (number(random), number(random));
            let (low, high) = (one.min(other), one.max(other));
            match random.below(3) {
                0 if low < high => rules.insert(EditionRule::Excludes {
                    plan: plan(low).0,
                    other: plan(high).0,
                }),
                1 => rules.insert(EditionRule::RequiresAnyOf {
                    plan: plan(one).0,
                    others: BTreeSet::from([other, number(random)])
                        .into_iter()
                        .map(|other| plan(other).0)
                        .collect(),
                }),
                _ => rules.insert(EditionRule::ProhibitedIn {
                    plan: plan(one).0,
                    country: COUNTRIES[random.below(2)].to_owned(),
                }),
            };
        }
        rules.into_iter().collect()
    }

    /// Compares what the store says about everything that is broken.
    pub(super) async fn check(&mut self) {
        let Fixture { store, rows, .. } = self.fixture.clone();
        let catalogue = store.catalogue().await.expect("a catalogue");
        let all = self.all_broken();
        for filter in filters() {
            let mut expected = all.clone();
            for broken in expected.values_mut() {
                broken.retain(|rule, products| meets(rule, products, &filter));
            }
            expected.retain(|_, broken| !broken.is_empty());
            for size in [1, 4, 1_000] {
                let listed = self.pages(&filter, size).await;
                assert_eq!(listed, expected, "{filter:?}, pages of {size}");
            }
            let summary = rows.summarize_violations(&catalogue, &filter);
            let summary = summary.await.expect("a summary");
            assert_eq!(summary, sums(&summary, &expected), "{filter:?}");

            let users: Vec<UserId> = expected.into_keys().collect();
            let violating = || SelectionPart::Violating(filter.clone());
            let everybody = SelectionPart::Filter(UserFilter::default());
            for (selection, is_violators) in [
                (selection(vec![violating()], vec![]), true),
                (selection(vec![everybody], vec![violating()]), false),
            ] {
                let found = self.fixture.evaluate(&selection, NOW).await.expect("found");
                let mut ids = found.users;
                if !is_violators {
                    ids.sort_unstable();
                }
                let all = self.people.keys().copied();
                let wanted = all.filter(|id| users.contains(id) == is_violators);
                assert_eq!(ids, wanted.collect::<Vec<_>>(), "{filter:?}");
            }
        }
    }

    /// The violations that meet a filter, read page by page, with names as they are.
    async fn pages(&self, filter: &ViolationFilter, size: usize) -> BTreeMap<UserId, Broken> {
        let Fixture { store, rows, .. } = &self.fixture;
        let catalogue = store.catalogue().await.expect("a catalogue");
        let (mut all, mut after) = (BTreeMap::new(), None);
        loop {
            let page = rows.violators(&catalogue, filter, after, size);
            let page = page.await.expect("a page");
            for violator in page.users {
                let id = violator.user.user_id;
                assert!(Some(id) > after, "by id");
                after = Some(id);
                let count = violator.violations.len();
                let one = |violation: Violation| {
                    let products = violation.products.into_iter().collect();
                    (told(&violation.reason), products)
                };
                let broken: Broken = violator.violations.into_iter().map(one).collect();
                assert_eq!(broken.len(), count, "each rule once");
                assert!(all.insert(id, broken).is_none(), "each user once");
            }
            match page.next {
                None => return all,
                Some(next) => {
                    assert!(Some(next) >= after, "it goes on");
                    after = Some(next);
                }
            }
        }
    }

    /// What an import would break, by what is broken before and after.
    fn impact(now: &BTreeMap<UserId, Broken>, then: &BTreeMap<UserId, Broken>) -> Impact {
        let mut impact = Impact::default();
        for (id, after) in then {
            let before = &now[id];
            impact.violators_now += u64::from(!before.is_empty());
            impact.violators_then += u64::from(!after.is_empty());
            let mut products: BTreeSet<ProductId> = BTreeSet::new();
            for (rule, with) in after {
                if !before.contains_key(rule) {
                    products.extend(with);
                }
            }
            impact.users += u64::from(!products.is_empty());
            impact.assignments += products.len() as u64;
        }
        impact
    }

    /// Checks a preview against what is so after the import, which `self` is by now.
    pub(super) async fn check_preview(
        &self,
        preview: &ImportPreview,
        now: &BTreeMap<UserId, Broken>,
    ) {
        let Fixture { rows, .. } = &self.fixture;
        let walked = std::sync::Mutex::new(0);
        let count = |users| {
            *walked.lock().expect("one at a time") += users;
            true
        };
        let catalogues = (&preview.now, &preview.then);
        let impact = rows.impact(catalogues, &count).await;
        let mut impact = impact.expect("an impact").expect("nobody stops it");
        assert_eq!(*walked.lock().expect("it has ended"), self.people.len());
        let mut new = BTreeMap::<String, u64>::new();
        let then = self.all_broken();
        for (id, after) in &then {
            for rule in after.keys().filter(|rule| !now[id].contains_key(*rule)) {
                *new.entry(rule.clone()).or_default() += 1;
            }
        }
        let rules = std::mem::take(&mut impact.rules);
        let rules: BTreeMap<_, _> = rules.iter().map(|(why, n)| (told(why), *n)).collect();
        assert_eq!((impact.rule_count, rules), (new.len(), new));
        impact.rule_count = 0;
        assert_eq!(impact, Self::impact(now, &then));

        let stopped = rows.impact(catalogues, &|_| false).await;
        assert_eq!(stopped.expect("an answer"), None, "somebody stopped it");
    }
}

/// An edition of products with these plans.
pub(super) fn offer(
    plans: &BTreeMap<ProductId, Vec<u128>>,
    company: &BTreeSet<ProductId>,
) -> Edition {
    let products = plans.iter();
    let products = products
        .map(|(id, plans)| edition_product(*id, &format!("Product {}", id.0.as_u128()), plans));
    let mut edition = edition(products.collect());
    for product in &mut edition.products {
        if company.contains(&ProductId(product.id)) {
            product.applies_to = Some(AppliesTo::Company);
        }
    }
    edition
}

/// What a summary should be; the rules are compared in words and put back.
fn sums(summary: &ViolationSummary, expected: &BTreeMap<UserId, Broken>) -> ViolationSummary {
    let mut rules = BTreeMap::<String, u64>::new();
    for rule in expected.values().flat_map(BTreeMap::keys) {
        *rules.entry(rule.clone()).or_default() += 1;
    }
    let found = summary.rules.iter();
    let found: BTreeMap<_, _> = found.map(|(why, users)| (told(why), *users)).collect();
    assert_eq!(found, rules);
    assert!(
        summary
            .rules
            .is_sorted_by_key(|(_, users)| std::cmp::Reverse(*users))
    );
    ViolationSummary {
        users: expected.len() as u64,
        violations: rules.values().sum(),
        rules: summary.rules.clone(),
        rule_count: rules.len(),
    }
}

pub(super) fn selection(parts: Vec<SelectionPart>, except: Vec<SelectionPart>) -> Selection {
    Selection { parts, except }
}
