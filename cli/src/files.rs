//! Files that people make: lists of users, in a text editor or as CSV from a spreadsheet.
//!
//! What is only untidy is put right: byte order mark, CRLF, stray spaces, blank lines. What is wrong
//! is named with its line, all of it together, before anything is sent.

use std::fs;
use std::io::Read;
use std::path::Path;

use seatwise_client::v1::{ImportedUser, user::State};
use uuid::Uuid;

use crate::error::Error;
use crate::users_filter::date;

/// Problems that are shown; who made that many has made one mistake all over.
const PROBLEMS_MAX: usize = 20;

/// Columns that may name a user.
pub(crate) const USER_COLUMNS: &[&str] = &["user_id", "user", "principal_name"];

/// What was read, and the line that it stands on.
#[derive(Debug, PartialEq)]
pub(crate) struct Lined<T> {
    /// Zero if it comes from the command line itself.
    pub(crate) line: usize,
    pub(crate) item: T,
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let done = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        fs::read(path).map(|read| bytes = read)
    };
    done.map_err(|error| Error::Input(format!("cannot read {}: {error}", path.display())))?;
    Ok(bytes)
}

/// Reads the users that a file names: one id or principal name a line, or CSV with a header that
/// has a column `user_id`, `user` or `principal_name`.
pub(crate) fn read_users(path: &Path) -> Result<Vec<Lined<String>>, Error> {
    parse_users(&read(path)?).map_err(|problems| refused(path, &problems))
}

/// Reads the users to import from CSV.
pub(crate) fn read_imported(path: &Path) -> Result<Vec<Lined<ImportedUser>>, Error> {
    parse_imported(&read(path)?).map_err(|problems| refused(path, &problems))
}

/// The users of the command line, and after them those of a file.
pub(crate) fn read_named(
    users: Vec<String>,
    file: Option<&Path>,
) -> Result<Vec<Lined<String>>, Error> {
    let given = |item| Lined { line: 0, item };
    let mut named: Vec<_> = users.into_iter().map(given).collect();
    if let Some(file) = file {
        named.extend(read_users(file)?);
    }
    Ok(named)
}

/// Where the users of a list of the request stand in the file that names them.
pub(crate) struct Lines {
    /// Path of the list, as `users`.
    list: String,
    lines: Vec<usize>,
}

/// Adds the lines to the places that an error of the server names.
pub(crate) fn locate(mut error: seatwise_client::Error, lines: &[Lines]) -> seatwise_client::Error {
    let locate = |text: &mut String| {
        for lines in lines {
            *text = lines.add_to(text);
        }
    };
    locate(&mut error.message);
    if let Some(localized) = &mut error.localized {
        locate(&mut localized.text);
    }
    for violation in &mut error.violations {
        locate(&mut violation.field);
        locate(&mut violation.problem);
    }
    error
}

impl Lines {
    pub(crate) fn of<T>(list: impl Into<String>, users: &[Lined<T>]) -> Self {
        let lines = users.iter().map(|user| user.line).collect();
        Self {
            list: list.into(),
            lines,
        }
    }

    /// Adds its line to every place of the list, as `users[N]`.
    fn add_to(&self, text: &str) -> String {
        let list = format!("{}[", self.list);
        let mut parts = text.split(&list);
        let mut located = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let place = part.split_once(']').and_then(|(place, rest)| {
                let line = *self.lines.get(place.parse::<usize>().ok()?)?;
                Some((place, rest, line)).filter(|_| line > 0)
            });
            located += &match place {
                Some((place, rest, line)) => format!("{list}{place}] (line {line}){rest}"),
                None => format!("{list}{part}"),
            };
        }
        located
    }
}

pub(crate) type Problems = Vec<String>;

/// What is wrong with a file.
pub(crate) fn refused(path: &Path, problems: &Problems) -> Error {
    let mut text = format!("{} is wrong, and nothing was sent:", path.display());
    for problem in problems.iter().take(PROBLEMS_MAX) {
        text += &format!("\n  {problem}");
    }
    if let Some(more @ 1..) = problems.len().checked_sub(PROBLEMS_MAX) {
        text += &format!("\n  and {more} more");
    }
    Error::Input(text)
}

fn parse_users(file: &[u8]) -> Result<Vec<Lined<String>>, Problems> {
    let rows = rows(file)?;
    let users: Vec<_> = match rows.first() {
        None => return Err(vec!["there is no user in it".to_owned()]),
        Some(first)
            if !columns(first.item)
                .iter()
                .any(|c| USER_COLUMNS.contains(&&c[..])) =>
        {
            rows.iter()
                .map(|row| Lined {
                    line: row.line,
                    item: row.item.to_owned(),
                })
                .collect()
        }
        Some(_) => Table::new(&rows, USER_COLUMNS)?.map(|row| row.user())?,
    };
    if users.is_empty() {
        return Err(vec!["there is a header but no user in it".to_owned()]);
    }
    Ok(users)
}

