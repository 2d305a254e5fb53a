//! An OpenID Connect issuer: keys, what they sign, and a server that tells them over HTTP, well or badly.

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A key that is nobody's: RSA keys take too long to make.
const RSA: &str = include_str!("issuer-rsa.pem");

/// A key of an issuer.
pub(crate) struct SigningKey {
    id: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// The RSA key, under any id. There is only one.
    pub(crate) fn rsa(id: &str) -> Self {
        let text: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(text).expect("PEM");
        let pair = RsaKeyPair::from_pkcs8(&der).expect("a key in PKCS 8");
        Self::new(id, Pair::Rsa(pair))
    }

    /// A new key on the curve P-256.
    pub(crate) fn p256(id: &str) -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).expect("the key");
        Self::new(id, Pair::P256(pair))
    }

    /// A new Ed25519 key.
    pub(crate) fn ed25519(id: &str) -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("the key");
        Self::new(id, Pair::Ed25519(pair))
    }

    fn new(id: &str, pair: Pair) -> Self {
        let id = id.to_owned();
        Self { id, pair }
    }

    /// What an issuer tells of it.
    pub(crate) fn public(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                let (n, e) = (encode(public.n), encode(public.e));
                json!({"kty": "RSA", "kid": self.id, "use": "sig", "n": n, "e": e})
            }
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (encode(x), encode(y));
                json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "x": x, "y": y})
            }
            Pair::Ed25519(pair) => {
                let x = encode(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": x})
            }
        }
    }

    /// A token as issuers make it.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let algorithm = match &self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
        };
        let header = json!({"alg": algorithm, "kid": self.id, "typ": "JWT"});
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// A token with exactly this header and these claims. If the header says PS256, an RSA key signs so.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(message.as_bytes(), header.contains("PS256"));
        format!("{message}.{}", encode(signature))
    }

    /// Signs a message. An RSA key does so as in PS256 or RS256.
    pub(crate) fn signature(&self, message: &[u8], pss: bool) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = match pss {
                    true => pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature),
                    false => pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature),
                };
                signed.expect("an RSA key signs");
                signature
            }
            Pair::P256(pair) => {
                let signed = pair.sign(&random, message);
                signed.expect("a key signs").as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the issuer's server does when it is asked.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends this, from the first byte of HTTP on, and closes the connection.
    Bytes(Vec<u8>),
    /// Sends this, and then nothing more. The connection stays open.
    Stall(Vec<u8>),
    /// Answers nothing until it is told another answer.
    Hold,
}

impl Answer {
    /// A good answer with these keys.
    pub(crate) fn keys(keys: &[Value]) -> Self {
        Self::ok(json!({ "keys": keys }).to_string())
    }

    /// A good answer with this body.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status("200 OK", body)
    }

    /// An answer with this status and perhaps header lines after it.
    pub(crate) fn status(status: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

/// The issuer's server.
pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    answer: watch::Sender<Answer>,
    asked: watch::Sender<usize>,
    left: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Issuer {
    /// Starts it with an answer.
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (answer, asked) = (watch::Sender::new(answer), watch::Sender::new(0));
        let left = watch::Sender::new(false);
        let served = {
            let (answer, asked, left) = (answer.clone(), asked.clone(), left.clone());
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    let (asked, left) = (asked.clone(), left.clone());
                    tokio::spawn(tell(stream, answer.subscribe(), asked, left));
                }
            })
        };
        Self {
            address,
            answer,
            asked,
            left,
            served,
        }
    }

    /// Where its keys are.
    pub(crate) fn keys_url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    /// How often it was asked so far.
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked that often.
    pub(crate) async fn was_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let waited = asked.wait_for(|asked| *asked >= times).await;
        waited.expect("the issuer is there");
    }

    /// Waits until somebody has left without an answer.
    pub(crate) async fn was_left(&self) {
        let mut left = self.left.subscribe();
        let waited = left.wait_for(|left| *left).await;
        waited.expect("the issuer is there");
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn tell(
    mut stream: TcpStream,
    mut answer: watch::Receiver<Answer>,
    asked: watch::Sender<usize>,
    left: watch::Sender<bool>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    assert!(
        request.starts_with(b"GET /keys HTTP/1.1\r\n"),
        "not what was asked for"
    );
    asked.send_modify(|asked| *asked += 1);
    let told = tokio::select! {
        told = answer.wait_for(|answer| !matches!(answer, Answer::Hold)) => match told {
            Ok(told) => told.clone(),
            Err(_) => return,
        },
        _ = stream.read_u8() => {
            left.send_replace(true);
            return;
        }
    };
    // Who asked may be gone.
    match told {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0]).await;
        }
        Answer::Hold => unreachable!("waited for another"),
    }
}
