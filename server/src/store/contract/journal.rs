//! The journal: every mutation leaves one commit with the right records, in its own transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use uuid::Uuid;

use super::chain::Chain;
use super::engine::Fresh;
use super::fixture::{
    BASIC, BY, Fixture, NOW, OFFICE, assign_plans, by_id, by_name, customer, display,
    edition_product, later, new_user, plan, principal, product, revoke, scope, user,
};
use super::raw;
use crate::domain::{
    AccessChange, BatchId, Caller, CustomerId, Guard, INSTALLATION, LaterPlans, PlanChoice, Record,
    RecordKind::{self, *},
    Selection, SelectionId, SelectionPart, UserFilter,
};
use crate::edition::RuleSet;
use crate::store::{
    Capacity, CustomerUpdate, Error, ImportUser, SeatsUpdate, StoredCommit, Timestamp, UserUpdate,
};

/// Methods that write, and change nothing of a customer or the catalogue: keys, who works on a batch, and
/// what deletes that which counts as gone already.
const OTHERS: [&str; 6] = [
    "claim_batch",
    "note_use",
    "prune_journal",
    "prune_results",
    "release_batch",
    "token_key",
];

/// The methods of the store that write, by their sources.
fn writers() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut writers = BTreeSet::new();
    let files = std::fs::read_dir(&folder).expect("the store's folder");
    let mut files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.push(folder.with_extension("rs"));
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|ext| ext == "rs"))
    {
        let text = std::fs::read_to_string(file).expect("a source");
        let mut method = "";
        for line in text.lines() {
            if let Some((_, name)) = line.split_once("async fn ") {
                method = name.split(['(', '<']).next().unwrap_or_default();
            }
            if line.contains("write_tx!(") || line.contains("::write_chunk(") {
                writers.insert(method.to_owned());
            }
        }
    }
    writers
}

/// Calls one mutation after another and looks at what each leaves.
struct Steps<'a> {
    fixture: &'a Fixture,
    seen: BTreeSet<String>,
}

impl Steps<'_> {
    async fn step<T>(
        &mut self,
        method: &str,
        kinds: &[RecordKind],
        call: impl Future<Output = Result<T, Error>>,
    ) -> T {
        self.step_in(self.fixture.customer, method, kinds, call)
            .await
    }

    async fn step_in<T>(
        &mut self,
        chain: CustomerId,
        method: &str,
        kinds: &[RecordKind],
        call: impl Future<Output = Result<T, Error>>,
    ) -> T {
        let store = &self.fixture.store;
        let before = match store.of(scope(chain)).checkpoint().await {
            Ok(head) => head.position,
            Err(_) => 0,
        };
        let Ok(done) = call.await else {
            panic!("{method} was not done");
        };
        let part = store
            .of(scope(chain))
            .journal(before, 1_000)
            .await
            .expect("a part");
        let left: Vec<i16> = part.records.iter().map(|record| record.kind).collect();
        let expected: Vec<i16> = kinds.iter().map(|kind| *kind as i16).collect();
        assert_eq!(left, expected, "the records of {method}");
        let [commit] = &part.commits[..] else {
            panic!("{method} leaves {:?}", part.commits);
        };
        assert_origin(commit);
        assert_eq!(Chain::read(store, chain).await.flaw(), None, "{method}");
        self.seen.insert(method.to_owned());
        done
    }
}

impl Steps<'_> {
    /// Each method that writes is one that was tried.
    fn assert_complete(&self) {
        let mut expected = writers();
        for other in OTHERS {
            assert!(expected.remove(other), "{other} does not write");
        }
        assert_eq!(self.seen, expected);
    }
}

fn assert_origin(commit: &StoredCommit) {
    let StoredCommit {
        who,
        through,
        comment,
        ..
    } = commit;
    let (expected, reason) = (&*BY, BY.comment.as_str());
    assert_eq!((who, through), (&expected.who, &expected.through));
    assert_eq!(comment, reason);
}

