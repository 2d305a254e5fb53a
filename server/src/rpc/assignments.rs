//! `AssignmentService`.

use seatwise_proto::v1::assignment_service_server::AssignmentService;
use seatwise_proto::v1::{Assignment, ListAssignmentsRequest, ListAssignmentsResponse};
use tonic::{Request, Response, Status};

use super::page::Page;
use super::parse;
use super::status::from_service;
use super::users::customer_and_user;
use super::{Rpc, convert};
use crate::domain::{Catalogue, ProductId, UserId};
use crate::service;

#[tonic::async_trait]
impl AssignmentService for Rpc {
    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        let request = request.into_inner();
        let (customer, user) = if request.user.is_empty() {
            (parse::customer_id(&request.customer_id)?, None)
        } else {
            let (customer, user) = customer_and_user(&request.customer_id, &request.user)?;
            (customer, Some(user))
        };
        let scope = [customer.0.as_bytes().as_slice(), request.user.as_bytes()];
        let (size, token) = (request.page_size, &request.page_token);
        let page = Page::parse(&self.tokens, "assignments", &scope, size, token)?;
        let after = page
            .after_ids()?
            .map(|[user, product]| (UserId(user), ProductId(product)));
        let rows = self
            .service
            .assignments(customer, user, after, page.limit())
            .await;
        let mut rows = rows.map_err(from_service)?;
        let next_page_token = page.cut(&mut rows, |row| {
            [row.user.0.into_bytes(), row.product.0.into_bytes()].concat()
        });
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let assignments = rows
            .into_iter()
            .map(|row| assignment(&catalogue, row))
            .collect();
        Ok(Response::new(ListAssignmentsResponse {
            assignments,
            next_page_token,
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
