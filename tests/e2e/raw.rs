//! The generated stubs, for requests that the client does not make.

use std::path::PathBuf;

use seatwise_client::Error;
use seatwise_client::transport::tonic::service::Interceptor;
use seatwise_client::transport::tonic::service::interceptor::InterceptedService;
use seatwise_client::transport::tonic::transport::{Channel, Endpoint};
use seatwise_client::transport::tonic::{Request, Status, Streaming};
use seatwise_client::transport::v1::batch_service_client::BatchServiceClient;
use seatwise_client::transport::v1::{
    ExecuteBatchRequest, ExecuteBatchResponse, ExecuteLargeBatchRequest, batch_frame::Frame,
};

use crate::customer::Outcome;
use crate::harness::Harness;

/// A connection that shows the server's admin key.
pub(crate) type Admin = InterceptedService<Channel, ShowKey>;

/// Shows the key in a file, if there is one.
#[derive(Clone)]
pub(crate) struct ShowKey(PathBuf);

impl Interceptor for ShowKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Ok(key) = std::fs::read_to_string(&self.0) {
            let token = format!("Bearer {}", key.trim()).parse();
            let token = token.expect("a key is ASCII");
            request.metadata_mut().insert("authorization", token);
        }
        Ok(request)
    }
}

/// A connection without the client around it.
pub(crate) fn channel(server: &Harness) -> Admin {
    let endpoint = Endpoint::from_shared(server.endpoint());
    let channel = endpoint.expect("an address").connect_lazy();
    InterceptedService::new(channel, ShowKey(server.admin_key()))
}

/// The same, which takes little before it is read.
pub(crate) fn narrow_channel(server: &Harness) -> Admin {
    let endpoint = Endpoint::from_shared(server.endpoint()).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(64 * 1024);
    InterceptedService::new(endpoint.connect_lazy(), ShowKey(server.admin_key()))
}

/// `ExecuteBatch` in one message, whatever its size.
pub(crate) async fn execute(
    server: &Harness,
    request: ExecuteBatchRequest,
) -> Result<Streaming<ExecuteBatchResponse>, Status> {
    let mut client = BatchServiceClient::new(channel(server));
    Ok(client.execute_batch(request).await?.into_inner())
}

/// `ExecuteLargeBatch`, read to its end.
pub(crate) async fn execute_large(
    server: &Harness,
    parts: Vec<ExecuteLargeBatchRequest>,
) -> Result<Outcome, Error> {
    let mut client = BatchServiceClient::new(channel(server));
    let answer = client.execute_large_batch(tokio_stream::iter(parts)).await;
    let mut frames = answer?.into_inner();
    let mut results = Vec::new();
    let (mut summary, mut replayed) = (None, false);
    while let Some(message) = frames.message().await? {
        match message.frame.and_then(|frame| frame.frame) {
            Some(Frame::Started(started)) => replayed = started.replayed,
            Some(Frame::Result(result)) => results.push(result),
            Some(Frame::Summary(last)) => summary = Some(last),
            Some(Frame::Progress(_)) | None => {}
        }
    }
    let summary = summary.expect("a stream that ends has sent its summary");
    Ok(Outcome {
        batch: summary.batch.clone().expect("a summary tells its batch"),
        replayed,
        results,
        summary,
    })
}

/// A request as messages with so many users each, the first of them without users.
pub(crate) fn parts(request: ExecuteBatchRequest, users: usize) -> Vec<ExecuteLargeBatchRequest> {
    let mut parts = vec![ExecuteLargeBatchRequest {
        customer_id: request.customer_id,
        request_id: request.request_id,
        change: request.change,
        ..ExecuteLargeBatchRequest::default()
    }];
    for users in request.users.chunks(users) {
        parts.push(ExecuteLargeBatchRequest {
            users: users.to_vec(),
            ..ExecuteLargeBatchRequest::default()
        });
    }
    for changes in request.user_changes.chunks(users) {
        parts.push(ExecuteLargeBatchRequest {
            user_changes: changes.to_vec(),
            ..ExecuteLargeBatchRequest::default()
        });
    }
    parts
}
