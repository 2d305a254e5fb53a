//! `SelectionService`, and selections in any request.

use std::collections::HashMap;

use seatwise_proto::v1::selection_part::Part;
use seatwise_proto::v1::selection_service_server::SelectionService;
use seatwise_proto::v1::{
    self, CreateSelectionRequest, CreateSelectionResponse, DeleteSelectionRequest,
    DeleteSelectionResponse, GetSelectionRequest, GetSelectionResponse, ListSelectionUsersRequest,
    ListSelectionUsersResponse,
};
use tonic::{Request, Response, Status};

use super::access::Pass;
use super::filter::{user_filter, violation_filter};
use super::language::Language;
use super::page::{Page, Ways, name_key, read_name};
use super::parse::{Fields, too_many};
use super::status::{duplicate_user, from_service, internal};
use super::{Rpc, convert};
use crate::domain::{
    CustomerId, Scope, Selection, SelectionId, SelectionPart, UserId, UserRef, fold,
};
use crate::service::{self, Holding};

/// Parts of a selection, and again so many that it leaves out.
const PARTS_MAX: usize = 100;
/// Users that one part names one by one.
const PART_USERS_MAX: usize = 100_000;
/// Unknown users that are told one by one.
const UNKNOWN_USERS_MAX: usize = 1_000;

#[tonic::async_trait]
impl SelectionService for Rpc {
    async fn create_selection(
        &self,
        request: Request<CreateSelectionRequest>,
    ) -> Result<Response<CreateSelectionResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let origin = pass.origin(&mut fields, &request.comment);
        let (customer, selection) =
            customer_and_selection(fields, request.customer_id, request.selection).await?;
        let origin = origin.expect("a wrong one was refused with the fields");
        let scope = pass.enter(customer)?;
        let created = self.service.create_selection(scope, selection, origin);
        let created = created.await;
        let (frozen, unknown) = created.map_err(from_service)?;
        let texts = unknown.iter().take(UNKNOWN_USERS_MAX);
        Ok(Response::new(CreateSelectionResponse {
            selection: Some(frozen_selection(&frozen)),
            unknown_users: texts.map(ToString::to_string).collect(),
            unknown_user_count: convert::count(unknown.len() as i64),
        }))
    }

    async fn get_selection(
        &self,
        request: Request<GetSelectionRequest>,
    ) -> Result<Response<GetSelectionResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let named = names(&mut fields, &request.customer_id, &request.selection_id);
        let (customer, id) = fields.finish(named)?;
        let scope = pass.enter(customer)?;
        let found = self.service.selection(scope, id).await;
        let selection = Some(frozen_selection(&found.map_err(from_service)?));
        Ok(Response::new(GetSelectionResponse { selection }))
    }

    async fn delete_selection(
        &self,
        request: Request<DeleteSelectionRequest>,
    ) -> Result<Response<DeleteSelectionResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let origin = pass.origin(&mut fields, &request.comment);
        let named = names(&mut fields, &request.customer_id, &request.selection_id);
        let ((customer, id), origin) = fields.finish(named.zip(origin))?;
        let scope = pass.enter(customer)?;
        let deleted = self.service.delete_selection(scope, id, origin).await;
        deleted.map_err(from_service)?;
        Ok(Response::new(DeleteSelectionResponse {}))
    }

    async fn list_selection_users(
        &self,
        request: Request<ListSelectionUsersRequest>,
    ) -> Result<Response<ListSelectionUsersResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request);
        let (customer, selection) =
            customer_and_selection(Fields::default(), request.customer_id, request.selection)
                .await?;
        let (scope, page) = (pass.enter(customer)?, page?);
        let (users, total_size, ways) = match (&selection.parts[..], &selection.except[..]) {
            ([SelectionPart::Frozen(id)], []) => self.frozen_page(scope, *id, &page).await?,
            _ => self.selected_page(scope, selection, None, &page).await?,
        };
        Ok(Response::new(ListSelectionUsersResponse {
            users,
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }
}

impl Rpc {
    /// A page of a frozen selection, whose places are numbers.
    async fn frozen_page(
        &self,
        scope: Scope,
        id: SelectionId,
        page: &Page<'_>,
    ) -> Result<UserPage, Status> {
        let slice = page.slice(|key| Some(i64::from_be_bytes(key.try_into().ok()?)))?;
        let listed = self.service.frozen_users(scope, id, slice).await;
        let (mut rows, total) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |(position, _)| position.to_be_bytes().to_vec());
        let users = rows.into_iter().map(|(_, user)| convert::user(user));
        Ok((users.collect(), total, ways))
    }

    /// A page of any selection; only of those who hold or lack a product, if one is given.
    pub(super) async fn selected_page(
        &self,
        scope: Scope,
        selection: Selection,
        holding: Option<Holding>,
        page: &Page<'_>,
    ) -> Result<UserPage, Status> {
        let slice = page.slice(|key| read_name(key).map(|(name, id)| (name, UserId(id))))?;
        let listed = self
            .service
            .selected_users(scope, selection, holding, slice);
        let (mut rows, total) = listed.await.map_err(from_service)?;
        let ways = page.cut(&mut rows, |user| {
            name_key(&fold(&user.display_name), user.user_id.0)
        });
        let users = rows.into_iter().map(convert::user).collect();
        Ok((users, total, ways))
    }
}

