//! `seatwise users`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, Subcommand, ValueEnum};
use prost_types::Timestamp;
use seatwise_client::Client;
use seatwise_client::v1::{self, user::State};

use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::output::{self, Column, Format, Row, column, detail, time, word};
use crate::paging::{self, Ask, Paging};
use crate::selection::{self, SelectionArgs};
use crate::text::text;
use crate::users_delete::{self, Delete};
use crate::users_filter::{FilterArgs, date};
use crate::users_import;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct UsersArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the users of a customer, all or those who meet every condition
    List(List),
    /// Select users, keep them for a day, and print the id of the selection
    ///
    /// Either name the users, or give conditions, all of which they meet. Users one by one and from
    /// files come first, then those of other selections. The selection means the same users later,
    /// also when others were added or renamed.
    Select {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Print only the id
        #[arg(long, short)]
        quiet: bool,
        #[command(flatten)]
        selection: SelectionArgs,
        #[command(flatten)]
        why: Why,
    },
    /// List the users of a selection
    Selected {
        #[command(flatten)]
        customer: CustomerArgs,
        /// The selection, as `users select` has printed it
        selection: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a user
    Get(Place),
    /// Create a user
    Create(NewUser),
    /// Change a user; what is not given stays as it is
    Update(Update),
    /// Delete a user and free the seats it holds
    Delete(Delete),
    /// Create and change many users from a CSV file
    ///
    /// The header names the columns, in any order: `principal_name`, `display_name`,
    /// `usage_location`, `user_id`, `state` (active or inactive), `last_active` (a date). A user is found by id or, without
    /// one, by principal name. A column that is left out stays as it is; an empty usage location
    /// means that it is not known.
    Import {
        #[command(flatten)]
        customer: CustomerArgs,
        /// The file; `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    customer: CustomerArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// In which order
    #[arg(long, value_enum, default_value_t = Order::DisplayName)]
    order: Order,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    DisplayName,
    PrincipalName,
    Id,
}

#[derive(Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) customer: CustomerArgs,
    /// UUID or principal name of the user
    pub(crate) user: String,
}

