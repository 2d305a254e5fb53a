//! Histories, states of the past, and journals that whoever has them verifies.

use seatwise_client::v1::record::Details;
use seatwise_client::v1::{
    Checkpoint, DeleteUserRequest, GetCallerRequest, GetCheckpointRequest, GetUserAtRequest,
    HistoryRecord, JournalCommit, ListHistoryRequest, RecordKind, SetSeatsRequest,
    StreamJournalRequest, StreamJournalResponse, UpdateCustomerRequest,
};
use seatwise_client::{Client, Code, Flaw, Verifier};

use crate::customer::{Customer, pages};
use crate::fixtures::product::{NOTES, SUITE};
use crate::fixtures::{UNKNOWN_ID, all_except, assign, assign_plans, plan, user_id, user_ids};
use crate::harness::{Harness, on_every_engine};
use crate::process::seatwise;

impl Customer {
    fn about(&self) -> ListHistoryRequest {
        ListHistoryRequest {
            customer_id: self.id.clone(),
            ..ListHistoryRequest::default()
        }
    }

    /// A whole history, in small pages.
    async fn history(&self, request: ListHistoryRequest) -> Vec<HistoryRecord> {
        let records = pages(|page_token| async {
            let request = ListHistoryRequest {
                page_size: 2,
                page_token,
                ..request.clone()
            };
            let page = self.client.list_history(request).await?;
            Ok((page.records, page.next_page_token))
        });
        records.await.expect("a history")
    }

    async fn user_at(&self, user: &str, at: &HistoryRecord) -> (bool, Vec<String>) {
        let request = GetUserAtRequest {
            customer_id: self.id.clone(),
            user: user.to_owned(),
            time: at.commit_time,
        };
        let then = self.client.get_user_at(request).await.expect("a state");
        let held = then.held.into_iter().map(|held| held.product_id);
        (then.existed && then.active, held.collect())
    }

    async fn checkpoint(&self) -> Checkpoint {
        let request = GetCheckpointRequest {
            customer_id: self.id.clone(),
        };
        let checkpoint = self.client.get_checkpoint(request).await;
        checkpoint.expect("a checkpoint")
    }

    /// Gives products to users, for a reason.
    async fn give_because(&self, comment: &str, products: &[&str], users: &[String]) -> String {
        let mut request = self.request(assign(products), users.to_vec());
        comment.clone_into(&mut request.comment);
        self.execute(request).await.batch.batch_id
    }
}

fn kinds(records: &[HistoryRecord]) -> Vec<RecordKind> {
    let kind = |row: &HistoryRecord| row.record.as_ref().expect("a record").kind();
    records.iter().map(kind).collect()
}

fn details(row: &HistoryRecord) -> &Details {
    let record = row.record.as_ref().expect("a record");
    record.details.as_ref().expect("details")
}

/// All parts of a journal after a position.
async fn journal(client: &Client, id: &str, after: i64) -> Vec<StreamJournalResponse> {
    let request = StreamJournalRequest {
        customer_id: id.to_owned(),
        after_position: after,
        include_decoded: false,
    };
    let mut stream = client.journal(request).await.expect("a journal");
    let mut parts = Vec::new();
    while let Some(part) = stream.next().await.expect("a part") {
        parts.push(part);
    }
    parts
}

fn verify(
    verifier: Result<Verifier, Flaw>,
    parts: &[StreamJournalResponse],
) -> Result<Checkpoint, Flaw> {
    let mut verifier = verifier?;
    parts.iter().try_for_each(|part| verifier.add(part))?;
    Ok(verifier.finish()?.end)
}

