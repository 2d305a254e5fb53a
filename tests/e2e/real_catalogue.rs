//! The vendor's whole catalogue under the vendor's rules: each product alone and many pairs, against
//! what the files themselves say. Nothing here knows how the server reads or applies them.

use std::collections::{BTreeMap, BTreeSet};

use seatwise_client::v1::batch_result::Disposition;
use seatwise_client::v1::{Change, Reason, ReasonCode as Code, RevokeOthers, ViolationFilter};

use crate::compliance::violating;
use crate::customer::{Customer, codes_of};
use crate::fixtures::{REAL_CATALOGUE, REAL_RULES, Random, assign, user_id};
use crate::harness::{Harness, on_every_engine};
use crate::selections::select;

const PAIRS: usize = 3_000;
/// Seats of each product: more than there are users.
const SEATS: i32 = 10_000;

async fn a_product_alone_is_refused_exactly_where_the_rules_say_so(server: &Harness) {
    let files = Files::read();
    let customer = customer_with_every_product(server, &files, files.products.len()).await;
    let sets: Vec<_> = files
        .products
        .keys()
        .map(|product| vec![*product])
        .collect();
    let refused = assert_as_the_files_say(&customer, &files, &sets).await;
    assert_eq!(refused.get(&Code::PrerequisiteMissing), Some(&21));
    customer.assert_counts().await;
}

async fn a_pair_of_products_is_refused_exactly_where_the_rules_say_so(server: &Harness) {
    let files = Files::read();
    let customer = customer_with_every_product(server, &files, PAIRS).await;
    let products: Vec<_> = files.products.keys().copied().collect();
    let mut random = Random::new(1);
    let mut pick = || products[random.below(products.len() as u64) as usize];
    let mut sets = Vec::new();
    while sets.len() < PAIRS {
        let pair = [pick(), pick()];
        if pair[0] != pair[1] {
            sets.push(pair.to_vec());
        }
    }
    let refused = assert_as_the_files_say(&customer, &files, &sets).await;
    let excluded = refused[&Code::MutuallyExclusivePlans];
    assert!(excluded > 50, "only {excluded} pairs show anything");
    customer.assert_counts().await;
}

async fn rules_that_come_later_are_broken_exactly_where_the_files_say_so(server: &Harness) {
    const USERS: usize = 600;
    server.start().await;
    let (client, files) = (server.client(), Files::read());
    let catalogue = client.import_catalogue(REAL_CATALOGUE.as_bytes()).await;
    catalogue.expect("the catalogue is good");
    let customer = server.customer_with_users(USERS).await;
    for product in files.products.keys() {
        customer.set_seats(product, SEATS).await;
    }
    // Four products each, and nobody is refused: there is no rule yet.
    let products: Vec<_> = files.products.keys().copied().collect();
    let mut random = Random::new(2);
    let mut pick = || products[random.below(products.len() as u64) as usize];
    let sets: Vec<BTreeSet<&str>> = (0..USERS)
        .map(|_| (0..4).map(|_| pick()).collect())
        .collect();
    let sets: Vec<Vec<&str>> = sets
        .into_iter()
        .map(|set| set.into_iter().collect())
        .collect();
    let changes = sets.iter().enumerate();
    let changes = changes.map(|(number, set)| (user_id(number), assign(set)));
    let outcome = customer.execute(customer.own_changes(changes)).await;
    assert_eq!(outcome.counts(), (USERS as i32, 0, 0));

    let preview = client.preview_rules(REAL_RULES.as_bytes()).await;
    let preview = preview.expect("a preview").summary.impact;
    let rules = client.import_rules(REAL_RULES.as_bytes()).await;
    rules.expect("the rules are good");
    let mut expected: BTreeMap<String, BTreeSet<Broken>> = BTreeMap::new();
    for (number, set) in sets.iter().enumerate() {
        expected.insert(user_id(number), files.broken(set));
    }
    expected.retain(|_, broken| !broken.is_empty());
    assert!(
        expected.len() > 20,
        "only {} users show anything",
        expected.len()
    );
    let any = ViolationFilter::default();
    let listed = customer.violators(&any, 100).await;
    let listed = listed.iter().map(|violator| {
        let reasons = violator.violations.iter().map(|one| one.reason.as_ref());
        let reasons = reasons.map(|reason| reason.expect("a reason"));
        (violator.user_id.clone(), told(reasons))
    });
    assert_eq!(listed.collect::<BTreeMap<_, _>>(), expected);
    let users = i64::try_from(expected.len()).expect("few");
    assert_eq!(preview.expect("a total").user_count(), users);
    let summary = customer.violation_summary(&any).await;
    assert_eq!(i64::from(summary.user_count()), users);

    // Who gives everything up breaks nothing any more, and nobody else was touched.
    let selection = select(vec![violating(any.clone())], vec![]);
    let nothing = Change {
        revoke_others: Some(RevokeOthers::default()),
        ..Change::default()
    };
    let outcome = customer.execute(customer.over(nothing, selection)).await;
    assert_eq!(i64::from(outcome.batch.applied_count()), users);
    assert_eq!(customer.violators(&any, 100).await, []);
}

