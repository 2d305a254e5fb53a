//! Makes an edition of a catalogue file.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::cell::quoted;
use super::journal::Journal;
use super::table::{self, Columns, Row};
use super::tally::Tally;
use super::{AppliesTo, Edition, EditionPlan, EditionProduct, Note, Parsed};

const PRODUCT_NAME: &str = "Product_Display_Name";
const STRING_ID: &str = "String_Id";
const PRODUCT_ID: &str = "GUID";
const PLAN_NAME: &str = "Service_Plan_Name";
const PLAN_ID: &str = "Service_Plan_Id";
const FRIENDLY_NAME: &str = "Service_Plans_Included_Friendly_Names";
const APPLIES_TO: &str = "Applies_To";

const COLUMNS: Columns = Columns {
    required: &[
        PRODUCT_NAME,
        STRING_ID,
        PRODUCT_ID,
        PLAN_NAME,
        PLAN_ID,
        FRIENDLY_NAME,
    ],
    optional: &[APPLIES_TO],
};

pub(super) fn parse(file: &[u8]) -> Result<Parsed<Edition>, Vec<Note>> {
    let mut journal = Journal::default();
    let mut draft = Draft::default();
    table::read(file, &COLUMNS, &mut journal, |row| {
        if let Some(entry) = PlanOfProduct::read(row) {
            draft.add(entry, row);
        }
    });
    let edition = draft.settle(&mut journal);
    journal.finish(edition)
}

/// What a row says: a product has a plan.
struct PlanOfProduct {
    line: u32,
    product: Uuid,
    plan: Uuid,
    applies_to: Option<AppliesTo>,
    names: Names,
}

#[derive(PartialEq, Eq)]
struct Names {
    product: String,
    string_id: String,
    plan: String,
    /// Empty if the row has none.
    friendly: String,
}

impl PlanOfProduct {
    /// `None` if a cell is refused; every cell is looked at before that.
    fn read(row: &mut Row<'_>) -> Option<Self> {
        let product_name = row.name(PRODUCT_NAME);
        let string_id = row.name(STRING_ID);
        let product = row.guid(PRODUCT_ID);
        let plan_name = row.name(PLAN_NAME);
        let plan = row.guid(PLAN_ID);
        let friendly = row.text(FRIENDLY_NAME);
        let applies_to = read_applies_to(row);
        if friendly.as_ref().is_some_and(String::is_empty) {
            row.note(
                FRIENDLY_NAME,
                "is empty: taken from other rows, else from the plan name",
            );
        }
        Some(Self {
            line: row.line,
            product: product?,
            plan: plan?,
            applies_to: applies_to?,
            names: Names {
                product: product_name?,
                string_id: string_id?,
                plan: plan_name?,
                friendly: friendly?,
            },
        })
    }
}

/// `None` if the cell is refused, `Some(None)` if there is no such column.
fn read_applies_to(row: &mut Row<'_>) -> Option<Option<AppliesTo>> {
    if row.cell(APPLIES_TO).is_none() {
        return Some(None);
    }
    let text = row.text(APPLIES_TO)?;
    match text.to_ascii_lowercase().as_str() {
        "" | "user" => Some(Some(AppliesTo::User)),
        "company" => Some(Some(AppliesTo::Company)),
        _ => {
            let given = quoted(&text);
            row.refuse(
                APPLIES_TO,
                format!("{given} is unknown: write User or Company"),
            );
            None
        }
    }
}

/// An edition while its rows come in.
#[derive(Default)]
struct Draft {
    /// The first row of each product and plan; later ones add nothing.
    pairs: HashMap<(Uuid, Uuid), PlanOfProduct>,
    products: BTreeMap<Uuid, DraftProduct>,
    plans: BTreeMap<Uuid, DraftPlan>,
}

struct DraftProduct {
    /// Its first row.
    line: u32,
    applies_to: Option<AppliesTo>,
    display_name: Tally,
    string_id: Tally,
    plan_ids: BTreeSet<Uuid>,
}

#[derive(Default)]
struct DraftPlan {
    name: Tally,
    display_name: Tally,
}

impl Draft {
    fn add(&mut self, entry: PlanOfProduct, row: &mut Row<'_>) {
        let PlanOfProduct {
            line,
            product,
            plan,
            applies_to,
            ref names,
        } = entry;
        let draft = self
            .products
            .entry(product)
            .or_insert_with(|| DraftProduct {
                line,
                applies_to,
                display_name: Tally::default(),
                string_id: Tally::default(),
                plan_ids: BTreeSet::new(),
            });
        if draft.applies_to != applies_to {
            let first = draft.line;
            row.refuse(
                APPLIES_TO,
                format!("differs from line {first}: give a product one value"),
            );
        }
        match self.pairs.entry((product, plan)) {
            Entry::Occupied(pair) => {
                let first = pair.get();
                let but = if first.names == *names {
                    ""
                } else {
                    ", though with other names"
                };
                row.note("", format!("dropped: repeats line {}{but}", first.line));
            }
            Entry::Vacant(pair) => {
                draft.display_name.add(&names.product, line, PRODUCT_NAME);
                draft.string_id.add(&names.string_id, line, STRING_ID);
                draft.plan_ids.insert(plan);
                let draft = self.plans.entry(plan).or_default();
                draft.name.add(&names.plan, line, PLAN_NAME);
                if !names.friendly.is_empty() {
                    draft.display_name.add(&names.friendly, line, FRIENDLY_NAME);
                }
                pair.insert(entry);
            }
        }
    }

    /// Settles the names, now that all rows are known.
    fn settle(self, journal: &mut Journal) -> Edition {
        const NAMED: &str = "every product and plan comes from a row, and a row has names";

        let lines: Vec<u32> = self.products.values().map(|draft| draft.line).collect();
        let settle_product = |(id, draft): (Uuid, DraftProduct)| {
            let subject = format!("product {id}");
            EditionProduct {
                id,
                display_name: draft.display_name.settle(&subject, journal).expect(NAMED),
                string_id: draft.string_id.settle(&subject, journal).expect(NAMED),
                applies_to: draft.applies_to,
                plan_ids: draft.plan_ids.into_iter().collect(),
            }
        };
        let products: Vec<_> = self.products.into_iter().map(settle_product).collect();
        let settle_plan = |(id, draft): (Uuid, DraftPlan)| {
            let subject = format!("service plan {id}");
            let name = draft.name.settle(&subject, journal).expect(NAMED);
            let friendly = draft.display_name.settle(&subject, journal);
            let display_name = friendly.unwrap_or_else(|| name.clone());
            EditionPlan {
                id,
                name,
                display_name,
            }
        };
        let plans = self.plans.into_iter().map(settle_plan).collect();
        note_shared_names(&products, &lines, journal);
        Edition { products, plans }
    }
}

/// Notes each product that has a name of a product further up in the file.
fn note_shared_names(products: &[EditionProduct], lines: &[u32], journal: &mut Journal) {
    let mut in_file_order: Vec<_> = lines.iter().zip(products).collect();
    in_file_order.sort_by_key(|(line, _)| **line);
    let mut owners = HashMap::new();
    for (line, product) in in_file_order {
        let names = [
            (PRODUCT_NAME, &product.display_name),
            (STRING_ID, &product.string_id),
        ];
        for (column, name) in names {
            let owner = *owners.entry((column, name)).or_insert(product.id);
            if owner != product.id {
                let name = quoted(name);
                let text = format!("{name} is also product {owner}: kept both, told apart by id");
                journal.note(*line, column, text);
            }
        }
    }
}
