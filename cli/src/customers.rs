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
use crate::why::Why;

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
        #[command(flatten)]
        why: Why,
    },
    /// Rename a customer, or say how much a batch may take away without being confirmed
    Update {
        /// UUID, or the whole name if no other customer has it
        customer: String,
        /// New name for people
        #[arg(long)]
        name: Option<String>,
        /// Users who may lose a product by one batch without a confirmation; `none` for any number
        #[arg(long, value_name = "N|none", value_parser = limit)]
        guard_users: Option<Limit>,
        /// The same in percent of those who hold the product
        #[arg(long, value_name = "P|none", value_parser = limit)]
        guard_percent: Option<Limit>,
        /// Only if the customer still has this etag
        #[arg(long, value_parser = Filled::new())]
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
        detail("guard_users", |customer| {
            shown(customer.revocation_guard.and_then(|guard| guard.users_max))
        }),
        detail("guard_percent", |customer| {
            shown(
                customer
                    .revocation_guard
                    .and_then(|guard| guard.license_percent_max),
            )
        }),
        detail("etag", |customer| customer.etag.clone()),
    ];
}

fn shown(limit: Option<i32>) -> String {
    limit.map(|limit| limit.to_string()).unwrap_or_default()
}

/// A limit of the guard, or that there is none.
#[derive(Clone, Copy)]
struct Limit(Option<i32>);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        number => number
            .parse()
            .map(|limit| Limit(Some(limit)))
            .map_err(|_| "must be a number, or `none`".to_owned()),
    }
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
            guard_users,
            guard_percent,
            etag,
            why,
        } => {
            let customer_id = find(&client, &customer).await?;
            let mut request = v1::UpdateCustomerRequest {
                customer_id: customer_id.clone(),
                display_name: name,
                etag: etag.unwrap_or_default(),
                comment: why.comment,
                ..Default::default()
            };
            if guard_users.is_some() || guard_percent.is_some() {
                // A guard is set as a whole; a limit that is not named stays as it is.
                let now = client
                    .get_customer(v1::GetCustomerRequest { customer_id })
                    .await?;
                let mut guard = now.revocation_guard.unwrap_or_default();
                if let Some(Limit(limit)) = guard_users {
                    guard.users_max = limit;
                }
                if let Some(Limit(limit)) = guard_percent {
                    guard.license_percent_max = limit;
                }
                request.revocation_guard = Some(guard);
                if request.etag.is_empty() {
                    request.etag = now.etag;
                }
            }
            client.update_customer(request).await?
        }
    };
    output::show(format, &customer)?;
    Ok(ExitCode::SUCCESS)
}

/// The id of the customer with this id or name.
pub(crate) async fn find(client: &Client, name: &str) -> Result<String, Error> {
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
