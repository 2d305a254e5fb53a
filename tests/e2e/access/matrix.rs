//! Every RPC by everybody, for their own customer, one that was theirs, another's, and none that exists.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::Value;

use super::call::{Answer, METHODS, Method};
use super::estate::Estate;
use super::expected::{About, Verdict, about, known, verdict};
use super::requests::{Sample, fill, set, texts};
use super::world::{Person, World, judge};
use super::{dump, fields};
use crate::harness::Harness;

/// Attempts at the least, on each engine.
const ATTEMPTS_MIN: usize = 5_000;

/// How many attempts came to what.
#[derive(Default)]
pub(super) struct Tally(RefCell<BTreeMap<String, usize>>);

impl Tally {
    pub(super) fn note(&self, outcome: &str) {
        let mut counts = self.0.borrow_mut();
        *counts.entry(outcome.to_owned()).or_default() += 1;
    }

    fn total(&self) -> usize {
        self.0.borrow().values().sum()
    }
}

/// A call that passes and changes what all customers share.
type Later<'a> = (&'a Person, usize);

pub(super) async fn nobody_acts_outside_the_own_role_and_customers(server: &Harness) {
    assert_all_is_known();
    let world = World::make(server).await;
    let tally = Tally::default();
    let before = dump::without(server, &world.own.id).await;

    let later = by_role(&world, &tally).await;
    without_credentials(&world, &tally).await;
    fields::swap(&world, &tally).await;
    let after = dump::without(server, &world.own.id).await;
    dump::assert_same(&before, &after);

    // What changes the installation leaves the customers alone.
    let others = [&world.lapsed, &world.foreign];
    let mut rows = Vec::new();
    for other in others {
        rows.push(dump::of(server, &other.id).await);
    }
    for (person, index) in later {
        let sample = &world.own.samples[index];
        pass(&world, person, &world.own, sample, &tally).await;
    }
    for (other, before) in others.into_iter().zip(&rows) {
        dump::assert_same(before, &dump::of(server, &other.id).await);
    }

    fields::pass_once(&world, &tally).await;
    // So they are not the same whatever happens.
    for (other, before) in others.into_iter().zip(&rows) {
        assert_ne!(*before, dump::of(server, &other.id).await);
    }
    println!(
        "{:?}: {} attempts: {:#?}",
        server.engine(),
        tally.total(),
        tally.0.borrow()
    );
    assert!(tally.total() >= ATTEMPTS_MIN, "{} attempts", tally.total());
}

/// Every RPC has its row in the table and a request, and nothing else has.
fn assert_all_is_known() {
    let all: BTreeSet<String> = METHODS.iter().map(Method::name).collect();
    let rows: BTreeSet<String> = known().map(str::to_owned).collect();
    assert_eq!(rows, all, "the table of expectations and the protocol");
    let ghost = Estate::ghost(4);
    let tried = ghost.samples.iter().map(|sample| sample.method.to_owned());
    assert_eq!(
        tried.collect::<BTreeSet<_>>(),
        all,
        "requests and the protocol"
    );
}

/// The samples that everybody tries: the first of each RPC, of a journal also the installation's, and the
/// list of customers also from a page of another's list on.
fn first_samples(estate: &Estate) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let samples = estate.samples.iter().enumerate();
    let first = samples.filter(|(index, sample)| {
        let list = matches!(about(sample.method), About::Seen(_)).then_some(*index);
        seen.insert((sample.method, names_customer(sample), list))
    });
    first.map(|(index, _)| index).collect()
}

pub(super) fn names_customer(sample: &Sample) -> bool {
    let is_about = matches!(
        about(sample.method),
        About::Customer(_) | About::Journal(..)
    );
    let places = texts(&sample.request);
    is_about && places.iter().any(|(place, _)| place == "customer_id")
}

async fn by_role<'a>(world: &'a World, tally: &Tally) -> Vec<Later<'a>> {
    let mut later = Vec::new();
    for index in first_samples(&world.own) {
        // Everybody at the same time.
        let people = world.people.iter();
        let tries = people.map(async |person| by_one(world, person, index, tally).await);
        later.extend(join_all(tries).await.into_iter().flatten());
    }
    later
}

async fn by_one<'a>(
    world: &World,
    person: &'a Person,
    index: usize,
    tally: &Tally,
) -> Option<Later<'a>> {
    let sample = &world.own.samples[index];
    if names_customer(sample) {
        cells(world, person, index, tally).await;
        return None;
    }
    let verdict = verdict(about(sample.method), &person.grants, None, true);
    if verdict == Verdict::Passes && !Method::of(sample.method).is_read() {
        return Some((person, index));
    }
    let request = fill(sample, &world.own).request;
    let answer = person.caller.call(sample.method, &request).await;
    let what = format!("{} of {}", sample.method, person.name);
    tally.note(judge(&answer, verdict, "", &what));
    if verdict == Verdict::Passes && matches!(about(sample.method), About::Seen(_)) {
        let is_whole = texts(&sample.request).is_empty();
        assert_sees_what_is_granted(world, person, &answer, is_whole);
    }
    None
}

