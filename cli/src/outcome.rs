//! What became of a batch: a row per user as it comes, at the end counts and reasons, and the exit
//! code.

use std::collections::HashMap;
use std::iter::repeat;
use std::process::ExitCode;

use seatwise_client::v1::{Batch, Reason, ReasonCode, batch, batch_result::Disposition};
use seatwise_client::{BatchStream, UserResult};

use crate::error::Error;
use crate::exit;
use crate::output::{self, Format, Printer, count, word};

/// Users shown below a reason unless all are asked for.
const USERS_SHOWN: usize = 20;

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
            printer: Printer::new(format, COLUMNS.to_vec()),
            users_shown: if shows_all { usize::MAX } else { USERS_SHOWN },
            groups: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, result: &UserResult) -> Result<(), Error> {
        match self.format {
            Format::Json => return output::line(&output::json(&result.result)?),
            Format::Csv => return self.printer.cells(cells(result).to_vec()),
            Format::Table => {}
        }
        match result.disposition() {
            Disposition::Applied | Disposition::Unchanged => {}
            _ if result.reasons.is_empty() => self.group(disposition(result), result),
            _ => {
                for text in reasons(result) {
                    self.group(text, result);
                }
            }
        }
        Ok(())
    }

    fn group(&mut self, text: String, result: &UserResult) {
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
    results: &[UserResult],
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

/// The reasons of a user, each with its code and in the service's words.
fn reasons(result: &UserResult) -> Vec<String> {
    let texts = result.reason_texts.iter().map(|text| format!(": {text}"));
    let texts = texts.chain(repeat(String::new()));
    let reasons = result.reasons.iter().zip(texts);
    reasons.map(|(reason, text)| code(reason) + &text).collect()
}

fn code(reason: &Reason) -> String {
    match reason.code() {
        ReasonCode::Unspecified => format!("REASON_CODE {}", reason.code),
        code => code.as_str_name().replace("REASON_CODE_", ""),
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
            report.add(&failed(index, &both[1..])).unwrap();
        }
        let text = report.text(&Batch::default());
        let seats = text.find("SEATS_EXHAUSTED: Because. (25 users)");
        let inactive = text.find("USER_INACTIVE");
        assert!(seats.unwrap() < inactive.unwrap(), "{text}");
        assert_eq!(text.matches("user0@example.com").count(), 2, "{text}");
        assert!(text.contains("and 5 more"), "{text}");
    }

    #[test]
    fn a_reason_of_a_newer_server_is_shown_by_number_with_its_text() {
        let mut newer = failed(0, &[ReasonCode::UserInactive]);
        newer.result.reasons[0].code = 99;
        assert_eq!(reasons(&newer), ["REASON_CODE 99: Because."]);
    }
}
