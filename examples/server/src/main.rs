//! `chat-server`: see `chat-server --help` for its environment variables.

use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;

use chat_server::{CommandLine, Metrics, Settings, Wired, app, serve, stop_signal, upkeep};
use clap::Parser as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A setting or the start itself is at fault.
const CANNOT_START: u8 = 2;

fn main() -> ExitCode {
    let CommandLine { environment, task } = CommandLine::parse();
    let settings = match Settings::read(&environment) {
        Ok(settings) => settings,
        Err(error) => return cannot_start(&error.to_string()),
    };
    let filter = match EnvFilter::try_new(&settings.log_filter) {
        Ok(filter) => filter,
        Err(error) => return cannot_start(&format!("RUST_LOG: {error}")),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&format!("the runtime cannot be started: {error}")),
    };
    let code = runtime.block_on(async {
        match task {
            Some(task) => upkeep(&task, &environment)
                .await
                .unwrap_or_else(|line| cannot_start(&line)),
            None => run(settings).await,
        }
    });
    // Tasks that hang must not keep a stopped server alive.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    code
}

async fn run(settings: Settings) -> ExitCode {
    match start(settings).await {
        Ok(running) => running.await,
        Err(line) => cannot_start(&line),
    }
}

async fn start(settings: Settings) -> Result<impl Future<Output = ExitCode>, String> {
    // Before anything is announced: a signal that comes early has to be heard.
    let stop = stop_signal().map_err(|error| format!("signals cannot be received: {error}"))?;
    let metrics = Metrics::install().map_err(|error| error.to_string())?;
    let wired = Wired::new(&settings).await.map_err(|error| error.to_string())?;
    let listener = TcpListener::bind((settings.host.as_str(), settings.port))
        .await
        .map_err(|error| {
            format!(
                "HOST, PORT: cannot listen on {}:{}: {error}",
                settings.host, settings.port
            )
        })?;
    let address = listener
        .local_addr()
        .map_err(|error| format!("HOST, PORT: {error}"))?;
    let routes = app(&wired, &metrics);
    announce(&format!("listening on http://{address}"));
    Ok(async move {
        serve(listener, routes, wired, stop).await;
        ExitCode::SUCCESS
    })
}

/// The one line on standard output; whoever started the server waits for it.
fn announce(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; the server runs all the same.
    let _unread = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// One clear line on standard error.
fn cannot_start(line: &str) -> ExitCode {
    let mut out = std::io::stderr().lock();
    let _unread = writeln!(out, "chat-server: {}", line.replace(['\n', '\r'], " "));
    ExitCode::from(CANNOT_START)
}
