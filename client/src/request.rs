//! Requests that make a batch.

use seatwise_proto::v1::{ExecuteBatchRequest, RetryBatchRequest, RevertBatchRequest};

/// A request that makes a batch, or previews one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BatchRequest {
    /// Changes users.
    Execute(Box<ExecuteBatchRequest>),
    /// Tries an earlier batch again.
    Retry(RetryBatchRequest),
    /// Takes an earlier batch back.
    Revert(RevertBatchRequest),
}

/// The same field of whichever request it is.
macro_rules! field {
    ($request:expr, $field:ident) => {
        match $request {
            BatchRequest::Execute(request) => &mut request.$field,
            BatchRequest::Retry(request) => &mut request.$field,
            BatchRequest::Revert(request) => &mut request.$field,
        }
    };
}

impl BatchRequest {
    /// The name that the caller gave the request; empty if none.
    pub fn request_id(&self) -> &str {
        match self {
            Self::Execute(request) => &request.request_id,
            Self::Retry(request) => &request.request_id,
            Self::Revert(request) => &request.request_id,
        }
    }

    /// The request under this name.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        *field!(&mut self, request_id) = request_id.into();
        self
    }

    /// The request bound to a preview of it.
    #[must_use]
    pub fn with_plan_token(mut self, plan_token: impl Into<String>) -> Self {
        *field!(&mut self, plan_token) = plan_token.into();
        self
    }

    /// The request with what it would take away confirmed.
    #[must_use]
    pub fn with_confirmation(mut self, confirmation: impl Into<String>) -> Self {
        *field!(&mut self, confirmation) = confirmation.into();
        self
    }

    pub(crate) fn validated_only(mut self, validate_only: bool) -> Self {
        *field!(&mut self, validate_only) = validate_only;
        self
    }
}

impl From<ExecuteBatchRequest> for BatchRequest {
    fn from(request: ExecuteBatchRequest) -> Self {
        Self::Execute(Box::new(request))
    }
}

impl From<RetryBatchRequest> for BatchRequest {
    fn from(request: RetryBatchRequest) -> Self {
        Self::Retry(request)
    }
}

impl From<RevertBatchRequest> for BatchRequest {
    fn from(request: RevertBatchRequest) -> Self {
        Self::Revert(request)
    }
}