async fn a_history_says_who_did_what_and_why(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(3).await;
    let seats = SetSeatsRequest {
        customer_id: customer.id.clone(),
        product_id: SUITE.to_owned(),
        enabled: Some(5),
        comment: "order 4711".to_owned(),
        ..SetSeatsRequest::default()
    };
    customer
        .client
        .set_seats(seats)
        .await
        .expect("seats are set");
    let batch = customer
        .give_because("joiners", &[SUITE], &user_ids(2))
        .await;
    let change = assign_plans(SUITE, all_except(&[plan::MAIL]));
    customer.run(change, &user_ids(1)).await;

    let user = ListHistoryRequest {
        user: user_id(0),
        ..customer.about()
    };
    let of_user = customer.history(user).await;
    use RecordKind::{Assignments, UserCreated};
    assert_eq!(kinds(&of_user), [Assignments, Assignments, UserCreated]);
    let given = &of_user[1];
    let caller = customer.client.get_caller(GetCallerRequest {}).await;
    let caller = caller.expect("a caller");
    let admin = caller.principal.expect("a principal").principal_id;
    assert_eq!(given.who, format!("{admin}/{}", caller.key_id));
    assert_eq!(
        (given.who_name.as_str(), given.comment.as_str()),
        ("admin", "joiners")
    );
    assert_eq!(
        (given.through.as_str(), &given.batch_id),
        ("BatchService/ExecuteBatch", &batch)
    );
    assert_eq!(given.request_id, customer.batch(&batch).await.request_id);
    assert_eq!(of_user[2].through, "UserService/ImportUsers");
    let Details::Assignments(changed) = details(&of_user[0]) else {
        panic!("{:?} is none", of_user[0]);
    };
    let [edit] = &changed.edits[..] else {
        panic!("{changed:?} has not one edit");
    };
    assert_eq!(
        edit.product.as_ref().expect("a product").display_name,
        "Suite"
    );
    assert_eq!(edit.plans_before, Some(all_except(&[])));
    assert_eq!(edit.plans_after, Some(all_except(&[plan::MAIL])));

    of_licenses_and_batches(&customer, batch).await;
}

async fn of_licenses_and_batches(customer: &Customer, batch: String) {
    use RecordKind::{Assignments, BatchAccepted, BatchEnded, SeatsMoved, SeatsSet};
    let license = ListHistoryRequest {
        product_id: SUITE.to_owned(),
        ..customer.about()
    };
    let of_license = customer.history(license).await;
    assert_eq!(kinds(&of_license), [SeatsMoved, SeatsMoved, SeatsSet]);
    assert_eq!(of_license[2].comment, "order 4711");
    let Details::SeatsMoved(moved) = details(&of_license[1]) else {
        panic!("{:?} is none", of_license[1]);
    };
    assert_eq!((moved.before(), moved.after(), moved.given()), (0, 2, 2));

    let of_batch = ListHistoryRequest {
        batch_id: batch,
        ..customer.about()
    };
    let of_batch = customer.history(of_batch).await;
    let expected = [
        BatchEnded,
        SeatsMoved,
        Assignments,
        Assignments,
        BatchAccepted,
    ];
    assert_eq!(kinds(&of_batch), expected);
    let only = ListHistoryRequest {
        kinds: vec![SeatsSet.into(), BatchAccepted.into()],
        ..customer.about()
    };
    let found = customer.history(only).await;
    assert_eq!(kinds(&found), [BatchAccepted, BatchAccepted, SeatsSet]);
    let all = customer.history(customer.about()).await;
    assert_eq!(all.len() as i64, customer.checkpoint().await.position);
}

async fn wrong_questions_about_history_are_refused(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    let client = &customer.client;
    for (request, field) in [
        (
            ListHistoryRequest {
                user: user_id(0),
                product_id: SUITE.to_owned(),
                ..customer.about()
            },
            "user",
        ),
        (
            ListHistoryRequest {
                user: user_id(0),
                ..ListHistoryRequest::default()
            },
            "customer_id",
        ),
        (
            ListHistoryRequest {
                kinds: vec![99],
                ..customer.about()
            },
            "kinds[0]",
        ),
    ] {
        let error = client.list_history(request).await.expect_err("refused");
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.violations[0].field, field);
    }
    for request in [
        ListHistoryRequest {
            user: UNKNOWN_ID.to_owned(),
            ..customer.about()
        },
        ListHistoryRequest {
            product_id: NOTES.to_owned(),
            ..customer.about()
        },
        ListHistoryRequest {
            batch_id: UNKNOWN_ID.to_owned(),
            ..customer.about()
        },
        ListHistoryRequest {
            customer_id: UNKNOWN_ID.to_owned(),
            ..customer.about()
        },
    ] {
        let error = client.list_history(request).await.expect_err("refused");
        assert_eq!(error.code, Code::NotFound);
    }
    for (comment, is_good) in [("é".repeat(256), true), ("é".repeat(257), false)] {
        let request = UpdateCustomerRequest {
            customer_id: customer.id.clone(),
            display_name: Some("Other".to_owned()),
            comment,
            ..UpdateCustomerRequest::default()
        };
        let updated = client.update_customer(request).await;
        assert_eq!(updated.is_ok(), is_good, "{updated:?}");
    }
}

