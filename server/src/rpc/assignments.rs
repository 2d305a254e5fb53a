//! `AssignmentService`.

use seatwise_proto::v1::assignment_service_server::AssignmentService;
use seatwise_proto::v1::{Assignment, ListAssignmentsRequest, ListAssignmentsResponse};
use tonic::{Request, Response, Status};

use super::filter::optional;
use super::page::{Page, ids_key, read_ids};
use super::parse::Fields;
use super::status::from_service;
use super::{Rpc, convert};
use crate::domain::{Catalogue, CustomerId, ProductId, UserId, UserRef};
use crate::service;

#[tonic::async_trait]
impl AssignmentService for Rpc {
    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request)?;
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let user = fields.take("user", optional(&request.user, UserRef::parse));
        let product = optional(&request.product_id, ProductId::parse);
        let product = fields.take("product_id", product);
        let ((customer, user), product) = fields.finish(customer.zip(user).zip(product))?;
        let slice = page
            .slice(|key| read_ids(key).map(|[user, product]| (UserId(user), ProductId(product))))?;
        let listed = self.service.assignments(customer, user, product, slice);
        let (mut rows, total_size) = listed.await.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| ids_key([row.user.0, row.product.0]));
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let assignments = rows.into_iter().map(|row| assignment(&catalogue, row));
        Ok(Response::new(ListAssignmentsResponse {
            assignments: assignments.collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }
}

fn assignment(catalogue: &Catalogue, row: service::Assignment) -> Assignment {
    let product = catalogue.product(row.product);
    let enabled = product.map(|product| catalogue.effective_plans(product, &row.plans));
    Assignment {
        user_id: row.user.to_string(),
        product_id: row.product.to_string(),
        plans: Some(convert::plan_choice(&row.plans)),
        enabled_plan_ids: convert::ids(&enabled.unwrap_or_default()),
        batch_id: row.batch.to_string(),
        assign_time: Some(convert::time(row.assigned_at)),
    }
}
