use super::super::{AppliesTo, Edition};
use super::*;

/// A row to vary: product A with plan P.
pub(super) const ROW: &str = "Suite,SUITE,aaaaaaaa-0000-4000-8000-000000000001,\
                   MAIL,cccccccc-0000-4000-8000-000000000003,Mail";

pub(super) fn file(rows: &[&str]) -> String {
    [&[CATALOGUE_HEADER], rows].concat().join("\n")
}

/// A file with the column `Applies_To`.
pub(super) fn applying_file(rows: &[&str]) -> String {
    file(rows).replacen('\n', ",Applies_To\n", 1)
}

pub(super) fn parse(file: &str) -> Result<Parsed<Edition>, Vec<Note>> {
    parse_catalogue(file.as_bytes())
}

/// `ROW` with each pair's first text replaced by its second.
pub(super) fn row(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(ROW.to_owned(), |row, (from, to)| {
        assert!(row.contains(from), "{from}");
        row.replace(from, to)
    })
}

#[test]
fn the_vendors_catalogue_has_no_problem() {
    let (edition, notes) = accepted(parse_catalogue(CATALOGUE));
    assert_eq!((edition.products.len(), edition.plans.len()), (569, 723));
    let plans_of_products = edition
        .products
        .iter()
        .map(|product| product.plan_ids.len());
    assert_eq!(plans_of_products.sum::<usize>(), 5_448);
    assert!(
        edition
            .products
            .iter()
            .all(|product| product.applies_to.is_none())
    );
    assert!(edition.products.is_sorted_by(|a, b| a.id < b.id));
    assert!(edition.plans.is_sorted_by(|a, b| a.id < b.id));

    let count = |part| notes.lines().filter(|note| note.contains(part)).count();
    assert_eq!(count(" Service_Plan_Name: service plan "), 6);
    assert_eq!(
        count(" Service_Plans_Included_Friendly_Names: service plan "),
        139
    );
    assert_eq!(count(" Product_Display_Name: \""), 14);
    assert_eq!(count(" String_Id: \""), 1);
    assert_eq!(notes.lines().count(), 6 + 139 + 14 + 1);
}

#[test]
fn a_dirty_file_is_repaired_and_every_repair_noted() {
    let dirty = include_bytes!("../../../fixtures/dirty-catalogue.csv");
    let (edition, notes) = accepted(parse_catalogue(dirty));
    assert_eq!(
        notes,
        "\
         0: removed the byte order mark\n\
         1: ignored columns: \"Comment\"\n\
         4: dropped: repeats line 3\n\
         6 Product_Display_Name: tidied white space in \"Dynamics 365 Field\\u{a0}Service, \
             Enterprise Edition - Resource Schedu…\"\n\
         8 GUID: removed white space in \"420c7602\\u{a0}-7f70-4895-9394-d3d679ea36fb\"\n\
         9 GUID: put into lower case in \"420C7602-7F70-4895-9394-D3D679EA36FB\"\n\
         10 Service_Plan_Id: removed braces in \"{57ff2da0-773e-42df-b2af-ffb7a2317929}\"\n\
         11 Product_Display_Name: tidied white space in \"  Microsoft Teams  Shared Devices for \
             Faculty \"\n\
         12 Service_Plans_Included_Friendly_Names: tidied white space in \"Microsoft Entra\\tID \
             P1\"\n\
         13 Service_Plan_Name: removed invisible characters in \"INTUNE_\\u{200b}A\"\n\
         14 Service_Plan_Id: removed white space, removed braces, put into lower case in \"{ \
             CFCE7AE3-4B41-4438-999C-C0E91F3B7FB9 }\"\n\
         16 Product_Display_Name: product e4e55366-9635-46f4-a907-fc8c3b5ec81f has 2 names: kept \
             \"Power Virtual Agent\" (2 of 3), dropped \"Microsoft Copilot Studio\"\n\
         18 Service_Plan_Name: service plan 113feb6c-3fe4-4440-bddc-54d774bf0318 has 2 names: kept \
             \"EXCHANGE_S_FOUNDATION\" (4 of 5), dropped \"EXCHANGE_S_FOUNDATION \
             PBI_PREMIUM_EM1_ADDON\"\n\
         19 Service_Plans_Included_Friendly_Names: is empty: taken from other rows, else from the \
             plan name\n\
         21 Service_Plans_Included_Friendly_Names: tidied white space in \"OneDrive for\\r\\n \
             Business (Basic)\"\n\
         24 Service_Plans_Included_Friendly_Names: service plan \
             113feb6c-3fe4-4440-bddc-54d774bf0318 has 2 names: kept \"Exchange Foundation\" (4 of \
             5), dropped \"EXCHANGE FOUNDATION\"\n\
         24 Product_Display_Name: \"Visio Plan 1\" is also product \
             ca7f3140-d88c-455b-9a1c-7f0679e31a76: kept both, told apart by id\n\
         25 Service_Plans_Included_Friendly_Names: is empty: taken from other rows, else from the \
             plan name\n\
         28 String_Id: \"MCOPSTN5\" is also product d43177b5-475b-4880-92d4-d54c27b5efbd: kept \
             both, told apart by id\n\
         29: dropped: repeats line 28, though with other names\n\
         30 Product_Display_Name: composed accents (Unicode NFC) in \"Formation \
             E\\u{301}ducation\"\n\
         31 GUID: put into lower case in \"0C0FFEE0-5EED-4E5A-8F00-000000000001\"\n\
         31 Applies_To: tidied white space in \" company\""
    );

    // All but one of its products are the vendor's.
    let (clean, _) = accepted(parse_catalogue(CATALOGUE));
    let (invented, real): (Vec<_>, Vec<_>) = edition
        .products
        .iter()
        .partition(|product| product.string_id == "FORMATION_EDU");
    for product in real {
        let twin = clean.products.iter().find(|twin| twin.id == product.id);
        let mut twin = twin.expect("a product of the vendor").clone();
        twin.applies_to = Some(AppliesTo::User);
        assert_eq!(*product, twin);
    }
    for plan in edition
        .plans
        .iter()
        .filter(|plan| !plan.name.starts_with("FORMATION"))
    {
        assert!(clean.plans.contains(plan), "{plan:?}");
    }
    assert_eq!(invented.len(), 1);
    assert_eq!(invented[0].display_name, "Formation Éducation");
    assert_eq!(invented[0].applies_to, Some(AppliesTo::Company));
    assert_eq!(invented[0].plan_ids.len(), 2);
}

