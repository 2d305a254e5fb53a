//! Who may do what, said here in the words of the documentation and never taken from the server: the matrix
//! holds the server against it.

use super::expected::About::{Anybody, Customer, Everywhere, Journal, Known, Seen};

/// The roles, as the protocol names them.
pub(super) type Role = &'static str;

const GLOBAL_ADMIN: Role = "ROLE_GLOBAL_ADMIN";
const ADMIN_AGENT: Role = "ROLE_ADMIN_AGENT";
const HELPDESK_AGENT: Role = "ROLE_HELPDESK_AGENT";
const SALES_AGENT: Role = "ROLE_SALES_AGENT";
const USER_ADMIN: Role = "ROLE_USER_MANAGEMENT_ADMIN";
const LICENSE_ADMIN: Role = "ROLE_LICENSE_ADMINISTRATOR";
const AUDITOR: Role = "ROLE_AUDITOR";
const READER: Role = "ROLE_READER";
const OPERATOR: Role = "ROLE_OPERATOR";

/// Every role.
pub(super) const ROLES: [Role; 9] = [
    GLOBAL_ADMIN,
    ADMIN_AGENT,
    HELPDESK_AGENT,
    SALES_AGENT,
    USER_ADMIN,
    LICENSE_ADMIN,
    AUDITOR,
    READER,
    OPERATOR,
];

/// The five roles that the page serves, and the administrator of licenses.
const ASSIGN: &[Role] = &[
    GLOBAL_ADMIN,
    ADMIN_AGENT,
    HELPDESK_AGENT,
    SALES_AGENT,
    USER_ADMIN,
    LICENSE_ADMIN,
];
/// Whoever has to do with customers: everybody but the operator.
const LOOK: &[Role] = &[
    GLOBAL_ADMIN,
    ADMIN_AGENT,
    HELPDESK_AGENT,
    SALES_AGENT,
    USER_ADMIN,
    LICENSE_ADMIN,
    AUDITOR,
    READER,
];
/// The audit of a customer.
const AUDIT: &[Role] = &[GLOBAL_ADMIN, AUDITOR];
/// What is the installation's: its journal, and who may do what.
const INSPECT: &[Role] = &[GLOBAL_ADMIN, AUDITOR, OPERATOR];
const OPERATE: &[Role] = &[GLOBAL_ADMIN, OPERATOR];
const USERS: &[Role] = &[GLOBAL_ADMIN, ADMIN_AGENT, USER_ADMIN];
const SEATS: &[Role] = &[GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT];
const LATER_PLANS: &[Role] = &[GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT, LICENSE_ADMIN];
const CUSTOMER: &[Role] = &[GLOBAL_ADMIN, ADMIN_AGENT];
const NEW_CUSTOMER: &[Role] = &[GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT];

