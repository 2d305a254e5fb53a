//! `ServerService`.

use seatwise_proto::v1::server_service_server::ServerService;
use seatwise_proto::v1::{GetServerInfoRequest, GetServerInfoResponse};
use tonic::{Request, Response, Status};

use super::Rpc;
use crate::config::{Config, Override};

#[tonic::async_trait]
impl ServerService for Rpc {
    async fn get_server_info(
        &self,
        _: Request<GetServerInfoRequest>,
    ) -> Result<Response<GetServerInfoResponse>, Status> {
        Ok(Response::new(self.server_info.clone()))
    }
}

/// What a server that is run so tells about itself.
pub(crate) fn server_info(config: &Config) -> GetServerInfoResponse {
    let asks = !config.overrides.contains(&Override::NoAuthentication);
    let has_client_ca = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_ca.is_some());
    let ways = [
        ("key", asks),
        ("token", asks && config.issuer.is_some()),
        ("certificate", asks && has_client_ca),
    ];
    let ways = ways.into_iter().filter(|(_, is_there)| *is_there);
    let overrides = config.overrides.iter();
    GetServerInfoResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: config.database.engine().to_owned(),
        insecure_overrides: overrides.map(|check| check.name().to_owned()).collect(),
        authentication: ways.map(|(way, _)| way.to_owned()).collect(),
    }
}
