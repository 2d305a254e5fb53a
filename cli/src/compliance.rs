//! `seatwise compliance`: what users hold against the rules.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use seatwise_client::Client;
use seatwise_client::v1::{self, ReasonCode};

use crate::catalogue::plan_name;
use crate::command_line::quoted;
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::output::{self, Format, Printer, word};
use crate::paging::{self, Ask, Limit};
use crate::products;
use crate::text::text;
use crate::users_filter;

#[derive(Args)]
pub(crate) struct ComplianceArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show which rules are broken by what users hold, and by whom
    ///
    /// A rule or a plan that came after the users had their products, or a user who has moved, can
    /// leave what nobody would be given any more. To mend it, select these users with
    /// `users select --violating`.
    Report(Report),
}

#[derive(Args)]
struct Report {
    #[command(flatten)]
    customer: CustomerArgs,
    /// Only violations for this reason
    #[arg(long, value_enum)]
    reason: Option<Cause>,
    /// Only violations in which this product has part: UUID, or string id if no other has it
    #[arg(long, value_name = "PRODUCT")]
    product: Option<String>,
    /// Only violations for which this service plan is on: UUID, or PRODUCT/PLAN by their names
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// Show only how many users break which rules, and not who
    #[arg(long, conflicts_with = "limit")]
    summary: bool,
    #[command(flatten)]
    limit: Limit,
}

/// Why something should not be held.
#[derive(Clone, Copy, ValueEnum)]
enum Cause {
    MutuallyExclusivePlans,
    PrerequisiteMissing,
    UsageLocationMissing,
    UsageLocationProhibited,
    ProductNotForUsers,
}

impl From<Cause> for ReasonCode {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::MutuallyExclusivePlans => Self::MutuallyExclusivePlans,
            Cause::PrerequisiteMissing => Self::PrerequisiteMissing,
            Cause::UsageLocationMissing => Self::UsageLocationMissing,
            Cause::UsageLocationProhibited => Self::UsageLocationProhibited,
            Cause::ProductNotForUsers => Self::ProductNotForUsers,
        }
    }
}

/// Users by what they hold against the rules.
#[derive(Args)]
#[command(next_help_heading = "Which users")]
pub(crate) struct Violating {
    /// Those who hold something against the rules, as `compliance report` shows them
    #[arg(long)]
    violating: bool,
    /// Those with a violation for this reason
    #[arg(long, value_enum, value_name = "REASON")]
    violating_reason: Option<Cause>,
    /// Those with a violation in which this product has part
    #[arg(long, value_name = "PRODUCT")]
    violating_product: Option<String>,
    /// Those with a violation for which this service plan is on: UUID, or PRODUCT/PLAN
    #[arg(long, value_name = "PLAN")]
    violating_plan: Option<String>,
}

impl Violating {
    /// The violations that the users must have; none if the users are others.
    pub(crate) async fn filter(
        &self,
        client: &Client,
    ) -> Result<Option<v1::ViolationFilter>, Error> {
        let (product, plan) = (&self.violating_product, &self.violating_plan);
        let narrows = self.violating_reason.is_some() || product.is_some() || plan.is_some();
        if !self.violating && !narrows {
            return Ok(None);
        }
        let filter = filter(
            client,
            self.violating_reason,
            product.as_deref(),
            plan.as_deref(),
        );
        Ok(Some(filter.await?))
    }
}

async fn filter(
    client: &Client,
    cause: Option<Cause>,
    product: Option<&str>,
    plan: Option<&str>,
) -> Result<v1::ViolationFilter, Error> {
    let product_id = match product {
        Some(product) => products::find(client, product).await?.product_id,
        None => String::new(),
    };
    let plan_id = match plan {
        Some(plan) => users_filter::plan(client, plan).await?,
        None => String::new(),
    };
    Ok(v1::ViolationFilter {
        code: cause.map_or(ReasonCode::Unspecified, Into::into).into(),
        product_id,
        plan_id,
    })
}

