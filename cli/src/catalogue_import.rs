//! `seatwise catalogue import` and `import-rules`: the file that goes in and the report that comes
//! back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use seatwise_client::ImportReport;
use seatwise_client::v1::{
    CatalogueChange, CustomerImpact, ImportNote, ImportSummary, catalogue_change,
};

use crate::compliance::broken_rule;
use crate::error::Error;
use crate::files;
use crate::output::{self, Column, Format, Printer, Row, column, detail, word};
use crate::text::text;
use crate::why::Why;

/// Rows that people are shown unasked: a first edition adds hundreds of products, and every edition
/// of a dirty catalogue has the same hundreds of notes.
const NOTES_SHOWN: usize = 10;
const CHANGES_SHOWN: usize = 50;
/// Of each customer.
const RULES_SHOWN: usize = 5;

#[derive(Args)]
pub(crate) struct File {
    /// The file; `-` for standard input
    file: PathBuf,
    /// Only show what would be changed, and what users hold that would then be against the rules
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show every note, change and broken rule, also if they are many
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
            print_impacts(shown(RULES_SHOWN), &report.impacts)?;
            summary(&report.summary)
                .iter()
                .try_for_each(|line| output::line(line))
        }
        Format::Json => {
            for note in &report.notes {
                output::line(&output::json(note)?)?;
            }
            for change in &report.changes {
                output::line(&output::json(change)?)?;
            }
            for impact in &report.impacts {
                output::line(&output::json(impact)?)?;
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

/// The customers whose users would break rules: a row for each, and below it its rules.
fn print_impacts(shown: usize, impacts: &[CustomerImpact]) -> Result<(), Error> {
    if impacts.is_empty() {
        return Ok(());
    }
    let headers = vec!["customer", "users", "assignments", "rule"];
    let mut printer = Printer::new(Format::Table, headers);
    for impact in impacts {
        printer.cells(vec![
            impact.display_name.clone(),
            impact.user_count().to_string(),
            impact.assignment_count().to_string(),
            text!(
                "violators-before-and-after",
                before = impact.violator_count_now(),
                after = impact.violator_count_then(),
            ),
        ])?;
        for rule in impact.rules.iter().take(shown) {
            let [users, _, words] = broken_rule(rule);
            printer.cells(vec![String::new(), users, String::new(), words])?;
        }
        let told = impact.rules.len().min(shown);
        let more = usize::try_from(impact.rule_count()).unwrap_or_default() - told;
        if more > 0 {
            let more = text!("more-rules", count = more);
            printer.cells(vec![String::new(), String::new(), String::new(), more])?;
        }
    }
    printer.finish()?;
    output::line("")
}

/// Notes, changes and broken rules as one table, because a CSV file has one header.
fn print_csv(report: &ImportReport) -> Result<(), Error> {
    let mut headers = vec![
        "kind",
        "line",
        "column",
        "of",
        "text",
        "previous_name",
        "product_id",
        "plan_id",
    ];
    if report.summary.impact.is_some() {
        headers.extend(["customer_id", "users"]);
    }
    let width = headers.len();
    let mut printer = Printer::new(Format::Csv, headers);
    let mut print = |mut cells: Vec<String>| {
        cells.resize(width, String::new());
        printer.cells(cells)
    };
    let none = String::new;
    for ImportNote { line, column, text } in &report.notes {
        let place = [line.to_string(), column.clone(), none(), text.clone()];
        print([vec!["note".to_owned()], place.to_vec()].concat())?;
    }
    for change in &report.changes {
        print(vec![
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
    for impact in &report.impacts {
        for rule in &impact.rules {
            let [users, _, words] = broken_rule(rule);
            let reason = rule.reason.clone().unwrap_or_default();
            print(vec![
                "broken".to_owned(),
                none(),
                none(),
                impact.display_name.clone(),
                words,
                none(),
                reason.product.unwrap_or_default().product_id,
                reason.plan.unwrap_or_default().plan_id,
                impact.customer_id.clone(),
                users,
            ])?;
        }
    }
    printer.finish()?;
    summary(&report.summary)
        .iter()
        .for_each(|line| output::note(line));
    Ok(())
}

/// What an import did; of a preview what it would do, and what that would break.
fn summary(summary: &ImportSummary) -> Vec<String> {
    let content = match summary.rule_count {
        Some(rules) => text!("catalogue-rules", count = rules),
        None => text!(
            "catalogue-products",
            products = summary.product_count(),
            plans = summary.product_plan_count(),
        ),
    };
    let version = summary.catalogue_version().to_string();
    let Some(impact) = &summary.impact else {
        return vec![text!(
            "catalogue-counts",
            content = content,
            added = summary.added_count(),
            changed = summary.changed_count(),
            removed = summary.removed_count(),
            notes = summary.note_count(),
            version = version,
        )];
    };
    let counts = text!(
        "catalogue-counts-then",
        content = content,
        added = summary.added_count(),
        changed = summary.changed_count(),
        removed = summary.removed_count(),
        notes = summary.note_count(),
        version = version,
    );
    let users = text!("users", count = impact.user_count());
    let judged = text!("users", count = impact.judged_user_count());
    let broken = text!(
        "catalogue-impact",
        assignments = impact.assignment_count(),
        users = users,
        customers = impact.customer_count(),
        judged = judged,
        all = impact.judged_customer_count(),
    );
    vec![text!("preview-title"), counts, broken]
}
