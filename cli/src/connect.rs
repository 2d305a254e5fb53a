//! What every client command takes: the server to talk to, the token, the form of the output.

use clap::Args;
use seatwise_client::Client;

use crate::error::Error;
use crate::output::Format;
use crate::text::Language;

const SERVER: &str = "http://127.0.0.1:7400";

#[derive(Args)]
pub(crate) struct Connect {
    /// Server to talk to
    #[arg(
        long,
        global = true,
        env = "SEATWISE_SERVER",
        default_value = SERVER,
        value_name = "URL",
        help_heading = "Every command"
    )]
    server: String,
    /// Token to send along. Servers do not ask for one yet
    #[arg(
        long,
        global = true,
        env = "SEATWISE_TOKEN",
        hide_env_values = true,
        help_heading = "Every command"
    )]
    token: Option<String>,
    /// Language of what is said to people: en or nl; others are English. The terminal's if not given
    #[arg(
        long,
        global = true,
        env = "SEATWISE_LANG",
        value_parser = language,
        value_name = "LANGUAGE",
        help_heading = "Every command"
    )]
    lang: Option<String>,
    /// How to print: for people, one JSON object a line, or CSV
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Table,
        hide_possible_values = true,
        value_name = "table|json|csv",
        help_heading = "Every command"
    )]
    pub(crate) output: Format,
}

impl Connect {
    /// The client; its language is the command's from here on.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        // `serve` prints its address without a scheme, and people copy it.
        let scheme = if self.server.contains("://") {
            ""
        } else {
            "http://"
        };
        let mut builder = Client::builder(format!("{scheme}{}", self.server));
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(language) = self.lang.clone().or_else(language_of_terminal) {
            Language::of(&language).speak();
            builder = builder.language(language);
        }
        Ok(builder.build()?)
    }
}

/// The language of the terminal, as POSIX names it.
#[expect(
    clippy::disallowed_methods,
    reason = "these are the system's settings, not the command's"
)]
fn language_of_terminal() -> Option<String> {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let mut locales = variables.filter_map(|name| std::env::var(name).ok());
    let locale = locales.find(|locale| !locale.is_empty())?;
    language(&locale).ok()
}

/// A language tag, also from the name of a locale: `nl_NL.UTF-8` is `nl-NL`.
fn language(locale: &str) -> Result<String, String> {
    let tag = locale.split(['.', '@']).next().unwrap_or_default();
    let tag = tag.replace('_', "-");
    let mut subtags = tag.split('-');
    let is_language = |tag: &str| {
        matches!(tag.len(), 2 | 3) && tag.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_subtag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if subtags.next().is_some_and(is_language) && subtags.all(is_subtag) {
        Ok(tag)
    } else {
        Err("is no language, as en, nl or nl-BE".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_of_the_system_name_languages() {
        for (locale, tag) in [
            ("nl", "nl"),
            ("nl-BE", "nl-BE"),
            ("nl_NL.UTF-8", "nl-NL"),
            ("nl_NL@euro", "nl-NL"),
            ("fy_DE", "fy-DE"),
            ("gsw_CH.utf8", "gsw-CH"),
        ] {
            assert_eq!(language(locale).as_deref(), Ok(tag));
        }
        for locale in [
            "", "C", "C.UTF-8", "POSIX", "n1", "nl_", "nl, en", "n\u{e9}",
        ] {
            assert!(language(locale).is_err(), "{locale}");
        }
    }
}
