//! The typed calls. Each call is one RPC under the name that it has in the protocol; lists come page by
//! page.

use std::time::Duration;

use seatwise_proto::v1::{
    self, access_service_client::AccessServiceClient,
    assignment_service_client::AssignmentServiceClient, batch_service_client::BatchServiceClient,
    catalogue_service_client::CatalogueServiceClient,
    customer_service_client::CustomerServiceClient, history_service_client::HistoryServiceClient,
    license_service_client::LicenseServiceClient, selection_service_client::SelectionServiceClient,
    server_service_client::ServerServiceClient, user_service_client::UserServiceClient,
};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

use crate::builder::Builder;
use crate::tls::Trouble;
use crate::token::{Source, Token};
use crate::{Code, Error};

/// Tries of a call that may be repeated, and the wait after the first, which then doubles.
const TRIES: u32 = 4;
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// A client. Cheap to clone; clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) channel: Channel,
    /// What is wrong with its connection.
    pub(crate) trouble: Trouble,
    pub(crate) tokens: Source,
    pub(crate) language: Option<MetadataValue<Ascii>>,
    pub(crate) call_timeout: Duration,
    pub(crate) resume_for: Duration,
}

impl Client {
    /// Describes a connection to `endpoint`, as `http://127.0.0.1:7400` or `https://seats.example.com`.
    pub fn builder(endpoint: impl Into<String>) -> Builder {
        Builder::new(endpoint.into())
    }

    /// A client of `endpoint` with the usual settings.
    ///
    /// # Errors
    /// If the endpoint is not a URL.
    pub fn new(endpoint: impl Into<String>) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    /// Makes a call; once more with another token, if there is one, if the server does not take the first.
    pub(crate) async fn authenticated<T, F>(&self, call: impl Fn(Caller) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let call = async |token| {
            let language = self.language.clone();
            let answer = call(Caller { token, language }).await;
            answer.map_err(|error| match self.trouble.told() {
                Some(problem) if error.is_cut() => Error::tls(&problem),
                _ => error,
            })
        };
        let token = self.tokens.token().await?;
        let mut error = match call(token.clone()).await {
            Err(error) if error.code == Code::Unauthenticated => error,
            answer => return answer,
        };
        if let Some(another) = self.tokens.another(token.as_ref()).await? {
            return call(Some(another)).await;
        }
        if let (None, Some(lack)) = (token, self.tokens.lack()) {
            error.message = format!("{}; {lack}", error.message);
        }
        Err(error)
    }

    /// Makes a call until it succeeds, fails for good, or has been tried so often.
    async fn repeat<T, F>(&self, tries: u32, call: impl Fn(Caller) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut wait = RETRY_WAIT;
        let mut tried = 1;
        loop {
            match self.authenticated(&call).await {
                Err(error) if error.is_retryable() && tried < tries => {
                    tokio::time::sleep(error.retry_after.unwrap_or(wait)).await;
                    wait *= 2;
                    tried += 1;
                }
                answer => return answer,
            }
        }
    }
}

/// Who calls, in which language.
pub(crate) struct Caller {
    token: Option<Token>,
    language: Option<MetadataValue<Ascii>>,
}

impl Caller {
    /// The message as this caller's request.
    pub(crate) fn request<T>(self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        if let Some(Token(token)) = self.token {
            metadata.insert("authorization", token);
        }
        if let Some(language) = self.language {
            metadata.insert("accept-language", language);
        }
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
                let call = |caller: Caller| {
                    let mut client = $client::new(self.channel.clone());
                    let mut request = caller.request(request.clone());
                    request.set_timeout(self.call_timeout);
                    async move { Ok::<_, Error>(client.$name(request).await?.into_inner()) }
                };
                unwrap!(self.repeat(tries!($tries), call).await? $(. $field)?)
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
    ($self:ident.repeat($($args:tt)*).await?) => {
        $self.repeat($($args)*).await
    };
    ($self:ident.repeat($($args:tt)*).await? . $field:ident) => {
        $self.repeat($($args)*).await?.$field
            .ok_or_else(|| Error::protocol(concat!("no ", stringify!($field))))
    };
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
calls! { AccessServiceClient:
    /// Creates a principal with its grants.
    once create_principal(CreatePrincipalRequest) -> Principal.principal;
    /// Returns one principal.
    again get_principal(GetPrincipalRequest) -> Principal.principal;
    /// Lists principals by kind and name.
    again list_principals(ListPrincipalsRequest) -> ListPrincipalsResponse;
    /// Deletes a principal with its grants and keys.
    once delete_principal(DeletePrincipalRequest) -> DeletePrincipalResponse;
    /// Gives a principal a grant.
    once create_grant(CreateGrantRequest) -> Principal.principal;
    /// Takes a grant away.
    once delete_grant(DeleteGrantRequest) -> Principal.principal;
    /// Makes a key for a principal; the answer has its secret, which is not shown again.
    once create_key(CreateKeyRequest) -> CreateKeyResponse;
    /// Revokes a key for ever.
    again revoke_key(RevokeKeyRequest) -> Key.key;
    /// Tells who the caller is, and what it may do.
    again get_caller(GetCallerRequest) -> GetCallerResponse;
}
calls! { ServerServiceClient:
    /// Tells which server answers, and how it is run.
    again get_server_info(GetServerInfoRequest) -> GetServerInfoResponse;
}
