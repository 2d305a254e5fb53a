//! `seatwise assignments`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use seatwise_client::v1::{self, plan_choice::Choice};

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{Column, Row, column, detail, time};
use crate::paging::{self, Ask, Paging};
use crate::products;

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
        /// Only those of this product: UUID, or string id if no other has it
        #[arg(long)]
        product: Option<String>,
        #[command(flatten)]
        paging: Paging,
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
        product,
        paging,
    } = args.command;
    let product_id = match product {
        Some(product) => products::find(&client, &product).await?.product_id,
        None => String::new(),
    };
    let page = async |ask: Ask| {
        let request = v1::ListAssignmentsRequest {
            customer_id: customer.clone(),
            user: user.clone().unwrap_or_default(),
            product_id: product_id.clone(),
            page_size: ask.page_size,
            page_token: ask.page_token,
            include_total_size: ask.include_total_size,
        };
        Ok(client.list_assignments(request).await?.into())
    };
    paging::print(args.connect.output, &paging, page).await?;
    Ok(ExitCode::SUCCESS)
}
