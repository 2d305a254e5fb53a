//! `CustomerService`.

use seatwise_proto::v1::customer_service_server::CustomerService;
use seatwise_proto::v1::{
    CreateCustomerRequest, CreateCustomerResponse, GetCustomerRequest, GetCustomerResponse,
    ListCustomersRequest, ListCustomersResponse, UpdateCustomerRequest, UpdateCustomerResponse,
};
use tonic::{Request, Response, Status};

use super::access::Pass;
use super::page::{Page, name_key, read_name};
use super::parse::{self, Fields};
use super::status::from_service;
use super::{Rpc, convert, filter};
use crate::domain::{CustomerId, DisplayName, Guard, fold};
use crate::service::CustomerUpdate;

/// Users of a customer.
const USERS_MAX: u32 = 1_000_000;

#[tonic::async_trait]
impl CustomerService for Rpc {
    async fn create_customer(
        &self,
        request: Request<CreateCustomerRequest>,
    ) -> Result<Response<CreateCustomerResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("customer_id", parse::optional_id(&request.customer_id));
        let name = fields.take("display_name", DisplayName::parse(&request.display_name));
        let origin = pass.origin(&mut fields, &request.comment);
        let ((id, name), origin) = fields.finish(id.zip(name).zip(origin))?;
        let id = CustomerId(id);
        let created = self.service.create_customer(id, name, origin).await;
        let customer = created.map_err(from_service)?;
        let customer = Some(convert::customer(customer));
        Ok(Response::new(CreateCustomerResponse { customer }))
    }

    async fn get_customer(
        &self,
        request: Request<GetCustomerRequest>,
    ) -> Result<Response<GetCustomerResponse>, Status> {
        let pass = Pass::of(&request);
        let id = parse::customer_id(&request.into_inner().customer_id)?;
        let scope = pass.enter(id)?;
        let customer = self.service.customer(scope).await.map_err(from_service)?;
        Ok(Response::new(GetCustomerResponse {
            customer: Some(convert::customer(customer)),
        }))
    }

    async fn list_customers(
        &self,
        request: Request<ListCustomersRequest>,
    ) -> Result<Response<ListCustomersResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request)?;
        let mut fields = Fields::default();
        let search = fields.take("search", filter::search(&request.search));
        let search = fields.finish(search)?;
        let slice = page.slice(|key| read_name(key).map(|(name, id)| (name, CustomerId(id))))?;
        let listed = self.service.customers(pass.seen(), search, slice).await;
        let (mut rows, total_size) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| {
            name_key(&fold(&row.display_name), row.customer_id.0)
        });
        Ok(Response::new(ListCustomersResponse {
            customers: rows.into_iter().map(convert::customer).collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }

    async fn update_customer(
        &self,
        request: Request<UpdateCustomerRequest>,
    ) -> Result<Response<UpdateCustomerResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let name = request
            .display_name
            .as_deref()
            .map(DisplayName::parse)
            .transpose();
        let name = fields.take("display_name", name);
        let version = fields.take("etag", parse::etag(&request.etag));
        let guard = request.revocation_guard.map(|guard| Guard {
            users: limit(&mut fields, "users_max", guard.users_max, USERS_MAX),
            percent: limit(
                &mut fields,
                "license_percent_max",
                guard.license_percent_max,
                100,
            ),
        });
        let origin = pass.origin(&mut fields, &request.comment);
        let update = id.zip(name).zip(version).zip(origin);
        let (((id, display_name), version), origin) = fields.finish(update)?;
        let scope = pass.enter(id)?;
        let update = CustomerUpdate {
            display_name,
            guard,
        };
        let customer = self
            .service
            .update_customer(scope, update, version, origin)
            .await
            .map_err(from_service)?;
        let customer = Some(convert::customer(customer));
        Ok(Response::new(UpdateCustomerResponse { customer }))
    }
}

/// A limit of a guard.
fn limit(fields: &mut Fields, name: &str, given: Option<i32>, max: u32) -> Option<u32> {
    let limit = u32::try_from(given?).ok().filter(|limit| *limit <= max);
    if limit.is_none() {
        let problem = format!("must be from 0 to {max}, or not set for no limit");
        fields.wrong(format!("revocation_guard.{name}"), problem);
    }
    limit
}
