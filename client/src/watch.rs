//! Watches: the changes of a customer as they are committed, over as many connections as it takes.

use std::collections::VecDeque;
use std::time::Duration;

use seatwise_proto::v1::{
    ErrorReason, WatchChangesRequest, WatchChangesResponse, WatchedChange,
    history_service_client::HistoryServiceClient, watch_changes_response::Frame,
};
use tokio::time::Instant;
use tonic::Streaming;

use crate::client::Caller;
use crate::follow::{RESUME_WAIT, RESUME_WAIT_MAX};
use crate::{Client, Code, Error};

/// The changes of a customer as they are committed, each once, in their order, without an end. Once it
/// has begun it survives lost connections, restarts of the server, and a reader that pauses.
///
/// It reads only while it is asked for the next change; a future that was not awaited to its end loses
/// nothing.
#[derive(Debug)]
#[must_use = "nothing is read before it is asked for"]
pub struct WatchStream {
    client: Client,
    /// Its token is that of the last frame.
    request: WatchChangesRequest,
    frames: Option<Streaming<WatchChangesResponse>>,
    /// Changes of the last frame that were not asked for yet.
    waiting: VecDeque<WatchedChange>,
    /// After what was asked for; empty before the watch has begun.
    token: String,
    /// Position of the last change that has come.
    position: i64,
    /// Wait before the next connection.
    wait: Duration,
    /// When to give up, since the connection was lost.
    give_up: Option<Instant>,
}

impl Client {
    /// Watches the changes of a customer, or of the catalogue: from now on, or from where the token of
    /// the request says.
    pub fn watch(&self, request: WatchChangesRequest) -> WatchStream {
        WatchStream {
            client: self.clone(),
            request,
            frames: None,
            waiting: VecDeque::new(),
            token: String::new(),
            position: 0,
            wait: RESUME_WAIT,
            give_up: None,
        }
    }
}

impl WatchStream {
    /// Waits until the watch has begun: all that is committed from then on will come.
    ///
    /// # Errors
    /// If it is refused, or the server is out of reach.
    pub async fn begun(&mut self) -> Result<(), Error> {
        while self.token.is_empty() && self.waiting.is_empty() {
            self.read().await?;
        }
        Ok(())
    }

    /// Waits for the next change.
    ///
    /// # Errors
    /// If the watch is refused, also when it is resumed because what it was to tell is no longer kept;
    /// or if the server is out of reach: before it has begun at once, afterwards for as long as
    /// [`resume_for`](crate::Builder::resume_for) says. It can be asked again.
    pub async fn next(&mut self) -> Result<WatchedChange, Error> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                self.token.clone_from(&change.watch_token);
                return Ok(change);
            }
            self.read().await?;
        }
    }

    /// Where another watch goes on after what has been returned; empty before the watch has begun.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Reads the next frame, on another connection if this one is lost.
    async fn read(&mut self) -> Result<(), Error> {
        loop {
            let error = match self.frame().await {
                Ok(frame) => return self.take(frame),
                Err(error) => error,
            };
            let was_open = self.frames.take().is_some();
            let can_resume = error.is_cut()
                || error.reason == ErrorReason::WatchTooSlow
                // A token that expires ends its watch; the next begins with another, if there is one.
                || (was_open && error.code == Code::Unauthenticated);
            if self.token.is_empty() || !can_resume {
                return Err(error);
            }
            let patience = Instant::now() + self.client.resume_for;
            if Instant::now() >= *self.give_up.get_or_insert(patience) {
                self.give_up = None;
                return Err(error);
            }
            let wait = self.wait;
            self.wait = (wait * 2).min(RESUME_WAIT_MAX);
            tokio::time::sleep(wait).await;
        }
    }

    async fn frame(&mut self) -> Result<Frame, Error> {
        loop {
            let frames = match &mut self.frames {
                Some(frames) => frames,
                none => {
                    let watch = async |caller: Caller| {
                        let mut client = HistoryServiceClient::new(self.client.channel.clone());
                        let request = caller.request(self.request.clone());
                        Ok(client.watch_changes(request).await?.into_inner())
                    };
                    none.insert(self.client.authenticated(watch).await?)
                }
            };
            match frames.message().await? {
                Some(message) => {
                    if let Some(frame) = message.frame {
                        return Ok(frame);
                    }
                }
                None => {
                    return Err(Error {
                        code: Code::Unavailable,
                        ..Error::protocol("a watch that ends")
                    });
                }
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<(), Error> {
        (self.wait, self.give_up) = (RESUME_WAIT, None);
        match frame {
            // Nothing waits: a frame is read when all of the one before it was asked for.
            Frame::Progress(progress) => {
                self.token.clone_from(&progress.watch_token);
                self.request.watch_token = progress.watch_token;
            }
            Frame::Changes(changes) => {
                for change in changes.changes {
                    let record = change.record.as_ref();
                    let position = record.map_or(0, |record| record.position);
                    if position <= self.position {
                        return Err(Error::protocol(format!("change {position} twice")));
                    }
                    self.position = position;
                    self.request.watch_token.clone_from(&change.watch_token);
                    self.waiting.push_back(change);
                }
            }
        }
        Ok(())
    }
}
