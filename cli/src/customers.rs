//! `seatwise customers`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use seatwise_client::v1;

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{self, Column, Row, column, detail, time};
use crate::paging::{self, Ask, Paging};
use crate::why::Why;

#[derive(Args)]
pub(crate) struct CustomersArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the customers by name
    List {
        /// Only those whose name begins so; case does not matter
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        search: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a customer
    Get {
        /// UUID of the customer
        customer: String,
    },
    /// Create a customer
    Create {
        /// Name for people
        #[arg(long)]
        name: String,
        /// UUID, for instance of your directory. The server makes one if not given
        #[arg(long, value_name = "UUID")]
        id: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Rename a customer
    Update {
        /// UUID of the customer
        customer: String,
        /// New name for people
        #[arg(long)]
        name: String,
        /// Only if the customer still has this etag
        #[arg(long)]
        etag: Option<String>,
        #[command(flatten)]
        why: Why,
    },
}

impl Row for v1::Customer {
    const COLUMNS: &'static [Column<Self>] = &[
        column("customer_id", |customer| customer.customer_id.clone()),
        column("display_name", |customer| customer.display_name.clone()),
        column("create_time", |customer| {
            time(customer.create_time.as_ref())
        }),
        detail("update_time", |customer| {
            time(customer.update_time.as_ref())
        }),
        detail("etag", |customer| customer.etag.clone()),
    ];
}

pub(crate) async fn run(args: CustomersArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let customer = match args.command {
        Command::List { search, paging } => {
            let page = async |ask: Ask| {
                let request = v1::ListCustomersRequest {
                    page_size: ask.page_size,
                    page_token: ask.page_token,
                    include_total_size: ask.include_total_size,
                    search: search.clone(),
                };
                Ok(client.list_customers(request).await?.into())
            };
            paging::print(format, &paging, page).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Get { customer } => {
            let customer_id = customer;
            let request = v1::GetCustomerRequest { customer_id };
            client.get_customer(request).await?
        }
        Command::Create { name, id, why } => {
            let request = v1::CreateCustomerRequest {
                customer_id: id.unwrap_or_default(),
                display_name: name,
                comment: why.comment,
            };
            client.create_customer(request).await?
        }
        Command::Update {
            customer,
            name,
            etag,
            why,
        } => {
            let request = v1::UpdateCustomerRequest {
                customer_id: customer,
                display_name: Some(name),
                etag: etag.unwrap_or_default(),
                comment: why.comment,
                revocation_guard: None,
            };
            client.update_customer(request).await?
        }
    };
    output::show(format, &customer)?;
    Ok(ExitCode::SUCCESS)
}
