//! What became of a batch: a row per user as it comes, at the end counts and reasons, and the exit
//! code.

use std::collections::HashMap;
use std::process::ExitCode;

use seatwise_client::BatchStream;
use seatwise_client::v1::{
    Batch, BatchResult, Reason, ReasonCode, batch, batch_result::Disposition,
};

use crate::catalogue::plan_name;
use crate::error::Error;
use crate::exit;
use crate::output::{self, Column, Format, Printer, Row, column, count, word};

/// Users shown below a reason unless all are asked for.
const USERS_SHOWN: usize = 20;

impl Row for BatchResult {
    const COLUMNS: &'static [Column<Self>] = &[
        column("index", |result| result.index().to_string()),
        column("user_id", |result| result.user_id.clone()),
        column("principal_name", |result| result.principal_name.clone()),
        column("disposition", disposition),
        column("assigned", |result| result.assigned_product_ids.join(", ")),
        column("revoked", |result| result.revoked_product_ids.join(", ")),
        column("plans_changed", |result| {
            result.changed_product_ids.join(", ")
        }),
        column("reasons", |result| {
            result
                .reasons
                .iter()
                .map(reason)
                .collect::<Vec<_>>()
                .join("; ")
        }),
    ];
}

fn disposition(result: &BatchResult) -> String {
    word(result.disposition().as_str_name(), "DISPOSITION_")
}

