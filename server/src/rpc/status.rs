//! Errors on the wire: the only place that makes a `tonic::Status`. Every one carries an `ErrorInfo`
//! with a documented reason, and says the same in the caller's language; nothing of the inside ever
//! leaves.

use std::collections::HashMap;
use std::time::Duration;

use seatwise_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use uuid::Uuid;

use super::convert;
use super::denial::forbidden;
use super::language::Language;
use super::parse::too_many;
use super::text;
use crate::domain::{Catalogue, PlanId, ProductId, RequestId};
use crate::edition::Note;
use crate::service::{self, Refusal};

const DOMAIN: &str = "seatwise.dev";
/// A status above some 15 KiB is lost on the way, code and all.
const VIOLATIONS_MAX: usize = 20;
const VIOLATION_CHARS_MAX: usize = 200;
/// What a caller is told to wait if the store, the server or the issuer is away.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A field and what is wrong with it.
pub(super) type Violation = (String, String);

/// Makes a status. The message says what is wrong and what to do about it.
pub(super) fn refuse(reason: ErrorReason, message: String, metadata: &[(&str, String)]) -> Status {
    let details = details(reason, metadata);
    Status::with_error_details(code(reason), message, details)
}

/// Makes the status for fields that are wrong, all of them together.
pub(super) fn invalid(reason: ErrorReason, violations: &[Violation]) -> Status {
    let (field, problem) = &violations[0];
    let metadata = [
        ("field", field.clone()),
        ("violations", violations.len().to_string()),
    ];
    let mut details = details(reason, &metadata);
    for (field, problem) in violations.iter().take(VIOLATIONS_MAX) {
        let problem: String = problem.chars().take(VIOLATION_CHARS_MAX).collect();
        details.add_bad_request_violation(field, problem);
    }
    let more = match violations.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let problem: String = problem.chars().take(VIOLATION_CHARS_MAX).collect();
    Status::with_error_details(code(reason), format!("{field}: {problem}{more}"), details)
}

/// Makes the status for one wrong field.
pub(super) fn invalid_field(field: impl Into<String>, problem: impl Into<String>) -> Status {
    invalid(ErrorReason::InvalidField, &[(field.into(), problem.into())])
}

fn details(reason: ErrorReason, metadata: &[(&str, String)]) -> ErrorDetails {
    let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
    let language = Language::of_call();
    let localized = text::error(language, reason, metadata);
    let pairs = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()));
    let metadata: HashMap<String, String> = pairs.collect();
    let mut details = ErrorDetails::with_error_info(name, DOMAIN, metadata);
    details.set_localized_message(language.tag(), localized);
    if code(reason) == Code::Unavailable {
        details.set_retry_info(Some(RETRY_DELAY));
    }
    details
}

/// The code of each reason, as `error_reason.proto` documents it.
fn code(reason: ErrorReason) -> Code {
    use ErrorReason as R;
    match reason {
        R::InvalidField
        | R::TooManyItems
        | R::DuplicateUser
        | R::ContradictoryChange
        | R::UnknownProduct
        | R::UnknownPlan
        | R::InvalidToken
        | R::PlanMismatch
        | R::InvalidFile => Code::InvalidArgument,
        R::ResourceNotFound => Code::NotFound,
        R::ResourceExists | R::RequestIdReused => Code::AlreadyExists,
        R::EtagMismatch | R::ReaderTooSlow | R::WatchTooSlow => Code::Aborted,
        R::HistoryPruned => Code::OutOfRange,
        R::Unauthenticated => Code::Unauthenticated,
        R::PermissionDenied | R::OwnRights | R::BeyondOwnRights => Code::PermissionDenied,
        R::SeatsBelowAssigned
        | R::PlanStale
        | R::SeatsShort
        | R::ConfirmationRequired
        | R::TooManySelections
        | R::BatchRunning
        | R::ResultsPruned
        | R::ChangesPruned
        | R::LastGlobalAdmin
        | R::TooManyRights => Code::FailedPrecondition,
        R::StoreUnavailable | R::ShuttingDown | R::IssuerUnavailable => Code::Unavailable,
        R::Internal | R::Unspecified => Code::Internal,
    }
}

/// What became of a use case, on the wire.
pub(super) fn from_service(error: service::Error) -> Status {
    match error {
        service::Error::Refused(refusal) => from_refusal(refusal),
        service::Error::Unavailable(error) => {
            tracing::warn!(%error, "store unavailable");
            let message = "the database is unavailable or busy; repeat the call";
            refuse(ErrorReason::StoreUnavailable, message.to_owned(), &[])
        }
        service::Error::File(problems) => {
            let place = |note: &Note| match (note.line, note.column) {
                (0, _) => "file".to_owned(),
                (line, "") => format!("line {line}"),
                (line, column) => format!("line {line}, column {column}"),
            };
            let violations: Vec<Violation> = problems
                .iter()
                .map(|note| (place(note), note.text.clone()))
                .collect();
            invalid(ErrorReason::InvalidFile, &violations)
        }
        service::Error::ShuttingDown => {
            let message = "this server is stopping; repeat or resume in a moment";
            refuse(ErrorReason::ShuttingDown, message.to_owned(), &[])
        }
        error @ (service::Error::Broken(_)
        | service::Error::Random(_)
        | service::Error::Task(_)) => internal(&error),
    }
}

