use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt as _;
use rustls::{ClientConfig, RootCertStore};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system has no certificates to trust.
    #[error("the system's root certificates cannot be read")]
    Roots(#[source] std::io::Error),
    /// Something else.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// With `ring`, whatever provider the process has installed; certificates are checked against the system's roots, or not
/// trusted at all.
///
/// # Errors
/// [`TlsError`].
pub fn default_tls(checks_certificates: bool) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = if checks_certificates {
        config.with_native_roots().map_err(TlsError::Roots)?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
}
