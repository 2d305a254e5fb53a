//! `LicenseService`.

use seatwise_proto::v1::license_service_server::LicenseService;
use seatwise_proto::v1::{
    GetLicenseRequest, GetLicenseResponse, ListLicensesRequest, ListLicensesResponse,
    SetLaterPlansRequest, SetLaterPlansResponse, SetSeatsRequest, SetSeatsResponse,
};
use tonic::{Request, Response, Status};

use super::access::Pass;
use super::confirm::seats_below_assigned;
use super::page::{Page, name_key, read_name};
use super::parse::{self, Fields};
use super::status::{from_service, invalid_field};
use super::{Rpc, convert};
use crate::domain::{CustomerId, ProductId, fold};
use crate::service::{self, Refusal, SeatsUpdate};

/// Seats of one kind in one license; the sum of two kinds still fits a count on the wire.
const SEATS_MAX: i32 = 100_000_000;

#[tonic::async_trait]
impl LicenseService for Rpc {
    async fn set_seats(
        &self,
        request: Request<SetSeatsRequest>,
    ) -> Result<Response<SetSeatsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let product = fields.take("product_id", ProductId::parse(&request.product_id));
        let version = fields.take("etag", parse::etag(&request.etag));
        let mut seats = |field, seats: Option<i32>| match seats {
            Some(seats) if !(0..=SEATS_MAX).contains(&seats) => {
                fields.wrong(field, "must be 0 to 100,000,000");
                None
            }
            seats => seats.map(i64::from),
        };
        let mut update = SeatsUpdate {
            enabled: seats("enabled", request.enabled),
            warning: seats("warning", request.warning),
            suspended: seats("suspended", request.suspended),
            confirmed: None,
            version: version.flatten(),
        };
        let origin = pass.origin(&mut fields, &request.comment);
        let set = customer.zip(product).zip(origin);
        let ((customer, product), origin) = fields.finish(set)?;
        let scope = pass.enter(customer)?;
        update.confirmed = self.confirmed(customer, product, &request.confirmation)?;
        let set = self.service.set_seats(scope, product, update, origin);
        let license = set.await.map_err(|error| match error {
            service::Error::Refused(Refusal::SeatsBelowAssigned {
                product,
                assigned,
                assignable,
            }) => {
                let tokens = &self.tokens;
                let confirmation = tokens.confirm_seats(customer, product, [assigned, assignable]);
                seats_below_assigned(product, assigned, assignable, confirmation)
            }
            error => from_service(error),
        })?;
        let license = Some(convert::license(license, &self.buy_more_url));
        Ok(Response::new(SetSeatsResponse { license }))
    }

    async fn set_later_plans(
        &self,
        request: Request<SetLaterPlansRequest>,
    ) -> Result<Response<SetLaterPlansResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let product = fields.take("product_id", ProductId::parse(&request.product_id));
        let later = convert::from_later_plans(request.later_plans);
        let later = fields.take("later_plans", later);
        let version = fields.take("etag", parse::etag(&request.etag));
        let origin = pass.origin(&mut fields, &request.comment);
        let set = customer.zip(product).zip(later).zip(version).zip(origin);
        let ((((customer, product), later), version), origin) = fields.finish(set)?;
        let scope = pass.enter(customer)?;
        let license = self
            .service
            .set_later_plans(scope, product, later, version, origin)
            .await
            .map_err(from_service)?;
        let license = Some(convert::license(license, &self.buy_more_url));
        Ok(Response::new(SetLaterPlansResponse { license }))
    }

    async fn get_license(
        &self,
        request: Request<GetLicenseRequest>,
    ) -> Result<Response<GetLicenseResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let product = fields.take("product_id", ProductId::parse(&request.product_id));
        let (customer, product) = fields.finish(customer.zip(product))?;
        let scope = pass.enter(customer)?;
        let license = self
            .service
            .license(scope, product)
            .await
            .map_err(from_service)?;
        let license = Some(convert::license(license, &self.buy_more_url));
        Ok(Response::new(GetLicenseResponse { license }))
    }

    async fn list_licenses(
        &self,
        request: Request<ListLicensesRequest>,
    ) -> Result<Response<ListLicensesResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let customer = parse::customer_id(&request.customer_id)?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(|key| read_name(key).map(|(name, id)| (name, ProductId(id))))?;
        let listed = self.service.licenses(scope, request.available, slice);
        let (mut rows, total_size) = listed.await.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| {
            name_key(&fold(&row.display_name), row.product.0)
        });
        let licenses = rows
            .into_iter()
            .map(|row| convert::license(row, &self.buy_more_url));
        Ok(Response::new(ListLicensesResponse {
            licenses: licenses.collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }
}

impl Rpc {
    /// The numbers that were confirmed, if any were.
    fn confirmed(
        &self,
        customer: CustomerId,
        product: ProductId,
        confirmation: &str,
    ) -> Result<Option<[i64; 2]>, Status> {
        if confirmation.is_empty() {
            return Ok(None);
        }
        let confirmed = self.tokens.confirmed_seats(customer, product, confirmation);
        let problem = "must be a confirmation that Seatwise returned for this license; leave it \
                       empty for none";
        let wrong = || invalid_field("confirmation", problem);
        confirmed.map(Some).ok_or_else(wrong)
    }
}
