//! What became of a batch: a row per user as it comes, at the end counts and reasons, and the exit
//! code.

use std::collections::HashMap;
use std::iter::repeat;
use std::process::ExitCode;

use prost::Message;
use seatwise_client::v1::{
    Batch, BatchSummary, Reason, ReasonCode, RequiredConfirmation, batch, batch_result::Disposition,
};
use seatwise_client::{BatchStream, Client, UserResult};

use crate::error::Error;
use crate::exit;
use crate::groups::{Change, Group, sorted};
use crate::names::Names;
use crate::output::{self, Format, Printer, word};
use crate::seats;
use crate::text::text;

/// Users shown below a reason or a change unless all are asked for.
const USERS_SHOWN: usize = 20;
/// Different changes shown unless all are asked for.
const CHANGES_SHOWN: usize = 20;

/// Columns of a result in CSV.
const COLUMNS: [&str; 8] = [
    "index",
    "user_id",
    "principal_name",
    "disposition",
    "assigned",
    "revoked",
    "plans_changed",
    "reasons",
];

fn cells(result: &UserResult) -> [String; COLUMNS.len()] {
    [
        result.index().to_string(),
        result.user_id.clone(),
        result.principal_name.clone(),
        disposition(result),
        result.assigned_product_ids.join(", "),
        result.revoked_product_ids.join(", "),
        result.changed_product_ids.join(", "),
        reasons(result).join("; "),
    ]
}

fn disposition(result: &UserResult) -> String {
    word(result.disposition().as_str_name(), "DISPOSITION_")
}

