//! The RPCs: parse, call a use case, convert. Nothing is decided here, and nothing else in the
//! server knows the protocol.

mod access;
mod assignments;
mod batches;
mod catalogue;
mod change;
mod confirm;
mod convert;
mod customers;
mod denial;
mod earlier;
mod execute;
mod filter;
mod gate;
mod history;
mod import;
mod language;
mod licenses;
mod page;
mod parse;
mod principals;
mod records;
mod request;
mod request_log;
mod results;
mod selections;
mod server_info;
mod status;
mod text;
mod token;
mod users;
mod violations;
mod watch;

use std::sync::Arc;

use seatwise_proto::v1;
use tonic::service::Routes;

pub(crate) use access::BATCH_ROLES;
pub(crate) use gate::Gate;
pub(crate) use language::InCallersLanguage;
pub(crate) use request_log::RequestLog;
pub(crate) use results::encoder;
pub(crate) use server_info::server_info;
pub(crate) use token::Tokens;

use crate::service::Service;

/// Largest request that carries users of a batch or selection: 100,000 principal names of 160 bytes.
const USERS_REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest request of any other kind.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// Names of all services, for health and reflection.
pub(crate) const SERVICES: [&str; 10] = [
    v1::access_service_server::SERVICE_NAME,
    v1::assignment_service_server::SERVICE_NAME,
    v1::batch_service_server::SERVICE_NAME,
    v1::catalogue_service_server::SERVICE_NAME,
    v1::customer_service_server::SERVICE_NAME,
    v1::history_service_server::SERVICE_NAME,
    v1::license_service_server::SERVICE_NAME,
    v1::selection_service_server::SERVICE_NAME,
    v1::server_service_server::SERVICE_NAME,
    v1::user_service_server::SERVICE_NAME,
];

/// What every RPC needs.
pub(crate) struct Rpc {
    pub(crate) service: Service,
    pub(crate) tokens: Tokens,
    /// Where to buy more seats; empty if the operator did not say.
    pub(crate) buy_more_url: String,
    /// What the server tells about itself.
    pub(crate) server_info: v1::GetServerInfoResponse,
}

/// Adds all services of `seatwise.v1`.
pub(crate) fn add_to(routes: Routes, rpc: Rpc) -> Routes {
    use v1::access_service_server::AccessServiceServer as Accesses;
    use v1::assignment_service_server::AssignmentServiceServer as Assignments;
    use v1::batch_service_server::BatchServiceServer as Batches;
    use v1::catalogue_service_server::CatalogueServiceServer as Catalogues;
    use v1::customer_service_server::CustomerServiceServer as Customers;
    use v1::history_service_server::HistoryServiceServer as Histories;
    use v1::license_service_server::LicenseServiceServer as Licenses;
    use v1::selection_service_server::SelectionServiceServer as Selections;
    use v1::server_service_server::ServerServiceServer as Servers;
    use v1::user_service_server::UserServiceServer as Users;
    let rpc = Arc::new(rpc);
    let (small, large) = (REQUEST_BYTES_MAX, USERS_REQUEST_BYTES_MAX);
    routes
        .add_service(Accesses::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Assignments::from_arc(rpc.clone()).max_decoding_message_size(large))
        .add_service(Batches::from_arc(rpc.clone()).max_decoding_message_size(large))
        .add_service(Catalogues::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Customers::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Histories::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Licenses::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Selections::from_arc(rpc.clone()).max_decoding_message_size(large))
        .add_service(Servers::from_arc(rpc.clone()).max_decoding_message_size(small))
        .add_service(Users::from_arc(rpc).max_decoding_message_size(small))
}

/// The answer to a call that panicked.
pub(crate) fn panicked() -> tonic::Status {
    status::internal(&std::io::Error::other("a call panicked"))
}
