//! Which users a command is about: users one by one, from files, by conditions, from selections made
//! before, and whom to leave out. Also `seatwise users select` and `users selected`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use seatwise_client::Client;
use seatwise_client::v1::{self, selection_part::Part};

use crate::compliance::Violating;
use crate::customers::CustomerArgs;
use crate::error::Error;
use crate::exit;
use crate::fields::{self, Lines};
use crate::files::{self, Lined};
use crate::output::{self, Column, Format, Row, column, detail, time};
use crate::text::text;
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
    /// `user` or `principal_name`, as `users list --output csv` prints it. `-` for standard input.
    /// May be repeated: who is in several files counts once
    #[arg(long = "users-file", value_name = "FILE")]
    users_files: Vec<PathBuf>,
    /// The users of a selection that `users select` has printed. May be repeated
    #[arg(long = "selection", visible_alias = "from", value_name = "SELECTION")]
    selections: Vec<String>,
    /// All users of the customer
    #[arg(long)]
    all_users: bool,
    /// Leave this user out: UUID or principal name. May be repeated
    #[arg(long = "except", value_name = "USER")]
    except: Vec<String>,
    /// Leave the users of this file out. May be repeated
    #[arg(long = "except-file", value_name = "FILE")]
    except_files: Vec<PathBuf>,
}

/// Users, either named or by conditions.
#[derive(Args)]
pub(crate) struct SelectionArgs {
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    violating: Violating,
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
        let filter = is_given.then_some(Part::Filter(filter));
        let violating = self.violating.filter(client).await?.map(Part::Violating);
        if filter.is_some() && violating.is_some() {
            return Err(Error::Input(text!("conditions-and-violating")));
        }
        self.users.select(filter.or(violating))
    }
}

impl UserArgs {
    /// A request over these users, which lacks all else, and where they stand.
    pub(crate) fn request(self) -> Result<(v1::ExecuteBatchRequest, Vec<Lines>), Error> {
        let has_others = !self.selections.is_empty() || self.all_users;
        let has_except = !self.except.is_empty() || !self.except_files.is_empty();
        let lists = usize::from(!self.users.is_empty()) + self.users_files.len();
        let mut request = v1::ExecuteBatchRequest::default();
        if has_others || has_except || lists != 1 {
            let Selected { selection, lines } = self.select(None)?;
            request.selection = Some(selection);
            return Ok((request, lines));
        }
        let lists = named("--user", self.users, &self.users_files)?;
        let lines = lists
            .iter()
            .map(|list| list.lines("users".to_owned(), &list.users));
        let lines = lines.collect();
        let users = lists.into_iter().flat_map(|list| list.users);
        request.users = users.map(|user| user.item).collect();
        Ok((request, lines))
    }

    /// The users, or who meets the conditions.
    fn select(self, conditions: Option<Part>) -> Result<Selected, Error> {
        let mut parts = Vec::new();
        let mut lines = named_parts(
            "parts",
            named("--user", self.users, &self.users_files)?,
            &mut parts,
        );
        parts.extend(self.selections.into_iter().map(Part::SelectionId));
        // Together they would be more users, where conditions are expected to leave fewer.
        if conditions.is_some() && self.all_users {
            return Err(Error::Input(text!("conditions-and-all-users")));
        }
        if conditions.is_some() && !parts.is_empty() {
            return Err(Error::Input(text!("conditions-and-named-users")));
        }
        let everybody = Part::Filter(v1::UserFilter::default());
        parts.extend(conditions.or(self.all_users.then_some(everybody)));
        if parts.is_empty() {
            return Err(Error::Input(text!("no-users-named")));
        }
        let mut except = Vec::new();
        lines.extend(named_parts(
            "except",
            named("--except", self.except, &self.except_files)?,
            &mut except,
        ));
        let wrap = |part| v1::SelectionPart { part: Some(part) };
        let selection = v1::Selection {
            parts: parts.into_iter().map(wrap).collect(),
            except: except.into_iter().map(wrap).collect(),
        };
        Ok(Selected { selection, lines })
    }
}

/// Users who are named in one place.
struct Named<'a> {
    option: &'static str,
    /// None if the option names them itself.
    file: Option<&'a Path>,
    users: Vec<Lined<String>>,
}

/// The users whom an option names, and after them those of each file.
fn named<'a>(
    option: &'static str,
    users: Vec<String>,
    files: &'a [PathBuf],
) -> Result<Vec<Named<'a>>, Error> {
    let given = |item| Lined { line: 0, item };
    let users: Vec<_> = users.into_iter().map(given).collect();
    let file = None;
    let mut named = vec![Named {
        option,
        file,
        users,
    }];
    for path in files {
        let users = files::read_users(path)?;
        let file = Some(path.as_path());
        named.push(Named {
            option,
            file,
            users,
        });
    }
    named.retain(|named| !named.users.is_empty());
    Ok(named)
}

impl Named<'_> {
    /// Where these of the users stand, who are a list of the request.
    fn lines(&self, list: String, users: &[Lined<String>]) -> Lines {
        match self.file {
            Some(file) => Lines::of_file(list, file, users),
            None => Lines::of_option(list, self.option, users),
        }
    }
}

/// Adds parts of named users, and tells where they stand. `field` is the selection's that has the
/// parts.
fn named_parts(field: &str, named: Vec<Named<'_>>, parts: &mut Vec<Part>) -> Vec<Lines> {
    let mut lines = Vec::new();
    for named in named {
        for users in named.users.chunks(PART_USERS) {
            let list = format!("selection.{field}[{}].users.users", parts.len());
            lines.push(named.lines(list, users));
            let users = users.iter().map(|user| user.item.clone()).collect();
            parts.push(Part::Users(v1::UserList { users }));
        }
    }
    lines
}

impl Selected {
    /// The server counts the users of a part; people count the lines of their file.
    pub(crate) fn locate(&self, error: seatwise_client::Error) -> Error {
        Error::Call(fields::locate(error, &self.lines))
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
    customer: &CustomerArgs,
    args: SelectionArgs,
    quiet: bool,
    why: Why,
) -> Result<ExitCode, Error> {
    let selected = args.read(client).await?;
    let request = v1::CreateSelectionRequest {
        customer_id: customer.id(client).await?,
        selection: Some(selected.selection.clone()),
        comment: why.comment,
    };
    let made = client.create_selection(request).await;
    let made = made.map_err(|error| selected.locate(error))?;
    if quiet {
        output::line(&frozen(&made).selection_id)?;
    } else {
        output::show(format, &made)?;
    }
    for user in made.unknown_users.iter().take(UNKNOWN_SHOWN) {
        output::note(&text!("no-such-user", user = user.as_str()));
    }
    let unknown = usize::try_from(made.unknown_user_count()).unwrap_or_default();
    if unknown > UNKNOWN_SHOWN {
        output::note(&text!("more", count = unknown - UNKNOWN_SHOWN));
    }
    let is_empty = frozen(&made).user_count() == 0;
    if is_empty {
        output::note(&text!("nobody-selected"));
    }
    Ok(exit::some_failed(unknown > 0 || is_empty))
}
