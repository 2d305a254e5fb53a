//! `seatwise customers`.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, Subcommand};
use seatwise_client::{Client, v1};
use uuid::Uuid;

use crate::connect::Connect;
use crate::error::Error;
use crate::output::{self, Column, Row, column, detail, time};
use crate::paging::{self, Ask, Paging};
use crate::text::text;

/// The customer that a command is about.
#[derive(Args)]
pub(crate) struct CustomerArgs {
    /// Customer: UUID, or its whole name if no other has it
    #[arg(
        long,
        env = "SEATWISE_CUSTOMER",
        value_name = "CUSTOMER",
        value_parser = Filled::new()
    )]
    customer: String,
}

impl CustomerArgs {
    pub(crate) async fn id(&self, client: &Client) -> Result<String, Error> {
        find(client, &self.customer).await
    }
}

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
        /// Only those whose name begins so; case does not matter, and nothing is found in the middle
        /// of a name
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a customer
    Get {
        /// UUID, or the whole name if no other customer has it
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
    },
    /// Rename a customer
    Update {
        /// UUID, or the whole name if no other customer has it
        customer: String,
        /// New name for people
        #[arg(long)]
        name: String,
        /// Only if the customer still has this etag
        #[arg(long, value_parser = Filled::new())]
        etag: Option<String>,
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
                    search: search.clone().unwrap_or_default(),
                };
                Ok(client.list_customers(request).await?.into())
            };
            let is_empty = paging::print(format, &paging, page).await? == 0;
            if is_empty && search.is_some() {
                output::note_of(format, &text!("no-customer-found"));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Get { customer } => {
            let customer_id = find(&client, &customer).await?;
            let request = v1::GetCustomerRequest { customer_id };
            client.get_customer(request).await?
        }
        Command::Create { name, id } => {
            let request = v1::CreateCustomerRequest {
                customer_id: id.unwrap_or_default(),
                display_name: name,
            };
            client.create_customer(request).await?
        }
        Command::Update {
            customer,
            name,
            etag,
        } => {
            let request = v1::UpdateCustomerRequest {
                customer_id: find(&client, &customer).await?,
                display_name: Some(name),
                etag: etag.unwrap_or_default(),
                revocation_guard: None,
            };
            client.update_customer(request).await?
        }
    };
    output::show(format, &customer)?;
    Ok(ExitCode::SUCCESS)
}

/// The id of the customer with this id or name.
async fn find(client: &Client, name: &str) -> Result<String, Error> {
    if let Ok(id) = Uuid::try_parse(name) {
        return Ok(id.to_string());
    }
    let found = paging::collect(async |ask: Ask| {
        let request = v1::ListCustomersRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
            search: name.to_owned(),
            ..Default::default()
        };
        Ok(client.list_customers(request).await?.into())
    })
    .await?;
    only(name, found)
}

/// The id of the only customer that has the whole name.
fn only(name: &str, mut found: Vec<v1::Customer>) -> Result<String, Error> {
    found.retain(|customer| customer.display_name == name);
    match found.as_slice() {
        [] => Err(Error::Input(text!("customer-unknown", name = name))),
        [customer] => Ok(customer.customer_id.clone()),
        several => {
            let mut text = text!("customer-ambiguous", name = name, count = several.len());
            for customer in several {
                text += &format!("\n  {}", customer.customer_id);
            }
            Err(Error::Input(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_found_by_its_whole_name_if_no_other_has_it() {
        let customer = |id: &str, name: &str| v1::Customer {
            customer_id: id.to_owned(),
            display_name: name.to_owned(),
            ..Default::default()
        };
        let found = vec![
            customer("1", "Acme"),
            customer("2", "Acme Europe"),
            customer("3", "acme"),
        ];
        assert_eq!(only("Acme", found.clone()).unwrap(), "1");
        let twice = [found.clone(), vec![customer("4", "Acme")]].concat();
        let problem = only("Acme", twice).unwrap_err().to_string();
        assert!(problem.contains("\n  1\n  4"), "{problem}");
        assert!(only("Acm", found).is_err());
    }
}
