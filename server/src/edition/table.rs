//! Reads a CSV file row by row, with the columns found by name and every line number true.

use std::borrow::Cow;

use csv::StringRecord;
use uuid::Uuid;

use super::cell::{self, Cleaned, quoted};
use super::journal::Journal;

/// The most rows of one file, the header not counted.
pub(super) const ROWS_MAX: u32 = 1_000_000;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The columns that a file has, in any order.
pub(super) struct Columns {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

/// Calls `visit` with each well-formed row; says in the journal what is wrong with the others.
pub(super) fn read(
    file: &[u8],
    columns: &Columns,
    journal: &mut Journal,
    mut visit: impl FnMut(&mut Row<'_>),
) {
    let text = decode(file, journal);
    let mut records = Records::new(without_byte_order_mark(&text, journal).as_bytes());
    let Some(line) = records.advance() else {
        let names = columns.required.join(", ");
        return journal.refuse(0, "", format!("is empty: begin with the header {names}"));
    };
    if let Some(fault) = records.quoting_fault() {
        return journal.refuse(line, "", fault);
    }
    let Some(places) = find_columns(&records.cells, line, columns, journal) else {
        return;
    };
    let width = records.cells.len();

    let mut rows = 0;
    while let Some(line) = records.advance() {
        if rows == ROWS_MAX {
            let text = format!("is more than {ROWS_MAX} rows: leave out this and the rest");
            return journal.refuse(line, "", text);
        }
        rows += 1;
        if let Some(fault) = records.quoting_fault() {
            journal.refuse(line, "", fault);
            continue;
        }
        let cells = &records.cells;
        if cells.len() != width {
            let given = cells.len();
            let text = format!("has {given} cells for {width} columns: quote cells with a comma");
            journal.refuse(line, "", text);
            continue;
        }
        visit(&mut Row {
            line,
            cells,
            places: &places,
            journal,
        });
    }
    if rows == 0 {
        journal.refuse(0, "", "has a header only: add the rows");
    }
}

/// One row, and the journal for what is to be said about it.
pub(super) struct Row<'r> {
    pub(super) line: u32,
    cells: &'r StringRecord,
    places: &'r [(&'static str, usize)],
    journal: &'r mut Journal,
}

impl<'r> Row<'r> {
    /// The cell as it stands; `None` if the file lacks the column.
    pub(super) fn cell(&self, column: &'static str) -> Option<&'r str> {
        let (_, place) = self.places.iter().find(|(name, _)| *name == column)?;
        self.cells.get(*place)
    }

    /// The cleaned text, which may be empty; `None` if it is refused.
    pub(super) fn text(&mut self, column: &'static str) -> Option<String> {
        self.clean(column, self.cell(column).unwrap_or_default(), cell::text)
    }

    /// The cleaned text; `None` if it is refused or empty.
    pub(super) fn name(&mut self, column: &'static str) -> Option<String> {
        let name = self.text(column)?;
        if name.is_empty() {
            self.refuse(column, "is empty: fill it in");
            return None;
        }
        Some(name)
    }

    /// The GUID; `None` if it is refused.
    pub(super) fn guid(&mut self, column: &'static str) -> Option<Uuid> {
        self.clean(column, self.cell(column).unwrap_or_default(), cell::guid)
    }

    /// What `parse` makes of the cell or a part of it; its repairs and refusals are written down.
    pub(super) fn clean<T>(
        &mut self,
        column: &'static str,
        raw: &str,
        parse: fn(&str) -> Cleaned<T>,
    ) -> Option<T> {
        match parse(raw) {
            Ok((value, repairs)) => {
                if !repairs.is_empty() {
                    self.note(column, format!("{} in {}", repairs.join(", "), quoted(raw)));
                }
                Some(value)
            }
            Err(reason) => {
                self.refuse(column, reason);
                None
            }
        }
    }

    pub(super) fn note(&mut self, column: &'static str, text: impl Into<String>) {
        self.journal.note(self.line, column, text);
    }

    pub(super) fn refuse(&mut self, column: &'static str, text: impl Into<String>) {
        self.journal.refuse(self.line, column, text);
    }
}

/// Bytes that are no UTF-8 are refused line by line, and replaced to look at the rest.
fn decode<'f>(file: &'f [u8], journal: &mut Journal) -> Cow<'f, str> {
    let text = String::from_utf8_lossy(file);
    if let Cow::Owned(_) = text {
        for (line, bytes) in (1..).zip(file.split(|byte| *byte == b'\n')) {
            if str::from_utf8(bytes).is_err() {
                journal.refuse(line, "", "is not UTF-8: save the file as \"CSV UTF-8\"");
            }
        }
    }
    text
}

