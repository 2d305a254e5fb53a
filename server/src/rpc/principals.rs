//! `AccessService`.

use std::collections::BTreeSet;

use seatwise_proto::v1::access_service_server::AccessService;
use seatwise_proto::v1::{
    self, CreateGrantRequest, CreateGrantResponse, CreateKeyRequest, CreateKeyResponse,
    CreatePrincipalRequest, CreatePrincipalResponse, DeleteGrantRequest, DeleteGrantResponse,
    DeletePrincipalRequest, DeletePrincipalResponse, GetCallerRequest, GetCallerResponse,
    GetPrincipalRequest, GetPrincipalResponse, ListPrincipalsRequest, ListPrincipalsResponse,
    NewGrant, RevokeKeyRequest, RevokeKeyResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::access::Pass;
use super::page::Page;
use super::parse::{self, Fields};
use super::status::{from_service, not_found};
use super::{Rpc, convert, filter};
use crate::domain::{
    AccessChange, CustomerId, Customers, Directory, Grant, GrantId, Key, KeyId, Origin, Principal,
    PrincipalId, PrincipalKind, Role, Roles,
};
use crate::service::{Timestamp, new_grant, new_key, now};

/// Principals on a page.
const PAGE_SIZE_MAX: i64 = 100;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 256;
/// Grants in a request, and customers in a grant.
const GRANTS_MAX: usize = 20;
const CUSTOMERS_MAX: usize = 1_000;

#[tonic::async_trait]
impl AccessService for Rpc {
    async fn create_principal(
        &self,
        request: Request<CreatePrincipalRequest>,
    ) -> Result<Response<CreatePrincipalResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let kind = PrincipalKind::of(request.kind).ok_or("must be a value of Principal.Kind");
        let kind = fields.take("kind", kind);
        let name = kind.and_then(|kind| fields.take("name", name(kind, &request.name)));
        if request.grants.len() > GRANTS_MAX {
            return Err(parse::too_many("grants", request.grants.len(), GRANTS_MAX));
        }
        let now = now();
        let mut grants = Vec::new();
        for (index, given) in request.grants.iter().enumerate() {
            let field = format!("grants[{index}]");
            grants.extend(grant_of(&mut fields, &field, given, now).map(|grant| (grant, now.0)));
        }
        let origin = pass.origin(&mut fields, &request.comment);
        let ((kind, name), origin) = fields.finish(kind.zip(name).zip(origin))?;
        let id = PrincipalId(Uuid::now_v7());
        let principal = Principal {
            id,
            kind,
            name,
            created_at: now.0,
            grants,
            keys: Vec::new(),
        };
        let change = AccessChange::CreatePrincipal(principal);
        let principal = Some(self.change(&pass, change, origin, id).await?);
        Ok(Response::new(CreatePrincipalResponse { principal }))
    }

    async fn get_principal(
        &self,
        request: Request<GetPrincipalRequest>,
    ) -> Result<Response<GetPrincipalResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.take(
            "principal_id",
            PrincipalId::parse(&request.get_ref().principal_id),
        );
        let id = fields.finish(id)?;
        let directory = self.service.principals().await.map_err(from_service)?;
        let principal = Some(found(&directory, id)?);
        Ok(Response::new(GetPrincipalResponse { principal }))
    }

    async fn list_principals(
        &self,
        request: Request<ListPrincipalsRequest>,
    ) -> Result<Response<ListPrincipalsResponse>, Status> {
        let mut request = request.into_inner();
        request.page_size = request.page_size.min(PAGE_SIZE_MAX as i32);
        let page = Page::parse(&self.tokens, &request)?;
        let mut fields = Fields::default();
        let search = fields.take("search", filter::search(&request.search));
        fields.finish(search)?;
        let slice = page.slice(read_key)?;
        let directory = self.service.principals().await.map_err(from_service)?;
        let found = directory
            .principals()
            .filter(|one| one.name.starts_with(&request.search));
        let mut found: Vec<&Principal> = found.collect();
        found.sort_by_key(|one| key(one));
        let total_size = slice.with_total.then_some(found.len() as i64);
        let mut rows = slice.of(found, |one| key(one));
        let ways = page.cut(&mut rows, |one| write_key(&key(one)));
        Ok(Response::new(ListPrincipalsResponse {
            principals: rows.into_iter().map(principal).collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }

    async fn delete_principal(
        &self,
        request: Request<DeletePrincipalRequest>,
    ) -> Result<Response<DeletePrincipalResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("principal_id", PrincipalId::parse(&request.principal_id));
        let origin = pass.origin(&mut fields, &request.comment);
        let (id, origin) = fields.finish(id.zip(origin))?;
        let change = AccessChange::DeletePrincipal(id);
        let deleted = self
            .service
            .change_access(pass.caller().clone(), change, origin)
            .await;
        deleted.map_err(from_service)?;
        Ok(Response::new(DeletePrincipalResponse {}))
    }

    async fn create_grant(
        &self,
        request: Request<CreateGrantRequest>,
    ) -> Result<Response<CreateGrantResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let now = now();
        let mut fields = Fields::default();
        let id = fields.take("principal_id", PrincipalId::parse(&request.principal_id));
        let grant = fields.take("grant", request.grant.as_ref().ok_or("is required"));
        let grant = grant.and_then(|grant| grant_of(&mut fields, "grant", grant, now));
        let origin = pass.origin(&mut fields, &request.comment);
        let ((id, grant), origin) = fields.finish(id.zip(grant).zip(origin))?;
        let change = AccessChange::CreateGrant(id, grant, now.0);
        let principal = Some(self.change(&pass, change, origin, id).await?);
        Ok(Response::new(CreateGrantResponse { principal }))
    }

    async fn delete_grant(
        &self,
        request: Request<DeleteGrantRequest>,
    ) -> Result<Response<DeleteGrantResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("grant_id", GrantId::parse(&request.grant_id));
        let origin = pass.origin(&mut fields, &request.comment);
        let (id, origin) = fields.finish(id.zip(origin))?;
        let before = self.service.principals().await.map_err(from_service)?;
        let holder = before.grant(id).map(|(principal, _)| principal.id);
        let holder = holder.ok_or_else(|| not_found("grant", id.to_string()))?;
        let change = AccessChange::DeleteGrant(id);
        let principal = Some(self.change(&pass, change, origin, holder).await?);
        Ok(Response::new(DeleteGrantResponse { principal }))
    }

    async fn create_key(
        &self,
        request: Request<CreateKeyRequest>,
    ) -> Result<Response<CreateKeyResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("principal_id", PrincipalId::parse(&request.principal_id));
        let end = end(
            &mut fields,
            "expire_time",
            request.expire_time.as_ref(),
            now(),
        );
        let origin = pass.origin(&mut fields, &request.comment);
        let ((id, end), origin) = fields.finish(id.zip(end).zip(origin))?;
        let (new, secret) = new_key(end).map_err(from_service)?;
        let change = AccessChange::CreateKey(id, new.clone());
        self.change(&pass, change, origin, id).await?;
        let key = Some(api_key(&new));
        Ok(Response::new(CreateKeyResponse { key, secret }))
    }

    async fn revoke_key(
        &self,
        request: Request<RevokeKeyRequest>,
    ) -> Result<Response<RevokeKeyResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("key_id", KeyId::parse(&request.key_id));
        let origin = pass.origin(&mut fields, &request.comment);
        let (id, origin) = fields.finish(id.zip(origin))?;
        let change = AccessChange::RevokeKey(id);
        let changed = self
            .service
            .change_access(pass.caller().clone(), change, origin)
            .await;
        let directory = changed.map_err(from_service)?;
        let key = directory.key(id).map(|(_, key)| api_key(key));
        Ok(Response::new(RevokeKeyResponse { key }))
    }

    async fn get_caller(
        &self,
        request: Request<GetCallerRequest>,
    ) -> Result<Response<GetCallerResponse>, Status> {
        let pass = Pass::of(&request);
        let caller = pass.caller();
        let directory = self.service.directory().await.map_err(from_service)?;
        let known = directory.principal(caller.principal).map(principal);
        let unknown = pass.identity().map(|(kind, name)| v1::Principal {
            kind: i32::from(*kind as u8),
            name: name.clone(),
            ..v1::Principal::default()
        });
        Ok(Response::new(GetCallerResponse {
            principal: known.or(unknown),
            key_id: caller.key.map(|key| key.to_string()).unwrap_or_default(),
        }))
    }
}