/// What the two files say, by lower-case ids.
struct Files {
    /// The plans of each product.
    products: BTreeMap<&'static str, BTreeSet<&'static str>>,
    excludes: Vec<[&'static str; 2]>,
    /// A plan, and the plans of which it needs one.
    requires: Vec<(&'static str, BTreeSet<&'static str>)>,
}

/// A broken rule. The sides of an exclusion are in the order of their ids.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    Excludes(String, String),
    Requires(String, BTreeSet<String>),
}

impl Files {
    fn read() -> Self {
        let (mut excludes, mut requires) = (Vec::new(), Vec::new());
        // The rules have no quotes; the names of products have.
        for rule in REAL_RULES.lines().skip(1) {
            let columns: Vec<_> = rule.split(',').collect();
            match columns[0] {
                "excludes" => excludes.push([columns[1], columns[3]]),
                "requires_any_of" => requires.push((columns[1], columns[3].split('|').collect())),
                "prohibited_in" => assert_ne!(columns[3], "NL", "the users are there"),
                other => panic!("{other} is no kind of rule"),
            }
        }
        let mut products: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for line in REAL_CATALOGUE.lines().skip(1) {
            let ids: Vec<_> = line.split(',').filter(|cell| is_id(cell)).collect();
            let [product, plan] = ids[..] else {
                panic!("no two ids: {line}");
            };
            products.entry(product).or_default().insert(plan);
        }
        assert_eq!(products.len(), 569);
        Self {
            products,
            excludes,
            requires,
        }
    }

    /// The rules that somebody breaks who holds all of these products and nothing else.
    fn broken(&self, products: &[&str]) -> BTreeSet<Broken> {
        let plans = products.iter().flat_map(|product| &self.products[product]);
        let plans: BTreeSet<_> = plans.copied().collect();
        let excluded = self.excludes.iter().filter(|pair| {
            let [one, other] = pair;
            plans.contains(one) && plans.contains(other)
        });
        let lacking = self
            .requires
            .iter()
            .filter(|(plan, any_of)| plans.contains(plan) && plans.is_disjoint(any_of));
        let excluded = excluded.map(|[one, other]| exclusion(one, other));
        let lacking = lacking.map(|(plan, any_of)| {
            let any_of = any_of.iter().map(|plan| (*plan).to_owned());
            Broken::Requires((*plan).to_owned(), any_of.collect())
        });
        excluded.chain(lacking).collect()
    }
}

fn is_id(cell: &str) -> bool {
    cell.len() == 36 && uuid::Uuid::try_parse(cell).is_ok()
}

fn exclusion(one: &str, other: &str) -> Broken {
    let (first, second) = (one.min(other), one.max(other));
    Broken::Excludes(first.to_owned(), second.to_owned())
}

/// The rules that reasons say are broken.
fn told<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> BTreeSet<Broken> {
    let mut told = BTreeSet::new();
    for reason in reasons {
        let plan = &reason
            .plan
            .as_ref()
            .expect("a rule is about a plan")
            .plan_id;
        let others = reason.others.iter().map(|other| &other.plan_id);
        match reason.code() {
            Code::MutuallyExclusivePlans => told.extend(others.map(|other| exclusion(plan, other))),
            Code::PrerequisiteMissing => {
                told.insert(Broken::Requires(plan.clone(), others.cloned().collect()));
            }
            other => panic!("{other:?} has no place here"),
        }
    }
    told
}

/// Gives each set of products to a user of its own, in one batch, and compares what becomes of them
/// with what the files say. Returns how many users were refused, by reason.
async fn assert_as_the_files_say(
    customer: &Customer,
    files: &Files,
    sets: &[Vec<&str>],
) -> BTreeMap<Code, usize> {
    let changes = sets.iter().enumerate();
    let changes = changes.map(|(number, products)| (user_id(number), assign(products)));
    let outcome = customer.execute(customer.own_changes(changes)).await;
    let mut refused: BTreeMap<_, usize> = BTreeMap::new();
    for (result, products) in outcome.by_index().iter().zip(sets) {
        let expected = files.broken(products);
        assert_eq!(told(&result.reasons), expected, "{products:?}");
        let disposition = match expected.is_empty() {
            true => Disposition::Applied,
            false => Disposition::Failed,
        };
        assert_eq!(result.disposition(), disposition, "{products:?}");
        for code in BTreeSet::from_iter(codes_of(result)) {
            *refused.entry(code).or_default() += 1;
        }
    }
    println!("refused: {refused:?}");
    refused
}

async fn customer_with_every_product(server: &Harness, files: &Files, users: usize) -> Customer {
    server.start().await;
    let client = server.client();
    let catalogue = client.import_catalogue(REAL_CATALOGUE.as_bytes()).await;
    catalogue.expect("the catalogue is good");
    let rules = client.import_rules(REAL_RULES.as_bytes()).await;
    rules.expect("the rules are good");
    let customer = server.customer_with_users(users).await;
    for product in files.products.keys() {
        customer.set_seats(product, SEATS).await;
    }
    customer
}

on_every_engine![
    a_product_alone_is_refused_exactly_where_the_rules_say_so,
    a_pair_of_products_is_refused_exactly_where_the_rules_say_so,
    rules_that_come_later_are_broken_exactly_where_the_files_say_so,
];
