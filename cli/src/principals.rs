//! `seatwise principals` and `seatwise whoami`: who may do what, for which customers and until when.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand, ValueEnum};
use prost_types::Timestamp;
use seatwise_client::Client;
use seatwise_client::v1::principal::Kind;
use seatwise_client::v1::{self, Grant, NewGrant, Principal, Role};
use uuid::Uuid;

use crate::connect::Connect;
use crate::customers;
use crate::error::Error;
use crate::output::{self, Column, Row, column, detail, note_of, time, word};
use crate::paging::{self, Ask, Paging};
use crate::text::text;
use crate::users_filter::date;
use crate::why::Why;

#[derive(Args)]
pub(crate) struct PrincipalsArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    connect: Connect,
}

#[derive(Subcommand)]
enum Command {
    /// List who may call, by kind and name
    List {
        /// Only those whose name begins so
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one, with grants and keys
    Get {
        /// UUID, or the whole name
        principal: String,
    },
    /// Let somebody call who has a token or a client certificate. `seatwise keys create` is for keys
    Create {
        /// Of tokens the subject, as the issuer names it; of a certificate a name in it: `dns:NAME`,
        /// `email:ADDRESS` or `uri:URI`
        name: String,
        /// How they prove who they are
        #[arg(long, value_enum)]
        by: ProofArg,
        #[command(flatten)]
        grant: GrantArgs,
        #[command(flatten)]
        why: Why,
    },
    /// Delete somebody with grants and keys, and the name from all histories. To keep it there, revoke the keys
    /// and take the grants away instead
    Delete {
        /// UUID, or the whole name
        principal: String,
        #[command(flatten)]
        why: Why,
    },
    /// Give somebody more rights
    Grant {
        /// UUID, or the whole name
        principal: String,
        #[command(flatten)]
        grant: GrantArgs,
        #[command(flatten)]
        why: Why,
    },
    /// Take a grant away
    Ungrant {
        /// UUID of the grant
        grant: String,
        #[command(flatten)]
        why: Why,
    },
}

/// How somebody proves who they are, other than by a key.
#[derive(Clone, Copy, ValueEnum)]
enum ProofArg {
    Token,
    Certificate,
}

/// A role, by the word that the output has for it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Everything, also the rights of others
    GlobalAdmin,
    /// Everything that is a customer's
    AdminAgent,
    /// Users and what they hold
    UserManagementAdmin,
    /// What users hold, and seats
    SalesAgent,
    /// What users hold
    HelpdeskAgent,
    /// What users hold, and what becomes of plans that are added later
    LicenseAdministrator,
    /// Nothing but to look, also into the audit
    Auditor,
    /// Nothing but to look
    Reader,
    /// Catalogue, rules and keys; no customer's data
    Operator,
}

/// What somebody may do. Without any of it nothing.
#[derive(Args)]
pub(crate) struct GrantArgs {
    /// What may be done; can be repeated
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<RoleArg>,
    /// For this customer: UUID, or its whole name; can be repeated
    #[arg(long = "customer", value_name = "CUSTOMER", requires = "roles")]
    customers: Vec<String>,
    /// For all customers
    #[arg(long, requires = "roles", conflicts_with = "customers")]
    all_customers: bool,
    /// For how long: as 12h, 7d or 4w
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
    /// Until when: a date or a time
    #[arg(long, value_name = "DATE", value_parser = date, conflicts_with = "expires_in")]
    expires_at: Option<Timestamp>,
}

impl GrantArgs {
    /// When it ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line counts from now"
    )]
    pub(crate) fn end(&self) -> Option<Timestamp> {
        let end = |duration| Timestamp::from(SystemTime::now() + duration);
        self.expires_at.or(self.expires_in.map(end))
    }

    /// The grant, with customers found by their names; none if no role is named.
    pub(crate) async fn grant(&self, client: &Client) -> Result<Option<NewGrant>, Error> {
        if self.roles.is_empty() {
            return Ok(None);
        }
        if self.customers.is_empty() && !self.all_customers {
            return Err(Error::Input(text!("grant-for-whom")));
        }
        let mut customer_ids = Vec::new();
        for name in &self.customers {
            customer_ids.push(customers::find(client, name).await?);
        }
        // They come in the same order; the protocol's begin with "unspecified".
        let number = |role: &RoleArg| *role as i32 + 1;
        Ok(Some(NewGrant {
            roles: self.roles.iter().map(number).collect(),
            all_customers: self.all_customers,
            customer_ids,
            expire_time: self.end(),
        }))
    }
}

/// Reads a duration, as `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let problem =
        || "must be a number of minutes, hours, days or weeks, as 30m, 12h, 7d or 4w".to_owned();
    let unit = text.chars().next_back().ok_or_else(problem)?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(problem()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| problem())?;
    // A hundred years are for ever.
    let seconds = u64::from(number) * seconds;
    let is_sane = (1..=100 * 366 * 86_400).contains(&seconds);
    is_sane
        .then(|| Duration::from_secs(seconds))
        .ok_or_else(problem)
}

impl Row for Principal {
    const COLUMNS: &'static [Column<Self>] = &[
        column("principal_id", |one| one.principal_id.clone()),
        column("kind", |one| word(one.kind().as_str_name(), "KIND_")),
        column("name", |one| one.name.clone()),
        column("grants", |one| {
            let grants: Vec<String> = one.grants.iter().map(granted).collect();
            grants.join("; ")
        }),
        detail("grant_ids", |one| {
            let ids = one.grants.iter().map(|grant| grant.grant_id.clone());
            ids.collect::<Vec<_>>().join("; ")
        }),
        detail("keys", |one| {
            let keys = one.keys.iter().map(|key| key.key_id.clone());
            keys.collect::<Vec<_>>().join("; ")
        }),
        detail("create_time", |one| time(one.create_time.as_ref())),
    ];
}

