//! `seatwise assignments`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use seatwise_client::v1::{self, plan_choice::Choice};

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{Column, Row, column, detail, time};
use crate::paging::{self, Limit};

#[derive(Args)]
pub(crate) struct AssignmentsArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List who holds what
    List {
        /// UUID of the customer
        #[arg(long, value_name = "UUID")]
        customer: String,
        /// Only those of this user: UUID or principal name
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
}

impl Row for v1::Assignment {
    const COLUMNS: &'static [Column<Self>] = &[
        column("user_id", |assignment| assignment.user_id.clone()),
        column("product_id", |assignment| assignment.product_id.clone()),
        column("plans", |assignment| plans(assignment.plans.as_ref())),
        detail("enabled_plan_ids", |assignment| {
            assignment.enabled_plan_ids.join(", ")
        }),
        detail("batch_id", |assignment| assignment.batch_id.clone()),
        detail("assign_time", |assignment| {
            time(assignment.assign_time.as_ref())
        }),
    ];
}

/// The choice of plans in short; JSON has the ids.
fn plans(choice: Option<&v1::PlanChoice>) -> String {
    match choice.and_then(|plans| plans.choice.as_ref()) {
        Some(Choice::AllExcept(set)) if !set.plan_ids.is_empty() => {
            format!("all but {}", set.plan_ids.len())
        }
        Some(Choice::Only(set)) => format!("only {}", set.plan_ids.len()),
        _ => "all".to_owned(),
    }
}

pub(crate) async fn run(args: AssignmentsArgs) -> Result<ExitCode, Error> {
    let client = args.connect.client()?;
    let Command::List {
        customer,
        user,
        limit,
    } = args.command;
    let page = async |page_size, page_token| {
        let request = v1::ListAssignmentsRequest {
            customer_id: customer.clone(),
            user: user.clone().unwrap_or_default(),
            page_size,
            page_token,
        };
        let page = client.list_assignments(request).await?;
        Ok((page.assignments, page.next_page_token))
    };
    paging::print(args.connect.output, &limit, page).await?;
    Ok(ExitCode::SUCCESS)
}
