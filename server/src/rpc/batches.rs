//! `BatchService`.

use prost::Message;
use seatwise_proto::v1::batch_service_server::BatchService;
use seatwise_proto::v1::{
    self, BatchResult, CancelBatchRequest, CancelBatchResponse, ExecuteBatchRequest,
    ExecuteBatchResponse, ExecuteLargeBatchRequest, ExecuteLargeBatchResponse, GetBatchRequest,
    GetBatchResponse, ListBatchResultsRequest, ListBatchResultsResponse, ListBatchesRequest,
    ListBatchesResponse, ReasonTexts, RetryBatchRequest, RetryBatchResponse, RevertBatchRequest,
    RevertBatchResponse, StreamBatchResultsRequest, StreamBatchResultsResponse,
};
use tonic::{Request, Response, Status, Streaming};

use super::access::Pass;
use super::earlier::Earlier;
use super::execute::{Frames, Plea, answer};
use super::language::Language;
use super::page::{Page, bad_token, ids_key, read_ids};
use super::parse::{self, Fields};
use super::request::{BatchParser, Names, ParsedBatch};
use super::results::{decode, reason_texts};
use super::status::{from_service, internal, invalid_field};
use super::{Rpc, convert};
use crate::domain::{BatchId, Catalogue, CustomerId, Origin, RequestId};
use crate::service::{Retry, Revert, Users};

/// Users in one request.
const BATCH_USERS_MAX: usize = 100_000;
/// Users in a request that comes in several messages.
const LARGE_BATCH_USERS_MAX: usize = 1_000_000;
/// Chunks of results that hold a page of the largest size.
const PAGE_CHUNKS: i64 = 4;
/// Results of a page, encoded. Clients take no message above 4 MiB unless told otherwise.
const PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;

#[tonic::async_trait]
impl BatchService for Rpc {
    type ExecuteBatchStream = Frames<ExecuteBatchResponse>;

    async fn execute_batch(
        &self,
        request: Request<ExecuteBatchRequest>,
    ) -> Result<Response<Self::ExecuteBatchStream>, Status> {
        let pass = Pass::of(&request);
        let mut request = request.into_inner();
        let ids = (&request.customer_id[..], &request.request_id[..]);
        let names = names(&pass, ids, &request.comment)?;
        let plea = Plea {
            plan_token: std::mem::take(&mut request.plan_token),
            confirmation: std::mem::take(&mut request.confirmation),
            validate_only: request.validate_only,
        };
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        // A hundred thousand names take a while to read; others must not wait for it.
        let language = Language::of_call();
        let parse = move || language.within(|| parse_batch(&catalogue, request));
        let parse = tokio::task::spawn_blocking(parse);
        let parsed = parse.await.map_err(|error| internal(&error))??;
        let request = parsed.with_names(names);
        let frames = self.execute(request, plea).await?;
        Ok(answer(frames, |frame| ExecuteBatchResponse { frame }))
    }

    type ExecuteLargeBatchStream = Frames<ExecuteLargeBatchResponse>;

    async fn execute_large_batch(
        &self,
        request: Request<Streaming<ExecuteLargeBatchRequest>>,
    ) -> Result<Response<Self::ExecuteLargeBatchStream>, Status> {
        let pass = Pass::of(&request);
        let mut parts = request.into_inner();
        let missing = || invalid_field("customer_id", "is required in a first message");
        let mut part = parts.message().await?.ok_or_else(missing)?;
        let ids = (&part.customer_id[..], &part.request_id[..]);
        let names = names(&pass, ids, &part.comment)?;
        let plea = Plea {
            plan_token: std::mem::take(&mut part.plan_token),
            confirmation: std::mem::take(&mut part.confirmation),
            validate_only: part.validate_only,
        };
        let catalogue = self.service.catalogue().await.map_err(from_service)?;
        let mut parser = BatchParser::new(&catalogue, LARGE_BATCH_USERS_MAX);
        parser.options(&part.options.take().unwrap_or_default());
        if let Some(change) = part.change.take() {
            parser.shared_change(&change)?;
        }
        loop {
            parser.users(part.users)?;
            parser.user_changes(part.user_changes)?;
            match parts.message().await? {
                Some(next) => part = next,
                None => break,
            }
        }
        let request = parser.finish()?.with_names(names);
        let frames = self.execute(request, plea).await?;
        Ok(answer(frames, |frame| ExecuteLargeBatchResponse { frame }))
    }

