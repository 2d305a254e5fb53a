//! Why something is done: what every command takes that changes something.

use clap::Args;

#[derive(Args)]
pub(crate) struct Why {
    /// Why this is done, for the history: up to 256 characters
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) comment: String,
}
