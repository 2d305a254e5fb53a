//! What `--plans` asks of service plans, and the product that each of its plans belongs to.

use std::str::FromStr;

use seatwise_client::v1;
use uuid::Uuid;

use crate::error::Error;
use crate::text::text;

const HELP: &str = "\
PLANS are service plans, by UUID or by name within the product:
  +X,-Y      turn X on and Y off, and leave the others as they are
  =X,Y       exactly these
  all        all of them
  all,-X,-Y  all but these
Without PLANS, who is new to a product gets all of them, and who holds it keeps what was chosen.";

/// What help says at the end of a command that takes plans.
pub(crate) fn help(more: &str) -> String {
    format!("{HELP}\n\n{more}")
}

const GRAMMAR: &str = "+X,-Y turns X on and Y off, =X,Y means exactly these, all means all, \
    and all,-X,-Y all but these";

/// A choice of plans as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    kind: Kind,
    /// Names, each with whether it is to be on.
    plans: Vec<(bool, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    All,
    Only,
    Delta,
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut items: Vec<_> = text.split(',').map(str::trim).collect();
        let kind = if let Some(first) = items[0].strip_prefix('=') {
            items[0] = first.trim_start();
            Kind::Only
        } else if items[0].eq_ignore_ascii_case("all") {
            items.remove(0);
            Kind::All
        } else {
            Kind::Delta
        };
        let plan = |item: &str| {
            let sign = item.chars().next().filter(|sign| "+-=".contains(*sign));
            let name = item.trim_start_matches(['+', '-', '=']).trim_start();
            let is_on = match (kind, sign) {
                (Kind::Only, None) | (Kind::Delta, Some('+')) => true,
                (Kind::All | Kind::Delta, Some('-')) => false,
                _ => return Err(format!("{text:?} is no choice of plans: {GRAMMAR}")),
            };
            if name.is_empty() {
                return Err(format!("{text:?} lacks the name of a plan: {GRAMMAR}"));
            }
            Ok((is_on, name.to_owned()))
        };
        let plans = items.into_iter().map(plan).collect::<Result<_, _>>()?;
        Ok(Self { kind, plans })
    }
}

/// A product, and after a colon what is asked of its plans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProductSpec {
    pub(crate) product: String,
    pub(crate) plans: Option<Spec>,
}

impl FromStr for ProductSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (product, plans) = match text.split_once(':') {
            Some((product, plans)) => (product, Some(plans.parse()?)),
            None => (text, None),
        };
        if product.trim().is_empty() {
            return Err("the product is missing".to_owned());
        }
        let product = product.trim().to_owned();
        Ok(Self { product, plans })
    }
}

/// What is asked of the plans of each product. Named plans are about the one product that has them,
/// `all` is about every product; a product that nothing is about is left to the service.
pub(crate) fn edits(
    products: &[v1::Product],
    specs: &[Spec],
) -> Result<Vec<Option<v1::PlanEdit>>, Error> {
    let mut edits = vec![None; products.len()];
    for spec in specs {
        for (place, edit) in spec.resolve(products)? {
            if edits[place].replace(edit).is_some() {
                let product = products[place].string_id.as_str();
                return Err(Error::Input(text!("plans-twice", product = product)));
            }
        }
    }
    Ok(edits)
}

/// As [`edits`], of one product.
pub(crate) fn edit(
    product: &v1::Product,
    spec: Option<&Spec>,
) -> Result<Option<v1::PlanEdit>, Error> {
    let Some(spec) = spec else { return Ok(None) };
    let edits = spec.resolve(std::slice::from_ref(product))?;
    Ok(edits.into_iter().map(|(_, edit)| edit).next())
}

impl Spec {
    /// The products that this is about, by place.
    fn resolve(&self, products: &[v1::Product]) -> Result<Vec<(usize, v1::PlanEdit)>, Error> {
        let mut asked = vec![(Vec::new(), Vec::new()); products.len()];
        for (is_on, name) in &self.plans {
            let (place, plan_id) = plan(products, name)?;
            let (on, off) = &mut asked[place];
            let (same, other) = if *is_on { (on, off) } else { (off, on) };
            if other.contains(&plan_id) {
                return Err(Error::Input(text!("plan-on-and-off", plan = name.as_str())));
            }
            if !same.contains(&plan_id) {
                same.push(plan_id);
            }
        }
        let is_about = |on: &[String], off: &[String]| {
            self.plans.is_empty() || !(on.is_empty() && off.is_empty())
        };
        let asked = asked.into_iter().enumerate();
        let asked = asked.filter(|(_, (on, off))| is_about(on, off));
        Ok(asked
            .map(|(place, (on, off))| (place, self.kind.edit(on, off)))
            .collect())
    }
}