/// Users, how many there are in all if asked for, and the ways to the other pages.
type UserPage = (Vec<v1::User>, Option<i64>, Ways);

fn names(fields: &mut Fields, customer: &str, id: &str) -> Option<(CustomerId, SelectionId)> {
    let customer = fields.take("customer_id", CustomerId::parse(customer));
    let selection = fields.take("selection_id", SelectionId::parse(id));
    customer.zip(selection)
}

fn frozen_selection(frozen: &service::FrozenSelection) -> v1::FrozenSelection {
    v1::FrozenSelection {
        selection_id: frozen.selection_id.to_string(),
        user_count: convert::count(frozen.user_count),
        create_time: Some(convert::time(frozen.created_at)),
        expire_time: Some(convert::time(frozen.expires_at)),
    }
}

/// The customer and the selection that a request names, if its other fields are right, too.
pub(super) async fn customer_and_selection(
    mut fields: Fields,
    customer: String,
    selection: Option<v1::Selection>,
) -> Result<(CustomerId, Selection), Status> {
    let parse = move || {
        let customer = fields.take("customer_id", CustomerId::parse(&customer));
        let selection = parse_selection(&mut fields, "selection", selection.as_ref())?;
        fields.finish(customer.zip(selection))
    };
    // A hundred thousand names take a while to read; others must not wait for it.
    let language = Language::of_call();
    let parsed = tokio::task::spawn_blocking(move || language.within(parse)).await;
    parsed.map_err(|error| internal(&error))?
}

/// Reads the selection at `path`; `None` if something is wrong with it, which `fields` then knows.
pub(super) fn parse_selection(
    fields: &mut Fields,
    path: &str,
    selection: Option<&v1::Selection>,
) -> Result<Option<Selection>, Status> {
    let Some(selection) = selection else {
        fields.wrong(path, "is required");
        return Ok(None);
    };
    let lists = [("parts", &selection.parts), ("except", &selection.except)];
    let mut parsed = Vec::with_capacity(lists.len());
    for (list, parts) in lists {
        let path = format!("{path}.{list}");
        if parts.len() > PARTS_MAX {
            return Err(too_many(&path, parts.len(), PARTS_MAX));
        }
        if parts.is_empty() && list == "parts" {
            let problem = "must have at least one part; one with an empty filter means all users";
            fields.wrong(&path, problem);
        }
        let mut all = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            all.extend(parse_part(fields, &format!("{path}[{index}]"), part)?);
        }
        parsed.push(all);
    }
    let [parts, except] = parsed.try_into().expect("two lists were read");
    Ok(Some(Selection { parts, except }))
}

fn parse_part(
    fields: &mut Fields,
    path: &str,
    part: &v1::SelectionPart,
) -> Result<Option<SelectionPart>, Status> {
    Ok(match &part.part {
        None => {
            fields.wrong(path, "must say users, filter, selection_id or violating");
            None
        }
        Some(Part::Users(list)) => {
            let users = parse_users(fields, &format!("{path}.users.users"), &list.users)?;
            Some(SelectionPart::Users(users))
        }
        Some(Part::Filter(filter)) => {
            let filter = user_filter(fields, &format!("{path}.filter"), filter);
            filter.map(SelectionPart::Filter)
        }
        Some(Part::SelectionId(id)) => {
            let id = fields.take(format!("{path}.selection_id"), SelectionId::parse(id));
            id.map(SelectionPart::Frozen)
        }
        Some(Part::Violating(filter)) => {
            let filter = violation_filter(fields, &format!("{path}.violating"), filter);
            filter.map(SelectionPart::Violating)
        }
    })
}

fn parse_users(fields: &mut Fields, path: &str, users: &[String]) -> Result<Vec<UserRef>, Status> {
    if users.len() > PART_USERS_MAX {
        return Err(too_many(path, users.len(), PART_USERS_MAX));
    }
    if users.is_empty() {
        fields.wrong(path, "must name at least one user");
    }
    let mut parsed = Vec::with_capacity(users.len());
    let mut seen = HashMap::with_capacity(users.len());
    for (index, text) in users.iter().enumerate() {
        let field = |index: usize| format!("{path}[{index}]");
        match UserRef::parse(text) {
            Ok(user) => {
                if let Some(first) = seen.insert(user.clone(), index) {
                    return Err(duplicate_user(field(first), field(index)));
                }
                parsed.push(user);
            }
            Err(problem) if !fields.is_full() => fields.wrong(field(index), problem),
            Err(_) => return fields.check().map(|()| parsed),
        }
    }
    Ok(parsed)
}
