//! What every client command takes: the server to talk to, the token, the form of the output.

use std::fs;
use std::path::PathBuf;

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
    /// API key or JWT that says who you are. Others on this machine can see what a command was given: rather
    /// set the variable or use a file
    #[arg(
        long,
        global = true,
        env = "SEATWISE_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file",
        help_heading = "Every command"
    )]
    token: Option<String>,
    /// File with the API key or JWT
    #[arg(
        long,
        global = true,
        env = "SEATWISE_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Every command"
    )]
    token_file: Option<PathBuf>,
    /// Send the token even where it can be read on its way
    #[arg(
        long,
        global = true,
        env = "SEATWISE_ALLOW_PLAINTEXT_TOKEN",
        help_heading = "Every command"
    )]
    allow_plaintext_token: bool,
    /// File with the certificate authorities to trust, in PEM. The system's if not given
    #[arg(
        long,
        global = true,
        env = "SEATWISE_CA",
        value_name = "FILE",
        help_heading = "Every command"
    )]
    ca: Option<PathBuf>,
    /// File with the certificate that says who you are, in PEM
    #[arg(
        long,
        global = true,
        env = "SEATWISE_CLIENT_CERT",
        value_name = "FILE",
        requires = "client_key",
        help_heading = "Every command"
    )]
    client_cert: Option<PathBuf>,
    /// File with its private key, in PEM
    #[arg(
        long,
        global = true,
        env = "SEATWISE_CLIENT_KEY",
        value_name = "FILE",
        requires = "client_cert",
        help_heading = "Every command"
    )]
    client_key: Option<PathBuf>,
    /// Name that the server's certificate must be for. That of the URL if not given
    #[arg(
        long,
        global = true,
        env = "SEATWISE_SERVER_NAME",
        value_name = "NAME",
        help_heading = "Every command"
    )]
    server_name: Option<String>,
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
        let is_secure =
            self.ca.is_some() || self.client_cert.is_some() || self.server_name.is_some();
        let scheme = match (self.server.contains("://"), is_secure) {
            (true, _) => "",
            (false, true) => "https://",
            (false, false) => "http://",
        };
        let mut builder = Client::builder(format!("{scheme}{}", self.server));
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(path) = &self.token_file {
            // The client can wait for the file to appear; a command is over before.
            fs::File::open(path).map_err(|error| {
                Error::Input(format!(
                    "cannot read the token file {}: {error}",
                    path.display()
                ))
            })?;
            builder = builder.token_file(path);
        }
        if self.allow_plaintext_token {
            builder = builder.allow_plaintext_token();
        }
        if let Some(path) = &self.ca {
            builder = builder.ca_file(path);
        }
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            builder = builder.client_certificate_files(certificate, key);
        }
        if let Some(name) = &self.server_name {
            builder = builder.server_name(name);
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
