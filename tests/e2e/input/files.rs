//! Broken files: a catalogue or rules of which nothing is imported.

use seatwise_client::Error;
use seatwise_client::transport::v1::ErrorReason::InvalidFile;

use super::BadInput;
use crate::fixtures::{CATALOGUE, RULES};

pub(super) async fn refused(bad: &mut BadInput<'_>) {
    catalogues(bad).await;
    rules(bad).await;
}

async fn catalogues(bad: &mut BadInput<'_>) {
    const ROW: &str = "Video,VIDEO,a0000000-0000-4000-8000-000000000008,VIDEO,\
                       b0000000-0000-4000-8000-00000000000a,Video,User";
    assert!(CATALOGUE.contains(ROW));
    let header = CATALOGUE.lines().next().expect("a header");
    let long = format!("{},VIDEO,a0", "x".repeat(257));
    // What to write instead of what, and where it is told.
    let spoiled = [
        (
            "Video,VIDEO,a0",
            ",VIDEO,a0",
            "line 11, column Product_Display_Name",
        ),
        ("Video,VIDEO,a0", "Video,,a0", "line 11, column String_Id"),
        (
            "Video,VIDEO,a0",
            "Vi\u{7}deo,VIDEO,a0",
            "line 11, column Product_Display_Name",
        ),
        (
            "Video,VIDEO,a0",
            &long,
            "line 11, column Product_Display_Name",
        ),
        (",VIDEO,a0000000-", ",VIDEO,a000-", "line 11, column GUID"),
        (
            ",VIDEO,a0000000-0000-4000-8000-000000000008,",
            ",VIDEO,,",
            "line 11, column GUID",
        ),
        (",VIDEO,b0", ",,b0", "line 11, column Service_Plan_Name"),
        (
            ",VIDEO,b0000000-",
            ",VIDEO,g0000000-",
            "line 11, column Service_Plan_Id",
        ),
        ("Video,User", "Video,Tenant", "line 11, column Applies_To"),
        ("Video,User", "Video", "line 11"),
        ("Video,User", "Video,User,", "line 11"),
        ("Video,VIDEO,a0", "\"Video,VIDEO,a0", "line 11"),
        ("Video,VIDEO,a0", "\"Video\" 2,VIDEO,a0", "line 11"),
        ("String_Id,GUID", "GUID,GUID", "line 1, column GUID"),
        (",GUID,", ",Id,", "line 1, column GUID"),
        (header, "", "line 2"),
    ];
    for (from, to, place) in spoiled {
        let file = replace_last(CATALOGUE, from, to);
        refuse_catalogue(bad, file.as_bytes(), place).await;
    }
    let differs = CATALOGUE.replace(
        "DRIVE,b0000000-0000-4000-8000-000000000003,Drive,User",
        "DRIVE,b0000000-0000-4000-8000-000000000003,Drive,Company",
    );
    refuse_catalogue(bad, differs.as_bytes(), "line 4, column Applies_To").await;
    refuse_catalogue(bad, b"", "file").await;
    refuse_catalogue(bad, header.as_bytes(), "file").await;
    refuse_catalogue(bad, b"Product,Plan\nVideo,Video\n", "line 1").await;
    let place = "line 1, column Product_Display_Name";
    refuse_catalogue(bad, RULES.as_bytes(), place).await;
    let latin = [CATALOGUE.as_bytes(), b"Caf\xe9,A,B,C,D,E,User\n"].concat();
    refuse_catalogue(bad, &latin, "line 12").await;
}

async fn rules(bad: &mut BadInput<'_>) {
    const MAIL: &str = "b0000000-0000-4000-8000-000000000001";
    let spoiled = [
        ("excludes,b0", "forbids,b0", "line 2, column kind"),
        ("excludes,b0", ",b0", "line 2, column kind"),
        (
            "excludes,b0000000-",
            "excludes,b0-",
            "line 2, column service_plan_id",
        ),
        (
            "b0000000-0000-4000-8000-000000000004,MAIL_BASIC",
            "x,MAIL_BASIC",
            "line 2, column other",
        ),
        (
            "b0000000-0000-4000-8000-000000000004,MAIL_BASIC",
            &format!("{MAIL},MAIL"),
            "line 2, column other",
        ),
        ("|b0000000-", "|", "line 3, column other"),
        (
            "|b0000000-0000-4000-8000-000000000006",
            "|b0000000-0000-4000-8000-000000000005",
            "line 3, column other",
        ),
        (",US,", ",USA,", "line 4, column other"),
        (",US,", ",,", "line 4, column other"),
        (",US,", ",US", "line 4"),
        (",US,", ",\"US,", "line 4"),
        ("kind,", "sort,", "line 1, column kind"),
    ];
    for (from, to, place) in spoiled {
        let file = replace_last(RULES, from, to);
        refuse_rules(bad, file.as_bytes(), place).await;
    }
    refuse_rules(bad, b"", "file").await;
    refuse_rules(bad, CATALOGUE.as_bytes(), "line 1, column kind").await;
    refuse_rules(
        bad,
        b"kind,service_plan_id,service_plan_name,other,other_name\n",
        "file",
    )
    .await;
}

async fn refuse_catalogue(bad: &mut BadInput<'_>, file: &[u8], place: &str) {
    let client = bad.customer.client.clone();
    let refused: Result<_, Error> = client.import_catalogue(file).await;
    let what = format!("a catalogue that is wrong in {place}");
    bad.refused(&what, async { refused }, InvalidFile, ("field", place))
        .await;
}

async fn refuse_rules(bad: &mut BadInput<'_>, file: &[u8], place: &str) {
    let client = bad.customer.client.clone();
    let refused: Result<_, Error> = client.import_rules(file).await;
    let what = format!("rules that are wrong in {place}");
    bad.refused(&what, async { refused }, InvalidFile, ("field", place))
        .await;
}

/// Replaces the last place where a text occurs.
fn replace_last(file: &str, from: &str, to: &str) -> String {
    let place = file.rfind(from).expect("the fixture has the text");
    let (before, after) = file.split_at(place);
    format!("{before}{to}{}", &after[from.len()..])
}
