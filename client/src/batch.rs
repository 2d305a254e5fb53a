//! Batches: a stream of results that resumes by itself, and its collected form.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};
use seatwise_proto::v1::{
    Batch, BatchFrame, BatchSummary, StreamBatchResultsRequest, batch_frame::Frame,
    batch_result::Disposition,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::follow::{Source, follow};
use crate::{BatchRequest, Client, Error, UserResult};

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
    /// Sends a request for a batch, for the retry of one or for taking one back, and streams the results.
    /// Without a `request_id` one is made, so that the request can be repeated until it is accepted.
    /// Any number of users up to 1,000,000.
    pub fn batch(&self, request: impl Into<BatchRequest>) -> BatchStream {
        let mut request = request.into();
        if request.request_id().is_empty() {
            request = request.with_request_id(Uuid::now_v7().to_string());
        }
        self.follow(Source::Request(request.validated_only(false)))
    }

    /// Streams what a request would do now: the same results in the same order, and a summary with
    /// the plan token. Nothing is changed. A preview that is cut fails; it cannot be resumed.
    pub fn preview(&self, request: impl Into<BatchRequest>) -> BatchStream {
        self.follow(Source::Preview(request.into().validated_only(true)))
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
        BatchStream {
            frames: follow(self.clone(), source),
            batch: None,
            summary: None,
            replayed: false,
            ended: false,
        }
    }
}