#[derive(Args)]
struct NewUser {
    #[command(flatten)]
    customer: CustomerArgs,
    /// Sign-in name, as ada@example.com
    #[arg(long)]
    principal_name: String,
    /// Name for people
    #[arg(long)]
    display_name: String,
    /// Two-letter country, without which the user gets no license
    #[arg(long)]
    usage_location: Option<String>,
    /// UUID, for instance of your directory. The server makes one if not given
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// The user gets no licenses for now
    #[arg(long)]
    inactive: bool,
    /// When the user was last seen using anything, as 2025-06-30
    #[arg(long, value_name = "DATE", value_parser = date)]
    last_active: Option<Timestamp>,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
struct Update {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    fields: Fields,
    /// Only if the user still has this etag
    #[arg(long, value_parser = Filled::new())]
    etag: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Fields {
    /// New sign-in name
    #[arg(long)]
    principal_name: Option<String>,
    /// New name for people
    #[arg(long)]
    display_name: Option<String>,
    /// New two-letter country; empty if it is not known
    #[arg(long)]
    usage_location: Option<String>,
    /// The user can be given licenses
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// The user keeps its licenses and is given nothing new
    #[arg(long)]
    inactive: bool,
    /// When the user was last seen using anything, as 2025-06-30
    #[arg(long, value_name = "DATE", value_parser = date)]
    last_active: Option<Timestamp>,
}

impl Row for v1::User {
    const COLUMNS: &'static [Column<Self>] = &[
        column("user_id", |user| user.user_id.clone()),
        column("principal_name", |user| user.principal_name.clone()),
        column("display_name", |user| user.display_name.clone()),
        column("usage_location", |user| user.usage_location.clone()),
        column("state", |user| word(user.state().as_str_name(), "STATE_")),
        detail("last_active_time", |user| {
            time(user.last_active_time.as_ref())
        }),
        detail("create_time", |user| time(user.create_time.as_ref())),
        detail("update_time", |user| time(user.update_time.as_ref())),
        detail("etag", |user| user.etag.clone()),
    ];
}

pub(crate) async fn run(args: UsersArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let user = match args.command {
        Command::List(list) => {
            list.run(&client, format).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Select {
            customer,
            selection,
            quiet,
            why,
        } => {
            return selection::select(&client, format, &customer, selection, quiet, why).await;
        }
        Command::Selected {
            customer,
            selection,
            paging,
        } => {
            let customer = customer.id(&client).await?;
            let page = async |ask: Ask| {
                let request = v1::ListSelectionUsersRequest {
                    customer_id: customer.clone(),
                    selection: Some(selection::frozen_selection(&selection)),
                    page_size: ask.page_size,
                    page_token: ask.page_token,
                    include_total_size: ask.include_total_size,
                };
                Ok(client.list_selection_users(request).await?.into())
            };
            paging::print(format, &paging, page).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Import {
            customer,
            file,
            why,
        } => {
            let customer = customer.id(&client).await?;
            return users_import::run(&client, format, &customer, &file, &why.comment).await;
        }
        Command::Delete(delete) => return users_delete::run(&client, format, delete).await,
        Command::Get(place) => place.get(&client).await?,
        Command::Create(new) => {
            let customer_id = new.customer.id(&client).await?;
            client.create_user(new.request(customer_id)).await?
        }
        Command::Update(update) => {
            let customer_id = update.place.customer.id(&client).await?;
            client.update_user(update.request(customer_id)).await?
        }
    };
    output::show(format, &user)?;
    Ok(ExitCode::SUCCESS)
}

impl Place {
    pub(crate) async fn get(&self, client: &Client) -> Result<v1::User, Error> {
        let request = v1::GetUserRequest {
            customer_id: self.customer.id(client).await?,
            user: self.user.clone(),
        };
        Ok(client.get_user(request).await?)
    }
}

impl List {
    async fn run(self, client: &Client, format: Format) -> Result<(), Error> {
        let customer_id = self.customer.id(client).await?;
        let searches = self.filter.searches();
        let filter = self.filter.filter(client).await?;
        let order = match self.order {
            Order::DisplayName => v1::UserOrder::DisplayName,
            Order::PrincipalName => v1::UserOrder::PrincipalName,
            Order::Id => v1::UserOrder::UserId,
        };
        let page = async |ask: Ask| {
            let request = v1::ListUsersRequest {
                customer_id: customer_id.clone(),
                page_size: ask.page_size,
                page_token: ask.page_token,
                include_total_size: ask.include_total_size,
                filter: Some(filter.clone()),
                order: order.into(),
            };
            Ok(client.list_users(request).await?.into())
        };
        if paging::print(format, &self.paging, page).await? == 0 {
            output::note_of(
                format,
                &match searches {
                    true => text!("nobody-found-by-name"),
                    false => text!("nobody-found"),
                },
            );
        }
        Ok(())
    }
}

impl NewUser {
    fn request(self, customer_id: String) -> v1::CreateUserRequest {
        v1::CreateUserRequest {
            customer_id,
            user_id: self.id.unwrap_or_default(),
            principal_name: self.principal_name,
            display_name: self.display_name,
            usage_location: self.usage_location.unwrap_or_default(),
            state: state(false, self.inactive).into(),
            last_active_time: self.last_active,
            comment: self.why.comment,
        }
    }
}

impl Update {
    fn request(self, customer_id: String) -> v1::UpdateUserRequest {
        v1::UpdateUserRequest {
            customer_id,
            user: self.place.user,
            principal_name: self.fields.principal_name,
            display_name: self.fields.display_name,
            usage_location: self.fields.usage_location,
            state: state(self.fields.active, self.fields.inactive).into(),
            etag: self.etag.unwrap_or_default(),
            last_active_time: self.fields.last_active,
            comment: self.why.comment,
        }
    }
}

fn state(active: bool, inactive: bool) -> State {
    match (active, inactive) {
        (true, _) => State::Active,
        (_, true) => State::Inactive,
        _ => State::Unspecified,
    }
}
