//! The gate: finds out who calls, and lets a call pass if its caller may make it at all, before its message
//! is read. What it may reach is in its pass. A stream ends when its caller loses the right to it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use seatwise_proto::Method;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tonic::Status;
use tonic::body::Body as Answer;
use tower::{Layer, Service};

use super::access::{Identity, Pass};
use super::denial::{issuer_unavailable, unauthenticated};
use super::request_log::Calling;
use super::status::from_service;
use crate::domain::{Caller, Directory, KEY_PREFIX, KeyId, PrincipalKind as Kind, Secret};
use crate::identity::{Rejected, Verified, Verifier};
use crate::listen::Peer;
use crate::service::{self, now};

/// How often it is looked whether the caller of a stream still has the right to it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Health is for load balancers, which have no key.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// Puts a gate in front of every RPC.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Guard>);

struct Guard {
    service: service::Service,
    asks: bool,
    /// Of tokens, if there is an issuer.
    verifier: Option<Verifier>,
}

/// The headers of a call, and the names in the verified certificate of its connection.
type Shown<'a> = (&'a HeaderMap, Arc<[String]>);

/// What a caller has proved.
#[derive(Clone)]
enum Proof {
    /// Nobody is asked.
    Nothing,
    Key(KeyId, Secret),
    Token(Verified),
    /// The names of a client certificate.
    Certificate(Arc<[String]>),
}

impl Gate {
    /// A gate that asks everybody who they are, or nobody.
    pub(crate) fn new(service: service::Service, asks: bool, verifier: Option<Verifier>) -> Self {
        Self(Arc::new(Guard {
            service,
            asks,
            verifier,
        }))
    }
}

impl Guard {
    /// Finds out who calls.
    async fn admit(
        &self,
        calling: &Calling,
        shown: Shown<'_>,
        path: &str,
    ) -> Result<(Proof, Option<Pass>), Status> {
        let proof = self.proof(shown).await?;
        let directory = self.service.directory().await.map_err(from_service)?;
        let (caller, identity) = proof.check(&directory)?;
        calling.set(caller.principal, caller.key);
        if let Some(key) = caller.key {
            self.service.note_use(key);
        }
        let pass = method(path).map(|method| Pass::new(caller, identity, method));
        Ok((proof, pass.transpose()?))
    }

    /// What the headers show, or else the certificate.
    async fn proof(&self, (headers, names): Shown<'_>) -> Result<Proof, Status> {
        if !self.asks {
            return Ok(Proof::Nothing);
        }
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let value = match (shown.next(), shown.next()) {
            (None, _) if names.is_empty() => return Err(unauthenticated("missing")),
            (None, _) => return Ok(Proof::Certificate(names)),
            (Some(value), None) => value.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => return Err(unauthenticated("invalid")),
        };
        let token = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
            _ => return Err(unauthenticated("invalid")),
        };
        if token.starts_with(KEY_PREFIX) {
            let key = Secret::parse(token);
            let (id, secret) = key.ok_or_else(|| unauthenticated("invalid"))?;
            return Ok(Proof::Key(id, secret));
        }
        let verifier = self.verifier.as_ref();
        let verifier = verifier.ok_or_else(|| unauthenticated("invalid"))?;
        let verified = verifier.verify(token).await;
        Ok(Proof::Token(verified.map_err(rejected)?))
    }

    /// Looks again whether a call may go on.
    async fn look_again(self: Arc<Self>, proof: Proof, pass: Pass) -> Result<(), Status> {
        let directory = self.service.directory().await.map_err(from_service)?;
        let (caller, _) = proof.check(&directory)?;
        pass.again(caller)
    }
}

impl Proof {
    /// Who shows it, by this directory.
    fn check(&self, directory: &Directory) -> Result<(Caller, Option<Identity>), Status> {
        let now = now().0;
        match self {
            Self::Nothing => Ok((Caller::everybody(), None)),
            Self::Token(Verified { expires_at, .. }) if now >= *expires_at => {
                Err(unauthenticated("expired"))
            }
            Self::Token(Verified { subject, .. }) => {
                Ok(named(directory, Kind::Token, subject, now))
            }
            Self::Certificate(names) => {
                let is_known = |name: &&String| directory.named(Kind::Certificate, name).is_some();
                let mut known = names.iter().filter(is_known);
                let name = known.next().unwrap_or(&names[0]);
                if known.any(|other| other != name) {
                    // One call has one caller.
                    return Err(unauthenticated("invalid"));
                }
                Ok(named(directory, Kind::Certificate, name, now))
            }
            Self::Key(id, secret) => {
                let known = directory.key(*id);
                let known = known.filter(|(_, key)| key.is_opened_by(secret));
                let (principal, key) = known.ok_or_else(|| unauthenticated("invalid"))?;
                if key.revoked_at.is_some() {
                    return Err(unauthenticated("revoked"));
                }
                if !key.is_good(now) {
                    return Err(unauthenticated("expired"));
                }
                let identity = (Kind::Key, principal.name.clone());
                let caller = directory.caller(principal.id, Some(*id), now);
                Ok((caller, Some(identity)))
            }
        }
    }
}

