//! Errors of calls, with all that a caller can act on.

use std::collections::HashMap;
use std::time::Duration;

use seatwise_proto::v1::ErrorReason;
use tonic_types::StatusExt;

/// What is wrong, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localized {
    /// The language, as `en`.
    pub locale: String,
    /// One or two sentences.
    pub text: String,
}

/// A field of the request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, as `users[3]`; of a condition that is not met, what it is about: the id of
    /// a product without enough seats.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

/// The kinds of failure, as far as a caller may want to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The request is wrong in itself.
    InvalidArgument,
    /// Something does not exist, or is another customer's.
    NotFound,
    /// Something exists already.
    AlreadyExists,
    /// The request cannot be done as things are.
    FailedPrecondition,
    /// Somebody else changed the thing in between.
    Aborted,
    /// The message is larger than the server takes.
    OutOfRange,
    /// The caller is not known, or has no token to show.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// Too many calls.
    ResourceExhausted,
    /// The server is out of reach or stopping; try again.
    Unavailable,
    /// There was no answer in time.
    DeadlineExceeded,
    /// There is no secure connection, because of a certificate or a setting of the server's or the client's:
    /// the message says which.
    Tls,
    /// Anything else.
    Other,
}

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// One or two sentences in English: what is wrong and what to do about it.
    pub message: String,
    /// Seatwise's reason; `Unspecified` if the error is not from the service itself.
    pub reason: ErrorReason,
    /// The values that the message speaks of.
    pub metadata: HashMap<String, String>,
    /// What is wrong in the language that was asked for, if the error is from the service itself.
    pub localized: Option<Box<Localized>>,
    /// Every wrong field, or every condition that is not met, 20 at most.
    pub violations: Box<[Violation]>,
    /// How long to wait before the next try, if the server said so.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// True if the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        self.code == Code::Unavailable
    }

    /// True if the connection failed rather than the call.
    pub(crate) fn is_cut(&self) -> bool {
        let is_transport = self.reason == ErrorReason::Unspecified && self.code == Code::Other;
        is_transport || self.is_retryable()
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self {
            // Not `Other`: this is no cut, and the next try would end the same.
            code: Code::OutOfRange,
            message: format!("the server broke the protocol: {}", message.into()),
            reason: ErrorReason::Unspecified,
            metadata: HashMap::new(),
            localized: None,
            violations: Box::default(),
            retry_after: None,
        }
    }

    pub(crate) fn token(problem: impl Into<String>) -> Self {
        Self {
            code: Code::Unauthenticated,
            message: problem.into(),
            ..Self::protocol("")
        }
    }

    pub(crate) fn tls(problem: &str) -> Self {
        Self {
            code: Code::Tls,
            message: format!("no secure connection: {problem}"),
            ..Self::protocol("")
        }
    }

    pub(crate) fn endpoint(problem: impl std::fmt::Display) -> Self {
        Self {
            code: Code::InvalidArgument,
            message: format!("cannot use the endpoint: {problem}"),
            ..Self::protocol("")
        }
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let reason = info
            .and_then(|info| ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason)));
        let fields = details.bad_request().into_iter().flat_map(|bad| {
            let wrong = bad.field_violations.iter();
            wrong.map(|wrong| (&wrong.field, &wrong.description))
        });
        let conditions = details
            .precondition_failure()
            .into_iter()
            .flat_map(|failed| {
                let unmet = failed.violations.iter();
                unmet.map(|unmet| (&unmet.subject, &unmet.description))
            });
        let violations = fields.chain(conditions).map(|(field, problem)| Violation {
            field: field.clone(),
            problem: problem.clone(),
        });
        let localized = details.localized_message().map(|said| {
            Box::new(Localized {
                locale: said.locale.clone(),
                text: said.message.clone(),
            })
        });
        let code = code(status.code());
        let message = match (status.message(), code) {
            ("", Code::Unavailable) => "the server is out of reach".to_owned(),
            (message, _) => message.to_owned(),
        };
        Self {
            code,
            message,
            reason: reason.unwrap_or(ErrorReason::Unspecified),
            metadata: info.map(|info| info.metadata.clone()).unwrap_or_default(),
            localized,
            violations: violations.collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

fn code(code: tonic::Code) -> Code {
    match code {
        tonic::Code::InvalidArgument => Code::InvalidArgument,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::AlreadyExists => Code::AlreadyExists,
        tonic::Code::FailedPrecondition => Code::FailedPrecondition,
        tonic::Code::Aborted => Code::Aborted,
        tonic::Code::OutOfRange => Code::OutOfRange,
        tonic::Code::Unauthenticated => Code::Unauthenticated,
        tonic::Code::PermissionDenied => Code::PermissionDenied,
        tonic::Code::ResourceExhausted => Code::ResourceExhausted,
        tonic::Code::Unavailable => Code::Unavailable,
        tonic::Code::DeadlineExceeded => Code::DeadlineExceeded,
        _ => Code::Other,
    }
}
