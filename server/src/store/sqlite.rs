//! SQLite: opening the file, one writer and some readers. The statements of its hot path are in
//! `chunk/sqlite.rs`.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use tokio::sync::Mutex;

use super::error::{Error, unavailable};
use super::tally;

/// SQLite behind an async face; each call runs on a blocking thread.
pub(super) type Connection = SyncConnectionWrapper<SqliteConnection>;

/// Readers never wait for the writer; more than this many only compete for the disk.
const READERS_MAX: u32 = 8;
/// How long a call waits for a reader before the database counts as overloaded.
const READER_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long to wait for another server to let go of the file, and between two tries.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// `page_size` counts only before the first table is made. `synchronous = FULL` is what makes a
/// commit survive a power cut; a checkpoint every 32 MiB costs fewer page writes than the default 4.
const WRITER: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; \
    PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000; \
    PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF";
const READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; \
    PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF";

/// The pools of one file. The lock keeps every other process out, whose server would know nothing
/// of the work of this one.
#[derive(Clone)]
pub(super) struct Sqlite {
    pub(super) writer: Arc<Mutex<Connection>>,
    pub(super) readers: Pool<Connection>,
    _lock: Arc<File>,
}

pub(super) async fn open(path: &Path) -> Result<Sqlite, Error> {
    let lock = lock(path).await?;
    let url = path
        .to_str()
        .ok_or_else(|| unavailable("the path must be UTF-8"))?;
    let mut writer = Connection::establish(url).await.map_err(unavailable)?;
    writer.batch_execute(WRITER).await?;
    writer.spawn_blocking(tally::register).await?;

    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|url| {
        let url = url.to_owned();
        Box::pin(async move {
            let mut reader = Connection::establish(&url).await?;
            let setup = reader.batch_execute(READER).await;
            setup.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            let function = reader.spawn_blocking(tally::register).await;
            function.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(reader)
        })
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    let readers = Pool::builder()
        .max_size(READERS_MAX)
        .connection_timeout(READER_WAIT_MAX)
        .test_on_check_out(false)
        .build(manager);
    let readers = readers.await.map_err(unavailable)?;
    Ok(Sqlite {
        writer: Arc::new(Mutex::new(writer)),
        readers,
        _lock: Arc::new(lock),
    })
}

async fn lock(path: &Path) -> Result<File, Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        create_private(folder)
            .map_err(|error| unavailable(format!("cannot create {}: {error}", folder.display())))?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = open_private(&name)?;
    // SQLite would let everybody read what it makes; what is there it leaves as it is, and the files
    // beside it are made alike.
    open_private(path)?;
    // The server before this one may be about to end: its last connections hold the file a moment longer.
    let give_up = Instant::now() + LOCK_WAIT_MAX;
    while file.try_lock().is_err() {
        if Instant::now() > give_up {
            let path = path.display();
            return Err(unavailable(format!(
                "{path} is in use by another seatwise process"
            )));
        }
        tokio::time::sleep(LOCK_WAIT).await;
    }
    Ok(file)
}

/// Opens a file that others cannot read, if it is made here.
fn open_private(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    file.map_err(|error| unavailable(format!("cannot open {}: {error}", path.display())))
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
