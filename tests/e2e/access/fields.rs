//! Every field that names something of a customer, with what another customer has: it is as if that did not
//! exist.

use std::collections::BTreeSet;

use prost_reflect::{Kind, MessageDescriptor};
use seatwise_client::v1::ErrorReason;
use serde_json::Value;

use super::call::{Answer, METHODS, Method};
use super::estate::Estate;
use super::expected::{About, Verdict, about};
use super::matrix::{Tally, assert_same, clean_up, names_customer, pass, replaced};
use super::requests::{Filled, fill, set, standing, texts};
use super::world::{Person, World, judge};

/// Fields by name, or by how their names end, that hold an id, a name or a token.
const NAMES: [&str; 5] = ["user", "users", "cursor", "confirmation", "etag"];
const ENDS: [&str; 3] = ["_id", "_ids", "_token"];
/// Not an id of anything of a customer: the short name of a product, of which several can have the same.
const NO_IDS: [(&str, &str); 1] = [("CatalogueService/ListProducts", "string_id")];
/// What is another with every call, or grows with it.
const VOLATILE: [&str; 16] = [
    "batchId",
    "requestId",
    "selectionId",
    "cursor",
    "planToken",
    "confirmation",
    "watchToken",
    "nextPageToken",
    "previousPageToken",
    "lastPageToken",
    "createTime",
    "updateTime",
    "expireTime",
    "endTime",
    "commitTime",
    "assignTime",
];

/// The places of a request that hold an id, by the protocol.
fn places(method: &Method) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(&method.descriptor().input(), "", &mut found);
    found.retain(|place| !NO_IDS.contains(&(&method.name(), place)));
    found
}

fn collect(message: &MessageDescriptor, before: &str, found: &mut BTreeSet<String>) {
    for field in message.fields() {
        let name = field.name();
        let list = if field.is_list() { "[]" } else { "" };
        let place = format!("{before}{name}{list}");
        match field.kind() {
            Kind::Message(inner) if inner.package_name() == "seatwise.v1" => {
                collect(&inner, &format!("{place}."), found);
            }
            Kind::String if is_id(name) => {
                found.insert(place);
            }
            _ => {}
        }
    }
}

