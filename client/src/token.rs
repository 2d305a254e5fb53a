//! Tokens: what a client shows with each call to say who it is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;
use tonic::metadata::{Ascii, MetadataValue};

use crate::Error;

/// An error of somebody else's code.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Answer = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;

/// A token as it is sent. Its `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) MetadataValue<Ascii>);

impl Token {
    fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let value = text.is_ascii().then(|| format!("Bearer {text}").parse());
        let Some(Ok(mut value)) = value else {
            return Err(Error::token("a token is one line of ASCII"));
        };
        MetadataValue::set_sensitive(&mut value, true);
        Ok(Self(value))
    }
}

/// Where tokens come from.
#[derive(Clone, Default)]
pub(crate) enum Source {
    /// Calls are made without one.
    #[default]
    None,
    /// Always the same.
    Fixed(String),
    /// A file, which is read for each call, so that it can be replaced at any time. While it is not there,
    /// calls are made without a token.
    File(PathBuf),
    /// Somebody who is asked, and again when the server does not take the last answer any more.
    Asked(Arc<Asked>),
}

pub(crate) struct Asked {
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
    /// Held while an answer is waited for: all calls wait for the same.
    last: Mutex<Option<Token>>,
}

impl Source {
    pub(crate) fn asked<F, A>(ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        Self::Asked(Arc::new(Asked {
            ask: Box::new(move || Box::pin(ask())),
            last: Mutex::new(None),
        }))
    }

    /// Refuses a token that could not be sent.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Fixed(text) => Token::parse(text).map(drop),
            _ => Ok(()),
        }
    }

    /// The token to send.
    pub(crate) async fn token(&self) -> Result<Option<Token>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(text) => Token::parse(text).map(Some),
            Self::File(path) => read(path.clone()).await,
            Self::Asked(asked) => {
                let mut last = asked.last.lock().await;
                if last.is_none() {
                    *last = Some(asked.ask().await?);
                }
                Ok(last.clone())
            }
        }
    }

    /// Another token than the one that the server does not take, if there is one.
    pub(crate) async fn another(&self, refused: Option<&Token>) -> Result<Option<Token>, Error> {
        let token = match self {
            Self::None | Self::Fixed(_) => None,
            Self::File(path) => read(path.clone()).await?,
            Self::Asked(asked) => {
                let mut last = asked.last.lock().await;
                // Unless another call has asked meanwhile.
                if last.as_ref() == refused {
                    *last = Some(asked.ask().await?);
                }
                last.clone()
            }
        };
        Ok(token.filter(|token| Some(token) != refused))
    }

    /// What to say if the server asks for a token and there was none.
    pub(crate) fn lack(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(format!("there is no token file {}", path.display())),
            _ => None,
        }
    }
}

impl Asked {
    async fn ask(&self) -> Result<Token, Error> {
        let answer = (self.ask)().await;
        let text = answer.map_err(|error| Error::token(format!("cannot get a token: {error}")))?;
        Token::parse(&text)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Fixed(_) => f.write_str("Fixed(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Asked(_) => f.write_str("Asked(…)"),
        }
    }
}

async fn read(path: PathBuf) -> Result<Option<Token>, Error> {
    let reading = tokio::task::spawn_blocking(move || read_file(&path));
    reading.await.expect("reading a file does not panic")
}

fn read_file(path: &Path) -> Result<Option<Token>, Error> {
    let problem = |problem: &dyn fmt::Display| {
        Error::token(format!(
            "cannot use the token file {}: {problem}",
            path.display()
        ))
    };
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(problem(&"it is empty")),
        Ok(text) => Token::parse(&text)
            .map(Some)
            .map_err(|error| problem(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::parse("seatwise_canary").expect("a token");
        let source = Source::Fixed("seatwise_canary".to_owned());
        let builder = crate::Client::builder("http://127.0.0.1:1").token("seatwise_canary");
        for shown in [
            format!("{token:?}"),
            format!("{source:?}"),
            format!("{builder:?}"),
        ] {
            assert!(!shown.contains("canary"), "{shown}");
        }
        let told = Token::parse("canary\nof two lines").expect_err("no token");
        assert!(!told.message.contains("canary"), "{told}");
    }

    #[tokio::test]
    async fn a_file_is_read_anew_and_need_not_be_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let source = Source::File(path.clone());
        assert_eq!(source.token().await.expect("no file"), None);
        for text in ["one", "two\n"] {
            std::fs::write(&path, text).expect("written");
            let token = source.token().await.expect("a file");
            assert_eq!(token, Some(Token::parse(text).expect("a token")));
            assert_eq!(source.another(token.as_ref()).await.expect("read"), None);
            assert_eq!(source.another(None).await.expect("read"), token);
        }
        for text in ["", "\n", "\u{e9}"] {
            std::fs::write(&path, text).expect("written");
            let error = source.token().await.expect_err("no token");
            assert!(error.message.contains("key"), "{error}");
        }
        let error = Source::File(folder.path().to_owned()).token().await;
        error.expect_err("a folder is no token");
    }

    #[tokio::test]
    async fn who_gives_tokens_is_asked_again_for_a_refused_one_only() {
        let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let asked = count.clone();
        let source = Source::asked(move || {
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async move { Ok(format!("token-{number}")) }
        });
        let token = async || source.token().await.expect("a token").expect("one");
        let first = token().await;
        assert_eq!(token().await, first);
        let both = tokio::join!(source.another(Some(&first)), source.another(Some(&first)));
        let second = both.0.expect("a token").expect("another");
        assert_eq!(both.1.expect("a token").expect("another"), second);
        assert_eq!(second, Token::parse("token-1").expect("a token"));
        assert_eq!(token().await, second);
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}
