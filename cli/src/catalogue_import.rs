//! `seatwise catalogue import` and `import-rules`: the file that goes in and the report that comes
//! back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use seatwise_client::ImportReport;
use seatwise_client::v1::{CatalogueChange, ImportNote, ImportSummary, catalogue_change};

use crate::error::Error;
use crate::files;
use crate::output::{self, Column, Format, Printer, Row, column, detail, word};
use crate::text::text;
use crate::why::Why;

/// Rows that people are shown unasked: a first edition adds hundreds of products, and every edition
/// of a dirty catalogue has the same hundreds of notes.
const NOTES_SHOWN: usize = 10;
const CHANGES_SHOWN: usize = 50;

#[derive(Args)]
pub(crate) struct File {
    /// The file; `-` for standard input
    file: PathBuf,
    /// Show every note and change, also if they are many
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub(crate) why: Why,
}

impl File {
    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        files::read(&self.file)
    }
}

impl Row for ImportNote {
    const COLUMNS: &'static [Column<Self>] = &[
        column("line", |note| {
            if note.line == 0 {
                String::new()
            } else {
                note.line.to_string()
            }
        }),
        column("column", |note| note.column.clone()),
        column("note", |note| note.text.clone()),
    ];
}

impl Row for CatalogueChange {
    const COLUMNS: &'static [Column<Self>] = &[
        column("change", kind),
        column("of", |change| subject(change).to_owned()),
        column("name", |change| change.name.clone()),
        column("previous_name", |change| change.previous_name.clone()),
        detail("product_id", |change| change.product_id.clone()),
        detail("plan_id", |change| change.plan_id.clone()),
    ];
}

fn kind(change: &CatalogueChange) -> String {
    word(change.kind().as_str_name(), "KIND_")
}

fn subject(change: &CatalogueChange) -> &'static str {
    match (change.product_id.is_empty(), change.plan_id.is_empty()) {
        (false, true) => "product",
        (false, false) => "plan of product",
        (true, _) if change.kind() == catalogue_change::Kind::Renamed => "plan",
        (true, _) => "rule",
    }
}

/// Prints notes, changes and counts.
pub(crate) fn print(format: Format, file: &File, report: &ImportReport) -> Result<(), Error> {
    match format {
        Format::Table => {
            let shown = |few| if file.all { usize::MAX } else { few };
            section(shown(NOTES_SHOWN), &report.notes, |_| "notes".to_owned())?;
            section(shown(CHANGES_SHOWN), &report.changes, kind)?;
            output::line(&summary(&report.summary))
        }
        Format::Json => {
            for note in &report.notes {
                output::line(&output::json(note)?)?;
            }
            for change in &report.changes {
                output::line(&output::json(change)?)?;
            }
            output::line(&output::json(&report.summary)?)
        }
        Format::Csv => print_csv(report),
    }
}

/// A table of at most so many rows of each kind.
fn section<M: Row>(shown: usize, rows: &[M], kind: fn(&M) -> String) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut counts = BTreeMap::<String, usize>::new();
    let mut printer = Printer::of::<M>(Format::Table);
    for row in rows {
        let count = counts.entry(kind(row)).or_default();
        *count += 1;
        if *count <= shown {
            printer.row(row)?;
        }
    }
    printer.finish()?;
    for (kind, total) in counts {
        if let Some(more @ 1..) = total.checked_sub(shown) {
            let kind = kind.as_str();
            output::line(&text!("more-of-kind", count = more, kind = kind))?;
        }
    }
    output::line("")
}

/// Notes and changes as one table, because a CSV file has one header.
fn print_csv(report: &ImportReport) -> Result<(), Error> {
    let headers = [
        "kind",
        "line",
        "column",
        "of",
        "text",
        "previous_name",
        "product_id",
        "plan_id",
    ];
    let mut printer = Printer::new(Format::Csv, headers.to_vec());
    let none = String::new;
    for ImportNote { line, column, text } in &report.notes {
        let place = [line.to_string(), column.clone(), none(), text.clone()];
        let row = [vec!["note".to_owned()], place.to_vec(), vec![none(); 3]];
        printer.cells(row.concat())?;
    }
    for change in &report.changes {
        printer.cells(vec![
            kind(change),
            none(),
            none(),
            subject(change).to_owned(),
            change.name.clone(),
            change.previous_name.clone(),
            change.product_id.clone(),
            change.plan_id.clone(),
        ])?;
    }
    printer.finish()?;
    output::note(&summary(&report.summary));
    Ok(())
}

fn summary(summary: &ImportSummary) -> String {
    let content = match summary.rule_count {
        Some(rules) => text!("catalogue-rules", count = rules),
        None => text!(
            "catalogue-products",
            products = summary.product_count(),
            plans = summary.product_plan_count(),
        ),
    };
    text!(
        "catalogue-counts",
        content = content,
        added = summary.added_count(),
        changed = summary.changed_count(),
        removed = summary.removed_count(),
        notes = summary.note_count(),
        version = summary.catalogue_version().to_string(),
    )
}
