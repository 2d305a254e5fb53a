//! Which call takes which role: the one table, and what the gate puts into each call that it lets pass. An
//! RPC that is not in the table does not compile.

use std::sync::{Arc, Mutex, PoisonError};

use seatwise_proto::Method;
use tonic::{Request, Status};

use super::denial::{customer_not_found, permission_denied};
use super::parse::Fields;
use crate::domain::{
    ANONYMOUS, Caller, Comment, CustomerId, Customers, Denied, INSTALLATION, Origin, PrincipalKind,
    Role, Roles, Scope,
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
/// Who may have a batch carried out, also later.
pub(crate) const BATCH_ROLES: Roles = ASSIGN;
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
            | M::GetUserAt => customer(LOOK),
            M::ListHistory | M::WatchChanges => either(LOOK, LOOK_AT_INSTALLATION),
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
    identity: Option<Identity>,
    method: Method,
    /// What the call has reached.
    entered: Arc<Mutex<Vec<CustomerId>>>,
}

/// How a caller proves who it is, and the name that is proved.
pub(super) type Identity = (PrincipalKind, String);

impl Pass {
    /// Lets a call pass if its caller may make it for anything at all.
    pub(super) fn new(
        caller: Caller,
        identity: Option<Identity>,
        method: Method,
    ) -> Result<Self, Status> {
        let rule = Rule::of(method);
        let may =
            rule.is_open || caller.has(rule.customer) || caller.may_everywhere(rule.installation);
        let pass = Self {
            caller,
            identity,
            method,
            entered: Arc::default(),
        };
        if may { Ok(pass) } else { Err(pass.denied()) }
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

    /// Who the caller has proved to be; none if nobody is asked.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Lets the call reach what is this customer's. For a caller without a grant for it the customer does
    /// not exist.
    pub(super) fn enter(&self, customer: CustomerId) -> Result<Scope, Status> {
        match self.caller.enter(customer, Rule::of(self.method).customer) {
            Ok(scope) => {
                self.note(customer);
                Ok(scope)
            }
            Err(Denied::Customer) => {
                self.log_denial("no grant for the customer", Some(customer));
                Err(customer_not_found(customer))
            }
            Err(Denied::Role) => {
                self.log_denial("no role for this at the customer", Some(customer));
                Err(permission_denied(self.method.name()))
            }
        }
    }

    /// The same, for a journal: a customer's, or the installation's.
    pub(super) fn enter_journal(&self, chain: CustomerId) -> Result<Scope, Status> {
        if chain != INSTALLATION {
            return self.enter(chain);
        }
        let entered = self
            .caller
            .enter_installation(Rule::of(self.method).installation);
        let scope = entered.ok_or_else(|| self.denied())?;
        self.note(INSTALLATION);
        Ok(scope)
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

    /// The same pass for who the caller is by now; refused if the call would not have been let pass, or not
    /// have reached what it has reached.
    pub(super) fn again(&self, caller: Caller) -> Result<(), Status> {
        let pass = Self::new(caller, self.identity.clone(), self.method)?;
        let entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        entered
            .iter()
            .try_for_each(|chain| pass.enter_journal(*chain).map(drop))
    }

    fn note(&self, chain: CustomerId) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        entered.push(chain);
    }

    fn who(&self) -> String {
        let Caller { principal, key, .. } = &self.caller;
        match key {
            _ if !self.caller.is_stored() => ANONYMOUS.to_owned(),
            Some(key) => format!("{principal}/{key}"),
            None => principal.to_string(),
        }
    }

    fn denied(&self) -> Status {
        self.log_denial("no role for this", None);
        permission_denied(self.method.name())
    }

    fn log_denial(&self, why: &str, customer: Option<CustomerId>) {
        let Caller { principal, key, .. } = &self.caller;
        let key = key.map(tracing::field::display);
        let customer = customer.map(tracing::field::display);
        let call = self.method.name();
        tracing::warn!(%principal, key, call, customer, why, "denied");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_takes_a_role_or_is_for_everybody() {
        for method in Method::ALL {
            let rule = Rule::of(method);
            let roles = !rule.customer.is_empty() || !rule.installation.is_empty();
            assert_ne!(rule.is_open, roles, "{}", method.name());
        }
    }
}
