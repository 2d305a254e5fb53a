//! The request log: one line for each call when it has ended, also if it was refused, cancelled or is a
//! defect. It says who called what and what came of it, with ids; what was sent, it never says.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use prost::Message;
use seatwise_proto::Method;
use tonic::Code;
use tonic_types::pb::{ErrorInfo, Status as Details};
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::domain::{KeyId, PrincipalId};
use crate::listen::Peer;

/// What the lines are filtered by.
const TARGET: &str = "seatwise::calls";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a caller.
const REQUEST_ID_CHARS_MAX: usize = 128;
/// Senders of binary metadata may pad it or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// What is called besides the service, again and again, by what watches it.
const ROUTINE: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Who makes a call, to be filled in by the gate once it knows. In the extensions of each request.
#[derive(Clone, Debug, Default)]
pub(super) struct Calling(Arc<OnceLock<(PrincipalId, Option<KeyId>)>>);

impl Calling {
    /// That of a call.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Says who it is. The first who says it is right.
    pub(super) fn set(&self, principal: PrincipalId, key: Option<KeyId>) {
        let _ = self.0.set((principal, key));
    }
}

/// Logs every call.
#[derive(Clone, Copy)]
pub(crate) struct RequestLog;

impl<S> Layer<S> for RequestLog {
    type Service = Logging<S>;

    fn layer(&self, service: S) -> Logging<S> {
        Logging(service)
    }
}

/// The services below the layer.
#[derive(Clone)]
pub(crate) struct Logging<S>(S);

impl<S, B, R> Service<Request<B>> for Logging<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
{
    type Response = Response<Logged<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut call = Call::of(&request);
        request.extensions_mut().insert(call.calling.clone());
        let answer = call.span.in_scope(|| self.0.call(request));
        let answer = answer.instrument(call.span.clone());
        Box::pin(async move {
            let mut response = answer.await?;
            let headers = response.headers_mut();
            headers.insert(REQUEST_ID, call.request_id.clone());
            // A refusal has no body to wait for.
            call.end_with(headers);
            Ok(response.map(|body| Logged { body, call }))
        })
    }
}

/// The body of a response, which is logged when it ends.
pub(crate) struct Logged<B> {
    body: B,
    call: Call,
}

impl<B: Body + Unpin> Body for Logged<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let span = self.call.span.clone();
        let frame = ready!(span.in_scope(|| Pin::new(&mut self.body).poll_frame(cx)));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.call.end_with(trailers);
                }
            }
            Some(Err(_)) | None => self.call.end(Code::Unknown, None),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A call that goes on.
struct Call {
    started: Instant,
    method: &'static str,
    request_id: HeaderValue,
    peer: Option<String>,
    calling: Calling,
    /// What is logged within the call has its request id.
    span: Span,
    has_ended: bool,
}

impl Call {
    fn of<B>(request: &Request<B>) -> Self {
        let request_id = request_id(request.headers());
        let shown = request_id.to_str().unwrap_or_default();
        // As high as it can be, so that it is there for every line that is.
        let span = tracing::error_span!(target: TARGET, "call", id = shown);
        let peer = request.extensions().get::<Peer>();
        Self {
            started: Instant::now(),
            method: method(request.uri().path()),
            request_id,
            peer: peer.map(|peer| peer.address.to_string()),
            calling: Calling::default(),
            span,
            has_ended: false,
        }
    }

    /// Ends the call if these headers are the last ones.
    fn end_with(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            self.end(Code::from_bytes(code.as_bytes()), info(headers).as_ref());
        }
    }

    fn end(&mut self, code: Code, info: Option<&ErrorInfo>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let who = self.calling.0.get();
        let principal = who.map(|(principal, _)| match principal.0 {
            id if id.is_nil() => "anonymous".to_owned(),
            id => id.to_string(),
        });
        let reason = info.map(|info| info.reason.as_str());
        // Why somebody is not let in is one of a few words; other metadata has what callers have sent.
        let problem = info.filter(|_| code == Code::Unauthenticated);
        let problem = problem.and_then(|info| info.metadata.get("problem"));
        let problem = problem.map(String::as_str);
        let key = who.and_then(|(_, key)| key.map(|key| key.to_string()));
        let milliseconds = self.started.elapsed().as_secs_f64() * 1_000.0;
        macro_rules! log {
            ($level:ident) => {
                tracing::event!(
                    target: TARGET,
                    tracing::Level::$level,
                    method = self.method,
                    code = name(code),
                    reason,
                    problem,
                    milliseconds = (milliseconds * 1_000.0).round() / 1_000.0,
                    principal,
                    key,
                    request_id = self.request_id.to_str().unwrap_or_default(),
                    peer = self.peer,
                    "call"
                )
            };
        }
        match code {
            Code::Unauthenticated | Code::PermissionDenied => log!(WARN),
            _ if ROUTINE.contains(&self.method) => log!(DEBUG),
            _ => log!(INFO),
        }
    }
}

impl Drop for Call {
    /// Who was answered to has gone, or a defect has ended the call.
    fn drop(&mut self) {
        let is_defect = std::thread::panicking();
        self.end(
            if is_defect {
                Code::Internal
            } else {
                Code::Cancelled
            },
            None,
        );
    }
}

/// The caller's id of the call, if it is a good one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(REQUEST_ID);
    let is_good = |id: &&HeaderValue| {
        let id = id.as_bytes();
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
    };
    given.filter(is_good).cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        id.parse().expect("a UUID is ASCII")
    })
}

/// The name of the RPC at a path. Any other path is the caller's own text.
fn method(path: &str) -> &'static str {
    let path = path.strip_prefix('/').unwrap_or(path);
    let names = Method::ALL.into_iter().map(Method::name);
    let ours = path.strip_prefix("seatwise.v1.");
    let found = ours.and_then(|path| names.into_iter().find(|name| *name == path));
    let routine = || ROUTINE.into_iter().find(|name| *name == path);
    found.or_else(routine).unwrap_or("unknown")
}

/// The reason in the details of a status, with its metadata.
fn info(headers: &HeaderMap) -> Option<ErrorInfo> {
    let details = headers.get("grpc-status-details-bin")?;
    let details = BASE64.decode(details.as_bytes()).ok()?;
    let details = Details::decode(details.as_slice()).ok()?;
    let is_info = |any: &&prost_types::Any| any.type_url.ends_with("/google.rpc.ErrorInfo");
    let info = details.details.iter().find(is_info)?;
    ErrorInfo::decode(info.value.as_slice()).ok()
}

/// The code as the specification of gRPC calls it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
