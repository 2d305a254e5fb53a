//! The caller's language: chosen from `accept-language`, and known wherever the call is answered,
//! also while its response is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};

/// Weight of a language that the caller gave no weight, in thousandths.
const WEIGHT_MAX: u16 = 1_000;

tokio::task_local! {
    static OF_CALL: Language;
}

/// A language that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// What everybody gets who asks for none of these.
    English,
    Dutch,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Dutch];

    /// The BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }

    /// The language of the call that is being answered; English where there is none.
    pub(super) fn of_call() -> Self {
        OF_CALL
            .try_with(|language| *language)
            .unwrap_or(Self::English)
    }

    /// Does something in this language. Tasks and threads of their own do not inherit it.
    pub(super) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        OF_CALL.sync_scope(self, work)
    }

    /// The same for a future.
    pub(super) fn speak<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        OF_CALL.scope(self, work)
    }

    fn of_headers(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_LANGUAGE).into_iter();
        let lines: Result<Vec<_>, _> = lines.map(|line| line.to_str()).collect();
        Self::accepted(&lines.unwrap_or_default().join(","))
    }

    /// The best of the languages that an `accept-language` value wants (RFC 9110, 12.5.4). English
    /// if it wants none that there is, or is malformed.
    fn accepted(value: &str) -> Self {
        let items = value.split(',').map(|item| item.trim_matches([' ', '\t']));
        let ranges: Option<Vec<_>> = items.filter(|item| !item.is_empty()).map(range).collect();
        let mut best = (0, Self::English);
        for (language, weight) in ranges.unwrap_or_default() {
            // The first of equal weight counts.
            if let Some(language) = language.filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A language range, as `nl-BE;q=0.9`: the language, if the service speaks it, and the weight.
fn range(item: &str) -> Option<(Option<Language>, u16)> {
    let (range, weight) = match item.split_once(';') {
        Some((range, weight)) => (
            range.trim_end_matches([' ', '\t']),
            thousandths(weight.trim_start_matches([' ', '\t']))?,
        ),
        None => (item, WEIGHT_MAX),
    };
    if range == "*" {
        return Some((Some(Language::English), weight));
    }
    let is_subtag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let primary = range.split('-').next().unwrap_or_default();
    if !range.split('-').all(is_subtag) || primary.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut languages = Language::ALL.into_iter();
    let language = languages.find(|language| primary.eq_ignore_ascii_case(language.tag()));
    Some((language, weight))
}

/// A weight of at most three decimals, as `q=0.9`.
fn thousandths(weight: &str) -> Option<u16> {
    let number = weight.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", _) => Some(decimals),
        ("1", 0) => Some(WEIGHT_MAX),
        _ => None,
    }
}

/// Answers every call in its caller's language.
#[derive(Clone, Copy)]
pub(crate) struct InCallersLanguage;

impl<S> Layer<S> for InCallersLanguage {
    type Service = Answering<S>;

    fn layer(&self, service: S) -> Answering<S> {
        Answering(service)
    }
}

/// The services below the layer.
#[derive(Clone)]
pub(crate) struct Answering<S>(S);

impl<S, B, R> Service<Request<B>> for Answering<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
{
    type Response = Response<Answer<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let language = Language::of_headers(request.headers());
        let answer = language.within(|| self.0.call(request));
        let answer = language.speak(answer);
        Box::pin(async move { Ok(answer.await?.map(|body| Answer { body, language })) })
    }
}

/// The body of a response. A stream makes its messages while it is read, when the call's future has
/// long ended.
pub(crate) struct Answer<B> {
    body: B,
    language: Language,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let language = self.language;
        language.within(|| Pin::new(&mut self.body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_that_there_is_answers() {
        for (value, language) in [
            ("nl", Language::Dutch),
            ("NL-be", Language::Dutch),
            ("nl-BE;q=0.9,en;q=0.1", Language::Dutch),
            ("en;q=0.1, nl-BE ; Q=0.9", Language::Dutch),
            ("de, fr;q=0.9, nl;q=0.2", Language::Dutch),
            ("nl;q=0.001", Language::Dutch),
            ("nl;q=1.000,en", Language::Dutch),
            (",nl,,", Language::Dutch),
            ("nl-Latn-NL-x-private", Language::Dutch),
            ("en;q=0.8,nl;q=0.7", Language::English),
            ("en,nl", Language::English),
            ("*,nl;q=0.9", Language::English),
            ("nl;q=0", Language::English),
            ("nld", Language::English),
            ("fr", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::accepted(value), language, "{value}");
        }
    }

    #[test]
    fn what_is_malformed_is_answered_in_english() {
        for value in [
            "nl;q=2",
            "nl;q=1.001",
            "nl;q=0.1234",
            "nl;q=.5",
            "nl;q=-1",
            "nl;q=",
            "nl;q",
            "nl;v=1",
            "nl;q=1;q=1",
            "nl en",
            "nl_NL",
            "nl-",
            "-nl",
            "nl-toolongsubtag",
            "n1",
            "nl,\u{e9}",
            "nl,<script>",
        ] {
            assert_eq!(Language::accepted(value), Language::English, "{value}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        assert_eq!(Language::of_headers(&headers), Language::English);
        headers.append(ACCEPT_LANGUAGE, "en;q=0.5".parse().unwrap());
        headers.append(ACCEPT_LANGUAGE, "nl".parse().unwrap());
        assert_eq!(Language::of_headers(&headers), Language::Dutch);
        let garbage = http::HeaderValue::from_bytes(&[0xff]).unwrap();
        headers.append(ACCEPT_LANGUAGE, garbage);
        assert_eq!(Language::of_headers(&headers), Language::English);
    }
}
