//! Prints messages in three forms: tables for people, canonical JSON, and CSV.
//!
//! A message that can be a row names its columns once, in its [`Row`]; everything else is here.
//! Data goes to standard output, everything about it to standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use prost_types::Timestamp;

use crate::error::Error;
use crate::layout::Layout;
use crate::text;

/// Rows of a table that are laid out together; a longer one is printed block by block.
const BLOCK_ROWS: usize = 1_000;
const PROGRESS: &str = "[{bar:40}] {human_pos}/{human_len} {msg} ({eta})";

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
}

/// A message that can be a row of a list.
pub(crate) trait Row: Message + Name + Sized + 'static {
    const COLUMNS: &'static [Column<Self>];
}

/// A column, under the name that it has in all forms.
pub(crate) struct Column<M> {
    name: &'static str,
    cell: fn(&M) -> String,
    /// Left out of tables of several rows, which have no room for it.
    is_detail: bool,
}

impl<M> Column<M> {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn cell(&self, message: &M) -> String {
        (self.cell)(message)
    }
}

pub(crate) const fn column<M>(name: &'static str, cell: fn(&M) -> String) -> Column<M> {
    let is_detail = false;
    Column {
        name,
        cell,
        is_detail,
    }
}

pub(crate) const fn detail<M>(name: &'static str, cell: fn(&M) -> String) -> Column<M> {
    let is_detail = true;
    Column {
        name,
        cell,
        is_detail,
    }
}

/// Prints rows as they come.
pub(crate) struct Printer {
    format: Format,
    headers: Vec<&'static str>,
    layout: Layout,
    /// Rows of a table that are not printed yet.
    block: Vec<Vec<String>>,
    has_header: bool,
}

impl Printer {
    pub(crate) fn new(format: Format, headers: Vec<&'static str>) -> Self {
        Self {
            format,
            headers,
            layout: Layout::of_terminal(),
            block: Vec::new(),
            has_header: false,
        }
    }

    pub(crate) fn of<M: Row>(format: Format) -> Self {
        let headers = columns::<M>(format).map(|column| column.name);
        Self::new(format, headers.collect())
    }

    pub(crate) fn row<M: Row>(&mut self, message: &M) -> Result<(), Error> {
        match self.format {
            Format::Json => line(&json(message)?),
            format => {
                let cells = columns::<M>(format).map(|column| (column.cell)(message));
                self.cells(cells.collect())
            }
        }
    }

    /// Prints a row that is no message, as a table's or CSV's.
    pub(crate) fn cells(&mut self, cells: Vec<String>) -> Result<(), Error> {
        if self.format == Format::Csv {
            self.csv_header()?;
            return csv_line(&cells);
        }
        self.block.push(cells);
        if self.block.len() == BLOCK_ROWS {
            self.print_block()?;
        }
        Ok(())
    }

    /// Prints what is left. A list without rows still has its header.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        match self.format {
            Format::Table if self.has_header && self.block.is_empty() => Ok(()),
            Format::Table => self.print_block(),
            Format::Csv => self.csv_header(),
            Format::Json => Ok(()),
        }
    }

    fn print_block(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.block);
        self.has_header = true;
        line(&self.layout.block(&self.headers, rows))
    }

    fn csv_header(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        csv_line(&self.headers)
    }
}

/// A row by itself, for people, of a list that has no end.
pub(crate) fn alone<M: Row>(message: &M) -> String {
    let cells = columns::<M>(Format::Table).map(|column| (column.cell)(message));
    let cells: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
    cells.join("  ")
}

fn columns<M: Row>(format: Format) -> impl Iterator<Item = &'static Column<M>> {
    let is_shown = move |column: &&Column<M>| format == Format::Csv || !column.is_detail;
    M::COLUMNS.iter().filter(is_shown)
}

