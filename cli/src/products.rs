//! Finds products and service plans by the names that people know them by.

use seatwise_client::{Client, v1};
use uuid::Uuid;

use crate::error::Error;
use crate::paging::{self, Ask};

/// The product of this id or string id, with its plans.
pub(crate) async fn find(client: &Client, name: &str) -> Result<v1::Product, Error> {
    let product_id = match Uuid::try_parse(name) {
        Ok(id) => id.to_string(),
        Err(_) => only(name, with_string_id(client, name).await?)?,
    };
    Ok(client
        .get_product(v1::GetProductRequest { product_id })
        .await?)
}

/// As [`find`], one after the other.
pub(crate) async fn find_all(client: &Client, names: &[String]) -> Result<Vec<v1::Product>, Error> {
    let mut products = Vec::with_capacity(names.len());
    for name in names {
        products.push(find(client, name).await?);
    }
    Ok(products)
}

async fn with_string_id(client: &Client, string_id: &str) -> Result<Vec<v1::Product>, Error> {
    paging::collect(async |ask: Ask| {
        let request = v1::ListProductsRequest {
            page_size: ask.page_size,
            page_token: ask.page_token,
            string_id: string_id.to_owned(),
            ..Default::default()
        };
        Ok(client.list_products(request).await?.into())
    })
    .await
}

/// The id of the only product that was found.
fn only(string_id: &str, mut found: Vec<v1::Product>) -> Result<String, Error> {
    match found.len() {
        0 => Err(Error::Input(format!(
            "no product has the string id {string_id}; \
             `seatwise catalogue products` lists them, and ids work as well"
        ))),
        1 => Ok(found.remove(0).product_id),
        count => {
            let mut text = format!("{count} products have the string id {string_id}; give the id:");
            for product in found {
                let retired = if product.retired { ", retired" } else { "" };
                text += &format!(
                    "\n  {} {}{retired}",
                    product.product_id, product.display_name
                );
            }
            Err(Error::Input(text))
        }
    }
}

/// Which plans of the products are to be on.
pub(crate) enum Plans<'p> {
    /// All of them, whatever was chosen before.
    All,
    AllExcept(&'p [String]),
    Only(&'p [String]),
}

/// Assigns the products with these plans, each of which belongs to exactly one of them. Products
/// without a named plan are assigned as the server does by default.
pub(crate) fn assign(
    products: &[v1::Product],
    plans: &Plans<'_>,
) -> Result<Vec<v1::ProductAssignment>, Error> {
    let names = match plans {
        Plans::All => &[],
        Plans::AllExcept(names) | Plans::Only(names) => *names,
    };
    let mut chosen = vec![Vec::new(); products.len()];
    for name in names {
        let (place, plan_id) = plan(products, name)?;
        if !chosen[place].contains(&plan_id) {
            chosen[place].push(plan_id);
        }
    }
    let choice = |plan_ids: Vec<String>| {
        let set = v1::PlanSet { plan_ids };
        let choice = match plans {
            Plans::All | Plans::AllExcept(_) => v1::plan_choice::Choice::AllExcept(set),
            Plans::Only(_) => v1::plan_choice::Choice::Only(set),
        };
        let choice = Some(choice);
        v1::PlanChoice { choice }
    };
    let is_chosen = |ids: &[String]| matches!(plans, Plans::All) || !ids.is_empty();
    let assignment = |(product, plan_ids): (&v1::Product, Vec<String>)| v1::ProductAssignment {
        product_id: product.product_id.clone(),
        plans: is_chosen(&plan_ids).then(|| choice(plan_ids)),
    };
    Ok(products.iter().zip(chosen).map(assignment).collect())
}

/// The id of the product's plan with this id or name.
pub(crate) fn plan_id(product: &v1::Product, name: &str) -> Result<String, Error> {
    plan(std::slice::from_ref(product), name).map(|(_, id)| id)
}

/// Place of the product that has the plan, and the plan's id.
fn plan(products: &[v1::Product], name: &str) -> Result<(usize, String), Error> {
    let id = Uuid::try_parse(name).map(|id| id.to_string()).ok();
    let is_meant = |plan: &&v1::ProductPlan| match &id {
        Some(id) => plan.plan_id == *id,
        None => plan.name.eq_ignore_ascii_case(name),
    };
    let mut found = Vec::new();
    for (place, product) in products.iter().enumerate() {
        let plans = product.plans.iter().filter(is_meant);
        found.extend(plans.map(|plan| (place, plan)));
    }
    match found[..] {
        [(place, plan)] => Ok((place, plan.plan_id.clone())),
        [] => {
            let string_ids: Vec<_> = products.iter().map(|p| p.string_id.as_str()).collect();
            Err(Error::Input(format!(
                "no plan {name} in {}; `seatwise catalogue product {}` lists its plans",
                string_ids.join(", "),
                products[0].product_id
            )))
        }
        _ => {
            let mut text = format!("which plan {name}?");
            for (place, plan) in &found {
                let product = &products[*place].string_id;
                text += &format!("\n  {} {} of {product}", plan.plan_id, plan.name);
            }
            let is_one = found
                .iter()
                .all(|(_, plan)| plan.plan_id == found[0].1.plan_id);
            text += match is_one {
                true => "\nassign these products in calls of their own",
                false => "\ngive the id",
            };
            Err(Error::Input(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "01980000-0000-7000-8000-000000000031";

    fn product(string_id: &str, plans: &[(&str, &str)]) -> v1::Product {
        let plan = |(plan_id, name): &(&str, &str)| v1::ProductPlan {
            plan_id: (*plan_id).into(),
            name: (*name).into(),
            ..v1::ProductPlan::default()
        };
        v1::Product {
            product_id: format!("id of {string_id}"),
            display_name: format!("name of {string_id}"),
            string_id: string_id.into(),
            plans: plans.iter().map(plan).collect(),
            ..v1::Product::default()
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_ambiguous_string_id_lists_the_ids() {
        let error = only("TWICE", vec![product("A", &[]), product("B", &[])]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("id of A name of A") && text.contains("id of B"),
            "{text}"
        );
        assert_eq!(only("A", vec![product("A", &[])]).unwrap(), "id of A");
        assert!(
            only("NONE", vec![])
                .unwrap_err()
                .to_string()
                .contains("NONE")
        );
    }

    #[test]
    fn a_plan_goes_to_the_product_that_has_it() {
        let products = [
            product("A", &[(MAIL, "MAIL")]),
            product("B", &[("chat", "CHAT")]),
        ];
        let plans = names(&["mail", &MAIL.to_uppercase()]);
        let assigned = assign(&products, &Plans::AllExcept(&plans)).unwrap();
        let choice = assigned[0].plans.clone().unwrap().choice.unwrap();
        let plan_ids = vec![MAIL.to_owned()];
        let expected = v1::plan_choice::Choice::AllExcept(v1::PlanSet { plan_ids });
        assert_eq!(choice, expected, "named twice, kept once");
        assert_eq!(assigned[1].plans, None);
    }

    #[test]
    fn a_plan_of_none_or_several_products_is_refused() {
        let products = [
            product("A", &[("1", "MAIL")]),
            product("B", &[("1", "MAIL")]),
        ];
        let error = assign(&products, &Plans::Only(&names(&["MAIL"]))).unwrap_err();
        assert!(error.to_string().contains("of B"), "{error}");
        let error = assign(&products, &Plans::Only(&names(&["NONE"]))).unwrap_err();
        assert!(
            error.to_string().contains("no plan NONE in A, B"),
            "{error}"
        );
    }
}
