//! `seatwise assign` and `seatwise revoke`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use seatwise_client::{Client, v1};
use uuid::Uuid;

use crate::connect::Connect;
use crate::error::Error;
use crate::files::{self, Lined};
use crate::outcome::{self, Report};
use crate::output;
use crate::products::{self, Plans};

#[derive(Args)]
pub(crate) struct AssignArgs {
    /// Product to assign: UUID, or string id if no other has it. May be repeated
    #[arg(long = "product", value_name = "PRODUCT", required = true)]
    products: Vec<String>,
    #[command(flatten)]
    plans: PlanArgs,
    /// Product to take away in the same step. May be repeated
    #[arg(long = "revoke", value_name = "PRODUCT")]
    revoke: Vec<String>,
    #[command(flatten)]
    request: RequestArgs,
}

// Without any of them, who does not hold a product gets all its plans, and who does keeps the
// choice made before.
#[derive(Args)]
#[group(multiple = false)]
struct PlanArgs {
    /// Turn on all plans but this: UUID, or name within the product. May be repeated
    #[arg(long = "without-plan", value_name = "PLAN")]
    without: Vec<String>,
    /// Turn on only this plan: UUID, or name within the product. May be repeated
    #[arg(long = "only-plan", value_name = "PLAN")]
    only: Vec<String>,
    /// Turn on all plans, also for who holds the product without some
    #[arg(long = "all-plans")]
    all_plans: bool,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// Product to take away: UUID, or string id if no other has it. May be repeated
    #[arg(long = "product", value_name = "PRODUCT", required = true)]
    products: Vec<String>,
    #[command(flatten)]
    request: RequestArgs,
}

#[derive(Args)]
struct RequestArgs {
    #[command(flatten)]
    connect: Connect,
    /// UUID of the customer
    #[arg(long, value_name = "UUID")]
    customer: String,
    #[command(flatten)]
    users: UserArgs,
    /// UUID that names the request: sent again, nothing is done twice. Made and printed if not given
    #[arg(long, value_name = "UUID")]
    request_id: Option<String>,
    /// Show all users of each reason
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct UserArgs {
    /// UUID or principal name of a user. May be repeated; scarce seats go out in this order
    #[arg(long = "user", value_name = "USER")]
    users: Vec<String>,
    /// File of users, one id or principal name a line; or CSV with a header that has `user_id`,
    /// `user` or `principal_name`. `-` for standard input
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
}

pub(crate) async fn assign(args: AssignArgs) -> Result<ExitCode, Error> {
    let client = args.request.connect.client()?;
    let users = args.request.users.read()?;
    let assigned = products::find_all(&client, &args.products).await?;
    let plans = match &args.plans {
        plans if plans.all_plans => Plans::All,
        plans if plans.only.is_empty() => Plans::AllExcept(&plans.without),
        plans => Plans::Only(&plans.only),
    };
    let change = v1::Change {
        assign: products::assign(&assigned, &plans)?,
        revoke_product_ids: ids(&client, &args.revoke).await?,
        ..Default::default()
    };
    run(&client, args.request, users, change).await
}

pub(crate) async fn revoke(args: RevokeArgs) -> Result<ExitCode, Error> {
    let client = args.request.connect.client()?;
    let users = args.request.users.read()?;
    let change = v1::Change {
        assign: Vec::new(),
        revoke_product_ids: ids(&client, &args.products).await?,
        ..Default::default()
    };
    run(&client, args.request, users, change).await
}

async fn ids(client: &Client, products: &[String]) -> Result<Vec<String>, Error> {
    let products = products::find_all(client, products).await?;
    Ok(products
        .into_iter()
        .map(|product| product.product_id)
        .collect())
}

async fn run(
    client: &Client,
    args: RequestArgs,
    users: Vec<Lined<String>>,
    change: v1::Change,
) -> Result<ExitCode, Error> {
    let request_id = args.request_id.unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        // Before it is sent: who loses the answer can ask for it again.
        output::note(&format!("to repeat safely: --request-id {id}"));
        id
    });
    let mut stream = client.batch(v1::ExecuteBatchRequest {
        customer_id: args.customer,
        request_id,
        change: Some(change),
        users: users.iter().map(|user| user.item.clone()).collect(),
        user_changes: Vec::new(),
        ..Default::default()
    });
    let batch = stream.accepted().await;
    let batch_id = match batch {
        Ok(batch) => batch.batch_id.clone(),
        Err(error) => return Err(Error::Call(locate(error, &users))),
    };
    output::note(&match stream.is_replayed() {
        true => format!("this request was sent before, as batch {batch_id}; these are its results"),
        false => format!("accepted as batch {batch_id}, which goes on even if this command ends"),
    });
    outcome::follow(stream, Report::new(args.connect.output, args.all)).await
}

/// The server counts the users of the request; people count the lines of their file.
fn locate(mut error: seatwise_client::Error, users: &[Lined<String>]) -> seatwise_client::Error {
    error.message = files::with_lines(&error.message, users);
    if let Some(localized) = &mut error.localized {
        localized.text = files::with_lines(&localized.text, users);
    }
    for violation in &mut error.violations {
        violation.field = files::with_lines(&violation.field, users);
        violation.problem = files::with_lines(&violation.problem, users);
    }
    error
}

impl UserArgs {
    fn read(&self) -> Result<Vec<Lined<String>>, Error> {
        let named = |item: &String| Lined {
            line: 0,
            item: item.clone(),
        };
        let mut users: Vec<_> = self.users.iter().map(named).collect();
        if let Some(file) = &self.users_file {
            users.extend(files::read_users(file)?);
        }
        Ok(users)
    }
}
