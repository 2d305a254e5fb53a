//! No code lacks a message in any language, and no message inserts what its code does not bring.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::domain::{
    BatchId, Catalogue, Country, LaterPlans, NewProduct, PlanId, ProductId, Reason,
};
use crate::rpc::results;

/// Messages that are parts of others.
const PARTS: [&str; 5] = [
    "part-or",
    "part-resource",
    "part-the-resource",
    "part-line",
    "part-column",
];

#[test]
fn every_code_has_its_messages_in_every_language_and_there_are_no_others() {
    let mut expected: BTreeSet<_> = PARTS.map(str::to_owned).into();
    for code in reason_codes() {
        expected.insert(format!("reason-{}", name(code)));
        expected.insert(format!("count-{}", name(code)));
    }
    for reason in error_reasons() {
        let name = reason.as_str_name().replace("ERROR_REASON_", "error-");
        expected.insert(name);
    }
    for language in Language::ALL {
        let found: BTreeSet<_> = messages(language).into_keys().map(str::to_owned).collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        let idle: Vec<_> = found.difference(&expected).collect();
        assert!(missing.is_empty(), "{language:?} lacks {missing:?}");
        assert!(idle.is_empty(), "{language:?} has no use for {idle:?}");
    }
}

#[test]
fn the_languages_insert_the_same() {
    let [english, dutch] = Language::ALL.map(messages);
    for (id, message) in &english {
        assert_eq!(inserted(message), inserted(dutch[id]), "{id}");
    }
}

#[test]
fn every_reason_makes_a_sentence_in_every_language() {
    let samples = sample_reasons();
    let sampled: BTreeSet<_> = samples.iter().map(|reason| reason.code).collect();
    let all: BTreeSet<_> = reason_codes().map(i32::from).collect();
    assert_eq!(sampled, all, "add a sample of the new reason");
    for sample in &samples {
        for language in Language::ALL {
            let text = reason(language, sample);
            assert_sentence(&text);
            let count = count(language, sample.code());
            assert!(!count.is_empty() && !count.contains(['{', '.']), "{count}");
        }
    }
}

#[test]
fn every_error_makes_a_sentence_of_the_metadata_that_the_protocol_documents() {
    for reason in error_reasons() {
        for number in ["1", "3"] {
            let keys = documented_metadata(reason);
            let metadata: Vec<_> = keys.into_iter().map(|key| (key, number.into())).collect();
            for language in Language::ALL {
                assert_sentence(&error(language, reason, &metadata));
            }
        }
    }
}

#[test]
fn numbers_choose_the_form_and_look_as_they_were_given() {
    let text = |violations: &str| {
        let metadata = [
            ("field", "users[3]".into()),
            ("violations", violations.into()),
        ];
        Language::ALL.map(|language| error(language, ErrorReason::InvalidField, &metadata))
    };
    assert_eq!(
        text("1"),
        [
            "One value is missing or wrong: users[3].",
            "Eén waarde ontbreekt of is onjuist: users[3].",
        ]
    );
    assert_eq!(
        text("100000"),
        [
            "100000 values are missing or wrong, the first is users[3].",
            "100000 waarden ontbreken of zijn onjuist; de eerste is users[3].",
        ]
    );
    // Not everything that could be read as a number is one.
    for id in ["007", "1e3", "+1", "0x10", "99999999999999999999"] {
        let metadata = [("resource", "user".into()), ("id", id.into())];
        let text = error(Language::English, ErrorReason::ResourceNotFound, &metadata);
        assert_eq!(text, format!("There is no user {id}."));
    }
}

