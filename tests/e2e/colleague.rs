//! Colleagues of the admin: callers with a key and grants of their own.

use prost_types::Timestamp;
use seatwise_client::Client;
use seatwise_client::v1::principal::Kind;
use seatwise_client::v1::{
    CreateGrantRequest, CreateKeyRequest, CreatePrincipalRequest, DeleteGrantRequest, NewGrant,
    Principal, RevokeKeyRequest, Role,
};

use crate::customer::wall_clock;
use crate::harness::Harness;

/// Somebody who calls with a key.
pub(crate) struct Colleague {
    pub(crate) client: Client,
    pub(crate) principal: Principal,
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

/// So many milliseconds from now.
pub(crate) fn in_millis(millis: u64) -> Timestamp {
    (wall_clock() + std::time::Duration::from_millis(millis)).into()
}

/// A role for one customer.
pub(crate) fn for_customer(role: Role, customer: &str, end: Option<Timestamp>) -> NewGrant {
    NewGrant {
        roles: vec![role.into()],
        all_customers: false,
        customer_ids: vec![customer.to_owned()],
        expire_time: end,
    }
}

/// A role for all customers.
pub(crate) fn for_all(role: Role) -> NewGrant {
    NewGrant {
        roles: vec![role.into()],
        all_customers: true,
        ..NewGrant::default()
    }
}

impl Harness {
    /// Makes somebody with a key and these grants.
    pub(crate) async fn colleague(&self, name: &str, grants: Vec<NewGrant>) -> Colleague {
        let admin = self.client();
        let request = CreatePrincipalRequest {
            kind: Kind::Key.into(),
            name: name.to_owned(),
            grants,
            comment: String::new(),
        };
        let principal = admin.create_principal(request).await.expect("created");
        let request = CreateKeyRequest {
            principal_id: principal.principal_id.clone(),
            ..CreateKeyRequest::default()
        };
        let made = admin.create_key(request).await.expect("a key is made");
        Colleague {
            client: self.client_with(&made.secret),
            principal,
            key_id: made.key.expect("a key").key_id,
            secret: made.secret,
        }
    }

    /// A client that shows this key or token.
    pub(crate) fn client_with(&self, token: &str) -> Client {
        let builder = Client::builder(self.endpoint()).token(token);
        builder.build().expect("a token is ASCII")
    }

    /// Gives somebody a grant.
    pub(crate) async fn give(&self, to: &Principal, grant: NewGrant) -> Principal {
        let request = CreateGrantRequest {
            principal_id: to.principal_id.clone(),
            grant: Some(grant),
            comment: String::new(),
        };
        self.client().create_grant(request).await.expect("given")
    }

    /// Takes all grants away from somebody.
    pub(crate) async fn take(&self, from: &Principal) {
        for grant in &from.grants {
            let request = DeleteGrantRequest {
                grant_id: grant.grant_id.clone(),
                comment: String::new(),
            };
            self.client().delete_grant(request).await.expect("taken");
        }
    }

    /// Revokes a key.
    pub(crate) async fn revoke_key(&self, key_id: &str) {
        let request = RevokeKeyRequest {
            key_id: key_id.to_owned(),
            comment: String::new(),
        };
        self.client().revoke_key(request).await.expect("revoked");
    }
}
