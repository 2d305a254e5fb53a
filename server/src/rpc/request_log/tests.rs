use std::convert::Infallible;
use std::fmt::{Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use seatwise_proto::v1::ErrorReason;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::super::status::refuse;
use super::*;

#[test]
fn only_short_visible_ids_of_callers_are_taken() {
    let taken = |id: &[u8]| {
        let mut headers = HeaderMap::new();
        let id = HeaderValue::from_bytes(id).expect("a header");
        headers.insert(REQUEST_ID, id.clone());
        request_id(&headers) == id
    };
    assert!(taken(b"a"));
    assert!(taken(&[b'~'; REQUEST_ID_CHARS_MAX]));
    let long = [b'a'; REQUEST_ID_CHARS_MAX + 1];
    for id in [&b""[..], b"a b", b"a\tb", &[0xc3, 0xa9], &long] {
        assert!(!taken(id), "{id:?}");
    }
    let made = request_id(&HeaderMap::new());
    Uuid::try_parse(made.to_str().unwrap()).expect("a new one is a UUID");
}

#[test]
fn paths_that_callers_make_up_are_not_repeated() {
    for known in ["UserService/CreateUser", "ServerService/GetServerInfo"] {
        assert_eq!(method(&format!("/seatwise.v1.{known}")), known);
    }
    for known in ROUTINE {
        assert_eq!(method(&format!("/{known}")), known);
    }
    for path in [
        "/seatwise.v1.UserService/Secret",
        "/UserService/CreateUser",
        "/",
        "*",
    ] {
        assert_eq!(method(path), "unknown", "{path}");
    }
}

#[test]
fn the_reason_of_a_refusal_is_read_from_its_details() {
    let refused = refuse(ErrorReason::OwnRights, "no".to_owned(), &[]);
    let response = refused.into_http::<tonic::body::Body>();
    let found = info(response.headers()).map(|info| info.reason);
    assert_eq!(found.as_deref(), Some("OWN_RIGHTS"));
    assert_eq!(info(&HeaderMap::new()), None);
    for details in ["?", "AAAA"] {
        let mut headers = HeaderMap::new();
        let details = HeaderValue::from_static(details);
        headers.insert("grpc-status-details-bin", details);
        assert_eq!(info(&headers), None);
    }
}

/// How a call ends.
#[derive(Clone, Copy)]
enum End {
    /// With its status in the headers.
    Refused(&'static str),
    /// With its status after this many messages.
    Streamed(u32),
    /// Without a status.
    Broken,
    /// By a defect, before there is an answer or in its body.
    Panics,
    PanicsInBody,
    /// The caller has gone, before there is an answer or in its body.
    Gone,
    GoneFromBody,
}

/// A service that knows who calls.
struct Ending(End);

impl Service<Request<()>> for Ending {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let (principal, key) = (PrincipalId(Uuid::from_u128(1)), KeyId(Uuid::from_u128(2)));
        Calling::of(request.extensions()).set(principal, Some(key));
        let end = self.0;
        Box::pin(async move {
            let mut response = Response::new(Frames(end));
            match end {
                End::Panics => panic!("a defect"),
                End::Gone => std::future::pending().await,
                End::Refused(code) => {
                    let code = HeaderValue::from_static(code);
                    response.headers_mut().insert("grpc-status", code);
                }
                _ => {}
            }
            Ok(response)
        })
    }
}

struct Frames(End);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0 {
            End::Streamed(0) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                self.0 = End::Broken;
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            End::Streamed(messages) => {
                self.0 = End::Streamed(messages - 1);
                Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
            }
            End::PanicsInBody => panic!("a defect"),
            End::GoneFromBody => Poll::Pending,
            _ => Poll::Ready(None),
        }
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("memory takes it");
    }
}

/// Makes a call, reads the answer as far as there is one, and gives the lines.
fn lines_of(end: End) -> Vec<String> {
    let lines = Lines::default();
    let call = || {
        let mut service = RequestLog.layer(Ending(end));
        let request = Request::get("/seatwise.v1.UserService/GetUser").body(());
        let answer = service.call(request.expect("a request"));
        // What is not ready at once never is.
        let Some(Ok(mut response)) = answer.now_or_never() else {
            return;
        };
        let mut frame = || {
            let body = Pin::new(response.body_mut());
            body.poll_frame(&mut Context::from_waker(std::task::Waker::noop()))
        };
        while let Poll::Ready(Some(_)) = frame() {}
    };
    let logged = || tracing::subscriber::with_default(lines.clone(), call);
    // A defect goes on to whoever called.
    let panicked = catch_unwind(AssertUnwindSafe(logged)).is_err();
    assert_eq!(panicked, matches!(end, End::Panics | End::PanicsInBody));
    let lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    lines.clone()
}

#[test]
fn a_call_has_one_line_however_it_ends() {
    for (end, level, code) in [
        (End::Refused("5"), "INFO", "NOT_FOUND"),
        (End::Refused("7"), "WARN", "PERMISSION_DENIED"),
        (End::Refused("16"), "WARN", "UNAUTHENTICATED"),
        (End::Streamed(0), "INFO", "OK"),
        (End::Streamed(3), "INFO", "OK"),
        (End::Broken, "INFO", "UNKNOWN"),
        (End::Panics, "INFO", "INTERNAL"),
        (End::PanicsInBody, "INFO", "INTERNAL"),
        (End::Gone, "INFO", "CANCELLED"),
        (End::GoneFromBody, "INFO", "CANCELLED"),
    ] {
        let lines = lines_of(end);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let start = format!("{level} message=call method=\"UserService/GetUser\" code=\"{code}\"");
        let who = "principal=\"00000000-0000-0000-0000-000000000001\" \
            key=\"00000000-0000-0000-0000-000000000002\" request_id=";
        assert!(lines[0].starts_with(&start), "{lines:?}");
        assert!(lines[0].contains(who), "{lines:?}");
    }
}
