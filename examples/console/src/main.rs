//! The `augmented` command.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Commits make and drop many small values; the allocators of most systems take a third of the processor time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    augmented_console::main(std::env::args_os()).into()
}
