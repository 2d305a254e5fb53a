//! A journal whose oldest part was pruned: it is verified from its beginning, and refused before it.

use seatwise_client::v1::{
    Checkpoint, ErrorReason, GetUserAtRequest, ListHistoryRequest, RecordKind,
    StreamJournalRequest, StreamJournalResponse,
};
use seatwise_client::{Code, Verifier};

use super::{Old, keep_90_days, verify, with_old_batch};
use crate::fixtures::user_id;
use crate::harness::{Harness, on_every_engine};
use crate::process::seatwise;

async fn a_pruned_journal_is_verified_from_its_beginning(server: &Harness) {
    let old = with_old_batch(server).await;
    let (customer, id) = (&old.customer, old.customer.id.as_str());
    server.start_keeping(keep_90_days()).await;
    let start = customer.pruned_start().await;
    assert_eq!(start, old.journal.checkpoint(customer, old.cut));

    let parts = customer.journal().await.expect("a journal");
    let check = |expected: &[&Checkpoint]| verify(Verifier::new(id), expected, &parts);
    let found = check(&[]).expect("whole");
    assert_eq!(
        (found.start.as_ref(), found.unreached.len()),
        (Some(&start), 0)
    );
    assert_eq!(Some(&found.end), parts[0].head.as_ref());
    let last = old.journal.commits.last().expect("a commit").last_position;
    let young = old.journal.checkpoint(customer, last);
    let ancient = old
        .journal
        .checkpoint(customer, old.journal.commits[2].last_position);
    for checkpoint in [&start, &young] {
        let found = check(&[checkpoint]).expect("whole");
        assert_eq!(found.unreached, []);
        let mut other = (*checkpoint).clone();
        other.hash = ancient.hash.clone();
        let flaw = check(&[&other]).expect_err("a flaw");
        assert!(flaw.problem.contains("written anew"), "{flaw}");
        let mut longer = found.end.clone();
        longer.position += 1;
        let flaw = check(&[&longer]).expect_err("a flaw");
        assert!(flaw.problem.contains("cut short"), "{flaw}");
    }
    assert_eq!(
        check(&[&ancient, &young]).expect("whole").unreached,
        std::slice::from_ref(&ancient)
    );
    let after = Verifier::after(&ancient);
    let flaw = verify(after, &[], &parts).expect_err("a flaw");
    assert!(flaw.problem.contains("was pruned"), "{flaw}");

    // What a server could send that cut its journal, or began it elsewhere.
    let flaw = |spoil: &dyn Fn(&mut StreamJournalResponse)| {
        let mut spoiled = parts.clone();
        spoil(&mut spoiled[0]);
        let flaw = verify(Verifier::new(id), &[], &spoiled);
        flaw.expect_err("a flaw").problem
    };
    assert!(flaw(&|part| part.start = None).contains("follows"));
    let spoil = |spoil: fn(&mut Checkpoint)| flaw(&|part| part.start.iter_mut().for_each(spoil));
    assert!(spoil(|start| start.hash = "0".repeat(64)).contains("changed"));
    assert!(spoil(|start| start.position -= 1).contains("follows"));
    let moved = spoil(|start| start.commit_time.as_mut().expect("a time").seconds -= 1);
    assert!(moved.contains("no record"), "{moved}");
    let unsaid = flaw(&|part| {
        part.head = None;
        drop((part.records.pop(), part.commits.pop()));
    });
    assert!(unsaid.contains("no record"), "{unsaid}");

    history_ends_there(&old, &start).await;
    the_command_line_says_what_was_pruned(server, &old, [&ancient, &young]).await;
}

async fn history_ends_there(old: &Old, start: &Checkpoint) {
    let Old { customer, .. } = old;
    let request = ListHistoryRequest {
        customer_id: customer.id.clone(),
        page_size: 1_000,
        ..ListHistoryRequest::default()
    };
    let records = customer.client.list_history(request).await;
    let records = records.expect("a history").records;
    assert_eq!(
        records.last().map(|one| one.position),
        Some(start.position + 1)
    );
    let newest = &records[0];
    assert_eq!(
        (newest.who.as_str(), newest.through.as_str()),
        ("seatwise", "retention")
    );
    let record = newest.record.as_ref().expect("a record");
    assert_eq!(record.kind(), RecordKind::JournalPruned);

    let at = |seconds| {
        let mut time = start.commit_time.expect("a time");
        time.seconds += seconds;
        let request = GetUserAtRequest {
            customer_id: customer.id.clone(),
            user: user_id(0),
            time: Some(time),
        };
        customer.client.get_user_at(request)
    };
    assert_eq!(at(0).await.expect("a state").held.len(), 1);
    let after = StreamJournalRequest {
        customer_id: customer.id.clone(),
        after_position: 1,
        include_decoded: false,
    };
    let mut stream = customer.client.journal(after).await.expect("a stream");
    let refusals = [at(-1).await.err(), stream.next().await.err()];
    for refusal in refusals {
        let error = refusal.expect("refused");
        assert_eq!(
            (error.code, error.reason),
            (Code::OutOfRange, ErrorReason::HistoryPruned)
        );
        assert_eq!(error.metadata["position"], start.position.to_string());
        let time = start.commit_time.expect("a time").to_string();
        assert_eq!(error.metadata["time"], time);
    }
}

async fn the_command_line_says_what_was_pruned(
    server: &Harness,
    old: &Old,
    [ancient, young]: [&Checkpoint; 2],
) {
    let id = old.customer.id.as_str();
    let run = async |arguments: &[&str]| seatwise(server, arguments).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, checkpoint: &Checkpoint| {
        let path = folder.path().join(name);
        let time = checkpoint.commit_time.expect("a time");
        let text = format!(
            r#"{{"customer_id":"{id}","position":{},"hash":"{}","commit_time":"{time}"}}"#,
            checkpoint.position, checkpoint.hash
        );
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let (ancient, young) = (file("ancient", ancient), file("young", young));
    let verify = ["audit", "verify", "--customer", id];
    let (code, _, said) = run(&verify).await;
    let begins = format!("begins after position {}", old.cut);
    assert!(code == 0 && said.contains(&begins), "{code} {said}");
    let (code, _, said) = run(&[&verify[..], &["--checkpoint", &young]].concat()).await;
    assert!(code == 0 && said.contains(&begins), "{code} {said}");
    let (code, _, said) = run(&[&verify[..], &["--checkpoint", &ancient]].concat()).await;
    assert!(
        code == 1 && said.contains("NOTHING can be said"),
        "{code} {said}"
    );
    let (code, _, said) = run(&[&verify[..], &["--after", &ancient]].concat()).await;
    assert!(
        code == 2 && said.contains("no longer kept"),
        "{code} {said}"
    );

    let batch = old.old.batch.batch_id.as_str();
    let results = ["batch", "results", batch, "--customer", id];
    let (code, _, said) = run(&results).await;
    assert!(
        code == 2 && said.contains("no longer kept"),
        "{code} {said}"
    );
    let history = [
        "history",
        "customer",
        "--customer",
        id,
        "--kind",
        "journal-pruned",
    ];
    let (code, shown, _) = run(&history).await;
    let pruned = format!("up to position {}", old.cut);
    assert!(code == 0 && shown.contains(&pruned), "{code} {shown}");
}

on_every_engine![a_pruned_journal_is_verified_from_its_beginning,];
