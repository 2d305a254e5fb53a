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
use crate::text::text;
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
    done.map_err(|error| {
        let (file, problem) = (path.display().to_string(), error.to_string());
        Error::Input(text!("file-unreadable", file = file, problem = problem))
    })?;
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

pub(crate) type Problems = Vec<String>;

/// What is wrong with a file.
pub(crate) fn refused(path: &Path, problems: &Problems) -> Error {
    let mut text = text!("file-wrong", file = path.display().to_string());
    for problem in problems.iter().take(PROBLEMS_MAX) {
        text += &format!("\n  {problem}");
    }
    if let Some(more @ 1..) = problems.len().checked_sub(PROBLEMS_MAX) {
        text += &format!("\n  {}", text!("more", count = more));
    }
    Error::Input(text)
}

fn parse_users(file: &[u8]) -> Result<Vec<Lined<String>>, Problems> {
    let rows = rows(file)?;
    let users: Vec<_> = match rows.first() {
        None => return Err(vec![text!("file-without-users")]),
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
        return Err(vec![text!("file-with-header-only")]);
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
        let problem = text!("import-columns", columns = COLUMNS.join(", "));
        return Err(vec![on_line(line, &problem)]);
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
            return Err(row.problem(&text!("import-names-no-user")));
        }
        if !user.user_id.is_empty() && Uuid::try_parse(&user.user_id).is_err() {
            let problem = text!("cell-no-uuid", cell = user.user_id.as_str());
            return Err(row.problem(&in_column("user_id", &problem)));
        }
        Ok(user)
    })
}

/// An empty cell leaves what is known as it is.
fn last_active(row: &TableRow<'_>) -> Result<Option<prost_types::Timestamp>, String> {
    let text = row.cell("last_active").unwrap_or_default();
    let time = (!text.is_empty()).then(|| date(text)).transpose();
    time.map_err(|_| {
        row.problem(&in_column(
            "last_active",
            &text!("cell-no-date", cell = text),
        ))
    })
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
        other => Err(row.problem(&in_column("state", &text!("cell-no-state", cell = other)))),
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
            Err(_) => problems.push(on_line(line, &text!("line-not-utf8"))),
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

fn columns(header: &str) -> Vec<String> {
    names(&cells(header))
}

/// The names of columns, as `principal_name` also where it is written `Principal Name`.
fn names(cells: &[String]) -> Vec<String> {
    let name = |cell: &String| cell.to_lowercase().replace([' ', '-'], "_");
    cells.iter().map(name).collect()
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
            return Err(vec![text!("file-empty", columns = known.join(", "))]);
        };
        let columns = columns(header.item);
        let is_twice = |name: &&&str| columns.iter().filter(|column| column == name).count() > 1;
        match known.iter().find(is_twice) {
            Some(name) => {
                let problem = text!("columns-twice", column = *name);
                Err(vec![on_line(header.line, &problem)])
            }
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
            // Files that are put together bring their headers along.
            if cells.iter().all(String::is_empty) || names(&cells) == self.columns {
                continue;
            }
            let (given, columns) = (cells.len(), self.columns.len());
            let row = TableRow {
                columns: &self.columns,
                line,
                cells,
            };
            if given != columns {
                let problem = text!("line-cells", given = given, columns = columns);
                problems.push(row.problem(&problem));
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
        named.ok_or_else(|| self.problem(&text!("line-names-no-user")))
    }

    pub(crate) fn cell(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        Some(&self.cells[place])
    }

    pub(crate) fn problem(&self, text: &str) -> String {
        on_line(self.line, text)
    }
}

/// A problem and the line that it is on.
pub(crate) fn on_line(line: usize, problem: &str) -> String {
    text!(
        "problem-on-line",
        line = line.to_string(),
        problem = problem
    )
}

/// A problem and the column that it is in.
pub(crate) fn in_column(column: &str, problem: &str) -> String {
    text!("problem-in-column", column = column, problem = problem)
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
        let pages = "user_id,state\n1,active\nuser_id,state\n2,active\n";
        assert_eq!(users(pages).unwrap(), expected(&[(2, "1"), (4, "2")]));
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
}
