//! `seatwise history`.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use prost_types::Timestamp;
use seatwise_client::{
    Client,
    v1::{self, RecordKind, record::Details},
};

use crate::assignments::plans;
use crate::connect::Connect;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::names::Names;
use crate::output::{self, Column, Format, Printer, Row, column, detail, time, word};
use crate::paging::{self, Ask, Limit};
use crate::principals;
use crate::products;
use crate::text::text;
use crate::users_filter::date;

#[derive(Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that was done to a customer, its users and its licenses, the newest first
    Customer {
        #[command(flatten)]
        customer: CustomerArgs,
        #[command(flatten)]
        filter: Filter,
    },
    /// What was done to a user, or with --at what the user held at some time
    User {
        #[command(flatten)]
        customer: CustomerArgs,
        /// UUID or principal name of the user; UUID if the user was deleted
        user: String,
        /// Show what the user held then, as 2025-06-30T12:00:00Z; or 2025-06-30, as that day begins in UTC
        #[arg(
            long,
            value_name = "TIME",
            value_parser = date,
            conflicts_with_all = ["kinds", "since", "until", "limit"]
        )]
        at: Option<Timestamp>,
        #[command(flatten)]
        filter: Filter,
    },
    /// What was done to a license: its seats, and how many were given and taken
    License {
        #[command(flatten)]
        customer: CustomerArgs,
        /// Product: UUID, or string id if no other has it
        product: String,
        #[command(flatten)]
        filter: Filter,
    },
    /// What a batch did
    Batch {
        #[command(flatten)]
        customer: CustomerArgs,
        /// UUID of the batch
        batch: String,
        #[command(flatten)]
        filter: Filter,
    },
    /// What was done to the catalogue
    Catalogue {
        #[command(flatten)]
        filter: Filter,
    },
}

#[derive(Args)]
struct Filter {
    #[command(flatten)]
    kinds: Kinds,
    /// Only what was committed then or later, as 2025-06-30 or 2025-06-30T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = date)]
    since: Option<Timestamp>,
    /// Only what was committed before
    #[arg(long, value_name = "TIME", value_parser = date)]
    until: Option<Timestamp>,
    #[command(flatten)]
    limit: Limit,
}

#[derive(Args)]
pub(crate) struct Kinds {
    /// Only records of this kind. May be repeated
    #[arg(long = "kind", value_enum, value_name = "KIND")]
    kinds: Vec<Kind>,
}

impl Kinds {
    /// The kinds as the protocol numbers them.
    pub(crate) fn numbers(&self) -> Vec<i32> {
        let number = |kind: &Kind| RecordKind::from(*kind).into();
        self.kinds.iter().map(number).collect()
    }
}

/// The kinds of records, by the words that the output has for them.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Assignments,
    UserCreated,
    UserUpdated,
    UserDeleted,
    SeatsSet,
    LaterPlansSet,
    SeatsMoved,
    CustomerCreated,
    CustomerRenamed,
    BatchAccepted,
    BatchEnded,
    SelectionCreated,
    SelectionDeleted,
    ChoiceNumbered,
    Catalogue,
    GuardSet,
    BatchCancelled,
    JournalPruned,
    Access,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        // They come in the same order; the protocol's begin with "unspecified".
        Self::try_from(kind as i32 + 1).expect("every kind is one of the protocol")
    }
}

impl Row for v1::HistoryRecord {
    const COLUMNS: &'static [Column<Self>] = &[
        column("position", |row| row.position.to_string()),
        column("commit_time", |row| time(row.commit_time.as_ref())),
        column("kind", |row| kind(record(row))),
        column("thing", |row| match row.principal_name.as_str() {
            "" => thing(record(row)),
            user => user.to_owned(),
        }),
        column("what", |row| what(record(row))),
        column("who", |row| match row.who_name.as_str() {
            "" => row.who.clone(),
            name => name.to_owned(),
        }),
        column("comment", |row| row.comment.clone()),
        detail("thing_id", |row| record(row).thing_id.clone()),
        detail("through", |row| row.through.clone()),
        detail("batch_id", |row| row.batch_id.clone()),
        detail("request_id", |row| row.request_id.clone()),
    ];
}