pub(super) async fn every_mutation_leaves_one_commit_with_its_records(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { store, rows, .. } = &fixture;
    let seen = BTreeSet::new();
    let mut steps = Steps {
        fixture: &fixture,
        seen,
    };

    let other = customer(2);
    let name = display("Other");
    let create = store.create_customer(other, &name, &BY, NOW);
    steps
        .step_in(other, "create_customer", &[CustomerCreated], create)
        .await;
    let name = display("New name");
    let update = CustomerUpdate {
        display_name: Some(name),
        guard: Some(Guard {
            users: Some(9),
            percent: None,
        }),
    };
    let update = rows.update_customer(&update, None, &BY, NOW);
    steps
        .step("update_customer", &[CustomerRenamed, GuardSet], update)
        .await;

    let seats = SeatsUpdate {
        enabled: Some(9),
        ..SeatsUpdate::default()
    };
    let set = rows.set_seats(OFFICE, seats, &BY, NOW);
    steps.step("set_seats", &[SeatsSet], set).await;
    let set = rows.set_later_plans(OFFICE, Some(LaterPlans::Off), None, &BY, NOW);
    steps.step("set_later_plans", &[LaterPlansSet], set).await;

    let create = rows.create_user(new_user(1, "ada@x"), &BY, NOW);
    steps.step("create_user", &[UserCreated], create).await;
    let values = UserUpdate {
        active: Some(false),
        ..UserUpdate::default()
    };
    let by_ada = by_name("ada@x");
    let update = rows.update_user(&by_ada, &values, None, &BY, NOW);
    steps.step("update_user", &[UserUpdated], update).await;
    let import = |number, name: &str| ImportUser {
        id: Some(user(number)),
        new_id: user(number),
        values: UserUpdate {
            principal_name: Some(principal(name)),
            display_name: Some(display("Bob")),
            usage_location: None,
            active: Some(true),
            last_active_at: None,
        },
    };
    let users = vec![import(1, "ada@x"), import(2, "bob@x")];
    let import = rows.import_users(users, &BY, NOW);
    steps
        .step("import_users", &[UserUpdated, UserCreated], import)
        .await;

    batches_and_the_catalogue(&mut steps).await;
    fixture.prune_results(later(1)).await;
    let prune = rows.move_start(later(1), &BY, later(2));
    steps.step("move_start", &[JournalPruned], prune).await;
    steps.assert_complete();
}

async fn batches_and_the_catalogue(steps: &mut Steps<'_>) {
    let fixture = steps.fixture;
    let store = &fixture.store;
    let by_ada = by_name("ada@x");
    let id = SelectionId(Uuid::from_u128(7));
    let all = Selection {
        parts: vec![SelectionPart::Filter(UserFilter::default())],
        except: Vec::new(),
    };
    let freeze = fixture.freeze(id, all.clone(), NOW);
    steps
        .step("create_selection", &[SelectionCreated], freeze)
        .await;
    let delete = fixture.rows.delete_selection(id, &BY, NOW);
    steps
        .step("delete_selection", &[SelectionDeleted], delete)
        .await;

    let change = assign_plans(OFFICE, PlanChoice::Only(vec![plan(1)]));
    let request = fixture.request(1, &[user(1)], change);
    // Ada has a location, and is active again.
    let accept = fixture.try_accept(&request);
    steps.step("accept_batch", &[BatchAccepted], accept).await;
    let batch = fixture.rows.batch(request.id).await.expect("a batch");
    let chunk = fixture.chunk(&batch, 0).await;
    let write = async {
        fixture.write(chunk).await;
        Ok(())
    };
    let kinds = [Assignments, SeatsMoved, ChoiceNumbered, BatchEnded];
    steps.step("write_chunk", &kinds, write).await;

    cancelled(steps).await;
    let delete = fixture.rows.delete_user(&by_ada, None, &BY, NOW);
    let kinds = [Assignments, UserDeleted, SeatsMoved];
    steps.step("delete_user", &kinds, delete).await;

    let edition = super::fixture::edition(vec![edition_product(product(9), "Nine", &[])]);
    let import = store.import_edition(&edition, &BY, NOW);
    // One is new, and those before are retired.
    let kinds = [Catalogue; 5];
    steps
        .step_in(INSTALLATION, "import_edition", &kinds, import)
        .await;
    let none = RuleSet {
        rules: Vec::new(),
        plan_names: BTreeMap::new(),
    };
    let import = store.import_rules(&none, &BY, NOW);
    steps
        .step_in(INSTALLATION, "import_rules", &[Catalogue], import)
        .await;
    let caller = Caller::everybody();
    let new = AccessChange::CreatePrincipal(super::directory::admin(1));
    let make = store.change_access(&caller, &new, &BY, NOW);
    steps
        .step_in(INSTALLATION, "change_access", &[Access; 3], make)
        .await;
    let update = store.update_product(product(9), Some(true), None, &BY, NOW);
    steps
        .step_in(INSTALLATION, "update_product", &[Catalogue], update)
        .await;
}

/// A batch is told to stop, which counts as a change, and then ends.
async fn cancelled(steps: &mut Steps<'_>) {
    let fixture = steps.fixture;
    let request = fixture.request(2, &[user(1)], revoke(&[OFFICE]));
    let batch = fixture.accept(&request).await;
    let cancel = fixture.rows.cancel_batch(batch.batch_id, &BY, NOW);
    steps.step("cancel_batch", &[BatchCancelled], cancel).await;
    let batch = fixture.batch(&batch).await;
    let chunk = fixture.chunk(&batch, 0).await;
    let write = async {
        fixture.write(chunk).await;
        Ok(())
    };
    steps.step("write_chunk", &[BatchEnded], write).await;
}

