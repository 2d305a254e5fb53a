use super::super::journal::{Journal, NOTES_MAX};
use super::super::table::{Columns, ROWS_MAX, read};
use super::*;

const COLUMNS: Columns = Columns {
    required: &["Name", "Other"],
    optional: &["Extra"],
};

/// The cells of `Name`, with their lines.
fn names(file: &[u8]) -> Result<Parsed<Vec<(u32, String)>>, Vec<Note>> {
    let mut journal = Journal::default();
    let mut names = Vec::new();
    read(file, &COLUMNS, &mut journal, |row| {
        names.extend(row.name("Name").map(|name| (row.line, name)));
    });
    journal.finish(names)
}

#[test]
fn every_row_knows_its_line() {
    for (file, lines) in [
        ("Name,Other\na,\nb,\n", [2, 3]),
        ("Name,Other\r\na,\r\nb,", [2, 3]),
        ("\r\n\nName,Other\n\n\na,\n\r\nb,\n\n", [6, 8]),
        ("\u{feff}\"Name\",Other\n\"a\",\nb,", [2, 3]),
        (
            "Name,\"Ot\u{200b}her\n\"\n\"\na\",\"x\n\ny\"\n\"b\",",
            [3, 7],
        ),
    ] {
        let (names, _) = accepted(names(file.as_bytes()));
        assert_eq!(
            names,
            [(lines[0], "a".into()), (lines[1], "b".into())],
            "{file:?}"
        );
    }
}

#[test]
fn columns_are_found_by_name() {
    let check = |file: &str, expected: &str| {
        let (names, notes) = accepted(names(file.as_bytes()));
        assert_eq!(names, [(2, "a".to_owned())], "{file:?}");
        assert_eq!(notes, expected, "{file:?}");
    };
    check("Other,Name\n,a", "");
    check("OTHER,\u{a0}name ,extra\n,a,", "");
    check(
        "Other,Note,Name,\n,,a,",
        "1: ignored columns: \"Note\", \"\"",
    );
    check(
        "u,v,w,x,y,z,Name,Other\n,,,,,,a,",
        "1: ignored columns: \"u\", \"v\", \"w\", \"x\", \"y\", …",
    );
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    let check = |file: &[u8], expected: &str| {
        assert_eq!(refused(names(file)), expected, "{}", file.escape_ascii());
    };
    check(b"", "0: is empty: begin with the header Name, Other");
    check(
        b"\xef\xbb\xbf\r\n\n",
        "0: is empty: begin with the header Name, Other",
    );
    check(b"Name,Other\n\n", "0: has a header only: add the rows");
    check(
        b"\na,b\nc,d",
        "2: is no header: begin with Name, Other, set off by commas",
    );
    check(
        b"Name;Other\na;b",
        "1: is no header: begin with Name, Other, set off by commas",
    );
    check(b"Name\na", "1 Other: is missing: add the column");
    check(
        b"Extra\na",
        "\
         1 Name: is missing: add the column\n\
         1 Other: is missing: add the column",
    );
    check(
        b"Name,Other,name,other\na,,,",
        "\
         1 Name: is there twice: keep one of the columns\n\
         1 Other: is there twice: keep one of the columns",
    );
    check(
        b"Name,Extra,Name\na,,",
        "\
         1 Name: is there twice: keep one of the columns\n\
         1 Other: is missing: add the column",
    );
    check(
        b"Name,\"Other\na,b\n",
        "1: opens a quote that is never closed: close it or double it",
    );
    check(
        b"\xff\xfeN\0a\0m\0e\0",
        "\
         1: is not UTF-8: save the file as \"CSV UTF-8\"\n\
         1: is no header: begin with Name, Other, set off by commas",
    );
}

#[test]
fn a_row_that_is_damaged_is_refused_and_the_others_are_read() {
    let check = |rows: &[u8], expected: &str| {
        let file = [b"Name,Other\n\n", rows, b"\n,end"].concat();
        assert_eq!(refused(names(&file)), expected, "{}", rows.escape_ascii());
    };
    check(
        b"a",
        "\
         3: has 1 cells for 2 columns: quote cells with a comma\n\
         4 Name: is empty: fill it in",
    );
    check(
        b"a,b,c\n,",
        "\
         3: has 3 cells for 2 columns: quote cells with a comma\n\
         4 Name: is empty: fill it in\n\
         5 Name: is empty: fill it in",
    );
    check(
        b"\"a\nb\",\"c",
        "3: opens a quote that is never closed: close it or double it",
    );
    // Taken as it stands, the second row would vanish in a cell of the first.
    check(
        b"a,\"b\nc,\"d\"",
        "\
         3: has text after a closing quote: double the quotes inside\n\
         5 Name: is empty: fill it in",
    );
    check(
        b"\"a\"\"",
        "3: opens a quote that is never closed: close it or double it",
    );
    check(
        b"a,\"b\"c\n\"d\" ,e",
        "\
         3: has text after a closing quote: double the quotes inside\n\
         4: has text after a closing quote: double the quotes inside\n\
         5 Name: is empty: fill it in",
    );
    check(
        b"a,caf\xe9\nb\xff,\nc,\"\n\xfe\"",
        "\
         3: is not UTF-8: save the file as \"CSV UTF-8\"\n\
         4: is not UTF-8: save the file as \"CSV UTF-8\"\n\
         6: is not UTF-8: save the file as \"CSV UTF-8\"\n\
         7 Name: is empty: fill it in",
    );
}

#[test]
fn quotes_inside_a_cell_are_read() {
    let file = "Name,Other\n\"the \"\"a\"\", of\",\"\"\n19\" screen,\"\"\"\"";
    let (names, _) = accepted(names(file.as_bytes()));
    assert_eq!(
        names,
        [
            (2, "the \"a\", of".to_owned()),
            (3, "19\" screen".to_owned())
        ]
    );
}

#[test]
fn a_million_rows_are_read_and_no_more() {
    let count = |file: &str| {
        let (mut journal, mut rows) = (Journal::default(), 0);
        read(file.as_bytes(), &COLUMNS, &mut journal, |_| rows += 1);
        journal.finish(rows)
    };
    let mut file = String::from("Name,Other\n");
    file.extend((0..ROWS_MAX).map(|_| "a,\n"));
    assert_eq!(accepted(count(&file)).0, ROWS_MAX);
    file += "b,\nc,\n";
    assert_eq!(
        refused(count(&file)),
        "1000002: is more than 1000000 rows: leave out this and the rest"
    );
}

#[test]
fn a_thousand_notes_are_given_and_the_rest_counted() {
    let file = |rows| format!("Name,Other\n{}", ",\n".repeat(rows));
    let problems = |rows| names(file(rows).as_bytes()).expect_err("empty names");
    assert_eq!(problems(NOTES_MAX).len(), NOTES_MAX);
    assert_eq!(problems(NOTES_MAX)[0].line, 2);
    let capped = problems(NOTES_MAX + 5);
    assert_eq!(capped.len(), NOTES_MAX);
    assert_eq!(listing(&capped[..1]), "0: 6 more are not listed");

    let dirty = format!("Name,Other\n{}", "a ,\n".repeat(NOTES_MAX + 5));
    let notes = names(dirty.as_bytes()).expect("repaired names").notes;
    assert_eq!(notes.len(), NOTES_MAX);
}