fn without_byte_order_mark<'t>(text: &'t str, journal: &mut Journal) -> &'t str {
    let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) else {
        return text;
    };
    journal.note(0, "", "removed the byte order mark");
    rest
}

/// The records of a text, one at a time.
struct Records<'t> {
    text: &'t [u8],
    reader: csv::Reader<&'t [u8]>,
    cells: StringRecord,
    /// The current record as written.
    raw: &'t [u8],
}

impl<'t> Records<'t> {
    fn new(text: &'t [u8]) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Self {
            text,
            reader,
            cells: StringRecord::new(),
            raw: b"",
        }
    }

    /// Reads the next record and returns the line it begins on; `None` at the end.
    fn advance(&mut self) -> Option<u32> {
        let before = self.reader.position().clone();
        let more = self.reader.read_record(&mut self.cells);
        if !more.expect("flexible reading of UTF-8 from memory cannot fail") {
            return None;
        }
        let raw = &self.text[to_usize(before.byte())..to_usize(self.reader.position().byte())];
        // The reader counts blank lines, and the second half of CRLF, to the record after them.
        let blank = raw
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let (blank, raw) = raw.split_at(blank);
        self.raw = raw;
        let line_ends = blank.iter().filter(|byte| **byte == b'\n').count();
        u32::try_from(to_usize(before.line()) + line_ends)
            .ok()
            .or(Some(u32::MAX))
    }

    /// What is wrong with the quotes of the current record. The reader takes any text and would
    /// let a quote too many swallow the rows after it.
    fn quoting_fault(&self) -> Option<&'static str> {
        let mut rest = self.raw;
        loop {
            if let Some(quoted) = rest.strip_prefix(b"\"") {
                let Some(after) = after_closing_quote(quoted) else {
                    return Some("opens a quote that is never closed: close it or double it");
                };
                if !matches!(after.first(), None | Some(b',' | b'\r' | b'\n')) {
                    return Some("has text after a closing quote: double the quotes inside");
                }
                rest = after;
            }
            let comma = rest.iter().position(|byte| *byte == b',')?;
            rest = &rest[comma + 1..];
        }
    }
}

fn after_closing_quote(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let quote = text.iter().position(|byte| *byte == b'"')?;
        text = &text[quote + 1..];
        match text.strip_prefix(b"\"") {
            Some(rest) => text = rest,
            None => return Some(text),
        }
    }
}

fn to_usize(position: u64) -> usize {
    usize::try_from(position).expect("a position in memory fits")
}

/// Where each known column is; `None` if the header is refused.
fn find_columns(
    header: &StringRecord,
    line: u32,
    columns: &Columns,
    journal: &mut Journal,
) -> Option<Vec<(&'static str, usize)>> {
    let known = || columns.required.iter().chain(columns.optional).copied();
    let mut places: Vec<(&'static str, usize)> = Vec::new();
    let mut repeated = false;
    let mut unknown = Vec::new();
    for (place, raw) in header.iter().enumerate() {
        let (name, _) = cell::text(raw).unwrap_or_default();
        match known().find(|column| column.eq_ignore_ascii_case(&name)) {
            None => unknown.push(raw),
            Some(column) if places.iter().any(|(found, _)| *found == column) => {
                repeated = true;
                journal.refuse(line, column, "is there twice: keep one of the columns");
            }
            Some(column) => places.push((column, place)),
        }
    }
    if places.is_empty() {
        let names = columns.required.join(", ");
        let text = format!("is no header: begin with {names}, set off by commas");
        journal.refuse(line, "", text);
        return None;
    }
    if !unknown.is_empty() {
        let more = if unknown.len() > 5 { ", …" } else { "" };
        let first: Vec<_> = unknown.into_iter().take(5).map(quoted).collect();
        let text = format!("ignored columns: {}{more}", first.join(", "));
        journal.note(line, "", text);
    }
    let is_found = |column: &str| places.iter().any(|(found, _)| *found == column);
    let missing: Vec<_> = columns
        .required
        .iter()
        .filter(|column| !is_found(column))
        .collect();
    for column in &missing {
        journal.refuse(line, column, "is missing: add the column");
    }
    (missing.is_empty() && !repeated).then_some(places)
}