fn parse_imported(file: &[u8]) -> Result<Vec<Lined<ImportedUser>>, Problems> {
    const COLUMNS: &[&str] = &[
        "user_id",
        "principal_name",
        "display_name",
        "usage_location",
        "state",
        "last_active",
    ];
    let rows = rows(file)?;
    let table = Table::new(&rows, COLUMNS)?;
    if !table.has("user_id") && !table.has("principal_name") {
        let line = rows.first().map_or(1, |header| header.line);
        return Err(vec![format!(
            "line {line}: no column principal_name or user_id; the columns are {}, set off by commas",
            COLUMNS.join(", ")
        )]);
    }
    table.map(|row| {
        let cell = |name| row.cell(name).unwrap_or_default().to_owned();
        let user = ImportedUser {
            user_id: cell("user_id"),
            principal_name: cell("principal_name"),
            // Nobody has an empty name, so an empty cell leaves it as it is.
            display_name: Some(cell("display_name")).filter(|name| !name.is_empty()),
            usage_location: row.cell("usage_location").map(str::to_owned),
            state: state(&row)?.into(),
            last_active_time: last_active(&row)?,
        };
        if user.user_id.is_empty() && user.principal_name.is_empty() {
            return Err(row.problem("names no user: fill in principal_name or user_id"));
        }
        if !user.user_id.is_empty() && Uuid::try_parse(&user.user_id).is_err() {
            return Err(row.problem(&format!("column user_id: {:?} is no UUID", user.user_id)));
        }
        Ok(user)
    })
}

/// An empty cell leaves what is known as it is.
fn last_active(row: &TableRow<'_>) -> Result<Option<prost_types::Timestamp>, String> {
    let text = row.cell("last_active").unwrap_or_default();
    let time = (!text.is_empty()).then(|| date(text)).transpose();
    time.map_err(|problem| row.problem(&format!("column last_active: {text:?} {problem}")))
}

fn state(row: &TableRow<'_>) -> Result<State, String> {
    match row
        .cell("state")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "" => Ok(State::Unspecified),
        "active" => Ok(State::Active),
        "inactive" => Ok(State::Inactive),
        other => Err(row.problem(&format!(
            "column state: {other:?} is neither active nor inactive"
        ))),
    }
}

/// The lines that say something, without byte order mark, stray spaces and comments.
pub(crate) fn rows(file: &[u8]) -> Result<Vec<Lined<&str>>, Problems> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for (place, bytes) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = place + 1;
        match str::from_utf8(bytes).map(str::trim) {
            Ok(item) if item.is_empty() || item.starts_with('#') => {}
            Ok(item) => rows.push(Lined { line, item }),
            Err(_) => problems.push(format!(
                "line {line}: is not UTF-8; save the file as \"CSV UTF-8\""
            )),
        }
    }
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(problems)
    }
}

/// The cells of a line of CSV. No cell of ours has line breaks, so a line is a row, and a quote too
/// many spoils no line but its own.
fn cells(line: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut cells = csv::StringRecord::new();
    reader
        .read_record(&mut cells)
        .expect("a line of UTF-8 in memory is a record");
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The names of the columns, as `principal_name` also where it is written `Principal Name`.
fn columns(header: &str) -> Vec<String> {
    let name = |cell: &String| cell.to_lowercase().replace([' ', '-'], "_");
    cells(header).iter().map(name).collect()
}

/// CSV with a header.
pub(crate) struct Table<'t> {
    columns: Vec<String>,
    rows: &'t [Lined<&'t str>],
}

pub(crate) struct TableRow<'t> {
    columns: &'t [String],
    line: usize,
    cells: Vec<String>,
}