fn record(row: &v1::HistoryRecord) -> &v1::Record {
    static NONE: std::sync::LazyLock<v1::Record> = std::sync::LazyLock::new(Default::default);
    row.record.as_ref().unwrap_or(&NONE)
}

fn kind(record: &v1::Record) -> String {
    word(record.kind().as_str_name(), "RECORD_KIND_").replace('_', "-")
}

fn thing(record: &v1::Record) -> String {
    match &record.product_name {
        name if name.is_empty() => record.thing_id.clone(),
        name => name.clone(),
    }
}

/// What was done, in a few words.
fn what(record: &v1::Record) -> String {
    let Some(details) = &record.details else {
        return String::new();
    };
    match details {
        Details::Assignments(record) => {
            let edits: Vec<String> = record.edits.iter().map(edit).collect();
            edits.join("; ")
        }
        Details::User(user) => match (user.active_before, user.active_after) {
            (Some(before), Some(after)) if before != after => {
                let state = if after { "active" } else { "inactive" };
                format!("now {state}: {}", user.changed_fields.join(", "))
            }
            _ => user.changed_fields.join(", "),
        },
        Details::Seats(seats) => {
            let before = seats.before.as_ref().map(numbers);
            let after = seats.after.as_ref().map(numbers).unwrap_or_default();
            match before {
                Some(before) => format!("{before} -> {after}"),
                None => format!("new: {after}"),
            }
        }
        Details::LaterPlans(later) => {
            let name = |later: v1::LaterPlans| match later {
                v1::LaterPlans::Unspecified => "as the product says".to_owned(),
                later => word(later.as_str_name(), "LATER_PLANS_"),
            };
            format!("{} -> {}", name(later.before()), name(later.after()))
        }
        Details::SeatsMoved(moved) => {
            let (before, after) = (moved.before(), moved.after());
            let counts = [
                ("given", moved.given()),
                ("taken", moved.taken()),
                ("plans changed", moved.changed()),
            ];
            let counts = counts.iter().filter(|(_, count)| *count != 0);
            let counts: Vec<_> = counts
                .map(|(name, count)| format!("{count} {name}"))
                .collect();
            format!("assigned {before} -> {after}: {}", counts.join(", "))
        }
        Details::Guard(guard) => {
            let limits = |guard: &Option<v1::RevocationGuard>| limits(guard.unwrap_or_default());
            format!("{} -> {}", limits(&guard.before), limits(&guard.after))
        }
        Details::BatchAccepted(batch) => match batch.confirmed_user_count() {
            0 => format!("{} users", batch.user_count()),
            lose => format!(
                "{} users; confirmed that {lose} lose a product",
                batch.user_count()
            ),
        },
        Details::BatchEnded(batch) => format!(
            "{} applied, {} unchanged, {} failed, {} skipped",
            batch.applied_count(),
            batch.unchanged_count(),
            batch.failed_count(),
            batch.skipped_count()
        ),
        Details::Selection(selection) => format!("{} users", selection.user_count()),
        Details::Choice(choice) => {
            format!("{}: {}", choice.number, plans(choice.plans.as_ref()))
        }
        Details::JournalPruned(pruned) => pruned_up_to(pruned),
        Details::Access(access) => rights(access),
        Details::Catalogue(record) => record.change.as_ref().map(changed).unwrap_or_default(),
    }
}

fn rights(access: &v1::AccessRecord) -> String {
    let kind = word(access.kind().as_str_name(), "KIND_").replace('_', " ");
    match (&access.grant, access.key_id.as_str()) {
        (Some(grant), _) => format!("{kind}: {}", principals::granted(grant)),
        (None, "") => kind,
        (None, key) => format!("{kind}: {key}"),
    }
}

fn pruned_up_to(pruned: &v1::JournalPrunedRecord) -> String {
    let at = time(pruned.commit_time.as_ref());
    text!("pruned-up-to", position = pruned.position, time = at)
}

