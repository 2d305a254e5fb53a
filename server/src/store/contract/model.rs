//! A naive model of users and selections, which comes and goes with the store and is compared with it.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, PREMIUM, assign_plans, by_id, by_name, country, display,
    name_of, plan, principal, user,
};
use crate::domain::{
    Place, PlanChoice, ProductId, Selection, SelectionId, SelectionPart, UserFilter, UserId,
    UserRef, fold,
};
use crate::store::selection::Evaluated;
use crate::store::{Holding, ImportUser, UserUpdate};

/// The products of the model, with the choices that users make.
const PRODUCTS: [ProductId; 3] = [OFFICE, BASIC, PREMIUM];
/// Some of these are equal, and some only when folded.
const NAMES: [&str; 7] = ["Ada", "ada", "Émile", "E\u{301}mile", "Zoë", "bob", "李"];

/// Numbers that look random and are the same for the same seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// A user of the model.
pub(super) struct Person {
    id: UserId,
    principal: String,
    display: String,
    held: BTreeMap<ProductId, PlanChoice>,
}

/// What the store should know, kept in the simplest way.
pub(super) struct Model {
    pub(super) fixture: Fixture,
    random: Random,
    people: Vec<Person>,
    pub(super) deleted: Vec<Person>,
    /// Each with its users in its order and by name.
    pub(super) frozen: Vec<(SelectionId, Vec<UserId>, Vec<UserId>)>,
    count: u128,
    requests: u8,
}

impl Model {
    pub(super) async fn new(fresh: Fresh, seed: u64) -> Self {
        let fixture = fresh.fixture().await;
        for product in PRODUCTS {
            fixture.enable_seats(product, 1_000).await;
        }
        let mut model = Self {
            fixture,
            random: Random(seed),
            people: Vec::new(),
            deleted: Vec::new(),
            frozen: Vec::new(),
            count: 0,
            requests: 0,
        };
        for _ in 0..30 {
            model.add().await;
        }
        model
    }

    fn name(&mut self) -> String {
        NAMES[self.random.below(NAMES.len())].to_owned()
    }

    async fn import(&self, id: UserId, principal_name: &str, display_name: &str) {
        let import = ImportUser {
            id: Some(id),
            new_id: id,
            values: UserUpdate {
                principal_name: Some(principal(principal_name)),
                display_name: Some(display(display_name)),
                usage_location: Some(Some(country("NL"))),
                ..UserUpdate::default()
            },
        };
        let Fixture { rows, .. } = &self.fixture;
        let imported = rows.import_users(vec![import], &BY, NOW).await;
        imported.expect("imported");
    }

    async fn add(&mut self) {
        self.count += 1;
        // Ids are in no order that names or time would give.
        let id = user((self.count * 7_919) % 1_009 + 1);
        let (principal, display) = (name_of(self.count), self.name());
        self.import(id, &principal, &display).await;
        self.people.push(Person {
            id,
            principal,
            display,
            held: BTreeMap::new(),
        });
    }

    async fn rename(&mut self) {
        let (at, name) = (self.random.below(self.people.len()), self.name());
        self.people[at].display.clone_from(&name);
        let person = &self.people[at];
        self.import(person.id, &person.principal, &name).await;
    }

    async fn delete(&mut self) {
        let at = self.random.below(self.people.len());
        let person = self.people.swap_remove(at);
        let Fixture { rows, .. } = &self.fixture;
        let deleted = rows.delete_user(&by_id(person.id), None, &BY, NOW).await;
        deleted.expect("deleted");
        self.deleted.push(person);
    }

    /// Gives somebody a product, or another choice of its plans.
    async fn give(&mut self) {
        let at = self.random.below(self.people.len());
        let (product, plans) = match self.random.below(5) {
            0 => (OFFICE, PlanChoice::ALL),
            1 => (OFFICE, PlanChoice::Only(vec![plan(1)])),
            2 => (OFFICE, PlanChoice::AllExcept(vec![plan(2)])),
            3 => (BASIC, PlanChoice::ALL),
            // Its plan excludes that of Basic, so that not everybody gets it.
            _ => (PREMIUM, PlanChoice::ALL),
        };
        self.requests += 1;
        let change = assign_plans(product, plans.clone());
        let person = &mut self.people[at];
        let result = self.fixture.run(self.requests, &[person.id], change).await;
        if result == "A" {
            person.held.insert(product, plans);
        }
    }

