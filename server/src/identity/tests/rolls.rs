//! The keys of an issuer come and go while tokens are verified.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::issuer::{Answer, Issuer, SigningKey};
use super::{NEVER, claims, verifier, verify};
use crate::identity::Rejected::{self, KeysUnavailable};
use crate::identity::key_set::Waits;

const NO_KEY: Rejected = Rejected::Invalid("signed by no key of the issuer");
const AT_ONCE: Duration = Duration::ZERO;
const CALLERS: usize = 50;

fn told(keys: &[&SigningKey]) -> Answer {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    Answer::keys(&keys)
}

#[tokio::test]
async fn keys_are_read_once_for_many_tokens() {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(told(&[&key])).await;
    let verifier = verifier(&issuer, NEVER);
    let token = key.token(&claims());
    for _ in 0..100 {
        verify(&verifier, &token).await.expect("it is good");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_however_many_want_it() {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let issuer = Issuer::start(told(&[&old])).await;
    let verifier = verifier(&issuer, NEVER);
    verify(&verifier, &old.token(&claims()))
        .await
        .expect("it is good");

    issuer.answer(Answer::Hold);
    let callers = (0..CALLERS).map(|_| {
        let (verifier, token) = (verifier.clone(), new.token(&claims()));
        tokio::spawn(async move { verify(&verifier, &token).await })
    });
    let callers: Vec<_> = callers.collect();
    issuer.was_asked(2).await;
    // Those whose key is known do not wait.
    verify(&verifier, &old.token(&claims()))
        .await
        .expect("it is good");
    issuer.answer(told(&[&new]));
    for verified in join_all(callers).await {
        verified
            .expect("no panic")
            .expect("the new key has signed it");
    }
    assert_eq!(issuer.asked(), 2);
    // What the issuer no longer tells is no longer good.
    assert_eq!(verify(&verifier, &old.token(&claims())).await, Err(NO_KEY));
}

#[tokio::test]
async fn unknown_keys_are_not_asked_for_again_and_again() {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let issuer = Issuer::start(told(&[&old])).await;
    let at_once = Waits {
        between: AT_ONCE,
        ..NEVER
    };
    let (seldom, often) = (verifier(&issuer, NEVER), verifier(&issuer, at_once));
    for verifier in [&seldom, &often] {
        for _ in 0..2 {
            assert_eq!(verify(verifier, &new.token(&claims())).await, Err(NO_KEY));
        }
    }
    assert_eq!(issuer.asked(), 1 + 1 + 1 + 2);
    issuer.answer(told(&[&new]));
    assert_eq!(verify(&seldom, &new.token(&claims())).await, Err(NO_KEY));
    assert_eq!(issuer.asked(), 5);
    verify(&often, &new.token(&claims()))
        .await
        .expect("it is good");
    assert_eq!(issuer.asked(), 6);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_end_the_reading() {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let issuer = Issuer::start(told(&[&old])).await;
    let verifier = verifier(&issuer, NEVER);
    verify(&verifier, &old.token(&claims()))
        .await
        .expect("it is good");
    issuer.answer(Answer::Hold);
    let token = new.token(&claims());
    tokio::select! {
        verified = verify(&verifier, &token) => panic!("nobody has told: {verified:?}"),
        () = issuer.was_asked(2) => {}
    }
    issuer.answer(told(&[&new]));
    verify(&verifier, &token).await.expect("it is good");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn keys_are_read_again_in_the_background() {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let issuer = Issuer::start(told(&[&old])).await;
    let waits = Waits {
        refresh: AT_ONCE,
        ..NEVER
    };
    let verifier = verifier(&issuer, waits);
    verify(&verifier, &old.token(&claims()))
        .await
        .expect("it is good");
    // Nobody waits for that.
    issuer.answer(Answer::Hold);
    issuer.was_asked(issuer.asked() + 1).await;
    verify(&verifier, &old.token(&claims()))
        .await
        .expect("it is good");
    issuer.answer(told(&[&new]));
    issuer.was_asked(issuer.asked() + 2).await;
    assert_eq!(verify(&verifier, &old.token(&claims())).await, Err(NO_KEY));
    verify(&verifier, &new.token(&claims()))
        .await
        .expect("it is good");
}

#[tokio::test]
async fn the_last_keys_stay_good_while_the_issuer_is_away() {
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let waits = Waits {
        refresh: AT_ONCE,
        retry: AT_ONCE,
        between: AT_ONCE,
        ..NEVER
    };
    for broken in [
        "HTTP/1.1 500 Oops\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nrubbish",
        "",
    ] {
        let issuer = Issuer::start(told(&[&old])).await;
        let stale = verifier(&issuer, waits);
        let strict = verifier(
            &issuer,
            Waits {
                stale: AT_ONCE,
                ..waits
            },
        );
        verify(&stale, &old.token(&claims()))
            .await
            .expect("it is good");
        issuer.answer(Answer::Bytes(broken.into()));
        issuer.was_asked(issuer.asked() + 10).await;
        verify(&stale, &old.token(&claims()))
            .await
            .expect("it is still good");
        // Whether this is one cannot be told now.
        assert_eq!(
            verify(&stale, &new.token(&claims())).await,
            Err(KeysUnavailable)
        );
        // Not for ever.
        assert_eq!(
            verify(&strict, &old.token(&claims())).await,
            Err(KeysUnavailable)
        );
        // And when it is back, what it says now counts.
        issuer.answer(told(&[&new]));
        verify(&stale, &new.token(&claims()))
            .await
            .expect("it is good");
        assert_eq!(verify(&stale, &old.token(&claims())).await, Err(NO_KEY));
    }
}

#[tokio::test]
async fn an_issuer_may_come_later_than_the_server() {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(Answer::Bytes(Vec::new())).await;
    let waits = Waits {
        retry: AT_ONCE,
        ..NEVER
    };
    let verifier = verifier(&issuer, waits);
    let token = key.token(&claims());
    assert_eq!(verify(&verifier, &token).await, Err(KeysUnavailable));
    issuer.answer(told(&[&key]));
    while verify(&verifier, &token).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_issuer_without_keys_has_signed_nothing() {
    let key = SigningKey::p256("key");
    let issuer = Issuer::start(told(&[&key])).await;
    let waits = Waits {
        between: AT_ONCE,
        ..NEVER
    };
    let verifier = verifier(&issuer, waits);
    let token = key.token(&claims());
    verify(&verifier, &token).await.expect("it is good");
    issuer.answer(told(&[]));
    let unknown = SigningKey::p256("unknown").token(&claims());
    assert_eq!(verify(&verifier, &unknown).await, Err(NO_KEY));
    assert_eq!(verify(&verifier, &token).await, Err(NO_KEY));
}

#[tokio::test]
async fn the_issuer_is_left_alone_when_nobody_verifies_any_more() {
    let issuer = Issuer::start(Answer::Hold).await;
    let verifier = verifier(&issuer, NEVER);
    issuer.was_asked(1).await;
    drop(verifier);
    issuer.was_left().await;
}

/// Fifty callers show tokens of the key that the issuer signs with now, while it rolls its keys: the new
/// one is told, then signs, and the old one goes when no token of it is left.
async fn roll(waits: Waits, rolls: usize) {
    let mut key = SigningKey::p256("0");
    let issuer = Issuer::start(told(&[&key])).await;
    let verifier = verifier(&issuer, waits);
    let token = key.token(&claims());
    verify(&verifier, &token).await.expect("it is good");
    let (sign, signed) = watch::channel((0, token));
    // The last roll whose token each caller has shown.
    let (shown, mut all_shown) = watch::channel([0; CALLERS]);
    let callers = (0..CALLERS).map(|caller| {
        let (verifier, signed, shown) = (verifier.clone(), signed.clone(), shown.clone());
        tokio::spawn(async move {
            let mut last = 0;
            while last < rolls {
                let (roll, token) = signed.borrow().clone();
                verify(&verifier, &token)
                    .await
                    .expect("it is good at all times");
                shown.send_modify(|shown| shown[caller] = roll);
                last = roll;
                tokio::task::yield_now().await;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    for roll in 1..=rolls {
        let new = SigningKey::p256(&roll.to_string());
        issuer.answer(told(&[&key, &new]));
        sign.send_replace((roll, new.token(&claims())));
        key = new;
        let waited = all_shown
            .wait_for(|shown| shown.iter().all(|last| *last == roll))
            .await;
        drop(waited.expect("callers go on"));
    }
    for caller in join_all(callers).await {
        caller.expect("no token was refused");
    }
    assert!(issuer.asked() > rolls, "each key was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_refused_while_the_issuer_rolls_its_key() {
    roll(Waits::default(), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_refused_while_the_issuer_rolls_its_keys_all_the_time() {
    let waits = Waits {
        between: AT_ONCE,
        ..NEVER
    };
    roll(waits, 20).await;
}
