//! Random worlds: a customer of a few users and scarce seats, and the batch that is tried on it.

use std::collections::BTreeMap;
use std::fmt;

use seatwise_client::v1::selection_part::Part;
use seatwise_client::v1::{
    ExecuteBatchRequest, ImportedUser, Selection, SelectionPart, UserFilter, UserList, user,
};

use super::catalogue::{Product, is_for_company, product_id, products};
use super::oracle::State;
use super::order::{Change, Mode, Order};
use crate::customer::Customer;
use crate::fixtures::{Random, user_id};

/// Seats enabled, in grace, suspended.
pub(crate) type Numbers = (i32, i32, i32);

pub(crate) struct World {
    pub(crate) people: Vec<Settled>,
    pub(crate) seats: Vec<(Product, Numbers)>,
    /// What users have been given before.
    pub(crate) gifts: Vec<Vec<(usize, Change)>>,
    /// Seats that are set after that, also below what is assigned.
    pub(crate) cuts: Vec<(Product, Numbers)>,
    /// Users whose location or state changes after that.
    pub(crate) moved: Vec<Settled>,
    asked: Asked,
    mode: Mode,
    refuse_if_short: bool,
}

/// Where a user is and whether it is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) number: usize,
    pub(crate) location: &'static str,
    pub(crate) active: bool,
}

/// The batch under test.
#[derive(Debug)]
enum Asked {
    Same(Change, Vec<Named>),
    Own(Vec<(Named, Change)>),
    Selected(Change, Vec<Pick>, Vec<Pick>),
}

/// A user, named by id or by principal name.
#[derive(Debug, Clone, Copy)]
struct Named {
    number: usize,
    by_name: bool,
}

/// A part of a selection.
#[derive(Debug)]
enum Pick {
    These(Vec<Named>),
    Everybody,
    In(&'static str),
    Holders(Product),
}

/// Users in the sequence of their display names.
pub(crate) fn display_name(number: usize) -> String {
    format!("Name {}", (number * 7 + 3) % 10)
}

impl fmt::Display for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "people {:?}", self.people)?;
        writeln!(out, "seats  {:?}", self.seats)?;
        writeln!(out, "gifts  {:?}", self.gifts)?;
        writeln!(out, "cuts   {:?}", self.cuts)?;
        writeln!(out, "moved  {:?}", self.moved)?;
        writeln!(out, "asked  {:?}", self.asked)?;
        write!(out, "{:?}, {}", self.mode, self.refuse_if_short)
    }
}

impl Settled {
    pub(crate) fn message(&self) -> ImportedUser {
        let state = match self.active {
            true => user::State::Active,
            false => user::State::Inactive,
        };
        ImportedUser {
            user_id: user_id(self.number),
            principal_name: format!("user{}@example.com", self.number),
            display_name: Some(display_name(self.number)),
            usage_location: Some(self.location.to_owned()),
            state: state.into(),
            ..ImportedUser::default()
        }
    }
}

impl Named {
    fn random(random: &mut Random, number: usize) -> Self {
        let by_name = random.below(3) == 0;
        Self { number, by_name }
    }

    fn text(self) -> String {
        match self.by_name {
            true => format!("USER{}@Example.com", self.number),
            false => user_id(self.number),
        }
    }
}

impl Pick {
    fn random(random: &mut Random, count: usize) -> Self {
        match random.below(6) {
            0 => Self::Everybody,
            1 => Self::In(location(random)),
            2 => Self::Holders(below(random, 10)),
            _ => {
                let mut numbers: Vec<_> = (0..count).collect();
                random.shuffle(&mut numbers);
                numbers.truncate(1 + below(random, count));
                let named = |number| Named::random(random, number);
                Self::These(numbers.into_iter().map(named).collect())
            }
        }
    }

    fn users(&self, state: &State) -> Vec<usize> {
        let Self::These(users) = self else {
            let mut found: Vec<_> = state.people.iter().collect();
            found.retain(|(_, person)| match self {
                Self::In(location) => person.location == *location,
                Self::Holders(product) => person.held.contains_key(product),
                _ => true,
            });
            found.sort_by_key(|(_, person)| &person.name);
            return found.into_iter().map(|(number, _)| *number).collect();
        };
        users.iter().map(|user| user.number).collect()
    }

    fn message(&self) -> SelectionPart {
        let mut filter = UserFilter::default();
        match self {
            Self::These(users) => {
                let users = users.iter().map(|user| user.text()).collect();
                return SelectionPart {
                    part: Some(Part::Users(UserList { users })),
                };
            }
            Self::Everybody => {}
            Self::In(location) => filter.usage_location = Some((*location).to_owned()),
            Self::Holders(product) => filter.holds_product_id = product_id(*product),
        }
        SelectionPart {
            part: Some(Part::Filter(filter)),
        }
    }
}

pub(crate) fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).expect("small")
}

fn location(random: &mut Random) -> &'static str {
    ["NL", "NL", "US", "BE", ""][below(random, 5)]
}

fn seats(random: &mut Random) -> i32 {
    i32::try_from(random.below(5)).expect("small")
}

