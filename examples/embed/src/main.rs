//! Serves the host of `chat_embed` on <http://127.0.0.1:3001>.

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, chat_embed::app().await?).await?;
    Ok(())
}
