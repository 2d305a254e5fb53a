//! Access: roles, grants, and whom they let do what. Who somebody is, is found out in `identity`; which
//! call takes which role stands in `rpc/access.rs`.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{CustomerId, GrantId, INSTALLATION, KeyId, PrincipalId};

/// What somebody is to do. The first five are the roles that may assign licenses in partner portals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Everything, also the rights of others.
    GlobalAdmin = 1,
    /// Everything that is a customer's.
    AdminAgent = 2,
    /// Users and what they hold.
    UserManagementAdmin = 3,
    /// What users hold, and seats.
    SalesAgent = 4,
    /// What users hold.
    HelpdeskAgent = 5,
    /// What users hold, and what becomes of plans that are added later.
    LicenseAdministrator = 6,
    /// Nothing but to look, also into the audit.
    Auditor = 7,
    /// Nothing but to look.
    Reader = 8,
    /// Catalogue, rules and keys; no customer's data.
    Operator = 9,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::GlobalAdmin,
        Self::AdminAgent,
        Self::UserManagementAdmin,
        Self::SalesAgent,
        Self::HelpdeskAgent,
        Self::LicenseAdministrator,
        Self::Auditor,
        Self::Reader,
        Self::Operator,
    ];

    /// The role with this number.
    pub fn of(number: i32) -> Option<Self> {
        let has = |role: &Self| i32::from(*role as u8) == number;
        Self::ALL.into_iter().find(has)
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u16);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);
    /// Every role.
    pub const EVERY: Self = Self::of(&Role::ALL);

    /// These roles.
    pub const fn of(roles: &[Role]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < roles.len() {
            bits |= 1 << roles[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// The set as a number, for storing.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set with this number; none if it has what is no role.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits & !Self::EVERY.0 == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// True if there is no role in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if the role is in it.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// True if they have a role in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The roles, in order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

/// For which customers something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Customers {
    /// All, also those that do not exist yet.
    All,
    /// These.
    Listed(BTreeSet<CustomerId>),
}

impl Customers {
    /// True if the customer is among them.
    pub fn contain(&self, customer: CustomerId) -> bool {
        match self {
            Self::All => true,
            Self::Listed(listed) => listed.contains(&customer),
        }
    }

    /// True if each of the others is among them.
    pub fn contain_all(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::All, _) => true,
            (Self::Listed(_), Self::All) => false,
            (Self::Listed(listed), Self::Listed(others)) => others.is_subset(listed),
        }
    }

    /// These and the others.
    #[must_use]
    pub fn with(self, others: &Self) -> Self {
        match (self, others) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Listed(mut listed), Self::Listed(others)) => {
                listed.extend(others);
                Self::Listed(listed)
            }
        }
    }
}

/// Roles for customers, until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// What may be done.
    pub roles: Roles,
    /// For whom.
    pub customers: Customers,
    /// The first moment at which it is no longer good, in microseconds since 1970; none for ever.
    pub expires_at: Option<i64>,
}

impl Grant {
    /// True if it is still good.
    pub fn is_good(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// One customer that a caller may act for, in the way that it was asked about: the only key to the rows of
/// a customer.
///
/// Made where the rights of a caller were checked, and by the service for work that it does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope(CustomerId);

impl Scope {
    /// For work that no caller asks for, or that was accepted before. A test of the sources says who may.
    pub(crate) fn of_service(customer: CustomerId) -> Self {
        Self(customer)
    }

    /// The customer.
    pub fn customer(self) -> CustomerId {
        self.0
    }
}

/// Why somebody may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is no grant for the customer: for this caller it does not exist.
    Customer,
    /// The grants for the customer, or for the installation, have no role for this.
    Role,
}

/// Somebody who calls, with the grants that are good at the time.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who; the nil id if nobody is asked who they are, or somebody whom no grant was ever given.
    pub principal: PrincipalId,
    /// The key that was shown.
    pub key: Option<KeyId>,
    /// The grants that are good.
    pub grants: Vec<Grant>,
}

impl Caller {
    /// The service itself, and everybody where nobody is asked who they are.
    pub fn everybody() -> Self {
        Self {
            principal: PrincipalId(Uuid::nil()),
            key: None,
            grants: vec![Grant {
                id: GrantId(Uuid::nil()),
                roles: Roles::EVERY,
                customers: Customers::All,
                expires_at: None,
            }],
        }
    }

    /// Somebody to whom no grant was ever given.
    pub fn nobody() -> Self {
        Self {
            grants: Vec::new(),
            ..Self::everybody()
        }
    }

    /// True if what the caller may do is in the directory.
    pub fn is_stored(&self) -> bool {
        !self.principal.0.is_nil()
    }

    /// True if some grant has one of the roles.
    pub fn has(&self, roles: Roles) -> bool {
        self.grants.iter().any(|grant| grant.roles.meets(roles))
    }

    /// The customers for which there is a grant with one of the roles.
    pub fn customers(&self, roles: Roles) -> Customers {
        let grants = self.grants.iter().filter(|grant| grant.roles.meets(roles));
        let none = Customers::Listed(BTreeSet::new());
        grants.fold(none, |all, grant| all.with(&grant.customers))
    }

    /// Lets the caller do for a customer what takes one of the roles.
    pub fn enter(&self, customer: CustomerId, roles: Roles) -> Result<Scope, Denied> {
        let mut here = self
            .grants
            .iter()
            .filter(|grant| grant.customers.contain(customer));
        if here.clone().next().is_none() {
            return Err(Denied::Customer);
        }
        let may = here.any(|grant| grant.roles.meets(roles));
        may.then_some(Scope(customer)).ok_or(Denied::Role)
    }

    /// Lets the caller reach what is the installation's, if [`Self::may_everywhere`].
    pub fn enter_installation(&self, roles: Roles) -> Option<Scope> {
        self.may_everywhere(roles).then_some(Scope(INSTALLATION))
    }

    /// True if the caller may do what concerns the whole installation and takes one of the roles: that
    /// takes a grant for all customers.
    pub fn may_everywhere(&self, roles: Roles) -> bool {
        let everywhere = |grant: &&Grant| grant.customers == Customers::All;
        self.grants
            .iter()
            .filter(everywhere)
            .any(|grant| grant.roles.meets(roles))
    }
}
