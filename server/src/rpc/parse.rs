//! Requests become domain types here, once. Everything that is wrong with a request is told together.

use std::collections::{HashMap, HashSet};

use seatwise_proto::v1::{self, ErrorReason};
use tonic::Status;
use uuid::Uuid;

use super::status::{Violation, duplicate_user, invalid, refuse, unknown_plan};
use crate::domain::{
    Assign, Catalogue, Change, Country, CustomerId, PlanChoice, PlanId, ProductId, RequestId,
    UserRef,
};
use crate::service::Refusal;

/// Products that a change may assign, and again so many that it may revoke.
pub(super) const CHANGE_PRODUCTS_MAX: usize = 100;
/// Plans that a choice may name.
const CHOICE_PLANS_MAX: usize = 1_000;
/// Violations that are collected before the rest of a request is left unread.
const VIOLATIONS_MAX: usize = 1_000;
const PAGE_SIZE: i64 = 50;
const PAGE_SIZE_MAX: i64 = 1_000;

/// Collects what is wrong with the fields of a request.
#[derive(Default)]
pub(super) struct Fields(Vec<Violation>);

impl Fields {
    /// Takes a parsed value, or notes what is wrong with it.
    pub(super) fn take<T>(
        &mut self,
        field: impl Into<String>,
        value: Result<T, &'static str>,
    ) -> Option<T> {
        value.map_err(|problem| self.wrong(field, problem)).ok()
    }

    pub(super) fn wrong(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push((field.into(), problem.into()));
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= VIOLATIONS_MAX
    }

    /// Refuses the request if anything is wrong.
    pub(super) fn check(&self) -> Result<(), Status> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(invalid(ErrorReason::InvalidField, &self.0))
        }
    }

    /// The value, all fields being right; without one a field is missing.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        self.check()?;
        Ok(value.expect("a value that is missing was noted as wrong"))
    }
}

pub(super) fn customer_id(text: &str) -> Result<CustomerId, Status> {
    let mut fields = Fields::default();
    let id = fields.take("customer_id", CustomerId::parse(text));
    fields.finish(id)
}

pub(super) fn product_id(text: &str) -> Result<ProductId, Status> {
    let mut fields = Fields::default();
    let id = fields.take("product_id", ProductId::parse(text));
    fields.finish(id)
}

/// An id chosen by the caller, or a new one.
pub(super) fn optional_id(text: &str) -> Result<Uuid, &'static str> {
    if text.is_empty() {
        Ok(Uuid::now_v7())
    } else {
        RequestId::parse(text).map(|id| id.0)
    }
}

/// An etag that was given out as a version, if there is one.
pub(super) fn etag(text: &str) -> Result<Option<i64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| "must be an etag that was read, or empty")
}

pub(super) fn country(text: &str) -> Result<Option<Country>, &'static str> {
    if text.is_empty() {
        Ok(None)
    } else {
        Country::parse(text).map(Some)
    }
}

/// Whether a user is active; `None` if the request does not say.
pub(super) fn state(state: i32) -> Result<Option<bool>, &'static str> {
    match v1::user::State::try_from(state) {
        Ok(v1::user::State::Unspecified) => Ok(None),
        Ok(v1::user::State::Active) => Ok(Some(true)),
        Ok(v1::user::State::Inactive) => Ok(Some(false)),
        Err(_) => Err("must be STATE_ACTIVE or STATE_INACTIVE"),
    }
}

/// A time within the years 1 to 9999, in microseconds since 1970.
pub(super) fn time(time: &prost_types::Timestamp) -> Result<i64, &'static str> {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    if !YEARS.contains(&time.seconds) || !(0..1_000_000_000).contains(&time.nanos) {
        return Err("must be a time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z");
    }
    Ok(time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000)
}

pub(super) fn page_size(size: i32) -> Result<i64, Status> {
    match i64::from(size) {
        0 => Ok(PAGE_SIZE),
        ..0 => Err(super::status::invalid_field(
            "page_size",
            "must not be negative; 0 means 50",
        )),
        size => Ok(size.min(PAGE_SIZE_MAX)),
    }
}

/// A batch request that is right in itself.
pub(super) struct ParsedBatch {
    /// The distinct changes.
    pub(super) changes: Vec<Change>,
    /// The users, each with the number of its change.
    pub(super) users: Vec<(UserRef, u32)>,
    /// Refuses the request as things are now, unless it was accepted when they were different.
    pub(super) unless_accepted: Option<Refusal>,
}

/// Collects the parts of a batch request, whichever way they come.
pub(super) struct BatchParser<'a> {
    catalogue: &'a Catalogue,
    users_max: usize,
    fields: Fields,
    changes: Vec<Change>,
    numbers: HashMap<Change, u32>,
    users: Vec<(UserRef, u32)>,
    shared: Option<u32>,
    has_users: bool,
    has_own: bool,
    retired: Option<Refusal>,
    seen: HashMap<UserRef, u32>,
}