/// A defect: the caller gets an id, the log gets the cause.
pub(super) fn internal(error: &dyn std::error::Error) -> Status {
    let id = Uuid::now_v7().to_string();
    tracing::error!(%error, error_id = %id, "internal error");
    let message = format!("internal error {id}; the server's log says more");
    refuse(ErrorReason::Internal, message, &[("errorId", id)])
}

/// There is no such thing.
pub(super) fn not_found(resource: &'static str, id: String) -> Status {
    from_refusal(Refusal::NotFound { resource, id })
}

fn from_refusal(refusal: Refusal) -> Status {
    match refusal {
        Refusal::NotFound { resource, id } => refuse(
            ErrorReason::ResourceNotFound,
            format!("there is no {resource} {id}"),
            &[("resource", resource.to_owned()), ("id", id)],
        ),
        Refusal::Exists { resource, field } => refuse(
            ErrorReason::ResourceExists,
            format!(
                "the {field} of this {resource} is taken; choose another or use the existing one"
            ),
            &[
                ("resource", resource.to_owned()),
                ("field", field.to_owned()),
            ],
        ),
        Refusal::VersionMismatch {
            resource,
            id,
            version,
        } => refuse(
            ErrorReason::EtagMismatch,
            format!("the {resource} {id} was changed since you read it; read it again"),
            &[
                ("resource", resource.to_owned()),
                ("id", id),
                ("etag", version.to_string()),
            ],
        ),
        Refusal::DuplicateUser { first, second } => {
            let (first, second) = (format!("users[{first}]"), format!("users[{second}]"));
            duplicate_user(first, second)
        }
        Refusal::SelectedTwice { .. }
        | Refusal::TooManySelected { .. }
        | Refusal::TooManySelections { .. } => from_selection(&refusal),
        Refusal::TooManyUsers { .. }
        | Refusal::PlanStale
        | Refusal::ReaderTooSlow
        | Refusal::SeatsShort(_) => from_rehearsal(&refusal),
        Refusal::PlanRetired {
            field,
            product,
            plan,
        } => unknown_plan(field, product, plan),
        Refusal::Forbidden(reason) => forbidden(reason),
        Refusal::BatchRunning(_) | Refusal::ResultsPruned(_) | Refusal::HistoryPruned { .. } => {
            from_past(&refusal)
        }
        Refusal::RequestIdReused
        | Refusal::Unconfirmed(_)
        | Refusal::SeatsBelowAssigned { .. }
        | Refusal::ChangesPruned { .. }
        | Refusal::BeyondJournal => {
            unreachable!("told with what it is bound to by its caller")
        }
    }
}

/// What was done is not done yet, or is no longer known.
fn from_past(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::BatchRunning(batch) => refuse(
            ErrorReason::BatchRunning,
            format!("batch {batch} is still running; wait for its end, or cancel it"),
            &[("batchId", batch.to_string())],
        ),
        Refusal::ResultsPruned(batch) => refuse(
            ErrorReason::ResultsPruned,
            format!(
                "the results of batch {batch} are no longer kept, only its counts; nothing was changed"
            ),
            &[("batchId", batch.to_string())],
        ),
        Refusal::HistoryPruned { position, at } => {
            let at = convert::time(*at).to_string();
            refuse(
                ErrorReason::HistoryPruned,
                format!(
                    "the journal up to position {position}, of {at}, is no longer kept; ask for what \
                     is later"
                ),
                &[("time", at), ("position", position.to_string())],
            )
        }
        _ => unreachable!("{refusal} is told elsewhere"),
    }
}

/// What is wrong with a selection.
fn from_selection(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::SelectedTwice {
            part,
            first,
            second,
        } => {
            let field = |index: &u32| format!("selection.{part}.users.users[{index}]");
            duplicate_user(field(first), field(second))
        }
        Refusal::TooManySelected { max } => refuse(
            ErrorReason::TooManyItems,
            format!("selection: has, or leaves out, more than {max} users; split it by filters"),
            &[
                ("field", "selection".to_owned()),
                ("given", (max + 1).to_string()),
                ("max", max.to_string()),
            ],
        ),
        Refusal::TooManySelections { max } => refuse(
            ErrorReason::TooManySelections,
            format!(
                "the customer has {max} frozen selections; delete one, or wait until one expires"
            ),
            &[("max", max.to_string())],
        ),
        _ => unreachable!("{refusal} is told elsewhere"),
    }
}

