//! The journal: what is recorded of every mutation, and how the commits of a customer are chained.
//!
//! Records hold ids and numbers, never names or other values of a person, so that erasing a person
//! leaves the chain valid. A keyed digest of a name would be no better than the name: names are few
//! enough to be tried out by whoever has the key, and without the key nobody can check it.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    BatchId, ChoiceId, CustomerId, Customers, Edit, Guard, LaterPlans, PlanChoice, PlanId,
    PrincipalId, ProductId, RequestId, Roles, SelectionId, Stop, UserId,
};

/// Longest comment, in characters.
const COMMENT_CHARS_MAX: usize = 256;
/// Say what is hashed, and in which form. A new form gets new ones.
const RECORD_TAG: &[u8] = b"seatwise record 1\n";
const COMMIT_TAG: &[u8] = b"seatwise commit 1\n";

/// The chain of what belongs to no customer, as the catalogue. No customer has this id.
pub const INSTALLATION: CustomerId = CustomerId(Uuid::nil());

/// Who asks where nobody is asked who they are.
pub const ANONYMOUS: &str = "anonymous";

/// Who asked for a mutation, through what, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The caller.
    pub who: String,
    /// The RPC, as `UserService/CreateUser`.
    pub through: String,
    /// The caller's name for the request, if requests of this kind have one.
    pub request: Option<RequestId>,
    /// The caller's reason; empty if none was given.
    pub comment: Comment,
}

/// A caller's reason for a mutation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment(String);

impl Comment {
    /// Takes up to 256 characters without control characters.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().count() > COMMENT_CHARS_MAX {
            return Err("must have at most 256 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which values of a user an update has changed. What they were is not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one per value of a user")]
pub struct UserFields {
    /// The sign-in name.
    pub principal_name: bool,
    /// The name for people.
    pub display_name: bool,
    /// The country.
    pub usage_location: bool,
    /// When it was last seen.
    pub last_active: bool,
}

/// Seats of a license that are set by the caller: enabled, warning, suspended.
pub type SeatsSet = [i64; 3];

/// How a commit moved the assignments of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Assignments before.
    pub before: i64,
    /// Users who were given the product.
    pub given: i64,
    /// Users who lost it.
    pub taken: i64,
    /// Users who kept it with another choice of plans.
    pub changed: i64,
}

impl Moved {
    /// Assignments after.
    pub fn after(&self) -> i64 {
        self.before + self.given - self.taken
    }
}

/// The last commit of what was pruned from a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its position.
    pub position: i64,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// What a mutation did to one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What a user holds has changed.
    Assignments(UserId, Vec<Edit>),
    /// A user is new; active or not.
    UserCreated(UserId, bool),
    /// Values of a user were changed; active or not, before and after.
    UserUpdated(UserId, UserFields, [bool; 2]),
    /// A user is gone; it was active or not.
    UserDeleted(UserId, bool),
    /// Seats of a license were set, before and after; before is not set if it is new.
    SeatsSet(ProductId, Option<SeatsSet>, SeatsSet),
    /// What becomes of plans added later, before and after.
    LaterPlansSet(ProductId, [Option<LaterPlans>; 2]),
    /// Assignments of a license have moved.
    SeatsMoved(ProductId, Moved),
    /// A customer is new.
    CustomerCreated(CustomerId),
    /// A customer has another name.
    CustomerRenamed(CustomerId),
    /// A customer has another guard, before and after.
    GuardSet(CustomerId, [Guard; 2]),
    /// A batch of so many users was accepted; of them, those whose loss of a product had to be
    /// confirmed; with the hash of its request.
    BatchAccepted(BatchId, [i64; 2], [u8; 32]),
    /// A batch was told to skip the rest.
    BatchCancelled(BatchId),
    /// A batch has ended: users applied, unchanged, failed and skipped, and why some were skipped.
    BatchEnded(BatchId, [i64; 4], Option<Stop>),
    /// A selection of so many users was frozen.
    SelectionCreated(SelectionId, i64),
    /// A frozen selection was deleted.
    SelectionDeleted(SelectionId),
    /// A choice of plans got its number, which assignments name from here on.
    ChoiceNumbered(CustomerId, ChoiceId, PlanChoice),
    /// The catalogue was changed.
    Catalogue(CatalogueRecord),
    /// The journal was pruned from its front.
    JournalPruned(CustomerId, Cut),
    /// Somebody's rights were changed.
    Access(AccessRecord),
}