fn is_id(name: &str) -> bool {
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// The text at a place of a sample, as its customer has it.
fn value(estate: &Estate, index: usize, place: &str) -> String {
    let all = texts(&estate.samples[index].request);
    let found = all.iter().find(|(at, _)| at == place);
    let (_, text) = found.expect("samples of all customers are alike");
    standing(text, estate)
}

/// What does not exist, in the place of what another customer has.
fn missing(world: &World, index: usize, place: &str, foreign: &str) -> String {
    let name = place.rsplit('.').next().unwrap_or_default();
    match name {
        "page_token" | "cursor" | "watch_token" => {
            let first = if foreign.starts_with('A') { "B" } else { "A" };
            format!("{first}{}", &foreign[1..])
        }
        "etag" => "9".to_owned(),
        // One of the own customer, for another request.
        "plan_token" | "confirmation" => {
            let own = value(&world.own, index, place);
            let all = world.own.samples.iter();
            let mut all = all.flat_map(|sample| texts(&sample.request));
            let other = all.find(|(at, token)| at == name && *token != own);
            other.expect("several requests have one").1
        }
        _ => value(&world.ghost, index, place),
    }
}

/// Puts what another customer has in every field, and then what nobody has.
pub(super) async fn swap(world: &World, tally: &Tally) {
    assert_all_places_are_filled(world);
    let here = world.person("ROLE_GLOBAL_ADMIN here");
    let everywhere = world.person("ROLE_GLOBAL_ADMIN everywhere");
    for (index, sample) in world.own.samples.iter().enumerate() {
        if !names_customer(sample) {
            continue;
        }
        if !sample.is_single {
            pass(world, here, &world.own, sample, tally).await;
        }
        for (place, own) in texts(&sample.request) {
            let token = place == "confirmation" || place == "etag";
            let is_tried = places(Method::of(sample.method)).contains(&place);
            if !is_tried || (sample.is_single && !token) {
                continue;
            }
            swap_one(world, here, (index, &place), tally).await;
            // Whoever may see both customers mixes them up no more.
            if place != "customer_id" {
                swap_one(world, everywhere, (index, &place), tally).await;
            }
            let foreign = value(&world.foreign, index, &place);
            assert_ne!(
                standing(&own, &world.own),
                foreign,
                "{} {place}",
                sample.method
            );
        }
    }
    swap_principals(world, tally).await;
}

async fn swap_one(world: &World, person: &Person, at: (usize, &str), tally: &Tally) {
    let (index, place) = at;
    let sample = &world.own.samples[index];
    let foreign = value(&world.foreign, index, place);
    let missing = missing(world, index, place, &foreign);
    let mut told = Vec::new();
    for id in [&foreign, &missing] {
        let Filled { request, mut new } = fill(sample, &world.own);
        let request = set(&request, place, id);
        let answer = person.caller.call(sample.method, &request).await;
        clean_up(world, &world.own, &answer).await;
        let what = format!("{} {place} {request}", sample.method);
        tally.note(&outcome(&answer, &what));
        // A number would be found in ids, too.
        if id.len() > 1 {
            new.push(id.clone());
        }
        told.push(normal(answer, &new));
    }
    let what = format!("{} with {place} = {foreign} or {missing}", sample.method);
    let [foreign, missing] = told.try_into().expect("two");
    assert_eq!(foreign, missing, "{what}");
    for mark in world.foreign.marks() {
        assert!(!foreign.contains(&mark), "{what} tells {mark}: {foreign}");
    }
}

/// In a word what came of it.
fn outcome(answer: &Answer, what: &str) -> String {
    let Some(refusal) = &answer.refusal else {
        return "answered without what is another's".to_owned();
    };
    let reason = refusal.error.reason;
    let is_sound = !matches!(
        reason,
        ErrorReason::Unspecified | ErrorReason::Internal | ErrorReason::PermissionDenied
    );
    assert!(is_sound, "{what}: {refusal:?}");
    reason
        .as_str_name()
        .trim_start_matches("ERROR_REASON_")
        .to_owned()
}

/// An answer without what was sent and what is another each time.
fn normal(mut answer: Answer, sent: &[String]) -> String {
    answer.messages.iter_mut().for_each(forget);
    let mut told = match &answer.refusal {
        None => String::new(),
        Some(refusal) => {
            let mut details = refusal.details.clone();
            for text in sent {
                details = replaced(&details, text.as_bytes(), b"_");
            }
            let details = details.escape_ascii();
            format!("{} {} {details}", refusal.code, refusal.message)
        }
    };
    for message in &answer.messages {
        told += &format!("\n{message}");
    }
    for text in sent {
        told = told.replace(text, "_");
    }
    told
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

/// Every id that a request can hold is in one of the samples.
fn assert_all_places_are_filled(world: &World) {
    for method in METHODS.iter() {
        let mut left = places(method);
        let samples = world.own.samples.iter();
        for sample in samples.filter(|sample| sample.method == method.name()) {
            for (place, _) in texts(&sample.request) {
                left.remove(&place);
            }
        }
        assert!(
            left.is_empty(),
            "no request of {} has {left:?}",
            method.name()
        );
    }
}

/// Whether a principal, a grant or a key exists, only those learn who may.
async fn swap_principals(world: &World, tally: &Tally) {
    let here = world.person("ROLE_GLOBAL_ADMIN here");
    let everywhere = world.person("ROLE_GLOBAL_ADMIN everywhere");
    for (index, sample) in world.own.samples.iter().enumerate() {
        let is_about_access = sample.method.starts_with("AccessService/");
        if !is_about_access || !matches!(about(sample.method), About::Everywhere(_)) {
            continue;
        }
        for (place, own) in texts(&sample.request) {
            if !places(Method::of(sample.method)).contains(&place) {
                continue;
            }
            let own = standing(&own, &world.own);
            let missing = missing(world, index, &place, &own);
            let filled = fill(sample, &world.own).request;
            let what = format!("{} with {place} = {missing}", sample.method);
            let known = here.caller.call(sample.method, &filled).await;
            let request = set(&filled, &place, &missing);
            let unknown = here.caller.call(sample.method, &request).await;
            for answer in [&known, &unknown] {
                tally.note(judge(answer, Verdict::Denied, "", &what));
            }
            assert_same(&known, &unknown, (&own, &missing), &what);
            let unknown = everywhere.caller.call(sample.method, &request).await;
            let reason = unknown.reason();
            let expected = [ErrorReason::ResourceNotFound, ErrorReason::InvalidToken];
            assert!(
                reason.is_some_and(|one| expected.contains(&one)),
                "{what}: {unknown:?}"
            );
            tally.note(&outcome(&unknown, &what));
        }
    }
}

/// Whatever was refused passes for who may do it there: every request at the other customers, and those that
/// pass only once.
pub(super) async fn pass_once(world: &World, tally: &Tally) {
    let here = world.person("ROLE_GLOBAL_ADMIN here");
    let everywhere = world.person("ROLE_GLOBAL_ADMIN everywhere");
    let passes = [
        (here, &world.own),
        (everywhere, &world.lapsed),
        (everywhere, &world.foreign),
    ];
    for (person, estate) in passes {
        for (index, sample) in estate.samples.iter().enumerate() {
            let is_own = estate.id == world.own.id;
            if !names_customer(sample) || (is_own && !sample.is_single) {
                continue;
            }
            let renewed = if sample.is_single {
                estate.renewed(&world.admin, index).await
            } else {
                sample.clone()
            };
            pass(world, person, estate, &renewed, tally).await;
        }
    }
}