impl<'a> BatchParser<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, users_max: usize) -> Self {
        Self {
            catalogue,
            users_max,
            fields: Fields::default(),
            changes: Vec::new(),
            numbers: HashMap::new(),
            users: Vec::new(),
            shared: None,
            has_users: false,
            has_own: false,
            retired: None,
            seen: HashMap::new(),
        }
    }

    /// The change for all of `users`.
    pub(super) fn shared_change(&mut self, change: &v1::Change) -> Result<(), Status> {
        let change = self.change("change", change)?;
        self.shared = Some(self.number(change));
        Ok(())
    }

    fn number(&mut self, change: Change) -> u32 {
        if let Some(number) = self.numbers.get(&change) {
            return *number;
        }
        let number = u32::try_from(self.changes.len()).expect("fewer than users");
        self.changes.push(change.clone());
        self.numbers.insert(change, number);
        number
    }

    /// Users who get the shared change.
    pub(super) fn users(&mut self, users: Vec<String>) -> Result<(), Status> {
        self.has_users |= !users.is_empty();
        let Some(change) = self.shared else {
            return Ok(());
        };
        self.check_count("users", users.len())?;
        for text in users {
            let field = |index| format!("users[{index}]");
            self.user(&text, change, field)?;
        }
        Ok(())
    }

    /// Users with a change of their own.
    pub(super) fn user_changes(&mut self, changes: Vec<v1::UserChange>) -> Result<(), Status> {
        self.has_own |= !changes.is_empty();
        if self.shared.is_some() {
            return Ok(());
        }
        self.check_count("user_changes", changes.len())?;
        for own in changes {
            let path = format!("user_changes[{}].change", self.users.len());
            let change = match &own.change {
                Some(change) => self.change(&path, change)?,
                None => {
                    self.fields.wrong(path, "is required");
                    Change::default()
                }
            };
            let number = self.number(change);
            self.user(&own.user, number, |index| {
                format!("user_changes[{index}].user")
            })?;
        }
        Ok(())
    }

    fn change(&mut self, path: &str, change: &v1::Change) -> Result<Change, Status> {
        let change = parse_change(self.catalogue, &mut self.fields, path, change)?;
        if self.retired.is_none() {
            self.retired = retired_plan(self.catalogue, path, &change);
        }
        Ok(change)
    }

    fn user(
        &mut self,
        text: &str,
        change: u32,
        field: impl Fn(u32) -> String,
    ) -> Result<(), Status> {
        if self.fields.is_full() {
            return self.fields.check();
        }
        let index = u32::try_from(self.users.len()).expect("the number of users is limited");
        // A wrong user still takes its place, so that the places after it are named right.
        let user = self.fields.take(field(index), UserRef::parse(text));
        let user = user.unwrap_or(UserRef::Id(crate::domain::UserId(Uuid::from_u128(
            u128::MAX - u128::from(index),
        ))));
        if let Some(first) = self.seen.insert(user.clone(), index) {
            return Err(duplicate_user(field(first), field(index)));
        }
        self.users.push((user, change));
        Ok(())
    }

    fn check_count(&self, field: &str, more: usize) -> Result<(), Status> {
        let given = self.users.len() + more;
        if given <= self.users_max {
            return Ok(());
        }
        Err(too_many(field, given, self.users_max))
    }

    /// The request, if there is nothing wrong with any part of it.
    pub(super) fn finish(mut self) -> Result<ParsedBatch, Status> {
        if self.has_own && (self.shared.is_some() || self.has_users) {
            self.fields
                .wrong("user_changes", "cannot be combined with change and users");
        } else if self.has_users && self.shared.is_none() {
            self.fields.wrong("change", "is required with users");
        } else if !self.has_users && !self.has_own {
            let problem = "must name at least one user, here or in user_changes";
            self.fields.wrong("users", problem);
        }
        self.fields.check()?;
        Ok(ParsedBatch {
            changes: self.changes,
            users: self.users,
            unless_accepted: self.retired,
        })
    }
}

pub(super) fn too_many(field: &str, given: usize, max: usize) -> Status {
    let metadata = [
        ("field", field.to_owned()),
        ("given", given.to_string()),
        ("max", max.to_string()),
    ];
    let message =
        format!("{field} has {given} items, at most {max} are allowed; split the request");
    refuse(ErrorReason::TooManyItems, message, &metadata)
}