    type RetryBatchStream = Frames<RetryBatchResponse>;

    async fn retry_batch(
        &self,
        request: Request<RetryBatchRequest>,
    ) -> Result<Response<Self::RetryBatchStream>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, id) = (&request.customer_id, &request.request_id);
        let names = (&customer[..], &id[..], &request.batch_id[..]);
        let earlier = Earlier::parse(&pass, names, request.options.as_ref(), &request.comment)?;
        let options = match earlier.options {
            Some(options) => options,
            None => {
                let batch = self.service.batch(earlier.scope, earlier.batch).await;
                let batch = batch.map_err(from_service)?;
                (batch.terms(), batch.capacity())
            }
        };
        let users = Users::Retried(Retry {
            batch: earlier.batch,
            with_skipped: request.include_skipped,
        });
        let new = (earlier.with(users, options), false);
        let plea = Plea {
            plan_token: request.plan_token,
            confirmation: request.confirmation,
            validate_only: request.validate_only,
        };
        let frames = self.execute(new, plea).await?;
        Ok(answer(frames, |frame| RetryBatchResponse { frame }))
    }

    type RevertBatchStream = Frames<RevertBatchResponse>;

    async fn revert_batch(
        &self,
        request: Request<RevertBatchRequest>,
    ) -> Result<Response<Self::RevertBatchStream>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, id) = (&request.customer_id, &request.request_id);
        let names = (&customer[..], &id[..], &request.batch_id[..]);
        let earlier = Earlier::parse(&pass, names, request.options.as_ref(), &request.comment)?;
        let options = earlier.options.unwrap_or_default();
        let users = Users::Reverted(Revert {
            batch: earlier.batch,
            takes_safe_part: request.take_safe_part,
        });
        let new = (earlier.with(users, options), false);
        let plea = Plea {
            plan_token: request.plan_token,
            confirmation: request.confirmation,
            validate_only: request.validate_only,
        };
        let frames = self.execute(new, plea).await?;
        Ok(answer(frames, |frame| RevertBatchResponse { frame }))
    }

    async fn cancel_batch(
        &self,
        request: Request<CancelBatchRequest>,
    ) -> Result<Response<CancelBatchResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let id = fields.take("batch_id", BatchId::parse(&request.batch_id));
        let origin = pass.origin(&mut fields, &request.comment);
        let ((customer, id), origin) = fields.finish(customer.zip(id).zip(origin))?;
        let scope = pass.enter(customer)?;
        let batch = self.service.cancel_batch(scope, id, origin).await;
        Ok(Response::new(CancelBatchResponse {
            batch: Some(convert::batch(&batch.map_err(from_service)?)),
        }))
    }

    type StreamBatchResultsStream = Frames<StreamBatchResultsResponse>;

    async fn stream_batch_results(
        &self,
        request: Request<StreamBatchResultsRequest>,
    ) -> Result<Response<Self::StreamBatchResultsStream>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, id) = batch_names(&request.customer_id, &request.batch_id)?;
        let scope = pass.enter(customer)?;
        let position = self.position(id, "cursor", &request.cursor)?;
        let batch = self.service.batch(scope, id).await.map_err(from_service)?;
        let frames = self.stream(scope, batch, position, true);
        Ok(answer(frames, |frame| StreamBatchResultsResponse { frame }))
    }

    async fn list_batch_results(
        &self,
        request: Request<ListBatchResultsRequest>,
    ) -> Result<Response<ListBatchResultsResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, id) = batch_names(&request.customer_id, &request.batch_id)?;
        let scope = pass.enter(customer)?;
        let size = parse::page_size(request.page_size)?;
        let position = self.position(id, "page_token", &request.page_token)?;
        let read = self
            .service
            .batch_results(scope, id, position, PAGE_CHUNKS)
            .await;
        let (batch, chunks) = read.map_err(from_service)?;
        let mut results = Vec::new();
        for chunk in chunks {
            let skip = usize::try_from(position - chunk.first_position).unwrap_or(0);
            results.extend(decode(&chunk.bytes, skip)?);
        }
        results.truncate(usize::try_from(size).expect("at most the maximum"));
        let language = Language::of_call();
        let texts = |result| ReasonTexts {
            texts: reason_texts(language, result),
        };
        let mut texts: Vec<_> = results.iter().map(texts).collect();
        let mut bytes = 0;
        let fits = |(result, texts): &(&BatchResult, &ReasonTexts)| {
            bytes += result.encoded_len() + texts.encoded_len();
            bytes <= PAGE_BYTES_MAX
        };
        let fitting = results.iter().zip(&texts).take_while(fits).count();
        results.truncate(fitting.max(1));
        texts.truncate(results.len());
        let next = position + results.len() as i64;
        let is_last = batch.has_ended() && next >= batch.user_count;
        let next_page_token = if is_last {
            String::new()
        } else {
            self.tokens.cursor(id, next)
        };
        Ok(Response::new(ListBatchResultsResponse {
            results,
            next_page_token,
            texts,
            locale: language.tag().to_owned(),
        }))
    }

    async fn get_batch(
        &self,
        request: Request<GetBatchRequest>,
    ) -> Result<Response<GetBatchResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let (customer, id) = batch_names(&request.customer_id, &request.batch_id)?;
        let scope = pass.enter(customer)?;
        let batch = self.service.batch(scope, id).await.map_err(from_service)?;
        Ok(Response::new(GetBatchResponse {
            batch: Some(convert::batch(&batch)),
        }))
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let pass = Pass::of(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let customer = fields.take("customer_id", CustomerId::parse(&request.customer_id));
        let ended = fields.take(
            "state",
            match v1::batch::State::try_from(request.state) {
                Ok(v1::batch::State::Unspecified) => Ok(None),
                Ok(v1::batch::State::Running) => Ok(Some(false)),
                Ok(v1::batch::State::Ended) => Ok(Some(true)),
                Err(_) => Err("must be STATE_RUNNING or STATE_ENDED"),
            },
        );
        let (customer, ended) = fields.finish(customer.zip(ended))?;
        let scope = pass.enter(customer)?;
        let page = Page::parse(&self.tokens, &request)?;
        let slice = page.slice(|key| read_ids(key).map(|[id]| BatchId(id)))?;
        let listed = self.service.batches(scope, ended, slice).await;
        let (mut rows, total_size) = listed.map_err(from_service)?;
        let ways = page.cut(&mut rows, |row| ids_key([row.batch_id.0]));
        Ok(Response::new(ListBatchesResponse {
            batches: rows.iter().map(convert::batch).collect(),
            next_page_token: ways.next,
            previous_page_token: ways.previous,
            last_page_token: ways.last,
            total_size,
        }))
    }
}