impl World {
    pub(crate) fn random(random: &mut Random) -> Self {
        let count = 1 + below(random, 8);
        let people = (0..count).map(|number| Settled {
            number,
            location: ["NL", "BE"][usize::from(random.below(6) == 0)],
            active: true,
        });
        let people: Vec<_> = people.collect();
        let licensed = products().filter(|product| match is_for_company(*product) {
            true => random.below(6) == 0,
            false => random.below(2) == 0,
        });
        let licensed: Vec<_> = licensed.collect();
        let numbers = licensed.iter().map(|product| {
            let grace = i32::from(random.below(5) == 0);
            (*product, (seats(random), grace, 0))
        });
        let numbers = numbers.collect();
        let gifts = (0..1 + random.below(2)).map(|_| {
            let gift = |user| (user, Change::gift(random, &licensed));
            let mut gifts: Vec<_> = (0..count).map(gift).collect();
            gifts.retain(|(_, change)| !change.assign.is_empty());
            random.shuffle(&mut gifts);
            gifts
        });
        let gifts = gifts.collect();
        let cuts = licensed.iter().filter_map(|product| {
            let cut = match random.below(20) {
                0 => (0, 0, 2),
                1 => (0, 0, 0),
                2 => (1, 0, 1),
                3 => (seats(random), 0, 0),
                _ => return None,
            };
            Some((*product, cut))
        });
        let cuts = cuts.collect();
        let moved = people.iter().map(|settled| {
            let mut moved = settled.clone();
            if random.below(4) == 0 {
                moved.location = location(random);
            }
            moved.active = random.below(8) != 0;
            moved
        });
        let moved: Vec<_> = moved.collect();
        Self {
            moved: moved
                .into_iter()
                .filter(|moved| !people.contains(moved))
                .collect(),
            people,
            seats: numbers,
            gifts,
            cuts,
            asked: Asked::random(random, count, &licensed),
            mode: match random.below(8) {
                0..=3 => Mode::BestEffort,
                4 | 5 => Mode::StopAfter(1 + i32::try_from(random.below(3)).expect("small")),
                _ => Mode::Atomic,
            },
            refuse_if_short: random.below(6) == 0,
        }
    }

    /// Whom the batch is for and what it asks, in the order of the request.
    pub(crate) fn order(&self, state: &State) -> Order {
        let steps = match &self.asked {
            Asked::Same(change, users) => {
                let step = |user: &Named| (user.number, change.clone());
                users.iter().map(step).collect()
            }
            Asked::Own(changes) => {
                let step = |(user, change): &(Named, Change)| (user.number, change.clone());
                changes.iter().map(step).collect()
            }
            Asked::Selected(change, parts, except) => {
                let out: Vec<_> = except.iter().flat_map(|part| part.users(state)).collect();
                let mut users = Vec::new();
                for user in parts.iter().flat_map(|part| part.users(state)) {
                    if !out.contains(&user) && !users.contains(&user) {
                        users.push(user);
                    }
                }
                let step = |user| (user, change.clone());
                users.into_iter().map(step).collect()
            }
        };
        Order {
            steps,
            mode: self.mode,
            refuse_if_short: self.refuse_if_short,
        }
    }

    /// Whether the batch is for other users if others are there, or are called otherwise.
    pub(crate) fn is_selected(&self) -> bool {
        matches!(self.asked, Asked::Selected(..))
    }

    pub(crate) fn request(&self, customer: &Customer, order: &Order) -> ExecuteBatchRequest {
        let mut request = match &self.asked {
            Asked::Same(change, users) => {
                let users = users.iter().map(|user| user.text()).collect();
                customer.request(change.message(), users)
            }
            Asked::Own(changes) => {
                let own = |(user, change): &(Named, Change)| (user.text(), change.message());
                customer.own_changes(changes.iter().map(own))
            }
            Asked::Selected(change, parts, except) => {
                let mut request = customer.request(change.message(), Vec::new());
                request.selection = Some(Selection {
                    parts: parts.iter().map(Pick::message).collect(),
                    except: except.iter().map(Pick::message).collect(),
                });
                request
            }
        };
        request.options = Some(order.options());
        request
    }
}

impl Asked {
    fn random(random: &mut Random, count: usize, licensed: &[Product]) -> Self {
        let mut users: Vec<_> = (0..count).collect();
        // Somebody who does not exist.
        if random.below(5) == 0 {
            users.push(90);
        }
        random.shuffle(&mut users);
        users.truncate((1 + below(random, users.len())).max(users.len() / 2));
        let users = users
            .into_iter()
            .map(|number| Named::random(random, number));
        let users: Vec<_> = users.collect();
        match random.below(6) {
            0..=2 => Self::Same(Change::random(random, licensed), users),
            3 | 4 => {
                let own = |user| (user, Change::random(random, licensed));
                Self::Own(users.into_iter().map(own).collect())
            }
            _ => {
                let parts = (0..1 + random.below(2)).map(|_| Pick::random(random, count));
                let mut parts: Vec<_> = parts.collect();
                let except = match random.below(3) {
                    0 => vec![Pick::random(random, count)],
                    _ => Vec::new(),
                };
                if except.is_empty() && !matches!(parts[0], Pick::These(_)) {
                    parts.push(Pick::Everybody);
                }
                Self::Selected(Change::random(random, licensed), parts, except)
            }
        }
    }
}

/// The state that a world is in by what the customer's lists say.
pub(crate) fn numbers_of(state: &State) -> BTreeMap<Product, Numbers> {
    let licenses = state.licenses.iter();
    licenses
        .map(|(product, l)| (*product, (l.enabled, l.warning, l.suspended)))
        .collect()
}
