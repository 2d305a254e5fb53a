//! Which users a command is about: users one by one, from files, by conditions, from selections made
//! before, and whom to leave out. Also `seatwise users select` and `users selected`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use seatwise_client::Client;
use seatwise_client::v1::{self, selection_part::Part};

use crate::error::Error;
use crate::exit;
use crate::files::{self, Lined, Lines};
use crate::output::{self, Column, Format, Row, column, count, detail, time};
use crate::users_filter::FilterArgs;
use crate::why::Why;

/// Users in one part of a selection; a longer file becomes several.
const PART_USERS: usize = 100_000;
/// Unknown users that are shown.
const UNKNOWN_SHOWN: usize = 20;

/// Users, without conditions: what every change takes.
#[derive(Args)]
#[command(next_help_heading = "Users")]
pub(crate) struct UserArgs {
    /// UUID or principal name of a user. May be repeated; scarce seats go out in this order
    #[arg(long = "user", value_name = "USER")]
    users: Vec<String>,
    /// File of users, one id or principal name a line; or CSV with a header that has `user_id`,
    /// `user` or `principal_name`. `-` for standard input
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// The users of a selection that `users select` has printed. May be repeated
    #[arg(long = "selection", visible_alias = "from", value_name = "SELECTION")]
    selections: Vec<String>,
    /// All users of the customer
    #[arg(long)]
    all_users: bool,
    /// Leave this user out: UUID or principal name. May be repeated
    #[arg(long = "except", value_name = "USER")]
    except: Vec<String>,
    /// Leave the users of this file out
    #[arg(long, value_name = "FILE")]
    except_file: Option<PathBuf>,
}

/// Users, also by conditions.
#[derive(Args)]
pub(crate) struct SelectionArgs {
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

/// A selection, and where its users come from.
pub(crate) struct Selected {
    pub(crate) selection: v1::Selection,
    lines: Vec<Lines>,
}

impl SelectionArgs {
    pub(crate) async fn read(self, client: &Client) -> Result<Selected, Error> {
        let filter = self.filter.filter(client).await?;
        let is_given = filter != v1::UserFilter::default();
        self.users.select(Some(filter).filter(|_| is_given))
    }
}

impl UserArgs {
    /// A request over these users, which lacks all else, and where they stand.
    pub(crate) fn request(self) -> Result<(v1::ExecuteBatchRequest, Vec<Lines>), Error> {
        let has_others = !self.selections.is_empty() || self.all_users;
        let has_except = !self.except.is_empty() || self.except_file.is_some();
        let mut request = v1::ExecuteBatchRequest::default();
        let is_list = !self.users.is_empty() || self.users_file.is_some();
        if has_others || has_except || !is_list {
            let Selected { selection, lines } = self.select(None)?;
            request.selection = Some(selection);
            return Ok((request, lines));
        }
        let users = files::read_named(self.users, self.users_file.as_deref())?;
        let lines = Lines::of("users", &users);
        request.users = users.into_iter().map(|user| user.item).collect();
        Ok((request, vec![lines]))
    }

    /// The users, and also who meets the conditions.
    fn select(self, filter: Option<v1::UserFilter>) -> Result<Selected, Error> {
        let users = files::read_named(self.users, self.users_file.as_deref())?;
        let (mut parts, mut lines) = named_parts("parts", users);
        parts.extend(self.selections.into_iter().map(Part::SelectionId));
        let everybody = Some(v1::UserFilter::default()).filter(|_| self.all_users);
        parts.extend(filter.or(everybody).map(Part::Filter));
        if parts.is_empty() {
            let text = "say which users: --user, --users-file, --selection or --all-users";
            return Err(Error::Input(text.to_owned()));
        }
        let users = files::read_named(self.except, self.except_file.as_deref())?;
        let (except, except_lines) = named_parts("except", users);
        lines.extend(except_lines);
        let wrap = |part| v1::SelectionPart { part: Some(part) };
        let selection = v1::Selection {
            parts: parts.into_iter().map(wrap).collect(),
            except: except.into_iter().map(wrap).collect(),
        };
        Ok(Selected { selection, lines })
    }
}

/// Parts for users one by one, and where these stand. `field` is the selection's that has the parts.
fn named_parts(field: &str, mut users: Vec<Lined<String>>) -> (Vec<Part>, Vec<Lines>) {
    let (mut parts, mut lines) = (Vec::new(), Vec::new());
    while !users.is_empty() {
        let rest = users.split_off(users.len().min(PART_USERS));
        let list = format!("{field}[{}].users.users", parts.len());
        lines.push(Lines::of(list, &users));
        let users_of_part = std::mem::replace(&mut users, rest).into_iter();
        let users = users_of_part.map(|user| user.item).collect();
        parts.push(Part::Users(v1::UserList { users }));
    }
    (parts, lines)
}

impl Selected {
    /// The server counts the users of a part; people count the lines of their file.
    pub(crate) fn locate(&self, error: seatwise_client::Error) -> Error {
        Error::Call(files::locate(error, &self.lines))
    }
}

/// The users of a frozen selection.
pub(crate) fn frozen_selection(id: &str) -> v1::Selection {
    let part = Some(Part::SelectionId(id.to_owned()));
    v1::Selection {
        parts: vec![v1::SelectionPart { part }],
        except: Vec::new(),
    }
}

impl Row for v1::CreateSelectionResponse {
    const COLUMNS: &'static [Column<Self>] = &[
        column("selection_id", |made| frozen(made).selection_id),
        column("user_count", |made| frozen(made).user_count().to_string()),
        detail("create_time", |made| {
            time(frozen(made).create_time.as_ref())
        }),
        column("expire_time", |made| {
            time(frozen(made).expire_time.as_ref())
        }),
        column("unknown_user_count", |made| {
            made.unknown_user_count().to_string()
        }),
    ];
}

fn frozen(made: &v1::CreateSelectionResponse) -> v1::FrozenSelection {
    made.selection.clone().unwrap_or_default()
}

/// Freezes a selection and prints its id.
pub(crate) async fn select(
    client: &Client,
    format: Format,
    customer: String,
    args: SelectionArgs,
    why: Why,
) -> Result<ExitCode, Error> {
    let selected = args.read(client).await?;
    let request = v1::CreateSelectionRequest {
        customer_id: customer,
        selection: Some(selected.selection.clone()),
        comment: why.comment,
    };
    let made = client.create_selection(request).await;
    let made = made.map_err(|error| selected.locate(error))?;
    output::show(format, &made)?;
    for user in made.unknown_users.iter().take(UNKNOWN_SHOWN) {
        output::note(&format!("there is no user {user}"));
    }
    let unknown = usize::try_from(made.unknown_user_count()).unwrap_or_default();
    if unknown > UNKNOWN_SHOWN {
        output::note(&format!("and {} more", count(unknown - UNKNOWN_SHOWN)));
    }
    Ok(exit::some_failed(unknown > 0))
}