impl<'t> Table<'t> {
    pub(crate) fn new(rows: &'t [Lined<&'t str>], known: &[&str]) -> Result<Self, Problems> {
        let Some((header, rows)) = rows.split_first() else {
            return Err(vec![format!(
                "the file is empty; its columns are {}",
                known.join(", ")
            )]);
        };
        let columns = columns(header.item);
        let is_twice = |name: &&&str| columns.iter().filter(|column| column == name).count() > 1;
        match known.iter().find(is_twice) {
            Some(name) => Err(vec![format!("line {}: two columns {name}", header.line)]),
            None => Ok(Self { columns, rows }),
        }
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// Makes something of every row, or says what is wrong with each that is.
    pub(crate) fn map<T>(
        &self,
        make: impl Fn(TableRow<'_>) -> Result<T, String>,
    ) -> Result<Vec<Lined<T>>, Problems> {
        let mut made = Vec::with_capacity(self.rows.len());
        let mut problems = Vec::new();
        for Lined { line, item } in self.rows {
            let (line, cells) = (*line, cells(item));
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let (given, columns) = (cells.len(), self.columns.len());
            let row = TableRow {
                columns: &self.columns,
                line,
                cells,
            };
            if given != columns {
                let text = format!(
                    "has {given} of {columns} cells; put cells that hold a comma in quotes"
                );
                problems.push(row.problem(&text));
                continue;
            }
            match make(row) {
                Ok(item) => made.push(Lined { line, item }),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(made)
        } else {
            Err(problems)
        }
    }
}

impl TableRow<'_> {
    /// The user, by the first column that is filled in.
    pub(crate) fn user(&self) -> Result<String, String> {
        let named = USER_COLUMNS.iter().filter_map(|name| self.cell(name));
        let named = named.map(str::to_owned).find(|cell| !cell.is_empty());
        named.ok_or_else(|| self.problem("names no user"))
    }

    pub(crate) fn cell(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        Some(&self.cells[place])
    }

    pub(crate) fn problem(&self, text: &str) -> String {
        format!("line {}: {text}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(file: &str) -> Result<Vec<(usize, String)>, Problems> {
        let users = parse_users(file.as_bytes())?;
        Ok(users
            .into_iter()
            .map(|user| (user.line, user.item))
            .collect())
    }

    fn expected(users: &[(usize, &str)]) -> Vec<(usize, String)> {
        users
            .iter()
            .map(|(line, user)| (*line, (*user).to_owned()))
            .collect()
    }

    #[test]
    fn a_list_is_a_user_a_line() {
        let file = "\u{feff}# the team\r\n\r\n  ada@example.com \r\nbob@example.com\u{a0}\n";
        let list = expected(&[(3, "ada@example.com"), (4, "bob@example.com")]);
        assert_eq!(users(file).unwrap(), list);
        assert!(users("# nobody\n\n").is_err());
    }

    #[test]
    fn csv_names_users_by_the_first_column_that_is_filled_in() {
        let file = "Display Name, Principal Name,User-Id\n\
                    \"Lovelace, Ada\",ada@example.com,1\n\n\
                    Bob,bob@example.com,\n";
        let list = expected(&[(2, "1"), (4, "bob@example.com")]);
        assert_eq!(users(file).unwrap(), list);
        assert_eq!(users("user\n 7 \n").unwrap(), expected(&[(2, "7")]));
        assert!(users("user\n").is_err(), "a header alone names nobody");
    }

    #[test]
    fn every_wrong_row_is_named_with_its_line() {
        let file = "principal_name,state\nada@example.com\n,active\nbob@example.com,gone\n,\n";
        let problems = parse_imported(file.as_bytes()).unwrap_err();
        let lines: Vec<_> = problems.iter().map(|problem| &problem[..7]).collect();
        assert_eq!(lines, ["line 2:", "line 3:", "line 4:"], "{problems:?}");
        assert!(problems[2].contains("column state"), "{problems:?}");
    }

    #[test]
    fn imported_users_are_read_from_an_untidy_file() {
        let file = b"\xef\xbb\xbfState, principal_name ,Usage_Location,Other\r\n\
                     Inactive, ada@example.com ,nl,x\r\n,bob@example.com,,\r\n";
        let imported = parse_imported(file).unwrap();
        assert_eq!(imported[0].item.principal_name, "ada@example.com");
        assert_eq!(imported[0].item.usage_location.as_deref(), Some("nl"));
        assert_eq!(imported[0].item.state(), State::Inactive);
        assert_eq!(imported[0].item.display_name, None);
        assert_eq!(
            (imported[1].line, imported[1].item.state()),
            (3, State::Unspecified)
        );
        assert_eq!(imported[1].item.usage_location.as_deref(), Some(""));
    }

    #[test]
    fn a_file_that_cannot_be_read_as_text_or_table_is_refused() {
        let problems = parse_imported(b"principal_name\nok@example.com\n\xff\n").unwrap_err();
        assert!(problems[0].starts_with("line 3:"), "{problems:?}");
        for file in ["", "name,location\n", "user_id,user_id\n"] {
            assert!(parse_imported(file.as_bytes()).is_err(), "{file:?}");
        }
    }

    #[test]
    fn places_in_the_request_become_lines_of_the_file() {
        let users = [0, 9].map(|line| Lined { line, item: () });
        let lines = Lines::of("users", &users);
        assert_eq!(
            lines.add_to("users[1]: is users[0], not users[7] or users[x"),
            "users[1] (line 9): is users[0], not users[7] or users[x"
        );
    }
}
