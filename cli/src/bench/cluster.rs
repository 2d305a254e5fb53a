//! A PostgreSQL of our own: made from the installed programs, durable as it comes, gone afterwards.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use uuid::Uuid;

use crate::error::Error;

/// Where Debian and its relatives keep the programs, by version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Accounts that the server may run as if we are root, which it refuses to be.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];
/// Room for the data and the log of one run. Everything that makes a commit durable stays on.
const SETTINGS: &str = "shared_buffers = 1GB\nmax_wal_size = 4GB\nlisten_addresses = '127.0.0.1'\n\
    unix_socket_directories = ''\nlc_messages = 'C'\n";

/// A running cluster. It and its files go with this value.
pub(super) struct Cluster {
    programs: Programs,
    folder: TempDir,
    password: String,
    port: u16,
}

impl Cluster {
    /// Makes and starts a cluster; `None` if PostgreSQL is not installed. It blocks for seconds, so
    /// that a Ctrl-C meanwhile finds either no server or this value, which ends it.
    pub(super) fn start() -> Result<Option<Self>, Error> {
        let folder = tempfile::Builder::new()
            .prefix("seatwise-bench-")
            .tempdir()?;
        let Some(programs) = Programs::find(folder.path())? else {
            return Ok(None);
        };
        let cluster = Self {
            programs,
            folder,
            password: Uuid::new_v4().to_string(),
            port: free_port()?,
        };
        let (data, secret) = (cluster.data(), cluster.folder.path().join("password"));
        fs::write(&secret, &cluster.password)?;
        cluster.programs.give(cluster.folder.path())?;
        cluster.programs.give(&secret)?;
        let mut init = cluster.programs.command("initdb");
        init.args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        init.arg("--pgdata").arg(&data).arg("--pwfile").arg(&secret);
        succeed(init)?;
        let settings = data.join("postgresql.conf");
        let settings_text = fs::read_to_string(&settings)? + SETTINGS;
        fs::write(&settings, settings_text)?;
        let mut start = cluster.programs.command("pg_ctl");
        start.args([
            "start",
            "--wait",
            "--options",
            &format!("-p {}", cluster.port),
        ]);
        let log = cluster.folder.path().join("log");
        start.arg("--pgdata").arg(&data).arg("--log").arg(&log);
        let explain = |error| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            Error::Failed(format!("{error}\n{}", log.trim()))
        };
        succeed(start).map_err(explain)?;
        Ok(Some(cluster))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn url(&self) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.programs.command("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--wait", "--pgdata"]);
        let _ = stop.arg(self.data()).output();
    }
}

/// The programs of PostgreSQL, and whom they run as if not as ourselves.
struct Programs {
    folder: PathBuf,
    account: Option<(u32, u32)>,
}

impl Programs {
    /// Finds the newest. `mine` is a folder that we made, which tells who we are.
    fn find(mine: &Path) -> Result<Option<Self>, Error> {
        let versions = fs::read_dir(PROGRAMS).into_iter().flatten().flatten();
        let newest = versions
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let folder = entry.path().join("bin");
                folder.join("initdb").exists().then_some((version, folder))
            })
            .max();
        let folder = match newest {
            Some((_, folder)) => folder,
            None if on_path("initdb") => PathBuf::new(),
            None => return Ok(None),
        };
        Ok(Some(Self {
            folder,
            account: account(mine)?,
        }))
    }

    /// A program, out of reach of a Ctrl-C that is meant for us: we stop the server ourselves.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.stdin(Stdio::null()).current_dir("/");
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            command.process_group(0);
            if let Some((user, group)) = self.account {
                command.uid(user).gid(group);
            }
        }
        command
    }

    /// Gives a file to whom the programs run as.
    fn give(&self, path: &Path) -> Result<(), Error> {
        #[cfg(unix)]
        if let Some((user, group)) = self.account {
            std::os::unix::fs::chown(path, Some(user), Some(group))?;
        }
        let _ = path;
        Ok(())
    }
}

fn on_path(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn free_port() -> Result<u16, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whom to run as if we are root: the first account of this machine that is fit for it.
#[cfg(unix)]
fn account(mine: &Path) -> Result<Option<(u32, u32)>, Error> {
    use std::os::unix::fs::MetadataExt;

    if fs::metadata(mine)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &&str| {
        let mut fields = accounts.lines().map(|line| line.split(':'));
        let fields = fields.find_map(|mut line| (line.next() == Some(*name)).then_some(line));
        let ids: Vec<&str> = fields?.skip(1).take(2).collect();
        Some((ids.first()?.parse().ok()?, ids.get(1)?.parse().ok()?))
    };
    let found = ACCOUNTS.iter().find_map(ids);
    let none = || Error::Failed("PostgreSQL does not run as root: use another account".to_owned());
    found.map(Some).ok_or_else(none)
}

#[cfg(not(unix))]
fn account(_: &Path) -> Result<Option<(u32, u32)>, Error> {
    Ok(None)
}

/// Runs a program to its end; what it said is the error if it fails.
fn succeed(mut command: Command) -> Result<(), Error> {
    let Output { status, stderr, .. } = command.stdout(Stdio::null()).output()?;
    if status.success() {
        return Ok(());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    Err(Error::Failed(format!("{name} failed: {}", said.trim())))
}
