//! Results on the wire: encoded once, when they are decided, and sent as stored ever after.

use prost::Message;
use seatwise_proto::v1::{self, batch_frame::Frame, batch_result::Disposition as Proto};
use tonic::Status;

use super::convert::{batch, count, plan_choice, time};
use super::language::Language;
use super::status::internal;
use super::text;
use super::token::Tokens;
use crate::domain::{
    Catalogue, ChoiceId, Disposition, Edit, Held, Outcome, PlanChoice, PlanId, ProductId, Reason,
    Turn,
};
use crate::service::{Encode, Encoding, Event};

/// The encoder that a service is made with.
pub(crate) fn encoder(tokens: Tokens) -> Encode {
    std::sync::Arc::new(move |encoding| {
        let mut bytes = Vec::with_capacity(encoding.plan.outcomes.len() * 256);
        let turns = encoding.order.turns.iter().zip(&encoding.plan.outcomes);
        for ((turn, outcome), position) in turns.zip(encoding.first_position..) {
            let mut result = result(encoding, turn, outcome);
            result.cursor = tokens.cursor(encoding.batch, position + 1);
            result
                .encode_length_delimited(&mut bytes)
                .expect("a vector grows");
        }
        bytes
    })
}

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

/// The frames of an event. `replayed` goes into `started`.
pub(super) fn frames(event: Event, replayed: bool) -> Result<Vec<v1::BatchFrame>, Status> {
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
        Event::Summary(ended) => one(Frame::Summary(v1::BatchSummary {
            batch: Some(batch(&ended)),
        })),
        Event::Results(chunk, skip) => {
            let results = decode(&chunk.bytes, skip)?;
            Ok(results.into_iter().map(result_frame).collect())
        }
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
        plans: (held.choice != ChoiceId::ALL).then(|| plan_choice(choice(encoding, held.choice))),
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
        commit_time: Some(time(encoding.now)),
    }
}

fn choice<'a>(encoding: &'a Encoding<'_>, id: ChoiceId) -> &'a PlanChoice {
    match id.0 {
        number @ ..0 => &encoding.plan.new_choices[number.unsigned_abs() as usize - 1],
        _ => encoding
            .snapshot
            .choices
            .get(id)
            .expect("choices of the snapshot are known"),
    }
}

pub(super) fn reason(catalogue: &Catalogue, reason: &Reason) -> v1::Reason {
    let product = |id: &ProductId| {
        let name = catalogue
            .product(*id)
            .map(|product| product.display_name.clone());
        let display_name = name.unwrap_or_default();
        Some(v1::ProductRef {
            product_id: id.to_string(),
            display_name,
        })
    };
    let plan = |id: &PlanId| v1::PlanRef {
        plan_id: id.to_string(),
        name: catalogue.plan_name(*id).to_owned(),
    };
    let mut about = v1::Reason {
        code: code(reason).into(),
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
        Reason::MutuallyExclusivePlans { plan: one, others }
        | Reason::PrerequisiteMissing {
            plan: one,
            any_of: others,
        }
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
        Reason::UsageLocationMissing | Reason::UserNotFound | Reason::UserInactive => {}
    }
    about
}

fn code(reason: &Reason) -> v1::ReasonCode {
    use v1::ReasonCode as Code;
    match reason {
        Reason::SeatsExhausted { .. } => Code::SeatsExhausted,
        Reason::MutuallyExclusivePlans { .. } => Code::MutuallyExclusivePlans,
        Reason::PrerequisiteMissing { .. } => Code::PrerequisiteMissing,
        Reason::DependentPlanRemains { .. } => Code::DependentPlanRemains,
        Reason::UsageLocationMissing => Code::UsageLocationMissing,
        Reason::UsageLocationProhibited { .. } => Code::UsageLocationProhibited,
        Reason::ProductNotLicensed { .. } => Code::ProductNotLicensed,
        Reason::ProductNotForUsers { .. } => Code::ProductNotForUsers,
        Reason::LicenseSuspended { .. } => Code::LicenseSuspended,
        Reason::PlanNotInProduct { .. } => Code::PlanNotInProduct,
        Reason::UserNotFound => Code::UserNotFound,
        Reason::UserInactive => Code::UserInactive,
    }
}
