//! The journal as the server streams it, and its verification. What is computed here follows the
//! description in `history.proto` and knows nothing of the server.

use std::collections::VecDeque;

use seatwise_proto::v1::{
    Checkpoint, JournalCommit, JournalRecord, RecordKind, StreamJournalRequest,
    StreamJournalResponse, history_service_client::HistoryServiceClient,
};
use sha2::{Digest, Sha256};
use tonic::Streaming;
use uuid::Uuid;

use crate::client::Caller;
use crate::{Client, Error};

/// A journal part by part, from the oldest on.
#[derive(Debug)]
#[must_use = "nothing is read before it is asked for"]
pub struct JournalStream(Streaming<StreamJournalResponse>);

impl JournalStream {
    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// If the connection is lost; begin again after the last commit that has come.
    pub async fn next(&mut self) -> Result<Option<StreamJournalResponse>, Error> {
        Ok(self.0.message().await?)
    }
}

impl Client {
    /// Streams the journal of a customer, or of the installation.
    ///
    /// # Errors
    /// See [`Error`]; the RPC's documentation names the reasons.
    pub async fn journal(&self, request: StreamJournalRequest) -> Result<JournalStream, Error> {
        let stream = async |caller: Caller| {
            let mut client = HistoryServiceClient::new(self.channel.clone());
            let parts = client
                .stream_journal(caller.request(request.clone()))
                .await?;
            Ok(JournalStream(parts.into_inner()))
        };
        self.authenticated(stream).await
    }
}

/// Why a journal is not the one that was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at position {position}: {problem}")]
#[non_exhaustive]
pub struct Flaw {
    /// The position up to which the journal is whole.
    pub position: i64,
    /// What is wrong.
    pub problem: String,
}

/// A journal that was verified.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// Where it begins: the last commit of what was pruned, of which nothing is known but this. Not set if
    /// it is whole, or if only what follows a checkpoint was verified.
    pub start: Option<Checkpoint>,
    /// Its end.
    pub end: Checkpoint,
    /// Checkpoints that it could not be compared with, since what leads to them was pruned.
    pub unreached: Vec<Checkpoint>,
}

/// Verifies a journal: that its records and commits are those that were chained, all of them and in
/// order, and that it leads to what was seen of it before. One whose oldest part was pruned is verified
/// from there on; that it was pruned must be recorded in it.
#[derive(Debug)]
pub struct Verifier {
    customer: Uuid,
    /// The commit before the first that is verified, if there is one.
    start: Option<Link>,
    /// Whether the journal must say that it was pruned up to there, and has not done so yet.
    lacks_record: bool,
    last: Link,
    unreached: Vec<Checkpoint>,
    /// Records whose commit has not come yet, with their hashes.
    waiting: VecDeque<(i64, [u8; 32])>,
    /// Where the journal must lead to.
    expected: Vec<Checkpoint>,
}

/// A commit, as far as the next one covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    position: i64,
    hash: [u8; 32],
    micros: Option<i64>,
}

impl Link {
    fn of(checkpoint: &Checkpoint) -> Result<Self, Flaw> {
        let position = checkpoint.position;
        Ok(Self {
            position,
            hash: hash(position, &checkpoint.hash)?,
            micros: Some(micros(position, checkpoint.commit_time)?),
        })
    }
}

impl Verifier {
    /// Verifies the journal of a customer from its beginning; an empty id is the installation.
    ///
    /// # Errors
    /// If the id is not a UUID.
    pub fn new(customer_id: &str) -> Result<Self, Flaw> {
        let customer = id(0, "customer_id", customer_id)?;
        let last = Link {
            position: 0,
            hash: [0; 32],
            micros: None,
        };
        Ok(Self {
            customer,
            start: None,
            lacks_record: false,
            last,
            unreached: Vec::new(),
            waiting: VecDeque::new(),
            expected: Vec::new(),
        })
    }

    /// Verifies what follows a checkpoint, which is trusted.
    ///
    /// # Errors
    /// If the checkpoint is damaged.
    pub fn after(checkpoint: &Checkpoint) -> Result<Self, Flaw> {
        let mut verifier = Self::new(&checkpoint.customer_id)?;
        verifier.last = Link::of(checkpoint)?;
        Ok(verifier)
    }