#[test]
fn lists_and_insertions_read_as_the_language_wants() {
    let names = |count| one_of(Language::Dutch, ["A", "B", "C"][..count].to_vec());
    assert_eq!([0, 1, 2, 3].map(names), ["", "A", "A of B", "A, B of C"]);
    assert_eq!(one_of(Language::English, vec!["A", "B"]), "A or B");

    let sample = |available| v1::Reason {
        code: ReasonCode::SeatsExhausted.into(),
        product: Some(v1::ProductRef {
            product_id: "id".into(),
            display_name: "{ $plan } \u{202e}".into(),
        }),
        available: Some(available),
        ..v1::Reason::default()
    };
    // What is inserted is no message, and is inserted as it is.
    assert_eq!(
        reason(Language::Dutch, &sample(0)),
        "Er is geen licentieplaats van { $plan } \u{202e} vrij."
    );
    let text = reason(Language::English, &sample(-2));
    assert!(text.ends_with("(-2 available)."), "{text}");
}

#[test]
fn a_missing_prerequisite_names_what_would_supply_it() {
    let text = |suppliers: &[&str]| {
        let mut values = FluentArgs::new();
        values.set("plan", "CALLS");
        values.set("others", "CHAT");
        values.set("suppliers-count", suppliers.len());
        values.set("suppliers", one_of(Language::Dutch, suppliers.to_vec()));
        message(Language::Dutch, "reason-PREREQUISITE_MISSING", &values)
    };
    let needs = "CALLS kan niet worden ingeschakeld: daarvoor is CHAT nodig.";
    assert_eq!(text(&[]), needs);
    assert_eq!(text(&["Suite"]), format!("{needs} Wijs ook Suite toe."));
    let two = text(&["Suite", "Voice"]);
    assert_eq!(two, format!("{needs} Wijs ook Suite of Voice toe."));
}

#[test]
fn a_place_in_a_file_is_told_in_the_language() {
    let text = |field: &str| {
        let metadata = [("field", field.to_owned()), ("violations", "1".to_owned())];
        error(Language::Dutch, ErrorReason::InvalidFile, &metadata)
    };
    for (field, told) in [
        ("line 3, column GUID", "regel 3, kolom GUID"),
        ("line 12", "regel 12"),
        ("file", "file"),
    ] {
        let text = text(field);
        assert!(
            text.starts_with(&format!("Er zit een fout in het bestand: {told}.")),
            "{text}"
        );
    }
}

#[test]
fn what_exists_or_was_changed_is_named_with_its_article() {
    let text = |reason, metadata: [(&str, &str); 2]| {
        let metadata = metadata.map(|(key, value)| (key, value.to_owned()));
        error(Language::Dutch, reason, &metadata)
    };
    let taken = |field| {
        text(
            ErrorReason::ResourceExists,
            [("resource", "customer"), ("field", field)],
        )
    };
    assert!(taken("customer_id").starts_with("Er is al een klant met dit id."));
    assert!(taken("principal_name").starts_with("Er is al een klant met deze aanmeldnaam."));
    let changed = |resource| {
        text(
            ErrorReason::EtagMismatch,
            [("resource", resource), ("id", "7")],
        )
    };
    assert!(changed("product").starts_with("Het product 7 is intussen gewijzigd."));
    assert!(changed("license").starts_with("De licentie 7 is intussen gewijzigd."));
}

#[test]
fn a_reason_of_a_newer_version_is_said_to_be_one() {
    let newer = v1::Reason {
        code: 9_999,
        ..v1::Reason::default()
    };
    let text = reason(Language::English, &newer);
    assert!(text.contains("does not know"), "{text}");
}

