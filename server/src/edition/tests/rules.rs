use uuid::Uuid;

use super::super::{EditionRule, RuleSet};
use super::*;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const C: &str = "cccccccc-0000-4000-8000-000000000003";

fn parse(rows: &str) -> Result<Parsed<RuleSet>, Vec<Note>> {
    // Short ids keep the rows readable.
    let rows = rows.replace('A', A).replace('B', B).replace('C', C);
    parse_rules(format!("{RULES_HEADER}\n{rows}").as_bytes())
}

fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn excludes(plan: &str, other: &str) -> EditionRule {
    EditionRule::Excludes {
        plan: id(plan),
        other: id(other),
    }
}

fn requires(plan: &str, others: &[&str]) -> EditionRule {
    EditionRule::RequiresAnyOf {
        plan: id(plan),
        others: others.iter().map(|o| id(o)).collect(),
    }
}

fn prohibited(plan: &str, country: &str) -> EditionRule {
    EditionRule::ProhibitedIn {
        plan: id(plan),
        country: country.into(),
    }
}

#[test]
fn the_published_rules_have_no_problem() {
    let (rule_set, notes) = accepted(parse_rules(RULES));
    assert_eq!(notes, "");
    let count = |is: fn(&EditionRule) -> bool| rule_set.rules.iter().filter(|r| is(r)).count();
    assert_eq!(
        count(|rule| matches!(rule, EditionRule::Excludes { .. })),
        97
    );
    assert_eq!(
        count(|rule| matches!(rule, EditionRule::RequiresAnyOf { .. })),
        6
    );
    assert_eq!(
        count(|rule| matches!(rule, EditionRule::ProhibitedIn { .. })),
        2
    );
    assert_eq!(rule_set.rules.len(), 97 + 6 + 2);
    assert!(rule_set.rules.is_sorted_by(|a, b| a < b));
}

#[test]
fn rules_are_read_and_repaired() {
    let check = |rows: &str, expected: &[EditionRule], expected_notes: &str| {
        let (rule_set, notes) = accepted(parse(rows));
        assert_eq!(rule_set.rules, expected, "{rows}");
        assert_eq!(notes, expected_notes, "{rows}");
    };
    check("excludes,A,a,B,b", &[excludes(A, B)], "");
    check("Excludes,B,,A,", &[excludes(A, B)], "");
    check(
        "excludes,A,,B,\nexcludes,A,,B,\nexcludes,B,,A,",
        &[excludes(A, B)],
        "\
         3: dropped: repeats line 2\n\
         4: dropped: repeats line 2",
    );
    check("requires_any_of,A,a,C|B,c|b", &[requires(A, &[B, C])], "");
    check(
        "requires_any_of,A,, C | B|C,",
        &[requires(A, &[B, C])],
        "\
         2 other: removed white space in \" cccccccc-0000-4000-8000-000000000003 \"\n\
         2 other: removed white space in \" bbbbbbbb-0000-4000-8000-000000000002\"\n\
         2 other: has a plan twice: one is enough",
    );
    check(
        "requires_any_of,A,a,B|C,b",
        &[requires(A, &[B, C])],
        "2 other_name: ignored: names (1) and plans (2) do not match",
    );
    check(
        "requires_any_of,A,,C,\nrequires_any_of,A,,B,\nrequires_any_of,A,,C,",
        &[requires(A, &[B]), requires(A, &[C])],
        "\
         3: requires more for the plan of line 2: kept both\n\
         4: dropped: repeats line 2",
    );
    check(
        "prohibited_in,A,a,us,United States",
        &[prohibited(A, "US")],
        "",
    );
    check(
        "prohibited_in,A,,\u{a0}US ,\nprohibited_in,A,,us,",
        &[prohibited(A, "US")],
        "\
         2 other: tidied white space in \"\\u{a0}US \"\n\
         3: dropped: repeats line 2",
    );
    check(
        " excludes ,{A},,B\u{200b},",
        &[excludes(A, B)],
        "\
         2 service_plan_id: removed braces in \"{aaaaaaaa-0000-4000-8000-000000000001}\"\n\
         2 kind: tidied white space in \" excludes \"\n\
         2 other: removed white space in \"bbbbbbbb-0000-4000-8000-000000000002\\u{200b}\"",
    );
    check(
        "prohibited_in,A,,DE,\nrequires_any_of,A,,B,\nexcludes,C,,A,",
        &[excludes(A, C), requires(A, &[B]), prohibited(A, "DE")],
        "",
    );
}