fn parse_change(
    catalogue: &Catalogue,
    fields: &mut Fields,
    path: &str,
    change: &v1::Change,
) -> Result<Change, Status> {
    for (field, len) in [
        ("assign", change.assign.len()),
        ("revoke_product_ids", change.revoke_product_ids.len()),
    ] {
        if len > CHANGE_PRODUCTS_MAX {
            return Err(too_many(
                &format!("{path}.{field}"),
                len,
                CHANGE_PRODUCTS_MAX,
            ));
        }
    }
    if change.assign.is_empty() && change.revoke_product_ids.is_empty() {
        fields.wrong(path, "must assign or revoke at least one product");
    }
    let mut parsed = Change::default();
    let mut seen = HashSet::new();
    for (index, assign) in change.assign.iter().enumerate() {
        let field = format!("{path}.assign[{index}]");
        let id_field = format!("{field}.product_id");
        if let Some(product) =
            named_product(catalogue, fields, &id_field, &assign.product_id, &mut seen)?
        {
            let plans = match &assign.plans {
                None => None,
                Some(plans) => {
                    parse_choice(catalogue, fields, &format!("{field}.plans"), product, plans)?
                }
            };
            parsed.assign.push(Assign { product, plans });
        }
    }
    for (index, product) in change.revoke_product_ids.iter().enumerate() {
        let field = format!("{path}.revoke_product_ids[{index}]");
        parsed.revoke.extend(named_product(
            catalogue, fields, &field, product, &mut seen,
        )?);
    }
    Ok(parsed)
}

/// A plan that the change turns on and its product no longer has. To leave one out is right: choices
/// made before it was retired do so.
fn retired_plan(catalogue: &Catalogue, path: &str, change: &Change) -> Option<Refusal> {
    change
        .assign
        .iter()
        .enumerate()
        .find_map(|(index, assign)| {
            let product = catalogue.product(assign.product)?;
            let Some(PlanChoice::Only(plans)) = &assign.plans else {
                return None;
            };
            let is_retired = |plan: &&PlanId| catalogue.has_plan(product, **plan) == Some(true);
            plans
                .iter()
                .find(is_retired)
                .map(|plan| Refusal::PlanRetired {
                    field: format!("{path}.assign[{index}].plans.only.plan_ids"),
                    product: assign.product,
                    plan: *plan,
                })
        })
}

fn named_product(
    catalogue: &Catalogue,
    fields: &mut Fields,
    field: &str,
    text: &str,
    seen: &mut HashSet<ProductId>,
) -> Result<Option<ProductId>, Status> {
    let Some(product) = fields.take(field, ProductId::parse(text)) else {
        return Ok(None);
    };
    let metadata = [
        ("field", field.to_owned()),
        ("productId", product.to_string()),
    ];
    if catalogue.product(product).is_none() {
        let message = format!("{field}: the catalogue has no product {product}");
        return Err(refuse(ErrorReason::UnknownProduct, message, &metadata));
    }
    if !seen.insert(product) {
        let message = format!("{field}: the change names the product {product} twice");
        return Err(refuse(ErrorReason::ContradictoryChange, message, &metadata));
    }
    Ok(Some(product))
}

fn parse_choice(
    catalogue: &Catalogue,
    fields: &mut Fields,
    path: &str,
    product: ProductId,
    choice: &v1::PlanChoice,
) -> Result<Option<PlanChoice>, Status> {
    use v1::plan_choice::Choice;
    let (name, set) = match &choice.choice {
        None => {
            fields.wrong(path, "must say all_except or only");
            return Ok(None);
        }
        Some(Choice::AllExcept(set)) => ("all_except", set),
        Some(Choice::Only(set)) => ("only", set),
    };
    if set.plan_ids.len() > CHOICE_PLANS_MAX {
        return Err(too_many(
            &format!("{path}.{name}.plan_ids"),
            set.plan_ids.len(),
            CHOICE_PLANS_MAX,
        ));
    }
    let only = matches!(choice.choice, Some(Choice::Only(_)));
    let entry = catalogue.product(product).expect("checked before");
    let mut plans = Vec::with_capacity(set.plan_ids.len());
    for (index, text) in set.plan_ids.iter().enumerate() {
        let field = format!("{path}.{name}.plan_ids[{index}]");
        let Some(plan) = fields.take(field.clone(), PlanId::parse(text)) else {
            continue;
        };
        if catalogue.has_plan(entry, plan).is_none() {
            return Err(unknown_plan(field, product, plan));
        }
        plans.push(plan);
    }
    let given = plans.len();
    plans.sort_unstable();
    plans.dedup();
    if plans.len() < given {
        fields.wrong(
            format!("{path}.{name}.plan_ids"),
            "must not name a plan twice",
        );
    }
    Ok(Some(if only {
        PlanChoice::Only(plans)
    } else {
        PlanChoice::AllExcept(plans)
    }))
}
