//! Requests become domain types here, once. Everything that is wrong with a request is told together.

use seatwise_proto::v1::{self, ErrorReason};
use tonic::Status;
use uuid::Uuid;

use super::status::{Violation, invalid, refuse};
use crate::domain::{Country, CustomerId, ProductId, RequestId};

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
