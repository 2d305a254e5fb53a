//! `seatwise users import`.

use std::path::Path;
use std::process::ExitCode;

use seatwise_client::Client;
use seatwise_client::v1::{ImportOutcome, ImportedUser, import_outcome::Kind};
use serde_json::json;

use crate::error::Error;
use crate::exit;
use crate::files::{self, Lined};
use crate::output::{self, Format, Printer, word};
use crate::text::text;

/// Users of one call: the steps of the progress bar.
const CALL_USERS: usize = 2_000;

pub(crate) async fn run(
    client: &Client,
    format: Format,
    customer: &str,
    file: &Path,
    comment: &str,
) -> Result<ExitCode, Error> {
    let users = files::read_imported(file)?;
    let mut report = Report::new(format);
    let bar = output::progress(format, users.len() as u64, text!("progress-users"));
    for users in users.chunks(CALL_USERS) {
        let items = users.iter().map(|user| user.item.clone()).collect();
        let outcomes = client.import_users_for(customer, items, comment).await;
        let outcomes = outcomes.map_err(Error::from).inspect_err(|error| {
            bar.finish_and_clear();
            if report.counts != [0; 4] || error.exit_code() != exit::REFUSED {
                output::note(&text!("import-stopped", line = users[0].line.to_string()));
            }
        })?;
        for (user, outcome) in users.iter().zip(&outcomes) {
            report.add(user, outcome)?;
        }
        bar.inc(users.len() as u64);
    }
    bar.finish_and_clear();
    report.finish()
}

struct Report {
    format: Format,
    printer: Printer,
    /// Created, updated, unchanged, failed.
    counts: [u64; 4],
}

impl Report {
    fn new(format: Format) -> Self {
        let headers = vec!["line", "user_id", "principal_name", "outcome", "error"];
        Self {
            format,
            printer: Printer::new(format, headers),
            counts: [0; 4],
        }
    }

    /// Prints what became of a user; for people only if it failed.
    fn add(&mut self, user: &Lined<ImportedUser>, outcome: &ImportOutcome) -> Result<(), Error> {
        self.counts[match outcome.kind() {
            Kind::Created => 0,
            Kind::Updated => 1,
            Kind::Unchanged => 2,
            Kind::Failed | Kind::Unspecified => 3,
        }] += 1;
        let name = &user.item.principal_name;
        let id = match &outcome.user_id {
            id if id.is_empty() => &user.item.user_id,
            id => id,
        };
        let kind = word(outcome.kind().as_str_name(), "KIND_");
        match self.format {
            Format::Table if outcome.kind() != Kind::Failed => Ok(()),
            Format::Table | Format::Csv => self.printer.cells(vec![
                user.line.to_string(),
                id.clone(),
                name.clone(),
                kind,
                outcome.error.clone(),
            ]),
            // No message of the protocol: it knows no lines.
            Format::Json => output::line(
                &json!({
                    "line": user.line,
                    "user_id": id,
                    "principal_name": name,
                    "kind": outcome.kind().as_str_name(),
                    "error": outcome.error,
                })
                .to_string(),
            ),
        }
    }

    fn finish(self) -> Result<ExitCode, Error> {
        let [created, updated, unchanged, failed] = self.counts;
        if self.format == Format::Csv || failed > 0 {
            self.printer.finish()?;
        }
        let summary = text!(
            "import-counts",
            created = created,
            updated = updated,
            unchanged = unchanged,
            failed = failed,
        );
        match self.format {
            Format::Table => output::line(&summary)?,
            Format::Csv => output::note(&summary),
            Format::Json => output::line(
                &json!({
                    "created_count": created,
                    "updated_count": updated,
                    "unchanged_count": unchanged,
                    "failed_count": failed,
                })
                .to_string(),
            )?,
        }
        Ok(exit::some_failed(failed > 0))
    }
}
