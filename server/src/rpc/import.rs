//! Imports of files: the parts that come in and the lines that go out.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use seatwise_proto::v1::catalogue_change::Kind;
use seatwise_proto::v1::{
    self, CatalogueChange, CustomerImpact, ImportNote, ImportSummary, import_catalogue_response,
    import_rules_response,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::convert::{self, count};
use super::language::Language;
use super::status::{from_service, invalid_field};
use super::violations::broken_rules;
use crate::domain::Catalogue;
use crate::service::{self, ImpactPart, ImpactTotal, ImportPreview, ImportReport};

/// A file that is imported.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The lines of a report.
pub(super) type Lines<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A file that has come in, and what the first of its parts says beside it.
pub(super) struct Upload {
    pub(super) file: Vec<u8>,
    pub(super) comment: String,
    pub(super) validate_only: bool,
}

/// Joins the parts of a file.
pub(super) async fn collect<T>(
    mut parts: Streaming<T>,
    read: impl Fn(T) -> (Vec<u8>, String, bool),
) -> Result<Upload, Status> {
    let mut file = Vec::new();
    let mut first = None;
    while let Some(part) = parts.message().await? {
        let (data, comment, validate_only) = read(part);
        first.get_or_insert((comment, validate_only));
        file.extend(data);
        if file.len() > FILE_BYTES_MAX {
            return Err(invalid_field("data", "the file must have at most 64 MiB"));
        }
    }
    let (comment, validate_only) = first.unwrap_or_default();
    Ok(Upload {
        file,
        comment,
        validate_only,
    })
}

/// A line of a report, whichever message it goes into.
pub(super) enum Line {
    Note(ImportNote),
    Change(CatalogueChange),
    Impact(CustomerImpact),
    Progress(v1::ImpactTotal),
    Summary(ImportSummary),
}

macro_rules! responses {
    ($($response:ident $oneof:ident)*) => { $(
        impl From<Line> for v1::$response {
            fn from(line: Line) -> Self {
                use $oneof::Report;
                let report = match line {
                    Line::Note(note) => Report::Note(note),
                    Line::Change(change) => Report::Change(change),
                    Line::Impact(impact) => Report::Impact(impact),
                    Line::Progress(total) => Report::Progress(total),
                    Line::Summary(summary) => Report::Summary(summary),
                };
                Self { report: Some(report) }
            }
        }
    )* };
}

responses! {
    ImportCatalogueResponse import_catalogue_response
    ImportRulesResponse import_rules_response
}

/// What an import found and did.
pub(super) fn report<T: From<Line> + Send + 'static>(report: ImportReport) -> Lines<T> {
    let (mut lines, summary) = lines(report);
    lines.push(Line::Summary(summary));
    Box::pin(stream::iter(lines).map(|line| Ok(line.into())))
}

/// What an import would find, do and break.
pub(super) fn preview<T: From<Line> + Send + 'static>(preview: ImportPreview) -> Lines<T> {
    let (lines, summary) = lines(preview.report);
    let catalogue = preview.catalogue;
    let impact = ReceiverStream::new(preview.impact).map(move |part| {
        let line = match part.map_err(from_service)? {
            ImpactPart::Customer(impact) => Line::Impact(customer_impact(&catalogue, impact)),
            ImpactPart::Progress(so_far) => Line::Progress(total(&so_far)),
            ImpactPart::Ended(all) => Line::Summary(ImportSummary {
                impact: Some(total(&all)),
                ..summary
            }),
        };
        Ok(line.into())
    });
    let lines = stream::iter(lines).map(|line| Ok(line.into()));
    Box::pin(lines.chain(impact))
}

/// Notes, changes, and what comes last.
fn lines(report: ImportReport) -> (Vec<Line>, ImportSummary) {
    let changes = report.changes.into_iter().map(convert::catalogue_change);
    let changes: Vec<_> = changes.collect();
    let notes = report.notes.len();
    let summary = summarize(notes, report.counts, report.version, &changes);
    let notes = report.notes.into_iter().map(|found| {
        Line::Note(ImportNote {
            line: i32::try_from(found.line).unwrap_or(i32::MAX),
            column: found.column.to_owned(),
            text: found.text,
        })
    });
    let lines = notes.chain(changes.into_iter().map(Line::Change));
    (lines.collect(), summary)
}

fn summarize(
    notes: usize,
    (products, pairs, rules): (usize, usize, usize),
    version: i64,
    changes: &[CatalogueChange],
) -> ImportSummary {
    let number = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let of = |kinds: &[Kind]| {
        let of_kind = changes
            .iter()
            .filter(|change| kinds.contains(&change.kind()));
        number(of_kind.count())
    };
    let is_catalogue = products > 0;
    ImportSummary {
        product_count: number(products).filter(|_| is_catalogue),
        product_plan_count: number(pairs).filter(|_| is_catalogue),
        rule_count: number(rules).filter(|_| !is_catalogue),
        note_count: number(notes),
        added_count: of(&[Kind::Added]),
        changed_count: of(&[Kind::Renamed, Kind::Changed]),
        removed_count: of(&[Kind::Removed]),
        catalogue_version: count(version),
        impact: None,
    }
}

fn customer_impact(catalogue: &Catalogue, told: service::CustomerImpact) -> CustomerImpact {
    let impact = told.impact;
    CustomerImpact {
        customer_id: told.customer.to_string(),
        display_name: told.display_name,
        user_count: count(impact.users.cast_signed()),
        assignment_count: count(impact.assignments.cast_signed()),
        violator_count_now: count(impact.violators_now.cast_signed()),
        violator_count_then: count(impact.violators_then.cast_signed()),
        rules: broken_rules(catalogue, &impact.rules),
        rule_count: count(impact.rule_count as i64),
        locale: Language::of_call().tag().to_owned(),
    }
}

fn total(total: &ImpactTotal) -> v1::ImpactTotal {
    let number = |count: u64| Some(count.cast_signed());
    v1::ImpactTotal {
        judged_customer_count: count(total.judged_customers.cast_signed()),
        judged_user_count: number(total.judged_users),
        customer_count: count(total.customers.cast_signed()),
        user_count: number(total.users),
        assignment_count: number(total.assignments),
    }
}