/// A grant in a few words.
pub(crate) fn granted(grant: &Grant) -> String {
    let role = |role: Role| word(role.as_str_name(), "ROLE_").replace('_', "-");
    let roles: Vec<String> = grant.roles().map(role).collect();
    let whom = match grant.customer_ids.as_slice() {
        _ if grant.all_customers => "all customers".to_owned(),
        [customer] => customer.clone(),
        several => format!("{} customers", several.len()),
    };
    let until = grant
        .expire_time
        .as_ref()
        .map(|end| format!(" until {}", time(Some(end))));
    format!(
        "{} for {whom}{}",
        roles.join(", "),
        until.unwrap_or_default()
    )
}

pub(crate) async fn run(args: PrincipalsArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let principal = match args.command {
        Command::List { search, paging } => {
            let page =
                async |ask: Ask| list(&client, search.clone().unwrap_or_default(), ask).await;
            paging::print(format, &paging, page).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Get { principal } => find(&client, &principal).await?,
        Command::Create {
            name,
            by,
            grant,
            why,
        } => {
            let kind = match by {
                ProofArg::Token => Kind::Token,
                ProofArg::Certificate => Kind::Certificate,
            };
            let grant = grant.grant(&client).await?;
            let request = request(kind, name, grant, why);
            client.create_principal(request).await?
        }
        Command::Delete { principal, why } => {
            let principal = find(&client, &principal).await?;
            let request = v1::DeletePrincipalRequest {
                principal_id: principal.principal_id,
                comment: why.comment,
            };
            client.delete_principal(request).await?;
            note_of(format, &text!("principal-deleted", name = principal.name));
            return Ok(ExitCode::SUCCESS);
        }
        Command::Grant {
            principal,
            grant,
            why,
        } => {
            let new = grant.grant(&client).await?;
            let new = new.ok_or_else(|| Error::Input(text!("grant-what")))?;
            let request = v1::CreateGrantRequest {
                principal_id: find(&client, &principal).await?.principal_id,
                grant: Some(new),
                comment: why.comment,
            };
            client.create_grant(request).await?
        }
        Command::Ungrant { grant, why } => {
            let request = v1::DeleteGrantRequest {
                grant_id: grant,
                comment: why.comment,
            };
            client.delete_grant(request).await?
        }
    };
    output::show(format, &principal)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn whoami(args: WhoamiArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    let caller = client.get_caller(v1::GetCallerRequest {}).await?;
    match caller.principal {
        Some(principal) => output::show(format, &principal)?,
        None => note_of(format, &text!("nobody-is-asked")),
    }
    Ok(ExitCode::SUCCESS)
}

/// A request for a principal with one grant, or with none.
pub(crate) fn request(
    kind: Kind,
    name: String,
    grant: Option<NewGrant>,
    why: Why,
) -> v1::CreatePrincipalRequest {
    v1::CreatePrincipalRequest {
        kind: kind.into(),
        name,
        grants: grant.into_iter().collect(),
        comment: why.comment,
    }
}

async fn list(client: &Client, search: String, ask: Ask) -> Result<paging::Page<Principal>, Error> {
    let request = v1::ListPrincipalsRequest {
        page_size: ask.page_size,
        page_token: ask.page_token,
        include_total_size: ask.include_total_size,
        search,
    };
    Ok(client.list_principals(request).await?.into())
}

/// All principals whose names begin so.
pub(crate) async fn all(client: &Client, search: &str) -> Result<Vec<Principal>, Error> {
    paging::collect(async |ask: Ask| list(client, search.to_owned(), ask).await).await
}

/// The principal with this id or name.
pub(crate) async fn find(client: &Client, name: &str) -> Result<Principal, Error> {
    if let Ok(id) = Uuid::try_parse(name) {
        let principal_id = id.to_string();
        let request = v1::GetPrincipalRequest { principal_id };
        return Ok(client.get_principal(request).await?);
    }
    let mut found = all(client, name).await?;
    found.retain(|one| one.name == name);
    match (found.pop(), found.len()) {
        (None, _) => Err(Error::Input(text!("principal-unknown", name = name))),
        (Some(one), 0) => Ok(one),
        (Some(_), more) => {
            let count = more + 1;
            Err(Error::Input(text!(
                "principal-ambiguous",
                name = name,
                count = count
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("1m", 60),
            ("12h", 43_200),
            ("7d", 604_800),
            ("4w", 2_419_200),
        ] {
            assert_eq!(duration(text).map(|read| read.as_secs()), Ok(seconds));
        }
        for text in [
            "",
            "d",
            "7",
            "0d",
            "-1d",
            "1.5d",
            "7 d",
            "7y",
            "4294967295w",
            "é",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_grant_is_told_in_a_few_words() {
        let mut grant = Grant {
            roles: vec![Role::HelpdeskAgent.into(), Role::Reader.into()],
            customer_ids: vec!["c1".to_owned()],
            ..Grant::default()
        };
        assert_eq!(granted(&grant), "helpdesk-agent, reader for c1");
        grant.customer_ids.push("c2".to_owned());
        grant.expire_time = Some(Timestamp::default());
        let text = "helpdesk-agent, reader for 2 customers until 1970-01-01T00:00:00Z";
        assert_eq!(granted(&grant), text);
    }

    #[test]
    fn roles_are_numbered_as_in_the_protocol() {
        for role in RoleArg::value_variants() {
            let name = Role::try_from(*role as i32 + 1)
                .expect("a role")
                .as_str_name();
            let word = word(name, "ROLE_").replace('_', "-");
            let value = role.to_possible_value().expect("no value is skipped");
            assert_eq!(value.get_name(), word);
        }
    }
}
