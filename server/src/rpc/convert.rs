//! Stored things become messages here.

use prost_types::Timestamp as ProtoTimestamp;
use seatwise_proto::v1;

use super::results::code;
use crate::domain::{BatchId, Catalogue, Guard, LaterPlans, PlanChoice, PlanId, ProductId, Terms};
use crate::service::{self, ChangeKind, Timestamp};

pub(super) fn time(time: Timestamp) -> ProtoTimestamp {
    let (seconds, micros) = (time.0.div_euclid(1_000_000), time.0.rem_euclid(1_000_000));
    let nanos = i32::try_from(micros * 1_000).expect("below a second");
    ProtoTimestamp { seconds, nanos }
}

/// A count on the wire. Seats and users are limited far below.
pub(super) fn count(count: i64) -> Option<i32> {
    Some(i32::try_from(count).unwrap_or(if count < 0 { i32::MIN } else { i32::MAX }))
}

pub(super) fn customer(customer: service::Customer) -> v1::Customer {
    let revocation_guard = guard(customer.guard());
    v1::Customer {
        customer_id: customer.customer_id.to_string(),
        display_name: customer.display_name,
        create_time: Some(time(customer.created_at)),
        update_time: Some(time(customer.updated_at)),
        etag: customer.version.to_string(),
        revocation_guard,
    }
}

pub(super) fn guard(guard: Guard) -> Option<v1::RevocationGuard> {
    let limit = |limit: Option<u32>| limit.and_then(|limit| limit.try_into().ok());
    (guard != Guard::default()).then(|| v1::RevocationGuard {
        users_max: limit(guard.users),
        license_percent_max: limit(guard.percent),
    })
}

pub(super) fn user(user: service::User) -> v1::User {
    let state = if user.active {
        v1::user::State::Active
    } else {
        v1::user::State::Inactive
    };
    v1::User {
        user_id: user.user_id.to_string(),
        principal_name: user.principal_name,
        display_name: user.display_name,
        usage_location: user.usage_location.unwrap_or_default(),
        state: state.into(),
        create_time: Some(time(user.created_at)),
        update_time: Some(time(user.updated_at)),
        etag: user.version.to_string(),
        last_active_time: user.last_active_at.map(time),
    }
}

pub(super) fn license(license: service::License, buy_more_url: &str) -> v1::License {
    let seats = license.seats;
    let buy_more = seats.available() <= 0;
    v1::License {
        product_id: license.product.to_string(),
        display_name: license.display_name,
        string_id: license.string_id,
        enabled: count(seats.enabled),
        warning: count(seats.warning),
        suspended: count(seats.suspended),
        total: count(seats.assignable()),
        assigned: count(seats.assigned),
        available: count(seats.available()),
        buy_more: Some(buy_more),
        buy_more_url: if buy_more {
            buy_more_url.to_owned()
        } else {
            String::new()
        },
        update_time: Some(time(license.updated_at)),
        etag: license.version.to_string(),
        later_plans: later_plans(license.later_plans).into(),
    }
}

pub(super) fn later_plans(later: Option<LaterPlans>) -> v1::LaterPlans {
    match later {
        None => v1::LaterPlans::Unspecified,
        Some(LaterPlans::On) => v1::LaterPlans::On,
        Some(LaterPlans::Off) => v1::LaterPlans::Off,
    }
}

/// The policy that a request says; `None` if it says none.
pub(super) fn from_later_plans(later: i32) -> Result<Option<LaterPlans>, &'static str> {
    match v1::LaterPlans::try_from(later) {
        Ok(v1::LaterPlans::Unspecified) => Ok(None),
        Ok(v1::LaterPlans::On) => Ok(Some(LaterPlans::On)),
        Ok(v1::LaterPlans::Off) => Ok(Some(LaterPlans::Off)),
        Err(_) => Err("must be LATER_PLANS_ON or LATER_PLANS_OFF"),
    }
}

