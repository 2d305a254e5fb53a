//! `HistoryService`.

use std::pin::Pin;

use futures_util::{Stream, TryStreamExt, stream};
use seatwise_proto::v1::history_service_server::HistoryService;
use seatwise_proto::v1::{
    self, GetCheckpointRequest, GetCheckpointResponse, GetUserAtRequest, GetUserAtResponse,
    ListHistoryRequest, ListHistoryResponse, StreamJournalRequest, StreamJournalResponse,
    WatchChangesRequest, WatchChangesResponse,
};
use tonic::{Request, Response, Status};

use super::access::Pass;
use super::filter::optional;
use super::page::Page;
use super::parse::{self, Fields};
use super::records::record;
use super::status::from_service;
use super::watch::Watching;
use super::{Rpc, convert};
use crate::domain::{
    BatchId, Catalogue, Choices, CustomerId, Directory, INSTALLATION, PrincipalId, ProductId,
    Record, RecordKind, Scope, UserRef,
};
use crate::service::{
    About, Checkpoint, HistoryQuery, JournalPart, Recorded, StoredCommit, StoredRecord, Timestamp,
};

#[tonic::async_trait]
impl HistoryService for Rpc {
    async fn list_history(
        &self,
        request: Request<ListHistoryRequest>,
    ) -> Result<Response<ListHistoryResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (chain, query) = query(&request)?;
        let scope = pass.enter_journal(chain)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(|key| Some(i64::from_be_bytes(key.try_into().ok()?)))?;
        let before = slice.place.key().copied();
        let listed = self
            .service
            .history(scope, query, before, slice.limit)
            .await;
        let (mut rows, choices) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| row.seq.to_be_bytes().to_vec());
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let directory = self.service.directory().await.map_err(from_service)?;
        let record = |row| recorded(row, &choices, &catalogue, &directory);
        let records = rows.into_iter().map(record);
        Ok(Response::new(ListHistoryResponse {
            records: records.collect(),
            next_page_token: ways.next,
        }))
    }

    async fn get_user_at(
        &self,
        request: Request<GetUserAtRequest>,
    ) -> Result<Response<GetUserAtResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let user = fields.take("user", UserRef::parse(&request.user));
        let time = request.time.as_ref().ok_or("is required");
        let time = fields.take("time", time.and_then(parse::time));
        let ((customer, user), time) = fields.finish(customer.zip(user).zip(time))?;
        let scope = pass.enter(customer)?;
        let then = self.service.user_at(scope, user, Timestamp(time)).await;
        let then = then.map_err(from_service)?;
        let held = then.held.iter().map(|(product, plans)| v1::HeldProduct {
            product_id: product.to_string(),
            plans: Some(convert::plan_choice(plans)),
        });
        Ok(Response::new(GetUserAtResponse {
            user_id: then.user.to_string(),
            existed: then.active.is_some(),
            active: then.active.unwrap_or(false),
            held: held.collect(),
            position: then.position,
        }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let pass = Pass::of(&request);
        let mut fields = Fields::default();
        let chain = chain(&mut fields, &request.into_inner().customer_id);
        let chain = fields.finish(chain)?;
        let scope = pass.enter_journal(chain)?;
        let ends = self.service.journal_ends(scope).await;
        let (start, head) = ends.map_err(from_service)?;
        Ok(Response::new(GetCheckpointResponse {
            checkpoint: Some(checkpoint(chain, &head)),
            start: start.map(|start| checkpoint(chain, &start)),
        }))
    }

    type StreamJournalStream =
        Pin<Box<dyn Stream<Item = Result<StreamJournalResponse, Status>> + Send>>;

    async fn stream_journal(
        &self,
        request: Request<StreamJournalRequest>,
    ) -> Result<Response<Self::StreamJournalStream>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let chain = chain(&mut fields, &request.customer_id);
        if request.after_position < 0 {
            fields.wrong("after_position", "must not be negative; 0 means all");
        }
        let chain = fields.finish(chain)?;
        let scope = pass.enter_journal(chain)?;
        let ends = self.service.journal_ends(scope).await;
        let (start, head) = ends.map_err(from_service)?;
        let beginning = start.as_ref().map_or(0, |start| start.position);
        let reader = Reader {
            service: self.service.clone(),
            scope,
            with_decoded: request.include_decoded,
            head: Some(checkpoint(chain, &head)),
            start: start.map(|start| checkpoint(chain, &start)),
            next: Some(match request.after_position {
                0 => beginning,
                position => position,
            }),
        };
        let parts = stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next_part().await?.map(|part| (part, reader)))
        });
        Ok(Response::new(Box::pin(parts)))
    }

    type WatchChangesStream =
        Pin<Box<dyn Stream<Item = Result<WatchChangesResponse, Status>> + Send>>;

    async fn watch_changes(
        &self,
        request: Request<WatchChangesRequest>,
    ) -> Result<Response<Self::WatchChangesStream>, Status> {
        let pass = Pass::of(&request);
        let watching = Watching::begin(self, &pass, &request.into_inner()).await?;
        let frames = stream::try_unfold(watching, |mut watching| async move {
            let frames = watching.next_frames().await?;
            Ok::<_, Status>(frames.map(|frames| (frames, watching)))
        });
        let each = |frames: Vec<_>| stream::iter(frames.into_iter().map(Ok));
        Ok(Response::new(Box::pin(frames.map_ok(each).try_flatten())))
    }
}

/// Reads a journal part by part, as the caller takes them.
struct Reader {
    service: crate::service::Service,
    scope: Scope,
    with_decoded: bool,
    head: Option<v1::Checkpoint>,
    start: Option<v1::Checkpoint>,
    /// After which position to go on; none if all was read.
    next: Option<i64>,
}

