//! The server names fields of the request; people have typed options and written files. Here the one
//! becomes the other, in all that an error says.

use std::path::Path;

use clap::{ArgMatches, Command};
use seatwise_client::v1::ErrorReason;

use crate::command_line::quoted;
use crate::files::Lined;
use crate::text::text;

/// Where the users of a list of the request are named.
pub(crate) struct Lines {
    /// Path of the list, as `users`.
    list: String,
    names: Names,
}

enum Names {
    /// Each by an option of the command line.
    Options(Vec<String>),
    /// Each on a line of this file.
    File { name: String, lines: Vec<usize> },
}

impl Lines {
    /// Users that an option names one by one.
    pub(crate) fn of_option(list: String, option: &str, users: &[Lined<String>]) -> Self {
        let named = users.iter();
        let named = named.map(|user| format!("{option} {}", quoted(user.item.clone())));
        let names = Names::Options(named.collect());
        Self { list, names }
    }

    /// Users that a file names.
    pub(crate) fn of_file<T>(list: String, file: &Path, users: &[Lined<T>]) -> Self {
        Self {
            list,
            names: Names::File {
                name: file.display().to_string(),
                lines: users.iter().map(|user| user.line).collect(),
            },
        }
    }

    /// Where the user stands that a path begins with, as `users[3]`, and what follows in the path.
    fn place<'p>(&self, path: &'p str) -> Option<(String, &'p str)> {
        let place = path.strip_prefix(self.list.as_str())?.strip_prefix('[')?;
        let (place, rest) = place.split_once(']')?;
        let place = place.parse::<usize>().ok()?;
        let shown = match &self.names {
            Names::Options(names) => names.get(place)?.clone(),
            Names::File { name, lines } => {
                let line = lines.get(place)?.to_string();
                text!("place-in-file", line = line, file = name.as_str())
            }
        };
        Some((shown, rest))
    }
}

/// Says where users stand in place of paths of the request.
pub(crate) fn locate(mut error: seatwise_client::Error, lines: &[Lines]) -> seatwise_client::Error {
    let located = |path: &str| {
        let (place, rest) = lines.iter().find_map(|lines| lines.place(path))?;
        Some(match rest.strip_prefix('.') {
            None | Some("user") => place,
            Some(rest) => format!("{place}, {rest}"),
        })
    };
    for text in texts(&mut error) {
        *text = with_paths(text, |path, _| located(path));
    }
    error
}

/// The options of a command.
pub(crate) struct Options {
    longs: Vec<String>,
    positionals: Vec<String>,
}

/// Fields whose options have other names: the first that the command has.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("batch_id", &["batch"]),
    ("by_product_id", &["by", "replace"]),
    ("confirmation", &["confirm"]),
    ("customer_id", &["customer", "id"]),
    ("customer_ids", &["customer"]),
    ("disable_plan_ids", &["plans", "assign", "replace"]),
    ("display_name", &["display-name", "name"]),
    ("enable_plan_ids", &["plans", "assign", "replace"]),
    ("expire_time", &["expires-in"]),
    ("failed_in_batch_id", &["failed-in"]),
    ("grant_id", &["grant"]),
    ("holds_plan_id", &["holds-plan"]),
    ("holds_product_id", &["holds"]),
    ("keep_product_ids", &["keep"]),
    ("key_id", &["key"]),
    ("lacks_product_id", &["lacks"]),
    ("last_active_time", &["last-active"]),
    ("license_percent_max", &["guard-percent"]),
    ("page_token", &["page-token", "cursor"]),
    ("plan_ids", &["plans", "assign", "replace"]),
    ("plan_token", &["plan"]),
    ("principal_id", &["principal", "name"]),
    ("product_id", &["product", "assign", "replace"]),
    ("revoke_product_ids", &["revoke", "product"]),
    ("roles", &["role"]),
    ("selection_id", &["selection"]),
    ("stop_after_failures", &["stop-after"]),
    ("user_id", &["id", "user"]),
    ("users", &["users-file", "user"]),
    ("users_max", &["guard-users"]),
    ("watch_token", &["since"]),
];

impl Options {
    /// Those of the subcommand that was called.
    pub(crate) fn of(command: &Command, mut matches: &ArgMatches) -> Self {
        let mut called = command;
        while let Some((name, below)) = matches.subcommand() {
            let found = called.find_subcommand(name);
            called = found.expect("what was matched is there");
            matches = below;
        }
        let longs = called.get_arguments().filter_map(clap::Arg::get_long);
        let positionals = called.get_positionals().map(clap::Arg::get_id);
        Self {
            longs: longs.map(str::to_owned).collect(),
            positionals: positionals.map(ToString::to_string).collect(),
        }
    }

