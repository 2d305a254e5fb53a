//! Which users: the options of every command that takes a filter.

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, ValueEnum};
use prost_types::Timestamp;
use seatwise_client::Client;
use seatwise_client::v1::{UserFilter, user::State};
use uuid::Uuid;

use crate::error::Error;
use crate::text::text;
use crate::{plans, products};

#[derive(Args)]
#[command(next_help_heading = "Which users")]
pub(crate) struct FilterArgs {
    /// Only those whose display name or principal name begins so; case does not matter, and nothing
    /// is found in the middle of a name
    #[arg(long, value_name = "TEXT", value_parser = Filled::new())]
    search: Option<String>,
    /// Only active or only inactive ones
    #[arg(long, value_enum)]
    state: Option<StateArg>,
    /// Only those in this two-letter country; empty for those whose country is not known
    #[arg(long, value_name = "COUNTRY")]
    usage_location: Option<String>,
    /// Only those who hold this product: UUID, or string id if no other has it
    #[arg(long, value_name = "PRODUCT")]
    holds: Option<String>,
    /// Only those who do not hold this product
    #[arg(long, value_name = "PRODUCT")]
    lacks: Option<String>,
    /// Only those for whom this service plan is on: UUID, or PRODUCT/PLAN by their names
    #[arg(long, value_name = "PLAN")]
    holds_plan: Option<String>,
    /// Only those who failed in this batch
    #[arg(long, value_name = "BATCH", value_parser = Filled::new())]
    failed_in: Option<String>,
    /// Only those who were not active since this date, or never, as 2025-06-30
    #[arg(long, value_name = "DATE", value_parser = date)]
    not_active_since: Option<Timestamp>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateArg {
    Active,
    Inactive,
}

/// Reads a date, or a time, as the output writes it.
pub(crate) fn date(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "must be a date as 2025-06-30, or a time as 2025-06-30T12:00:00Z".to_owned())
}

impl FilterArgs {
    /// True if names are searched for.
    pub(crate) fn searches(&self) -> bool {
        self.search.is_some()
    }

    /// The filter, with products and plans found by their names.
    pub(crate) async fn filter(self, client: &Client) -> Result<UserFilter, Error> {
        let product = async |name: Option<String>| match name {
            Some(name) => Ok::<_, Error>(products::find(client, &name).await?.product_id),
            None => Ok(String::new()),
        };
        let state = match self.state {
            None => State::Unspecified,
            Some(StateArg::Active) => State::Active,
            Some(StateArg::Inactive) => State::Inactive,
        };
        let holds_plan_id = match self.holds_plan {
            None => String::new(),
            Some(name) => plan(client, &name).await?,
        };
        Ok(UserFilter {
            search: self.search.unwrap_or_default(),
            state: state.into(),
            usage_location: self.usage_location,
            holds_product_id: product(self.holds).await?,
            lacks_product_id: product(self.lacks).await?,
            holds_plan_id,
            failed_in_batch_id: self.failed_in.unwrap_or_default(),
            not_active_since: self.not_active_since,
        })
    }
}

/// The id of a plan that is named by id, or by its product and name.
pub(crate) async fn plan(client: &Client, name: &str) -> Result<String, Error> {
    if let Ok(id) = Uuid::try_parse(name) {
        return Ok(id.to_string());
    }
    let Some((product, plan)) = name.split_once('/') else {
        return Err(Error::Input(text!("plan-wrong")));
    };
    plans::plan_id(&products::find(client, product).await?, plan)
}
