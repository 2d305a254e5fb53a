//! Violations become messages here, and what is asked of them is read.

use seatwise_proto::v1;
use tonic::Status;

use super::convert::{count, product_ref};
use super::filter::violation_filter;
use super::language::Language;
use super::parse::Fields;
use super::results::reason;
use super::text;
use crate::domain::{Catalogue, CustomerId, Reason, ViolationFilter};
use crate::service::Violator;

/// The customer that a request names, and which of its violations.
pub(super) fn customer_and_filter(
    (customer, filter): (&str, Option<&v1::ViolationFilter>),
) -> Result<(CustomerId, ViolationFilter), Status> {
    let mut fields = Fields::default();
    let customer = fields.take("customer_id", CustomerId::parse(customer));
    let filter = match filter {
        None => Some(ViolationFilter::default()),
        Some(filter) => violation_filter(&mut fields, "filter", filter),
    };
    fields.finish(customer.zip(filter))
}

/// A user with violations.
pub(super) fn violator(catalogue: &Catalogue, violator: Violator) -> v1::Violator {
    let violations = violator.violations.into_iter().map(|violation| {
        let products = violation.products.into_iter();
        let reason = reason(catalogue, &violation.reason);
        v1::Violation {
            text: text::reason(Language::of_call(), &reason),
            reason: Some(reason),
            products: products.map(|id| product_ref(catalogue, id)).collect(),
        }
    });
    let violations = violations.collect();
    v1::Violator {
        user_id: violator.user.user_id.to_string(),
        principal_name: violator.user.principal_name,
        display_name: violator.user.display_name,
        violations,
    }
}

/// Rules that so many users break.
pub(super) fn broken_rules(catalogue: &Catalogue, rules: &[(Reason, u64)]) -> Vec<v1::BrokenRule> {
    let rule = |(why, users): &(Reason, u64)| {
        let reason = reason(catalogue, why);
        v1::BrokenRule {
            text: text::reason(Language::of_call(), &reason),
            reason: Some(reason),
            user_count: count(users.cast_signed()),
        }
    };
    rules.iter().map(rule).collect()
}