#[test]
fn plans_are_called_as_the_file_calls_them() {
    let check = |rows: &str, expected: &[(&str, &str)], expected_notes: &str| {
        let (rule_set, notes) = accepted(parse(rows));
        let expected = expected
            .iter()
            .map(|(plan, name)| (id(plan), (*name).to_owned()));
        assert_eq!(rule_set.plan_names, expected.collect(), "{rows}");
        assert_eq!(notes, expected_notes, "{rows}");
    };
    check(
        "requires_any_of,A,a,C|B,c|b ",
        &[(A, "a"), (B, "b"), (C, "c")],
        "2 other_name: tidied white space in \"b \"",
    );
    check(
        "requires_any_of,A,a,C|B,\nprohibited_in,B,,FR,France",
        &[(A, "a")],
        "",
    );
    check(
        "requires_any_of,A,a,C|B,c",
        &[(A, "a")],
        "2 other_name: ignored: names (1) and plans (2) do not match",
    );
    check(
        "excludes,B,b,A,x\nexcludes,A,a,C,\nprohibited_in,A,a,FR,",
        &[(A, "a"), (B, "b")],
        "2 other_name: service plan aaaaaaaa-0000-4000-8000-000000000001 has 2 names: kept \"a\" \
         (2 of 3), dropped \"x\"",
    );
    check(
        "excludes,A,a,B,b\nexcludes,B,x,A,y",
        &[(A, "a"), (B, "b")],
        "3: dropped: repeats line 2",
    );
}

#[track_caller]
fn check_refused(rows: &str, expected: &str) {
    assert_eq!(refused(parse(rows)), expected, "{rows}");
}

#[test]
fn a_rule_beyond_repair_is_refused() {
    check_refused("", "0: has a header only: add the rows");
    check_refused(
        "needs,A,,B,",
        "2 kind: \"needs\" is unknown: write excludes, requires_any_of or prohibited_in",
    );
    check_refused(",A,,B,", "2 kind: is empty: fill it in");
}

#[test]
fn a_rule_with_other_plans_or_countries_than_it_can_have_is_refused() {
    check_refused(
        "excludes,A,,A,",
        "2 other: is the plan itself: write another",
    );
    check_refused(
        "requires_any_of,A,,B|A,",
        "2 other: has the plan itself: leave it out",
    );
    check_refused(
        "excludes,1234,,B,",
        "2 service_plan_id: \"1234\" is no GUID: write 8-4-4-4-12 hexadecimal digits",
    );
    check_refused(
        "excludes,A,,B|C,",
        "2 other: \"bbbbbbbb-0000-4000-8000-000000000002|cccccccc-0000-4000-8000-000…\" is no \
         GUID: write 8-4-4-4-12 hexadecimal digits",
    );
    check_refused(
        "excludes,,,,",
        "\
         2 service_plan_id: is empty: fill in the GUID\n\
         2 other: is empty: fill in the GUID",
    );
    check_refused(
        "requires_any_of,A,,,",
        "2 other: is empty: fill in the GUID",
    );
    check_refused(
        "requires_any_of,A,,B||C|,",
        "\
         2 other: is empty: fill in the GUID\n\
         2 other: is empty: fill in the GUID",
    );
    check_refused("prohibited_in,A,,,", "2 other: is empty: fill it in");
    check_refused(
        "prohibited_in,A,,FRG,",
        "2 other: \"FRG\" is no country: write two letters such as US",
    );
    check_refused(
        "prohibited_in,A,,\u{dc}S,",
        "2 other: \"ÜS\" is no country: write two letters such as US",
    );
    check_refused(
        "prohibited_in,A,,U1,",
        "2 other: \"U1\" is no country: write two letters such as US",
    );
    check_refused(
        "excludes,A,\u{7},B,b\u{1}",
        "\
         2 service_plan_name: holds the control character U+0007: remove it\n\
         2 other_name: holds the control character U+0001: remove it",
    );
    check_refused(
        "excludes,A,,B",
        "2: has 4 cells for 5 columns: quote cells with a comma",
    );
    check_refused(
        "needs,x,,B,\nexcludes,A,,A,\nprohibited_in,y,,z,",
        "\
         2 service_plan_id: \"x\" is no GUID: write 8-4-4-4-12 hexadecimal digits\n\
         2 kind: \"needs\" is unknown: write excludes, requires_any_of or prohibited_in\n\
         3 other: is the plan itself: write another\n\
         4 service_plan_id: \"y\" is no GUID: write 8-4-4-4-12 hexadecimal digits\n\
         4 other: \"Z\" is no country: write two letters such as US",
    );
}
