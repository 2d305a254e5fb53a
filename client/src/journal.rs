//! The journal as the server streams it, and its verification. What is computed here follows the
//! description in `history.proto` and knows nothing of the server.

use std::collections::VecDeque;

use seatwise_proto::v1::{
    Checkpoint, JournalCommit, JournalRecord, StreamJournalRequest, StreamJournalResponse,
    history_service_client::HistoryServiceClient,
};
use sha2::{Digest, Sha256};
use tonic::Streaming;
use uuid::Uuid;

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
        let mut client = HistoryServiceClient::new(self.channel());
        let parts = client.stream_journal(request).await?.into_inner();
        Ok(JournalStream(parts))
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

/// Verifies a journal: that its records and commits are those that were chained, all of them and in
/// order, and that it leads to what was seen of it before.
#[derive(Debug)]
pub struct Verifier {
    customer: Uuid,
    last: Link,
    /// Records whose commit has not come yet, with their hashes.
    waiting: VecDeque<(i64, [u8; 32])>,
    /// Where the journal must lead to.
    expected: Vec<Checkpoint>,
}

/// The last commit that was verified.
#[derive(Debug, Clone, Copy)]
struct Link {
    position: i64,
    hash: [u8; 32],
    micros: Option<i64>,
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
            last,
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
        verifier.last = Link {
            position: checkpoint.position,
            hash: hash(checkpoint.position, &checkpoint.hash)?,
            micros: Some(micros(checkpoint.position, checkpoint.commit_time)?),
        };
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
        if let Some(head) = &part.head {
            self.expect(head.clone())?;
        }
        for record in &part.records {
            let hash = self.hash_record(record)?;
            self.waiting.push_back((record.position, hash));
        }
        part.commits.iter().try_for_each(|commit| self.link(commit))
    }

    /// Says that nothing follows, and gives the end of the journal.
    ///
    /// # Errors
    /// If something is missing.
    pub fn finish(self) -> Result<Checkpoint, Flaw> {
        if let Some((position, _)) = self.waiting.front() {
            return self.flaw(format!("the record {position} belongs to no commit"));
        }
        if let Some(missing) = self.expected.first() {
            let text = "it ends here, before the checkpoint at position";
            return self.flaw(format!("{text} {}: it was cut short", missing.position));
        }
        Ok(self.end())
    }

    /// The end of what was verified so far.
    pub fn end(&self) -> Checkpoint {
        let time = |micros: i64| prost_types::Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
        };
        Checkpoint {
            customer_id: match self.customer {
                id if id.is_nil() => String::new(),
                id => id.to_string(),
            },
            position: self.last.position,
            hash: self
                .last
                .hash
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            commit_time: self.last.micros.map(time),
        }
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