/// A change of the rights of a principal, whose name is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// The principal.
    pub principal: PrincipalId,
    /// What happened: 1 principal created, 2 principal deleted, 3 grant given, 4 grant taken away, 5 key
    /// made, 6 key revoked.
    pub kind: u8,
    /// The grant or key; the principal itself if it is about that.
    pub thing: Uuid,
    /// Roles of the grant.
    pub roles: Roles,
    /// When grant or key end; none for ever.
    pub expires_at: Option<i64>,
    /// Customers of the grant.
    pub customers: Customers,
}

/// A change of the catalogue, which has no personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueRecord {
    /// What happened: 1 added, 2 renamed, 3 changed, 4 removed.
    pub kind: u8,
    /// The product, if it is about one.
    pub product: Option<ProductId>,
    /// The plan, if it is about one.
    pub plan: Option<PlanId>,
    /// Name or value now.
    pub now: String,
    /// Name or value before.
    pub before: String,
}

/// The number under which a kind of record is kept. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "as the records of the same names")]
#[repr(i16)]
pub enum RecordKind {
    Assignments = 1,
    UserCreated = 2,
    UserUpdated = 3,
    UserDeleted = 4,
    SeatsSet = 5,
    LaterPlansSet = 6,
    SeatsMoved = 7,
    CustomerCreated = 8,
    CustomerRenamed = 9,
    BatchAccepted = 10,
    BatchEnded = 11,
    SelectionCreated = 12,
    SelectionDeleted = 13,
    ChoiceNumbered = 14,
    Catalogue = 15,
    GuardSet = 16,
    BatchCancelled = 17,
    JournalPruned = 18,
    Access = 19,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Assignments,
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::SeatsSet,
        Self::LaterPlansSet,
        Self::SeatsMoved,
        Self::CustomerCreated,
        Self::CustomerRenamed,
        Self::BatchAccepted,
        Self::BatchEnded,
        Self::SelectionCreated,
        Self::SelectionDeleted,
        Self::ChoiceNumbered,
        Self::Catalogue,
        Self::GuardSet,
        Self::BatchCancelled,
        Self::JournalPruned,
        Self::Access,
    ];

    /// The kind with this number.
    pub fn of(number: i32) -> Option<Self> {
        let has = |kind: &Self| i32::from(*kind as i16) == number;
        Self::ALL.into_iter().find(has)
    }
}

impl Record {
    /// What kind of record it is, and the thing that it is about.
    pub fn key(&self) -> (RecordKind, Uuid) {
        use RecordKind as Kind;
        match self {
            Self::Assignments(user, _) => (Kind::Assignments, user.0),
            Self::UserCreated(user, _) => (Kind::UserCreated, user.0),
            Self::UserUpdated(user, ..) => (Kind::UserUpdated, user.0),
            Self::UserDeleted(user, _) => (Kind::UserDeleted, user.0),
            Self::SeatsSet(product, ..) => (Kind::SeatsSet, product.0),
            Self::LaterPlansSet(product, _) => (Kind::LaterPlansSet, product.0),
            Self::SeatsMoved(product, _) => (Kind::SeatsMoved, product.0),
            Self::CustomerCreated(customer) => (Kind::CustomerCreated, customer.0),
            Self::CustomerRenamed(customer) => (Kind::CustomerRenamed, customer.0),
            Self::GuardSet(customer, _) => (Kind::GuardSet, customer.0),
            Self::BatchAccepted(batch, ..) => (Kind::BatchAccepted, batch.0),
            Self::BatchCancelled(batch) => (Kind::BatchCancelled, batch.0),
            Self::BatchEnded(batch, ..) => (Kind::BatchEnded, batch.0),
            Self::SelectionCreated(selection, _) => (Kind::SelectionCreated, selection.0),
            Self::SelectionDeleted(selection) => (Kind::SelectionDeleted, selection.0),
            Self::ChoiceNumbered(customer, ..) => (Kind::ChoiceNumbered, customer.0),
            Self::JournalPruned(customer, _) => (Kind::JournalPruned, customer.0),
            Self::Access(record) => (Kind::Access, record.principal.0),
            Self::Catalogue(record) => {
                let plan = record.plan.map(|plan| plan.0);
                let thing = record.product.map(|product| product.0).or(plan);
                (Kind::Catalogue, thing.unwrap_or_default())
            }
        }
    }
}

