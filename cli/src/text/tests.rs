//! Every message that the sources ask for is there in every language, with the values that it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::*;

#[test]
fn every_language_has_the_messages_that_the_sources_ask_for_and_inserts_what_they_give() {
    let asked = asked();
    assert!(asked.len() > 20, "found only {asked:?}");
    for language in Language::ALL {
        let messages = messages(language);
        let idle = messages.keys().filter(|id| !asked.contains_key(**id));
        let idle: Vec<_> = idle.collect();
        assert!(idle.is_empty(), "{language:?} has no use for {idle:?}");
        for (id, given) in &asked {
            let message = messages.get(id.as_str());
            let message = message.unwrap_or_else(|| panic!("{language:?} lacks {id}"));
            for given in given {
                assert_eq!(&inserted(message), given, "{id} in {language:?}");
            }
        }
    }
}

#[test]
fn numbers_look_as_the_language_writes_them_and_choose_the_form() {
    let users = |language, count: u64| message(language, "users", &[("count", count.into())]);
    assert_eq!(users(Language::English, 1), "1 user");
    assert_eq!(users(Language::English, 12_345), "12,345 users");
    assert_eq!(users(Language::Dutch, 1), "1 gebruiker");
    assert_eq!(users(Language::Dutch, 1_000_000), "1.000.000 gebruikers");
    for (digits, text) in [("0", "0"), ("-123", "-123"), ("-1234", "-1,234")] {
        assert_eq!(grouped(digits, ','), text);
    }
}

#[test]
fn a_language_is_known_by_its_tag() {
    for tag in ["nl", "NL-be", "nl-NL"] {
        assert_eq!(Language::of(tag), Language::Dutch, "{tag}");
    }
    for tag in ["en", "fr", "nld-x", ""] {
        assert_eq!(Language::of(tag), Language::English, "{tag}");
    }
}

/// How a use begins; not as one, since this is a source as well.
const USE: &str = concat!("text!", "(");

/// The ids in the sources' `text!`, each with the names of the values of every use.
fn asked() -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let mut asked = BTreeMap::<String, Vec<_>>::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(path).expect("a source file");
            for text in source.split(USE).skip(1) {
                let text = text.trim_start().strip_prefix('"');
                if let Some((id, values)) = text.and_then(|text| text.split_once('"')) {
                    asked.entry(id.to_owned()).or_default().push(names(values));
                }
            }
        }
    }
    asked
}

/// The names in `, name = value, …)`: what stands before an `=` outside of every bracket.
fn names(values: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut part) = (0, String::new());
    for c in values.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => part.clear(),
            '=' if depth == 0 => {
                names.insert(part.trim().to_owned());
            }
            c if depth == 0 => part.push(c),
            _ => {}
        }
    }
    names
}

/// The messages of a language as they are written, by id.
fn messages(language: Language) -> BTreeMap<&'static str, String> {
    let mut messages = BTreeMap::new();
    let mut id = "";
    for line in language.source().lines() {
        match line.split_once(" = ") {
            Some((name, start)) if !line.starts_with([' ', '#']) => {
                id = name;
                messages.insert(id, start.to_owned());
            }
            _ if line.starts_with([' ', '}']) => {
                let message = messages.get_mut(id).expect("a message goes on");
                message.push_str(line);
            }
            _ => {}
        }
    }
    messages
}

/// The names of the values that a message inserts or chooses by.
fn inserted(message: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let starts = message.split("{ $").skip(1);
    let names = starts.map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default());
    names.map(str::to_owned).collect()
}