#[test]
fn all_problems_of_a_file_are_reported_together() {
    let file = include_bytes!("../../../fixtures/refused-catalogue.csv");
    assert_eq!(
        refused(parse_catalogue(file)),
        "\
         3 GUID: is empty: fill in the GUID\n\
         4 Service_Plan_Id: \"2bdbaf8f-738f-4ac7-9234\" is no GUID: write 8-4-4-4-12 hexadecimal \
             digits\n\
         5 Product_Display_Name: is empty: fill it in\n\
         6: has 6 cells for 7 columns: quote cells with a comma\n\
         7: is not UTF-8: save the file as \"CSV UTF-8\"\n\
         8 String_Id: holds the control character U+0007: remove it\n\
         9 Service_Plans_Included_Friendly_Names: is 269 characters long: shorten it to 256\n\
         10 Applies_To: \"Tenant\" is unknown: write User or Company\n\
         11 Applies_To: differs from line 2: give a product one value\n\
         12 String_Id: is empty: fill it in\n\
         12 Service_Plan_Name: is empty: fill it in\n\
         13: has text after a closing quote: double the quotes inside\n\
         14: opens a quote that is never closed: close it or double it"
    );
}

#[test]
fn repeated_rows_are_dropped() {
    let (clean, _) = accepted(parse(&file(&[ROW])));
    let renamed = row(&[("Suite", "Old suite"), (",Mail", ",Post")]);
    let (edition, notes) = accepted(parse(&file(&[ROW, ROW, &renamed, &renamed])));
    assert_eq!(edition, clean);
    assert_eq!(
        notes,
        "\
         3: dropped: repeats line 2\n\
         4: dropped: repeats line 2, though with other names\n\
         5: dropped: repeats line 2, though with other names"
    );
}