/// What a call is about, and who may make it.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    /// The customer that it names: one of these roles there.
    Customer(&'static [Role]),
    /// The journal of the customer that it names, or else the installation's: one of the second roles for
    /// all customers.
    Journal(&'static [Role], &'static [Role]),
    /// The customers that somebody may see.
    Seen(&'static [Role]),
    /// What all customers share: one of these roles for all of them.
    Everywhere(&'static [Role]),
    /// What all customers share, for whoever has any role.
    Anybody,
    /// Nothing of anybody, for whoever can prove who they are.
    Known,
}

const TABLE: &[(&str, About)] = &[
    ("AccessService/CreatePrincipal", Everywhere(OPERATE)),
    ("AccessService/GetPrincipal", Everywhere(INSPECT)),
    ("AccessService/ListPrincipals", Everywhere(INSPECT)),
    ("AccessService/DeletePrincipal", Everywhere(OPERATE)),
    ("AccessService/CreateGrant", Everywhere(OPERATE)),
    ("AccessService/DeleteGrant", Everywhere(OPERATE)),
    ("AccessService/CreateKey", Everywhere(OPERATE)),
    ("AccessService/RevokeKey", Everywhere(OPERATE)),
    ("AccessService/GetCaller", Known),
    ("AssignmentService/ListAssignments", Customer(LOOK)),
    ("AssignmentService/SummarizeAssignments", Customer(LOOK)),
    ("AssignmentService/ListHolders", Customer(LOOK)),
    ("AssignmentService/ListGainedPlans", Customer(LOOK)),
    ("AssignmentService/ListViolations", Customer(LOOK)),
    ("AssignmentService/SummarizeViolations", Customer(LOOK)),
    ("BatchService/ExecuteBatch", Customer(ASSIGN)),
    ("BatchService/ExecuteLargeBatch", Customer(ASSIGN)),
    ("BatchService/CancelBatch", Customer(ASSIGN)),
    ("BatchService/RetryBatch", Customer(ASSIGN)),
    ("BatchService/RevertBatch", Customer(ASSIGN)),
    ("BatchService/StreamBatchResults", Customer(LOOK)),
    ("BatchService/ListBatchResults", Customer(LOOK)),
    ("BatchService/GetBatch", Customer(LOOK)),
    ("BatchService/ListBatches", Customer(LOOK)),
    ("CatalogueService/ImportCatalogue", Everywhere(OPERATE)),
    ("CatalogueService/ImportRules", Everywhere(OPERATE)),
    ("CatalogueService/GetProduct", Anybody),
    ("CatalogueService/ListProducts", Anybody),
    ("CatalogueService/UpdateProduct", Everywhere(OPERATE)),
    ("CatalogueService/ListRules", Anybody),
    ("CustomerService/CreateCustomer", Everywhere(NEW_CUSTOMER)),
    ("CustomerService/GetCustomer", Customer(LOOK)),
    ("CustomerService/ListCustomers", Seen(LOOK)),
    ("CustomerService/UpdateCustomer", Customer(CUSTOMER)),
    ("HistoryService/ListHistory", Journal(LOOK, INSPECT)),
    ("HistoryService/GetUserAt", Customer(LOOK)),
    ("HistoryService/GetCheckpoint", Journal(AUDIT, INSPECT)),
    ("HistoryService/StreamJournal", Journal(AUDIT, INSPECT)),
    ("HistoryService/WatchChanges", Journal(LOOK, INSPECT)),
    ("LicenseService/SetSeats", Customer(SEATS)),
    ("LicenseService/SetLaterPlans", Customer(LATER_PLANS)),
    ("LicenseService/GetLicense", Customer(LOOK)),
    ("LicenseService/ListLicenses", Customer(LOOK)),
    ("SelectionService/CreateSelection", Customer(ASSIGN)),
    ("SelectionService/GetSelection", Customer(LOOK)),
    ("SelectionService/DeleteSelection", Customer(ASSIGN)),
    ("SelectionService/ListSelectionUsers", Customer(LOOK)),
    ("ServerService/GetServerInfo", Known),
    ("UserService/CreateUser", Customer(USERS)),
    ("UserService/ImportUsers", Customer(USERS)),
    ("UserService/GetUser", Customer(LOOK)),
    ("UserService/ListUsers", Customer(LOOK)),
    ("UserService/UpdateUser", Customer(USERS)),
    ("UserService/DeleteUser", Customer(USERS)),
];

/// What a call is about; every RPC must stand in the table.
pub(super) fn about(method: &str) -> About {
    let found = TABLE.iter().find(|(name, _)| *name == method);
    let found = found.unwrap_or_else(|| panic!("who may call {method}? say so in the table"));
    found.1
}

/// The calls that the table speaks of.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// A grant of a caller.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) roles: Vec<Role>,
    /// The customers; all if there is no list.
    pub(super) customers: Option<Vec<String>>,
    pub(super) is_good: bool,
}

impl Given {
    fn is_one_of(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    fn is_for(&self, customer: &str) -> bool {
        let listed = self.customers.as_ref();
        listed.is_none_or(|listed| listed.iter().any(|one| one == customer))
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    /// There is no such customer, for this caller.
    NotFound,
    /// The caller may look, and nothing of what the call names is there.
    Absent,
    Denied,
}

/// What must become of a call by somebody with these grants that names a customer, or none.
pub(super) fn verdict(
    about: About,
    grants: &[Given],
    customer: Option<&str>,
    exists: bool,
) -> Verdict {
    let good: Vec<&Given> = grants.iter().filter(|grant| grant.is_good).collect();
    let passes_if = |may| {
        if may {
            Verdict::Passes
        } else {
            Verdict::Denied
        }
    };
    let everywhere = |roles: &[Role]| {
        let mut all = good.iter().filter(|grant| grant.customers.is_none());
        passes_if(all.any(|grant| grant.is_one_of(roles)))
    };
    let roles = match (about, customer) {
        (Known, _) => return Verdict::Passes,
        (Anybody, _) => return passes_if(!good.is_empty()),
        (Seen(roles), _) => return passes_if(good.iter().any(|grant| grant.is_one_of(roles))),
        (Everywhere(roles), _) | (Journal(_, roles), None) => return everywhere(roles),
        (Customer(roles) | Journal(roles, _), Some(_)) => roles,
        (Customer(_), None) => panic!("a call about a customer names one"),
    };
    let customer = customer.unwrap_or_default();
    let here: Vec<_> = good.iter().filter(|grant| grant.is_for(customer)).collect();
    if !good.iter().any(|grant| grant.is_one_of(roles)) {
        Verdict::Denied
    } else if here.is_empty() {
        Verdict::NotFound
    } else if !here.iter().any(|grant| grant.is_one_of(roles)) {
        Verdict::Denied
    } else if exists {
        Verdict::Passes
    } else {
        Verdict::Absent
    }
}
