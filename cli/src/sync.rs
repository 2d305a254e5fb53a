//! `seatwise sync`: users end with what a file says that they hold.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use seatwise_client::{Client, Code, v1};

use crate::apply::{self, RequestArgs};
use crate::error::Error;
use crate::fields::Lines;
use crate::files::{self, Lined, Problems, Table, USER_COLUMNS, in_column, on_line};
use crate::plans::{self, Spec};
use crate::products;
use crate::text::text;

pub(crate) const HELP: &str = "\
Each user of the file ends with exactly the products that it has for them; a line without a product
means none. Users who are not in the file are left alone. Plans with a comma need quotes; a
spreadsheet takes `=X` and `+X` for formulas unless a ' is typed before them.

Example of a file:
  user,product,plans
  ada@example.com,ENTERPRISEPACK,\"all,-SWAY\"
  ada@example.com,VISIOCLIENT,
  bob@example.com,,";

#[derive(Args)]
pub(crate) struct SyncArgs {
    /// CSV with the columns `user` (or `user_id` or `principal_name`), `product` and perhaps `plans`,
    /// a line per user and product: see below. `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only assign what is missing: nothing is taken away
    #[arg(long)]
    add_only: bool,
    /// Only take away what is not in the file: nothing is assigned
    #[arg(long, conflicts_with = "add_only")]
    remove_only: bool,
    #[command(flatten)]
    request: RequestArgs,
}

pub(crate) async fn sync(args: SyncArgs) -> Result<ExitCode, Error> {
    let client = args.request.client()?;
    let refused = |problems: Problems| files::refused(&args.file, &problems);
    let wanted = parse(&files::read(&args.file)?).map_err(refused)?;
    let products = find_products(&client, &wanted).await?.map_err(refused)?;
    let way = match (args.add_only, args.remove_only) {
        (true, _) => Way::AddOnly,
        (_, true) => Way::RemoveOnly,
        _ => Way::Both,
    };
    let changes = changes(&wanted, &products, way).map_err(refused)?;
    if changes.is_empty() {
        return Err(refused(vec![text!("sync-nothing-to-add")]));
    }
    let lines = vec![Lines::of_file(
        "user_changes".to_owned(),
        &args.file,
        &changes,
    )];
    let request = v1::ExecuteBatchRequest {
        user_changes: changes.into_iter().map(|change| change.item).collect(),
        ..Default::default()
    };
    apply::run(client, args.request, request, lines).await
}

/// What may be done to make the users hold what the file says.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Both,
    AddOnly,
    RemoveOnly,
}

/// A user, where it is named first, with all that it is to hold.
#[derive(Debug, PartialEq)]
struct Wanted {
    user: String,
    held: Vec<Lined<Held>>,
}

#[derive(Debug, PartialEq)]
struct Held {
    product: String,
    plans: Option<Spec>,
}

/// Reads the file. A line without a product means that the user holds nothing.
fn parse(file: &[u8]) -> Result<Vec<Lined<Wanted>>, Problems> {
    let known = [USER_COLUMNS, &["product", "plans"]].concat();
    let rows = files::rows(file)?;
    let table = Table::new(&rows, &known)?;
    let has_user = USER_COLUMNS.iter().any(|name| table.has(name));
    if !has_user || !table.has("product") {
        let line = rows.first().map_or(1, |header| header.line);
        return Err(vec![on_line(line, &text!("sync-columns"))]);
    }
    let rows = table.map(|row| {
        let user = row.user()?;
        let plans = row.cell("plans").filter(|plans| !plans.is_empty());
        let plans = plans.map(str::parse).transpose();
        let plans = plans.map_err(|problem: String| row.problem(&in_column("plans", &problem)))?;
        let product = row.cell("product").unwrap_or_default().to_owned();
        if product.is_empty() && plans.is_some() {
            return Err(row.problem(&in_column("product", &text!("sync-plans-of-nothing"))));
        }
        Ok((user, Held { product, plans }))
    })?;
    if rows.is_empty() {
        return Err(vec![text!("file-with-header-only")]);
    }
    gather(rows)
}

