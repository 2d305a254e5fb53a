//! Batches: a stream of results that resumes by itself, and its collected form.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use seatwise_proto::v1::{
    Batch, BatchFrame, BatchSummary, ExecuteBatchRequest, ExecuteLargeBatchRequest,
    StreamBatchResultsRequest, batch_frame::Frame, batch_result::Disposition,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Client, Error, UserResult};

/// Frames that wait for a slow reader; then the server waits, too.
const FRAMES_BUFFERED: usize = 256;
/// Wait before a cut stream is resumed; it doubles up to the maximum.
const RESUME_WAIT: Duration = Duration::from_millis(50);
const RESUME_WAIT_MAX: Duration = Duration::from_secs(2);
/// Users that one message may hold; more go in several.
const MESSAGE_USERS_MAX: usize = 100_000;
const PART_USERS: usize = 20_000;

/// The results of a batch as they are made, each once, in service order. It survives lost
/// connections and restarts of the server; when it ends without an error, every user had a result.
///
/// Dropping it does not stop the batch.
#[derive(Debug)]
#[must_use = "a batch goes on by itself, but only its results tell what became of each user"]
pub struct BatchStream {
    frames: mpsc::Receiver<Result<BatchFrame, Error>>,
    batch: Option<Batch>,
    summary: Option<BatchSummary>,
    replayed: bool,
    ended: bool,
}

impl BatchStream {
    /// Waits until the batch is accepted and returns it. From then on it runs to its end.
    ///
    /// # Errors
    /// If it is refused as a whole; then it has no effect.
    pub async fn accepted(&mut self) -> Result<&Batch, Error> {
        if self.batch.is_none()
            && let Some(frame) = self.frames.recv().await
        {
            self.absorb(frame?);
        }
        self.batch
            .as_ref()
            .ok_or_else(|| Error::protocol("a stream without a batch"))
    }

    /// The batch as last heard of. Its counts are final once the stream has ended.
    pub fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// Counts, seats and, of a preview, the plan token. `None` before the stream has ended.
    pub fn summary(&self) -> Option<&BatchSummary> {
        self.summary.as_ref()
    }

    /// True if an earlier call with the same `request_id` started the batch.
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// The next result; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<UserResult, Error>> {
        StreamExt::next(self).await
    }

    /// Waits for the end and sorts the results.
    ///
    /// # Errors
    /// If the batch is refused as a whole, or the server stays out of reach.
    pub async fn collect(self) -> Result<BatchOutcome, Error> {
        self.collect_with(|_| ()).await
    }

    /// Waits for the end and sorts the results, each of which is shown on arrival.
    ///
    /// # Errors
    /// If the batch is refused as a whole, or the server stays out of reach.
    pub async fn collect_with(
        mut self,
        mut show: impl FnMut(&UserResult),
    ) -> Result<BatchOutcome, Error> {
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        while let Some(result) = self.next().await {
            let result = result?;
            show(&result);
            match result.disposition() {
                Disposition::Applied | Disposition::Unchanged => succeeded.push(result),
                _ => failed.push(result),
            }
        }
        let summary = self
            .summary
            .ok_or_else(|| Error::protocol("a stream without a summary"))?;
        Ok(BatchOutcome {
            batch: summary.batch.clone().unwrap_or_default(),
            summary,
            replayed: self.replayed,
            succeeded,
            failed,
        })
    }

    fn absorb(&mut self, frame: BatchFrame) -> Option<UserResult> {
        match frame.frame {
            Some(Frame::Started(started)) => {
                self.replayed = started.replayed;
                self.batch = started.batch.or(self.batch.take());
            }
            Some(Frame::Progress(progress)) => self.batch = progress.batch.or(self.batch.take()),
            Some(Frame::Summary(summary)) => {
                self.batch = summary.batch.clone().or(self.batch.take());
                self.summary = Some(summary);
                self.ended = true;
            }
            Some(Frame::Result(result)) => {
                return Some(UserResult {
                    result,
                    reason_texts: frame.reason_texts,
                    locale: frame.locale,
                });
            }
            None => {}
        }
        None
    }
}

