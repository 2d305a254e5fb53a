//! The names that people know products and plans by, for those that only have an id.

use std::collections::{BTreeSet, HashMap};

use seatwise_client::v1::{self, ProductRef, SeatChange};
use seatwise_client::{Client, Code};

use crate::error::Error;
use crate::text::text;

/// Plans that are named one by one, of many.
const PLANS_SHOWN: usize = 5;

/// Names by id. What has none is shown by its id.
#[derive(Default)]
pub(crate) struct Names {
    products: HashMap<String, String>,
    /// The plans of products whose plans are to be shown.
    plans: HashMap<String, Vec<v1::ProductPlan>>,
}

impl Names {
    /// The names of the products whose seats are counted.
    pub(crate) fn of_seats(seats: &[SeatChange]) -> Self {
        let products = seats.iter().filter_map(|change| change.product.as_ref());
        let named = products.map(|product| (product.product_id.clone(), product_name(product)));
        Self {
            products: named.collect(),
            ..Self::default()
        }
    }

    #[cfg(test)]
    pub(crate) fn of_products(products: &[v1::Product]) -> Self {
        let mut names = Self::default();
        products
            .iter()
            .for_each(|product| names.add(product.clone()));
        names
    }

    /// Asks for these products, unless all that is to be shown of them is known. One that the
    /// catalogue does not have keeps its id.
    pub(crate) async fn look_up(
        &mut self,
        client: &Client,
        products: impl Iterator<Item = (&String, bool)>,
    ) -> Result<(), Error> {
        let is_missing = |(id, with_plans): &(&String, bool)| match with_plans {
            true => !self.plans.contains_key(*id),
            false => !self.products.contains_key(*id),
        };
        let missing: BTreeSet<_> = products.filter(is_missing).map(|(id, _)| id).collect();
        for product_id in missing {
            let request = v1::GetProductRequest {
                product_id: product_id.clone(),
            };
            match client.get_product(request).await {
                Ok(product) => self.add(product),
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn add(&mut self, product: v1::Product) {
        self.plans.insert(product.product_id.clone(), product.plans);
        self.products
            .insert(product.product_id, product.display_name);
    }

    pub(crate) fn product<'n>(&'n self, id: &'n String) -> &'n str {
        self.products.get(id).unwrap_or(id)
    }

    /// True if these are all plans that the product has now.
    pub(crate) fn are_all(&self, product_id: &str, plan_ids: &[String]) -> bool {
        let plans = self.plans.get(product_id);
        plans.is_some_and(|plans| {
            let mut current = plans.iter().filter(|plan| !plan.retired);
            current.all(|plan| plan_ids.contains(&plan.plan_id))
        })
    }

    /// The names of a product's plans; of many only the first.
    pub(crate) fn plans(&self, product_id: &str, plan_ids: &[String]) -> String {
        let plans = self.plans.get(product_id).map_or(&[][..], Vec::as_slice);
        let name = |id: &String| {
            let plan = plans.iter().find(|plan| plan.plan_id == *id);
            plan.map_or_else(|| id.clone(), |plan| plan.name.clone())
        };
        let mut names: Vec<_> = plan_ids.iter().map(name).collect();
        names.sort();
        let more = names.len().saturating_sub(PLANS_SHOWN);
        names.truncate(PLANS_SHOWN);
        match more {
            0 => names.join(", "),
            more => text!("list-and-more", list = names.join(", "), count = more),
        }
    }
}

/// The name for people, or the id.
pub(crate) fn product_name(product: &ProductRef) -> String {
    let name = Some(&product.display_name).filter(|name| !name.is_empty());
    name.unwrap_or(&product.product_id).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_named_and_many_are_cut() {
        let plan = |number: usize| v1::ProductPlan {
            plan_id: number.to_string(),
            name: format!("PLAN{number}"),
            ..Default::default()
        };
        let ids: Vec<_> = (0..7).map(|number| number.to_string()).collect();
        let mut product = v1::Product {
            product_id: "p".to_owned(),
            plans: (0..7).map(plan).collect(),
            ..Default::default()
        };
        let names = Names::of_products(&[product.clone()]);
        let unknown = ["1".to_owned(), "x".to_owned()];
        assert_eq!(names.plans("p", &unknown), "PLAN1, x");
        assert_eq!(
            names.plans("p", &ids),
            "PLAN0, PLAN1, PLAN2, PLAN3, PLAN4 and 2 more"
        );
        assert!(names.are_all("p", &ids) && !names.are_all("p", &ids[1..]));
        product.plans[0].retired = true;
        assert!(Names::of_products(&[product]).are_all("p", &ids[1..]));
        assert!(!names.are_all("other", &ids), "whose plans are not known");
    }
}
