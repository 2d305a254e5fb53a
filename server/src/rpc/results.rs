//! Results on the wire: encoded once, when they are decided, and sent as stored ever after.

use prost::Message;
use seatwise_proto::v1::{self, batch_frame::Frame, batch_result::Disposition as Proto};
use tonic::Status;

use super::convert::{batch, count, plan_choice, plan_ref, product_ref, time};
use super::language::Language;
use super::status::internal;
use super::text;
use super::token::{CONFIRMATION, PLAN, Tokens};
use crate::domain::{
    Catalogue, ChoiceId, Disposition, Edit, Held, Losses, Outcome, PlanId, ProductId, Reason,
    SeatTally, Seats, Stop, Tally, Turn,
};
use crate::service::{Encode, Encoding, Event};

/// The encoder that a service is made with.
pub(crate) fn encoder(tokens: Tokens) -> Encode {
    std::sync::Arc::new(move |encoding| {
        let mut position = encoding.first_position;
        let turns = encoding.order.turns.chunks(PART_RESULTS);
        let parts = turns.zip(encoding.plan.outcomes.chunks(PART_RESULTS));
        let part = |(turns, outcomes): (&[Turn], &[Outcome])| {
            let mut bytes = Vec::with_capacity(turns.len() * 256);
            for (turn, outcome) in turns.iter().zip(outcomes) {
                position += 1;
                let mut result = result(encoding, turn, outcome);
                if let Some((batch, now)) = encoding.batch {
                    result.cursor = tokens.cursor(batch, position);
                    result.commit_time = Some(time(now));
                }
                result
                    .encode_length_delimited(&mut bytes)
                    .expect("a vector grows");
            }
            (turns.len(), bytes)
        };
        parts.map(part).collect()
    })
}

/// Results that are stored and read together.
const PART_RESULTS: usize = 500;

/// The results of a stored chunk, without the first `skip`.
pub(super) fn decode(mut bytes: &[u8], skip: usize) -> Result<Vec<v1::BatchResult>, Status> {
    let mut results = Vec::new();
    for _ in 0..skip {
        let len = prost::decode_length_delimiter(&mut bytes).map_err(|error| internal(&error))?;
        bytes = bytes.get(len..).unwrap_or_default();
    }
    while !bytes.is_empty() {
        let result = v1::BatchResult::decode_length_delimited(&mut bytes);
        results.push(result.map_err(|error| internal(&error))?);
    }
    Ok(results)
}

/// The frames of an event. `replayed` goes into `started`; `token` makes one of a digest that a preview
/// returns.
pub(super) fn frames(
    event: Event,
    replayed: bool,
    catalogue: &Catalogue,
    token: impl Fn(&str, &[u8; 32]) -> String,
) -> Result<Vec<v1::BatchFrame>, Status> {
    let frame = |frame| v1::BatchFrame {
        frame: Some(frame),
        ..v1::BatchFrame::default()
    };
    let one = |kind| Ok(vec![frame(kind)]);
    match event {
        Event::Started(started) => one(Frame::Started(v1::BatchStarted {
            batch: Some(batch(&started)),
            replayed,
        })),
        Event::Progress(running) => one(Frame::Progress(v1::BatchProgress {
            batch: Some(batch(&running)),
        })),
        Event::Summary(ended, tally, promise) => {
            let unconfirmed = promise.as_ref().and_then(|p| p.unconfirmed.as_deref());
            let summary = v1::BatchSummary {
                batch: Some(batch(&ended)),
                rolled_back: ended.stopped() == Some(Stop::RolledBack),
                reasons: reason_counts(&tally),
                seats: seat_changes(catalogue, &tally),
                plan_token: promise
                    .as_ref()
                    .map(|promise| token(PLAN, &promise.plan.0))
                    .unwrap_or_default(),
                required_confirmation: unconfirmed.map(|unconfirmed| {
                    let confirmation = token(CONFIRMATION, &unconfirmed.losses.digest());
                    required_confirmation(catalogue, &unconfirmed.losses, confirmation)
                }),
            };
            Ok(vec![v1::BatchFrame {
                locale: Language::of_call().tag().to_owned(),
                ..frame(Frame::Summary(summary))
            }])
        }
        Event::Results(chunk, skip) => {
            let results = decode(&chunk.bytes, skip)?;
            Ok(results.into_iter().map(result_frame).collect())
        }
    }
}

fn required_confirmation(
    catalogue: &Catalogue,
    losses: &Losses,
    confirmation: String,
) -> v1::RequiredConfirmation {
    let count = |number: u64| count(number.cast_signed());
    let loss = |(product, (lost, held)): (&ProductId, &(u64, u64))| v1::ProductLoss {
        product: Some(product_ref(catalogue, *product)),
        lost_count: count(*lost),
        holder_count: count(*held),
    };
    v1::RequiredConfirmation {
        confirmation,
        user_count: count(losses.users),
        products: losses.products.iter().map(loss).collect(),
    }
}

/// A result, and beside it what differs between its readers: the reasons in the caller's language.
fn result_frame(result: v1::BatchResult) -> v1::BatchFrame {
    let language = Language::of_call();
    let reason_texts = reason_texts(language, &result);
    let locale = match reason_texts.as_slice() {
        [] => String::new(),
        _ => language.tag().to_owned(),
    };
    v1::BatchFrame {
        frame: Some(Frame::Result(result)),
        reason_texts,
        locale,
    }
}

/// The reasons of a result in words.
pub(super) fn reason_texts(language: Language, result: &v1::BatchResult) -> Vec<String> {
    let reasons = result.reasons.iter();
    reasons
        .map(|reason| text::reason(language, reason))
        .collect()
}

