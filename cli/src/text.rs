//! What the command line says to people, in their language: the messages of `cli/text`. What it
//! writes for programs is the same in every language.

use std::sync::{LazyLock, OnceLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentResource, FluentValue};

/// The message of this id with these values inserted, in the language of the command.
macro_rules! text {
    ($id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::text::message(
            $crate::text::Language::spoken(),
            $id,
            &[$((stringify!($name), ::fluent_bundle::FluentValue::from($value))),*],
        )
    };
}
pub(crate) use text;

/// A language that the command line speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// What everybody gets who asks for none of these.
    English,
    Dutch,
}

static SPOKEN: OnceLock<Language> = OnceLock::new();

impl Language {
    const ALL: [Self; 2] = [Self::English, Self::Dutch];

    /// The language of a tag, as `nl-BE`.
    pub(crate) fn of(tag: &str) -> Self {
        match tag.split('-').next().unwrap_or_default() {
            primary if primary.eq_ignore_ascii_case("nl") => Self::Dutch,
            _ => Self::English,
        }
    }

    /// Makes it the language of this process, which has one command.
    pub(crate) fn speak(self) {
        SPOKEN.get_or_init(|| self);
    }

    pub(crate) fn spoken() -> Self {
        SPOKEN.get().copied().unwrap_or(Self::English)
    }

    fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../text/en.ftl"),
            Self::Dutch => include_str!("../text/nl.ftl"),
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }
}

/// The messages of each language, in the order of `Language::ALL`.
static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> =
    LazyLock::new(|| Language::ALL.map(bundle));

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let messages = FluentResource::try_new(language.source().to_owned());
    let locale = language.tag().parse().expect("a tag is well-formed");
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // Marks around what is inserted would end up in terminals and files.
    bundle.set_use_isolating(false);
    match language {
        Language::English => bundle.set_formatter(Some(|value, _| shown(value, ','))),
        Language::Dutch => bundle.set_formatter(Some(|value, _| shown(value, '.'))),
    }
    bundle
        .add_resource(messages.expect("the messages are well-formed"))
        .expect("no message is there twice");
    bundle
}

/// Numbers as people write them; the rest as it is.
fn shown(value: &FluentValue<'_>, separator: char) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(grouped(&number.value.to_string(), separator)),
        _ => None,
    }
}

/// `12345` as `12,345`.
fn grouped(digits: &str, separator: char) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A number as people write it.
pub(crate) fn number(number: u64) -> String {
    match Language::spoken() {
        Language::English => grouped(&number.to_string(), ','),
        Language::Dutch => grouped(&number.to_string(), '.'),
    }
}

/// What `text!` says.
pub(crate) fn message(
    language: Language,
    id: &str,
    values: &[(&'static str, FluentValue<'_>)],
) -> String {
    let bundle = &BUNDLES[language as usize];
    let message = bundle.get_message(id).and_then(|message| message.value());
    let message = message.expect("a test looks for every message");
    let values = values.iter().cloned().collect();
    let mut errors = Vec::new();
    let text = bundle.format_pattern(message, Some(&values), &mut errors);
    debug_assert!(errors.is_empty(), "{id}: {errors:?}");
    text.into_owned()
}

#[cfg(test)]
mod tests;
