//! Where the data lives, and how exposed the way there is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::postgres::Target;

/// Where the data lives.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A PostgreSQL URL.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// How exposed the way to a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// It stays on this machine.
    Local,
    /// It leaves the machine encrypted, and only to the server that is meant.
    Verified,
    /// Others could read it, or be the database.
    Open,
}

impl Location {
    /// The engine's name: `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// How exposed the way to it is. What cannot be read counts as open.
    pub fn exposure(&self) -> Exposure {
        match self {
            Self::Sqlite(_) => Exposure::Local,
            Self::Postgres(url) => {
                Target::parse(url).map_or(Exposure::Open, |target| target.exposure())
            }
        }
    }
}

impl FromStr for Location {
    type Err = String;

    /// Reads `postgres://…` (or `postgresql://…`) and `sqlite:PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Target::parse(text)?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some("") => Err("sqlite: needs a path, as sqlite:/var/lib/seatwise.db".to_owned()),
            Some(path) => Ok(Self::Sqlite(PathBuf::from(path))),
            None => Err("must be postgres://USER@HOST/DATABASE or sqlite:PATH".to_owned()),
        }
    }
}

/// Without the password, and whatever else the parameters of a URL say.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let url = url.split('?').next().unwrap_or_default();
                let (scheme, place) = url.split_once("://").unwrap_or(("postgres", url));
                match place.rsplit_once('@') {
                    Some((user, place)) => {
                        let user = user.split(':').next().unwrap_or_default();
                        write!(f, "{scheme}://{user}@{place}")
                    }
                    None => write!(f, "{scheme}://{place}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn what_leaves_the_machine_unverified_is_open() {
        for (url, exposure) in [
            ("sqlite:seats.db", Exposure::Local),
            ("postgres://u:p@localhost/d", Exposure::Local),
            ("postgres://u:p@127.0.0.1:5432/d", Exposure::Local),
            ("postgres://u@[::1]:5432/d", Exposure::Local),
            ("postgres:///d?host=/run/postgresql", Exposure::Local),
            ("postgres://u@%2Frun%2Fpostgresql/d", Exposure::Local),
            ("postgres://localhost,127.0.0.2/d", Exposure::Local),
            (
                "postgres://db.example.com/d?hostaddr=127.0.0.1",
                Exposure::Local,
            ),
            (
                "postgres://localhost/d?sslmode=verify-full",
                Exposure::Local,
            ),
            ("postgres://u@h/d?%73slmode=%70refer", Exposure::Open),
            // Verified unless the URL says otherwise.
            ("postgres://u@db.example.com/d", Exposure::Verified),
            (
                "postgres://u@db.example.com/d?sslmode=verify-full",
                Exposure::Verified,
            ),
            (
                "postgres://u@10.0.0.1/d?connect_timeout=5&sslmode=verify-full",
                Exposure::Verified,
            ),
            (
                "postgres://u@h/d?sslrootcert=/etc/ca.pem",
                Exposure::Verified,
            ),
            (
                "postgres://u@h/d?sslmode=disable&sslmode=verify-full",
                Exposure::Verified,
            ),
            ("postgres://localhost,db.example.com/d", Exposure::Verified),
            (
                "postgres://localhost/d?hostaddr=10.0.0.1",
                Exposure::Verified,
            ),
            (
                "postgres://u@h/d?sslmode=verify-full&sslmode=disable",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=disable",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=allow",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=prefer",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=require",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=verify-ca&sslrootcert=/ca.pem",
                Exposure::Open,
            ),
            (
                "postgres://u:localhost@10.0.0.1/d?sslmode=prefer",
                Exposure::Open,
            ),
            (
                "postgres://localhost@10.0.0.1/d?sslmode=prefer",
                Exposure::Open,
            ),
            (
                "postgres://localhost.example.com/d?sslmode=prefer",
                Exposure::Open,
            ),
            ("postgres://[2001:db8::1]/d?sslmode=prefer", Exposure::Open),
        ] {
            let location: Location = url.parse().expect(url);
            assert_eq!(location.exposure(), exposure, "{url}");
        }
    }

    #[test]
    fn what_is_no_location_is_refused_and_no_password_is_shown() {
        for (url, told) in [
            ("mysql://h/d", "postgres://"),
            ("sqlite:", "path"),
            ("postgres://u:canary@h/d?sslmode=verify", "sslmode"),
            (
                "postgres://u:canary@h/d?sslmode=require&sslrootcert=system",
                "verify-full",
            ),
            ("postgres://u:canary@h/d?sslcert=x", "sslcert"),
            ("postgres://u:canary@h:port/d", "port"),
        ] {
            let error = url.parse::<Location>().expect_err(url);
            assert!(error.contains(told) && !error.contains("canary"), "{error}");
        }
        let url = "postgres://u:canary@h/d?password=canary";
        let location: Location = url.parse().expect("a location");
        assert_eq!(format!("{location:?}"), "postgres://u@h/d");
    }
}
