//! `seatwise assignments`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use seatwise_client::v1::{self, plan_choice::Choice};

use crate::catalogue::plan_name;
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::output::{Column, Row, column, detail, time};
use crate::paging::{self, Ask, Limit, Paging};
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
        #[command(flatten)]
        customer: CustomerArgs,
        /// Only those of this user: UUID or principal name
        #[arg(long)]
        user: Option<String>,
        /// Only those of this product: UUID, or string id if no other has it
        #[arg(long)]
        product: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// List who has more plans on than were chosen, because newer editions added them
    Gained {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Only plans added after this version of the catalogue, as `catalogue import` tells it
        #[arg(long, value_name = "VERSION", default_value_t = 0)]
        since: i64,
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

impl Row for v1::GainedPlans {
    const COLUMNS: &'static [Column<Self>] = &[
        column("user_id", |gained| gained.user_id.clone()),
        column("principal_name", |gained| gained.principal_name.clone()),
        detail("display_name", |gained| gained.display_name.clone()),
        column("product", |gained| {
            let product = gained.product.clone().unwrap_or_default();
            product.display_name
        }),
        column("plans", |gained| {
            gained
                .plans
                .iter()
                .map(plan_name)
                .collect::<Vec<_>>()
                .join(", ")
        }),
    ];
}

/// The choice of plans in short; JSON has the ids.
pub(crate) fn plans(choice: Option<&v1::PlanChoice>) -> String {
    match choice.and_then(|plans| plans.choice.as_ref()) {
        Some(Choice::AllExcept(set)) if !set.plan_ids.is_empty() => {
            format!("all but {}", set.plan_ids.len())
        }
        Some(Choice::Only(set)) => format!("only {}", set.plan_ids.len()),
        _ => "all".to_owned(),
    }
}

pub(crate) async fn run(args: AssignmentsArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let (customer, user, product, paging) = match args.command {
        Command::List {
            customer,
            user,
            product,
            paging,
        } => (customer, user, product, paging),
        Command::Gained {
            customer,
            since,
            limit,
        } => {
            let customer = customer.id(&client).await?;
            let page = async |ask: Ask| {
                let request = v1::ListGainedPlansRequest {
                    customer_id: customer.clone(),
                    since_version: since,
                    page_size: ask.page_size,
                    page_token: ask.page_token,
                };
                Ok(client.list_gained_plans(request).await?.into())
            };
            paging::print_all(format, &limit, page).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let customer = customer.id(&client).await?;
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
    paging::print(format, &paging, page).await?;
    Ok(ExitCode::SUCCESS)
}
