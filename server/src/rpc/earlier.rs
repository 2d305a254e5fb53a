//! Requests that go back to an earlier batch become domain types here.

use seatwise_proto::v1;
use tonic::Status;

use super::access::Pass;
use super::parse::{Fields, optional_id};
use super::request::parse_options;
use crate::domain::{BatchId, CustomerId, Origin, RequestId, Scope, Terms};
use crate::service::{BatchRequest, Capacity, Users};

/// What a retry and a revert have in common.
pub(super) struct Earlier {
    /// The customer.
    pub(super) scope: Scope,
    /// The caller's name for the request.
    request: RequestId,
    /// Who asks for it.
    origin: Origin,
    /// The batch to go back to.
    pub(super) batch: BatchId,
    /// How the new batch is carried out, if the request says so.
    pub(super) options: Option<(Terms, Capacity)>,
}

impl Earlier {
    /// Reads the fields of either request.
    pub(super) fn parse(
        pass: &Pass,
        (customer, request, batch): (&str, &str, &str),
        options: Option<&v1::BatchOptions>,
        comment: &str,
    ) -> Result<Self, Status> {
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(customer));
        let request = fields.take("request_id", optional_id(request));
        let batch = fields.take("batch_id", BatchId::parse(batch));
        let options = options.map(|options| parse_options(&mut fields, options));
        let origin = pass.origin(&mut fields, comment);
        let names = fields.finish(customer.zip(request).zip(batch).zip(origin))?;
        let (((customer, request), batch), origin) = names;
        let request = RequestId(request);
        Ok(Self {
            scope: pass.enter(customer)?,
            request,
            origin: Origin {
                request: Some(request),
                ..origin
            },
            batch,
            options: options.flatten(),
        })
    }

    /// The request for these users of the batch.
    pub(super) fn with(self, users: Users, (terms, capacity): (Terms, Capacity)) -> BatchRequest {
        BatchRequest {
            scope: self.scope,
            request: self.request,
            origin: self.origin,
            changes: Vec::new(),
            users,
            terms,
            capacity,
            promised: None,
            confirmed: None,
            unless_accepted: None,
        }
    }
}