    /// Demands that the journal leads to a checkpoint that was kept elsewhere: else it was cut short
    /// or written anew since.
    ///
    /// # Errors
    /// If the checkpoint is another journal's.
    pub fn expect(&mut self, checkpoint: Checkpoint) -> Result<(), Flaw> {
        let customer = id(checkpoint.position, "customer_id", &checkpoint.customer_id)?;
        if customer != self.customer {
            return self.flaw("the checkpoint is another customer's");
        }
        if self
            .start
            .is_some_and(|start| checkpoint.position < start.position)
        {
            self.unreached.push(checkpoint);
            return Ok(());
        }
        self.expected.push(checkpoint);
        self.check_expected()
    }

    /// The position of the last commit that was verified.
    pub fn position(&self) -> i64 {
        self.last.position
    }

    /// Verifies the next part.
    ///
    /// # Errors
    /// If the journal has a flaw in it.
    pub fn add(&mut self, part: &StreamJournalResponse) -> Result<(), Flaw> {
        if let Some(start) = &part.start {
            self.begin(start)?;
        }
        if let Some(head) = &part.head {
            self.expect(head.clone())?;
        }
        for record in &part.records {
            let hash = self.hash_record(record)?;
            self.lacks_record &= !self.says_pruned(record);
            self.waiting.push_back((record.position, hash));
        }
        part.commits.iter().try_for_each(|commit| self.link(commit))
    }

    /// Says that nothing follows, and what was verified.
    ///
    /// # Errors
    /// If something is missing.
    pub fn finish(self) -> Result<Verified, Flaw> {
        if let Some((position, _)) = self.waiting.front() {
            return self.flaw(format!("the record {position} belongs to no commit"));
        }
        if let Some(missing) = self.expected.first() {
            let text = "it ends here, before the checkpoint at position";
            return self.flaw(format!("{text} {}: it was cut short", missing.position));
        }
        if self.lacks_record {
            return self
                .flaw("it begins in the middle, and has no record of having been pruned there");
        }
        Ok(Verified {
            start: self.start.map(|start| self.checkpoint(start)),
            end: self.end(),
            unreached: self.unreached,
        })
    }

    /// The end of what was verified so far.
    pub fn end(&self) -> Checkpoint {
        self.checkpoint(self.last)
    }

