//! The service under measurement: a process of its own, so that its memory can be told from that of
//! the benchmark.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seatwise_client::{Client, v1};
use seatwise_server::server;
use seatwise_server::store::Location;
use tempfile::TempDir;
use uuid::Uuid;

use super::workload::Workload;
use crate::error::Error;

/// A running `seatwise serve`. It dies with this value.
pub(super) struct Server {
    process: Killed,
    pub(super) client: Client,
    /// Where its admin key is.
    _secrets: TempDir,
}

/// A process that is killed when dropped: the server stands this, and its data is thrown away.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    pub(super) async fn start(database: &str) -> Result<Self, Error> {
        let secrets = tempfile::tempdir()?;
        let admin_key = secrets.path().join("admin.key");
        // The server makes a key at its first start only, and this may be another.
        let location: Location = database.parse().map_err(Error::Input)?;
        match server::recover(&location, &admin_key).await {
            Ok(_) | Err(server::Error::Schema(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
            // Not an argument, which everybody on the machine can read: it may hold a password.
            .env("SEATWISE_DATABASE", database)
            .env("SEATWISE_ADMIN_KEY_FILE", &admin_key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        // Ctrl-C is for the benchmark, which then ends the server.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = Killed(command.spawn()?);
        let stdout = process.0.stdout.take();
        let read = move || {
            let mut line = String::new();
            BufReader::new(stdout?).read_line(&mut line).ok()?;
            Some(line)
        };
        let line = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        let address = line
            .as_deref()
            .and_then(|line| line.trim().rsplit_once(' '))
            .map(|(_, address)| address)
            .ok_or_else(|| Error::Failed("the server did not start".to_owned()))?;
        let client = Client::builder(format!("http://{address}"));
        Ok(Self {
            process,
            client: client.token_file(admin_key).build()?,
            _secrets: secrets,
        })
    }

    /// The most memory that the process had so far, where the system tells.
    fn peak_mib(&self) -> Option<f64> {
        let status = format!("/proc/{}/status", self.process.0.id());
        let status = std::fs::read_to_string(status).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: f64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib / 1024.0)
    }
}

/// Runs the batch and says how long it took, and what memory the server had at most.
pub(super) async fn measure(
    database: &str,
    workload: &Workload,
    users: &[Uuid],
) -> Result<(Duration, Option<f64>), Error> {
    let server = Server::start(database).await?;
    let customer_id = workload.customer.to_string();
    // The connection is made before the clock runs.
    let customer = v1::GetCustomerRequest {
        customer_id: customer_id.clone(),
    };
    server.client.get_customer(customer).await?;
    let assign = |product: &Uuid| v1::ProductAssignment {
        product_id: product.to_string(),
        plans: None,
    };
    let request = v1::ExecuteBatchRequest {
        customer_id,
        change: Some(v1::Change {
            assign: workload.products.iter().map(assign).collect(),
            ..v1::Change::default()
        }),
        users: users.iter().map(Uuid::to_string).collect(),
        ..v1::ExecuteBatchRequest::default()
    };
    let begin = Instant::now();
    let mut results = server.client.batch(request);
    let mut applied = 0;
    while let Some(result) = results.next().await {
        applied += usize::from(result?.disposition() == v1::batch_result::Disposition::Applied);
    }
    let took = begin.elapsed();
    if applied != users.len() {
        return Err(Error::Failed(format!(
            "{applied} of {} users were served",
            users.len()
        )));
    }
    Ok((took, server.peak_mib()))
}
