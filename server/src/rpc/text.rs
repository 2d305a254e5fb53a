//! What the service says to people: one message per reason and language, from `server/text`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use seatwise_proto::v1::{self, ErrorReason, ReasonCode};

use super::language::Language;

/// The messages of each language, in the order of `Language::ALL`.
static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> =
    LazyLock::new(|| Language::ALL.map(bundle));

fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../text/en.ftl"),
        Language::Dutch => include_str!("../../text/nl.ftl"),
    }
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let messages = FluentResource::try_new(source(language).to_owned());
    let locale = language.tag().parse().expect("a tag is well-formed");
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // Marks around what is inserted would end up in terminals and logs.
    bundle.set_use_isolating(false);
    bundle
        .add_resource(messages.expect("the messages are well-formed"))
        .expect("no message is there twice");
    bundle
}

/// Why a user was refused.
pub(super) fn reason(language: Language, reason: &v1::Reason) -> String {
    let id = id("reason", reason.code().as_str_name(), "REASON_CODE_");
    message(language, &id, &values(language, reason))
}

/// Why users were refused, in a few words without what differs between them.
pub(super) fn count(language: Language, code: ReasonCode) -> String {
    let id = id("count", code.as_str_name(), "REASON_CODE_");
    message(language, &id, &FluentArgs::new())
}

/// Why a call was refused, from the metadata that the reason comes with.
pub(super) fn error(
    language: Language,
    reason: ErrorReason,
    metadata: &[(&str, String)],
) -> String {
    let id = id("error", reason.as_str_name(), "ERROR_REASON_");
    let pairs = metadata.iter().map(|(key, text)| match reason {
        ErrorReason::InvalidFile if *key == "field" => (*key, place(language, text).into()),
        _ => (*key, value(text)),
    });
    message(language, &id, &pairs.collect())
}

/// A place in a file, as `line 3, column GUID`.
fn place(language: Language, field: &str) -> String {
    let Some(place) = field.strip_prefix("line ") else {
        return field.to_owned();
    };
    let (line, column) = place.split_once(", column ").unwrap_or((place, ""));
    let mut values = FluentArgs::new();
    values.set("line", line);
    match column {
        "" => message(language, "part-line", &values),
        column => {
            values.set("column", column);
            message(language, "part-column", &values)
        }
    }
}

/// The id of a code's message: `error-INTERNAL` for `ERROR_REASON_INTERNAL`.
fn id(kind: &str, name: &str, prefix: &str) -> String {
    format!("{kind}-{}", name.strip_prefix(prefix).unwrap_or(name))
}

/// What a reason's message can insert.
fn values<'a>(language: Language, reason: &'a v1::Reason) -> FluentArgs<'a> {
    let mut values = FluentArgs::new();
    if let Some(product) = &reason.product {
        values.set("product", product_name(product));
    }
    if let Some(plan) = &reason.plan {
        values.set("plan", plan_name(plan));
    }
    if let Some(available) = reason.available {
        values.set("available", available);
    }
    if !reason.usage_location.is_empty() {
        values.set("location", reason.usage_location.as_str());
    }
    let changer = if reason.batch_id.is_empty() {
        "unknown"
    } else {
        values.set("batch", reason.batch_id.as_str());
        "batch"
    };
    values.set("changer", changer);
    if !reason.others.is_empty() {
        let others = reason.others.iter().map(plan_name);
        values.set("others", one_of(language, others.collect()));
    }
    let suppliers: Vec<&str> = reason.suppliers.iter().map(product_name).collect();
    values.set("suppliers-count", suppliers.len());
    values.set("suppliers", one_of(language, suppliers));
    values
}

fn product_name(product: &v1::ProductRef) -> &str {
    match product.display_name.as_str() {
        "" => &product.product_id,
        name => name,
    }
}

fn plan_name(plan: &v1::PlanRef) -> &str {
    match plan.name.as_str() {
        "" => &plan.plan_id,
        name => name,
    }
}

/// Names as a list of which one is enough.
fn one_of(language: Language, names: Vec<&str>) -> String {
    match names.as_slice() {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [start @ .., end] => {
            let mut values = FluentArgs::new();
            values.set("start", start.join(", "));
            values.set("end", *end);
            message(language, "part-or", &values)
        }
    }
}

/// A number if it is written as one, so that a message can have a plural.
fn value(text: &str) -> FluentValue<'_> {
    match text.parse::<i32>() {
        Ok(number) if number.to_string() == text => FluentValue::from(number),
        _ => FluentValue::from(text),
    }
}

fn message(language: Language, id: &str, values: &FluentArgs<'_>) -> String {
    let bundle = &BUNDLES[language as usize];
    let message = bundle.get_message(id).and_then(|message| message.value());
    let message = message.expect("a test looks for every message");
    let mut errors = Vec::new();
    let text = bundle.format_pattern(message, Some(values), &mut errors);
    debug_assert!(errors.is_empty(), "{id}: {errors:?}");
    text.into_owned()
}

#[cfg(test)]
pub(super) mod tests;
