//! What selected users hold: `seatwise licenses show` and `licenses holders`.

use std::process::ExitCode;

use clap::Args;
use seatwise_client::Client;
use seatwise_client::v1::{self, Coverage};

use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::output::{self, Format, Printer, word, yes_no};
use crate::paging::{self, Ask, Paging};
use crate::products;
use crate::selection::SelectionArgs;
use crate::text::text;

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    customer: CustomerArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Also show for how many users each service plan is on
    #[arg(long)]
    with_plans: bool,
}

#[derive(Args)]
pub(crate) struct Holders {
    /// Product: UUID, or string id if no other has it
    #[arg(long)]
    product: String,
    #[command(flatten)]
    customer: CustomerArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    /// List the users who do not hold the product
    #[arg(long)]
    lacking: bool,
    #[command(flatten)]
    paging: Paging,
}

/// Prints what the users hold of each license.
pub(crate) async fn show(client: &Client, format: Format, args: Show) -> Result<ExitCode, Error> {
    let selected = args.selection.read(client).await?;
    let request = v1::SummarizeAssignmentsRequest {
        customer_id: args.customer.id(client).await?,
        selection: Some(selected.selection.clone()),
        include_plans: args.with_plans,
    };
    let summary = client.summarize_assignments(request).await;
    let summary = summary.map_err(|error| selected.locate(error))?;
    if format == Format::Json {
        output::line(&output::json(&summary)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_licenses(format, &summary, args.with_plans)?;
    if format == Format::Table {
        output::note(&text!("users-selected", count = summary.user_count()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A row per license, and below it one per plan.
fn print_licenses(
    format: Format,
    summary: &v1::SummarizeAssignmentsResponse,
    with_plans: bool,
) -> Result<(), Error> {
    let mut headers = vec![
        "held",
        "product",
        "holders",
        "total",
        "assigned",
        "available",
        "buy_more",
    ];
    if with_plans {
        headers.insert(2, "plan");
    }
    let mut printer = Printer::new(format, headers);
    for held in &summary.licenses {
        let license = held.license.clone().unwrap_or_default();
        let row = |coverage, product: &str, plan: &str, holders: i32, seats: [String; 4]| {
            let mut cells = vec![mark(format, coverage), product.to_owned()];
            if with_plans {
                cells.push(plan.to_owned());
            }
            cells.push(holders.to_string());
            cells.extend(seats);
            cells
        };
        let seats = [
            license.total().to_string(),
            license.assigned().to_string(),
            license.available().to_string(),
            match format {
                Format::Table if license.buy_more() => "buy more".to_owned(),
                Format::Table => String::new(),
                _ => yes_no(license.buy_more()),
            },
        ];
        let product = license.display_name.as_str();
        printer.cells(row(
            held.coverage(),
            product,
            "",
            held.holder_count(),
            seats,
        ))?;
        // People read the plans below their product; to programs each row is whole.
        let product = if format == Format::Table { "" } else { product };
        for plan in &held.plans {
            let name = plan.plan.as_ref().map_or("", |plan| plan.name.as_str());
            let seats = Default::default();
            printer.cells(row(
                plan.coverage(),
                product,
                name,
                plan.enabled_count(),
                seats,
            ))?;
        }
    }
    printer.finish()
}

/// A tick, a dash or an empty box for people, else a word.
fn mark(format: Format, coverage: Coverage) -> String {
    match (format, coverage) {
        (Format::Table, Coverage::All) => "✓".to_owned(),
        (Format::Table, Coverage::Some) => "–".to_owned(),
        (Format::Table, _) => "☐".to_owned(),
        (_, coverage) => word(coverage.as_str_name(), "COVERAGE_"),
    }
}

/// Lists the users who hold a product, or lack it.
pub(crate) async fn holders(
    client: &Client,
    format: Format,
    args: Holders,
) -> Result<ExitCode, Error> {
    let selected = args.selection.read(client).await?;
    let product = products::find(client, &args.product).await?;
    let customer_id = args.customer.id(client).await?;
    let page = async |ask: Ask| {
        let request = v1::ListHoldersRequest {
            customer_id: customer_id.clone(),
            selection: Some(selected.selection.clone()),
            product_id: product.product_id.clone(),
            lacking: args.lacking,
            page_size: ask.page_size,
            page_token: ask.page_token,
            include_total_size: ask.include_total_size,
        };
        let page = client.list_holders(request).await;
        Ok(page.map_err(|error| selected.locate(error))?.into())
    };
    if paging::print(format, &args.paging, page).await? == 0 {
        output::note_of(format, &text!("nobody-found"));
    }
    Ok(ExitCode::SUCCESS)
}