impl Rpc {
    /// Changes the directory and returns the principal that it is about.
    async fn change(
        &self,
        pass: &Pass,
        change: AccessChange,
        origin: Origin,
        id: PrincipalId,
    ) -> Result<v1::Principal, Status> {
        let changed = self
            .service
            .change_access(pass.caller().clone(), change, origin)
            .await;
        found(&*changed.map_err(from_service)?, id)
    }
}

fn found(directory: &Directory, id: PrincipalId) -> Result<v1::Principal, Status> {
    let found = directory.principal(id);
    let found = found.ok_or_else(|| not_found("principal", id.to_string()))?;
    Ok(principal(found))
}

/// The place of a principal in the list.
type Place = (u8, String, Uuid);

fn key(principal: &Principal) -> Place {
    (principal.kind as u8, principal.name.clone(), principal.id.0)
}

fn write_key((kind, name, id): &Place) -> Vec<u8> {
    [&[*kind], &id.as_bytes()[..], name.as_bytes()].concat()
}

fn read_key(key: &[u8]) -> Option<Place> {
    let (kind, key) = key.split_first()?;
    let (id, name) = key.split_at_checked(16)?;
    let name = String::from_utf8(name.to_vec()).ok()?;
    Some((*kind, name, Uuid::from_slice(id).ok()?))
}

