//! Questions on a terminal, before something is changed that could be regretted.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use crate::error::Error;
use crate::exit;
use crate::output::{self, Format};
use crate::text::text;

#[derive(Args)]
pub(crate) struct Asking {
    /// Do it without asking. Questions are only asked on a terminal
    #[arg(long, short)]
    yes: bool,
}

impl Asking {
    /// True if the answer was given beforehand.
    pub(crate) fn is_yes(&self) -> bool {
        self.yes
    }

    /// True if somebody is there to answer. Rows and JSON are for scripts, which cannot.
    pub(crate) fn asks(&self, format: Format) -> bool {
        format == Format::Table
            && !self.yes
            && std::io::stdin().is_terminal()
            && std::io::stderr().is_terminal()
    }
}

/// Asks on the terminal. Whatever is not yes is no.
pub(crate) fn is_confirmed(question: &str) -> Result<bool, Error> {
    let mut stderr = std::io::stderr();
    write!(stderr, "\n{question} {} ", text!("question-answers"))?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(is_yes(&answer, &text!("question-yes")))
}

/// Asks for a number that shows that somebody has read it.
pub(crate) fn is_typed(question: &str, number: i32) -> Result<bool, Error> {
    let mut stderr = std::io::stderr();
    write!(stderr, "\n{question} ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == number.to_string())
}

/// Ends a command whose question was answered with no.
pub(crate) fn declined() -> ExitCode {
    output::note(&text!("nothing-was-changed"));
    ExitCode::from(exit::REFUSED)
}

/// True if the answer is one of these words.
fn is_yes(answer: &str, words: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    words.split(' ').any(|word| word == answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Language, message};

    #[test]
    fn only_yes_is_yes() {
        let english = message(Language::English, "question-yes", &[]);
        for answer in ["y\n", " YES\r\n"] {
            assert!(is_yes(answer, &english), "{answer}");
        }
        for answer in ["\n", "", "yy\n", "no\n", "j\n"] {
            assert!(!is_yes(answer, &english), "{answer}");
        }
        let dutch = message(Language::Dutch, "question-yes", &[]);
        for answer in ["j\n", "Ja\n", "y\n", "yes\n"] {
            assert!(is_yes(answer, &dutch), "{answer}");
        }
        assert!(!is_yes("nee\n", &dutch) && !is_yes("\n", &dutch));
    }
}
