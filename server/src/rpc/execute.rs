//! A request for a batch, whichever way it came: carried out or previewed, and answered in frames. Its
//! tokens are bound to it here.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use seatwise_proto::v1::BatchFrame;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status};

use super::Rpc;
use super::confirm::confirmation_required;
use super::results::frames;
use super::status::{
    duplicate_user, from_service, invalid_field, plan_mismatch, request_id_reused, seats_short,
};
use super::token::{CONFIRMATION, PLAN};
use crate::domain::{Catalogue, Digest, RequestId, Scope};
use crate::service::{self, BatchRequest, Event, Refusal};

/// The hash of the request that a token was made for, and the digest that it carries.
type Bound = ([u8; 32], [u8; 32]);

/// A stream of messages.
pub(super) type Frames<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Rpc {
    /// Carries a request out, or previews it. `has_own` says that the users came in `user_changes`.
    pub(super) async fn execute(
        &self,
        (mut request, has_own): (BatchRequest, bool),
        plea: Plea,
    ) -> Result<Frames<BatchFrame>, Status> {
        let (scope, id, hash) = (request.scope, request.request, request.hash());
        if let Some((previewed, plan)) = self.bound(PLAN, &plea.plan_token)? {
            if previewed != hash {
                return Err(plan_mismatch());
            }
            request.promised = Some(Digest(plan));
        }
        // What was confirmed of another request confirms nothing of this one.
        request.confirmed = self
            .bound(CONFIRMATION, &plea.confirmation)?
            .and_then(|(request, losses)| (request == hash).then_some(losses));
        let (service, tokens) = (self.service.clone(), self.tokens.clone());
        let refused = move |error| match error {
            service::Error::Refused(Refusal::Unconfirmed(unconfirmed)) => {
                let losses = &unconfirmed.losses;
                let confirmation = tokens.make_bound(CONFIRMATION, &hash, &losses.digest());
                confirmation_required(&service.known_catalogue(), losses, confirmation)
            }
            error => refused(error, &service.known_catalogue(), id, has_own),
        };
        if plea.validate_only {
            let events = self.service.preview(request);
            return Ok(self.frames(events, false, Some(hash), refused));
        }
        let (batch, replayed) = self.service.execute(request).await.map_err(refused)?;
        Ok(self.stream(scope, batch, 0, replayed))
    }

    /// The frames of a batch from a position on.
    pub(super) fn stream(
        &self,
        scope: Scope,
        batch: service::Batch,
        position: i64,
        replayed: bool,
    ) -> Frames<BatchFrame> {
        let events = self.service.stream(scope, batch, position);
        self.frames(events, replayed, None, from_service)
    }

    /// The frames of events; `request` is the hash of the request if they are a preview's, and
    /// `refused` tells an error.
    fn frames(
        &self,
        events: mpsc::Receiver<Result<Event, service::Error>>,
        replayed: bool,
        request: Option<[u8; 32]>,
        refused: impl Fn(service::Error) -> Status + Send + 'static,
    ) -> Frames<BatchFrame> {
        let (tokens, service) = (self.tokens.clone(), self.service.clone());
        let frames = ReceiverStream::new(events).flat_map(move |event| {
            let token = |kind: &str, digest: &[u8; 32]| {
                let request = request.as_ref();
                request
                    .map(|request| tokens.make_bound(kind, request, digest))
                    .unwrap_or_default()
            };
            let frames = event
                .map_err(&refused)
                .and_then(|event| frames(event, replayed, &service.known_catalogue(), token));
            stream::iter(match frames {
                Ok(frames) => frames.into_iter().map(Ok).collect(),
                Err(status) => vec![Err(status)],
            })
        });
        Box::pin(frames)
    }

    /// What a token that a preview returned says, if there is one.
    fn bound(&self, field: &'static str, token: &str) -> Result<Option<Bound>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let problem = format!("must be a {field} that Seatwise returned; leave it empty for none");
        let opened = self.tokens.open_bound(field, token);
        let bound = opened.ok_or_else(|| invalid_field(field, problem))?;
        Ok(Some(bound))
    }
}

/// Frames as the messages of an RPC.
pub(super) fn answer<M: 'static>(
    frames: Frames<BatchFrame>,
    message: fn(Option<BatchFrame>) -> M,
) -> Response<Frames<M>> {
    let message = move |frame: Result<_, _>| frame.map(|frame| message(Some(frame)));
    Response::new(Box::pin(frames.map(message)))
}

/// What stands beside a request and is no part of it.
pub(super) struct Plea {
    pub(super) plan_token: String,
    pub(super) confirmation: String,
    pub(super) validate_only: bool,
}

/// Why a request is not carried out, or not previewed, with the places and names that it used.
fn refused(error: service::Error, catalogue: &Catalogue, id: RequestId, has_own: bool) -> Status {
    match error {
        service::Error::Refused(Refusal::SeatsShort(short)) => seats_short(catalogue, &short),
        service::Error::Refused(Refusal::RequestIdReused) => request_id_reused(id),
        service::Error::Refused(Refusal::DuplicateUser { first, second }) if has_own => {
            let field = |index| format!("user_changes[{index}].user");
            duplicate_user(field(first), field(second))
        }
        error => from_service(error),
    }
}
