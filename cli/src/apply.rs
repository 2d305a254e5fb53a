//! How every change is carried out: previewed, asked about, applied, confirmed.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, ValueEnum};
use seatwise_client::v1::{self, ErrorReason, batch_options};
use seatwise_client::{BatchRequest, BatchStream, Client};
use uuid::Uuid;

use crate::command_line;
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::exit;
use crate::fields::{self, Lines};
use crate::outcome::{self, Report};
use crate::output::{self, Format};
use crate::question::{self, Asking};
use crate::text::text;
use crate::why::Why;

#[derive(Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    customer: CustomerArgs,
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
        value_parser = Filled::new(),
        conflicts_with = "dry_run"
    )]
    plan: Option<String>,
    /// Do it although it takes away more than the customer's guard allows: what its preview, or the
    /// refusal, has shown
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, value_parser = Filled::new())]
    confirm: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// UUID that names the request: sent again, nothing is done twice. Made if not given, and printed
    /// if the connection is lost
    #[arg(long, value_name = "UUID", value_parser = Filled::new())]
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
    /// Judge each user alone, which is the default, or change all users or nobody
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "best-effort|atomic"
    )]
    mode: Option<Mode>,
    /// Skip the rest after so many failed users
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    stop_after: Option<i32>,
    /// Give seats out in the order of the users while there are any, which is the default, or refuse
    /// the request if a user would find none
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "fill|refuse"
    )]
    capacity: Option<Capacity>,
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

    fn asks(&self) -> bool {
        self.plan.is_none() && self.asking.asks(self.connect.output)
    }
}

impl OptionArgs {
    /// The options that are given, if any is.
    fn message(&self) -> Option<v1::BatchOptions> {
        let is_given = self.mode.is_some() || self.capacity.is_some() || self.stop_after.is_some();
        let mode = match self.mode {
            None => batch_options::Mode::Unspecified,
            Some(Mode::BestEffort) => batch_options::Mode::BestEffort,
            Some(Mode::Atomic) => batch_options::Mode::Atomic,
        };
        let capacity = match self.capacity {
            None => batch_options::Capacity::Unspecified,
            Some(Capacity::Fill) => batch_options::Capacity::FillInOrder,
            Some(Capacity::Refuse) => batch_options::Capacity::RefuseIfShort,
        };
        is_given.then(|| v1::BatchOptions {
            mode: mode.into(),
            capacity: capacity.into(),
            stop_after_failures: self.stop_after.unwrap_or_default(),
        })
    }
}

/// Carries out a request, which lacks what the arguments say. `lines` say where its users stand.
pub(crate) async fn run(
    client: Client,
    args: RequestArgs,
    mut request: v1::ExecuteBatchRequest,
    lines: Vec<Lines>,
) -> Result<ExitCode, Error> {
    request.customer_id = args.customer.id(&client).await?;
    request.options = args.options.message();
    request.comment.clone_from(&args.why.comment);
    carry_out(client, args, request.into(), lines).await
}

/// Tries an earlier batch again.
pub(crate) async fn retry(
    client: Client,
    args: RequestArgs,
    mut request: v1::RetryBatchRequest,
) -> Result<ExitCode, Error> {
    request.customer_id = args.customer.id(&client).await?;
    request.options = args.options.message();
    request.comment.clone_from(&args.why.comment);
    carry_out(client, args, request.into(), Vec::new()).await
}

/// Takes an earlier batch back.
pub(crate) async fn revert(
    client: Client,
    args: RequestArgs,
    mut request: v1::RevertBatchRequest,
) -> Result<ExitCode, Error> {
    request.customer_id = args.customer.id(&client).await?;
    request.options = args.options.message();
    request.comment.clone_from(&args.why.comment);
    carry_out(client, args, request.into(), Vec::new()).await
}

async fn carry_out(
    client: Client,
    args: RequestArgs,
    request: BatchRequest,
    lines: Vec<Lines>,
) -> Result<ExitCode, Error> {
    let request = match &args.confirm {
        Some(confirmation) => request.with_confirmation(confirmation),
        None => request,
    };
    let mut job = Job {
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
    request: BatchRequest,
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
            let mut with = vec!["--plan", summary.plan_token.as_str()];
            if let Some(required) = &summary.required_confirmation {
                with.extend(["--confirm", required.confirmation.as_str()]);
            }
            let command = command_line::again(&["--dry-run", "--confirm="], &with);
            format!("\n{}\n  {command}", text!("to-do-exactly-this"))
        } else {
            format!("\n{}", text!("nothing-to-apply"))
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
    async fn ask(&mut self) -> Result<ExitCode, Error> {
        loop {
            let mut report = self.report();
            let summary = self.preview(&mut report).await?;
            // Not data: standard output gets only what was done.
            output::note(&report.text(&self.client, &summary).await?);
            if !changes_something(&summary) {
                output::note(&format!("\n{}", text!("nothing-to-apply")));
                return Ok(outcome::exit_code(summary.batch.as_ref()));
            }
            if !self.is_confirmed(&summary)? {
                return Ok(question::declined());
            }
            match self.apply(summary.plan_token).await {
                Err(Error::Call(error)) if error.reason == ErrorReason::PlanStale => {
                    output::note(&format!("{}\n", text!("preview-stale")));
                }
                done => return done,
            }
        }
    }

    /// Asks whether to apply. What takes away much is confirmed with more than a key.
    fn is_confirmed(&mut self, summary: &v1::BatchSummary) -> Result<bool, Error> {
        let Some(required) = &summary.required_confirmation else {
            return question::is_confirmed(&text!("apply"));
        };
        let users = required.user_count();
        if !question::is_typed(&text!("apply-losses", count = users), users)? {
            return Ok(false);
        }
        self.request = self
            .request
            .clone()
            .with_confirmation(&required.confirmation);
        Ok(true)
    }

    /// Does it; with the token of a plan only if that still holds.
    async fn apply(&self, plan_token: String) -> Result<ExitCode, Error> {
        let request_id = self.args.request_id.clone();
        let request_id = request_id.unwrap_or_else(|| Uuid::now_v7().to_string());
        let request = self.request.clone().with_request_id(&request_id);
        let mut stream = self.client.batch(request.with_plan_token(&plan_token));
        let accepted = self.accept(&mut stream).await.inspect_err(|error| {
            // Who has lost the answer can ask for it again.
            if error.exit_code() == exit::FAILED {
                note_repetition(&request_id, &plan_token);
            }
        });
        let batch_id = accepted?;
        output::note(&match stream.is_replayed() {
            true => text!("batch-replayed", id = batch_id),
            false => text!("batch-accepted", id = batch_id),
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
        let batch = batch.map_err(|error| Error::Call(fields::locate(error, &self.lines)))?;
        Ok(batch.batch_id.clone())
    }
}

/// Says how to send the same request again.
fn note_repetition(request_id: &str, plan_token: &str) {
    let with = ["--request-id", request_id, "--plan", plan_token];
    let without = ["--yes", "-y", "--request-id=", "--plan="];
    let command = match plan_token {
        "" => command_line::again(&without, &["--yes", "--request-id", request_id]),
        _ => command_line::again(&without, &with),
    };
    output::note(&format!("{}\n  {command}", text!("to-repeat-safely")));
}

fn changes_something(summary: &v1::BatchSummary) -> bool {
    let batch = summary.batch.as_ref();
    batch.is_some_and(|batch| batch.applied_count() > 0)
}