impl Stream for BatchStream {
    type Item = Result<UserResult, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ended {
            match std::task::ready!(self.frames.poll_recv(cx)) {
                Some(Ok(frame)) => {
                    if let Some(result) = self.absorb(frame) {
                        return Poll::Ready(Some(Ok(result)));
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.ended = true,
            }
        }
        Poll::Ready(None)
    }
}

/// All results of a batch that has ended. `into_result` makes failures impossible to overlook.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "some users may have failed"]
#[non_exhaustive]
pub struct BatchOutcome {
    /// The batch with its final counts.
    pub batch: Batch,
    /// Counts per reason, seats before and after and, of a preview, the plan token.
    pub summary: BatchSummary,
    /// True if an earlier call with the same `request_id` started the batch.
    pub replayed: bool,
    /// Results of users who now have what was asked for.
    pub succeeded: Vec<UserResult>,
    /// Results of the others, each with all its reasons.
    pub failed: Vec<UserResult>,
}

impl BatchOutcome {
    /// The results if no user failed, else the whole outcome as the error.
    ///
    /// # Errors
    /// If any user failed or was skipped.
    pub fn into_result(self) -> Result<Vec<UserResult>, Box<Self>> {
        if self.failed.is_empty() {
            Ok(self.succeeded)
        } else {
            Err(Box::new(self))
        }
    }
}

impl Client {
    /// Sends a batch and streams its results. Without a `request_id` one is made, so that the
    /// request can be repeated until it is accepted. Any number of users up to 1,000,000.
    pub fn batch(&self, mut request: ExecuteBatchRequest) -> BatchStream {
        if request.request_id.is_empty() {
            request.request_id = Uuid::now_v7().to_string();
        }
        request.validate_only = false;
        self.follow(Source::Request(Box::new(request)))
    }

    /// Streams what a batch would do now: the same results in the same order, and a summary with
    /// the plan token. Nothing is changed. A preview that is cut fails; it cannot be resumed.
    pub fn preview(&self, mut request: ExecuteBatchRequest) -> BatchStream {
        request.validate_only = true;
        self.follow(Source::Preview(Box::new(request)))
    }

    /// Streams the results of a batch that follow `cursor`; an empty cursor means all of them.
    pub fn batch_results(
        &self,
        customer_id: impl Into<String>,
        batch_id: impl Into<String>,
        cursor: impl Into<String>,
    ) -> BatchStream {
        self.follow(Source::Stored(StreamBatchResultsRequest {
            customer_id: customer_id.into(),
            batch_id: batch_id.into(),
            cursor: cursor.into(),
        }))
    }

    fn follow(&self, source: Source) -> BatchStream {
        let (sender, frames) = mpsc::channel(FRAMES_BUFFERED);
        let follower = Follower {
            client: self.clone(),
            source,
            started: false,
            seen: HashSet::new(),
            sender,
        };
        tokio::spawn(follower.run());
        BatchStream {
            frames,
            batch: None,
            summary: None,
            replayed: false,
            ended: false,
        }
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<Option<BatchFrame>, tonic::Status>> + Send>>;

/// Where the next connection gets its frames from.
enum Source {
    /// The batch is not known to be accepted: send the request (again).
    Request(Box<ExecuteBatchRequest>),
    /// The moment that a preview shows cannot be had again once a part of it was passed on.
    Preview(Box<ExecuteBatchRequest>),
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
            Err(status) => return end(status.into(), progress),
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

    async fn open(&self) -> Result<Frames, tonic::Status> {
        let mut client = self.client.batches();
        Ok(match &self.source {
            Source::Request(request) | Source::Preview(request)
                if count(request) <= MESSAGE_USERS_MAX =>
            {
                let answer = client
                    .execute_batch((**request).clone())
                    .await?
                    .into_inner();
                Box::pin(answer.map(|answer| answer.map(|answer| answer.frame)))
            }
            Source::Request(request) | Source::Preview(request) => {
                let parts = tokio_stream::iter(parts((**request).clone()));
                let answer = client.execute_large_batch(parts).await?.into_inner();
                Box::pin(answer.map(|answer| answer.map(|answer| answer.frame)))
            }
            Source::Stored(place) => {
                let answer = client
                    .stream_batch_results(place.clone())
                    .await?
                    .into_inner();
                Box::pin(answer.map(|answer| answer.map(|answer| answer.frame)))
            }
        })
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
    if error.is_cut() {
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
        comment,
        confirmation,
    } = request;
    let mut parts = vec![ExecuteLargeBatchRequest {
        customer_id,
        request_id,
        change,
        options,
        validate_only,
        plan_token,
        comment,
        confirmation,
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