async fn a_user_is_shown_as_it_was_at_any_time(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(1).await;
    for product in [SUITE, NOTES] {
        customer.set_seats(product, 5).await;
    }
    let users = user_ids(1);
    customer.give(&[SUITE], &users).await;
    customer.give(&[NOTES], &users).await;
    customer.revoke(&[SUITE], &users).await;
    let request = DeleteUserRequest {
        customer_id: customer.id.clone(),
        user: user_id(0),
        ..DeleteUserRequest::default()
    };
    customer.client.delete_user(request).await.expect("deleted");

    let of_user = ListHistoryRequest {
        user: user_id(0),
        ..customer.about()
    };
    let of_user = customer.history(of_user).await;
    let [deleted, _, revoked, second, first, created] = &of_user[..] else {
        panic!("{of_user:?} is not the history");
    };
    let at = async |row| customer.user_at(&user_id(0), row).await;
    let held = |products: &[&str]| (true, products.iter().map(|id| (*id).to_owned()).collect());
    assert_eq!(at(created).await, held(&[]));
    assert_eq!(at(first).await, held(&[SUITE]));
    assert_eq!(at(second).await, held(&[SUITE, NOTES]));
    assert_eq!(at(revoked).await, held(&[NOTES]));
    assert_eq!(at(deleted).await, (false, vec![]));
}

async fn a_journal_is_verified_by_whoever_reads_it(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(80).await;
    customer.set_seats(SUITE, 80).await;
    customer
        .give_because("joiners", &[SUITE], &user_ids(80))
        .await;
    let (client, id) = (&customer.client, customer.id.as_str());
    let first = customer.checkpoint().await;
    let parts = journal(client, id, 0).await;
    assert_eq!(verify(Verifier::new(id), &parts), Ok(first.clone()));
    let installation = verify(Verifier::new(""), &journal(client, "", 0).await);
    assert!(installation.expect("whole").position > 10);

    customer.revoke(&[SUITE], &user_ids(70)).await;
    let later = customer.checkpoint().await;
    let parts = journal(client, id, 0).await;
    let expecting = || {
        let mut verifier = Verifier::new(id)?;
        verifier.expect(first.clone())?;
        Ok(verifier)
    };
    assert_eq!(verify(expecting(), &parts), Ok(later.clone()));
    let rest = journal(client, id, first.position).await;
    assert_eq!(verify(Verifier::after(&first), &rest), Ok(later.clone()));

    // What a server could send that had its journal changed.
    let flaw = |spoil: &dyn Fn(&mut StreamJournalResponse)| {
        let mut spoiled = parts.clone();
        spoil(&mut spoiled[0]);
        verify(expecting(), &spoiled).expect_err("a flaw").problem
    };
    let commit = |part: &mut StreamJournalResponse, change: fn(&mut JournalCommit)| {
        change(
            part.commits
                .iter_mut()
                .find(|one| one.comment == "joiners")
                .expect("one"),
        );
    };
    assert!(flaw(&|part| commit(part, |one| one.comment.clear())).contains("changed"));
    assert!(flaw(&|part| commit(part, |one| one.who.push('x'))).contains("changed"));
    assert!(flaw(&|part| drop(part.records.remove(9))).contains("missing"));
    assert!(flaw(&|part| part.records[9].details.push(0)).contains("changed"));
    assert!(flaw(&|part| drop(part.commits.remove(1))).contains("follows"));
    let cut = |part: &mut StreamJournalResponse| {
        part.commits
            .retain(|one| one.last_position < first.position);
        part.records
            .retain(|one| one.position <= part.commits.last().map_or(0, |c| c.last_position));
        part.head = None;
    };
    assert!(flaw(&cut).contains("cut short"));
    let mut other = first.clone();
    other.hash = later.hash.clone();
    let anew = Verifier::new(id).and_then(|mut verifier| {
        verifier.expect(other)?;
        Ok(verifier)
    });
    let anew = verify(anew, &parts).expect_err("a flaw");
    assert!(anew.problem.contains("written anew"), "{anew}");
}

