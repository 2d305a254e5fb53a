//! How every change is carried out: previewed, asked about, applied, confirmed.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use seatwise_client::v1::{self, ErrorReason, batch_options};
use seatwise_client::{BatchStream, Client};
use uuid::Uuid;

use crate::connect::Connect;
use crate::error::Error;
use crate::exit;
use crate::files::{self, Lines};
use crate::outcome::{self, Report};
use crate::output::{self, Format};
use crate::why::Why;

/// Ends a preview that has shown no change.
const NOTHING: &str = "\nthere is nothing to apply";

#[derive(Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// UUID of the customer
    #[arg(long, value_name = "UUID")]
    customer: String,
    #[command(flatten)]
    options: OptionArgs,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do exactly what a preview has shown, or nothing: the token at its end
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "dry_run"
    )]
    plan: Option<String>,
    /// Do it without asking. Questions are only asked on a terminal
    #[arg(long, short)]
    yes: bool,
    /// UUID that names the request: sent again, nothing is done twice. Made and printed if not given
    #[arg(long, value_name = "UUID")]
    request_id: Option<String>,
    /// Show all users of each reason and each change
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Args)]
struct OptionArgs {
    /// Judge each user alone, or change all users or nobody
    #[arg(
        long,
        value_enum,
        default_value = "best-effort",
        hide_possible_values = true,
        value_name = "best-effort|atomic"
    )]
    mode: Mode,
    /// Skip the rest after so many failed users
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    stop_after: Option<i32>,
    /// Give seats out in the order of the users while there are any, or refuse the request if a user
    /// would find none
    #[arg(
        long,
        value_enum,
        default_value = "fill",
        hide_possible_values = true,
        value_name = "fill|refuse"
    )]
    capacity: Capacity,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    BestEffort,
    Atomic,
}

#[derive(Clone, Copy, ValueEnum)]
enum Capacity {
    Fill,
    Refuse,
}

impl RequestArgs {
    pub(crate) fn client(&self) -> Result<Client, Error> {
        self.connect.client()
    }

    /// Rows and JSON are for scripts, which cannot answer.
    fn asks(&self) -> bool {
        self.connect.output == Format::Table
            && !self.yes
            && self.plan.is_none()
            && std::io::stdin().is_terminal()
            && std::io::stderr().is_terminal()
    }
}

impl OptionArgs {
    fn message(&self) -> v1::BatchOptions {
        let mode = match self.mode {
            Mode::BestEffort => batch_options::Mode::BestEffort,
            Mode::Atomic => batch_options::Mode::Atomic,
        };
        let capacity = match self.capacity {
            Capacity::Fill => batch_options::Capacity::FillInOrder,
            Capacity::Refuse => batch_options::Capacity::RefuseIfShort,
        };
        v1::BatchOptions {
            mode: mode.into(),
            capacity: capacity.into(),
            stop_after_failures: self.stop_after.unwrap_or_default(),
        }
    }
}

/// Carries out a request, which lacks what the arguments say. `lines` say where its users stand.
pub(crate) async fn run(
    client: Client,
    args: RequestArgs,
    mut request: v1::ExecuteBatchRequest,
    lines: Vec<Lines>,
) -> Result<ExitCode, Error> {
    request.customer_id.clone_from(&args.customer);
    request.options = Some(args.options.message());
    request.comment.clone_from(&args.why.comment);
    let job = Job {
        client,
        args,
        request,
        lines,
    };
    if job.args.dry_run {
        job.show_preview().await
    } else if job.args.asks() {
        job.ask().await
    } else {
        let token = job.args.plan.clone().unwrap_or_default();
        job.apply(token).await
    }
}

struct Job {
    client: Client,
    args: RequestArgs,
    request: v1::ExecuteBatchRequest,
    lines: Vec<Lines>,
}

impl Job {
    fn report(&self) -> Report {
        Report::new(self.args.connect.output, self.args.all)
    }

    /// Follows a preview to its end.
    async fn preview(&self, report: &mut Report) -> Result<v1::BatchSummary, Error> {
        let mut stream = self.client.preview(self.request.clone());
        self.accept(&mut stream).await?;
        outcome::follow(stream, report).await
    }

