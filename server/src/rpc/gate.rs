//! The gate: finds out who calls, and lets a call pass if its caller may make it at all, before its message
//! is read. What it may reach is in its pass.

use std::task::{Context, Poll};

use http::Request;
use seatwise_proto::Method;
use tower::{Layer, Service};
use uuid::Uuid;

use super::access::Pass;
use super::request_log::Calling;
use crate::domain::{Caller, Customers, Grant, GrantId, PrincipalId, Roles};

/// Puts a gate in front of every RPC.
#[derive(Clone, Copy)]
pub(crate) struct Gate;

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, service: S) -> Gated<S> {
        Gated(service)
    }
}

/// The services behind the gate.
#[derive(Clone)]
pub(crate) struct Gated<S>(S);

impl<S, B> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(method) = method(request.uri().path()) {
            let caller = anybody();
            Calling::of(request.extensions()).set(caller.principal, caller.key);
            let pass = Pass::new(caller, method);
            request.extensions_mut().insert(pass);
        }
        self.0.call(request)
    }
}

/// The RPC that a path means.
fn method(path: &str) -> Option<Method> {
    let name = path.strip_prefix("/seatwise.v1.")?;
    Method::ALL.into_iter().find(|method| method.name() == name)
}

/// The caller if nobody is asked who they are.
fn anybody() -> Caller {
    Caller {
        principal: PrincipalId(Uuid::nil()),
        key: None,
        grants: vec![Grant {
            id: GrantId(Uuid::nil()),
            roles: Roles::EVERY,
            customers: Customers::All,
            expires_at: None,
        }],
    }
}
