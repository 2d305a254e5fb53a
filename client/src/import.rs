//! Imports: files and lists of any size, cut into the messages that the server takes.

use seatwise_proto::v1::{
    CatalogueChange, CustomerImpact, ImportCatalogueRequest, ImportNote, ImportOutcome,
    ImportRulesRequest, ImportSummary, ImportUsersRequest, ImportedUser,
    catalogue_service_client::CatalogueServiceClient, import_catalogue_response,
    import_rules_response, user_service_client::UserServiceClient,
};
use tokio_stream::{StreamExt, iter};

use crate::client::Caller;
use crate::{Client, Error};

const PART_BYTES: usize = 128 * 1024;
/// 500 users of the largest size still fit a message.
const PART_USERS: usize = 500;

/// What an import found and did, or would do.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Repairs and remarks, by line.
    pub notes: Vec<ImportNote>,
    /// What was added, renamed and removed.
    pub changes: Vec<CatalogueChange>,
    /// What it would break, customer by customer. Only of a preview.
    pub impacts: Vec<CustomerImpact>,
    /// The counts.
    pub summary: ImportSummary,
}

macro_rules! report {
    ($lines:expr, $report:ident) => {{
        let mut lines = $lines;
        let mut report = ImportReport::default();
        let mut ended = false;
        while let Some(line) = lines.message().await? {
            match line.report {
                Some($report::Report::Note(note)) => report.notes.push(note),
                Some($report::Report::Change(change)) => report.changes.push(change),
                Some($report::Report::Impact(impact)) => report.impacts.push(impact),
                Some($report::Report::Summary(summary)) => {
                    report.summary = summary;
                    ended = true;
                }
                Some($report::Report::Progress(_)) | None => {}
            }
        }
        if ended {
            Ok(report)
        } else {
            Err(Error::protocol("an import without a summary"))
        }
    }};
}

impl Client {
    /// Imports a whole edition of the catalogue from a CSV file in the vendor's layout.
    ///
    /// # Errors
    /// With `INVALID_FILE` nothing was imported, and the violations say where and why.
    pub async fn import_catalogue(&self, file: &[u8]) -> Result<ImportReport, Error> {
        self.import_catalogue_for(file, "").await
    }

    /// The same, and says why.
    ///
    /// # Errors
    /// The same.
    pub async fn import_catalogue_for(
        &self,
        file: &[u8],
        comment: &str,
    ) -> Result<ImportReport, Error> {
        self.send_catalogue(file, comment, false).await
    }

    /// Says what the import of an edition would change, and which assignments would then be against
    /// the rules. Nothing is imported.
    ///
    /// # Errors
    /// The same.
    pub async fn preview_catalogue(&self, file: &[u8]) -> Result<ImportReport, Error> {
        self.send_catalogue(file, "", true).await
    }

    async fn send_catalogue(
        &self,
        file: &[u8],
        comment: &str,
        validate_only: bool,
    ) -> Result<ImportReport, Error> {
        let comment = comment.to_owned();
        let part = |data| ImportCatalogueRequest {
            data,
            validate_only,
            comment: comment.clone(),
        };
        let parts: Vec<_> = parts(file).map(part).collect();
        let import = async |caller: Caller| {
            let mut client = CatalogueServiceClient::new(self.channel.clone());
            let parts = caller.request(iter(parts.clone()));
            Ok(client.import_catalogue(parts).await?.into_inner())
        };
        report!(self.authenticated(import).await?, import_catalogue_response)
    }

    /// Imports the whole set of rules from a CSV file.
    ///
    /// # Errors
    /// With `INVALID_FILE` nothing was imported, and the violations say where and why.
    pub async fn import_rules(&self, file: &[u8]) -> Result<ImportReport, Error> {
        self.import_rules_for(file, "").await
    }

    /// The same, and says why.
    ///
    /// # Errors
    /// The same.
    pub async fn import_rules_for(
        &self,
        file: &[u8],
        comment: &str,
    ) -> Result<ImportReport, Error> {
        self.send_rules(file, comment, false).await
    }

    /// Says what the import of a set of rules would change, and which assignments would then be
    /// against the rules. Nothing is imported.
    ///
    /// # Errors
    /// The same.
    pub async fn preview_rules(&self, file: &[u8]) -> Result<ImportReport, Error> {
        self.send_rules(file, "", true).await
    }

    async fn send_rules(
        &self,
        file: &[u8],
        comment: &str,
        validate_only: bool,
    ) -> Result<ImportReport, Error> {
        let comment = comment.to_owned();
        let part = |data| ImportRulesRequest {
            data,
            validate_only,
            comment: comment.clone(),
        };
        let parts: Vec<_> = parts(file).map(part).collect();
        let import = async |caller: Caller| {
            let mut client = CatalogueServiceClient::new(self.channel.clone());
            let parts = caller.request(iter(parts.clone()));
            Ok(client.import_rules(parts).await?.into_inner())
        };
        report!(self.authenticated(import).await?, import_rules_response)
    }

    /// Creates or changes users and returns one outcome per user, in their order. Look at the
    /// outcomes: one user's failure does not keep the others from being imported.
    ///
    /// # Errors
    /// What was imported before the error stays; importing it again does no harm.
    pub async fn import_users(
        &self,
        customer_id: &str,
        users: Vec<ImportedUser>,
    ) -> Result<Vec<ImportOutcome>, Error> {
        self.import_users_for(customer_id, users, "").await
    }

    /// The same, and says why.
    ///
    /// # Errors
    /// The same.
    pub async fn import_users_for(
        &self,
        customer_id: &str,
        users: Vec<ImportedUser>,
        comment: &str,
    ) -> Result<Vec<ImportOutcome>, Error> {
        let count = users.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let part = |users: &[ImportedUser]| ImportUsersRequest {
            customer_id: customer_id.to_owned(),
            users: users.to_vec(),
            comment: comment.to_owned(),
        };
        let parts: Vec<_> = users.chunks(PART_USERS).map(part).collect();
        let import = async |caller: Caller| {
            let mut client = UserServiceClient::new(self.channel.clone());
            let parts = caller.request(iter(parts.clone()));
            Ok(client.import_users(parts).await?.into_inner())
        };
        let mut answers = self.authenticated(import).await?;
        let mut outcomes = Vec::with_capacity(count);
        while let Some(answer) = answers.next().await {
            outcomes.extend(answer?.outcomes);
        }
        if outcomes.len() == count {
            Ok(outcomes)
        } else {
            Err(Error::protocol(format!(
                "{} outcomes for {count} users",
                outcomes.len()
            )))
        }
    }
}

fn parts(file: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    file.chunks(PART_BYTES).map(<[u8]>::to_vec)
}
