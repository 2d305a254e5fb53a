//! Settles which of several names a thing has.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::cell::quoted;
use super::journal::Journal;

/// The names that the rows of a file give one thing.
#[derive(Default)]
pub(super) struct Tally {
    names: BTreeMap<String, Seen>,
}

struct Seen {
    times: u32,
    line: u32,
    column: &'static str,
}

impl Tally {
    pub(super) fn add(&mut self, name: &str, line: u32, column: &'static str) {
        if let Some(seen) = self.names.get_mut(name) {
            seen.times += 1;
        } else {
            self.names.insert(
                name.to_owned(),
                Seen {
                    times: 1,
                    line,
                    column,
                },
            );
        }
    }

    /// The most frequent name, of equals the first; `None` if there is no name. Several names
    /// are noted, at the first row that says otherwise.
    pub(super) fn settle(&self, subject: &str, journal: &mut Journal) -> Option<String> {
        let (kept, seen) = self
            .names
            .iter()
            .max_by_key(|(_, seen)| (seen.times, Reverse(seen.line)))?;
        let dropped = self.names.iter().filter(|(name, _)| *name != kept);
        if let Some((name, first)) = dropped.min_by_key(|(_, seen)| seen.line) {
            let total: u32 = self.names.values().map(|seen| seen.times).sum();
            let text = format!(
                "{subject} has {} names: kept {} ({} of {total}), dropped {}",
                self.names.len(),
                quoted(kept),
                seen.times,
                quoted(name),
            );
            journal.note(first.line, first.column, text);
        }
        Some(kept.clone())
    }
}