pub(crate) async fn run(args: ComplianceArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let Command::Report(args) = args.command;
    let customer_id = args.customer.id(&client).await?;
    let (product, plan) = (args.product.as_deref(), args.plan.as_deref());
    let filter = Some(filter(&client, args.reason, product, plan).await?);
    if args.summary || format != Format::Csv {
        let request = v1::SummarizeViolationsRequest {
            customer_id: customer_id.clone(),
            filter: filter.clone(),
        };
        let summary = client.summarize_violations(request).await?;
        print_summary(format, &summary)?;
        if summary.user_count() == 0 {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if args.summary {
        return Ok(ExitCode::SUCCESS);
    }
    let page = async |ask: Ask| {
        let request = v1::ListViolationsRequest {
            customer_id: customer_id.clone(),
            filter: filter.clone(),
            page_size: ask.page_size,
            page_token: ask.page_token,
        };
        Ok(client.list_violations(request).await?.into())
    };
    let mut printer = Printer::new(format, headers(format));
    let print = |violator: v1::Violator| print_violator(format, &mut printer, &violator);
    paging::for_each(&args.limit, page, print).await?;
    printer.finish()?;
    if format == Format::Table {
        output::note(&text!("select-violating", command = selecting(&args)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The command that selects the users of a report.
fn selecting(args: &Report) -> String {
    let mut command = "seatwise users select --violating".to_owned();
    let reason = args.reason.and_then(|reason| reason.to_possible_value());
    let reason = reason.map(|value| value.get_name().to_owned());
    for (option, value) in [
        ("reason", reason),
        ("product", args.product.clone()),
        ("plan", args.plan.clone()),
    ] {
        if let Some(value) = value {
            command += &format!(" --violating-{option} {}", quoted(value));
        }
    }
    command
}

fn print_summary(format: Format, summary: &v1::SummarizeViolationsResponse) -> Result<(), Error> {
    if format == Format::Json {
        return output::line(&output::json(summary)?);
    }
    let mut printer = Printer::new(format, vec!["users", "reason", "rule"]);
    for rule in &summary.rules {
        printer.cells(broken_rule(rule).to_vec())?;
    }
    let more = summary.rule_count() - i32::try_from(summary.rules.len()).unwrap_or(i32::MAX);
    let users = text!("users", count = summary.user_count());
    let told = text!(
        "violations-counted",
        users = users,
        violations = summary.violation_count(),
        version = summary.catalogue_version().to_string(),
    );
    if format == Format::Csv {
        printer.finish()?;
        output::note(&told);
        return Ok(());
    }
    if summary.user_count() > 0 {
        printer.finish()?;
        if more > 0 {
            output::line(&text!("more", count = more))?;
        }
        output::line("")?;
    }
    output::line(&told)?;
    match summary.user_count() {
        0 => Ok(()),
        _ => output::line(""),
    }
}

/// How many users break a rule, its code, and in words.
pub(crate) fn broken_rule(rule: &v1::BrokenRule) -> [String; 3] {
    let code = rule.reason.as_ref().map(code).unwrap_or_default();
    [rule.user_count().to_string(), code, rule.text.clone()]
}

fn code(reason: &v1::Reason) -> String {
    word(reason.code().as_str_name(), "REASON_CODE_")
}

fn headers(format: Format) -> Vec<&'static str> {
    match format {
        Format::Csv => vec![
            "user_id",
            "principal_name",
            "display_name",
            "reason",
            "rule",
            "plan",
            "others",
            "product_ids",
            "products",
        ],
        _ => vec!["principal_name", "rule", "products"],
    }
}

/// A line of JSON for each user; else a row for each violation.
fn print_violator(
    format: Format,
    printer: &mut Printer,
    violator: &v1::Violator,
) -> Result<(), Error> {
    if format == Format::Json {
        return output::line(&output::json(violator)?);
    }
    for (place, violation) in violator.violations.iter().enumerate() {
        let list = |names: Vec<String>| names.join(", ");
        let products = violation.products.iter();
        let names = products.clone().map(|product| product.display_name.clone());
        let names = list(names.collect());
        let (user, rule) = (violator.principal_name.clone(), violation.text.clone());
        if format == Format::Table {
            // People read what else a user breaks below the name.
            let user = if place == 0 { user } else { String::new() };
            printer.cells(vec![user, rule, names])?;
            continue;
        }
        let reason = violation.reason.clone().unwrap_or_default();
        printer.cells(vec![
            violator.user_id.clone(),
            user,
            violator.display_name.clone(),
            code(&reason),
            rule,
            reason.plan.as_ref().map(plan_name).unwrap_or_default(),
            list(reason.others.iter().map(plan_name).collect()),
            list(products.map(|product| product.product_id.clone()).collect()),
            names,
        ])?;
    }
    Ok(())
}
