//! `seatwise batch`.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use seatwise_client::{Client, UserResult, v1};

use crate::apply::{self, RequestArgs};
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::outcome::{self, Report};
use crate::output::{self, Column, Format, Row, column, detail, time, word, yes_no};
use crate::paging::{self, Ask, PAGE_SIZE, Paging};
use crate::text::text;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct BatchArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show how far a batch is
    Get(Place),
    /// List the batches of a customer, the newest first
    List {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Only those that run, or that have ended
        #[arg(long, value_enum)]
        state: Option<StateArg>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show the results that a batch has by now
    Results(Results),
    /// Skip all users who have had no turn yet; what was done stays
    Cancel {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        why: Why,
    },
    /// Try a batch again for those whom it has refused, carried out as it was unless options are given
    Retry {
        /// UUID of the batch
        batch: String,
        /// Also try those whom it has skipped
        #[arg(long)]
        skipped: bool,
        #[command(flatten)]
        args: RequestArgs,
    },
    /// Take back what a batch did, for all whom nobody has changed since
    Revert {
        /// UUID of the batch
        batch: String,
        /// Of who was changed since, take back what was not
        #[arg(long)]
        safe_part: bool,
        #[command(flatten)]
        args: RequestArgs,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StateArg {
    Running,
    Ended,
}

impl StateArg {
    fn message(self) -> v1::batch::State {
        match self {
            Self::Running => v1::batch::State::Running,
            Self::Ended => v1::batch::State::Ended,
        }
    }
}

#[derive(Args)]
struct Place {
    #[command(flatten)]
    customer: CustomerArgs,
    /// UUID of the batch
    batch: String,
}

#[derive(Args)]
struct Results {
    #[command(flatten)]
    place: Place,
    /// Only the results after the one with this cursor
    #[arg(long, default_value = "", hide_default_value = true)]
    cursor: String,
    /// Wait for the rest
    #[arg(long)]
    follow: bool,
    /// Show all users of each reason
    #[arg(long)]
    all: bool,
}

impl Row for v1::Batch {
    const COLUMNS: &'static [Column<Self>] = &[
        column("batch_id", |batch| batch.batch_id.clone()),
        column("create_time", |batch| time(batch.create_time.as_ref())),
        column("state", |batch| word(batch.state().as_str_name(), "STATE_")),
        detail("users", |batch| batch.user_count().to_string()),
        column("applied", |batch| batch.applied_count().to_string()),
        column("unchanged", |batch| batch.unchanged_count().to_string()),
        column("failed", |batch| batch.failed_count().to_string()),
        detail("skipped", |batch| batch.skipped_count().to_string()),
        detail("end_time", |batch| time(batch.end_time.as_ref())),
        detail("request_id", |batch| batch.request_id.clone()),
        detail("mode", |batch| {
            option(batch, |options| word(options.mode().as_str_name(), "MODE_"))
        }),
        detail("capacity", |batch| {
            option(batch, |options| {
                word(options.capacity().as_str_name(), "CAPACITY_")
            })
        }),
        detail("stop_after_failures", |batch| {
            option(batch, |options| match options.stop_after_failures {
                0 => String::new(),
                failures => failures.to_string(),
            })
        }),
        detail("stopped_by", |batch| match batch.stopped_by() {
            v1::ReasonCode::Unspecified => String::new(),
            _ => outcome::code(batch.stopped_by),
        }),
        detail("reverts", |batch| batch.reverts_batch_id.clone()),
        detail("reverted_by", |batch| batch.reverted_by_batch_id.clone()),
        detail("retries", |batch| batch.retries_batch_id.clone()),
        detail("retried_by", |batch| batch.retried_by_batch_id.clone()),
        detail("results_pruned", |batch| yes_no(batch.results_pruned)),
    ];
}

/// How the batch is carried out, as far as the server says it.
fn option(batch: &v1::Batch, show: impl Fn(&v1::BatchOptions) -> String) -> String {
    batch.options.as_ref().map(show).unwrap_or_default()
}

pub(crate) async fn run(args: BatchArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    match args.command {
        Command::Get(place) => {
            let customer = place.customer.id(&client).await?;
            let batch = get(&client, customer, place.batch).await?;
            output::show(format, &batch)?;
            Ok(outcome::exit_code(Some(&batch)))
        }
        Command::List {
            customer,
            state,
            paging,
        } => {
            let customer = customer.id(&client).await?;
            let page = async |ask: Ask| {
                let request = v1::ListBatchesRequest {
                    customer_id: customer.clone(),
                    page_size: ask.page_size,
                    page_token: ask.page_token,
                    include_total_size: ask.include_total_size,
                    state: state.map_or(0, |state| state.message().into()),
                };
                Ok(client.list_batches(request).await?.into())
            };
            paging::print(format, &paging, page).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Results(results) => {
            let mut report = Report::new(format, results.all);
            let customer = results.place.customer.id(&client).await?;
            if results.follow {
                let stream = client.batch_results(customer, results.place.batch, results.cursor);
                let summary = outcome::follow(stream, &mut report).await?;
                return report
                    .finish_results(&client, &summary.batch.unwrap_or_default())
                    .await;
            }
            print_results(&client, customer, results, report).await
        }
        Command::Retry {
            batch,
            skipped,
            args,
        } => {
            let request = v1::RetryBatchRequest {
                batch_id: batch,
                include_skipped: skipped,
                ..v1::RetryBatchRequest::default()
            };
            apply::retry(client, args, request).await
        }
        Command::Revert {
            batch,
            safe_part,
            args,
        } => {
            let request = v1::RevertBatchRequest {
                batch_id: batch,
                take_safe_part: safe_part,
                ..v1::RevertBatchRequest::default()
            };
            apply::revert(client, args, request).await
        }
        Command::Cancel { place, why } => cancel(&client, format, place, why).await,
    }
}

async fn cancel(
    client: &Client,
    format: Format,
    place: Place,
    why: Why,
) -> Result<ExitCode, Error> {
    let request = v1::CancelBatchRequest {
        customer_id: place.customer.id(client).await?,
        batch_id: place.batch,
        comment: why.comment,
    };
    let batch = client.cancel_batch(request).await?;
    if batch.stopped_by() != v1::ReasonCode::BatchCancelled {
        output::note(&text!("nothing-to-cancel"));
    }
    output::show(format, &batch)?;
    Ok(ExitCode::SUCCESS)
}

async fn get(client: &Client, customer_id: String, batch_id: String) -> Result<v1::Batch, Error> {
    let request = v1::GetBatchRequest {
        customer_id,
        batch_id,
    };
    Ok(client.get_batch(request).await?)
}

/// Prints the results that exist. The token of a running batch never ends; an empty page does.
async fn print_results(
    client: &Client,
    customer: String,
    results: Results,
    mut report: Report,
) -> Result<ExitCode, Error> {
    let mut page_token = results.cursor;
    loop {
        let request = v1::ListBatchResultsRequest {
            customer_id: customer.clone(),
            batch_id: results.place.batch.clone(),
            page_size: PAGE_SIZE,
            page_token,
        };
        let page = client.list_batch_results(request).await?;
        page_token = page.next_page_token.clone();
        let is_last = page.results.is_empty() || page_token.is_empty();
        for result in UserResult::of_page(page) {
            report.add(&result)?;
        }
        if is_last {
            break;
        }
    }
    let batch = get(client, customer, results.place.batch).await?;
    report.finish_results(client, &batch).await
}
