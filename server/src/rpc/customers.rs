//! `CustomerService`.

use seatwise_proto::v1::customer_service_server::CustomerService;
use seatwise_proto::v1::{
    CreateCustomerRequest, CreateCustomerResponse, GetCustomerRequest, GetCustomerResponse,
    ListCustomersRequest, ListCustomersResponse, UpdateCustomerRequest, UpdateCustomerResponse,
};
use tonic::{Request, Response, Status};

use super::page::Page;
use super::parse::{self, Fields};
use super::status::from_service;
use super::{Rpc, convert};
use crate::domain::{CustomerId, DisplayName};

#[tonic::async_trait]
impl CustomerService for Rpc {
    async fn create_customer(
        &self,
        request: Request<CreateCustomerRequest>,
    ) -> Result<Response<CreateCustomerResponse>, Status> {
        let request = request.into_inner();
        let mut fields = Fields::default();
        let id = fields.take("customer_id", parse::optional_id(&request.customer_id));
        let name = fields.take("display_name", DisplayName::parse(&request.display_name));
        let (id, name) = fields.finish(id.zip(name))?;
        let created = self.service.create_customer(CustomerId(id), name).await;
        let customer = created.map_err(from_service)?;
        let customer = Some(convert::customer(customer));
        Ok(Response::new(CreateCustomerResponse { customer }))
    }

    async fn get_customer(
        &self,
        request: Request<GetCustomerRequest>,
    ) -> Result<Response<GetCustomerResponse>, Status> {
        let id = parse::customer_id(&request.into_inner().customer_id)?;
        let customer = self.service.customer(id).await.map_err(from_service)?;
        Ok(Response::new(GetCustomerResponse {
            customer: Some(convert::customer(customer)),
        }))
    }

    async fn list_customers(
        &self,
        request: Request<ListCustomersRequest>,
    ) -> Result<Response<ListCustomersResponse>, Status> {
        let request = request.into_inner();
        let (size, token) = (request.page_size, &request.page_token);
        let page = Page::parse(&self.tokens, "customers", &[], size, token)?;
        let after = page.after_ids()?.map(|[id]| CustomerId(id));
        let rows = self.service.customers(after, page.limit()).await;
        let mut rows = rows.map_err(from_service)?;
        let next_page_token = page.cut(&mut rows, |row| row.customer_id.0.as_bytes().to_vec());
        let customers = rows.into_iter().map(convert::customer).collect();
        Ok(Response::new(ListCustomersResponse {
            customers,
            next_page_token,
        }))
    }

    async fn update_customer(
        &self,
        request: Request<UpdateCustomerRequest>,
    ) -> Result<Response<UpdateCustomerResponse>, Status> {
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
        let ((id, name), version) = fields.finish(id.zip(name).zip(version))?;
        let customer = self
            .service
            .update_customer(id, name, version)
            .await
            .map_err(from_service)?;
        let customer = Some(convert::customer(customer));
        Ok(Response::new(UpdateCustomerResponse { customer }))
    }
}