impl Kind {
    fn edit(self, on: Vec<String>, off: Vec<String>) -> v1::PlanEdit {
        let edit = match self {
            Self::All => v1::plan_edit::Edit::AllExcept(v1::PlanSet { plan_ids: off }),
            Self::Only => v1::plan_edit::Edit::Only(v1::PlanSet { plan_ids: on }),
            Self::Delta => v1::plan_edit::Edit::Delta(v1::PlanDelta {
                enable_plan_ids: on,
                disable_plan_ids: off,
            }),
        };
        v1::PlanEdit { edit: Some(edit) }
    }
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
            Err(Error::Input(text!(
                "plan-unknown",
                plan = name,
                products = string_ids.join(", "),
                id = products[0].product_id.as_str(),
            )))
        }
        _ => {
            let mut text = text!("plan-ambiguous", plan = name);
            for (place, plan) in &found {
                let (product, name) = (&*products[*place].string_id, &*plan.name);
                let plan_of = text!("plan-of-product", plan = name, product = product);
                text += &format!("\n  {} {plan_of}", plan.plan_id);
            }
            let is_one = found
                .iter()
                .all(|(_, plan)| plan.plan_id == found[0].1.plan_id);
            let way_out = match is_one {
                true => text!("plan-per-product"),
                false => text!("plan-by-id"),
            };
            text += &format!("\n{way_out}");
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
            string_id: string_id.into(),
            plans: plans.iter().map(plan).collect(),
            ..v1::Product::default()
        }
    }

    fn specs(texts: &[&str]) -> Vec<Spec> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn each_form_of_the_grammar_asks_for_its_edit() {
        let suite = product("SUITE", &[("1", "MAIL"), ("2", "CHAT"), ("3", "ALL")]);
        for (text, kind, on, off) in [
            ("+mail,-Chat", Kind::Delta, &["1"][..], &["2"][..]),
            ("-CHAT", Kind::Delta, &[], &["2"]),
            (" = MAIL , chat ", Kind::Only, &["1", "2"], &[]),
            ("=all", Kind::Only, &["3"], &[]),
            ("ALL", Kind::All, &[], &[]),
            ("all,-MAIL,-all", Kind::All, &[], &["1", "3"]),
        ] {
            let spec: Spec = text.parse().unwrap();
            let asked = edit(&suite, Some(&spec)).unwrap();
            assert_eq!(asked, Some(kind.edit(ids(on), ids(off))), "{text}");
        }
    }

    #[test]
    fn what_is_outside_the_grammar_is_refused_with_the_grammar() {
        for text in [
            "",
            "MAIL",
            "=",
            "+",
            "+MAIL,",
            "all,MAIL",
            "all,+MAIL",
            "=MAIL,-CHAT",
            "+MAIL,CHAT",
            "-MAIL,all",
            "-MAIL,=CHAT",
        ] {
            let problem = text.parse::<Spec>().unwrap_err();
            assert!(problem.contains("=X,Y means exactly"), "{text}: {problem}");
        }
    }

    #[test]
    fn a_product_may_have_its_plans_after_a_colon() {
        let ProductSpec { product, plans } = "SUITE:=MAIL".parse().unwrap();
        assert_eq!((product.as_str(), plans), ("SUITE", "=MAIL".parse().ok()));
        assert_eq!("SUITE".parse::<ProductSpec>().unwrap().plans, None);
        assert!("SUITE:".parse::<ProductSpec>().is_err());
        assert!(":all".parse::<ProductSpec>().is_err());
    }

    #[test]
    fn named_plans_are_about_the_product_that_has_them_and_all_about_each() {
        let products = [
            product("A", &[(MAIL, "MAIL")]),
            product("B", &[("chat", "CHAT")]),
        ];
        let named = edits(&products, &specs(&[&format!("all,-mail,-{MAIL}")])).unwrap();
        let without_mail = Kind::All.edit(vec![], ids(&[MAIL]));
        assert_eq!(named, [Some(without_mail), None], "named twice, kept once");
        let both = edits(&products, &specs(&["=CHAT", "-MAIL"])).unwrap();
        assert!(both.iter().all(Option::is_some));
        let all = edits(&products, &specs(&["all"])).unwrap();
        assert!(all.iter().all(Option::is_some));
        let error = edits(&products, &specs(&["all", "-MAIL"])).unwrap_err();
        assert!(error.to_string().contains("twice for A"), "{error}");
    }

    #[test]
    fn a_plan_of_none_or_several_products_or_on_and_off_is_refused() {
        let products = [
            product("A", &[("1", "MAIL")]),
            product("B", &[("1", "MAIL")]),
        ];
        for (text, problem) in [("=MAIL", "MAIL of B"), ("=NONE", "no plan NONE in A, B")] {
            let error = edits(&products, &specs(&[text])).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        let error = edits(&products[..1], &specs(&["+MAIL,-mail"])).unwrap_err();
        assert!(error.to_string().contains("both on and off"), "{error}");
    }
}