impl Reader {
    async fn next_part(&mut self) -> Result<Option<StreamJournalResponse>, Status> {
        let Some(after) = self.next else {
            return Ok(None);
        };
        let part = self.service.journal(self.scope, after).await;
        let part = part.map_err(from_service)?;
        let end = part.records.last().map_or(after, |record| record.seq);
        self.next = (!part.is_last).then_some(end);
        let mut decoded = Vec::new();
        if self.with_decoded {
            let read = self.service.decode(self.scope, &part).await;
            let (records, choices) = read.map_err(from_service)?;
            let catalogue = self.service.catalogue().await.map_err(from_service)?;
            let decode = |one: Option<Record>| Some(record(&one?, &choices, &catalogue));
            decoded = records.into_iter().map(decode).collect();
        }
        Ok(Some(StreamJournalResponse {
            head: self.head.take(),
            start: self.start.take(),
            ..journal_part(part, decoded)
        }))
    }
}

fn journal_part(part: JournalPart, decoded: Vec<Option<v1::Record>>) -> StreamJournalResponse {
    let mut decoded = decoded.into_iter();
    let stored = |stored: StoredRecord| v1::JournalRecord {
        position: stored.seq,
        kind: stored.kind.into(),
        thing_id: stored.thing_id.0.to_string(),
        details: stored.details,
        record: decoded.next().flatten(),
    };
    StreamJournalResponse {
        records: part.records.into_iter().map(stored).collect(),
        commits: part.commits.into_iter().map(commit).collect(),
        head: None,
        start: None,
    }
}

fn commit(stored: StoredCommit) -> v1::JournalCommit {
    let id = |id: Option<crate::service::Id>| id.map(|id| id.0.to_string()).unwrap_or_default();
    v1::JournalCommit {
        first_position: stored.first_seq,
        last_position: stored.last_seq,
        commit_time: Some(convert::time(stored.committed_at)),
        who: stored.who,
        through: stored.through,
        request_id: id(stored.request_id),
        batch_id: id(stored.batch_id),
        comment: stored.comment,
        hash: convert::hex(&stored.hash),
    }
}

fn checkpoint(chain: CustomerId, head: &Checkpoint) -> v1::Checkpoint {
    v1::Checkpoint {
        customer_id: if chain == INSTALLATION {
            String::new()
        } else {
            chain.to_string()
        },
        position: head.position,
        hash: convert::hex(&head.hash),
        commit_time: Some(convert::time(head.at)),
    }
}

/// A record with its commit.
pub(super) fn recorded(
    row: Recorded,
    choices: &Choices,
    catalogue: &Catalogue,
    directory: &Directory,
) -> v1::HistoryRecord {
    let principal = row.who.split('/').next().unwrap_or_default();
    let principal = PrincipalId::parse(principal).ok();
    let principal = principal.and_then(|id| directory.principal(id));
    v1::HistoryRecord {
        who_name: principal.map(|one| one.name.clone()).unwrap_or_default(),
        position: row.seq,
        commit_time: Some(convert::time(row.committed_at)),
        who: row.who,
        through: row.through,
        request_id: row.request.map(|id| id.to_string()).unwrap_or_default(),
        batch_id: row.batch.map(|id| id.to_string()).unwrap_or_default(),
        comment: row.comment,
        principal_name: row.principal_name,
        record: Some(record(&row.record, choices, catalogue)),
    }
}

/// The journal that a request names.
pub(super) fn chain(fields: &mut Fields, customer: &str) -> Option<CustomerId> {
    let customer = fields.take("customer_id", optional(customer, CustomerId::parse))?;
    Some(customer.unwrap_or(INSTALLATION))
}

/// The journal that a request names, and which of its records.
fn query(request: &ListHistoryRequest) -> Result<(CustomerId, HistoryQuery), Status> {
    let mut fields = Fields::default();
    let customer = chain(&mut fields, &request.customer_id);
    let user = fields.take("user", optional(&request.user, UserRef::parse));
    let product = optional(&request.product_id, ProductId::parse);
    let product = fields.take("product_id", product);
    let batch = fields.take("batch_id", optional(&request.batch_id, BatchId::parse));
    let about = match (user.flatten(), product.flatten(), batch.flatten()) {
        (None, None, None) => About::Everything,
        (Some(user), None, None) => About::User(user),
        (None, Some(product), None) => About::License(product),
        (None, None, Some(batch)) => About::Batch(batch),
        _ => {
            let problem = "at most one of user, product_id and batch_id can be set";
            fields.wrong("user", problem);
            About::Everything
        }
    };
    if customer == Some(INSTALLATION) && !matches!(about, About::Everything) {
        fields.wrong(
            "customer_id",
            "is required with user, product_id or batch_id",
        );
    }
    let kinds = kinds(&mut fields, &request.kinds);
    let mut time = |field, time: &Option<prost_types::Timestamp>| {
        let time = time.as_ref().map(parse::time).transpose();
        fields.take(field, time).flatten().map(Timestamp)
    };
    let from = time("start_time", &request.start_time);
    let until = time("end_time", &request.end_time);
    let query = HistoryQuery {
        about,
        kinds,
        from,
        until,
    };
    Ok((fields.finish(customer)?, query))
}

/// The kinds that a request names, each once.
pub(super) fn kinds(fields: &mut Fields, named: &[i32]) -> Vec<RecordKind> {
    let mut kinds = Vec::new();
    for (index, kind) in named.iter().enumerate() {
        match RecordKind::of(*kind) {
            Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Some(_) => {}
            None => fields.wrong(format!("kinds[{index}]"), "must be a value of RecordKind"),
        }
    }
    kinds
}
