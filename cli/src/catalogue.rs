//! `seatwise catalogue`, but for its imports.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use seatwise_client::Client;
use seatwise_client::v1::{self, product, rule};

use crate::catalogue_import;
use crate::connect::Connect;
use crate::error::Error;
use crate::output::{self, Column, Format, Printer, Row, column, detail, word, yes_no};
use crate::paging::{self, Ask, Limit, Paging, yes_or_no};
use crate::products;
use crate::text::text;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct CatalogueArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Import an edition of products and service plans: the vendor's CSV file
    ///
    /// Products and plans that the file lacks are retired: who holds them keeps them. If anything in
    /// the file is wrong, nothing of it is imported.
    Import(catalogue_import::File),
    /// Import the rules between service plans from a CSV file, in place of those before
    ImportRules(catalogue_import::File),
    /// List the products
    Products {
        /// Only those with this string id
        #[arg(long)]
        string_id: Option<String>,
        /// Only those whose display name or string id begins so; case does not matter, and nothing is
        /// found in the middle of a name
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only retired ones (yes), or only the others (no)
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        retired: Option<bool>,
        /// Only those for single users, or only those for the company as a whole
        #[arg(long, value_enum)]
        applies_to: Option<AppliesTo>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a product with its service plans
    Product {
        /// UUID, or string id if no other has it
        product: String,
    },
    /// List the rules
    Rules(Limit),
    /// Set who can hold a product
    SetAppliesTo {
        /// Product: UUID, or string id if no other has it
        #[arg(long)]
        product: String,
        /// Single users, or only the company as a whole
        applies_to: AppliesTo,
        #[command(flatten)]
        why: Why,
    },
    /// Set what becomes of plans that a later edition adds, for users who are given all
    SetLaterPlans {
        /// Product: UUID, or string id if no other has it
        #[arg(long)]
        product: String,
        /// On, or off until somebody turns them on
        later_plans: LaterPlans,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum LaterPlans {
    On,
    Off,
}

#[derive(Clone, Copy, ValueEnum)]
enum AppliesTo {
    User,
    Company,
}

impl From<AppliesTo> for product::AppliesTo {
    fn from(applies_to: AppliesTo) -> Self {
        match applies_to {
            AppliesTo::User => Self::User,
            AppliesTo::Company => Self::Company,
        }
    }
}

impl From<LaterPlans> for v1::LaterPlans {
    fn from(later: LaterPlans) -> Self {
        match later {
            LaterPlans::On => Self::On,
            LaterPlans::Off => Self::Off,
        }
    }
}

impl Row for v1::Product {
    const COLUMNS: &'static [Column<Self>] = &[
        column("product_id", |product| product.product_id.clone()),
        column("string_id", |product| product.string_id.clone()),
        column("display_name", |product| product.display_name.clone()),
        column("applies_to", |product| {
            word(product.applies_to().as_str_name(), "APPLIES_TO_")
        }),
        detail("later_plans", |product| {
            word(product.later_plans().as_str_name(), "LATER_PLANS_")
        }),
        column("retired", |product| yes_no(product.retired)),
    ];
}

impl Row for v1::ProductPlan {
    const COLUMNS: &'static [Column<Self>] = &[
        column("plan_id", |plan| plan.plan_id.clone()),
        column("name", |plan| plan.name.clone()),
        column("display_name", |plan| plan.display_name.clone()),
        column("retired", |plan| yes_no(plan.retired)),
    ];
}

impl Row for v1::Rule {
    const COLUMNS: &'static [Column<Self>] = &[
        column("kind", |rule| word(rule.kind().as_str_name(), "KIND_")),
        column("plan", |rule| {
            rule.plan.as_ref().map(plan_name).unwrap_or_default()
        }),
        column("other", other),
        detail("plan_id", |rule| {
            rule.plan.clone().unwrap_or_default().plan_id
        }),
        detail("other_plan_ids", |rule| {
            let ids = rule.others.iter().map(|plan| plan.plan_id.as_str());
            ids.collect::<Vec<_>>().join(", ")
        }),
    ];
}