/// A reason of each kind, as the server makes them.
fn sample_reasons() -> Vec<v1::Reason> {
    let product = ProductId(Uuid::from_u128(1));
    let [plan, one, other] = [1, 2, 3].map(|number| PlanId(Uuid::from_u128(number)));
    let others = vec![one, other];
    let plans = [(plan, "PLAN"), (one, "ONE"), (other, "OTHER")];
    let catalogue = Catalogue::new(
        1,
        [NewProduct {
            id: product,
            display_name: "Suite".to_owned(),
            for_company: false,
            later_plans: LaterPlans::On,
        }],
        plans.map(|(id, name)| (id, name.to_owned())),
        [],
        [],
    );
    let reasons = [
        Reason::SeatsExhausted {
            product,
            available: 0,
        },
        Reason::SeatsExhausted {
            product,
            available: -1,
        },
        Reason::MutuallyExclusivePlans {
            plan,
            others: others.clone(),
        },
        Reason::PrerequisiteMissing {
            plan,
            any_of: others.clone(),
            suppliers: Vec::new(),
        },
        Reason::PrerequisiteMissing {
            plan,
            any_of: others.clone(),
            suppliers: vec![product],
        },
        Reason::DependentPlanRemains {
            plan,
            any_of: others,
        },
        Reason::UsageLocationMissing,
        Reason::UsageLocationProhibited {
            plan,
            country: Country::parse("NL").expect("a country"),
        },
        Reason::ProductNotLicensed { product },
        Reason::ProductNotForUsers { product },
        Reason::LicenseSuspended { product },
        Reason::PlanNotInProduct { product, plan },
        Reason::StoppedAfterFailures,
        Reason::BatchRolledBack,
        Reason::PlanStale,
        Reason::BatchCancelled,
        Reason::AccessLost,
        Reason::ChangedSince { product, by: None },
        Reason::ChangedSince {
            product,
            by: Some(BatchId(Uuid::from_u128(4))),
        },
        Reason::UserNotFound,
        Reason::UserInactive,
    ];
    let mut samples = vec![v1::Reason::default()];
    samples.extend(reasons.map(|reason| results::reason(&catalogue, &reason)));
    samples
}

fn reason_codes() -> impl Iterator<Item = ReasonCode> {
    (0..1_000).filter_map(|number| ReasonCode::try_from(number).ok())
}

/// All but the one that is never sent.
pub(crate) fn error_reasons() -> impl Iterator<Item = ErrorReason> {
    (1..1_000).filter_map(|number| ErrorReason::try_from(number).ok())
}

fn name(code: ReasonCode) -> String {
    code.as_str_name().replace("REASON_CODE_", "")
}

/// The messages of a language as they are written, by id.
fn messages(language: Language) -> BTreeMap<&'static str, &'static str> {
    let mut starts: Vec<_> = source(language)
        .split_inclusive('\n')
        .scan(0, |end, line| {
            let start = *end;
            *end += line.len();
            Some((start, line))
        })
        .filter(|(_, line)| !line.starts_with([' ', '}', '#', '\n']))
        .map(|(start, _)| start)
        .collect();
    starts.push(source(language).len());
    let message = |ends: &[usize]| source(language)[ends[0]..ends[1]].split_once(" = ");
    let messages = starts.windows(2).map(message);
    messages.map(|pair| pair.expect("a message")).collect()
}

/// Everything in braces that a message inserts or chooses by.
fn inserted(message: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '-';
    let parts = message.split("{ ").skip(1);
    let inserted = parts.map(|part| {
        let name = part.trim_start_matches('$');
        let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
        &name[..end]
    });
    inserted.collect()
}

/// The keys that `error_reason.proto` documents for a reason.
pub(crate) fn documented_metadata(reason: ErrorReason) -> Vec<&'static str> {
    let proto = include_str!("../../../../proto/seatwise/v1/error_reason.proto");
    let value = format!("  {} = ", reason.as_str_name());
    let (before, _) = proto.split_once(&value).expect("a value of the enum");
    let (_, about) = before.rsplit_once("Metadata: ").expect("a description");
    let (keys, _) = about.split_once("Example").expect("an example");
    keys.split('`').skip(1).step_by(2).collect()
}

/// Checks that a text is a whole sentence with everything inserted.
fn assert_sentence(text: &str) {
    assert!(!text.contains(['{', '$', '}', '\n']), "{text}");
    assert!(text.ends_with('.') && !text.contains("  "), "{text}");
}
