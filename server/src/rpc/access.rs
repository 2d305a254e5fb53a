//! Which call takes which role: the one table, and what the gate puts into each call that it lets pass. An
//! RPC that is not in the table does not compile.

use seatwise_proto::Method;
use seatwise_proto::v1::ErrorReason;
use tonic::{Request, Status};

use super::parse::Fields;
use super::status::{customer_not_found, refuse};
use crate::domain::{
    Caller, Comment, CustomerId, Customers, Denied, INSTALLATION, Origin, Role, Roles, Scope,
};

/// What a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Everybody may call it who can prove who they are.
    pub(crate) is_open: bool,
    /// Roles that may call it for a customer for whom they are granted.
    pub(crate) customer: Roles,
    /// Roles that may call it for the installation if they are granted for all customers.
    pub(crate) installation: Roles,
}

use Role::{
    AdminAgent, Auditor, GlobalAdmin, HelpdeskAgent, LicenseAdministrator, Operator, Reader,
    SalesAgent, UserManagementAdmin,
};

/// Who may assign and revoke.
const ASSIGN: Roles = Roles::of(&[
    GlobalAdmin,
    AdminAgent,
    UserManagementAdmin,
    SalesAgent,
    HelpdeskAgent,
    LicenseAdministrator,
]);
/// Who may look at a customer.
const LOOK: Roles = Roles::of(&[
    GlobalAdmin,
    AdminAgent,
    UserManagementAdmin,
    SalesAgent,
    HelpdeskAgent,
    LicenseAdministrator,
    Auditor,
    Reader,
]);
const CHANGE_USERS: Roles = Roles::of(&[GlobalAdmin, AdminAgent, UserManagementAdmin]);
const SET_SEATS: Roles = Roles::of(&[GlobalAdmin, AdminAgent, SalesAgent]);
const SET_LATER_PLANS: Roles =
    Roles::of(&[GlobalAdmin, AdminAgent, SalesAgent, LicenseAdministrator]);
const CHANGE_CUSTOMER: Roles = Roles::of(&[GlobalAdmin, AdminAgent]);
const AUDIT: Roles = Roles::of(&[GlobalAdmin, Auditor]);
/// Who may look at what concerns no customer.
const LOOK_AT_INSTALLATION: Roles = Roles::of(&[GlobalAdmin, Auditor, Operator]);
const OPERATE: Roles = Roles::of(&[GlobalAdmin, Operator]);

const fn customer(roles: Roles) -> Rule {
    Rule {
        is_open: false,
        customer: roles,
        installation: Roles::NONE,
    }
}

const fn installation(roles: Roles) -> Rule {
    Rule {
        is_open: false,
        customer: Roles::NONE,
        installation: roles,
    }
}

const fn either(customer: Roles, installation: Roles) -> Rule {
    Rule {
        is_open: false,
        customer,
        installation,
    }
}

const OPEN: Rule = Rule {
    is_open: true,
    customer: Roles::NONE,
    installation: Roles::NONE,
};

impl Rule {
    /// The table.
    pub(crate) const fn of(method: Method) -> Self {
        use Method as M;
        match method {
            M::GetServerInfo | M::GetCaller => OPEN,

            M::GetProduct | M::ListProducts | M::ListRules => either(LOOK, LOOK_AT_INSTALLATION),
            M::ImportCatalogue | M::ImportRules | M::UpdateProduct => installation(OPERATE),

            M::CreatePrincipal
            | M::DeletePrincipal
            | M::CreateGrant
            | M::DeleteGrant
            | M::CreateKey
            | M::RevokeKey => installation(OPERATE),
            M::GetPrincipal | M::ListPrincipals => installation(LOOK_AT_INSTALLATION),

            M::CreateCustomer => installation(SET_SEATS),
            M::UpdateCustomer => customer(CHANGE_CUSTOMER),
            M::GetCustomer
            | M::ListCustomers
            | M::GetUser
            | M::ListUsers
            | M::GetLicense
            | M::ListLicenses
            | M::ListAssignments
            | M::SummarizeAssignments
            | M::ListHolders
            | M::ListGainedPlans
            | M::ListViolations
            | M::SummarizeViolations
            | M::GetSelection
            | M::ListSelectionUsers
            | M::StreamBatchResults
            | M::ListBatchResults
            | M::GetBatch
            | M::ListBatches
            | M::GetUserAt
            | M::WatchChanges => customer(LOOK),
            M::ListHistory => either(LOOK, LOOK_AT_INSTALLATION),
            M::GetCheckpoint | M::StreamJournal => either(AUDIT, LOOK_AT_INSTALLATION),

            M::CreateUser | M::ImportUsers | M::UpdateUser | M::DeleteUser => {
                customer(CHANGE_USERS)
            }
            M::SetSeats => customer(SET_SEATS),
            M::SetLaterPlans => customer(SET_LATER_PLANS),
            M::ExecuteBatch
            | M::ExecuteLargeBatch
            | M::CancelBatch
            | M::RetryBatch
            | M::RevertBatch
            | M::CreateSelection
            | M::DeleteSelection => customer(ASSIGN),
        }
    }
}

/// What a call may do. The gate puts it into the call before its message is read.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    caller: Caller,
    method: Method,
}

impl Pass {
    pub(super) fn new(caller: Caller, method: Method) -> Self {
        Self { caller, method }
    }

    /// The pass of a call.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let pass = request.extensions().get().cloned();
        pass.expect("the gate gives every call that it lets through a pass")
    }

    /// The caller.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Lets the call reach what is this customer's. For a caller without a grant for it the customer does
    /// not exist.
    pub(super) fn enter(&self, customer: CustomerId) -> Result<Scope, Status> {
        let entered = self.caller.enter(customer, Rule::of(self.method).customer);
        entered.map_err(|denied| match denied {
            Denied::Customer => customer_not_found(customer),
            Denied::Role => self.denied(),
        })
    }

    /// The same, for a journal: a customer's, or the installation's.
    pub(super) fn enter_journal(&self, chain: CustomerId) -> Result<Scope, Status> {
        if chain != INSTALLATION {
            return self.enter(chain);
        }
        let entered = self
            .caller
            .enter_installation(Rule::of(self.method).installation);
        entered.ok_or_else(|| self.denied())
    }

    /// The customers that the caller may look at.
    pub(super) fn seen(&self) -> Customers {
        self.caller.customers(LOOK)
    }

    /// Where a mutation comes from, with the caller's reason.
    pub(super) fn origin(&self, fields: &mut Fields, comment: &str) -> Option<Origin> {
        let comment = fields.take("comment", Comment::parse(comment))?;
        Some(Origin {
            who: self.who(),
            through: self.method.name().to_owned(),
            request: None,
            comment,
        })
    }

    fn who(&self) -> String {
        match self.caller.principal.0 {
            id if id.is_nil() => "anonymous".to_owned(),
            id => id.to_string(),
        }
    }

    fn denied(&self) -> Status {
        let call = self.method.name();
        let message =
            format!("no role of yours may do this ({call}); ask who gives rights here for it");
        refuse(
            ErrorReason::PermissionDenied,
            message,
            &[("call", call.to_owned())],
        )
    }
}
