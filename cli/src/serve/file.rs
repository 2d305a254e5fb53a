//! The configuration file: options in TOML, under their names. What is wrong is told with its line.

use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::{Kind, configurable};
use crate::error::Error;

/// What a file says.
pub(super) struct File {
    name: String,
    entries: Vec<Entry>,
}

/// A line of it.
struct Entry {
    key: String,
    line: usize,
    values: Vec<String>,
}

impl File {
    /// Reads a file, whose keys are options of the command. Everything that is wrong is told at once.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Config(format!("cannot read {name}: {error}")))?;
        let entries = entries(&text, command).map_err(|problems| {
            let lines = problems.into_iter();
            let lines = lines.map(|(line, problem)| format!("{name}, line {line}: {problem}"));
            Error::Config(lines.collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Self { name, entries })
    }

    /// Makes the values defaults of those options that a command has.
    pub(super) fn give_defaults(&self, mut command: Command) -> Command {
        for entry in &self.entries {
            let arg = configurable(&command).find(|(name, _)| *name == entry.key);
            let Some(id) = arg.map(|(_, arg)| arg.get_id().to_string()) else {
                continue;
            };
            command = command.mut_arg(id, |arg| arg.default_values(entry.values.clone()));
        }
        command
    }

    /// The name of the file and the line where it sets an option.
    pub(super) fn place(&self, key: &str) -> Option<(String, usize)> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some((self.name.clone(), entry.line))
    }
}

/// What is wrong in which line.
type Problem = (usize, String);

fn entries(text: &str, command: &Command) -> Result<Vec<Entry>, Vec<Problem>> {
    let line = |offset: usize| text[..offset].matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line(span.start));
        vec![(line, error.message().to_owned())]
    })?;
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let line = line(key.span().start);
        match values(key.get_ref(), value, command) {
            Ok(values) => entries.push(Entry {
                key: key.get_ref().to_string(),
                line,
                values,
            }),
            Err(problem) => problems.push((line, problem)),
        }
    }
    // The parser gives them in the order of their names.
    problems.sort();
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(problems)
    }
}

/// The values of an option, as the command line would take them.
fn values(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    command: &Command,
) -> Result<Vec<String>, String> {
    let arg = configurable(command).find(|(name, _)| *name == key);
    let Some((_, arg)) = arg else {
        return Err(unknown(key, command));
    };
    let (kind, value) = (Kind::of(arg), value.get_ref());
    let ill_typed = |wanted: &str| format!("{key} must be {wanted}, not {}", type_of(value));
    let values = match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Kind::Number, DeValue::Integer(number)) if number.radix() == 10 => {
            Ok(vec![number.as_str().to_owned()])
        }
        (Kind::Boolean, DeValue::Boolean(is_true)) => Ok(vec![is_true.to_string()]),
        (Kind::Texts, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(format!(
                    "{key} must be a list of texts, not of {}",
                    type_of(other)
                )),
            });
            texts.collect()
        }
        (Kind::Text, _) => Err(ill_typed("a text in quotes")),
        (Kind::Number, _) => Err(ill_typed("a whole number")),
        (Kind::Boolean, _) => Err(ill_typed("true or false")),
        (Kind::Texts, _) => Err(ill_typed("a list of texts in brackets")),
    }?;
    for value in &values {
        check(arg, key, value, command)?;
    }
    Ok(values)
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Says no to a key that is no option, with the nearest one that is.
fn unknown(key: &str, command: &Command) -> String {
    let names = || configurable(command).map(|(name, _)| name);
    let written_otherwise = key.replace('_', "-");
    let nearest = names().find(|name| *name == written_otherwise).or_else(|| {
        let tried = try_with(command, format!("--{written_otherwise}=x"))?;
        match tried.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(option)) => {
                names().find(|name| option.trim_start_matches("--") == *name)
            }
            _ => None,
        }
    });
    match nearest {
        Some(name) => format!("there is no option {key}; did you mean {name}?"),
        None => {
            let names: Vec<_> = names().collect();
            format!("there is no option {key}; there are {}", names.join(", "))
        }
    }
}

/// Says what the option's parser says against a value, but never the value.
fn check(arg: &Arg, key: &str, value: &str, command: &Command) -> Result<(), String> {
    let option = arg.get_long().unwrap_or_default();
    let Some(error) = try_with(command, format!("--{option}={value}")) else {
        return Ok(());
    };
    let problem = std::error::Error::source(&error).map(ToString::to_string);
    Err(format!(
        "{key}: {}",
        problem.as_deref().unwrap_or("is not valid")
    ))
}

/// What the parser says against an argument.
fn try_with(command: &Command, argument: String) -> Option<clap::Error> {
    let command = command.clone().no_binary_name(true);
    command.try_get_matches_from([argument]).err()
}
