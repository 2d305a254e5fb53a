//! What every client command takes: the server to talk to, the token, the form of the output.

use clap::Args;
use seatwise_client::Client;

use crate::error::Error;
use crate::output::Format;

const SERVER: &str = "http://127.0.0.1:7400";

#[derive(Args)]
pub(crate) struct Connect {
    /// Server to talk to
    #[arg(
        long,
        global = true,
        env = "SEATWISE_SERVER",
        default_value = SERVER,
        value_name = "URL",
        help_heading = "Every command"
    )]
    server: String,
    /// Token to send along. Servers do not ask for one yet
    #[arg(
        long,
        global = true,
        env = "SEATWISE_TOKEN",
        hide_env_values = true,
        help_heading = "Every command"
    )]
    token: Option<String>,
    /// How to print: for people, one JSON object a line, or CSV
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Table,
        hide_possible_values = true,
        value_name = "table|json|csv",
        help_heading = "Every command"
    )]
    pub(crate) output: Format,
}

impl Connect {
    pub(crate) fn client(&self) -> Result<Client, Error> {
        // `serve` prints its address without a scheme, and people copy it.
        let scheme = if self.server.contains("://") {
            ""
        } else {
            "http://"
        };
        let mut builder = Client::builder(format!("{scheme}{}", self.server));
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        Ok(builder.build()?)
    }
}
