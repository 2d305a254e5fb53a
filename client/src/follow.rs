//! Frames of a batch from one connection after the other, until its summary.

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use seatwise_proto::v1::{
    BatchFrame, ExecuteBatchRequest, ExecuteLargeBatchRequest, StreamBatchResultsRequest,
    batch_frame::Frame, batch_service_client::BatchServiceClient,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::Caller;
use crate::{BatchRequest, Client, Code, Error};

/// Frames that wait for a slow reader; then the server waits, too.
const FRAMES_BUFFERED: usize = 256;
/// Wait before a cut stream is resumed; it doubles up to the maximum.
pub(crate) const RESUME_WAIT: Duration = Duration::from_millis(50);
pub(crate) const RESUME_WAIT_MAX: Duration = Duration::from_secs(2);
/// Users that one message may hold; more go in several.
const MESSAGE_USERS_MAX: usize = 100_000;
const PART_USERS: usize = 20_000;

/// Reads frames from the source, and on where it was cut, in a task of its own.
pub(crate) fn follow(client: Client, source: Source) -> mpsc::Receiver<Result<BatchFrame, Error>> {
    let (sender, frames) = mpsc::channel(FRAMES_BUFFERED);
    let follower = Follower {
        client,
        source,
        started: false,
        seen: HashSet::new(),
        sender,
    };
    tokio::spawn(follower.run());
    frames
}

/// The frames of an answer, whichever call it is to.
macro_rules! frames {
    ($call:expr) => {{
        let answer = $call.await?.into_inner();
        let frames: Frames = Box::pin(answer.map(|answer| answer.map(|answer| answer.frame)));
        frames
    }};
}

type Frames = Pin<Box<dyn Stream<Item = Result<Option<BatchFrame>, tonic::Status>> + Send>>;

/// Where the next connection gets its frames from.
pub(crate) enum Source {
    /// The batch is not known to be accepted: send the request (again).
    Request(BatchRequest),
    /// The moment that a preview shows cannot be had again once a part of it was passed on.
    Preview(BatchRequest),
    /// The batch is accepted: read on from the cursor.
    Stored(StreamBatchResultsRequest),
}

struct Follower {
    client: Client,
    source: Source,
    /// The reader has heard that the batch is accepted.
    started: bool,
    seen: HashSet<i32>,
    sender: mpsc::Sender<Result<BatchFrame, Error>>,
}

enum End {
    /// Summary sent, or nobody listens.
    Done,
    /// The connection is gone; whether it brought anything.
    Cut(Error, bool),
    Failed(Error),
}

impl Follower {
    async fn run(mut self) {
        let mut wait = RESUME_WAIT;
        let mut give_up = Instant::now() + self.client.resume_for;
        loop {
            match self.connection().await {
                End::Done => return,
                End::Cut(error, _) if self.started && matches!(self.source, Source::Preview(_)) => {
                    let _ = self.sender.send(Err(error)).await;
                    return;
                }
                End::Cut(error, progress) => {
                    if progress {
                        wait = RESUME_WAIT;
                        give_up = Instant::now() + self.client.resume_for;
                    }
                    if Instant::now() >= give_up {
                        let _ = self.sender.send(Err(error)).await;
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.sender.closed() => return,
                    }
                    wait = (wait * 2).min(RESUME_WAIT_MAX);
                }
                End::Failed(error) => {
                    let _ = self.sender.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// Follows one connection to its end.
    async fn connection(&mut self) -> End {
        let mut progress = false;
        let mut frames = match self.open().await {
            Ok(frames) => frames,
            Err(error) => return end(error, progress),
        };
        loop {
            let frame = tokio::select! {
                frame = frames.next() => frame,
                () = self.sender.closed() => return End::Done,
            };
            let frame = match frame {
                Some(Ok(Some(frame))) => frame,
                Some(Ok(None)) => continue,
                Some(Err(status)) => return end(status.into(), progress),
                None => return End::Cut(Error::protocol("a stream without a summary"), progress),
            };
            progress = true;
            match self.pass(frame).await {
                Ok(true) => {}
                Ok(false) => return End::Done,
                Err(error) => return End::Failed(error),
            }
        }
    }

    async fn open(&self) -> Result<Frames, Error> {
        let open = async |caller: Caller| {
            let mut client = BatchServiceClient::new(self.client.channel.clone());
            Ok(match &self.source {
                Source::Request(request) | Source::Preview(request) => match request {
                    BatchRequest::Execute(request) if count(request) <= MESSAGE_USERS_MAX => {
                        frames!(client.execute_batch(caller.request((**request).clone())))
                    }
                    BatchRequest::Execute(request) => {
                        let parts = tokio_stream::iter(parts((**request).clone()));
                        frames!(client.execute_large_batch(caller.request(parts)))
                    }
                    BatchRequest::Retry(request) => {
                        frames!(client.retry_batch(caller.request(request.clone())))
                    }
                    BatchRequest::Revert(request) => {
                        frames!(client.revert_batch(caller.request(request.clone())))
                    }
                },
                Source::Stored(place) => {
                    frames!(client.stream_batch_results(caller.request(place.clone())))
                }
            })
        };
        self.client.authenticated(open).await
    }

    /// Passes a frame on and remembers where to resume; false if it was the last one.
    async fn pass(&mut self, frame: BatchFrame) -> Result<bool, Error> {
        let mut is_last = false;
        match &frame.frame {
            Some(Frame::Started(started)) => {
                let batch = started.batch.as_ref();
                let batch = batch.ok_or_else(|| Error::protocol("`started` without a batch"))?;
                if std::mem::replace(&mut self.started, true) {
                    // A resumed stream says so again, and calls it a replay.
                    return Ok(true);
                }
                if let Source::Request(_) = self.source {
                    self.source = Source::Stored(StreamBatchResultsRequest {
                        customer_id: batch.customer_id.clone(),
                        batch_id: batch.batch_id.clone(),
                        cursor: String::new(),
                    });
                }
            }
            Some(Frame::Result(result)) => {
                match &mut self.source {
                    Source::Stored(place) => place.cursor.clone_from(&result.cursor),
                    Source::Preview(_) => {}
                    Source::Request(_) => {
                        return Err(Error::protocol("a result before `started`"));
                    }
                }
                if !self.seen.insert(result.index()) {
                    return Err(Error::protocol(format!("result {} twice", result.index())));
                }
            }
            Some(Frame::Summary(_)) => is_last = true,
            _ => {}
        }
        Ok(self.sender.send(Ok(frame)).await.is_ok() && !is_last)
    }
}

fn end(error: Error, progress: bool) -> End {
    // A token that expires ends its stream; the next is opened with another, if there is one.
    if error.is_cut() || (progress && error.code == Code::Unauthenticated) {
        End::Cut(error, progress)
    } else {
        End::Failed(error)
    }
}

fn count(request: &ExecuteBatchRequest) -> usize {
    request.users.len() + request.user_changes.len()
}

/// A large request as the messages that carry it.
fn parts(request: ExecuteBatchRequest) -> Vec<ExecuteLargeBatchRequest> {
    let ExecuteBatchRequest {
        customer_id,
        request_id,
        change,
        users,
        user_changes,
        // A selection is never too large for one message.
        selection: _,
        options,
        validate_only,
        plan_token,
        confirmation,
        comment,
    } = request;
    let mut parts = vec![ExecuteLargeBatchRequest {
        customer_id,
        request_id,
        change,
        options,
        validate_only,
        plan_token,
        confirmation,
        comment,
        ..ExecuteLargeBatchRequest::default()
    }];
    let users = users.chunks(PART_USERS);
    parts.extend(users.map(|users| ExecuteLargeBatchRequest {
        users: users.to_vec(),
        ..Default::default()
    }));
    let changes = user_changes.chunks(PART_USERS);
    parts.extend(changes.map(|changes| ExecuteLargeBatchRequest {
        user_changes: changes.to_vec(),
        ..Default::default()
    }));
    parts
}
