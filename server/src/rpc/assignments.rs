//! `AssignmentService`.

use seatwise_proto::v1::assignment_service_server::AssignmentService;
use seatwise_proto::v1::{
    Assignment, Coverage, GainedPlans, LicenseSummary, ListAssignmentsRequest,
    ListAssignmentsResponse, ListGainedPlansRequest, ListGainedPlansResponse, ListHoldersRequest,
    ListHoldersResponse, ListViolationsRequest, ListViolationsResponse, PlanRef, PlanSummary,
    SummarizeAssignmentsRequest, SummarizeAssignmentsResponse, SummarizeViolationsRequest,
    SummarizeViolationsResponse,
};
use tonic::{Request, Response, Status};

use super::access::Pass;
use super::filter::optional;
use super::language::Language;
use super::page::{Page, ids_key, read_ids};
use super::parse::Fields;
use super::selections::customer_and_selection;
use super::status::from_service;
use super::{Rpc, convert, violations};
use crate::domain::{Catalogue, CustomerId, ProductId, UserId, UserRef};
use crate::service::{self, Holding};

#[tonic::async_trait]
impl AssignmentService for Rpc {
    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let user = fields.take("user", optional(&request.user, UserRef::parse));
        let product = optional(&request.product_id, ProductId::parse);
        let product = fields.take("product_id", product);
        let ((customer, user), product) = fields.finish(customer.zip(user).zip(product))?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page
            .slice(|key| read_ids(key).map(|[user, product]| (UserId(user), ProductId(product))))?;
        let listed = self.service.assignments(scope, user, product, slice);
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

    async fn summarize_assignments(
        &self,
        request: Request<SummarizeAssignmentsRequest>,
    ) -> Result<Response<SummarizeAssignmentsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, selection) =
            customer_and_selection(Fields::default(), request.customer_id, request.selection)
                .await?;
        let scope = pass.enter(customer)?;
        let holdings = self
            .service
            .holdings(scope, selection, request.include_plans);
        let holdings = holdings.await.map_err(from_service)?;
        let users = holdings.user_count;
        let licenses = holdings.licenses.into_iter();
        Ok(Response::new(SummarizeAssignmentsResponse {
            user_count: convert::count(users),
            licenses: licenses
                .map(|held| license_summary(held, users, &self.buy_more_url))
                .collect(),
        }))
    }

    async fn list_holders(
        &self,
        request: Request<ListHoldersRequest>,
    ) -> Result<Response<ListHoldersResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let page = Page::parse(&self.tokens, &request);
        let mut fields = Fields::default();
        let product = fields.take("product_id", ProductId::parse(&request.product_id));
        let (customer, selection) =
            customer_and_selection(fields, request.customer_id, request.selection).await?;
        let (scope, page) = (pass.enter(customer)?, page?);
        let product = product.expect("a wrong one was refused with the fields");
        let license = self.service.license(scope, product).await;
        license.map_err(from_service)?;
        let holding = Holding {
            product,
            lacking: request.lacking,
        };
        let (users, total_size, ways) = self
            .selected_page(scope, selection, Some(holding), &page)
            .await?;
        Ok(Response::new(ListHoldersResponse {
            users,
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }

    async fn list_gained_plans(
        &self,
        request: Request<ListGainedPlansRequest>,
    ) -> Result<Response<ListGainedPlansResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        if request.since_version < 0 {
            fields.wrong("since_version", "must not be negative; 0 means any version");
        }
        let customer = fields.finish(customer)?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page
            .slice(|key| read_ids(key).map(|[product, user]| (ProductId(product), UserId(user))))?;
        let after = slice.place.key().copied();
        let listed = self
            .service
            .gained_plans(scope, request.since_version, after, slice.limit);
        let mut rows = listed.await.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| ids_key([row.product.0, row.user.0]));
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let gained = |row: service::GainedPlans| GainedPlans {
            user_id: row.user.to_string(),
            principal_name: row.principal_name,
            display_name: row.display_name,
            product: Some(convert::product_ref(&catalogue, row.product)),
            plans: row
                .plans
                .into_iter()
                .map(|plan| convert::plan_ref(&catalogue, plan))
                .collect(),
        };
        Ok(Response::new(ListGainedPlansResponse {
            assignments: rows.into_iter().map(gained).collect(),
            next_page_token: ways.next,
        }))
    }

    async fn list_violations(
        &self,
        request: Request<ListViolationsRequest>,
    ) -> Result<Response<ListViolationsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let named = (&request.customer_id[..], request.filter.as_ref());
        let (customer, filter) = violations::customer_and_filter(named)?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(|key| read_ids(key).map(|[user]| UserId(user)))?;
        let after = slice.place.key().copied();
        let listed = self.service.violators(scope, filter, after, page.size());
        let (found, catalogue) = listed.await.map_err(from_service)?;
        let violator = |violator| violations::violator(&catalogue, violator);
        Ok(Response::new(ListViolationsResponse {
            users: found.users.into_iter().map(violator).collect(),
            next_page_token: page.after(found.next.map(|user| ids_key([user.0]))),
            catalogue_version: convert::count(catalogue.version),
            locale: Language::of_call().tag().to_owned(),
        }))
    }

    async fn summarize_violations(
        &self,
        request: Request<SummarizeViolationsRequest>,
    ) -> Result<Response<SummarizeViolationsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let named = (&request.customer_id[..], request.filter.as_ref());
        let (customer, filter) = violations::customer_and_filter(named)?;
        let scope = pass.enter(customer)?;
        let summary = self.service.violation_summary(scope, filter).await;
        let (summary, catalogue) = summary.map_err(from_service)?;
        Ok(Response::new(SummarizeViolationsResponse {
            user_count: convert::count(summary.users.cast_signed()),
            violation_count: Some(summary.violations.cast_signed()),
            rules: violations::broken_rules(&catalogue, &summary.rules),
            rule_count: convert::count(summary.rule_count as i64),
            catalogue_version: convert::count(catalogue.version),
            locale: Language::of_call().tag().to_owned(),
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

fn license_summary(
    held: service::LicenseHoldings,
    users: i64,
    buy_more_url: &str,
) -> LicenseSummary {
    let plan = |plan: service::PlanHoldings| PlanSummary {
        plan: Some(PlanRef {
            plan_id: plan.plan.to_string(),
            name: plan.name,
        }),
        enabled_count: convert::count(plan.enabled_count),
        coverage: coverage(plan.enabled_count, users).into(),
    };
    LicenseSummary {
        license: Some(convert::license(held.license, buy_more_url)),
        holder_count: convert::count(held.holder_count),
        coverage: coverage(held.holder_count, users).into(),
        plans: held.plans.into_iter().map(plan).collect(),
    }
}

fn coverage(count: i64, users: i64) -> Coverage {
    match count {
        0 => Coverage::None,
        count if count < users => Coverage::Some,
        _ => Coverage::All,
    }
}