pub(super) async fn what_changes_nothing_leaves_no_record(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 9).await;
    let users = fixture.create_users(1..=70).await;
    let before = fixture.chain().await.head;
    fixture.enable_seats(OFFICE, 9).await;
    let same = CustomerUpdate {
        display_name: Some(display("Contoso")),
        guard: Some(Guard::default()),
    };
    let update = fixture.rows.update_customer(&same, None, &BY, later(1));
    update.await.expect("updated");
    let values = UserUpdate {
        active: Some(true),
        ..UserUpdate::default()
    };
    let named = by_id(user(1));
    let update = fixture
        .rows
        .update_user(&named, &values, None, &BY, later(1));
    update.await.expect("updated");
    let gone = SelectionId(Uuid::from_u128(7));
    let delete = fixture.rows.delete_selection(gone, &BY, later(1)).await;
    delete.expect("deleted");
    assert_eq!(fixture.chain().await.head, before);

    // A batch that changes nobody is accepted and ends; its first chunk leaves nothing.
    assert_eq!(
        fixture.run(1, &users, revoke(&[OFFICE])).await,
        "U".repeat(70)
    );
    let chain = fixture.chain().await;
    assert_eq!(chain.head.position, before.position + 2);
    assert_eq!(chain.commits.len() as i64, 5);
}

pub(super) async fn records_hold_nothing_personal(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    let Fixture { store, rows, .. } = &fixture;
    let secret = "sesquipedalian";
    let mut new = new_user(1, &format!("{secret}@x"));
    new.display_name = display(secret);
    rows.create_user(new, &BY, NOW).await.expect("created");
    let values = UserUpdate {
        principal_name: Some(principal(&format!("{secret}2@x"))),
        display_name: Some(display(&format!("{secret} 2"))),
        usage_location: Some(None),
        active: None,
        last_active_at: Some(Timestamp(1_234_567_890)),
    };
    let named = by_id(user(1));
    let updated = rows.update_user(&named, &values, None, &BY, NOW);
    updated.await.expect("updated");
    rows.delete_user(&named, None, &BY, NOW)
        .await
        .expect("deleted");
    for table in ["changes", "commits"] {
        let rows = raw::contents(store).await[table].join("\n").to_lowercase();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [secret, &hex, "1234567890", "d202964900000000"] {
            assert!(!rows.contains(text), "{table} knows {text}: {rows}");
        }
    }
    let last = fixture.chain().await.records;
    let updated = last[last.len() - 2].decode().expect("a record");
    let Record::UserUpdated(_, fields, active) = updated else {
        panic!("{updated:?} is no update");
    };
    assert!(fields.principal_name && fields.display_name);
    assert!(fields.usage_location && fields.last_active);
    assert_eq!(active, [true, true]);
}

pub(super) async fn a_batch_is_recorded_from_its_acceptance_to_its_end(fresh: Fresh) {
    let fixture = fresh.fixture().await;
    fixture.enable_seats(OFFICE, 90).await;
    fixture.enable_seats(BASIC, 90).await;
    let users = fixture.create_users(1..=100).await;
    let before = fixture.chain().await.head.position;
    let mut request = fixture.request(1, &users, super::fixture::assign(&[OFFICE, BASIC]));
    request.capacity = Capacity::FillInOrder;
    request.origin.request = Some(request.request);
    let batch = fixture.accept(&request).await;
    let origin = fixture.rows.batch_origin(batch.batch_id).await;
    assert_eq!(origin.expect("an origin"), request.origin);
    fixture.work(&batch).await;

    let chain = fixture.chain().await;
    let commits: Vec<_> = chain
        .commits
        .iter()
        .filter(|one| one.first_seq > before)
        .collect();
    assert_eq!(commits.len(), 3, "acceptance and two chunks");
    assert!(
        commits
            .iter()
            .all(|one| one.batch_id == Some(batch.batch_id.into()))
    );
    let records: Vec<Record> = chain.records[before as usize..]
        .iter()
        .map(|record| record.decode().expect("a record"))
        .collect();
    assert_eq!(
        records[0],
        Record::BatchAccepted(BatchId(Uuid::from_u128(1)), [100, 0], [1; 32])
    );
    let moved: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::SeatsMoved(product, moved) => {
                Some((*product, moved.before, moved.given, moved.after()))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (OFFICE, 0, 64, 64),
        (BASIC, 0, 64, 64),
        (OFFICE, 64, 26, 90),
        (BASIC, 64, 26, 90),
    ];
    assert_eq!(moved, expected);
    let ended = Record::BatchEnded(batch.batch_id, [90, 0, 10, 0], None);
    assert_eq!(records.last(), Some(&ended));
    let of_users = records
        .iter()
        .filter(|one| matches!(one, Record::Assignments(..)));
    assert_eq!(of_users.count(), 90);
}
