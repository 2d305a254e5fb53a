//! `seatwise audit`: verifies here, not on the server, that a journal is what was written.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser as Filled;
use clap::{Args, Subcommand};
use prost_types::Timestamp;
use seatwise_client::{Client, Flaw, Verified, Verifier, v1};
use serde_json::{Value, json};

use crate::connect::Connect;
use crate::customers;
use crate::error::Error;
use crate::exit;
use crate::output::{self, Format, time};
use crate::text::text;

const HELP: &str = "\
A checkpoint is worth what the place is worth that it is kept in: somewhere that those who can write to
the database cannot reach.

Examples:
  seatwise audit checkpoint --customer Contoso > contoso.checkpoint
  seatwise audit verify --customer Contoso --checkpoint contoso.checkpoint
  seatwise audit export --customer Contoso > contoso.jsonl
  seatwise audit export --customer Contoso --after 4711 >> contoso.jsonl    # what has come since";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    connect: Connect,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verify that nothing that was recorded was changed, added, removed or moved. It is the record that is
    /// verified, not what users hold now
    Verify {
        #[command(flatten)]
        journal: JournalArgs,
        /// Also verify that the journal still leads to this checkpoint: a file that `audit checkpoint`
        /// has printed; `-` for standard input. May be repeated
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// Trust everything up to this checkpoint, and verify only what follows
        #[arg(long, value_name = "FILE")]
        after: Option<PathBuf>,
    },
    /// Verify the journal, and print its end as JSON, to be kept elsewhere
    Checkpoint {
        #[command(flatten)]
        journal: JournalArgs,
    },
    /// Print the journal as JSON lines: each record, and after its last record each commit
    Export {
        #[command(flatten)]
        journal: JournalArgs,
        /// Only what follows this position: `last_position` of the last commit that is there already
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        after: i64,
    },
}

/// Which journal.
#[derive(Args)]
struct JournalArgs {
    /// Customer: UUID, or its whole name if no other has it
    #[arg(
        long,
        env = "SEATWISE_CUSTOMER",
        value_name = "CUSTOMER",
        value_parser = Filled::new(),
        required_unless_present = "installation"
    )]
    customer: Option<String>,
    /// What belongs to no customer: the catalogue. Goes before a customer
    #[arg(long)]
    installation: bool,
}

/// A journal by the id of its customer, which is empty for the installation, and its name for people.
struct Journal {
    id: String,
    name: String,
}

impl JournalArgs {
    async fn find(&self, client: &Client) -> Result<Journal, Error> {
        match &self.customer {
            // One may be set in the environment.
            Some(name) if !self.installation => Ok(Journal {
                id: customers::find(client, name).await?,
                name: text!("journal-of", name = name),
            }),
            _ => Ok(Journal {
                id: String::new(),
                name: text!("journal-of-installation"),
            }),
        }
    }
}