fn result(encoding: &Encoding<'_>, turn: &Turn, outcome: &Outcome) -> v1::BatchResult {
    let user = turn.user.and_then(|id| encoding.snapshot.users.get(&id));
    let (principal_name, display_name) = match user {
        Some(user) => (user.principal_name.clone(), user.display_name.clone()),
        None => (turn.name.clone(), String::new()),
    };
    let disposition = match outcome.disposition {
        Disposition::Applied => Proto::Applied,
        Disposition::Unchanged => Proto::Unchanged,
        Disposition::Failed => Proto::Failed,
        Disposition::Skipped => Proto::Skipped,
    };
    let edited = |wanted: fn(&Edit) -> bool| {
        let products = outcome
            .edits
            .iter()
            .filter(|edit| wanted(edit))
            .map(|edit| edit.product);
        products.map(|product| product.to_string()).collect()
    };
    let held = |held: &Held| v1::HeldProduct {
        product_id: held.product.to_string(),
        plans: (held.choice != ChoiceId::ALL)
            .then(|| plan_choice(encoding.plan.choice(encoding.snapshot, held.choice))),
    };
    v1::BatchResult {
        index: Some(i32::try_from(turn.index).expect("the number of users is limited")),
        cursor: String::new(),
        user_id: turn.user.map(|id| id.to_string()).unwrap_or_default(),
        principal_name,
        display_name,
        disposition: disposition.into(),
        assigned_product_ids: edited(|edit| edit.before.is_none()),
        revoked_product_ids: edited(|edit| edit.after.is_none()),
        changed_product_ids: edited(|edit| edit.before.is_some() && edit.after.is_some()),
        held: outcome.held.iter().map(held).collect(),
        reasons: outcome
            .reasons
            .iter()
            .map(|why| reason(encoding.catalogue, why))
            .collect(),
        commit_time: None,
        retryable: matches!(disposition, Proto::Failed | Proto::Skipped)
            && outcome.reasons.iter().all(Reason::is_retryable),
    }
}

fn reason_counts(tally: &Tally) -> Vec<v1::ReasonCount> {
    let count = |(name, users): (&String, &u64)| {
        let code = code(name);
        v1::ReasonCount {
            code: code.into(),
            user_count: count(users.cast_signed()),
            text: text::count(Language::of_call(), code),
        }
    };
    let mut counts: Vec<_> = tally.reasons.iter().map(count).collect();
    counts.sort_unstable_by_key(|count| count.code);
    counts
}

fn seat_changes(catalogue: &Catalogue, tally: &Tally) -> Vec<v1::SeatChange> {
    let seats = |seats: &Seats| v1::SeatCount {
        total: count(seats.assignable()),
        assigned: count(seats.assigned),
        available: count(seats.available()),
    };
    let change = |(product, tally): (&ProductId, &SeatTally)| v1::SeatChange {
        product: Some(product_ref(catalogue, *product)),
        before: Some(seats(&tally.before)),
        after: Some(seats(&tally.after)),
        shortage: count(tally.shortage),
    };
    tally.seats.iter().map(change).collect()
}

pub(super) fn reason(catalogue: &Catalogue, reason: &Reason) -> v1::Reason {
    let product = |id: &ProductId| Some(product_ref(catalogue, *id));
    let plan = |id: &PlanId| plan_ref(catalogue, *id);
    let mut about = v1::Reason {
        code: code(reason.code()).into(),
        ..v1::Reason::default()
    };
    match reason {
        Reason::SeatsExhausted {
            product: id,
            available,
        } => {
            about.product = product(id);
            about.available = count(*available);
        }
        Reason::PrerequisiteMissing {
            plan: one,
            any_of,
            suppliers,
        } => {
            about.plan = Some(plan(one));
            about.others = any_of.iter().map(plan).collect();
            about.suppliers = suppliers.iter().filter_map(product).collect();
        }
        Reason::MutuallyExclusivePlans { plan: one, others }
        | Reason::DependentPlanRemains {
            plan: one,
            any_of: others,
        } => {
            about.plan = Some(plan(one));
            about.others = others.iter().map(plan).collect();
        }
        Reason::UsageLocationProhibited { plan: one, country } => {
            about.plan = Some(plan(one));
            about.usage_location = country.as_str().to_owned();
        }
        Reason::ProductNotLicensed { product: id }
        | Reason::ProductNotForUsers { product: id }
        | Reason::LicenseSuspended { product: id } => about.product = product(id),
        Reason::PlanNotInProduct {
            product: id,
            plan: one,
        } => {
            about.product = product(id);
            about.plan = Some(plan(one));
        }
        Reason::ChangedSince { product: id, by } => {
            about.product = product(id);
            about.batch_id = by.map(|batch| batch.to_string()).unwrap_or_default();
        }
        Reason::UsageLocationMissing
        | Reason::UserNotFound
        | Reason::UserInactive
        | Reason::StoppedAfterFailures
        | Reason::BatchRolledBack
        | Reason::PlanStale
        | Reason::BatchCancelled
        | Reason::AccessLost => {}
    }
    about
}

/// The code of a reason with this stable name.
pub(super) fn code(name: &str) -> v1::ReasonCode {
    let code = v1::ReasonCode::from_str_name(&format!("REASON_CODE_{name}"));
    code.unwrap_or(v1::ReasonCode::Unspecified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Stop;

    #[test]
    fn every_stop_is_told_by_a_code() {
        for stop in [
            Stop::Failures,
            Stop::PlanStale,
            Stop::RolledBack,
            Stop::Cancelled,
            Stop::AccessLost,
        ] {
            assert_ne!(code(stop.reason().code()), v1::ReasonCode::Unspecified);
        }
    }
}
