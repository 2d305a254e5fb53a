//! `seatwise licenses`.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, Subcommand, ValueEnum};
use seatwise_client::{
    Client,
    v1::{self, ErrorReason},
};

use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::holdings;
use crate::output::{self, Column, Format, Row, column, detail, time, word, yes_no};
use crate::paging::{self, Ask, Paging, yes_or_no};
use crate::products;
use crate::question::{self, Asking};
use crate::text::text;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct LicensesArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the licenses of a customer, with the seats that are available
    List {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Only those with a seat available (yes), or without (no)
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        available: Option<bool>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show what selected users hold of each license: all of them, some or none
    Show(holdings::Show),
    /// List the selected users who hold a product, or lack it
    Holders(holdings::Holders),
    /// Show a license
    Get(Place),
    /// Set the seats of a license; it is made if the customer has none of the product
    SetSeats(Seats),
    /// Set what becomes of plans that are added to the product later, for users who are given all
    SetLaterPlans {
        #[command(flatten)]
        place: Place,
        /// On, off until somebody turns them on, or as the product says
        later_plans: LaterPlans,
        /// Only if the license still has this etag
        #[arg(long, value_parser = Filled::new())]
        etag: Option<String>,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum LaterPlans {
    On,
    Off,
    AsProduct,
}

impl From<LaterPlans> for v1::LaterPlans {
    fn from(later: LaterPlans) -> Self {
        match later {
            LaterPlans::On => Self::On,
            LaterPlans::Off => Self::Off,
            LaterPlans::AsProduct => Self::Unspecified,
        }
    }
}

#[derive(Args)]
struct Place {
    #[command(flatten)]
    customer: CustomerArgs,
    /// Product: UUID, or string id if no other has it
    #[arg(long)]
    product: String,
}

#[derive(Args)]
struct Seats {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    numbers: Numbers,
    /// Set fewer seats than are assigned: what the refusal has shown. Who holds one keeps it
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, value_parser = Filled::new())]
    confirm: Option<String>,
    /// Only if the license still has this etag
    #[arg(long, value_parser = Filled::new())]
    etag: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Numbers {
    /// Seats that are paid and in use
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    enabled: Option<i32>,
    /// Seats that have expired and can still be assigned
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    warning: Option<i32>,
    /// Seats that were cancelled
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    suspended: Option<i32>,
}

impl Row for v1::License {
    const COLUMNS: &'static [Column<Self>] = &[
        column("product", |license| license.display_name.clone()),
        column("string_id", |license| license.string_id.clone()),
        detail("product_id", |license| license.product_id.clone()),
        column("enabled", |license| license.enabled().to_string()),
        column("warning", |license| license.warning().to_string()),
        column("suspended", |license| license.suspended().to_string()),
        column("total", |license| license.total().to_string()),
        column("assigned", |license| license.assigned().to_string()),
        column("available", |license| license.available().to_string()),
        column("buy_more", |license| yes_no(license.buy_more())),
        detail("buy_more_url", |license| license.buy_more_url.clone()),
        detail("later_plans", |license| match license.later_plans() {
            v1::LaterPlans::Unspecified => "as the product says".to_owned(),
            later => word(later.as_str_name(), "LATER_PLANS_"),
        }),
        detail("update_time", |license| time(license.update_time.as_ref())),
        detail("etag", |license| license.etag.clone()),
    ];
}

pub(crate) async fn run(args: LicensesArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let license = match args.command {
        Command::List {
            customer,
            available,
            paging,
        } => {
            let customer = customer.id(&client).await?;
            let page = async |ask: Ask| {
                let request = v1::ListLicensesRequest {
                    customer_id: customer.clone(),
                    page_size: ask.page_size,
                    page_token: ask.page_token,
                    include_total_size: ask.include_total_size,
                    available,
                };
                Ok(client.list_licenses(request).await?.into())
            };
            paging::print(format, &paging, page).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Show(args) => return holdings::show(&client, format, args).await,
        Command::Holders(args) => return holdings::holders(&client, format, args).await,
        Command::Get(place) => client.get_license(place.request(&client).await?).await?,
        Command::SetSeats(seats) => return set_seats(&client, format, seats).await,
        Command::SetLaterPlans {
            place,
            later_plans,
            etag,
            why,
        } => {
            let place = place.request(&client).await?;
            let request = v1::SetLaterPlansRequest {
                product_id: place.product_id,
                customer_id: place.customer_id,
                later_plans: v1::LaterPlans::from(later_plans).into(),
                etag: etag.unwrap_or_default(),
                comment: why.comment,
            };
            client.set_later_plans(request).await?
        }
    };
    output::show(format, &license)?;
    Ok(ExitCode::SUCCESS)
}

impl Place {
    /// Asks for the license.
    async fn request(&self, client: &Client) -> Result<v1::GetLicenseRequest, Error> {
        Ok(v1::GetLicenseRequest {
            customer_id: self.customer.id(client).await?,
            product_id: products::find(client, &self.product).await?.product_id,
        })
    }
}

/// Sets seats; on a terminal it asks before fewer are left than are assigned.
async fn set_seats(client: &Client, format: Format, args: Seats) -> Result<ExitCode, Error> {
    let place = args.place.request(client).await?;
    let mut request = v1::SetSeatsRequest {
        customer_id: place.customer_id,
        product_id: place.product_id,
        enabled: args.numbers.enabled,
        warning: args.numbers.warning,
        suspended: args.numbers.suspended,
        confirmation: args.confirm.unwrap_or_default(),
        etag: args.etag.unwrap_or_default(),
        comment: args.why.comment,
    };
    loop {
        let error = match client.set_seats(request.clone()).await {
            Ok(license) => {
                output::show(format, &license)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => error,
        };
        let asking = &args.asking;
        let can_confirm = asking.is_yes() || asking.asks(format);
        if error.reason != ErrorReason::SeatsBelowAssigned || !can_confirm {
            return Err(error.into());
        }
        let told = |name: &str| error.metadata.get(name).cloned().unwrap_or_default();
        let (assigned, left) = (told("assigned"), told("assignable"));
        let about = text!("seats-below-assigned", assigned = assigned, left = left);
        output::note(&about);
        if !asking.is_yes() && !question::is_confirmed(&text!("set-seats"))? {
            return Ok(question::declined());
        }
        request.confirmation = told("confirmation");
    }
}
