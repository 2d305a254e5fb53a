//! Records of the journal become messages here.

use seatwise_proto::v1::record::Details;
use seatwise_proto::v1::{self, RecordKind};

use super::convert;
use super::principals::grant as convert_grant;
use super::results::code;
use crate::domain::{
    AccessRecord, Catalogue, CatalogueRecord, ChoiceId, Choices, Edit, Moved, ProductId, Record,
    SeatsSet, UserFields,
};
use crate::service::Timestamp;

/// A record, with the choices that it names as far as they are known.
pub(super) fn record(record: &Record, choices: &Choices, catalogue: &Catalogue) -> v1::Record {
    let (kind, thing) = record.key();
    // The numbers of the protocol are those of the journal.
    let kind = RecordKind::try_from(i32::from(kind as i16)).unwrap_or_default();
    v1::Record {
        kind: kind.into(),
        thing_id: thing.to_string(),
        details: details(record, choices, catalogue),
        product_name: catalogue
            .product(ProductId(thing))
            .map(|product| product.display_name.clone())
            .unwrap_or_default(),
    }
}

fn details(record: &Record, choices: &Choices, catalogue: &Catalogue) -> Option<Details> {
    let user = |fields: &UserFields, active_before, active_after| v1::UserRecord {
        changed_fields: changed_fields(fields, active_before, active_after),
        active_before,
        active_after,
    };
    let none = UserFields::default();
    Some(match record {
        Record::Assignments(_, edits) => Details::Assignments(v1::AssignmentsRecord {
            edits: edits
                .iter()
                .map(|one| edit(one, choices, catalogue))
                .collect(),
        }),
        Record::UserCreated(_, active) => Details::User(user(&none, None, Some(*active))),
        Record::UserDeleted(_, active) => Details::User(user(&none, Some(*active), None)),
        Record::UserUpdated(_, fields, [before, after]) => {
            Details::User(user(fields, Some(*before), Some(*after)))
        }
        Record::SeatsSet(_, before, after) => Details::Seats(v1::SeatsRecord {
            before: before.map(seats),
            after: Some(seats(*after)),
        }),
        Record::LaterPlansSet(_, [before, after]) => Details::LaterPlans(v1::LaterPlansRecord {
            before: convert::later_plans(*before).into(),
            after: convert::later_plans(*after).into(),
        }),
        Record::SeatsMoved(_, moved) => Details::SeatsMoved(seats_moved(moved)),
        Record::CustomerCreated(_)
        | Record::CustomerRenamed(_)
        | Record::BatchCancelled(_)
        | Record::SelectionDeleted(_) => return None,
        Record::GuardSet(_, [before, after]) => Details::Guard(v1::GuardRecord {
            before: convert::guard(*before),
            after: convert::guard(*after),
        }),
        Record::BatchAccepted(_, [users, confirmed], request) => {
            Details::BatchAccepted(v1::BatchAcceptedRecord {
                user_count: convert::count(*users),
                confirmed_user_count: convert::count(*confirmed),
                request_hash: convert::hex(request),
            })
        }
        Record::BatchEnded(_, [applied, unchanged, failed, skipped], stopped) => {
            let stopped = stopped.map(|stop| code(stop.reason().code()));
            Details::BatchEnded(v1::BatchEndedRecord {
                applied_count: convert::count(*applied),
                unchanged_count: convert::count(*unchanged),
                failed_count: convert::count(*failed),
                skipped_count: convert::count(*skipped),
                stopped_by: stopped.unwrap_or_default().into(),
            })
        }
        Record::SelectionCreated(_, users) => Details::Selection(v1::SelectionRecord {
            user_count: convert::count(*users),
        }),
        Record::ChoiceNumbered(_, number, plans) => Details::Choice(v1::ChoiceRecord {
            number: number.0,
            plans: Some(convert::plan_choice(plans)),
        }),
        Record::Catalogue(record) => Details::Catalogue(catalogue_record(record)),
        Record::JournalPruned(_, cut) => Details::JournalPruned(v1::JournalPrunedRecord {
            position: cut.position,
            commit_time: Some(convert::time(Timestamp(cut.at))),
            hash: convert::hex(&cut.hash),
        }),
        Record::Access(record) => Details::Access(access_record(record)),
    })
}

/// The fields of `User` that an update has changed.
fn changed_fields(
    fields: &UserFields,
    active_before: Option<bool>,
    active_after: Option<bool>,
) -> Vec<String> {
    let is_update = active_before.is_some() && active_after.is_some();
    let changed = [
        ("principal_name", fields.principal_name),
        ("display_name", fields.display_name),
        ("usage_location", fields.usage_location),
        ("last_active_time", fields.last_active),
        ("state", is_update && active_before != active_after),
    ];
    let changed = changed.iter().filter(|(_, is_changed)| *is_changed);
    changed.map(|(name, _)| (*name).to_owned()).collect()
}

fn edit(edit: &Edit, choices: &Choices, catalogue: &Catalogue) -> v1::AssignmentEdit {
    let plans = |choice: Option<ChoiceId>| {
        choice.map(|choice| {
            let plans = choices.get(choice).map(convert::plan_choice);
            plans.unwrap_or_default()
        })
    };
    v1::AssignmentEdit {
        product: Some(convert::product_ref(catalogue, edit.product)),
        plans_before: plans(edit.before),
        plans_after: plans(edit.after),
    }
}

fn seats([enabled, warning, suspended]: SeatsSet) -> v1::SeatNumbers {
    v1::SeatNumbers {
        enabled: convert::count(enabled),
        warning: convert::count(warning),
        suspended: convert::count(suspended),
    }
}

fn seats_moved(moved: &Moved) -> v1::SeatsMovedRecord {
    v1::SeatsMovedRecord {
        before: convert::count(moved.before),
        after: convert::count(moved.after()),
        given: convert::count(moved.given),
        taken: convert::count(moved.taken),
        changed: convert::count(moved.changed),
    }
}

fn catalogue_record(record: &CatalogueRecord) -> v1::CatalogueRecord {
    use v1::catalogue_change::Kind;
    let kind = match record.kind {
        1 => Kind::Added,
        2 => Kind::Renamed,
        3 => Kind::Changed,
        4 => Kind::Removed,
        _ => Kind::Unspecified,
    };
    let change = v1::CatalogueChange {
        kind: kind.into(),
        product_id: record.product.map(|id| id.to_string()).unwrap_or_default(),
        plan_id: record.plan.map(|id| id.to_string()).unwrap_or_default(),
        name: record.now.clone(),
        previous_name: record.before.clone(),
    };
    v1::CatalogueRecord {
        change: Some(change),
    }
}

fn access_record(record: &AccessRecord) -> v1::AccessRecord {
    let is_key = matches!(record.kind, 5 | 6);
    let expire_time = record.expires_at.map(|end| convert::time(Timestamp(end)));
    let grant = matches!(record.kind, 3 | 4).then(|| v1::Grant {
        grant_id: record.thing.to_string(),
        expire_time,
        create_time: None,
        ..convert_grant(record.roles, &record.customers)
    });
    v1::AccessRecord {
        // The numbers of the protocol are those of the journal.
        kind: record.kind.into(),
        grant,
        key_id: if is_key {
            record.thing.to_string()
        } else {
            String::new()
        },
        key_expire_time: expire_time.filter(|_| is_key),
    }
}