#[test]
fn the_most_frequent_name_wins_and_of_equals_the_first() {
    let calendar = [
        ("cccccccc", "dddddddd"),
        ("MAIL", "CALENDAR"),
        (",Mail", ",Calendar"),
    ];
    let second = row(&[&calendar[..], &[("Suite", "Suite 2"), ("SUITE", "SUITE2")]].concat());
    let (edition, notes) = accepted(parse(&file(&[ROW, &second])));
    assert_eq!(edition.products[0].display_name, "Suite");
    assert_eq!(edition.products[0].string_id, "SUITE");
    assert_eq!(
        notes,
        "\
         3 Product_Display_Name: product aaaaaaaa-0000-4000-8000-000000000001 has 2 names: kept \
             \"Suite\" (1 of 2), dropped \"Suite 2\"\n\
         3 String_Id: product aaaaaaaa-0000-4000-8000-000000000001 has 2 names: kept \"SUITE\" (1 \
             of 2), dropped \"SUITE2\""
    );

    let tasks = [
        ("cccccccc", "eeeeeeee"),
        ("MAIL", "TASKS"),
        (",Mail", ",Tasks"),
    ];
    let third = row(&[&tasks[..], &[("Suite", "Suite 2")]].concat());
    let (edition, notes) = accepted(parse(&file(&[ROW, &second, &third])));
    assert_eq!(edition.products[0].display_name, "Suite 2");
    assert_eq!(
        notes,
        "\
         2 Product_Display_Name: product aaaaaaaa-0000-4000-8000-000000000001 has 2 names: kept \
             \"Suite 2\" (2 of 3), dropped \"Suite\"\n\
         3 String_Id: product aaaaaaaa-0000-4000-8000-000000000001 has 2 names: kept \"SUITE\" (2 \
             of 3), dropped \"SUITE2\""
    );

    let product = [
        ("aaaaaaaa", "bbbbbbbb"),
        ("Suite", "Desk"),
        ("SUITE", "DESK"),
    ];
    let other = row(&[&product[..], &[("MAIL", "MAILBOX"), (",Mail", ",Mailbox")]].concat());
    let (edition, notes) = accepted(parse(&file(&[ROW, &other])));
    assert_eq!(edition.plans[0].name, "MAIL");
    assert_eq!(edition.plans[0].display_name, "Mail");
    assert_eq!(
        notes,
        "\
         3 Service_Plan_Name: service plan cccccccc-0000-4000-8000-000000000003 has 2 names: kept \
             \"MAIL\" (1 of 2), dropped \"MAILBOX\"\n\
         3 Service_Plans_Included_Friendly_Names: service plan \
             cccccccc-0000-4000-8000-000000000003 has 2 names: kept \"Mail\" (1 of 2), dropped \
             \"Mailbox\""
    );
}

#[test]
fn products_with_the_same_names_stay_apart() {
    let (b, c) = (
        row(&[("aaaaaaaa", "bbbbbbbb")]),
        row(&[("aaaaaaaa", "00000000")]),
    );
    let (edition, notes) = accepted(parse(&file(&[ROW, &b, &c])));
    assert_eq!(edition.products.len(), 3);
    assert_eq!(
        notes,
        "\
         3 Product_Display_Name: \"Suite\" is also product aaaaaaaa-0000-4000-8000-000000000001: \
             kept both, told apart by id\n\
         3 String_Id: \"SUITE\" is also product aaaaaaaa-0000-4000-8000-000000000001: kept both, \
             told apart by id\n\
         4 Product_Display_Name: \"Suite\" is also product aaaaaaaa-0000-4000-8000-000000000001: \
             kept both, told apart by id\n\
         4 String_Id: \"SUITE\" is also product aaaaaaaa-0000-4000-8000-000000000001: kept both, \
             told apart by id"
    );
}

#[test]
fn an_empty_friendly_name_gives_way_to_other_rows_or_the_plan_name() {
    let empty = row(&[(",Mail", ",")]);
    let (edition, notes) = accepted(parse(&file(&[&empty])));
    assert_eq!(edition.plans[0].display_name, "MAIL");
    assert_eq!(
        notes,
        "2 Service_Plans_Included_Friendly_Names: is empty: taken from other rows, else from the \
         plan name"
    );

    let named = row(&[
        ("aaaaaaaa", "bbbbbbbb"),
        ("Suite", "Desk"),
        ("SUITE", "DESK"),
    ]);
    let (edition, _) = accepted(parse(&file(&[&empty, &named])));
    assert_eq!(edition.plans[0].display_name, "Mail");
}

#[test]
fn applies_to_is_user_unless_it_says_company() {
    let applies_to = |file: &str| accepted(parse(file)).0.products[0].applies_to;
    assert_eq!(applies_to(&file(&[ROW])), None);
    for (cell, expected) in [
        ("", AppliesTo::User),
        (" ", AppliesTo::User),
        ("user", AppliesTo::User),
        ("Company", AppliesTo::Company),
        ("COMPANY ", AppliesTo::Company),
    ] {
        let file = applying_file(&[&format!("{ROW},{cell}")]);
        assert_eq!(applies_to(&file), Some(expected), "{cell:?}");
    }
}

#[test]
fn a_product_applies_to_one_of_users_and_company() {
    let plan = row(&[
        ("cccccccc", "dddddddd"),
        ("MAIL", "CALENDAR"),
        (",Mail", ",Calendar"),
    ]);
    let rows = [
        format!("{ROW},User"),
        format!("{plan},Company"),
        format!("{ROW},Company"),
    ];
    let file = applying_file(&rows.each_ref().map(String::as_str));
    assert_eq!(
        refused(parse(&file)),
        "\
         3 Applies_To: differs from line 2: give a product one value\n\
         4 Applies_To: differs from line 2: give a product one value"
    );
}
