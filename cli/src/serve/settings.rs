//! Where the values of options are from: the command line, the environment, the configuration file, or
//! what they are by default, the stronger first.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::file::File;
use crate::error::Error;

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum From {
    Flag,
    Environment(String),
    /// The file's name and the line.
    File(String, usize),
    Default,
}

/// An option that can be configured, and its value.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// One as a rule, none if it is not set.
    pub(super) values: Vec<String>,
    pub(super) from: From,
}

/// The options of a command that runs on a database.
pub(crate) struct Settings(Vec<Setting>);

/// What a value is in the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    Texts,
}

/// Options that say where others are from, or what to do instead of serving.
const NOT_CONFIGURED: [&str; 4] = ["config", "check", "print-config", "help"];

/// The options of `serve` that a file can set.
pub(super) fn configurable(serve: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let named = serve.get_arguments();
    let named = named.filter_map(|arg| Some((arg.get_long()?, arg)));
    named.filter(|(name, _)| !NOT_CONFIGURED.contains(name))
}

/// Reads what was typed, with the values of the file that `--config` names as defaults.
pub(crate) fn configured(
    mut command: Command,
    matches: ArgMatches,
) -> Result<(Command, ArgMatches, Settings), Error> {
    let Some((called @ ("serve" | "migrate"), below)) = matches.subcommand() else {
        return Ok((command, matches, Settings(Vec::new())));
    };
    let called = called.to_owned();
    let path = below.get_one::<PathBuf>("config").cloned();
    let Some(path) = path else {
        let settings = Settings::of(&command, &called, below, None);
        return Ok((command, matches, settings));
    };
    let file = read(&command, &path)?;
    // Options with other defaults go to the end of the others.
    let in_order = command.clone();
    command = command.mut_subcommand(&called, |called| file.give_defaults(called));
    let matches = command.clone().get_matches();
    let (_, below) = matches.subcommand().expect("it was called before");
    let settings = Settings::of(&in_order, &called, below, Some(&file));
    Ok((command, matches, settings))
}

fn read(command: &Command, path: &Path) -> Result<File, Error> {
    let serve = command.find_subcommand("serve");
    File::read(path, serve.expect("it is a command"))
}

impl Settings {
    fn of(command: &Command, called: &str, matches: &ArgMatches, file: Option<&File>) -> Self {
        let called = command.find_subcommand(called).expect("it was called");
        let settings = configurable(called).map(|(name, arg)| {
            let id = arg.get_id().as_str();
            let raw = matches.get_raw(id).into_iter().flatten();
            let in_file = || file.and_then(|file| file.place(name));
            let from = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => From::Flag,
                Some(ValueSource::EnvVariable) => {
                    let variable = arg.get_env().unwrap_or_default();
                    From::Environment(variable.to_string_lossy().into_owned())
                }
                _ => in_file().map_or(From::Default, |(file, line)| From::File(file, line)),
            };
            Setting {
                name: name.to_owned(),
                kind: Kind::of(arg),
                values: raw.map(|raw| raw.to_string_lossy().into_owned()).collect(),
                from,
            }
        });
        Self(settings.collect())
    }

    /// Where an option's value is from.
    pub(super) fn source(&self, name: &str) -> &From {
        let found = self.0.iter().find(|setting| setting.name == name);
        found.map_or(&From::Default, |setting| &setting.from)
    }

    /// All of them as a file for `--config`. Some values are made of others where they are not given, or
    /// must not be shown as they are.
    pub(super) fn print(&self, implied: &[(&str, String)]) -> String {
        let lines = self.0.iter().map(|setting| {
            let name = &setting.name;
            let implied = implied.iter().find(|(known, _)| known == name);
            let values = match implied {
                // Printed with what it holds, a file of a secret would be none.
                Some(_) if name == "database" && self.is_database_in_file() => &[],
                Some((_, value)) => std::slice::from_ref(value),
                None => setting.values.as_slice(),
            };
            match setting.kind.written(values) {
                Some(value) => format!("{name} = {value}  # {}\n", setting.from),
                None => format!("# {name} is not set\n"),
            }
        });
        lines.collect()
    }

    fn is_database_in_file(&self) -> bool {
        let is_set = |name| {
            self.0
                .iter()
                .any(|s| s.name == name && !s.values.is_empty())
        };
        is_set("database-file")
            && (!is_set("database") || self.source("database-file") < self.source("database"))
    }
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("command line"),
            Self::Environment(variable) => write!(f, "environment, {variable}"),
            Self::File(file, line) => write!(f, "{file}, line {line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Kind {
    pub(super) fn of(arg: &Arg) -> Self {
        let parsed = arg.get_value_parser().type_id();
        if matches!(arg.get_action(), clap::ArgAction::Append) {
            Self::Texts
        } else if parsed == std::any::TypeId::of::<bool>() {
            Self::Boolean
        } else if parsed == std::any::TypeId::of::<std::num::NonZeroU16>() {
            Self::Number
        } else {
            Self::Text
        }
    }

    /// The values in TOML.
    fn written(self, values: &[String]) -> Option<String> {
        // What is a text of JSON is one of TOML.
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        match self {
            Self::Texts => {
                let texts: Vec<String> = values.iter().map(quoted).collect();
                Some(format!("[{}]", texts.join(", ")))
            }
            Self::Text => values.first().map(quoted),
            Self::Number | Self::Boolean => values.first().cloned(),
        }
    }
}