fn limits(guard: v1::RevocationGuard) -> String {
    let limits = [
        guard.users_max.map(|users| format!("{users} users")),
        guard
            .license_percent_max
            .map(|percent| format!("{percent} %")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if limits.is_empty() {
        return "no limit".to_owned();
    }
    limits.join(", ")
}

fn changed(change: &v1::CatalogueChange) -> String {
    let kind = word(change.kind().as_str_name(), "KIND_");
    match &change.previous_name {
        before if before.is_empty() => format!("{kind}: {}", change.name),
        before => format!("{kind}: {before} -> {}", change.name),
    }
}

fn edit(edit: &v1::AssignmentEdit) -> String {
    let name = edit.product.as_ref().map_or("", |product| {
        let name = Some(&product.display_name).filter(|name| !name.is_empty());
        name.unwrap_or(&product.product_id)
    });
    let chosen = |choice: &Option<v1::PlanChoice>| plans(choice.as_ref());
    match (&edit.plans_before, &edit.plans_after) {
        (None, after) => match chosen(after).as_str() {
            "all" => format!("assigned {name}"),
            some => format!("assigned {name} ({some})"),
        },
        (_, None) => format!("revoked {name}"),
        (before, after) => format!("{name}: {} -> {}", chosen(before), chosen(after)),
    }
}

fn numbers(seats: &v1::SeatNumbers) -> String {
    let more = [
        (seats.warning(), "warning"),
        (seats.suspended(), "suspended"),
    ];
    let mut text = format!("{} enabled", seats.enabled());
    for (number, name) in more.iter().filter(|(number, _)| *number != 0) {
        text += &format!(", {number} {name}");
    }
    text
}

pub(crate) async fn run(args: HistoryArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let request = v1::ListHistoryRequest::default();
    let (request, filter) = match args.command {
        Command::User {
            customer,
            user,
            at: Some(at),
            ..
        } => {
            let request = v1::GetUserAtRequest {
                customer_id: customer.id(&client).await?,
                user,
                time: Some(at),
            };
            show_user(&client, format, request).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::User {
            customer,
            user,
            filter,
            ..
        } => {
            let customer = customer.id(&client).await?;
            (of(request, customer, |request| request.user = user), filter)
        }
        Command::Customer { customer, filter } => {
            (of(request, customer.id(&client).await?, |_| ()), filter)
        }
        Command::License {
            customer,
            product,
            filter,
        } => {
            let product = products::find(&client, &product).await?.product_id;
            let customer = customer.id(&client).await?;
            let request = of(request, customer, |request| request.product_id = product);
            (request, filter)
        }
        Command::Batch {
            customer,
            batch,
            filter,
        } => {
            let customer = customer.id(&client).await?;
            let request = of(request, customer, |request| request.batch_id = batch);
            (request, filter)
        }
        Command::Catalogue { filter } => (request, filter),
    };
    list(&client, format, request, filter).await?;
    Ok(ExitCode::SUCCESS)
}

fn of(
    mut request: v1::ListHistoryRequest,
    customer: String,
    about: impl FnOnce(&mut v1::ListHistoryRequest),
) -> v1::ListHistoryRequest {
    request.customer_id = customer;
    about(&mut request);
    request
}

async fn list(
    client: &Client,
    format: Format,
    mut request: v1::ListHistoryRequest,
    filter: Filter,
) -> Result<(), Error> {
    request.kinds = filter.kinds.numbers();
    (request.start_time, request.end_time) = (filter.since, filter.until);
    let page = async |ask: Ask| {
        let request = v1::ListHistoryRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
            ..request.clone()
        };
        Ok(client.list_history(request).await?.into())
    };
    paging::print_all(format, &filter.limit, page)
        .await
        .map(drop)
}

/// Prints what was so of a user.
async fn show_user(
    client: &Client,
    format: Format,
    request: v1::GetUserAtRequest,
) -> Result<(), Error> {
    let then = client.get_user_at(request).await?;
    if format == Format::Json {
        return output::line(&output::json(&then)?);
    }
    let mut names = Names::default();
    let products = then.held.iter().map(|held| (&held.product_id, false));
    names.look_up(client, products).await?;
    let user = then.user_id.as_str();
    output::note(&match (then.existed, then.active) {
        (false, _) => text!("user-was-not-there", user = user),
        (true, true) => text!("user-was-active", user = user),
        (true, false) => text!("user-was-inactive", user = user),
    });
    let mut printer = Printer::new(format, vec!["product_id", "product_name", "plans"]);
    for held in &then.held {
        let (id, name) = (&held.product_id, names.product(&held.product_id));
        printer.cells(vec![
            id.clone(),
            name.to_owned(),
            plans(held.plans.as_ref()),
        ])?;
    }
    printer.finish()
}