    /// `--dry-run`: prints what would be done, and how to do it.
    async fn show_preview(&self) -> Result<ExitCode, Error> {
        let mut report = self.report();
        let summary = self.preview(&mut report).await?;
        report.finish(&self.client, &summary).await?;
        let end = if changes_something(&summary) {
            let command = command_line(std::env::args(), &summary.plan_token);
            format!("\nto do exactly this:\n  {command}")
        } else {
            NOTHING.to_owned()
        };
        match self.args.connect.output {
            Format::Table => output::line(&end)?,
            Format::Csv => output::note(&end),
            // The token is in the summary.
            Format::Json => {}
        }
        Ok(outcome::exit_code(summary.batch.as_ref()))
    }

    /// Shows what would be done, asks, and does exactly that.
    async fn ask(&self) -> Result<ExitCode, Error> {
        loop {
            let mut report = self.report();
            let summary = self.preview(&mut report).await?;
            // Not data: standard output gets only what was done.
            output::note(&report.text(&self.client, &summary).await?);
            if !changes_something(&summary) {
                output::note(NOTHING);
                return Ok(outcome::exit_code(summary.batch.as_ref()));
            }
            if !confirmed("\nApply? [y/N] ")? {
                output::note("nothing was changed");
                return Ok(ExitCode::from(exit::REFUSED));
            }
            match self.apply(summary.plan_token).await {
                Err(Error::Call(error)) if error.reason == ErrorReason::PlanStale => {
                    output::note(
                        "something has changed since, and nothing was done; the preview is now:\n",
                    );
                }
                done => return done,
            }
        }
    }

    /// Does it; with the token of a plan only if that still holds.
    async fn apply(&self, plan_token: String) -> Result<ExitCode, Error> {
        let request_id = self.args.request_id.clone().unwrap_or_else(|| {
            let id = Uuid::now_v7().to_string();
            // Before it is sent: who loses the answer can ask for it again.
            output::note(&format!("to repeat safely: --yes --request-id {id}"));
            id
        });
        let mut stream = self.client.batch(v1::ExecuteBatchRequest {
            request_id,
            plan_token,
            ..self.request.clone()
        });
        let batch_id = self.accept(&mut stream).await?;
        output::note(&match stream.is_replayed() {
            true => {
                format!("this request was sent before, as batch {batch_id}; these are its results")
            }
            false => {
                format!("accepted as batch {batch_id}, which goes on even if this command ends")
            }
        });
        let mut report = self.report();
        let summary = outcome::follow(stream, &mut report).await?;
        report.finish(&self.client, &summary).await?;
        Ok(outcome::exit_code(summary.batch.as_ref()))
    }

    /// Waits until the request is accepted. The server counts the users of the request; people count
    /// the lines of their file.
    async fn accept(&self, stream: &mut BatchStream) -> Result<String, Error> {
        let batch = stream.accepted().await;
        let batch = batch.map_err(|error| Error::Call(files::locate(error, &self.lines)))?;
        Ok(batch.batch_id.clone())
    }
}

fn changes_something(summary: &v1::BatchSummary) -> bool {
    let batch = summary.batch.as_ref();
    batch.is_some_and(|batch| batch.applied_count() > 0)
}

/// Asks on the terminal. Whatever is not yes is no.
fn confirmed(question: &str) -> Result<bool, Error> {
    let mut stderr = std::io::stderr();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// The command line that does what this one has previewed.
fn command_line(args: impl Iterator<Item = String>, plan_token: &str) -> String {
    let args = args.filter(|arg| arg != "--dry-run");
    let plan = ["--plan", plan_token].map(str::to_owned);
    let words: Vec<_> = args.chain(plan).map(quoted).collect();
    words.join(" ")
}

/// A word as shells read it.
fn quoted(word: String) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+:,./-".contains(c);
    // An `=` in front is a path to zsh.
    let is_plain = |c: (usize, char)| is_plain(c.1) || (c.1 == '=' && c.0 > 0);
    if !word.is_empty() && word.char_indices().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_apply_is_the_previewed_one_with_the_token() {
        let args = ["seatwise", "assign", "--plans", "=A B", "--dry-run", "it's"];
        let line = command_line(args.map(str::to_owned).into_iter(), "t-k");
        assert_eq!(line, r"seatwise assign --plans '=A B' 'it'\''s' --plan t-k");
        for (word, shown) in [
            ("", "''"),
            ("=A", "'=A'"),
            ("--plans==A,-B", "--plans==A,-B"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(quoted(word.to_owned()), shown);
        }
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES\r\n"));
        assert!(!is_yes("\n") && !is_yes("") && !is_yes("yy\n") && !is_yes("no\n"));
    }
}