/// Prints one message; for people with every detail that it has, one a line.
pub(crate) fn show<M: Row>(format: Format, message: &M) -> Result<(), Error> {
    if format != Format::Table {
        let mut printer = Printer::of::<M>(format);
        printer.row(message)?;
        return printer.finish();
    }
    let width = M::COLUMNS.iter().map(|column| column.name.len()).max();
    let width = width.unwrap_or_default();
    for column in M::COLUMNS {
        let value = (column.cell)(message);
        if !value.is_empty() {
            line(&format!("{:width$}  {value}", column.name))?;
        }
    }
    Ok(())
}

/// A message as canonical JSON on one line, with the field names of the `.proto` files.
pub(crate) fn json<M: Message + Name>(message: &M) -> Result<String, Error> {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        DescriptorPool::decode(seatwise_proto::FILE_DESCRIPTOR_SET)
            .expect("the build has made and checked it")
    });
    let descriptor = POOL.get_message_by_name(&M::full_name());
    let descriptor = descriptor.expect("the pool has every message of the protocol");
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("a message reads what it has written");

    let mut json = Vec::new();
    let options = SerializeOptions::new().use_proto_field_name(true);
    message
        .serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options)
        .map_err(|error| Error::Failed(format!("the server's answer is no JSON: {error}")))?;
    Ok(String::from_utf8(json).expect("JSON is UTF-8"))
}

/// Prints a line of data.
pub(crate) fn line(text: &str) -> Result<(), Error> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Prints a line about the data, unless everything is for programs.
pub(crate) fn note_of(format: Format, text: &str) {
    if format != Format::Json {
        note(text);
    }
}

/// Prints a line about the data.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told if it fails.
    let _ = writeln!(io::stderr(), "{text}");
}

fn csv_line<T: AsRef<[u8]>>(cells: &[T]) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(cells)
        .expect("memory takes every record");
    let line = writer.into_inner().expect("memory needs no flush");
    Ok(io::stdout().write_all(&line)?)
}

/// A bar on a terminal, unless rows are printed on the same one; else nothing.
pub(crate) fn progress(
    format: Format,
    length: u64,
    unit: impl Into<Cow<'static, str>>,
) -> ProgressBar {
    if format != Format::Table && io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(PROGRESS).expect("the template is right");
    let style = style.progress_chars("=> ");
    let bar = ProgressBar::new(length)
        .with_style(style)
        .with_message(unit)
        .with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The word of an enumeration's value: `STATE_ACTIVE` without `STATE_` is `active`.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

pub(crate) fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// A time to the second. JSON has it in full.
pub(crate) fn time(time: Option<&Timestamp>) -> String {
    let to_second = |time: &Timestamp| Timestamp { nanos: 0, ..*time };
    time.map(|time| to_second(time).to_string())
        .unwrap_or_default()
}

/// `12345` as people write it.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    text::number(number.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use seatwise_client::v1;

    use super::*;

    #[test]
    fn json_is_canonical_with_the_names_of_the_protocol() {
        let license = v1::License {
            product_id: "p".into(),
            enabled: Some(0),
            buy_more: Some(true),
            update_time: Some(Timestamp {
                seconds: 1,
                nanos: 500_000_000,
            }),
            ..v1::License::default()
        };
        let json = json(&license).unwrap();
        assert_eq!(
            json,
            r#"{"product_id":"p","enabled":0,"buy_more":true,"update_time":"1970-01-01T00:00:01.500Z"}"#
        );
    }

    #[test]
    fn an_enumeration_has_words_for_people() {
        assert_eq!(word("STATE_ACTIVE", "STATE_"), "active");
        assert_eq!(word("OTHER", "STATE_"), "other");
    }

    #[test]
    fn times_are_printed_to_the_second() {
        let stamp = Timestamp {
            seconds: 59,
            nanos: 999_000_000,
        };
        assert_eq!(time(Some(&stamp)), "1970-01-01T00:00:59Z");
        assert_eq!(time(None), "");
    }
}
