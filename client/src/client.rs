//! The connection and the typed calls. Each call is one RPC under the name that it has in the
//! protocol; lists come page by page.

use std::time::Duration;

use seatwise_proto::v1::{
    self, assignment_service_client::AssignmentServiceClient,
    batch_service_client::BatchServiceClient, catalogue_service_client::CatalogueServiceClient,
    customer_service_client::CustomerServiceClient, history_service_client::HistoryServiceClient,
    license_service_client::LicenseServiceClient, selection_service_client::SelectionServiceClient,
    server_service_client::ServerServiceClient, user_service_client::UserServiceClient,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const RESUME_FOR: Duration = Duration::from_secs(300);
/// A silent server is asked whether it is there, so that a dead one is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(15);
/// Tries of a call that may be repeated, and the wait after the first, which then doubles.
const TRIES: u32 = 4;
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Describes a connection.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    endpoint: String,
    connect_timeout: Duration,
    call_timeout: Duration,
    resume_for: Duration,
    token: Option<String>,
    language: Option<String>,
}

impl Builder {
    /// How long a connection may take to be made. 5 seconds if not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take; streams of results may take as long as they need. 30 seconds if
    /// not set.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// How long a stream of results keeps trying to resume without getting anywhere. 5 minutes if
    /// not set.
    pub fn resume_for(mut self, patience: Duration) -> Self {
        self.resume_for = patience;
        self
    }

    /// The token to send with every call. Servers do not ask for one yet.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The language of texts for people, as `nl`, or several as `nl-BE, en;q=0.5`. What the service
    /// does not speak, and nothing set, is English.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Makes the client. The connection is made with the first call, and again whenever it is lost.
    ///
    /// # Errors
    /// If the endpoint is not a URL, or the token or the language holds characters that cannot be
    /// sent.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = Endpoint::from_shared(self.endpoint).map_err(Error::endpoint)?;
        let channel = endpoint
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_lazy();
        let token = self.token.map(|token| format!("Bearer {token}").parse());
        let token = token
            .transpose()
            .map_err(|_| Error::endpoint("the token is not ASCII"))?;
        let language = self.language.map(|language| language.parse());
        let language = language
            .transpose()
            .map_err(|_| Error::endpoint("the language is not ASCII"))?;
        let channel = InterceptedService::new(channel, Caller { token, language });
        Ok(Client {
            channel,
            call_timeout: self.call_timeout,
            resume_for: self.resume_for,
        })
    }
}

/// Says on every call who calls, in which language.
#[derive(Debug, Clone)]
struct Caller {
    token: Option<MetadataValue<Ascii>>,
    language: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(token) = &self.token {
            metadata.insert("authorization", token.clone());
        }
        if let Some(language) = &self.language {
            metadata.insert("accept-language", language.clone());
        }
        Ok(request)
    }
}

/// A client. Cheap to clone; clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    channel: InterceptedService<Channel, Caller>,
    call_timeout: Duration,
    pub(crate) resume_for: Duration,
}

impl Client {
    /// Describes a connection to `endpoint`, as `http://127.0.0.1:7400`.
    pub fn builder(endpoint: impl Into<String>) -> Builder {
        Builder {
            endpoint: endpoint.into(),
            connect_timeout: CONNECT_TIMEOUT,
            call_timeout: CALL_TIMEOUT,
            resume_for: RESUME_FOR,
            token: None,
            language: None,
        }
    }

    /// A client of `endpoint` with the usual settings.
    ///
    /// # Errors
    /// If the endpoint is not a URL.
    pub fn new(endpoint: impl Into<String>) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    pub(crate) fn batches(
        &self,
    ) -> BatchServiceClient<InterceptedService<Channel, impl Interceptor + Clone + use<>>> {
        BatchServiceClient::new(self.channel.clone())
    }

    pub(crate) fn catalogues(
        &self,
    ) -> CatalogueServiceClient<InterceptedService<Channel, impl Interceptor + Clone + use<>>> {
        CatalogueServiceClient::new(self.channel.clone())
    }

    pub(crate) fn users(
        &self,
    ) -> UserServiceClient<InterceptedService<Channel, impl Interceptor + Clone + use<>>> {
        UserServiceClient::new(self.channel.clone())
    }

    pub(crate) fn channel(&self) -> InterceptedService<Channel, impl Interceptor + Clone + use<>> {
        self.channel.clone()
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.call_timeout);
        request
    }
}

