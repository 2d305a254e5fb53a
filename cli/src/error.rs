//! What a command can end with.

use seatwise_client::Code;
use seatwise_client::v1::ErrorReason;

use crate::exit;
use crate::text::text;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Error {
    /// The server refused, or is out of reach.
    Call(seatwise_client::Error),
    /// The server could not run.
    Server(seatwise_server::server::Error),
    /// The configuration of the server is wrong: place and way out are in the text.
    Config(String),
    /// The input is wrong: file, line and way out are in the text.
    Input(String),
    /// Who read the output has gone, as `head` does when it has enough.
    OutputClosed,
    /// Anything else.
    Failed(String),
}

impl Error {
    pub(crate) fn exit_code(&self) -> u8 {
        use Code::{DeadlineExceeded, Other, Unavailable};
        match self {
            // These leave open what the server has done.
            Self::Call(error) if matches!(error.code, Unavailable | DeadlineExceeded | Other) => {
                exit::FAILED
            }
            Self::OutputClosed => exit::OUTPUT_CLOSED,
            Self::Config(_) | Self::Server(seatwise_server::server::Error::Refused(_)) => {
                exit::CONFIG
            }
            Self::Call(_) | Self::Input(_) => exit::REFUSED,
            Self::Server(_) | Self::Failed(_) => exit::FAILED,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Not the service's own words: nobody has answered.
            Self::Call(error)
                if error.code == Code::Unavailable && error.reason == ErrorReason::Unspecified =>
            {
                f.write_str(&text!("server-unreachable", problem = error.to_string()))
            }
            Self::Call(error) => {
                let localized = error.localized.as_ref();
                // English says more in the message itself: also what is wrong with the first field.
                let told = match localized.filter(|localized| localized.locale != "en") {
                    Some(localized) => {
                        f.write_str(&localized.text)?;
                        // The text says how many seats of the first product are missing.
                        usize::from(error.reason == ErrorReason::SeatsShort)
                    }
                    None => {
                        f.write_str(&error.message)?;
                        1
                    }
                };
                for violation in error.violations.iter().skip(told) {
                    write!(f, "\n  {}: {}", violation.field, violation.problem)?;
                }
                match error.reason {
                    ErrorReason::SeatsShort => write!(f, "\n{}", text!("seats-short-way-out")),
                    ErrorReason::Unauthenticated => write!(f, "\n{}", text!("show-a-key")),
                    ErrorReason::ChangesPruned => {
                        let oldest = error.metadata.get("oldestWatchToken");
                        let oldest = oldest.map(String::as_str).unwrap_or_default();
                        write!(f, "\n{}", text!("watch-from-oldest", token = oldest))
                    }
                    ErrorReason::ConfirmationRequired | ErrorReason::SeatsBelowAssigned => {
                        let confirmation = error.metadata.get("confirmation");
                        let confirmation = confirmation.map(String::as_str).unwrap_or_default();
                        write!(
                            f,
                            "\n{}",
                            text!("confirm-way-out", confirmation = confirmation)
                        )
                    }
                    _ => Ok(()),
                }
            }
            Self::Server(error) => write!(f, "{error}"),
            Self::OutputClosed => f.write_str("nobody reads the output"),
            Self::Config(text) | Self::Input(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl From<seatwise_client::Error> for Error {
    fn from(error: seatwise_client::Error) -> Self {
        Self::Call(error)
    }
}

impl From<seatwise_server::server::Error> for Error {
    fn from(error: seatwise_server::server::Error) -> Self {
        Self::Server(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failed(error.to_string()),
        }
    }
}
