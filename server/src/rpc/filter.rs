//! Filters of users, wherever a request has one.

use seatwise_proto::v1;

use super::parse::{self, Fields};
use crate::domain::{BatchId, PlanId, ProductId, UserFilter, Violation, ViolationFilter, fold};

/// Longest text to search for, in bytes.
const SEARCH_BYTES_MAX: usize = 256;

/// Reads the filter at `path`; `None` if something is wrong with it, which `fields` then knows.
pub(super) fn user_filter(
    fields: &mut Fields,
    path: &str,
    filter: &v1::UserFilter,
) -> Option<UserFilter> {
    let field = |name: &str| format!("{path}.{name}");
    let search = fields.take(field("search"), search(&filter.search));
    let active = fields.take(field("state"), parse::state(filter.state));
    let location = filter.usage_location.as_deref().map(parse::country);
    let location = fields.take(field("usage_location"), location.transpose());
    let holds = optional(&filter.holds_product_id, ProductId::parse);
    let holds = fields.take(field("holds_product_id"), holds);
    let lacks = optional(&filter.lacks_product_id, ProductId::parse);
    let lacks = fields.take(field("lacks_product_id"), lacks);
    let plan = optional(&filter.holds_plan_id, PlanId::parse);
    let plan = fields.take(field("holds_plan_id"), plan);
    let batch = optional(&filter.failed_in_batch_id, BatchId::parse);
    let batch = fields.take(field("failed_in_batch_id"), batch);
    let since = filter.not_active_since.as_ref().map(parse::time);
    let since = fields.take(field("not_active_since"), since.transpose());
    Some(UserFilter {
        search: search?,
        active: active?,
        usage_location: location?,
        holds_product: holds?,
        lacks_product: lacks?,
        holds_plan: plan?,
        failed_in: batch?,
        not_active_since: since?,
    })
}

/// Reads the filter of violations at `path`; `None` if something is wrong with it, which `fields`
/// then knows.
pub(super) fn violation_filter(
    fields: &mut Fields,
    path: &str,
    filter: &v1::ViolationFilter,
) -> Option<ViolationFilter> {
    let field = |name: &str| format!("{path}.{name}");
    let code = fields.take(field("code"), violation_code(filter.code));
    let product = optional(&filter.product_id, ProductId::parse);
    let product = fields.take(field("product_id"), product);
    let plan = optional(&filter.plan_id, PlanId::parse);
    let plan = fields.take(field("plan_id"), plan);
    Some(ViolationFilter {
        code: code?,
        product: product?,
        plan: plan?,
    })
}

/// The code of a violation's reason; `None` if the request does not say.
fn violation_code(code: i32) -> Result<Option<&'static str>, &'static str> {
    const PROBLEM: &str = "must be REASON_CODE_MUTUALLY_EXCLUSIVE_PLANS, \
        REASON_CODE_PREREQUISITE_MISSING, REASON_CODE_USAGE_LOCATION_MISSING, \
        REASON_CODE_USAGE_LOCATION_PROHIBITED or REASON_CODE_PRODUCT_NOT_FOR_USERS";
    match v1::ReasonCode::try_from(code) {
        Ok(v1::ReasonCode::Unspecified) => Ok(None),
        Ok(wanted) => {
            let known = Violation::CODES.into_iter();
            let mut known = known.filter(|name| super::results::code(name) == wanted);
            known.next().map(Some).ok_or(PROBLEM)
        }
        Err(_) => Err(PROBLEM),
    }
}

/// A text that names begin with, folded as they are.
pub(super) fn search(text: &str) -> Result<Option<String>, &'static str> {
    if text.len() > SEARCH_BYTES_MAX {
        return Err("must have at most 256 bytes");
    }
    Ok((!text.is_empty()).then(|| fold(text)))
}

/// An id, or nothing.
pub(super) fn optional<T>(
    text: &str,
    parse: fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, &'static str> {
    (!text.is_empty()).then(|| parse(text)).transpose()
}
