//! `UserService`.

use seatwise_proto::v1::user_service_server::UserService;
use seatwise_proto::v1::{
    self, CreateUserRequest, CreateUserResponse, DeleteUserRequest, DeleteUserResponse,
    GetUserRequest, GetUserResponse, ImportOutcome, ImportUsersRequest, ImportUsersResponse,
    ImportedUser, ListUsersRequest, ListUsersResponse, UpdateUserRequest, UpdateUserResponse,
    import_outcome,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::access::Pass;
use super::language::Language;
use super::page::{Page, name_key, read_name};
use super::parse::{self, Fields};
use super::status::from_service;
use super::{Rpc, convert, filter};
use crate::domain::{CustomerId, DisplayName, PrincipalName, UserId, UserOrder, UserRef, fold};
use crate::service::{ImportUser, Imported, NewUser, Service, Timestamp, UserUpdate};

/// Users in one message of an import.
const IMPORT_USERS_MAX: usize = 1_000;
/// Answers of an import that wait for a slow reader; then nothing more is imported.
const ANSWERS_BUFFERED: usize = 4;

#[tonic::async_trait]
impl UserService for Rpc {
    async fn create_user(
        &self,
        request: Request<CreateUserRequest>,
    ) -> Result<Response<CreateUserResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let id = fields
            .take("user_id", parse::optional_id(&request.user_id))
            .map(UserId);
        let principal = PrincipalName::parse(&request.principal_name);
        let principal = fields.take("principal_name", principal);
        let name = fields.take("display_name", DisplayName::parse(&request.display_name));
        let location = fields.take("usage_location", parse::country(&request.usage_location));
        let active = fields.take("state", parse::state(request.state));
        let last_active = last_active_at(&mut fields, request.last_active_time.as_ref());
        let new = || {
            Some(NewUser {
                id: id?,
                principal_name: principal?,
                display_name: name?,
                usage_location: location?,
                active: active?.unwrap_or(true),
                last_active_at: last_active,
            })
        };
        let origin = pass.origin(&mut fields, &request.comment);
        let ((customer, new), origin) = fields.finish(customer.zip(new()).zip(origin))?;
        let scope = pass.enter(customer)?;
        let user = self
            .service
            .create_user(scope, new, origin)
            .await
            .map_err(from_service)?;
        Ok(Response::new(CreateUserResponse {
            user: Some(convert::user(user)),
        }))
    }

    type ImportUsersStream = ReceiverStream<Result<ImportUsersResponse, Status>>;

    async fn import_users(
        &self,
        request: Request<Streaming<ImportUsersRequest>>,
    ) -> Result<Response<Self::ImportUsersStream>, Status> {
        let pass = Pass::of(&request);
        let (answers, receiver) = mpsc::channel(ANSWERS_BUFFERED);
        let service = self.service.clone();
        tokio::spawn(Language::of_call().speak(async move {
            if let Err(status) = import(&service, &pass, request.into_inner(), &answers).await {
                let _ = answers.send(Err(status)).await;
            }
        }));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_user(
        &self,
        request: Request<GetUserRequest>,
    ) -> Result<Response<GetUserResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, user) = customer_and_user(&request.customer_id, &request.user)?;
        let scope = pass.enter(customer)?;
        let user = self.service.user(scope, user).await.map_err(from_service)?;
        Ok(Response::new(GetUserResponse {
            user: Some(convert::user(user)),
        }))
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let filter = request.filter.clone().unwrap_or_default();
        let filter = filter::user_filter(&mut fields, "filter", &filter);
        let order = fields.take("order", order(request.order));
        let ((customer, filter), order) = fields.finish(customer.zip(filter).zip(order))?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(|key| read_name(key).map(|(name, id)| (name, UserId(id))))?;
        let listed = self.service.users(scope, filter, order, slice).await;
        let (mut rows, total_size) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| {
            let text = match order {
                UserOrder::DisplayName => fold(&row.display_name),
                UserOrder::PrincipalName => fold(&row.principal_name),
                UserOrder::Id => String::new(),
            };
            name_key(&text, row.user_id.0)
        });
        Ok(Response::new(ListUsersResponse {
            users: rows.into_iter().map(convert::user).collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }

    async fn update_user(
        &self,
        request: Request<UpdateUserRequest>,
    ) -> Result<Response<UpdateUserResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let user = fields.take("user", UserRef::parse(&request.user));
        let update = update(
            &mut fields,
            request.principal_name.as_deref(),
            request.display_name.as_deref(),
            request.usage_location.as_deref(),
            request.state,
            request.last_active_time.as_ref(),
        );
        let version = fields.take("etag", parse::etag(&request.etag));
        let origin = pass.origin(&mut fields, &request.comment);
        let named = customer.zip(user).zip(version).zip(origin);
        let (((customer, user), version), origin) = fields.finish(named)?;
        let scope = pass.enter(customer)?;
        let updated = self
            .service
            .update_user(scope, user, update, version, origin)
            .await;
        let user = updated.map_err(from_service)?;
        Ok(Response::new(UpdateUserResponse {
            user: Some(convert::user(user)),
        }))
    }

    async fn delete_user(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<Response<DeleteUserResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let user = fields.take("user", UserRef::parse(&request.user));
        let version = fields.take("etag", parse::etag(&request.etag));
        let origin = pass.origin(&mut fields, &request.comment);
        let named = customer.zip(user).zip(version).zip(origin);
        let (((customer, user), version), origin) = fields.finish(named)?;
        let scope = pass.enter(customer)?;
        let deleted = self.service.delete_user(scope, user, version, origin);
        let deleted = deleted.await;
        let (id, freed) = deleted.map_err(from_service)?;
        let freed_product_ids = convert::ids(&freed);
        Ok(Response::new(DeleteUserResponse {
            user_id: id.to_string(),
            freed_product_ids,
        }))
    }
}

