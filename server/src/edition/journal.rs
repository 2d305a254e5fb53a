//! Keeps the notes and problems of a file while it is parsed.

use super::{Note, Parsed};

/// The most notes, and the most problems, that one file is answered with.
pub(super) const NOTES_MAX: usize = 1_000;

/// Everything there is to say about a file; one problem makes it unusable.
#[derive(Default)]
pub(super) struct Journal {
    notes: Listing,
    problems: Listing,
}

impl Journal {
    pub(super) fn note(&mut self, line: u32, column: &'static str, text: impl Into<String>) {
        self.notes.push(line, column, text.into());
    }

    pub(super) fn refuse(&mut self, line: u32, column: &'static str, text: impl Into<String>) {
        self.problems.push(line, column, text.into());
    }

    /// The value if nothing was refused, else all problems.
    pub(super) fn finish<T>(self, value: T) -> Result<Parsed<T>, Vec<Note>> {
        if self.problems.notes.is_empty() {
            Ok(Parsed {
                value,
                notes: self.notes.into_sorted(),
            })
        } else {
            Err(self.problems.into_sorted())
        }
    }
}

/// The first notes; of those beyond the maximum only the number is kept.
#[derive(Default)]
struct Listing {
    notes: Vec<Note>,
    left_out: usize,
}

impl Listing {
    fn push(&mut self, line: u32, column: &'static str, text: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(Note { line, column, text });
        } else {
            self.left_out += 1;
        }
    }

    fn into_sorted(mut self) -> Vec<Note> {
        self.notes.sort_by_key(|note| note.line);
        if self.left_out > 0 {
            self.notes.pop();
            let text = format!("{} more are not listed", self.left_out + 1);
            self.notes.insert(
                0,
                Note {
                    line: 0,
                    column: "",
                    text,
                },
            );
        }
        self.notes
    }
}
