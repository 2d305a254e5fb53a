//! Why somebody may not do something: who it is is not known, a role is missing, or a rule about rights stands
//! against it.

use seatwise_proto::v1::ErrorReason;
use tonic::Status;

use super::status::{invalid_field, not_found, refuse};
use crate::domain::{CustomerId, Forbidden};

/// The customer does not exist; or not for this caller, which must look the same.
pub(super) fn customer_not_found(customer: CustomerId) -> Status {
    not_found("customer", customer.to_string())
}

/// Why somebody's rights are not changed.
pub(super) fn forbidden(reason: Forbidden) -> Status {
    let say = |reason, message: &str| refuse(reason, message.to_owned(), &[]);
    match reason {
        Forbidden::OwnRights => say(
            ErrorReason::OwnRights,
            "nobody changes the own rights; ask another global admin to do it",
        ),
        Forbidden::BeyondOwnRights => say(
            ErrorReason::BeyondOwnRights,
            "nobody gives what they do not have themselves: roles, customers or time; give less, or ask a \
             global admin",
        ),
        Forbidden::LastAdmin => say(
            ErrorReason::LastGlobalAdmin,
            "nobody would be left who can give rights; make another global admin first",
        ),
        Forbidden::TooMany(what, max) => refuse(
            ErrorReason::TooManyRights,
            format!(
                "there are {max} {what}, as many as there can be; delete what is no longer needed"
            ),
            &[("what", what.to_owned()), ("max", max.to_string())],
        ),
        Forbidden::NotByKey => invalid_field(
            "principal_id",
            "is no principal of KIND_KEY; it proves who it is in another way",
        ),
        Forbidden::NoPrincipal(_)
        | Forbidden::NoGrant(_)
        | Forbidden::NoKey(_)
        | Forbidden::NameTaken => unreachable!("told as missing or as existing"),
    }
}

/// The call does not prove who makes it.
pub(super) fn unauthenticated(problem: &'static str) -> Status {
    let message = match problem {
        "missing" => "say who you are: send `authorization: Bearer` with an API key or a token",
        "expired" => "what was sent to prove who you are has expired; get a new key or token",
        "revoked" => "the key that was sent was revoked; get a new one",
        _ => {
            "what was sent does not prove who you are; send an API key or a token that is good here"
        }
    };
    let metadata = [("problem", problem.to_owned())];
    refuse(ErrorReason::Unauthenticated, message.to_owned(), &metadata)
}

/// Who calls cannot be known before the issuer tells its keys.
pub(super) fn issuer_unavailable() -> Status {
    let message = "the issuer of tokens does not answer; repeat the call";
    refuse(ErrorReason::IssuerUnavailable, message.to_owned(), &[])
}

/// The caller has no role for this.
pub(super) fn permission_denied(call: &'static str) -> Status {
    let message =
        format!("no role of yours may do this ({call}); ask who gives rights here for it");
    refuse(
        ErrorReason::PermissionDenied,
        message,
        &[("call", call.to_owned())],
    )
}
