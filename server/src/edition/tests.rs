mod catalogue;
mod cell;
mod property;
mod rules;
mod table;

use super::{Note, Parsed, parse_catalogue, parse_rules};

const CATALOGUE: &[u8] = include_bytes!("../../fixtures/products-and-service-plans.csv");
const RULES: &[u8] = include_bytes!("../../fixtures/service-plan-rules.csv");

const CATALOGUE_HEADER: &str = "Product_Display_Name,String_Id,GUID,Service_Plan_Name,\
                                Service_Plan_Id,Service_Plans_Included_Friendly_Names";
const RULES_HEADER: &str = "kind,service_plan_id,service_plan_name,other,other_name";

/// The notes as people would read them: `line column: text`, one below the other.
fn listing(notes: &[Note]) -> String {
    let shown = notes.iter().map(|note| match note.column {
        "" => format!("{}: {}", note.line, note.text),
        column => format!("{} {column}: {}", note.line, note.text),
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn accepted<T>(parsed: Result<Parsed<T>, Vec<Note>>) -> (T, String) {
    match parsed {
        Ok(Parsed { value, notes }) => (value, listing(&notes)),
        Err(problems) => panic!("refused: {}", listing(&problems)),
    }
}

#[track_caller]
fn refused<T>(parsed: Result<Parsed<T>, Vec<Note>>) -> String {
    match parsed {
        Ok(Parsed { notes, .. }) => panic!("accepted: {}", listing(&notes)),
        Err(problems) => listing(&problems),
    }
}