fn order(order: i32) -> Result<UserOrder, &'static str> {
    use v1::UserOrder as Order;
    match Order::try_from(order) {
        Ok(Order::Unspecified | Order::DisplayName) => Ok(UserOrder::DisplayName),
        Ok(Order::PrincipalName) => Ok(UserOrder::PrincipalName),
        Ok(Order::UserId) => Ok(UserOrder::Id),
        Err(_) => Err("must be a value of UserOrder"),
    }
}

/// The customer and user that a request names.
fn customer_and_user(customer: &str, user: &str) -> Result<(CustomerId, UserRef), Status> {
    let mut fields = Fields::default();
    let customer = fields.take("customer_id", CustomerId::parse(customer));
    let user = fields.take("user", UserRef::parse(user));
    fields.finish(customer.zip(user))
}

fn update(
    fields: &mut Fields,
    principal_name: Option<&str>,
    display_name: Option<&str>,
    usage_location: Option<&str>,
    state: i32,
    last_active: Option<&prost_types::Timestamp>,
) -> UserUpdate {
    let principal = principal_name.map(PrincipalName::parse).transpose();
    let display = display_name.map(DisplayName::parse).transpose();
    let location = usage_location.map(parse::country).transpose();
    UserUpdate {
        principal_name: fields.take("principal_name", principal).flatten(),
        display_name: fields.take("display_name", display).flatten(),
        usage_location: fields.take("usage_location", location).flatten(),
        active: fields.take("state", parse::state(state)).flatten(),
        last_active_at: last_active_at(fields, last_active),
    }
}

fn last_active_at(fields: &mut Fields, time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let time = time.map(parse::time).transpose();
    fields
        .take("last_active_time", time)
        .flatten()
        .map(Timestamp)
}

async fn import(
    service: &Service,
    pass: &Pass,
    mut parts: Streaming<ImportUsersRequest>,
    answers: &mpsc::Sender<Result<ImportUsersResponse, Status>>,
) -> Result<(), Status> {
    let mut customer: Option<CustomerId> = None;
    while let Some(part) = parts.message().await? {
        let named = (!part.customer_id.is_empty() || customer.is_none())
            .then(|| parse::customer_id(&part.customer_id))
            .transpose()?;
        if customer.is_some() && named.is_some() && named != customer {
            let problem = "must be the customer of the first message, or empty";
            return Err(super::status::invalid_field("customer_id", problem));
        }
        let id = named
            .or(customer)
            .expect("the first message names the customer");
        customer = Some(id);
        let response = import_part(service, pass, id, part).await?;
        if answers.send(Ok(response)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn import_part(
    service: &Service,
    pass: &Pass,
    customer: CustomerId,
    part: ImportUsersRequest,
) -> Result<ImportUsersResponse, Status> {
    let mut fields = Fields::default();
    let origin = pass.origin(&mut fields, &part.comment);
    let (origin, users) = (fields.finish(origin)?, part.users);
    let scope = pass.enter(customer)?;
    if users.is_empty() {
        return Err(super::status::invalid_field(
            "users",
            "must hold at least one user",
        ));
    }
    if users.len() > IMPORT_USERS_MAX {
        return Err(parse::too_many("users", users.len(), IMPORT_USERS_MAX));
    }
    let parsed: Vec<Result<ImportUser, String>> = users.iter().map(imported_user).collect();
    let good = parsed.iter().filter_map(|user| user.clone().ok()).collect();
    let imported = service
        .import_users(scope, good, origin)
        .await
        .map_err(from_service)?;
    let mut outcomes = imported.into_iter();
    let outcome = |user| match user {
        Ok(_) => outcomes.next().expect("one outcome per user"),
        Err(problem) => Imported::Failed(problem),
    };
    let outcomes = parsed
        .into_iter()
        .map(outcome)
        .map(import_outcome)
        .collect();
    Ok(ImportUsersResponse { outcomes })
}

/// One user of an import; everything wrong with it in one text.
fn imported_user(user: &ImportedUser) -> Result<ImportUser, String> {
    let mut fields = Fields::default();
    let id = (!user.user_id.is_empty())
        .then(|| UserId::parse(&user.user_id))
        .transpose();
    let id = fields.take("user_id", id).flatten();
    let principal = (!user.principal_name.is_empty()).then_some(user.principal_name.as_str());
    if id.is_none() && principal.is_none() && fields.check().is_ok() {
        fields.wrong("principal_name", "is required without user_id");
    }
    let values = update(
        &mut fields,
        principal,
        user.display_name.as_deref(),
        user.usage_location.as_deref(),
        user.state,
        user.last_active_time.as_ref(),
    );
    match fields.check() {
        Ok(()) => Ok(ImportUser {
            id,
            new_id: UserId(Uuid::now_v7()),
            values,
        }),
        Err(status) => Err(status.message().to_owned()),
    }
}

fn import_outcome(outcome: Imported) -> ImportOutcome {
    use import_outcome::Kind;
    let (kind, id, error) = match outcome {
        Imported::Created(id) => (Kind::Created, Some(id), String::new()),
        Imported::Updated(id) => (Kind::Updated, Some(id), String::new()),
        Imported::Unchanged(id) => (Kind::Unchanged, Some(id), String::new()),
        Imported::Failed(problem) => (Kind::Failed, None, problem),
    };
    let user_id = id.map(|id| id.to_string()).unwrap_or_default();
    ImportOutcome {
        kind: kind.into(),
        user_id,
        error,
    }
}