pub(super) fn plan_choice(choice: &PlanChoice) -> v1::PlanChoice {
    use v1::plan_choice::Choice;
    let set = |plans: &[PlanId]| v1::PlanSet {
        plan_ids: ids(plans),
    };
    let choice = match choice {
        PlanChoice::AllExcept(plans) => Choice::AllExcept(set(plans)),
        PlanChoice::Only(plans) => Choice::Only(set(plans)),
    };
    v1::PlanChoice {
        choice: Some(choice),
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn ids<T: std::fmt::Display>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

pub(super) fn product(
    product: service::Product,
    plans: Vec<service::PlanOfProduct>,
) -> v1::Product {
    use v1::product::AppliesTo;
    let applies_to = if product.for_company {
        AppliesTo::Company
    } else {
        AppliesTo::User
    };
    let plan = |plan: service::PlanOfProduct| v1::ProductPlan {
        plan_id: plan.plan.to_string(),
        name: plan.name,
        display_name: plan.display_name,
        retired: plan.retired,
    };
    v1::Product {
        product_id: product.product_id.to_string(),
        display_name: product.display_name,
        string_id: product.string_id,
        applies_to: applies_to.into(),
        retired: product.retired,
        plans: plans.into_iter().map(plan).collect(),
        later_plans: later_plans(Some(product.later_plans)).into(),
    }
}

pub(super) fn rule(rule: service::StoredRule) -> v1::Rule {
    use v1::rule::Kind;
    let (kind, usage_location) = match rule.kind {
        1 => (Kind::Excludes, String::new()),
        2 => (Kind::RequiresAnyOf, String::new()),
        _ => (Kind::ProhibitedIn, rule.other),
    };
    let plan_ref = |(plan, name): (PlanId, String)| v1::PlanRef {
        plan_id: plan.to_string(),
        name,
    };
    v1::Rule {
        kind: kind.into(),
        plan: Some(plan_ref((rule.plan, rule.plan_name))),
        others: rule.others.into_iter().map(plan_ref).collect(),
        usage_location,
    }
}

pub(super) fn catalogue_change(change: service::CatalogueChange) -> v1::CatalogueChange {
    use v1::catalogue_change::Kind;
    let kind = match change.kind {
        ChangeKind::Added => Kind::Added,
        ChangeKind::Renamed => Kind::Renamed,
        ChangeKind::Changed => Kind::Changed,
        ChangeKind::Removed => Kind::Removed,
    };
    v1::CatalogueChange {
        kind: kind.into(),
        product_id: change.product.map(|id| id.to_string()).unwrap_or_default(),
        plan_id: change.plan.map(|id| id.to_string()).unwrap_or_default(),
        name: change.name,
        previous_name: change.previous,
    }
}

pub(super) fn batch(batch: &service::Batch) -> v1::Batch {
    use v1::batch::State;
    let state = if batch.has_ended() {
        State::Ended
    } else {
        State::Running
    };
    let batch_id = if batch.is_preview() {
        String::new()
    } else {
        batch.batch_id.to_string()
    };
    let stopped = batch.stopped().map(|stop| code(stop.reason().code()));
    let id = |batch: Option<BatchId>| batch.map(|id| id.to_string()).unwrap_or_default();
    v1::Batch {
        batch_id,
        customer_id: batch.customer_id.to_string(),
        request_id: batch.request_id.to_string(),
        state: state.into(),
        user_count: count(batch.user_count),
        applied_count: count(batch.applied_count),
        unchanged_count: count(batch.unchanged_count),
        failed_count: count(batch.failed_count),
        skipped_count: count(batch.skipped_count),
        create_time: Some(time(batch.created_at)),
        end_time: batch.ended_at.map(time),
        options: Some(batch_options(batch)),
        stopped_by: stopped.unwrap_or_default().into(),
        reverts_batch_id: id(batch.reverts()),
        reverted_by_batch_id: id(batch.reverted_by()),
        retries_batch_id: id(batch.retries()),
        retried_by_batch_id: id(batch.retried_by()),
        results_pruned: batch.is_pruned(),
    }
}

fn batch_options(batch: &service::Batch) -> v1::BatchOptions {
    use v1::batch_options::{Capacity, Mode};
    let (mode, stop_after_failures) = match batch.terms() {
        Terms::BestEffort => (Mode::BestEffort, 0),
        Terms::StopAfter(failures) => (Mode::BestEffort, failures),
        Terms::Atomic => (Mode::Atomic, 0),
    };
    let capacity = match batch.capacity() {
        service::Capacity::FillInOrder => Capacity::FillInOrder,
        service::Capacity::RefuseIfShort => Capacity::RefuseIfShort,
    };
    v1::BatchOptions {
        mode: mode.into(),
        capacity: capacity.into(),
        stop_after_failures: stop_after_failures.cast_signed(),
    }
}

/// A product by id and name.
pub(super) fn product_ref(catalogue: &Catalogue, id: ProductId) -> v1::ProductRef {
    let product = catalogue.product(id);
    v1::ProductRef {
        product_id: id.to_string(),
        display_name: product
            .map(|product| product.display_name.clone())
            .unwrap_or_default(),
    }
}

/// A plan by id and name.
pub(super) fn plan_ref(catalogue: &Catalogue, id: PlanId) -> v1::PlanRef {
    v1::PlanRef {
        plan_id: id.to_string(),
        name: catalogue.plan_name(id).to_owned(),
    }
}