/// One RPC by one person for each customer.
async fn cells(world: &World, person: &Person, index: usize, tally: &Tally) {
    let method = world.own.samples[index].method;
    let about = about(method);
    for estate in [&world.own, &world.lapsed, &world.foreign] {
        let sample = &estate.samples[index];
        let verdict_of = |id: &str, exists| verdict(about, &person.grants, Some(id), exists);
        let expected = verdict_of(&estate.id, true);
        let is_own = estate.id == world.own.id;
        if expected == Verdict::Passes && is_own {
            pass(world, person, estate, sample, tally).await;
            continue;
        }
        let filled = fill(sample, estate).request;
        let what = format!("{method} for {} of {}", estate.title(), person.name);
        let mut answer = None;
        // What may be changed there is tried when all is compared.
        if expected != Verdict::Passes || Method::of(method).is_read() {
            let there = person.caller.call(method, &filled).await;
            tally.note(judge(&there, expected, &estate.id, &what));
            answer = Some(there);
        }
        // The same for a customer that does not exist.
        let ghost = &world.ghost.id;
        let missing = set(&filled, "customer_id", ghost);
        let missing = person.caller.call(method, &missing).await;
        let expected_missing = verdict_of(ghost, false);
        tally.note(judge(&missing, expected_missing, ghost, &what));
        if let (Some(answer), true) = (answer, expected == expected_missing) {
            assert_same(&answer, &missing, (&estate.id, ghost), &what);
        }
    }
}

/// A call that must pass, with what it needs.
pub(super) async fn pass(
    world: &World,
    person: &Person,
    estate: &Estate,
    sample: &Sample,
    tally: &Tally,
) -> Answer {
    let supplied = estate.supplied(&world.admin, sample).await;
    let request = fill(&supplied, estate).request;
    let answer = person.caller.call(sample.method, &request).await;
    let what = format!("{} of {} with {request}", sample.method, person.name);
    tally.note(judge(&answer, Verdict::Passes, &estate.id, &what));
    clean_up(world, estate, &answer).await;
    answer
}

/// Deletes the selection that a call has made, for a customer cannot have many.
pub(super) async fn clean_up(world: &World, estate: &Estate, answer: &Answer) {
    let made = answer.messages.first();
    let made = made.and_then(|made| made.pointer("/selection/selectionId"));
    let Some(selection) = made.and_then(Value::as_str) else {
        return;
    };
    let known = [&estate.selection, &estate.other_selection];
    if known.iter().all(|one| *one != selection) {
        let request = serde_json::json!({"customer_id": estate.id, "selection_id": selection});
        world
            .admin
            .must("SelectionService/DeleteSelection", request)
            .await;
    }
}

/// Checks that two refusals are the same bytes, but for the id.
pub(super) fn assert_same(one: &Answer, other: &Answer, ids: (&str, &str), what: &str) {
    let (Some(one), Some(other)) = (&one.refusal, &other.refusal) else {
        panic!("{what}: one was refused: {one:?} {other:?}");
    };
    assert_eq!(one.code, other.code, "{what}");
    let message = one.message.replace(ids.0, ids.1);
    assert_eq!(message, other.message, "{what}");
    let details = replaced(&one.details, ids.0.as_bytes(), ids.1.as_bytes());
    let (details, other) = (details.escape_ascii(), other.details.escape_ascii());
    assert_eq!(
        details.to_string(),
        other.to_string(),
        "{what}: details of {message}"
    );
}

/// Bytes with others in place of some.
pub(super) fn replaced(bytes: &[u8], these: &[u8], by: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        if !these.is_empty() && rest.starts_with(these) {
            result.extend(by);
            rest = &rest[these.len()..];
        } else {
            result.push(first);
            rest = &rest[1..];
        }
    }
    result
}

/// A list of customers has those who are granted and nobody else; all of them if it is a whole one.
fn assert_sees_what_is_granted(world: &World, person: &Person, answer: &Answer, is_whole: bool) {
    let all = [&world.own, &world.lapsed, &world.foreign].map(|estate| estate.id.as_str());
    let good = person.grants.iter().filter(|grant| grant.is_good);
    let good: Vec<_> = good.map(|grant| &grant.customers).collect();
    let is_granted = |id: &&str| {
        let listed = |listed: &Vec<String>| listed.iter().any(|one| one == id);
        good.iter().any(|grant| grant.as_ref().is_none_or(listed))
    };
    let granted: BTreeSet<&str> = all.into_iter().filter(is_granted).collect();
    let customers = answer.messages[0]["customers"].as_array();
    let customers = customers.into_iter().flatten();
    let ids: Vec<&str> = customers
        .filter_map(|one| one["customerId"].as_str())
        .collect();
    let listed: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(listed.len(), ids.len(), "{}: each once", person.name);
    assert!(listed.is_subset(&granted), "{}: {listed:?}", person.name);
    assert!(
        !is_whole || listed == granted,
        "{}: {listed:?}",
        person.name
    );
}

/// Without a key, and with one that nobody has, nothing is told, not even whether a customer exists.
async fn without_credentials(world: &World, tally: &Tally) {
    let wrong = format!("Bearer seatwise_{:032x}_{:064x}", 7, 7);
    let shown: [&[&str]; 2] = [&[], &[&wrong]];
    for index in first_samples(&world.own) {
        let sample = &world.own.samples[index];
        let method = Method::of(sample.method);
        let own = fill(sample, &world.own).request;
        let missing = set(&own, "customer_id", &world.ghost.id);
        for shown in shown {
            let answer = world.wire.call(shown, method, &own).await;
            let other = world.wire.call(shown, method, &missing).await;
            assert_same(&answer, &other, ("", ""), sample.method);
            for answer in [answer, other] {
                super::keys::assert_unauthenticated(&answer, sample.method);
                tally.note("UNAUTHENTICATED");
            }
        }
    }
}
