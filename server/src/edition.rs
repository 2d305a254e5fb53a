//! Parses the vendor's catalogue and rules files.
//!
//! Pure: bytes in, an edition or a list of problems out. It must never do I/O, and must never
//! know the store or the protocol.
//!
//! What can be put right without guessing is put right and noted; everything else is refused,
//! and all refusals of a file are reported together, each with its place and a way out.

mod catalogue;
mod cell;
mod journal;
mod rules;
mod table;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// All products and service plans that the vendor sells, as one catalogue file lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Sorted by id.
    pub products: Vec<EditionProduct>,
    /// Sorted by id.
    pub plans: Vec<EditionPlan>,
}

/// A product of an edition. Only its id is a key: names and string ids may be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionProduct {
    /// The vendor's GUID.
    pub id: Uuid,
    /// The name people know it by.
    pub display_name: String,
    /// The vendor's short name.
    pub string_id: String,
    /// Who it can be assigned to; `None` if the file has no `Applies_To` column.
    pub applies_to: Option<AppliesTo>,
    /// Its service plans, sorted and unique.
    pub plan_ids: Vec<Uuid>,
}

/// Who a product can be assigned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliesTo {
    /// Single users, each taking a seat.
    User,
    /// The company as a whole.
    Company,
}

/// A service plan of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionPlan {
    /// The vendor's GUID.
    pub id: Uuid,
    /// The vendor's short name.
    pub name: String,
    /// The name people know it by.
    pub display_name: String,
}

/// All rules between service plans, as one rules file lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// In canonical order and unique, so that equal sets compare equal.
    pub rules: Vec<EditionRule>,
    /// What the file calls the plans it names; a plan without a name there is absent.
    pub plan_names: BTreeMap<Uuid, String>,
}

impl RuleSet {
    /// Every plan that a rule is about or names.
    pub fn plans(&self) -> BTreeSet<Uuid> {
        let plans = self.rules.iter().flat_map(|rule| match rule {
            EditionRule::Excludes { plan, other } => vec![*plan, *other],
            EditionRule::RequiresAnyOf { plan, others } => [&[*plan], others.as_slice()].concat(),
            EditionRule::ProhibitedIn { plan, .. } => vec![*plan],
        });
        plans.collect()
    }
}

/// One rule about the service plans a user may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EditionRule {
    /// Nobody may have both. Symmetric, so stored once, with `plan < other`.
    Excludes {
        /// The plan with the lesser id.
        plan: Uuid,
        /// The plan with the greater id.
        other: Uuid,
    },
    /// Whoever has the plan must have one of the others too.
    RequiresAnyOf {
        /// The plan that needs another.
        plan: Uuid,
        /// The plans of which one is enough, sorted and unique.
        others: Vec<Uuid>,
    },
    /// Nobody in the country may have the plan.
    ProhibitedIn {
        /// The plan that is prohibited.
        plan: Uuid,
        /// The country as ISO 3166 alpha-2, in upper case.
        country: String,
    },
}

/// A repair, a remark or a problem, and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where the row begins, counted from 1 at the top of the file; 0 means the file as a whole.
    pub line: u32,
    /// The name of the column; empty means the whole line.
    pub column: &'static str,
    /// What is to be said, and for a problem what to do about it.
    pub text: String,
}

/// What a file says, and what was put right or is worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What the file says.
    pub value: T,
    /// Sorted by line, at most 1,000.
    pub notes: Vec<Note>,
}

/// Parses a catalogue file: one row for each service plan of each product.
///
/// # Errors
///
/// Every problem found, sorted by line, at most 1,000; nothing of such a file is usable.
pub fn parse_catalogue(file: &[u8]) -> Result<Parsed<Edition>, Vec<Note>> {
    catalogue::parse(file)
}

/// Parses a rules file: one row for each rule.
///
/// # Errors
///
/// Every problem found, sorted by line, at most 1,000; nothing of such a file is usable.
pub fn parse_rules(file: &[u8]) -> Result<Parsed<RuleSet>, Vec<Note>> {
    rules::parse(file)
}
