//! Batch requests become domain types here, whichever way they come.

use std::collections::HashMap;

use seatwise_proto::v1;
use tonic::Status;
use uuid::Uuid;

use super::change::{parse_change, retired_plan};
use super::parse::{Fields, too_many};
use super::selections::parse_selection;
use super::status::duplicate_user;
use crate::domain::{
    Catalogue, Change, Origin, RequestId, Scope, Selection, Terms, UserId, UserRef,
};
use crate::service::{ATOMIC_USERS_MAX, BatchRequest, Capacity, Refusal, Users};

/// The customer, the caller's name for the request, and who asks for it.
pub(super) type Names = (Scope, RequestId, Origin);

/// A batch request that is right in itself.
pub(super) struct ParsedBatch {
    /// The distinct changes.
    pub(super) changes: Vec<Change>,
    /// The users, each with the number of its change.
    pub(super) users: Users,
    /// How they are judged.
    pub(super) terms: Terms,
    /// What to do when seats are short.
    pub(super) capacity: Capacity,
    /// True if the users came in `user_changes`.
    pub(super) has_own: bool,
    /// Refuses the request as things are now, unless it was accepted when they were different.
    pub(super) unless_accepted: Option<Refusal>,
}

impl ParsedBatch {
    /// The request; the flag says whether the users came in `user_changes`.
    pub(super) fn with_names(self, (scope, id, origin): Names) -> (BatchRequest, bool) {
        let has_own = self.has_own;
        let request = BatchRequest {
            scope,
            request: id,
            origin,
            changes: self.changes,
            users: self.users,
            terms: self.terms,
            capacity: self.capacity,
            promised: None,
            confirmed: None,
            unless_accepted: self.unless_accepted,
        };
        (request, has_own)
    }
}

/// Reads how a batch is carried out. What is wrong is noted.
pub(super) fn parse_options(
    fields: &mut Fields,
    options: &v1::BatchOptions,
) -> Option<(Terms, Capacity)> {
    use v1::batch_options::{Capacity as Short, Mode};
    let is_atomic = match Mode::try_from(options.mode) {
        Ok(Mode::Unspecified | Mode::BestEffort) => Ok(false),
        Ok(Mode::Atomic) => Ok(true),
        Err(_) => Err("must be MODE_BEST_EFFORT or MODE_ATOMIC"),
    };
    let is_atomic = fields.take("options.mode", is_atomic)?;
    let capacity = match Short::try_from(options.capacity) {
        Ok(Short::Unspecified | Short::FillInOrder) => Ok(Capacity::FillInOrder),
        Ok(Short::RefuseIfShort) => Ok(Capacity::RefuseIfShort),
        Err(_) => Err("must be CAPACITY_FILL_IN_ORDER or CAPACITY_REFUSE_IF_SHORT"),
    };
    let capacity = fields.take("options.capacity", capacity)?;
    let terms = match u32::try_from(options.stop_after_failures) {
        Err(_) => Err("must not be negative; 0 means never"),
        Ok(0) if is_atomic => Ok(Terms::Atomic),
        Ok(_) if is_atomic => Err("cannot be combined with MODE_ATOMIC"),
        Ok(0) => Ok(Terms::BestEffort),
        Ok(failures) => Ok(Terms::StopAfter(failures)),
    };
    let terms = fields.take("options.stop_after_failures", terms)?;
    Some((terms, capacity))
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
    selection: Option<Selection>,
    has_selection: bool,
    has_users: bool,
    has_own: bool,
    terms: Terms,
    capacity: Capacity,
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
            selection: None,
            has_selection: false,
            has_users: false,
            has_own: false,
            terms: Terms::default(),
            capacity: Capacity::default(),
            retired: None,
            seen: HashMap::new(),
        }
    }

    /// How the batch is carried out.
    pub(super) fn options(&mut self, options: &v1::BatchOptions) {
        if let Some((terms, capacity)) = parse_options(&mut self.fields, options) {
            (self.terms, self.capacity) = (terms, capacity);
        }
        if self.terms == Terms::Atomic {
            self.users_max = self.users_max.min(ATOMIC_USERS_MAX);
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

    /// The users who get the shared change, instead of `users`.
    pub(super) fn selection(&mut self, selection: &v1::Selection) -> Result<(), Status> {
        self.has_selection = true;
        self.selection = parse_selection(&mut self.fields, "selection", Some(selection))?;
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
        let user = user.unwrap_or(UserRef::Id(UserId(Uuid::from_u128(
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
        let shares = self.has_users || self.has_selection;
        if self.has_own && (self.shared.is_some() || shares) {
            let problem = "cannot be combined with change, users and selection";
            self.fields.wrong("user_changes", problem);
        } else if self.has_users && self.has_selection {
            self.fields
                .wrong("selection", "cannot be combined with users");
        } else if shares && self.shared.is_none() {
            let with = if self.has_users { "users" } else { "selection" };
            self.fields
                .wrong("change", format!("is required with {with}"));
        } else if !shares && !self.has_own {
            let problem = "must name at least one user, here or in selection or user_changes";
            self.fields.wrong("users", problem);
        }
        self.fields.check()?;
        Ok(ParsedBatch {
            changes: self.changes,
            users: match self.selection {
                Some(selection) => Users::Selected(selection),
                None => Users::Listed(self.users),
            },
            terms: self.terms,
            capacity: self.capacity,
            has_own: self.has_own,
            unless_accepted: self.retired,
        })
    }
}