/// The hash of a record as it is stored. It does not depend on the record's number, which is known
/// only in the end.
pub fn hash_record(kind: i16, thing: Uuid, details: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(RECORD_TAG);
    hash.update(kind.to_be_bytes());
    hash.update(thing.as_bytes());
    hash.update(details);
    hash.finalize().into()
}

/// A commit: one transaction, one link of its customer's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The customer, or the installation.
    pub customer: CustomerId,
    /// Number of its first record.
    pub first_seq: i64,
    /// Number of its last record, which is the commit's position.
    pub last_seq: i64,
    /// When, in microseconds since 1970. Never before the commit before it.
    pub at: i64,
    /// Who, through what, and why.
    pub origin: Origin,
    /// The batch that it belongs to.
    pub batch: Option<BatchId>,
}

impl Commit {
    /// The link: from the hash of the commit before it (zeros for the first), all that is known
    /// about this one, and the hashes of its records in order.
    pub fn link(&self, before: &[u8; 32], records: &[[u8; 32]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let text = |hash: &mut Sha256, text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        hash.update(COMMIT_TAG);
        hash.update(before);
        hash.update(self.customer.0.as_bytes());
        for number in [self.first_seq, self.last_seq, self.at] {
            hash.update(number.to_be_bytes());
        }
        text(&mut hash, &self.origin.who);
        text(&mut hash, &self.origin.through);
        text(&mut hash, self.origin.comment.as_str());
        let request = self.origin.request.map(|request| request.0);
        let batch = self.batch.map(|batch| batch.0);
        for id in [request, batch] {
            // No request and no batch has the nil id.
            hash.update(id.unwrap_or_default().as_bytes());
        }
        records.iter().for_each(|record| hash.update(record));
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_its_limits() {
        assert!(Comment::parse("").is_ok());
        assert!(Comment::parse(&"é".repeat(256)).is_ok());
        assert!(Comment::parse(&"é".repeat(257)).is_err());
        assert!(Comment::parse("two\nlines").is_err());
    }

    /// The bytes are a promise to whoever verifies a chain: these hashes were computed by hand with
    /// another program from the description in `history.proto`.
    #[test]
    fn hashes_are_those_of_the_description() {
        let id = Uuid::from_u128;
        let record = hash_record(2, id(0x11), &[1]);
        assert_eq!(hex(&record), RECORD_HASH);
        let commit = Commit {
            customer: CustomerId(id(0x22)),
            first_seq: 5,
            last_seq: 6,
            at: 1_750_000_000_123_456,
            origin: Origin {
                who: "anonymous".to_owned(),
                through: "UserService/CreateUser".to_owned(),
                request: None,
                comment: Comment::parse("née").expect("a comment"),
            },
            batch: Some(BatchId(id(0x33))),
        };
        let link = commit.link(&[7; 32], &[record, [9; 32]]);
        assert_eq!(hex(&link), COMMIT_HASH);
    }

    const RECORD_HASH: &str = "be29b2e4ac90a4072183438e30393d2094a44cc38fc33e1b3ad6d341461d70ac";
    const COMMIT_HASH: &str = "9921095bc1370ca50fe0cdf4acd7beaf2c201f970fcbc0e8aa881bc9d0da6a5b";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