/// Calls of one service. `once` calls are never repeated by themselves, because the second try could
/// meet what the first has done; `again` calls are, if the server is out of reach.
macro_rules! calls {
    ($client:ident: $($(#[$doc:meta])* $tries:ident $name:ident($request:ident) -> $answer:ident $(. $field:ident)?;)*) => {
        impl Client { $(
            $(#[$doc])*
            ///
            /// # Errors
            /// See [`Error`]; the RPC's documentation names the reasons.
            pub async fn $name(&self, request: v1::$request) -> Result<v1::$answer, Error> {
                let call = || {
                    let mut client = $client::new(self.channel.clone());
                    let request = self.request(request.clone());
                    async move { Ok::<_, Error>(client.$name(request).await?.into_inner()) }
                };
                unwrap!(repeat(tries!($tries), call).await? $(. $field)?)
            }
        )* }
    };
}
macro_rules! tries {
    (once) => {
        1
    };
    (again) => {
        TRIES
    };
}
macro_rules! unwrap {
    ($call:ident($($args:tt)*).await?) => {
        $call($($args)*).await
    };
    ($call:ident($($args:tt)*).await? . $field:ident) => {
        $call($($args)*).await?.$field
            .ok_or_else(|| Error::protocol(concat!("no ", stringify!($field))))
    };
}

/// Makes a call until it succeeds, fails for good, or has been tried so often.
async fn repeat<T, F>(tries: u32, call: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut wait = RETRY_WAIT;
    let mut tried = 1;
    loop {
        match call().await {
            Err(error) if error.is_retryable() && tried < tries => {
                tokio::time::sleep(error.retry_after.unwrap_or(wait)).await;
                wait *= 2;
                tried += 1;
            }
            answer => return answer,
        }
    }
}

calls! { CatalogueServiceClient:
    /// Returns one product with its service plans.
    again get_product(GetProductRequest) -> Product.product;
    /// Lists products by id.
    again list_products(ListProductsRequest) -> ListProductsResponse;
    /// Changes who can hold a product, and what becomes of plans that are added later.
    again update_product(UpdateProductRequest) -> Product.product;
    /// Lists the rules by kind and plan.
    again list_rules(ListRulesRequest) -> ListRulesResponse;
}
calls! { CustomerServiceClient:
    /// Creates a customer.
    once create_customer(CreateCustomerRequest) -> Customer.customer;
    /// Returns one customer.
    again get_customer(GetCustomerRequest) -> Customer.customer;
    /// Lists customers by id.
    again list_customers(ListCustomersRequest) -> ListCustomersResponse;
    /// Changes a customer.
    again update_customer(UpdateCustomerRequest) -> Customer.customer;
}
calls! { UserServiceClient:
    /// Creates a user.
    once create_user(CreateUserRequest) -> User.user;
    /// Returns one user.
    again get_user(GetUserRequest) -> User.user;
    /// Lists the users of a customer by id.
    again list_users(ListUsersRequest) -> ListUsersResponse;
    /// Changes a user.
    again update_user(UpdateUserRequest) -> User.user;
    /// Deletes a user and frees its seats.
    once delete_user(DeleteUserRequest) -> DeleteUserResponse;
}
calls! { LicenseServiceClient:
    /// Sets the seats of a license.
    again set_seats(SetSeatsRequest) -> License.license;
    /// Says what becomes of plans that are added later to a product.
    again set_later_plans(SetLaterPlansRequest) -> License.license;
    /// Returns one license.
    again get_license(GetLicenseRequest) -> License.license;
    /// Lists the licenses of a customer by product id.
    again list_licenses(ListLicensesRequest) -> ListLicensesResponse;
}
calls! { AssignmentServiceClient:
    /// Lists the assignments of a customer or of one of its users.
    again list_assignments(ListAssignmentsRequest) -> ListAssignmentsResponse;
    /// Tells what the users of a selection hold.
    again summarize_assignments(SummarizeAssignmentsRequest) -> SummarizeAssignmentsResponse;
    /// Lists the users of a selection who hold a product, or lack it.
    again list_holders(ListHoldersRequest) -> ListHoldersResponse;
    /// Lists the assignments that have gained plans from newer editions of the catalogue.
    again list_gained_plans(ListGainedPlansRequest) -> ListGainedPlansResponse;
    /// Lists the users who hold something against the rules.
    again list_violations(ListViolationsRequest) -> ListViolationsResponse;
    /// Tells how many users break which rules.
    again summarize_violations(SummarizeViolationsRequest) -> SummarizeViolationsResponse;
}
calls! { SelectionServiceClient:
    /// Finds the users of a selection and keeps them.
    once create_selection(CreateSelectionRequest) -> CreateSelectionResponse;
    /// Returns one frozen selection.
    again get_selection(GetSelectionRequest) -> FrozenSelection.selection;
    /// Deletes a frozen selection.
    again delete_selection(DeleteSelectionRequest) -> DeleteSelectionResponse;
    /// Lists the users of a selection.
    again list_selection_users(ListSelectionUsersRequest) -> ListSelectionUsersResponse;
}
calls! { BatchServiceClient:
    /// Lists the results that a batch has by now.
    again list_batch_results(ListBatchResultsRequest) -> ListBatchResultsResponse;
    /// Returns one batch.
    again get_batch(GetBatchRequest) -> Batch.batch;
    /// Cancels a batch: who has had no turn yet is skipped.
    again cancel_batch(CancelBatchRequest) -> Batch.batch;
    /// Lists the batches of a customer, the newest first.
    again list_batches(ListBatchesRequest) -> ListBatchesResponse;
}
calls! { HistoryServiceClient:
    /// Lists what was done to a customer, or to one of its users, licenses or batches.
    again list_history(ListHistoryRequest) -> ListHistoryResponse;
    /// Returns what a user held at a time in the past.
    again get_user_at(GetUserAtRequest) -> GetUserAtResponse;
    /// Returns the end of a journal.
    again get_checkpoint(GetCheckpointRequest) -> Checkpoint.checkpoint;
}
calls! { ServerServiceClient:
    /// Tells which server answers, and how it is run.
    again get_server_info(GetServerInfoRequest) -> GetServerInfoResponse;
}