/// The lines of each user together.
fn gather(rows: Vec<Lined<(String, Held)>>) -> Result<Vec<Lined<Wanted>>, Problems> {
    let mut wanted: Vec<Lined<Wanted>> = Vec::new();
    let mut places = HashMap::new();
    // Lines that say that a user holds nothing.
    let mut nothing = HashMap::new();
    let mut problems = Vec::new();
    for Lined { line, item } in rows {
        let (user, held) = item;
        let place = *places.entry(user.to_lowercase()).or_insert_with(|| {
            let held = Vec::new();
            let item = Wanted { user, held };
            wanted.push(Lined { line, item });
            wanted.len() - 1
        });
        let Wanted { user, held: before } = &mut wanted[place].item;
        let other = if held.product.is_empty() {
            nothing.entry(place).or_insert(line);
            before.first().map(|other| other.line)
        } else {
            nothing.get(&place).copied()
        };
        let mut wrong = |problem: String| {
            problems.push(on_line(line, &in_column("product", &problem)));
        };
        if let Some(other) = other {
            let (user, other) = (user.as_str(), other.to_string());
            wrong(text!(
                "sync-something-and-nothing",
                user = user,
                line = other
            ));
        } else if let Some(same) = before
            .iter()
            .find(|other| other.item.product.eq_ignore_ascii_case(&held.product))
        {
            let (user, product) = (user.as_str(), held.product.as_str());
            let same = same.line.to_string();
            wrong(text!(
                "sync-twice",
                user = user,
                product = product,
                line = same
            ));
        } else if !held.product.is_empty() {
            before.push(Lined { line, item: held });
        }
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(problems)
    }
}

/// The products of the file by the names that it has for them.
async fn find_products(
    client: &Client,
    wanted: &[Lined<Wanted>],
) -> Result<Result<HashMap<String, v1::Product>, Problems>, Error> {
    let mut products = HashMap::new();
    let mut problems = Vec::new();
    for Lined { line, item } in wanted.iter().flat_map(|user| &user.item.held) {
        let Entry::Vacant(place) = products.entry(item.product.clone()) else {
            continue;
        };
        let product = match products::find(client, &item.product).await {
            Ok(product) => product,
            Err(error) if is_unknown(&error) => {
                problems.push(on_line(*line, &in_column("product", &error.to_string())));
                // Named once is enough.
                v1::Product::default()
            }
            Err(error) => return Err(error),
        };
        place.insert(product);
    }
    Ok(if problems.is_empty() {
        Ok(products)
    } else {
        Err(problems)
    })
}

fn is_unknown(error: &Error) -> bool {
    match error {
        Error::Input(_) => true,
        Error::Call(error) => error.code == Code::NotFound,
        _ => false,
    }
}

/// The change of each user.
fn changes(
    wanted: &[Lined<Wanted>],
    products: &HashMap<String, v1::Product>,
    way: Way,
) -> Result<Vec<Lined<v1::UserChange>>, Problems> {
    let mut changes = Vec::with_capacity(wanted.len());
    let mut problems = Vec::new();
    for Lined { line, item } in wanted {
        let mut assign = Vec::with_capacity(item.held.len());
        for Lined { line, item } in &item.held {
            let product = &products[&item.product];
            match plans::edit(product, item.plans.as_ref()) {
                Ok(plans) => assign.push(v1::ProductAssignment {
                    product_id: product.product_id.clone(),
                    plans,
                }),
                Err(error) => {
                    problems.push(on_line(*line, &in_column("plans", &error.to_string())));
                }
            }
        }
        if way == Way::AddOnly && item.held.is_empty() {
            continue;
        }
        let change = Some(way.change(assign));
        let item = v1::UserChange {
            user: item.user.clone(),
            change,
        };
        changes.push(Lined { line: *line, item });
    }
    if problems.is_empty() {
        Ok(changes)
    } else {
        Err(problems)
    }
}