/// The name of a principal. One of a certificate says what kind of name it is.
fn name(kind: PrincipalKind, text: &str) -> Result<String, &'static str> {
    let length = text.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&length) {
        return Err("must have 1 to 256 characters");
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err("must not contain control characters, nor begin or end with a space");
    }
    let is_of_certificate = ["dns:", "email:", "uri:"].iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| !rest.is_empty())
    });
    if kind == PrincipalKind::Certificate && !is_of_certificate {
        return Err("must be `dns:NAME`, `email:ADDRESS` or `uri:URI`, as in the certificate");
    }
    // Case means nothing in a domain, and certificates are read so.
    Ok(
        match text.starts_with("dns:") && kind == PrincipalKind::Certificate {
            true => text.to_ascii_lowercase(),
            false => text.to_owned(),
        },
    )
}

/// Reads a grant.
fn grant_of(fields: &mut Fields, field: &str, given: &NewGrant, now: Timestamp) -> Option<Grant> {
    let roles = roles(fields, &format!("{field}.roles"), &given.roles);
    let customers = customers(fields, field, given);
    let end = end(
        fields,
        &format!("{field}.expire_time"),
        given.expire_time.as_ref(),
        now,
    );
    let ((roles, customers), end) = roles.zip(customers).zip(end)?;
    if roles.contains(Role::Operator) && customers != Customers::All {
        fields.wrong(
            format!("{field}.all_customers"),
            "must be set with ROLE_OPERATOR, which is about no customer; give other roles in a grant of \
             their own",
        );
        return None;
    }
    Some(new_grant(roles, customers, end))
}

fn roles(fields: &mut Fields, field: &str, given: &[i32]) -> Option<Roles> {
    let mut roles = Vec::new();
    for (index, number) in given.iter().enumerate().take(Role::ALL.len() + 1) {
        match Role::of(*number) {
            Some(role) if !roles.contains(&role) => roles.push(role),
            Some(_) => fields.wrong(format!("{field}[{index}]"), "is named twice"),
            None => fields.wrong(format!("{field}[{index}]"), "must be a value of Role"),
        }
    }
    if given.is_empty() {
        fields.wrong(field, "is required: at least one role");
    }
    (roles.len() == given.len() && !roles.is_empty()).then(|| Roles::of(&roles))
}

fn customers(fields: &mut Fields, field: &str, given: &NewGrant) -> Option<Customers> {
    let listed = format!("{field}.customer_ids");
    match (given.all_customers, given.customer_ids.len()) {
        (true, 0) => return Some(Customers::All),
        (true, _) => fields.wrong(listed, "must be empty with all_customers"),
        (false, 0) => fields.wrong(listed, "is required, unless all_customers is set"),
        (false, CUSTOMERS_MAX..) if given.customer_ids.len() > CUSTOMERS_MAX => {
            fields.wrong(
                listed,
                "must have at most 1000 customers; use all_customers for more",
            );
        }
        (false, _) => {
            let mut ids = BTreeSet::new();
            for (index, text) in given.customer_ids.iter().enumerate() {
                let id = fields.take(format!("{listed}[{index}]"), CustomerId::parse(text));
                if id.is_some_and(|id| !ids.insert(id)) {
                    fields.wrong(format!("{listed}[{index}]"), "is named twice");
                }
            }
            return (ids.len() == given.customer_ids.len()).then_some(Customers::Listed(ids));
        }
    }
    None
}

/// When something ends: a time to come, or never.
fn end(
    fields: &mut Fields,
    field: &str,
    given: Option<&prost_types::Timestamp>,
    now: Timestamp,
) -> Option<Option<i64>> {
    let end = given.map(parse::time).transpose();
    let end = end.and_then(|end| match end {
        Some(end) if end <= now.0 => Err("must be in the future"),
        end => Ok(end),
    });
    fields.take(field, end)
}

fn principal(principal: &Principal) -> v1::Principal {
    v1::Principal {
        principal_id: principal.id.to_string(),
        kind: i32::from(principal.kind as u8),
        name: principal.name.clone(),
        grants: principal
            .grants
            .iter()
            .map(|(given, at)| v1::Grant {
                grant_id: given.id.to_string(),
                expire_time: time(given.expires_at),
                create_time: time(Some(*at)),
                ..grant(given.roles, &given.customers)
            })
            .collect(),
        keys: principal.keys.iter().map(api_key).collect(),
        create_time: time(Some(principal.created_at)),
    }
}

/// What a grant is about.
pub(super) fn grant(roles: Roles, customers: &Customers) -> v1::Grant {
    v1::Grant {
        roles: roles.iter().map(|role| i32::from(role as u8)).collect(),
        all_customers: *customers == Customers::All,
        customer_ids: match customers {
            Customers::All => Vec::new(),
            Customers::Listed(listed) => listed.iter().map(ToString::to_string).collect(),
        },
        ..v1::Grant::default()
    }
}

fn api_key(key: &Key) -> v1::Key {
    v1::Key {
        key_id: key.id.to_string(),
        expire_time: time(key.expires_at),
        revoke_time: time(key.revoked_at),
        last_use_time: time(key.used_at),
        create_time: time(Some(key.created_at)),
    }
}

fn time(micros: Option<i64>) -> Option<prost_types::Timestamp> {
    micros.map(|micros| convert::time(Timestamp(micros)))
}
