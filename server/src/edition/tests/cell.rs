use super::catalogue::{ROW, applying_file, file, parse, row};
use super::*;

/// Checks what is said of a file in which the one row has `to` instead of `from`.
#[track_caller]
fn check_refused(from: &str, to: &str, expected: &str) {
    let file = file(&[&row(&[(from, to)])]);
    assert_eq!(refused(parse(&file)), expected, "{to:?}");
}

#[test]
fn a_dirty_cell_gives_the_clean_edition() {
    let (clean, _) = accepted(parse(&file(&[ROW])));
    let check = |from: &str, to: &str, expected: &str| {
        let (edition, notes) = accepted(parse(&file(&[&row(&[(from, to)])])));
        assert_eq!(edition, clean, "{to:?}");
        assert_eq!(notes, expected, "{to:?}");
    };
    check(
        "Suite",
        "\u{a0}Suite",
        "2 Product_Display_Name: tidied white space in \"\\u{a0}Suite\"",
    );
    check(
        "SUITE",
        "SUI\u{200b}TE",
        "2 String_Id: removed invisible characters in \"SUI\\u{200b}TE\"",
    );
    check(
        "MAIL",
        "\tMAIL",
        "2 Service_Plan_Name: tidied white space in \"\\tMAIL\"",
    );
    check(
        ",Mail",
        ",  Mail ",
        "2 Service_Plans_Included_Friendly_Names: tidied white space in \"  Mail \"",
    );
    check(
        ",Mail",
        ",\"\r\nMail\n\"",
        "2 Service_Plans_Included_Friendly_Names: tidied white space in \"\\r\\nMail\\n\"",
    );
    check(
        "aaaa-0000",
        "aaaa-\u{a0}0000",
        "2 GUID: removed white space in \"aaaaaaaa-\\u{a0}0000-4000-8000-000000000001\"",
    );
    check(
        "aaaa-0000",
        "AAAA-0000",
        "2 GUID: put into lower case in \"aaaaAAAA-0000-4000-8000-000000000001\"",
    );
    check(
        "cccccccc-0000-4000-8000-000000000003",
        "{cccccccc-0000-4000-8000-000000000003}",
        "2 Service_Plan_Id: removed braces in \"{cccccccc-0000-4000-8000-000000000003}\"",
    );
    check(
        "cccccccc-0000-4000-8000-000000000003",
        " {CCCCCCCC-0000-4000-8000-000000000003 }",
        "2 Service_Plan_Id: removed white space, removed braces, put into lower case in \" \
         {CCCCCCCC-0000-4000-8000-000000000003 }\"",
    );
}

#[test]
fn names_are_tidied_inside_and_composed() {
    let dirty = row(&[
        ("Suite", "Cafe\u{301} \u{a0}\t  Suite"),
        ("SUITE", "MY  SUITE"),
    ]);
    let (edition, notes) = accepted(parse(&file(&[&dirty])));
    assert_eq!(edition.products[0].display_name, "Caf\u{e9} Suite");
    assert_eq!(edition.products[0].string_id, "MY SUITE");
    assert_eq!(
        notes,
        "\
         2 Product_Display_Name: tidied white space, composed accents (Unicode NFC) in \
             \"Cafe\\u{301} \\u{a0}\\t  Suite\"\n\
         2 String_Id: tidied white space in \"MY  SUITE\""
    );
}

#[test]
fn a_guid_beyond_repair_is_refused() {
    let (a, p) = (&ROW[12..48], &ROW[54..90]);
    check_refused(a, "", "2 GUID: is empty: fill in the GUID");
    check_refused(
        p,
        " \u{a0}",
        "2 Service_Plan_Id: is empty: fill in the GUID",
    );
    check_refused(
        a,
        "aaaaaaaa",
        "2 GUID: \"aaaaaaaa\" is no GUID: write 8-4-4-4-12 hexadecimal digits",
    );
    check_refused(
        a,
        "aaaaaaaa000040008000000000000001",
        "2 GUID: \"aaaaaaaa000040008000000000000001\" is no GUID: write 8-4-4-4-12 hexadecimal \
         digits",
    );
    check_refused(
        p,
        "{cccccccc-0000-4000-8000-000000000003",
        "2 Service_Plan_Id: \"{cccccccc-0000-4000-8000-000000000003\" is no GUID: write 8-4-4-4-12 \
         hexadecimal digits",
    );
    check_refused(
        p,
        "gggggggg-0000-4000-8000-000000000003",
        "2 Service_Plan_Id: \"gggggggg-0000-4000-8000-000000000003\" is no GUID: write 8-4-4-4-12 \
         hexadecimal digits",
    );
}

#[test]
fn a_name_beyond_repair_is_refused() {
    check_refused("Suite", "", "2 Product_Display_Name: is empty: fill it in");
    check_refused("SUITE", "\u{200b}", "2 String_Id: is empty: fill it in");
    check_refused("MAIL", " ", "2 Service_Plan_Name: is empty: fill it in");
    check_refused(
        "Suite",
        "Su\u{0}ite",
        "2 Product_Display_Name: holds the control character U+0000: remove it",
    );
    check_refused(
        "SUITE",
        "SUI\u{7f}TE",
        "2 String_Id: holds the control character U+007F: remove it",
    );
    check_refused(
        "MAIL",
        "MA\u{85}IL",
        "2 Service_Plan_Name: holds the control character U+0085: remove it",
    );
    check_refused(
        ",Mail",
        ",Ma\u{1b}il",
        "2 Service_Plans_Included_Friendly_Names: holds the control character U+001B: remove it",
    );
    check_refused(
        ",Mail",
        &format!(",{}", "é".repeat(257)),
        "2 Service_Plans_Included_Friendly_Names: is 257 characters long: shorten it to 256",
    );

    let longest = row(&[("Suite", &"e\u{301}".repeat(256))]);
    assert_eq!(
        accepted(parse(&file(&[&longest]))).0.products[0]
            .display_name
            .chars()
            .count(),
        256
    );
    let file = applying_file(&[&format!("{ROW},Tenant")]);
    assert_eq!(
        refused(parse(&file)),
        "2 Applies_To: \"Tenant\" is unknown: write User or Company"
    );
}