impl Way {
    fn change(self, assign: Vec<v1::ProductAssignment>) -> v1::Change {
        let revoke_others = |keep_product_ids| Some(v1::RevokeOthers { keep_product_ids });
        match self {
            Self::Both => v1::Change {
                assign,
                revoke_others: revoke_others(Vec::new()),
                ..Default::default()
            },
            Self::AddOnly => v1::Change {
                assign,
                ..Default::default()
            },
            Self::RemoveOnly => {
                let kept = assign.into_iter().map(|assigned| assigned.product_id);
                v1::Change {
                    revoke_others: revoke_others(kept.collect()),
                    ..Default::default()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "User,Product,Plans\nada@example.com,A,\nbob@example.com,,\n\
                        ADA@example.com,B,\"=MAIL,CHAT\"\n";

    fn products() -> HashMap<String, v1::Product> {
        let plan = |name: &str| v1::ProductPlan {
            plan_id: name.to_lowercase(),
            name: name.to_owned(),
            ..Default::default()
        };
        let product = |name: &str| v1::Product {
            product_id: name.to_lowercase(),
            plans: vec![plan("MAIL"), plan("CHAT")],
            ..Default::default()
        };
        let named = |name: &str| (name.to_owned(), product(name));
        HashMap::from(["A", "B"].map(named))
    }

    fn made(way: Way) -> Vec<(usize, v1::UserChange)> {
        let wanted = parse(FILE.as_bytes()).unwrap();
        let changes = changes(&wanted, &products(), way).unwrap();
        let made = changes.into_iter().map(|change| (change.line, change.item));
        made.collect()
    }

    #[test]
    fn each_user_of_the_file_has_one_change_over_all_its_lines() {
        let made = made(Way::Both);
        let users: Vec<_> = made.iter().map(|(line, c)| (*line, &c.user[..])).collect();
        assert_eq!(users, [(2, "ada@example.com"), (3, "bob@example.com")]);
        let ada = made[0].1.change.clone().unwrap();
        assert_eq!(ada.assign[0].plans, None);
        let plans = v1::PlanSet {
            plan_ids: vec!["mail".into(), "chat".into()],
        };
        let edit = ada.assign[1].plans.clone().unwrap().edit;
        assert_eq!(edit, Some(v1::plan_edit::Edit::Only(plans)));
        let bob = made[1].1.change.clone().unwrap();
        assert!(bob.assign.is_empty());
        for change in [ada, bob] {
            assert_eq!(change.revoke_others, Some(v1::RevokeOthers::default()));
        }
    }

    #[test]
    fn one_way_only_assigns_or_only_revokes() {
        let added = made(Way::AddOnly);
        assert_eq!(added.len(), 1, "nobody is given nothing");
        let ada = added[0].1.change.clone().unwrap();
        assert_eq!((ada.assign.len(), ada.revoke_others), (2, None));

        let removed = made(Way::RemoveOnly);
        let kept = removed.into_iter().map(|(_, user)| {
            let change = user.change.unwrap();
            assert!(change.assign.is_empty());
            change.revoke_others.unwrap().keep_product_ids.concat()
        });
        assert_eq!(kept.collect::<Vec<_>>(), ["ab", ""]);
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_column() {
        for (rows, problem) in [
            (
                "ada,A,\nada,a,",
                "line 3: column product: ada is given a twice: see line 2",
            ),
            (
                "ada,A,\nada,,",
                "line 3: column product: ada cannot hold something and nothing",
            ),
            ("ada,,\nada,A,", "see line 2"),
            ("ada,A,MAIL", "line 2: column plans: \"MAIL\" is no choice"),
            ("ada,,all", "line 2: column product: is empty"),
            (",A,", "line 2: names no user"),
            ("", "no user in it"),
        ] {
            let file = format!("user,product,plans\n{rows}\n");
            let problems = parse(file.as_bytes()).unwrap_err();
            assert!(problems[0].contains(problem), "{problems:?}");
        }
        assert!(
            parse(b"user,plans\nada,all\n").is_err(),
            "no column product"
        );
        let wanted = parse(b"user,product,plans\nada,A,-NONE\n").unwrap();
        let problems = changes(&wanted, &products(), Way::RemoveOnly)
            .err()
            .unwrap();
        assert!(
            problems[0].starts_with("line 2: column plans: no plan NONE"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_file_may_do_without_plans() {
        let wanted = parse(b"product,user_id\nA,1\n").unwrap();
        assert_eq!(wanted[0].item.held[0].item.plans, None);
    }
}