/// What the rule's plan is set against: plans or a country.
fn other(rule: &v1::Rule) -> String {
    match rule.kind() {
        rule::Kind::ProhibitedIn => rule.usage_location.clone(),
        _ => rule
            .others
            .iter()
            .map(plan_name)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// The name of a plan, or its id if the catalogue never knew it.
pub(crate) fn plan_name(plan: &v1::PlanRef) -> String {
    let name = Some(&plan.name).filter(|name| !name.is_empty());
    name.unwrap_or(&plan.plan_id).clone()
}

pub(crate) async fn run(args: CatalogueArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    match args.command {
        Command::Import(file) => {
            let report = if file.dry_run {
                client.preview_catalogue(&file.read()?).await?
            } else {
                let comment = &file.why.comment;
                client.import_catalogue_for(&file.read()?, comment).await?
            };
            catalogue_import::print(format, &file, &report)?;
        }
        Command::ImportRules(file) => {
            let report = if file.dry_run {
                client.preview_rules(&file.read()?).await?
            } else {
                let comment = &file.why.comment;
                client.import_rules_for(&file.read()?, comment).await?
            };
            catalogue_import::print(format, &file, &report)?;
        }
        Command::Products {
            string_id,
            search,
            retired,
            applies_to,
            paging,
        } => {
            let request = v1::ListProductsRequest {
                string_id: string_id.unwrap_or_default(),
                search: search.unwrap_or_default(),
                retired,
                applies_to: applies_to
                    .map_or(product::AppliesTo::Unspecified, Into::into)
                    .into(),
                ..Default::default()
            };
            list_products(&client, format, request, &paging).await?;
        }
        Command::Product { product } => {
            show_product(format, &products::find(&client, &product).await?)?;
        }
        Command::Rules(limit) => list_rules(&client, format, &limit).await?,
        Command::SetAppliesTo {
            product,
            applies_to,
            why,
        } => {
            let request = v1::UpdateProductRequest {
                applies_to: product::AppliesTo::from(applies_to).into(),
                ..Default::default()
            };
            update(&client, format, &product, why, request).await?;
        }
        Command::SetLaterPlans {
            product,
            later_plans,
            why,
        } => {
            let request = v1::UpdateProductRequest {
                later_plans: v1::LaterPlans::from(later_plans).into(),
                ..Default::default()
            };
            update(&client, format, &product, why, request).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list_rules(client: &Client, format: Format, limit: &Limit) -> Result<(), Error> {
    let page = async |ask: Ask| {
        let request = v1::ListRulesRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
        };
        Ok(client.list_rules(request).await?.into())
    };
    paging::print_all(format, limit, page).await.map(drop)
}

async fn update(
    client: &Client,
    format: Format,
    product: &str,
    why: Why,
    mut request: v1::UpdateProductRequest,
) -> Result<(), Error> {
    request.product_id = products::find(client, product).await?.product_id;
    request.comment = why.comment;
    output::show(format, &client.update_product(request).await?)
}

async fn list_products(
    client: &Client,
    format: Format,
    request: v1::ListProductsRequest,
    paging: &Paging,
) -> Result<(), Error> {
    let page = async |ask: Ask| {
        let request = v1::ListProductsRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
            include_total_size: ask.include_total_size,
            ..request.clone()
        };
        Ok(client.list_products(request).await?.into())
    };
    if paging::print(format, paging, page).await? == 0 && !request.search.is_empty() {
        output::note_of(format, &text!("no-product-found"));
    }
    Ok(())
}

/// Prints a product; its plans are rows of their own where JSON has them inside.
fn show_product(format: Format, product: &v1::Product) -> Result<(), Error> {
    match format {
        Format::Json => return output::show(format, product),
        Format::Table => {
            output::show(format, product)?;
            output::line("")?;
        }
        Format::Csv => {}
    }
    let mut printer = Printer::of::<v1::ProductPlan>(format);
    for plan in &product.plans {
        printer.row(plan)?;
    }
    printer.finish()
}