pub(crate) async fn run(args: AuditArgs) -> Result<ExitCode, Error> {
    let (client, format) = (args.connect.client()?, args.connect.output);
    match args.command {
        Command::Verify {
            journal,
            checkpoints,
            after,
        } => {
            let journal = journal.find(&client).await?;
            let trusted = after.map(|file| read(&file, &journal)).transpose()?;
            let mut verifier = match &trusted {
                Some(trusted) => Verifier::after(trusted),
                None => Verifier::new(&journal.id),
            };
            for file in &checkpoints {
                let checkpoint = read(file, &journal)?;
                verifier = verifier.and_then(|mut verifier| {
                    verifier.expect(checkpoint)?;
                    Ok(verifier)
                });
            }
            match verify(&client, &journal, verifier).await? {
                Ok(verified) => {
                    let end = &verified.end;
                    output::note(&whole(&journal, trusted.as_ref(), &verified));
                    if let count @ 1.. = checkpoints.len() - verified.unreached.len() {
                        output::note(&text!("checkpoints-met", count = count));
                    }
                    if format == Format::Json {
                        output::line(&to_json(end).to_string())?;
                    }
                    Ok(tell_pruned(&verified))
                }
                Err(flaw) => tell(format, &journal, &flaw),
            }
        }
        Command::Checkpoint { journal } => {
            let journal = journal.find(&client).await?;
            match verify(&client, &journal, Verifier::new(&journal.id)).await? {
                Ok(Verified { end, .. }) => {
                    output::line(&to_json(&end).to_string())?;
                    Ok(ExitCode::SUCCESS)
                }
                Err(flaw) => tell(format, &journal, &flaw),
            }
        }
        Command::Export { journal, after } => {
            let journal = journal.find(&client).await?;
            let mut parts = client.journal(request(&journal, after, true)).await?;
            while let Some(part) = parts.next().await? {
                export(&part)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn request(journal: &Journal, after: i64, include_decoded: bool) -> v1::StreamJournalRequest {
    v1::StreamJournalRequest {
        customer_id: journal.id.clone(),
        after_position: after,
        include_decoded,
    }
}

async fn verify(
    client: &Client,
    journal: &Journal,
    verifier: Result<Verifier, Flaw>,
) -> Result<Result<Verified, Flaw>, Error> {
    let mut verifier = match verifier {
        Ok(verifier) => verifier,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let mut parts = client
        .journal(request(journal, verifier.position(), false))
        .await?;
    while let Some(part) = parts.next().await? {
        if let Err(flaw) = verifier.add(&part) {
            return Ok(Err(flaw));
        }
    }
    Ok(verifier.finish())
}

fn tell(format: Format, journal: &Journal, flaw: &Flaw) -> Result<ExitCode, Error> {
    if format == Format::Json {
        let flaw = json!({ "whole_up_to": flaw.position, "problem": flaw.problem });
        output::line(&json!({ "flaw": flaw }).to_string())?;
    }
    output::note(&text!(
        "journal-flaw",
        journal = journal.name.as_str(),
        position = flaw.position,
        problem = flaw.problem.as_str()
    ));
    Ok(ExitCode::from(exit::FAILED))
}

/// Says what could not be verified because it is no longer there. If that was asked for, it has failed.
fn tell_pruned(verified: &Verified) -> ExitCode {
    if let Some(start) = &verified.start {
        let at = time(start.commit_time.as_ref());
        output::note(&text!(
            "journal-start",
            position = start.position,
            time = at
        ));
    }
    for checkpoint in &verified.unreached {
        let position = checkpoint.position;
        output::note(&text!("checkpoint-unreached", position = position));
    }
    if verified.unreached.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    }
}

/// Says what was verified; what was only `trusted` was not.
fn whole(journal: &Journal, trusted: Option<&v1::Checkpoint>, verified: &Verified) -> String {
    let (journal, end) = (journal.name.as_str(), &verified.end);
    let before = verified.start.as_ref().or(trusted);
    let before = before.map_or(0, |before| before.position);
    let count = end.position - before;
    match &end.commit_time {
        _ if trusted.is_some() => text!(
            "journal-whole-after",
            journal = journal,
            position = before,
            count = count
        ),
        Some(at) => {
            let time = time(Some(at));
            text!(
                "journal-whole",
                journal = journal,
                count = count,
                time = time
            )
        }
        None => text!("journal-empty", journal = journal),
    }
}

/// Prints the lines of a part: each commit after its records.
fn export(part: &v1::StreamJournalResponse) -> Result<(), Error> {
    let mut records = part.records.iter().peekable();
    for commit in &part.commits {
        while let Some(record) = records.next_if(|one| one.position <= commit.last_position) {
            output::line(&format!(r#"{{"record":{}}}"#, output::json(record)?))?;
        }
        output::line(&format!(r#"{{"commit":{}}}"#, output::json(commit)?))?;
    }
    for record in records {
        output::line(&format!(r#"{{"record":{}}}"#, output::json(record)?))?;
    }
    Ok(())
}

fn to_json(checkpoint: &v1::Checkpoint) -> Value {
    json!({
        "customer_id": checkpoint.customer_id,
        "position": checkpoint.position,
        "hash": checkpoint.hash,
        "commit_time": checkpoint.commit_time.as_ref().map(ToString::to_string),
    })
}

/// Reads a checkpoint of the journal that was printed here.
fn read(file: &Path, journal: &Journal) -> Result<v1::Checkpoint, Error> {
    let wrong = |problem: String| {
        let file = file.display().to_string();
        Error::Input(text!("no-checkpoint", file = file, problem = problem))
    };
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| wrong(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let field = |name: &str| {
        let field = value[name].as_str().map(str::to_owned);
        field.ok_or_else(|| wrong(text!("field-missing", field = name)))
    };
    let position = value["position"].as_i64();
    let commit_time = match &value["commit_time"] {
        Value::Null => None,
        _ => {
            let time: Result<Timestamp, _> = field("commit_time")?.parse();
            Some(time.map_err(|_| wrong(text!("field-missing", field = "commit_time")))?)
        }
    };
    let (customer_id, hash) = (field("customer_id")?, field("hash")?);
    if customer_id != journal.id {
        let file = file.display().to_string();
        return Err(Error::Input(text!("checkpoint-of-another", file = file)));
    }
    if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong(text!("field-missing", field = "hash")));
    }
    Ok(v1::Checkpoint {
        customer_id,
        position: position.ok_or_else(|| wrong(text!("field-missing", field = "position")))?,
        hash,
        commit_time,
    })
}
