//! Any call as anybody: an RPC by its name, its request as JSON with the fields' names of the protocol, and
//! all that is told of the answer.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use seatwise_client::Error;
use seatwise_client::transport::tonic::client::Grpc;
use seatwise_client::transport::tonic::codec::{
    Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming,
};
use seatwise_client::transport::tonic::transport::{Channel, Endpoint};
use seatwise_client::transport::tonic::{Request, Status};
use seatwise_client::v1::ErrorReason;
use serde_json::Value;

use crate::harness::Harness;

/// The one call whose answer has no end: its first message tells that it is let in.
const ENDLESS: &str = "HistoryService/WatchChanges";
/// A call that was not answered by then never will be: somebody waits for what is another's.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every RPC of the protocol.
pub(super) static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(seatwise_proto::FILE_DESCRIPTOR_SET);
    let pool = pool.expect("the descriptors are whole");
    let services = pool.services();
    let services = services.filter(|service| service.package_name() == "seatwise.v1");
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(Method).collect()
});

/// An RPC of the protocol.
#[derive(Clone)]
pub(super) struct Method(MethodDescriptor);

impl Method {
    /// The RPC of this name, as `BatchService/GetBatch`.
    pub(super) fn of(name: &str) -> &'static Self {
        let found = METHODS.iter().find(|method| method.name() == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.0.parent_service().name(), self.0.name())
    }

    /// True if the protocol promises that it changes nothing.
    pub(super) fn is_read(&self) -> bool {
        let options = self.0.method_descriptor_proto().options.as_ref();
        let level = options.map(|options| options.idempotency_level());
        level == Some(prost_types::method_options::IdempotencyLevel::NoSideEffects)
    }

    pub(super) fn descriptor(&self) -> &MethodDescriptor {
        &self.0
    }

    /// A request as it goes over the wire: its messages.
    fn encode(&self, request: &Value) -> Vec<Vec<u8>> {
        let messages = match request {
            Value::Array(messages) => messages.clone(),
            message => vec![message.clone()],
        };
        let encode = |message: Value| {
            let read = DynamicMessage::deserialize(self.0.input(), message.clone());
            let read = read.unwrap_or_else(|error| panic!("{}: {error}: {message}", self.name()));
            read.encode_to_vec()
        };
        messages.into_iter().map(encode).collect()
    }

    fn decode(&self, message: &[u8]) -> Value {
        let message = DynamicMessage::decode(self.0.output(), message);
        let message = message.expect("an answer is what the protocol says");
        serde_json::to_value(&message).expect("a message has a JSON form")
    }
}

/// What a call came to.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The messages, in canonical JSON.
    pub(super) messages: Vec<Value>,
    /// How it failed: with the text and the details as they came.
    pub(super) refusal: Option<Refusal>,
}

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) error: Box<Error>,
    pub(super) code: i32,
    pub(super) message: String,
    /// With its maps in order, which have none.
    pub(super) details: Vec<u8>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Told {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: BTreeMap<String, String>,
}

fn in_order(details: &[u8]) -> Vec<u8> {
    let mut told = Told::decode(details).expect("details are a status");
    for detail in &mut told.details {
        if detail.type_url.ends_with("google.rpc.ErrorInfo") {
            let info = ErrorInfo::decode(&*detail.value).expect("what its type says");
            detail.value = info.encode_to_vec();
        }
    }
    told.encode_to_vec()
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self {
            code: status.code().into(),
            message: status.message().to_owned(),
            details: in_order(status.details()),
            error: Box::new(status.into()),
        }
    }
}

impl Answer {
    /// Why it failed; nothing if it did not.
    pub(super) fn reason(&self) -> Option<ErrorReason> {
        self.refusal.as_ref().map(|refusal| refusal.error.reason)
    }

    /// The answer to a call that must not fail.
    pub(super) fn ok(self, what: &str) -> Value {
        assert!(self.refusal.is_none(), "{what}: {:?}", self.refusal);
        self.messages.into_iter().next().unwrap_or_default()
    }

    /// All that was told, to be searched.
    pub(super) fn told(&self) -> String {
        let refusal = self.refusal.iter();
        let refusal = refusal.map(|one| {
            let details = String::from_utf8_lossy(&one.details).into_owned();
            format!("{}\n{details}", one.message)
        });
        let messages = self.messages.iter().map(ToString::to_string);
        messages.chain(refusal).collect::<Vec<_>>().join("\n")
    }
}

/// A connection that shows what it is told to show.
#[derive(Clone)]
pub(super) struct Wire(Channel);

impl Wire {
    pub(super) fn to(server: &Harness) -> Self {
        let endpoint = Endpoint::from_shared(server.endpoint());
        Self(endpoint.expect("an address").connect_lazy())
    }

    /// Makes a call with these values of `authorization`.
    pub(super) async fn call(&self, shown: &[&str], method: &Method, request: &Value) -> Answer {
        let answer = tokio::time::timeout(PATIENCE, self.answer(shown, method, request)).await;
        answer.unwrap_or_else(|_| panic!("{} of {request} has no end", method.name()))
    }

    async fn answer(&self, shown: &[&str], method: &Method, request: &Value) -> Answer {
        let mut messages = Vec::new();
        let called = self.frames(shown, method, request).await;
        let refusal = match called {
            Err(status) => Some(status),
            Ok(mut frames) => loop {
                match frames.message().await {
                    Ok(Some(message)) => messages.push(method.decode(&message)),
                    Ok(None) => break None,
                    Err(status) => break Some(status),
                }
                if method.name() == ENDLESS {
                    break None;
                }
            },
        };
        let refusal = refusal.map(Refusal::from);
        Answer { messages, refusal }
    }

    async fn frames(
        &self,
        shown: &[&str],
        method: &Method,
        request: &Value,
    ) -> Result<Streaming<Vec<u8>>, Status> {
        let mut request = Request::new(tokio_stream::iter(method.encode(request)));
        for value in shown {
            let value = value.parse().expect("headers are ASCII");
            request.metadata_mut().append("authorization", value);
        }
        let path = format!("/seatwise.v1.{}", method.name());
        let path = path.parse().expect("a path");
        let mut grpc = Grpc::new(self.0.clone());
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::unavailable(error.to_string()))?;
        let answer = grpc.streaming(request, path, Plain).await?;
        Ok(answer.into_inner())
    }
}

/// Somebody who calls, with a key.
#[derive(Clone)]
pub(super) struct Caller {
    wire: Wire,
    shown: String,
}

impl Caller {
    pub(super) fn new(wire: &Wire, secret: &str) -> Self {
        Self {
            wire: wire.clone(),
            shown: format!("Bearer {}", secret.trim()),
        }
    }

    pub(super) async fn call(&self, method: &str, request: &Value) -> Answer {
        let method = Method::of(method);
        self.wire.call(&[&self.shown], method, request).await
    }

    /// Makes a call that must not fail.
    pub(super) async fn must(&self, method: &str, request: Value) -> Value {
        self.call(method, &request).await.ok(method)
    }
}

/// Messages as bytes.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let message = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(message.to_vec()))
    }
}