/// Why a batch is not accepted, or its preview not shown.
fn from_rehearsal(refusal: &Refusal) -> Status {
    let say = |reason, message: &str| refuse(reason, message.to_owned(), &[]);
    match refusal {
        Refusal::TooManyUsers { given, max } => too_many("users", *given, *max),
        Refusal::PlanStale => say(
            ErrorReason::PlanStale,
            "the request would do something else now than its preview showed; preview it again",
        ),
        Refusal::ReaderTooSlow => say(
            ErrorReason::ReaderTooSlow,
            "the preview was read too slowly; preview again and read without a pause",
        ),
        Refusal::SeatsShort(short) => seats_short(&Catalogue::default(), short),
        _ => unreachable!("{refusal} is told elsewhere"),
    }
}

/// Seats of these products are missing, so many of each.
pub(super) fn seats_short(catalogue: &Catalogue, short: &[(ProductId, i64)]) -> Status {
    let (product, missing) = &short[0];
    let name = |product| name(catalogue, product);
    let metadata = [
        ("productId", product.to_string()),
        ("product", name(*product)),
        ("missing", missing.to_string()),
        ("products", short.len().to_string()),
    ];
    let mut details = details(ErrorReason::SeatsShort, &metadata);
    let text =
        |product: ProductId, missing: i64| format!("{missing} seats of {} missing", name(product));
    for (product, missing) in short.iter().take(VIOLATIONS_MAX) {
        details.add_precondition_failure_violation(
            "SEATS",
            product.to_string(),
            text(*product, *missing),
        );
    }
    let more = match short.len() - 1 {
        0 => String::new(),
        more => format!(" (and of {more} more products)"),
    };
    let message = format!("{}{more}; nothing was changed", text(*product, *missing));
    Status::with_error_details(code(ErrorReason::SeatsShort), message, details)
}

/// The name for people of a product.
pub(super) fn name(catalogue: &Catalogue, product: ProductId) -> String {
    let known = catalogue.product(product);
    known.map_or_else(|| product.to_string(), |known| known.display_name.clone())
}

/// The plan token was made for another request.
pub(super) fn plan_mismatch() -> Status {
    let message = "plan_token: belongs to a request that differs from this one; preview this one";
    let metadata = [("field", "plan_token".to_owned())];
    refuse(ErrorReason::PlanMismatch, message.to_owned(), &metadata)
}

/// What a watch was to tell is no longer kept; `oldest` is the first token that is good.
pub(super) fn changes_pruned(oldest: String) -> Status {
    let message = format!(
        "watch_token: the changes that follow it are no longer kept; read what is so now, and watch \
         on from the oldest token, {oldest}"
    );
    let metadata = [("oldestWatchToken", oldest)];
    refuse(ErrorReason::ChangesPruned, message, &metadata)
}

/// A watch was not read; `token` is where it goes on.
pub(super) fn watch_too_slow(token: String) -> Status {
    let message = format!("the changes were not read for 10 seconds; watch on from {token}");
    refuse(ErrorReason::WatchTooSlow, message, &[("watchToken", token)])
}

/// The request id belongs to another request.
pub(super) fn request_id_reused(request: RequestId) -> Status {
    refuse(
        ErrorReason::RequestIdReused,
        format!("request_id {request} was used for another request; make a new one"),
        &[("requestId", request.to_string())],
    )
}

/// The product does not have the plan, or not any more.
pub(super) fn unknown_plan(field: String, product: ProductId, plan: PlanId) -> Status {
    let message = format!("{field}: the product {product} has no plan {plan}");
    let metadata = [
        ("field", field),
        ("productId", product.to_string()),
        ("planId", plan.to_string()),
    ];
    refuse(ErrorReason::UnknownPlan, message, &metadata)
}

/// Two places of a request name one user.
pub(super) fn duplicate_user(first: String, second: String) -> Status {
    refuse(
        ErrorReason::DuplicateUser,
        format!("{second} is the same user as {first}; name each user once"),
        &[("field", second), ("first", first)],
    )
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::{documented_metadata, error_reasons};
    use super::*;

    #[test]
    fn every_reason_has_a_code_and_is_said_in_the_callers_language() {
        for reason in error_reasons() {
            let keys = documented_metadata(reason).into_iter();
            let metadata: Vec<_> = keys.map(|key| (key, "value".to_owned())).collect();
            for language in Language::ALL {
                let status = language.within(|| refuse(reason, "text".to_owned(), &metadata));
                assert_ne!(status.code(), Code::Ok);
                let info = status.get_details_error_info().expect("an ErrorInfo");
                assert_eq!(info.domain, "seatwise.dev");
                assert!(!info.reason.contains("ERROR_REASON"), "{}", info.reason);
                let said = status.get_details_localized_message().expect("a text");
                assert_eq!(said.locale, language.tag());
                assert_eq!(said.message, text::error(language, reason, &metadata));
            }
        }
    }

    #[test]
    fn a_status_with_very_many_violations_still_fits_on_the_wire() {
        let violation = ("users[99999]".repeat(3), "x".repeat(5_000));
        let status = invalid(ErrorReason::InvalidField, &vec![violation; 10_000]);
        assert!(status.details().len() + status.message().len() < 8 * 1024);
        assert!(status.message().contains("9999 more"));
    }
}
