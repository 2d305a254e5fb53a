//! What became of a batch: a row per user as it comes, at the end counts and reasons, and the exit
//! code.

use std::collections::{BTreeSet, HashMap};
use std::iter::repeat;
use std::process::ExitCode;

use prost::Message;
use seatwise_client::v1::{
    Batch, BatchSummary, Reason, ReasonCode, batch, batch_result::Disposition,
};
use seatwise_client::{BatchStream, Client, UserResult};

use crate::error::Error;
use crate::exit;
use crate::groups::{Change, Group, sorted, users};
use crate::output::{self, Format, Printer, count, word};
use crate::{products, seats};

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
    let bar = output::progress(report.format, users, "users");
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
            }
            _ => {
                let mut causes: Vec<_> = result.reasons.iter().map(cause).collect();
                let mut texts = reasons(result);
                if texts.is_empty() {
                    texts.push(disposition(result));
                    causes.push(Vec::new());
                }
                for (cause, text) in causes.into_iter().zip(texts) {
                    let (_, group) = self
                        .refused
                        .entry(cause)
                        .or_insert((text, Group::default()));
                    group.add(result, shown);
                }
            }
        }
        Ok(())
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
        let mut names = seats::names(&summary.seats);
        let shown = sorted(self.changes.iter())
            .into_iter()
            .take(self.changes_shown);
        let unnamed: BTreeSet<_> = shown
            .flat_map(|(change, _)| change.products())
            .filter(|id| !names.contains_key(*id))
            .cloned()
            .collect();
        names.extend(products::names(client, unnamed.into_iter()).await?);
        Ok(self.words(summary, &names))
    }

    fn words(&self, summary: &BatchSummary, names: &HashMap<String, String>) -> String {
        let mut text = counts(summary);
        let changes = sorted(self.changes.iter());
        for (change, group) in changes.iter().take(self.changes_shown) {
            text += &group.text(&change.words(is_preview(summary), names));
        }
        if let Some(more @ 1..) = changes.len().checked_sub(self.changes_shown) {
            text += &format!(
                "\n\nand {} other changes; --all shows them",
                count(more as u64)
            );
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
        text
    }
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
    Ok(report.words(&summary, &HashMap::new()))
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
    let state = match batch.state() {
        batch::State::Running => ", still running",
        _ => "",
    };
    let title = match is_preview(summary) {
        true => "preview: nothing is changed yet; it would be".to_owned(),
        false => format!("batch {}{state}", batch.batch_id),
    };
    let rolled_back = match (summary.rolled_back, is_preview(summary)) {
        (false, _) => "",
        (true, true) => "\nnobody would be changed, since all or nobody was asked for",
        (true, false) => "\nnobody was changed, since all or nobody was asked for",
    };
    format!(
        "{title}\n{}: {} applied, {} unchanged, {} failed, {} skipped{rolled_back}",
        users(u64::try_from(batch.user_count()).unwrap_or_default()),
        count(batch.applied_count()),
        count(batch.unchanged_count()),
        count(batch.failed_count()),
        count(batch.skipped_count())
    )
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
mod tests {
    use seatwise_client::v1::BatchResult;

    use super::*;

    fn failed(index: i32, codes: &[ReasonCode]) -> UserResult {
        let reason = |code: &ReasonCode| Reason {
            code: (*code).into(),
            ..Reason::default()
        };
        let result = BatchResult {
            index: Some(index),
            principal_name: format!("user{index}@example.com"),
            disposition: Disposition::Failed.into(),
            reasons: codes.iter().map(reason).collect(),
            ..BatchResult::default()
        };
        UserResult {
            result,
            reason_texts: vec!["Because.".to_owned(); codes.len()],
            locale: "en".to_owned(),
        }
    }

    #[test]
    fn failures_are_grouped_by_reason_and_long_groups_are_cut() {
        let mut report = Report::new(Format::Table, false);
        let both = [ReasonCode::UserInactive, ReasonCode::SeatsExhausted];
        report.add(&failed(0, &both)).unwrap();
        for index in 1..25 {
            let mut failed = failed(index, &both[1..]);
            failed.result.reasons[0].available = Some(-index);
            report.add(&failed).unwrap();
        }
        let text = report.words(&BatchSummary::default(), &HashMap::new());
        let seats = text.find("SEATS_EXHAUSTED: Because. (25 users)");
        let inactive = text.find("USER_INACTIVE");
        assert!(seats.unwrap() < inactive.unwrap(), "{text}");
        assert_eq!(text.matches("user0@example.com").count(), 2, "{text}");
        assert!(text.contains("and 5 more"), "{text}");
    }

    #[test]
    fn changes_are_grouped_by_what_was_done_with_names_and_many_kinds_are_cut() {
        let applied = |index: i32, assigned: &str| {
            let mut result = failed(index, &[]);
            result.result.disposition = Disposition::Applied.into();
            result.result.assigned_product_ids = vec![assigned.to_owned()];
            result.result.revoked_product_ids = vec!["b".to_owned()];
            result
        };
        let mut report = Report::new(Format::Table, false);
        for index in 0..2 {
            report.add(&applied(index, "a")).unwrap();
        }
        for index in 0..22 {
            report
                .add(&applied(index, &format!("other{index:02}")))
                .unwrap();
        }
        let names = HashMap::from([("a".to_owned(), "Suite".to_owned())]);
        let text = report.words(&BatchSummary::default(), &names);
        assert!(
            text.contains("\nassign Suite; revoke b (2 users)\n  user0@"),
            "{text}"
        );
        assert!(text.contains("and 3 other changes"), "{text}");
        let batch_id = "1".to_owned();
        let batch = Some(Batch {
            batch_id,
            ..Batch::default()
        });
        let done = BatchSummary {
            batch,
            ..BatchSummary::default()
        };
        let text = report.words(&done, &names);
        assert!(
            text.contains("\nassigned Suite; revoked b (2 users)"),
            "{text}"
        );
    }

    #[test]
    fn a_reason_of_a_newer_server_is_shown_by_number_with_its_text() {
        let mut newer = failed(0, &[ReasonCode::UserInactive]);
        newer.result.reasons[0].code = 99;
        assert_eq!(reasons(&newer), ["REASON_CODE 99: Because."]);
    }
}
