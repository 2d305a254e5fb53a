//! How exposed the way to the database is, as its URL says.

use std::net::IpAddr;

use super::Location;

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
        let Self::Postgres(url) = self else {
            return Exposure::Local;
        };
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters = query.split('&').filter_map(|pair| pair.split_once('='));
        let named = |name: &str| {
            let of_name = parameters.clone().filter(|(key, _)| *key == name);
            of_name.map(|(_, value)| value).next_back()
        };
        let authority = url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let hosts = authority
            .rsplit_once('@')
            .map_or(authority, |(_, hosts)| hosts);
        let hosts = hosts.split(',').map(without_port);
        let more = ["host", "hostaddr"].into_iter().filter_map(named);
        let mut hosts = hosts.chain(more.flat_map(|hosts| hosts.split(',')));
        if hosts.all(is_local) {
            Exposure::Local
        } else if named("sslmode") == Some("verify-full") {
            Exposure::Verified
        } else {
            Exposure::Open
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // An IPv6 address has colons of its own.
        Some((host, port)) if !port.contains(']') => host,
        _ => host,
    }
}

/// True for a socket in the file system, and for what cannot be elsewhere.
fn is_local(host: &str) -> bool {
    let is_socket = ["/", "%2F", "%2f"]
        .iter()
        .any(|root| host.starts_with(root));
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_loopback = address.is_ok_and(|address| address.to_canonical().is_loopback());
    host.is_empty() || is_socket || host == "localhost" || is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_unverified_is_open() {
        for (url, exposure) in [
            ("sqlite:seats.db", Exposure::Local),
            ("postgres://u:p@localhost/d", Exposure::Local),
            ("postgres://u:p@127.0.0.1:5432/d", Exposure::Local),
            ("postgres://u@[::1]:5432/d", Exposure::Local),
            ("postgres://u@[::1]/d", Exposure::Local),
            ("postgres:///d?host=/run/postgresql", Exposure::Local),
            ("postgres://u@%2Frun%2Fpostgresql/d", Exposure::Local),
            ("postgres://localhost,127.0.0.2/d", Exposure::Local),
            (
                "postgres://u@db.example.com/d?sslmode=verify-full",
                Exposure::Verified,
            ),
            (
                "postgres://u@10.0.0.1/d?a=b&sslmode=verify-full",
                Exposure::Verified,
            ),
            ("postgres://u@db.example.com/d", Exposure::Open),
            (
                "postgres://u@db.example.com/d?sslmode=require",
                Exposure::Open,
            ),
            (
                "postgres://u@db.example.com/d?sslmode=verify-ca",
                Exposure::Open,
            ),
            (
                "postgres://u@h/d?sslmode=verify-full&sslmode=disable",
                Exposure::Open,
            ),
            ("postgres://u:localhost@10.0.0.1/d", Exposure::Open),
            ("postgres://localhost@10.0.0.1/d", Exposure::Open),
            ("postgres://localhost,db.example.com/d", Exposure::Open),
            ("postgres://localhost/d?host=db.example.com", Exposure::Open),
            ("postgres://localhost/d?hostaddr=10.0.0.1", Exposure::Open),
            ("postgres://[2001:db8::1]/d", Exposure::Open),
            ("postgres://localhost.example.com/d", Exposure::Open),
        ] {
            let location: Location = url.parse().unwrap();
            assert_eq!(location.exposure(), exposure, "{url}");
        }
    }
}
