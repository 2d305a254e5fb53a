//! The data of the tests: a small catalogue with one rule of each kind, changes, and ids.

use seatwise_client::Client;
use seatwise_client::v1::{
    Change, PlanChoice, PlanDelta, PlanEdit, PlanSet, ProductAssignment, ProductReplacement,
    plan_choice::Choice, plan_edit::Edit,
};

/// The vendor's whole catalogue and its rules.
pub(crate) const REAL_CATALOGUE: &str =
    include_str!("../../server/fixtures/products-and-service-plans.csv");
pub(crate) const REAL_RULES: &str = include_str!("../../server/fixtures/service-plan-rules.csv");

/// Products of the small catalogue.
pub(crate) mod product {
    /// Has mail, chat and drive.
    pub(crate) const SUITE: &str = "a0000000-0000-4000-8000-000000000001";
    /// Its plan cannot be on together with the suite's mail.
    pub(crate) const MAILBOX: &str = "a0000000-0000-4000-8000-000000000002";
    /// Its plan needs chat or voice.
    pub(crate) const PHONE: &str = "a0000000-0000-4000-8000-000000000003";
    pub(crate) const VOICE: &str = "a0000000-0000-4000-8000-000000000004";
    /// Its plan is prohibited in the US.
    pub(crate) const DIAL: &str = "a0000000-0000-4000-8000-000000000005";
    /// For the company as a whole.
    pub(crate) const BACKUP: &str = "a0000000-0000-4000-8000-000000000006";
    /// No rule is about these two.
    pub(crate) const NOTES: &str = "a0000000-0000-4000-8000-000000000007";
    pub(crate) const VIDEO: &str = "a0000000-0000-4000-8000-000000000008";
}

/// Service plans of the small catalogue.
pub(crate) mod plan {
    pub(crate) const MAIL: &str = "b0000000-0000-4000-8000-000000000001";
    pub(crate) const CHAT: &str = "b0000000-0000-4000-8000-000000000002";
    pub(crate) const DRIVE: &str = "b0000000-0000-4000-8000-000000000003";
    pub(crate) const MAIL_BASIC: &str = "b0000000-0000-4000-8000-000000000004";
    pub(crate) const CALLS: &str = "b0000000-0000-4000-8000-000000000005";
    pub(crate) const VOICE: &str = "b0000000-0000-4000-8000-000000000006";
    pub(crate) const DOMESTIC: &str = "b0000000-0000-4000-8000-000000000007";
}

pub(crate) const CATALOGUE: &str = "\
Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names,Applies_To
Suite,SUITE,a0000000-0000-4000-8000-000000000001,MAIL,b0000000-0000-4000-8000-000000000001,Mail,User
Suite,SUITE,a0000000-0000-4000-8000-000000000001,CHAT,b0000000-0000-4000-8000-000000000002,Chat,User
Suite,SUITE,a0000000-0000-4000-8000-000000000001,DRIVE,b0000000-0000-4000-8000-000000000003,Drive,User
Mailbox,MAILBOX,a0000000-0000-4000-8000-000000000002,MAIL_BASIC,b0000000-0000-4000-8000-000000000004,Basic mail,User
Phone,PHONE,a0000000-0000-4000-8000-000000000003,CALLS,b0000000-0000-4000-8000-000000000005,Calls,User
Voice,VOICE,a0000000-0000-4000-8000-000000000004,VOICE,b0000000-0000-4000-8000-000000000006,Voice,User
Dial,DIAL,a0000000-0000-4000-8000-000000000005,DOMESTIC,b0000000-0000-4000-8000-000000000007,Domestic calls,User
Backup,BACKUP,a0000000-0000-4000-8000-000000000006,VAULT,b0000000-0000-4000-8000-000000000008,Vault,Company
Notes,NOTES,a0000000-0000-4000-8000-000000000007,NOTES,b0000000-0000-4000-8000-000000000009,Notes,User
Video,VIDEO,a0000000-0000-4000-8000-000000000008,VIDEO,b0000000-0000-4000-8000-00000000000a,Video,User
";