    pub(super) async fn step(&mut self) {
        match self.random.below(8) {
            0 => self.add().await,
            1 => self.rename().await,
            2 => self.delete().await,
            3 if self.frozen.len() < 20 => self.freeze().await,
            _ => self.give().await,
        }
    }

    fn selection(&mut self) -> Selection {
        let (parts, except) = (self.random.below(3) + 1, self.random.below(3));
        Selection {
            parts: (0..parts).map(|_| self.part()).collect(),
            except: (0..except).map(|_| self.part()).collect(),
        }
    }

    fn part(&mut self) -> SelectionPart {
        match self.random.below(5) {
            0 if !self.frozen.is_empty() => {
                SelectionPart::Frozen(self.frozen[self.random.below(self.frozen.len())].0)
            }
            1 => SelectionPart::Filter(UserFilter::default()),
            2 => SelectionPart::Filter(UserFilter {
                search: Some(fold(["a", "É", "user1"][self.random.below(3)])),
                ..UserFilter::default()
            }),
            3 => SelectionPart::Filter(UserFilter {
                holds_product: Some(PRODUCTS[self.random.below(3)]),
                ..UserFilter::default()
            }),
            _ => SelectionPart::Users(self.named()),
        }
    }

    /// Some users, by id and by name, in any order; some do not exist.
    fn named(&mut self) -> Vec<UserRef> {
        let everybody = self.people.len() + self.deleted.len();
        let mut taken = BTreeSet::new();
        let mut named = Vec::new();
        for _ in 0..=self.random.below(12) {
            let at = self.random.below(everybody);
            if !taken.insert(at) {
                continue;
            }
            let person = match at.checked_sub(self.people.len()) {
                None => &self.people[at],
                Some(at) => &self.deleted[at],
            };
            let (id, name) = (by_id(person.id), by_name(&person.principal.to_uppercase()));
            named.push(if self.random.one_in(2) { id } else { name });
        }
        named
    }

    /// The users of a selection as the documentation defines it, and who is unknown.
    fn evaluate(&self, selection: &Selection) -> Evaluated {
        let parts = |parts: &[SelectionPart]| -> Vec<Result<UserId, UserRef>> {
            parts.iter().flat_map(|part| self.users_of(part)).collect()
        };
        let except = parts(&selection.except);
        let mut found = Evaluated::default();
        for user in parts(&selection.parts) {
            match user {
                user if except.contains(&user) => {}
                Ok(id) if !found.users.contains(&id) => found.users.push(id),
                Err(user) if !found.unknown.contains(&user) => found.unknown.push(user),
                _ => {}
            }
        }
        found
    }

    fn users_of(&self, part: &SelectionPart) -> Vec<Result<UserId, UserRef>> {
        match part {
            SelectionPart::Users(users) => {
                let find = |named: &UserRef| {
                    let is_named = |person: &&Person| match named {
                        UserRef::Id(id) => person.id == *id,
                        UserRef::Name(name) => fold(&person.principal) == name.key(),
                    };
                    let found = self.people.iter().find(is_named);
                    found.map(|person| person.id).ok_or_else(|| named.clone())
                };
                users.iter().map(find).collect()
            }
            SelectionPart::Filter(filter) => {
                let meets = |person: &&Person| {
                    let names = [fold(&person.display), fold(&person.principal)];
                    let begins = |text: &String| names.iter().any(|name| name.starts_with(text));
                    filter.search.as_ref().is_none_or(begins)
                        && filter
                            .holds_product
                            .is_none_or(|id| person.held.contains_key(&id))
                };
                let found = self.people.iter().filter(meets);
                let found: Vec<UserId> = found.map(|person| person.id).collect();
                self.by_name(&found).into_iter().map(Ok).collect()
            }
            SelectionPart::Frozen(id) => {
                let frozen = self.frozen.iter().find(|(frozen, ..)| frozen == id);
                let (_, users, _) = frozen.expect("it was frozen");
                let living = users.iter().filter(|id| self.person(**id).is_some());
                living.map(|id| Ok(*id)).collect()
            }
            SelectionPart::Violating(_) => unreachable!("its rules never change"),
        }
    }