/// Follows a batch or a preview that is accepted to its end.
pub(crate) async fn follow(
    mut stream: BatchStream,
    report: &mut Report,
) -> Result<BatchSummary, Error> {
    let users = stream.accepted().await?.user_count();
    let users = u64::try_from(users).unwrap_or_default();
    let bar = output::progress(report.format, users, text!("progress-users"));
    while let Some(result) = stream.next().await {
        report.add(&result?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(stream.summary().cloned().expect("a stream ends with one"))
}

/// Gathers results and prints them in the form asked for.
pub(crate) struct Report {
    format: Format,
    printer: Printer,
    /// Users shown below a reason or a change.
    users_shown: usize,
    changes_shown: usize,
    changes: HashMap<Change, Group>,
    /// Users who are not as asked, by [`cause`], with the first one's text.
    refused: HashMap<Vec<u8>, (String, Group)>,
}

impl Report {
    pub(crate) fn new(format: Format, shows_all: bool) -> Self {
        let shown = |some| if shows_all { usize::MAX } else { some };
        Self {
            format,
            printer: Printer::new(format, COLUMNS.to_vec()),
            users_shown: shown(USERS_SHOWN),
            changes_shown: shown(CHANGES_SHOWN),
            changes: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, result: &UserResult) -> Result<(), Error> {
        match self.format {
            Format::Json => return output::line(&output::json(&result.result)?),
            Format::Csv => return self.printer.cells(cells(result).to_vec()),
            Format::Table => {}
        }
        let shown = self.users_shown;
        match result.disposition() {
            Disposition::Unchanged => {}
            Disposition::Applied => {
                let change = Change::of(result);
                self.changes.entry(change).or_default().add(result, shown);
                // What a revert that takes the safe part has left as it is.
                self.add_reasons(result);
            }
            _ if result.reasons.is_empty() => {
                self.add_cause(Vec::new(), disposition(result), result)
            }
            _ => self.add_reasons(result),
        }
        Ok(())
    }

    fn add_reasons(&mut self, result: &UserResult) {
        for (reason, text) in result.reasons.iter().zip(reasons(result)) {
            self.add_cause(cause(reason), text, result);
        }
    }

    fn add_cause(&mut self, cause: Vec<u8>, text: String, result: &UserResult) {
        let refused = self.refused.entry(cause);
        let (_, group) = refused.or_insert((text, Group::default()));
        group.add(result, self.users_shown);
    }

    /// Prints what is left: for people everything, for scripts the end.
    pub(crate) async fn finish(self, client: &Client, summary: &BatchSummary) -> Result<(), Error> {
        let json = output::json(summary)?;
        self.print_end(client, summary, &json).await
    }

    /// As [`Self::finish`], of a batch that was looked up. The code is the batch's.
    pub(crate) async fn finish_results(
        self,
        client: &Client,
        batch: &Batch,
    ) -> Result<ExitCode, Error> {
        let json = output::json(batch)?;
        let summary = BatchSummary {
            batch: Some(batch.clone()),
            ..BatchSummary::default()
        };
        self.print_end(client, &summary, &json).await?;
        Ok(exit_code(Some(batch)))
    }

    async fn print_end(
        self,
        client: &Client,
        summary: &BatchSummary,
        json: &str,
    ) -> Result<(), Error> {
        match self.format {
            Format::Table => output::line(&self.text(client, summary).await?),
            Format::Json => output::line(json),
            Format::Csv => {
                self.printer.finish()?;
                output::note(&counts(summary));
                seats::shortages(&summary.seats).for_each(|text| output::note(&text));
                Ok(())
            }
        }
    }

    /// Counts, changes, reasons and seats, in words.
    pub(crate) async fn text(
        &self,
        client: &Client,
        summary: &BatchSummary,
    ) -> Result<String, Error> {
        let mut names = Names::of_seats(&summary.seats);
        let changes = sorted(self.changes.iter()).into_iter();
        let shown = changes.take(self.changes_shown);
        let products = shown.flat_map(|(change, _)| change.products());
        names.look_up(client, products).await?;
        Ok(self.words(summary, &names))
    }

    fn words(&self, summary: &BatchSummary, names: &Names) -> String {
        let mut text = counts(summary);
        let changes = sorted(self.changes.iter());
        for (change, group) in changes.iter().take(self.changes_shown) {
            text += &group.text(&change.words(is_preview(summary), names));
        }
        if let Some(more @ 1..) = changes.len().checked_sub(self.changes_shown) {
            text += &format!("\n\n{}", text!("other-changes", count = more));
        }
        let refused = self.refused.values();
        for (reason, group) in sorted(refused.map(|(reason, group)| (reason, group))) {
            text += &group.text(reason);
        }
        if !summary.seats.is_empty() {
            text += &format!("\n\n{}", seats::table(&summary.seats));
        }
        for shortage in seats::shortages(&summary.seats) {
            text += &format!("\n{shortage}");
        }
        if let Some(required) = &summary.required_confirmation {
            text += &format!("\n\n{}", losses(required));
        }
        text
    }
}

/// What would be taken away beyond what may be unasked.
fn losses(required: &RequiredConfirmation) -> String {
    let count = |number: Option<i32>| u64::try_from(number.unwrap_or_default()).unwrap_or_default();
    let mut text = text!("losses", count = count(required.user_count));
    for loss in &required.products {
        let product = loss.product.as_ref();
        text += "\n  ";
        text += &text!(
            "loss",
            product = product
                .map(|product| product.display_name.as_str())
                .unwrap_or_default(),
            lost = count(loss.lost_count),
            held = count(loss.holder_count),
        );
    }
    text
}

/// The counts and reasons of a batch in words, with so many users below each reason.
pub(crate) fn summary(
    batch: &Batch,
    refused: &[UserResult],
    users_shown: usize,
) -> Result<String, Error> {
    let mut report = Report {
        users_shown,
        ..Report::new(Format::Table, false)
    };
    refused.iter().try_for_each(|result| report.add(result))?;
    let summary = BatchSummary {
        batch: Some(batch.clone()),
        ..BatchSummary::default()
    };
    Ok(report.words(&summary, &Names::default()))
}

/// The exit code tells whether every user is as asked, as far as there are results.
pub(crate) fn exit_code(batch: Option<&Batch>) -> ExitCode {
    let refused = |batch: &Batch| batch.failed_count() + batch.skipped_count() > 0;
    exit::some_failed(batch.is_some_and(refused))
}

/// Only what was accepted has an id.
fn is_preview(summary: &BatchSummary) -> bool {
    let batch = summary.batch.as_ref();
    batch.is_none_or(|batch| batch.batch_id.is_empty())
}

fn counts(summary: &BatchSummary) -> String {
    let batch = summary.batch.clone().unwrap_or_default();
    let count = |number: i32| u64::try_from(number).unwrap_or_default();
    let users = text!("users", count = count(batch.user_count()));
    let (applied, unchanged) = (count(batch.applied_count()), count(batch.unchanged_count()));
    let (failed, skipped) = (count(batch.failed_count()), count(batch.skipped_count()));
    let rolled_back = match (summary.rolled_back, is_preview(summary)) {
        (false, _) => String::new(),
        (true, true) => format!("\n{}", text!("nobody-would-be-changed")),
        (true, false) => format!("\n{}", text!("nobody-was-changed")),
    };
    if is_preview(summary) {
        let counts = text!(
            "preview-counts",
            users = users,
            applied = applied,
            unchanged = unchanged,
            failed = failed,
            skipped = skipped,
        );
        return format!("{}\n{counts}{rolled_back}", text!("preview-title"));
    }
    let id = batch.batch_id.as_str();
    let title = match batch.state() {
        batch::State::Running => text!("batch-title-running", id = id),
        _ => text!("batch-title", id = id),
    };
    let counts = text!(
        "batch-counts",
        users = users,
        applied = applied,
        unchanged = unchanged,
        failed = failed,
        skipped = skipped,
    );
    format!("{title}\n{counts}{rolled_back}")
}

/// The reasons of a user, each with its code and in the service's words.
fn reasons(result: &UserResult) -> Vec<String> {
    let texts = result.reason_texts.iter().map(|text| format!(": {text}"));
    let texts = texts.chain(repeat(String::new()));
    let reasons = result.reasons.iter().zip(texts);
    reasons
        .map(|(reason, text)| code(reason.code) + &text)
        .collect()
}

/// What a reason says, but for the number that another user finds different.
fn cause(reason: &Reason) -> Vec<u8> {
    let available = None;
    let cause = Reason {
        available,
        ..reason.clone()
    };
    cause.encode_to_vec()
}

/// A reason's code in a word.
pub(crate) fn code(number: i32) -> String {
    match ReasonCode::try_from(number) {
        Err(_) | Ok(ReasonCode::Unspecified) => format!("REASON_CODE {number}"),
        Ok(code) => code.as_str_name().replace("REASON_CODE_", ""),
    }
}

#[cfg(test)]
mod tests;
