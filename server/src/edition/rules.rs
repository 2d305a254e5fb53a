//! Makes a rule set of a rules file.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::cell::{self, quoted};
use super::journal::Journal;
use super::table::{self, Columns, Row};
use super::tally::Tally;
use super::{EditionRule, Note, Parsed, RuleSet};

const KIND: &str = "kind";
const PLAN_ID: &str = "service_plan_id";
const PLAN_NAME: &str = "service_plan_name";
const OTHER: &str = "other";
const OTHER_NAME: &str = "other_name";

const COLUMNS: Columns = Columns {
    required: &[KIND, PLAN_ID, PLAN_NAME, OTHER, OTHER_NAME],
    optional: &[],
};

/// Sets off the plans, and their names, of which one is enough.
const SEPARATOR: char = '|';

pub(super) fn parse(file: &[u8]) -> Result<Parsed<RuleSet>, Vec<Note>> {
    let mut journal = Journal::default();
    let mut draft = Draft::default();
    table::read(file, &COLUMNS, &mut journal, |row| {
        let names = read_names(row);
        if let Some((rule, plans)) = read_rule(row) {
            draft.add(rule, &plans, &names, row);
        }
    });
    let rules = draft.settle(&mut journal);
    journal.finish(rules)
}

/// The rule, and its plans in the order of the row, which is the order of their names; `None` if
/// a cell is refused.
fn read_rule(row: &mut Row<'_>) -> Option<(EditionRule, Vec<Uuid>)> {
    let plan = row.guid(PLAN_ID);
    let kind = row.name(KIND)?;
    match kind.to_ascii_lowercase().as_str() {
        "excludes" => {
            let other = row.guid(OTHER);
            let (plan, other) = (plan?, other?);
            if plan == other {
                row.refuse(OTHER, "is the plan itself: write another");
                return None;
            }
            let rule = EditionRule::Excludes {
                plan: plan.min(other),
                other: plan.max(other),
            };
            Some((rule, vec![plan, other]))
        }
        "requires_any_of" => {
            let others = read_others(row);
            let (plan, others) = (plan?, others?);
            if others.contains(&plan) {
                row.refuse(OTHER, "has the plan itself: leave it out");
                return None;
            }
            let unique: BTreeSet<Uuid> = others.iter().copied().collect();
            if unique.len() < others.len() {
                row.note(OTHER, "has a plan twice: one is enough");
            }
            let rule = EditionRule::RequiresAnyOf {
                plan,
                others: unique.into_iter().collect(),
            };
            Some((rule, [vec![plan], others].concat()))
        }
        "prohibited_in" => {
            let country = read_country(row);
            let (plan, country) = (plan?, country?);
            Some((EditionRule::ProhibitedIn { plan, country }, vec![plan]))
        }
        _ => {
            let kinds = "excludes, requires_any_of or prohibited_in";
            row.refuse(KIND, format!("{} is unknown: write {kinds}", quoted(&kind)));
            None
        }
    }
}

fn read_others(row: &mut Row<'_>) -> Option<Vec<Uuid>> {
    let pieces = row.cell(OTHER).unwrap_or_default().split(SEPARATOR);
    let others: Vec<_> = pieces
        .map(|piece| row.clean(OTHER, piece, cell::guid))
        .collect();
    others.into_iter().collect()
}

fn read_country(row: &mut Row<'_>) -> Option<String> {
    let country = row.name(OTHER)?.to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let given = quoted(&country);
        row.refuse(
            OTHER,
            format!("{given} is no country: write two letters such as US"),
        );
        return None;
    }
    Some(country)
}

/// The name of the plan, then those of the others, each with its column; they may be empty.
fn read_names(row: &mut Row<'_>) -> Vec<(String, &'static str)> {
    let plan_name = row.text(PLAN_NAME);
    let mut names = vec![(plan_name.unwrap_or_default(), PLAN_NAME)];
    for piece in row.cell(OTHER_NAME).unwrap_or_default().split(SEPARATOR) {
        let name = row.clean(OTHER_NAME, piece, cell::text);
        names.push((name.unwrap_or_default(), OTHER_NAME));
    }
    names
}

/// A rule set while its rows come in.
#[derive(Default)]
struct Draft {
    /// Each rule with its first line.
    rules: BTreeMap<EditionRule, u32>,
    /// Where each plan first required something.
    requirements: HashMap<Uuid, u32>,
    names: BTreeMap<Uuid, Tally>,
}

impl Draft {
    fn add(
        &mut self,
        rule: EditionRule,
        plans: &[Uuid],
        names: &[(String, &'static str)],
        row: &mut Row<'_>,
    ) {
        if let EditionRule::RequiresAnyOf { plan, .. } = rule
            && !self.rules.contains_key(&rule)
            && let Some(line) = self.requirements.insert(plan, row.line)
        {
            row.note(
                "",
                format!("requires more for the plan of line {line}: kept both"),
            );
        }
        match self.rules.entry(rule) {
            Entry::Occupied(first) => {
                let line = first.get();
                row.note("", format!("dropped: repeats line {line}"));
            }
            Entry::Vacant(rule) => {
                rule.insert(row.line);
                self.add_names(plans, names, row);
            }
        }
    }

    fn add_names(&mut self, plans: &[Uuid], names: &[(String, &'static str)], row: &mut Row<'_>) {
        let (others, other_names) = (plans.len() - 1, names.len() - 1);
        // Without other plans, the cell may hold the name of the country.
        let is_matching = others == 0 || others == other_names;
        let is_named = names[1..].iter().any(|(name, _)| !name.is_empty());
        if is_named && !is_matching {
            let text = format!("ignored: names ({other_names}) and plans ({others}) do not match");
            row.note(OTHER_NAME, text);
        }
        let names = if is_matching { names } else { &names[..1] };
        for (plan, (name, column)) in plans.iter().zip(names) {
            if !name.is_empty() {
                self.names
                    .entry(*plan)
                    .or_default()
                    .add(name, row.line, column);
            }
        }
    }

    /// Settles the names now that all rows are known.
    fn settle(self, journal: &mut Journal) -> RuleSet {
        let settle = |(plan, tally): (Uuid, Tally)| {
            let name = tally.settle(&format!("service plan {plan}"), journal)?;
            Some((plan, name))
        };
        RuleSet {
            plan_names: self.names.into_iter().filter_map(settle).collect(),
            rules: self.rules.into_keys().collect(),
        }
    }
}
