//! Starts and what each fails for, on a loopback address and on another.

/// TLS as it should be.
pub(super) const TLS: &str = "--tls-certificate FILES/good.pem --tls-key FILES/good.key";
pub(super) const ISSUER: &str = "--issuer https://id.example.com --issuer-audience seatwise \
    --issuer-keys-url https://id.example.com/keys";
pub(super) const SOCKET: &str = "--database postgres://u@%2Frun%2Fpostgresql/d";
pub(super) const VERIFIED: &str = "--database postgres://u:p@db.example.com/d?sslmode=verify-full";
pub(super) const OPEN: &str = "--database postgres://u:p@db.example.com/d?sslmode=prefer";

pub(super) const PLAINTEXT: &str = "--allow-insecure plaintext";
pub(super) const NOBODY_ASKED: &str = "--allow-insecure no-authentication";
pub(super) const PLAINTEXT_DATABASE: &str = "--allow-insecure plaintext-database";

/// Options, and the checks that fail with them: on a loopback address, and on any other.
pub(super) const TABLE: &[(&[&str], &str, &str)] = &[
    // Without anything broken.
    (&[], "", "plaintext"),
    (&[TLS], "", ""),
    (&[TLS, "--client-ca FILES/ca.pem"], "", ""),
    (&[TLS, "--client-ca FILES/ca.pem", ISSUER], "", ""),
    (&[TLS, "--allow-tls12"], "", ""),
    (&["--tls-certificate FILES/both.pem"], "", ""),
    (&[ISSUER], "", "plaintext"),
    (&[TLS, ISSUER, "--issuer-ca FILES/ca.pem"], "", ""),
    (&[SOCKET], "", "plaintext"),
    (&[TLS, SOCKET], "", ""),
    (&[TLS, VERIFIED], "", ""),
    (&[VERIFIED], "", "plaintext"),
    (
        &[OPEN],
        "plaintext-database",
        "plaintext plaintext-database",
    ),
    (&[TLS, OPEN], "plaintext-database", "plaintext-database"),
    (
        &[TLS, "--database postgres://h/d?sslmode=require"],
        "plaintext-database",
        "plaintext-database",
    ),
    (
        &[TLS, "--database postgres://localhost,h/d?sslmode=prefer"],
        "plaintext-database",
        "plaintext-database",
    ),
    // Overrides, and those that have no effect.
    (&[PLAINTEXT], "allow-insecure", ""),
    (&[TLS, PLAINTEXT], "allow-insecure", "allow-insecure"),
    (&[NOBODY_ASKED], "", "no-authentication plaintext"),
    (&[TLS, NOBODY_ASKED], "", "no-authentication"),
    (
        &[PLAINTEXT, NOBODY_ASKED],
        "allow-insecure",
        "no-authentication",
    ),
    (
        &[NOBODY_ASKED, ISSUER],
        "issuer",
        "issuer no-authentication plaintext",
    ),
    (
        &[NOBODY_ASKED, TLS, "--client-ca FILES/ca.pem"],
        "client-ca",
        "client-ca no-authentication",
    ),
    (
        &[PLAINTEXT_DATABASE],
        "allow-insecure",
        "allow-insecure plaintext",
    ),
    (
        &[TLS, VERIFIED, PLAINTEXT_DATABASE],
        "allow-insecure",
        "allow-insecure",
    ),
    (&[TLS, OPEN, PLAINTEXT_DATABASE], "", ""),
    (&[OPEN, PLAINTEXT_DATABASE, PLAINTEXT], "allow-insecure", ""),
    (
        &[OPEN, PLAINTEXT_DATABASE, PLAINTEXT, NOBODY_ASKED],
        "allow-insecure",
        "no-authentication",
    ),
    (
        &[TLS, "--allow-insecure plaintext,plaintext-database"],
        "allow-insecure allow-insecure",
        "allow-insecure allow-insecure",
    ),
    // Options without those that they need.
    (
        &["--tls-key FILES/good.key --client-ca FILES/ca.pem --allow-tls12"],
        "allow-tls12 client-ca tls-key",
        "allow-tls12 client-ca plaintext tls-key",
    ),
    (
        &[TLS, "--issuer https://id.example.com"],
        "issuer-audience issuer-keys-url",
        "issuer-audience issuer-keys-url",
    ),
    (
        &[
            TLS,
            "--issuer-audience a --issuer-keys-url https://h --issuer-ca FILES/ca.pem",
        ],
        "issuer-audience issuer-ca issuer-keys-url",
        "issuer-audience issuer-ca issuer-keys-url",
    ),
    (
        &[TLS, "--keep-results 90 --keep-history 89"],
        "keep-history",
        "keep-history",
    ),
    // Certificates and keys.
    (
        &["--tls-certificate FILES/none.pem --tls-key FILES/good.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/good.key --tls-key FILES/good.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/rubbish.pem --tls-key FILES/good.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/cut.pem --tls-key FILES/good.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/expired.pem --tls-key FILES/expired.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/early.pem --tls-key FILES/early.key"],
        "tls-certificate",
        "tls-certificate",
    ),
    (
        &["--tls-certificate FILES/good.pem --tls-key FILES/expired.key"],
        "tls-key",
        "tls-key",
    ),
    (
        &["--tls-certificate FILES/good.pem --tls-key FILES/none.key"],
        "tls-key",
        "tls-key",
    ),
    (
        &["--tls-certificate FILES/good.pem --tls-key FILES/good.pem"],
        "tls-key",
        "tls-key",
    ),
    (
        &["--tls-certificate FILES/good.pem --tls-key FILES/seen.key"],
        "tls-key",
        "tls-key",
    ),
    (
        &["--tls-certificate FILES/expired.pem --tls-key FILES/seen.key"],
        "tls-certificate tls-key tls-key",
        "tls-certificate tls-key tls-key",
    ),
    (
        &[TLS, "--client-ca FILES/none.pem"],
        "client-ca",
        "client-ca",
    ),
    (
        &[TLS, "--client-ca FILES/good.key"],
        "client-ca",
        "client-ca",
    ),
    // The issuer.
    (
        &[
            TLS,
            "--issuer http://id.example.com --issuer-audience a --issuer-keys-url http://h",
        ],
        "issuer issuer-keys-url",
        "issuer issuer-keys-url",
    ),
    (
        &[
            TLS,
            "--issuer http://127.0.0.1:1 --issuer-audience a --issuer-keys-url http://[::1]:1/k",
        ],
        "",
        "",
    ),
    (
        &[TLS, ISSUER, "--issuer-ca FILES/none.pem"],
        "issuer-ca",
        "issuer-ca",
    ),
    // Files that the server makes.
    (
        &[TLS, "--admin-key-file /proc/none/admin.key"],
        "admin-key-file",
        "admin-key-file",
    ),
    (
        &[TLS, "--admin-key-file FILES/anybodys/admin.key"],
        "admin-key-file",
        "admin-key-file",
    ),
    (&[TLS, "--admin-key-file FILES/sticky/admin.key"], "", ""),
    (
        &[TLS, "--admin-key-file FILES/new/folders/admin.key"],
        "",
        "",
    ),
    (
        &[TLS, "--admin-key-file FILES/seen.key"],
        "admin-key-file",
        "admin-key-file",
    ),
    (&[TLS, "--admin-key-file FILES/good.key"], "", ""),
    (
        &["--admin-key-file FILES/seen.key", NOBODY_ASKED],
        "",
        "no-authentication plaintext",
    ),
    (
        &[
            TLS,
            "--database sqlite:/proc/none/s.db --admin-key-file FILES/admin.key",
        ],
        "database",
        "database",
    ),
    (
        &[
            TLS,
            "--database sqlite:FILES/new --admin-key-file FILES/admin.key",
        ],
        "",
        "",
    ),
    (
        &[
            TLS,
            "--database sqlite:FILES/sticky --admin-key-file FILES/admin.key",
        ],
        "database",
        "database",
    ),
    (
        &[TLS, "--database sqlite:FILES/sticky/seen.db"],
        "database",
        "database",
    ),
    (&[TLS, "--database sqlite:FILES/sticky/new.db"], "", ""),
    (
        &[TLS, "--database sqlite:FILES/anybodys/s.db"],
        "admin-key-file database",
        "admin-key-file database",
    ),
    (
        &[TLS, "--database sqlite:FILES/seen.key/s.db"],
        "admin-key-file database",
        "admin-key-file database",
    ),
    // Everything at once.
    (
        &[
            "--tls-certificate FILES/expired.pem --tls-key FILES/seen.key --client-ca FILES/none.pem",
            "--issuer http://h --issuer-audience a --issuer-keys-url ftp://h --issuer-ca FILES/good.key",
            "--admin-key-file FILES/seen.key --keep-history 1 --allow-insecure plaintext",
            OPEN,
        ],
        "admin-key-file allow-insecure client-ca issuer issuer-ca issuer-keys-url keep-history \
         plaintext-database tls-certificate tls-key tls-key",
        "admin-key-file allow-insecure client-ca issuer issuer-ca issuer-keys-url keep-history \
         plaintext-database tls-certificate tls-key tls-key",
    ),
];