    fn checkpoint(&self, link: Link) -> Checkpoint {
        let time = |micros: i64| prost_types::Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
        };
        Checkpoint {
            customer_id: match self.customer {
                id if id.is_nil() => String::new(),
                id => id.to_string(),
            },
            position: link.position,
            hash: link.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            commit_time: link.micros.map(time),
        }
    }

    /// Begins where the journal does. What was verified before cannot lie behind that.
    fn begin(&mut self, start: &Checkpoint) -> Result<(), Flaw> {
        if id(start.position, "customer_id", &start.customer_id)? != self.customer {
            return self.flaw("it begins with another customer's");
        }
        let start = Link::of(start)?;
        match self.last.position {
            0 => {
                (self.last, self.start) = (start, Some(start));
                self.lacks_record = true;
            }
            position if position < start.position => {
                let text = "what follows was pruned, up to position";
                return self.flaw(format!("{text} {}", start.position));
            }
            position if position == start.position && self.last != start => {
                return self.flaw("it is not what it was when it was pruned: it was written anew");
            }
            _ => {}
        }
        let (reached, ahead) = std::mem::take(&mut self.expected)
            .into_iter()
            .partition(|checkpoint: &Checkpoint| checkpoint.position < start.position);
        (self.unreached, self.expected) = (reached, ahead);
        self.check_expected()
    }

    /// True if the record says that the journal was pruned up to where it begins.
    fn says_pruned(&self, record: &JournalRecord) -> bool {
        self.start.is_some_and(|start| {
            let numbers = [Some(start.position), start.micros].into_iter().flatten();
            let mut details: Vec<u8> = numbers.flat_map(i64::to_le_bytes).collect();
            details.extend(start.hash);
            record.kind == RecordKind::JournalPruned as i32 && record.details == details
        })
    }

    fn hash_record(&self, record: &JournalRecord) -> Result<[u8; 32], Flaw> {
        let Ok(kind) = i16::try_from(record.kind) else {
            return self.flaw(format!("the record {} has no kind", record.position));
        };
        let thing = id(record.position, "thing_id", &record.thing_id)?;
        let mut hash = Sha256::new();
        hash.update(b"seatwise record 1\n");
        hash.update(kind.to_be_bytes());
        hash.update(thing.as_bytes());
        hash.update(&record.details);
        Ok(hash.finalize().into())
    }

    /// Verifies that a commit follows the one before it and has exactly its records.
    fn link(&mut self, commit: &JournalCommit) -> Result<(), Flaw> {
        let (first, last) = (commit.first_position, commit.last_position);
        if first != self.last.position + 1 || last < first {
            return self.flaw(format!("a commit of the records {first} to {last} follows"));
        }
        let micros = micros(first, commit.commit_time)?;
        if self.last.micros.is_some_and(|before| micros < before) {
            return self.flaw("an older commit follows");
        }
        let mut link = Sha256::new();
        let text = |link: &mut Sha256, text: &str| {
            link.update((text.len() as u64).to_be_bytes());
            link.update(text);
        };
        link.update(b"seatwise commit 1\n");
        link.update(self.last.hash);
        link.update(self.customer.as_bytes());
        for number in [first, last, micros] {
            link.update(number.to_be_bytes());
        }
        text(&mut link, &commit.who);
        text(&mut link, &commit.through);
        text(&mut link, &commit.comment);
        let names = [
            ("request_id", &commit.request_id),
            ("batch_id", &commit.batch_id),
        ];
        for (field, text) in names {
            let id = id(first, field, text)?;
            if id.is_nil() && !text.is_empty() {
                return self.flaw(format!("{field} is the nil UUID"));
            }
            link.update(id.as_bytes());
        }
        for expected in first..=last {
            match self.waiting.pop_front() {
                Some((position, hash)) if position == expected => link.update(hash),
                _ => return self.flaw(format!("the record {expected} is missing")),
            }
        }
        let computed: [u8; 32] = link.finalize().into();
        if computed != hash(first, &commit.hash)? {
            return self.flaw(format!(
                "the records {first} to {last}, or what is said of their commit, were changed"
            ));
        }
        self.last = Link {
            position: last,
            hash: computed,
            micros: Some(micros),
        };
        self.check_expected()
    }

    /// Compares with the checkpoints that have been reached.
    fn check_expected(&mut self) -> Result<(), Flaw> {
        let Link { position, hash, .. } = self.last;
        let (reached, ahead): (Vec<_>, Vec<_>) = std::mem::take(&mut self.expected)
            .into_iter()
            .partition(|checkpoint| checkpoint.position <= position);
        self.expected = ahead;
        for checkpoint in reached {
            let at = checkpoint.position;
            if at < position {
                return self.flaw(format!("no commit ends at {at}, where a checkpoint is"));
            }
            let is_same_time =
                at == 0 || self.last.micros == Some(micros(at, checkpoint.commit_time)?);
            if hash != self::hash(at, &checkpoint.hash)? || !is_same_time {
                return self.flaw("it is not what it was at the checkpoint: it was written anew");
            }
        }
        Ok(())
    }

    fn flaw<T>(&self, problem: impl Into<String>) -> Result<T, Flaw> {
        let (position, problem) = (self.last.position, problem.into());
        Err(Flaw { position, problem })
    }
}

/// An id of a message; empty is the nil id.
fn id(position: i64, field: &str, text: &str) -> Result<Uuid, Flaw> {
    if text.is_empty() {
        return Ok(Uuid::nil());
    }
    Uuid::try_parse(text).map_err(|_| Flaw {
        position,
        problem: format!("{field} is not a UUID: {text}"),
    })
}

fn hash(position: i64, text: &str) -> Result<[u8; 32], Flaw> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digits).collect();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Flaw {
        position,
        problem: format!("this is not a hash: {text}"),
    })
}

fn micros(position: i64, time: Option<prost_types::Timestamp>) -> Result<i64, Flaw> {
    let micros = |time: prost_types::Timestamp| {
        let micros = time.seconds.checked_mul(1_000_000)?;
        (time.nanos % 1_000 == 0).then(|| micros + i64::from(time.nanos / 1_000))
    };
    time.and_then(micros).ok_or_else(|| Flaw {
        position,
        problem: "a commit has no time in whole microseconds".to_owned(),
    })
}