impl Rpc {
    fn position(&self, batch: BatchId, field: &str, cursor: &str) -> Result<i64, Status> {
        match cursor {
            "" => Ok(0),
            cursor => self
                .tokens
                .position(batch, cursor)
                .ok_or_else(|| bad_token(field)),
        }
    }
}

fn parse_batch(catalogue: &Catalogue, request: ExecuteBatchRequest) -> Result<ParsedBatch, Status> {
    let mut parser = BatchParser::new(catalogue, BATCH_USERS_MAX);
    parser.options(&request.options.unwrap_or_default());
    if let Some(change) = &request.change {
        parser.shared_change(change)?;
    }
    if let Some(selection) = &request.selection {
        parser.selection(selection)?;
    }
    parser.users(request.users)?;
    parser.user_changes(request.user_changes)?;
    parser.finish()
}

/// The names of a request, of which the customer is entered; its id is made here if the caller did not choose one.
fn names(pass: &Pass, (customer, id): (&str, &str), comment: &str) -> Result<Names, Status> {
    let mut fields = Fields::default();
    let customer = fields.take("customer_id", CustomerId::parse(customer));
    let id = fields.take("request_id", parse::optional_id(id));
    let origin = pass.origin(&mut fields, comment);
    let ((customer, id), origin) = fields.finish(customer.zip(id).zip(origin))?;
    let scope = pass.enter(customer)?;
    let request = RequestId(id);
    let origin = Origin {
        request: Some(request),
        ..origin
    };
    Ok((scope, request, origin))
}

fn batch_names(customer: &str, batch: &str) -> Result<(CustomerId, BatchId), Status> {
    let mut fields = Fields::default();
    let customer = fields.take("customer_id", CustomerId::parse(customer));
    let batch = fields.take("batch_id", BatchId::parse(batch));
    fields.finish(customer.zip(batch))
}
