//! `seatwise assign`, `revoke`, `replace` and `change`: one change for many users.

use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use seatwise_client::{Client, v1};

use crate::apply::{self, RequestArgs};
use crate::error::Error;
use crate::fields::Lines;
use crate::plans::{self, ProductSpec, Spec};
use crate::products;
use crate::selection::UserArgs;

pub(crate) const ASSIGN_HELP: &str = "\
With several products, each named plan is about the one that has it, and `all` is about every one.

Examples:
  seatwise assign --customer $C --product ENTERPRISEPACK --users-file team.txt
  seatwise assign --customer $C --product ENTERPRISEPACK --plans +SWAY,-YAMMER_ENTERPRISE --all-users";
pub(crate) const REPLACE_HELP: &str = "\
Here, plans that both products have stay as they were, too.

Example:
  seatwise replace --customer $C --product STANDARDPACK --by ENTERPRISEPACK --all-users --dry-run";
pub(crate) const CHANGE_HELP: &str = "\
Example:
  seatwise change --customer $C --user ada@example.com --assign VISIOCLIENT \\
      --replace STANDARDPACK=ENTERPRISEPACK:-SWAY --revoke-others --keep FLOW_FREE";

#[derive(Args)]
pub(crate) struct AssignArgs {
    /// Product to assign: UUID, or string id if no other has it. May be repeated
    #[arg(long = "product", value_name = "PRODUCT", required = true)]
    products: Vec<String>,
    /// Which service plans: see below. May be repeated
    #[arg(long, value_name = "PLANS", allow_hyphen_values = true)]
    plans: Vec<Spec>,
    /// Product to take away in the same step. May be repeated
    #[arg(long = "revoke", value_name = "PRODUCT")]
    revoke: Vec<String>,
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    request: RequestArgs,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// Product to take away: UUID, or string id if no other has it. May be repeated
    #[arg(long = "product", value_name = "PRODUCT", required = true)]
    products: Vec<String>,
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    request: RequestArgs,
}

#[derive(Args)]
pub(crate) struct ReplaceArgs {
    /// Product to take from who holds it: UUID, or string id if no other has it
    #[arg(long, value_name = "PRODUCT")]
    product: String,
    /// Product to give for it
    #[arg(long, value_name = "PRODUCT")]
    by: String,
    /// Which service plans of the new product: see below
    #[arg(long, value_name = "PLANS", allow_hyphen_values = true)]
    plans: Option<Spec>,
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    request: RequestArgs,
}

#[derive(Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    parts: ChangeParts,
    /// With --revoke-others: product to leave alone all the same. May be repeated
    #[arg(long, value_name = "PRODUCT", requires = "revoke_others")]
    keep: Vec<String>,
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    request: RequestArgs,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct ChangeParts {
    /// Product to assign, and after a colon which of its plans: see below. May be repeated
    #[arg(long, value_name = "PRODUCT[:PLANS]")]
    assign: Vec<ProductSpec>,
    /// Product to take away. May be repeated
    #[arg(long, value_name = "PRODUCT")]
    revoke: Vec<String>,
    /// Product to take from who holds it, and what to give for it. May be repeated
    #[arg(long, value_name = "OLD=NEW[:PLANS]")]
    replace: Vec<Replacement>,
    /// Take away every product that is not named
    #[arg(long)]
    revoke_others: bool,
}

#[derive(Clone)]
struct Replacement {
    product: String,
    by: ProductSpec,
}

impl FromStr for Replacement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (product, by) = text
            .split_once('=')
            .ok_or("say OLD=NEW: the product to take and the one to give for it")?;
        let (product, by) = (product.trim().to_owned(), by.parse()?);
        Ok(Self { product, by })
    }
}

pub(crate) async fn assign(args: AssignArgs) -> Result<ExitCode, Error> {
    let client = args.request.client()?;
    let users = args.users.request()?;
    let assigned = products::find_all(&client, &args.products).await?;
    let plans = plans::edits(&assigned, &args.plans)?;
    let assignment = |(product, plans): (v1::Product, _)| v1::ProductAssignment {
        product_id: product.product_id,
        plans,
    };
    let change = v1::Change {
        assign: assigned.into_iter().zip(plans).map(assignment).collect(),
        revoke_product_ids: ids(&client, &args.revoke).await?,
        ..Default::default()
    };
    run(client, args.request, users, change).await
}

pub(crate) async fn revoke(args: RevokeArgs) -> Result<ExitCode, Error> {
    let client = args.request.client()?;
    let users = args.users.request()?;
    let change = v1::Change {
        revoke_product_ids: ids(&client, &args.products).await?,
        ..Default::default()
    };
    run(client, args.request, users, change).await
}

pub(crate) async fn replace(args: ReplaceArgs) -> Result<ExitCode, Error> {
    let client = args.request.client()?;
    let users = args.users.request()?;
    let (product, plans) = (args.by, args.plans);
    let replacement = Replacement {
        product: args.product,
        by: ProductSpec { product, plans },
    };
    let change = v1::Change {
        replace: vec![replacement.find(&client).await?],
        ..Default::default()
    };
    run(client, args.request, users, change).await
}

pub(crate) async fn change(args: ChangeArgs) -> Result<ExitCode, Error> {
    let client = args.request.client()?;
    let users = args.users.request()?;
    let parts = args.parts;
    let mut change = v1::Change {
        revoke_product_ids: ids(&client, &parts.revoke).await?,
        ..Default::default()
    };
    for assigned in &parts.assign {
        let (product_id, plans) = assigned.find(&client).await?;
        change
            .assign
            .push(v1::ProductAssignment { product_id, plans });
    }
    for replacement in &parts.replace {
        change.replace.push(replacement.find(&client).await?);
    }
    if parts.revoke_others {
        let keep_product_ids = ids(&client, &args.keep).await?;
        change.revoke_others = Some(v1::RevokeOthers { keep_product_ids });
    }
    run(client, args.request, users, change).await
}

async fn ids(client: &Client, products: &[String]) -> Result<Vec<String>, Error> {
    let products = products::find_all(client, products).await?;
    Ok(products
        .into_iter()
        .map(|product| product.product_id)
        .collect())
}

impl ProductSpec {
    /// The product's id and what is asked of its plans.
    async fn find(&self, client: &Client) -> Result<(String, Option<v1::PlanEdit>), Error> {
        let product = products::find(client, &self.product).await?;
        let plans = plans::edit(&product, self.plans.as_ref())?;
        Ok((product.product_id, plans))
    }
}

impl Replacement {
    async fn find(&self, client: &Client) -> Result<v1::ProductReplacement, Error> {
        let product_id = products::find(client, &self.product).await?.product_id;
        let (by_product_id, plans) = self.by.find(client).await?;
        Ok(v1::ProductReplacement {
            product_id,
            by_product_id,
            plans,
        })
    }
}

async fn run(
    client: Client,
    args: RequestArgs,
    (mut request, lines): (v1::ExecuteBatchRequest, Vec<Lines>),
    change: v1::Change,
) -> Result<ExitCode, Error> {
    request.change = Some(change);
    apply::run(client, args, request, lines).await
}
