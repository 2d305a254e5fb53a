//! Watches on the wire: parts become frames, and positions tokens.

use prost::Message;
use seatwise_proto::v1::{
    WatchChangesRequest, WatchChangesResponse, WatchProgress, WatchedChange, WatchedChanges,
    watch_changes_response::Frame,
};
use tokio::sync::mpsc;
use tonic::Status;

use super::access::Pass;
use super::history::{chain, kinds, recorded};
use super::page::bad_token;
use super::parse::Fields;
use super::status::{changes_pruned, from_service, watch_too_slow};
use super::{Rpc, Tokens};
use crate::domain::CustomerId;
use crate::service::{Error, Refusal, Service, Watch, Watched};

/// Changes in one frame, encoded. Clients take no message above 4 MiB unless told otherwise.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// A watch that is being told.
pub(super) struct Watching {
    service: Service,
    tokens: Tokens,
    customer: CustomerId,
    /// The position that the last token says.
    position: i64,
    parts: mpsc::Receiver<Result<Watched, Error>>,
}

impl Watching {
    /// Begins what a request asks for.
    pub(super) async fn begin(
        rpc: &Rpc,
        pass: &Pass,
        request: &WatchChangesRequest,
    ) -> Result<Self, Status> {
        let mut fields = Fields::default();
        let customer = chain(&mut fields, &request.customer_id);
        let kinds = kinds(&mut fields, &request.kinds);
        let customer = fields.finish(customer)?;
        let scope = pass.enter_journal(customer)?;
        let opened = match &*request.watch_token {
            "" => None,
            token => {
                let position = rpc.tokens.watched(customer, token);
                Some(position.ok_or_else(|| bad_token("watch_token"))?)
            }
        };
        let watch = Watch {
            kinds,
            after: opened,
        };
        let parts = rpc.service.watch(scope, watch).await;
        Ok(Self {
            parts: parts.map_err(|error| refused(error, &rpc.tokens, customer, 0))?,
            service: rpc.service.clone(),
            tokens: rpc.tokens.clone(),
            customer,
            position: 0,
        })
    }

    /// The frames of the next part; none if there is no other.
    pub(super) async fn next_frames(
        &mut self,
    ) -> Result<Option<Vec<WatchChangesResponse>>, Status> {
        let Some(part) = self.parts.recv().await else {
            return Ok(None);
        };
        let refused = |error| refused(error, &self.tokens, self.customer, self.position);
        let part = part.map_err(refused)?;
        let last = part.records.last();
        self.position = last.map_or(part.position, |last| last.seq);
        if part.records.is_empty() {
            let progress = WatchProgress {
                watch_token: self.tokens.watch(self.customer, part.position),
                position: part.position,
            };
            return Ok(Some(vec![frame(Frame::Progress(progress))]));
        }
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let directory = self.service.directory().await.map_err(from_service)?;
        let changes = part.records.into_iter().map(|record| WatchedChange {
            watch_token: self.tokens.watch(self.customer, record.seq),
            record: Some(recorded(record, &part.choices, &catalogue, &directory)),
        });
        Ok(Some(frames(changes)))
    }
}

/// Changes in as many frames as they need.
fn frames(changes: impl Iterator<Item = WatchedChange>) -> Vec<WatchChangesResponse> {
    let mut parts = vec![WatchedChanges::default()];
    let mut bytes = 0;
    for change in changes {
        bytes += change.encoded_len();
        if bytes > FRAME_BYTES_MAX {
            bytes = change.encoded_len();
            parts.push(WatchedChanges::default());
        }
        let part = parts.last_mut().expect("there is always one");
        part.changes.push(change);
    }
    // Empty is only the first, if the first change is larger than a frame.
    parts.retain(|part| !part.changes.is_empty());
    parts
        .into_iter()
        .map(|part| frame(Frame::Changes(part)))
        .collect()
}

fn frame(frame: Frame) -> WatchChangesResponse {
    WatchChangesResponse { frame: Some(frame) }
}

/// Why a watch does not begin, or ends; `position` is what its last token says.
fn refused(error: Error, tokens: &Tokens, customer: CustomerId, position: i64) -> Status {
    match error {
        Error::Refused(Refusal::ChangesPruned { oldest }) => {
            changes_pruned(tokens.watch(customer, oldest))
        }
        Error::Refused(Refusal::BeyondJournal) => bad_token("watch_token"),
        Error::Refused(Refusal::ReaderTooSlow) => watch_too_slow(tokens.watch(customer, position)),
        error => from_service(error),
    }
}