/// Follows a batch to its end.
pub(crate) async fn follow(mut stream: BatchStream, mut report: Report) -> Result<ExitCode, Error> {
    let users = stream.accepted().await?.user_count();
    let users = u64::try_from(users).unwrap_or_default();
    let bar = output::progress(report.format, users, "users");
    while let Some(result) = stream.next().await {
        report.add(&result?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.finish(stream.batch().expect("an accepted batch is known"))
}

/// Gathers results and prints them in the form asked for.
pub(crate) struct Report {
    format: Format,
    printer: Printer,
    /// Users shown below a reason.
    users_shown: usize,
    groups: HashMap<String, Group>,
}

#[derive(Default)]
struct Group {
    count: usize,
    /// The first of them.
    users: Vec<String>,
}

impl Report {
    pub(crate) fn new(format: Format, shows_all: bool) -> Self {
        Self {
            format,
            printer: Printer::of::<BatchResult>(format),
            users_shown: if shows_all { usize::MAX } else { USERS_SHOWN },
            groups: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, result: &BatchResult) -> Result<(), Error> {
        if self.format != Format::Table {
            return self.printer.row(result);
        }
        match result.disposition() {
            Disposition::Applied | Disposition::Unchanged => {}
            _ if result.reasons.is_empty() => self.group(disposition(result), result),
            _ => {
                for text in result.reasons.iter().map(reason) {
                    self.group(text, result);
                }
            }
        }
        Ok(())
    }

    fn group(&mut self, text: String, result: &BatchResult) {
        let group = self.groups.entry(text).or_default();
        group.count += 1;
        if group.users.len() < self.users_shown {
            let names = [&result.principal_name, &result.user_id];
            let name = names.into_iter().find(|name| !name.is_empty());
            group.users.push(match name {
                Some(name) => name.clone(),
                None => format!("users[{}]", result.index()),
            });
        }
    }

    pub(crate) fn finish(self, batch: &Batch) -> Result<ExitCode, Error> {
        match self.format {
            Format::Table => output::line(&self.text(batch))?,
            Format::Json => output::line(&output::json(batch)?)?,
            Format::Csv => {
                self.printer.finish()?;
                output::note(&counts(batch));
            }
        }
        Ok(exit_code(batch))
    }

    /// The counts, and the reasons with the users concerned, the most frequent first.
    fn text(self, batch: &Batch) -> String {
        let mut text = counts(batch);
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by(|(a, one), (b, other)| other.count.cmp(&one.count).then(a.cmp(b)));
        for (reason, group) in groups {
            text += &format!("\n\n{reason} ({})", users(group.count as u64));
            for name in &group.users {
                text += &format!("\n  {name}");
            }
            if let more @ 1.. = group.count - group.users.len() {
                text += &format!("\n  and {} more", count(more as u64));
            }
        }
        text
    }
}

/// The counts and reasons of a batch in words, with so many users below each reason.
pub(crate) fn summary(
    batch: &Batch,
    results: &[BatchResult],
    users_shown: usize,
) -> Result<String, Error> {
    let mut report = Report {
        users_shown,
        ..Report::new(Format::Table, false)
    };
    results.iter().try_for_each(|result| report.add(result))?;
    Ok(report.text(batch))
}

/// The exit code tells whether every user is as asked, as far as there are results.
pub(crate) fn exit_code(batch: &Batch) -> ExitCode {
    exit::some_failed(batch.failed_count() + batch.skipped_count() > 0)
}

fn counts(batch: &Batch) -> String {
    let state = match batch.state() {
        batch::State::Running => ", still running",
        _ => "",
    };
    format!(
        "batch {}{state}\n{}: {} applied, {} unchanged, {} failed, {} skipped",
        batch.batch_id,
        users(u64::try_from(batch.user_count()).unwrap_or_default()),
        count(batch.applied_count()),
        count(batch.unchanged_count()),
        count(batch.failed_count()),
        count(batch.skipped_count())
    )
}

fn users(number: u64) -> String {
    let noun = if number == 1 { "user" } else { "users" };
    format!("{} {noun}", count(number))
}

/// A reason in words, without what differs from user to user.
fn reason(reason: &Reason) -> String {
    use ReasonCode as R;
    let product = reason.product.clone().unwrap_or_default();
    let product = match product.display_name {
        name if name.is_empty() => product.product_id,
        name => name,
    };
    let plan = reason.plan.as_ref().map(plan_name).unwrap_or_default();
    let others = reason
        .others
        .iter()
        .map(plan_name)
        .collect::<Vec<_>>()
        .join(", ");
    let words = match reason.code() {
        R::SeatsExhausted => format!("no seat of {product} was free"),
        R::MutuallyExclusivePlans => format!("{plan} cannot be on together with {others}"),
        R::PrerequisiteMissing => format!("{plan} needs one of {others}"),
        R::DependentPlanRemains => format!("{plan} would lose the last it needs of {others}"),
        R::UsageLocationMissing => "the user has no usage location".to_owned(),
        R::UsageLocationProhibited => format!("{plan} cannot be on in {}", reason.usage_location),
        R::ProductNotLicensed => format!("the customer has no license of {product}"),
        R::ProductNotForUsers => format!("{product} is for the company as a whole"),
        R::LicenseSuspended => format!("all seats of {product} are suspended"),
        R::PlanNotInProduct => format!("{product} no longer has {plan}"),
        R::UserNotFound => "the customer has no such user".to_owned(),
        R::UserInactive => "the user is inactive and is given nothing new".to_owned(),
        R::StoppedAfterFailures => "skipped, as many users had failed as were allowed".to_owned(),
        R::BatchRolledBack => "skipped, another user of the atomic batch failed".to_owned(),
        R::PlanStale => "skipped, what the preview had shown was no longer so".to_owned(),
        R::Unspecified => return format!("REASON_CODE {}, of a newer server", reason.code),
    };
    let code = reason.code().as_str_name();
    format!(
        "{}: {words}",
        code.strip_prefix("REASON_CODE_").unwrap_or(code)
    )
}

#[cfg(test)]
mod tests {
    use seatwise_client::v1::ProductRef;

    use super::*;

    fn failed(index: i32, codes: &[ReasonCode]) -> BatchResult {
        let reason = |code: &ReasonCode| Reason {
            code: (*code).into(),
            product: Some(ProductRef {
                product_id: "id".into(),
                display_name: "Suite".into(),
            }),
            available: Some(-index),
            ..Reason::default()
        };
        BatchResult {
            index: Some(index),
            principal_name: format!("user{index}@example.com"),
            disposition: Disposition::Failed.into(),
            reasons: codes.iter().map(reason).collect(),
            ..BatchResult::default()
        }
    }

    #[test]
    fn failures_are_grouped_by_reason_and_long_groups_are_cut() {
        let mut report = Report::new(Format::Table, false);
        let both = [ReasonCode::UserInactive, ReasonCode::SeatsExhausted];
        report.add(&failed(0, &both)).unwrap();
        for index in 1..25 {
            report.add(&failed(index, &both[1..])).unwrap();
        }
        let text = report.text(&Batch::default());
        let seats = text.find("SEATS_EXHAUSTED: no seat of Suite was free (25 users)");
        let inactive = text.find("USER_INACTIVE");
        assert!(seats.unwrap() < inactive.unwrap(), "{text}");
        assert_eq!(text.matches("user0@example.com").count(), 2, "{text}");
        assert!(text.contains("and 5 more"), "{text}");
    }

    #[test]
    fn a_reason_of_a_newer_server_is_shown_by_number() {
        let newer = Reason {
            code: 99,
            ..Reason::default()
        };
        assert!(reason(&newer).contains("99"));
    }
}
