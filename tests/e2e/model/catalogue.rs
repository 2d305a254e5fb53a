//! The catalogue of the worlds: ten products whose plans overlap, and rules of every kind. Products
//! are numbers and plans letters, so that a world can be read.

use std::collections::BTreeSet;

use seatwise_client::Client;

pub(crate) type Product = usize;
pub(crate) type Plan = char;
pub(crate) type Plans = BTreeSet<Plan>;

/// The plans of each product.
const PRODUCTS: [&str; 10] = ["abc", "ad", "bcef", "g", "hi", "jk", "l", "mn", "o", "pqr"];
/// The product that is for the company as a whole.
const FOR_COMPANY: Product = 6;

/// Pairs of plans that cannot be on together: across products, and once within one.
pub(super) const EXCLUDES: [(Plan, Plan); 4] = [('j', 'a'), ('k', 'c'), ('p', 'q'), ('f', 'd')];
/// Plans that need one of others: a chain, and a plan whose need is in two products.
pub(super) const REQUIRES: [(Plan, &str); 3] = [('g', "be"), ('h', "g"), ('i', "dj")];
/// Plans that cannot be on in a country.
pub(super) const PROHIBITED: [(Plan, &str); 3] = [('m', "US"), ('m', "BE"), ('e', "US")];

pub(super) fn products() -> impl Iterator<Item = Product> {
    0..PRODUCTS.len()
}

pub(super) fn plans_of(product: Product) -> Plans {
    PRODUCTS[product].chars().collect()
}

pub(super) fn is_for_company(product: Product) -> bool {
    product == FOR_COMPANY
}

pub(super) fn product_id(product: Product) -> String {
    format!("a0000000-0000-4000-8000-{product:012x}")
}

pub(super) fn plan_id(plan: Plan) -> String {
    format!("b0000000-0000-4000-8000-{:012x}", u32::from(plan))
}

/// The product of an id that `product_id` made.
pub(super) fn product(id: &str) -> Product {
    usize::try_from(last_part(id)).expect("a small number")
}

/// The plan of an id that `plan_id` made.
pub(super) fn plan(id: &str) -> Plan {
    char::from_u32(last_part(id)).expect("a letter")
}

/// The number at the end of an id.
pub(super) fn last_part(id: &str) -> u32 {
    let part = id.rsplit('-').next().unwrap_or_default();
    u32::from_str_radix(part, 16).expect("an id of these tests")
}

pub(super) async fn import(client: &Client) {
    let mut lines = vec![
        "Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,\
         Service_Plans_Included_Friendly_Names,Applies_To"
            .to_owned(),
    ];
    for product in products() {
        let whose = ["User", "Company"][usize::from(is_for_company(product))];
        let id = product_id(product);
        lines.extend(plans_of(product).into_iter().map(|plan| {
            let plan_id = plan_id(plan);
            format!("Product {product},P{product},{id},{plan},{plan_id},Plan {plan},{whose}")
        }));
    }
    let outcome = client.import_catalogue(lines.join("\n").as_bytes()).await;
    outcome.expect("the catalogue is good");
    let outcome = client.import_rules(rules().as_bytes()).await;
    outcome.expect("the rules are good");
}

fn rules() -> String {
    let mut lines = vec!["kind,service_plan_id,service_plan_name,other,other_name".to_owned()];
    let mut rule = |kind: &str, plan: Plan, other: &str, names: &str| {
        lines.push(format!("{kind},{},{plan},{other},{names}", plan_id(plan)));
    };
    for (plan, other) in EXCLUDES {
        rule("excludes", plan, &plan_id(other), &other.to_string());
    }
    for (plan, others) in REQUIRES {
        let ids: Vec<_> = others.chars().map(plan_id).collect();
        let names: Vec<_> = others.chars().map(String::from).collect();
        rule("requires_any_of", plan, &ids.join("|"), &names.join("|"));
    }
    for (plan, country) in PROHIBITED {
        rule("prohibited_in", plan, country, "");
    }
    lines.join("\n")
}