/// Who has this name; without any grant if it is not known here.
fn named(directory: &Directory, kind: Kind, name: &str, now: i64) -> (Caller, Option<Identity>) {
    let principal = directory.named(kind, name);
    let caller = principal.map(|principal| directory.caller(principal.id, None, now));
    let caller = caller.unwrap_or_else(Caller::nobody);
    (caller, Some((kind, name.to_owned())))
}

/// Why a token proves nothing, as far as its bearer is told.
fn rejected(why: Rejected) -> Status {
    match why {
        Rejected::Invalid(why) => {
            tracing::info!(why, "a token was rejected");
            unauthenticated("invalid")
        }
        Rejected::Expired => unauthenticated("expired"),
        Rejected::KeysUnavailable => issuer_unavailable(),
    }
}

/// The RPC that a path means.
fn method(path: &str) -> Option<Method> {
    let name = path.strip_prefix("/seatwise.v1.")?;
    Method::ALL.into_iter().find(|method| method.name() == name)
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, service: S) -> Gated<S> {
        let guard = self.0.clone();
        Gated { service, guard }
    }
}

/// The services behind the gate.
#[derive(Clone)]
pub(crate) struct Gated<S> {
    service: S,
    guard: Arc<Guard>,
}

impl<S, B, R> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Body<Data = bytes::Bytes> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone has not been asked whether it is ready; what was asked goes with the call.
        let next = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, next);
        if request.uri().path().starts_with(HEALTH) {
            let answer = service.call(request);
            return Box::pin(async move { Ok(answer.await?.map(Answer::new)) });
        }
        let guard = self.guard.clone();
        let calling = Calling::of(request.extensions());
        let peer = request.extensions().get::<Peer>();
        let names = peer.map(|peer| peer.names.clone()).unwrap_or_default();
        Box::pin(async move {
            let shown = (request.headers(), names);
            let admitted = guard.admit(&calling, shown, request.uri().path()).await;
            let (proof, pass) = match admitted {
                Ok(admitted) => admitted,
                Err(status) => return Ok(status.into_http()),
            };
            let Some(pass) = pass else {
                return Ok(service.call(request).await?.map(Answer::new));
            };
            request.extensions_mut().insert(pass.clone());
            let response = service.call(request).await?;
            let guarded = |body| Guarded::new(Answer::new(body), guard, proof, pass);
            Ok(response.map(|body| Answer::new(guarded(body))))
        })
    }
}

type Looking = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// The body of a response, which ends when the caller loses the right to it.
struct Guarded {
    body: Answer,
    guard: Arc<Guard>,
    proof: Proof,
    pass: Pass,
    again: Interval,
    looking: Option<Looking>,
    is_over: bool,
}

impl Guarded {
    fn new(body: Answer, guard: Arc<Guard>, proof: Proof, pass: Pass) -> Self {
        let mut again = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            body,
            guard,
            proof,
            pass,
            again,
            looking: None,
            is_over: false,
        }
    }

    /// Why the call must end, once that is so.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        loop {
            if let Some(looking) = &mut self.looking {
                let seen = ready!(looking.as_mut().poll(cx));
                self.looking = None;
                match seen {
                    // The database is out of reach: what has begun goes on until more is known.
                    Err(status) if status.code() == tonic::Code::Unavailable => {}
                    Err(status) => return Poll::Ready(status),
                    Ok(()) => {}
                }
            }
            ready!(self.again.poll_tick(cx));
            let guard = self.guard.clone();
            let looking = guard.look_again(self.proof.clone(), self.pass.clone());
            self.looking = Some(Box::pin(looking));
        }
    }
}

impl Body for Guarded {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(status) = self.poll_end(cx) {
            self.is_over = true;
            let mut trailers = HeaderMap::new();
            let told = status.add_header(&mut trailers);
            return Poll::Ready(Some(told.map(|()| Frame::trailers(trailers))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