async fn the_command_line_shows_verifies_and_exports(server: &Harness) {
    server.start_with_catalogue().await;
    let customer = server.customer_with_users(2).await;
    customer.set_seats(SUITE, 5).await;
    customer
        .give_because("joiners", &[SUITE], &user_ids(2))
        .await;
    let id = customer.id.as_str();
    let run = async |arguments: &[&str]| seatwise(server, arguments).await;
    let csv = ["--output", "csv"];

    let (code, shown, _) = run(&[
        &["history", "user", "--customer", id, &user_id(0)],
        &csv[..],
    ]
    .concat())
    .await;
    assert_eq!(code, 0);
    assert!(
        shown.contains("assigned Suite,") && shown.contains("joiners"),
        "{shown}"
    );
    let (code, shown, _) =
        run(&[&["history", "license", "--customer", id, "SUITE"], &csv[..]].concat()).await;
    assert_eq!(code, 0);
    assert!(shown.contains("assigned 0 -> 2: 2 given"), "{shown}");
    let at = [
        "history",
        "user",
        "--customer",
        id,
        &user_id(0),
        "--at",
        "2000-01-01",
    ];
    let (code, _, said) = run(&at).await;
    assert!(code == 0 && said.contains("did not exist then"), "{said}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("checkpoint");
    let (code, checkpoint, said) = run(&["audit", "checkpoint", "--customer", id]).await;
    assert_eq!(code, 0, "{said}");
    std::fs::write(&file, &checkpoint).expect("written");
    let path = file.to_str().expect("a path");
    let verify = ["audit", "verify", "--customer", id, "--checkpoint", path];
    let (code, _, said) = run(&verify).await;
    assert!(code == 0 && said.contains("is whole"), "{said}");
    let position = customer.checkpoint().await.position;
    let longer = checkpoint.replace(
        &format!("\"position\":{position}"),
        &format!("\"position\":{}", position + 1),
    );
    std::fs::write(&file, longer).expect("written");
    let (code, _, said) = run(&verify).await;
    assert!(code == 1 && said.contains("cut short"), "{code} {said}");
    let (code, _, said) = run(&["audit", "verify", "--installation"]).await;
    assert!(code == 0 && said.contains("is whole"), "{said}");

    exports(server, id, position).await;
}

async fn exports(server: &Harness, id: &str, position: i64) {
    let run = async |arguments: &[&str]| seatwise(server, arguments).await;
    let (code, all, _) = run(&["audit", "export", "--customer", id]).await;
    let (records, commits) = (
        all.matches("{\"record\":").count(),
        all.matches("{\"commit\":").count(),
    );
    assert_eq!((code, records as i64), (0, position));
    assert_eq!(all.lines().count(), records + commits);
    let half: String = all
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    let (code, rest, _) = run(&["audit", "export", "--customer", id, "--after", "1"]).await;
    assert_eq!(
        (code, half + &rest),
        (0, all),
        "an export goes on where it ended"
    );
}

on_every_engine![
    a_history_says_who_did_what_and_why,
    wrong_questions_about_history_are_refused,
    a_user_is_shown_as_it_was_at_any_time,
    a_journal_is_verified_by_whoever_reads_it,
    the_command_line_shows_verifies_and_exports,
];