    /// Says options in place of fields.
    pub(crate) fn put_into(&self, error: &mut seatwise_client::Error) {
        let metadata = ["field", "first"].map(|key| error.metadata.get(key).cloned());
        let violations = error.violations.iter();
        let violations = violations.map(|violation| violation.field.clone());
        let known: Vec<_> = violations.chain(metadata.into_iter().flatten()).collect();
        let is_file = error.reason == ErrorReason::InvalidFile;
        for text in texts(error) {
            // A field of one plain word is only meant where a field is named: at either end.
            *text = with_paths(text, |path, is_end| {
                let is_field = path.contains(['_', '[', '.']) || is_end;
                let is_known = is_field && known.iter().any(|field| field == path);
                let name = (is_known || path.contains('_')).then(|| self.option(path));
                name.flatten()
            });
        }
        for violation in error.violations.iter_mut().filter(|_| is_file) {
            violation.field = place_in_table(&violation.field);
        }
    }

    /// The option that sets the field at this path, if the command has one.
    fn option(&self, path: &str) -> Option<String> {
        let names = path.rsplit('.').map(|name| name.split('[').next());
        names.flatten().find_map(|field| {
            let others = OTHER_NAMES.iter().find(|(name, _)| *name == field);
            let same = field.replace('_', "-");
            let others = others.map_or(&[][..], |(_, options)| options);
            let mut names = others.iter().copied().chain([same.as_str()]);
            names.find_map(|name| self.shown(name))
        })
    }

    fn shown(&self, name: &str) -> Option<String> {
        if self.longs.iter().any(|long| long == name) {
            Some(format!("--{name}"))
        } else if self.positionals.iter().any(|id| id == name) {
            Some(name.to_uppercase())
        } else {
            None
        }
    }
}

/// The place in a file that the server names as `line 3, column GUID`.
fn place_in_table(field: &str) -> String {
    match field
        .strip_prefix("line ")
        .map(|line| line.split_once(", column "))
    {
        Some(Some((line, column))) => text!("place-in-table", line = line, column = column),
        Some(None) => text!("place-in-list", line = field.trim_start_matches("line ")),
        None => field.to_owned(),
    }
}

/// All that an error says to people.
fn texts(error: &mut seatwise_client::Error) -> impl Iterator<Item = &mut String> {
    let localized = error
        .localized
        .as_mut()
        .map(|localized| &mut localized.text);
    let violations = error.violations.iter_mut();
    let violations = violations.flat_map(|wrong| [&mut wrong.field, &mut wrong.problem]);
    [&mut error.message]
        .into_iter()
        .chain(localized)
        .chain(violations)
}

/// Puts something in place of paths of fields, as `users[3]`; tells of each whether the text begins or
/// ends with it.
fn with_paths(text: &str, put: impl Fn(&str, bool) -> Option<String>) -> String {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_[].-".contains(c);
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_path) {
        made += &rest[..start];
        rest = &rest[start..];
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches(['.', '-']);
        let is_end = made.is_empty() || &rest[word.len()..] == ".";
        match put(word, is_end).filter(|_| !word.is_empty()) {
            Some(shown) => made += &shown,
            None => made += word,
        }
        made += &rest[word.len()..end];
        rest = &rest[end..];
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn lines() -> [Lines; 2] {
        let users = [0, 9].map(|line| Lined { line, item: () });
        let item = "ada@example.com".to_owned();
        let named = [Lined { line: 0, item }];
        [
            Lines::of_file("users".to_owned(), Path::new("team.txt"), &users),
            Lines::of_option(
                "selection.except[0].users.users".to_owned(),
                "--except",
                &named,
            ),
        ]
    }

    fn error(message: &str, field: &str) -> seatwise_client::Error {
        let status = seatwise_client::transport::tonic::Status::invalid_argument(message);
        let mut error = seatwise_client::Error::from(status);
        error.metadata.insert("field".to_owned(), field.to_owned());
        error
    }

    fn located(message: &str) -> String {
        locate(error(message, ""), &lines()).message
    }

    #[test]
    fn places_in_the_request_become_lines_of_the_file() {
        assert_eq!(
            located("users[1]: is users[1].user, not users[7] or users[x"),
            "line 9 of team.txt: is line 9 of team.txt, not users[7] or users[x"
        );
        assert_eq!(
            located("see selection.except[0].users.users[0]."),
            "see --except ada@example.com."
        );
    }

    #[test]
    fn fields_become_options_that_the_command_has() {
        let arguments = ["customer", "usage-location", "search", "page-token"];
        let mut command = Command::new("seatwise").arg(Arg::new("user"));
        for long in arguments {
            command = command.arg(Arg::new(long).long(long));
        }
        let options = Options::of(&command, &ArgMatches::default());
        for (message, field, shown) in [
            ("customer_id: no UUID", "customer_id", "--customer: no UUID"),
            (
                "the filter.usage_location.",
                "filter.usage_location",
                "the --usage-location.",
            ),
            ("search: a search", "search", "--search: a search"),
            ("wrong: search.", "search", "wrong: --search."),
            ("user: is gone", "user", "USER: is gone"),
            ("set page_token or etag_x", "", "set --page-token or etag_x"),
        ] {
            let mut error = error(message, field);
            options.put_into(&mut error);
            assert_eq!(error.message, shown);
        }
    }
}
