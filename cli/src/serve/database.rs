//! Where the data lives, as the command line says it.

use std::path::{Path, PathBuf};

use clap::Args;
use seatwise_server::store::Location;

use super::settings::Settings;
use crate::error::Error;

#[derive(Args)]
pub(crate) struct Database {
    /// Where the data lives: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`. A file in your data
    /// directory if not given
    #[arg(
        long,
        env = "SEATWISE_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Data"
    )]
    database: Option<Location>,
    /// The same, read from the first line of a file: for a URL with a password
    #[arg(
        long,
        env = "SEATWISE_DATABASE_FILE",
        value_name = "FILE",
        help_heading = "Data"
    )]
    database_file: Option<PathBuf>,
}

impl Database {
    /// The one that is given; of a URL and a file the one that is given in the stronger way.
    pub(crate) fn location(&self, settings: &Settings) -> Result<Location, Error> {
        match (&self.database, &self.database_file) {
            (None, None) => Ok(Location::Sqlite(
                data_folder("--database")?.join("seatwise.db"),
            )),
            (Some(location), None) => Ok(location.clone()),
            (None, Some(file)) => read(file),
            (Some(location), Some(file)) => {
                let source = |name| settings.source(name);
                match source("database").cmp(source("database-file")) {
                    std::cmp::Ordering::Less => Ok(location.clone()),
                    std::cmp::Ordering::Greater => read(file),
                    std::cmp::Ordering::Equal => {
                        let text = "database and database-file are both given: give one of them";
                        Err(Error::Config(text.to_owned()))
                    }
                }
            }
        }
    }
}

/// The user's folder for data of seatwise; `instead` is what to give where there is none.
pub(super) fn data_folder(instead: &str) -> Result<PathBuf, Error> {
    let missing = || Error::Config(format!("there is no data directory: give {instead}"));
    Ok(dirs::data_dir().ok_or_else(missing)?.join("seatwise"))
}

/// The URL in a file. What is wrong with it is said without it.
fn read(file: &Path) -> Result<Location, Error> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::Config(format!("cannot read database-file {shown}: {error}")))?;
    let url = text.lines().next().unwrap_or_default().trim();
    url.parse()
        .map_err(|problem| Error::Config(format!("database-file {shown}: {problem}")))
}

/// Where the data lives, in short.
pub(super) fn shown(database: &Location) -> String {
    match database {
        Location::Sqlite(path) => {
            let whole = std::path::absolute(path);
            whole.as_ref().unwrap_or(path).display().to_string()
        }
        Location::Postgres(url) => {
            let url = without_password(url);
            url.split('?').next().unwrap_or_default().to_owned()
        }
    }
}

/// The database as the command line takes it, but for the password.
pub(super) fn url(database: &Location) -> String {
    match database {
        Location::Sqlite(_) => format!("sqlite:{}", shown(database)),
        Location::Postgres(url) => without_password(url),
    }
}

fn without_password(url: &str) -> String {
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, place) = url.split_once("://").unwrap_or(("postgres", url));
    let place = match place.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{user}@{place}")
        }
        None => place.to_owned(),
    };
    let harmless = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        // A name that is not written plainly could be any.
        !name.is_empty() && !name.contains("password") && !name.contains('%')
    });
    let query: Vec<&str> = harmless.collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (given, whole, short) in [
            (
                "postgres://u:p@w@h/d?password=x",
                "postgres://u@h/d",
                "postgres://u@h/d",
            ),
            (
                "postgres://u@h/d?sslmode=verify-full&%70assword=x&application_name=b",
                "postgres://u@h/d?sslmode=verify-full&application_name=b",
                "postgres://u@h/d",
            ),
            (
                "postgresql://u@h:5432/d",
                "postgresql://u@h:5432/d",
                "postgresql://u@h:5432/d",
            ),
            (
                "postgres:///d?host=/run",
                "postgres:///d?host=/run",
                "postgres:///d",
            ),
        ] {
            let location = given.parse().unwrap();
            assert_eq!(url(&location), whole);
            assert_eq!(shown(&location), short);
        }
        let path = shown(&"sqlite:seats.db".parse().unwrap());
        assert!(
            path.starts_with('/') && path.ends_with("/seats.db"),
            "{path}"
        );
    }
}