    pub(super) fn person(&self, id: UserId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// These users by display name and id.
    fn by_name(&self, users: &[UserId]) -> Vec<UserId> {
        let key = |id: &UserId| (fold(&self.person(*id).expect("a user").display), *id);
        let mut keys: Vec<_> = users.iter().map(key).collect();
        keys.sort();
        keys.into_iter().map(|(_, id)| id).collect()
    }

    async fn freeze(&mut self) {
        let selection = self.selection();
        let expected = self.evaluate(&selection);
        let id = SelectionId(uuid::Uuid::from_u128(self.frozen.len() as u128 + 1));
        let (frozen, unknown) = self
            .fixture
            .freeze(id, selection, NOW)
            .await
            .expect("frozen");
        assert_eq!(frozen.user_count, expected.users.len() as i64);
        assert_eq!(unknown, expected.unknown);
        let listed = self.fixture.frozen_pages(id, 4, NOW).await;
        assert_eq!(listed, self.by_name(&expected.users), "sorted when frozen");
        self.frozen.push((id, expected.users, listed));
    }

    /// Checks everything about one selection.
    pub(super) async fn check(&mut self) {
        let selection = self.selection();
        let expected = self.evaluate(&selection);
        let found = self.fixture.evaluate(&selection, NOW).await;
        assert_eq!(found.expect("found"), expected, "{selection:?}");
        let sorted = self.by_name(&expected.users);
        self.check_pages(&selection, None, &sorted).await;
        let product = PRODUCTS[self.random.below(3)];
        for lacking in [false, true] {
            let holding = Holding { product, lacking };
            let holds = |id: &UserId| {
                let held = &self.person(*id).expect("a user").held;
                held.contains_key(&product) != lacking
            };
            let holders: Vec<UserId> = sorted.iter().copied().filter(holds).collect();
            self.check_pages(&selection, Some(holding), &holders).await;
        }
        self.check_summary(&selection, &expected.users).await;
    }

    async fn check_pages(&self, selection: &Selection, holding: Option<Holding>, users: &[UserId]) {
        let Fixture { rows, .. } = &self.fixture;
        let count = rows.count_selected(selection, holding, NOW).await;
        assert_eq!(count.expect("counted"), users.len() as i64);
        for size in [1, 7, 1_000] {
            let forward = self.pages(selection, holding, size, false).await;
            assert_eq!(forward.concat(), users, "{selection:?}");
            let mut backward = self.pages(selection, holding, size, true).await;
            backward.reverse();
            assert_eq!(backward.concat(), users, "{selection:?}");
        }
    }

    /// All pages of a selection, from the first on or from the last back.
    async fn pages(
        &self,
        selection: &Selection,
        holding: Option<Holding>,
        size: i64,
        backward: bool,
    ) -> Vec<Vec<UserId>> {
        let Fixture { rows, .. } = &self.fixture;
        let mut place = if backward { Place::Last } else { Place::First };
        let mut pages = Vec::new();
        loop {
            let page = rows.selected_users(selection, holding, &place, size, NOW);
            let page = page.await.expect("a page");
            let next = if backward { page.first() } else { page.last() };
            let Some(next) = next else {
                return pages;
            };
            let key = (fold(&next.display_name), next.user_id);
            place = if backward {
                Place::Before(key)
            } else {
                Place::After(key)
            };
            pages.push(page.into_iter().map(|user| user.user_id).collect());
        }
    }

    async fn check_summary(&self, selection: &Selection, users: &[UserId]) {
        let Fixture { rows, .. } = &self.fixture;
        let summary = rows.summarize(selection, true, NOW).await;
        let summary = summary.expect("a summary");
        assert_eq!(summary.user_count, users.len() as i64);
        let products: Vec<ProductId> = summary.licenses.iter().map(|l| l.license.product).collect();
        assert_eq!(products, [BASIC, OFFICE, PREMIUM], "by name");
        for held in summary.licenses {
            let people = users.iter().filter_map(|id| self.person(*id));
            let choices = people.filter_map(|person| person.held.get(&held.license.product));
            let mut expected: Vec<(PlanChoice, i64)> = Vec::new();
            for choice in choices {
                match expected.iter_mut().find(|(known, _)| known == choice) {
                    Some((_, count)) => *count += 1,
                    None => expected.push((choice.clone(), 1)),
                }
            }
            let holders: i64 = expected.iter().map(|(_, count)| count).sum();
            assert_eq!(held.holder_count, holders, "{selection:?}");
            let key = |(choice, count): &(PlanChoice, i64)| (choice.plans().to_vec(), *count);
            let mut found = held.choices;
            found.retain(|(_, count)| *count != 0);
            found.sort_by_key(key);
            expected.sort_by_key(key);
            assert_eq!(found, expected, "{selection:?}");
        }
    }
}