pub(crate) const RULES: &str = "\
kind,service_plan_id,service_plan_name,other,other_name
excludes,b0000000-0000-4000-8000-000000000001,MAIL,b0000000-0000-4000-8000-000000000004,MAIL_BASIC
requires_any_of,b0000000-0000-4000-8000-000000000005,CALLS,b0000000-0000-4000-8000-000000000002|b0000000-0000-4000-8000-000000000006,CHAT|VOICE
prohibited_in,b0000000-0000-4000-8000-000000000007,DOMESTIC,US,
";

/// Imports the small catalogue and its rules.
pub(crate) async fn import_catalogue(client: &Client) {
    let catalogue = client.import_catalogue(CATALOGUE.as_bytes()).await;
    let rules = client.import_rules(RULES.as_bytes()).await;
    catalogue.expect("the catalogue is good");
    rules.expect("the rules are good");
}

/// Ids of users, always the same, so that two customers can have users of the same ids.
pub(crate) fn user_id(number: usize) -> String {
    format!("c0000000-0000-4000-8000-{number:012x}")
}

/// Ids of the first so many users.
pub(crate) fn user_ids(count: usize) -> Vec<String> {
    (0..count).map(user_id).collect()
}

/// An id that nothing has.
pub(crate) const UNKNOWN_ID: &str = "d0000000-0000-4000-8000-000000000001";

/// A change that assigns and revokes whole products.
pub(crate) fn change(assign: &[&str], revoke: &[&str]) -> Change {
    Change {
        assign: assign
            .iter()
            .map(|product| with_plans(product, None))
            .collect(),
        revoke_product_ids: strings(revoke),
        ..Default::default()
    }
}

pub(crate) fn assign(products: &[&str]) -> Change {
    change(products, &[])
}

pub(crate) fn revoke(products: &[&str]) -> Change {
    change(&[], products)
}

/// A change that assigns one product with a choice of its plans.
pub(crate) fn assign_plans(product: &str, plans: PlanChoice) -> Change {
    Change {
        assign: vec![with_plans(product, Some(plans))],
        revoke_product_ids: Vec::new(),
        ..Default::default()
    }
}

pub(crate) fn replace(product: &str, by: &str, plans: Option<PlanEdit>) -> Change {
    Change {
        replace: vec![ProductReplacement {
            product_id: product.to_owned(),
            by_product_id: by.to_owned(),
            plans,
        }],
        ..Change::default()
    }
}

pub(crate) fn delta(enable: &[&str], disable: &[&str]) -> PlanEdit {
    PlanEdit {
        edit: Some(Edit::Delta(PlanDelta {
            enable_plan_ids: strings(enable),
            disable_plan_ids: strings(disable),
        })),
    }
}

fn with_plans(product: &str, plans: Option<PlanChoice>) -> ProductAssignment {
    ProductAssignment {
        product_id: product.to_owned(),
        plans: plans.map(set_to),
    }
}

/// Asks for a choice of plans.
pub(crate) fn set_to(choice: PlanChoice) -> PlanEdit {
    PlanEdit {
        edit: choice.choice.map(|choice| match choice {
            Choice::AllExcept(plans) => Edit::AllExcept(plans),
            Choice::Only(plans) => Edit::Only(plans),
        }),
    }
}

pub(crate) fn all_except(plans: &[&str]) -> PlanChoice {
    choice(Choice::AllExcept(plan_set(plans)))
}

pub(crate) fn only(plans: &[&str]) -> PlanChoice {
    choice(Choice::Only(plan_set(plans)))
}

fn choice(choice: Choice) -> PlanChoice {
    PlanChoice {
        choice: Some(choice),
    }
}

fn plan_set(plans: &[&str]) -> PlanSet {
    PlanSet {
        plan_ids: strings(plans),
    }
}

pub(crate) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    /// Starts from a seed, which is printed, so that a failure can be seen again.
    pub(crate) fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }

    /// Starts from a seed that the test itself tells.
    pub(crate) fn quiet(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            let other = self.below(place as u64 + 1);
            items.swap(place, usize::try_from(other).expect("a place"));
        }
    }
}
