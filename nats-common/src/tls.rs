//! TLS: its files, and what went wrong, in words that say what to do.

use std::path::Path;

use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{AlertDescription, CertificateError, Error as TlsError};
use async_nats::{ConnectError, ConnectOptions};
use micro_core::plugin::Tls;
use micro_core::{Error, ErrorKind, Result};
use tokio::task::spawn_blocking;

use crate::errors::causes;

/// Adds what was asked for to the options of a connection.
pub(crate) fn set(mut options: ConnectOptions, tls: &Tls) -> ConnectOptions {
    if let Some(ca) = &tls.ca {
        options = options.add_root_certificates(ca.clone());
    }
    if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
        options = options.add_client_certificate(cert.clone(), key.clone());
    }
    if tls.first {
        options = options.tls_first();
    }
    options.require_tls(tls.is_required())
}

/// Whether the files can be used: the client would not say which of them is at fault.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] that names the file.
pub(crate) async fn check(tls: &Tls) -> Result<()> {
    if tls.cert.is_some() != tls.key.is_some() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "a certificate and its private key go together: --nats_tlscert and --nats_tlskey",
        ));
    }
    let tls = tls.clone();
    let checked = spawn_blocking(move || check_files(&tls)).await;
    checked.map_err(|error| Error::new(ErrorKind::Internal, "a file was not read").with_source(error))?
}

fn check_files(tls: &Tls) -> Result<()> {
    for file in [&tls.ca, &tls.cert].into_iter().flatten() {
        let mut certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(file, error))?;
        match certificates.next() {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(unusable(file, error)),
            None => return Err(unusable(file, "it holds no certificate")),
        }
    }
    match &tls.key {
        // What lies beneath is not told: it may show the key.
        Some(key) => PrivateKeyDer::from_pem_file(key)
            .map(drop)
            .map_err(|_| unusable(key, "it cannot be read, or holds no private key")),
        None => Ok(()),
    }
}

fn unusable(file: &Path, reason: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("a file for TLS cannot be used: {reason}"),
    )
    .with_context("file", file.display())
}

/// What went wrong between us and the server, if it was TLS.
pub(crate) fn explain(error: &ConnectError, tls: &Tls) -> Option<String> {
    let error = causes(error).find_map(|cause| cause.downcast_ref::<TlsError>())?;
    Some(match error {
        TlsError::InvalidCertificate(reason) => distrusted(reason, tls),
        TlsError::AlertReceived(alert) => told(*alert, tls),
        TlsError::InvalidMessage(_) => {
            format!(
                "it does not answer in TLS ({error}); does the server have a tls block, and is this its port?"
            )
        }
        _ => format!("TLS failed ({error}); do the certificates and keys of both sides fit?"),
    })
}

/// We do not take the server for whom it says it is.
fn distrusted(reason: &CertificateError, tls: &Tls) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the server's certificate has expired ({reason}); renew it, or set this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the server's certificate is not valid yet ({reason}); set this machine's clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "the server's certificate is for another host name ({reason}); connect by a name that it has"
            )
        }
        // An authority of the same name, and another key, is another authority.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match &tls.ca {
            Some(ca) => format!(
                "the server's certificate comes from an authority that is not in {}",
                ca.display()
            ),
            None => {
                "the server's certificate comes from an authority that this machine does not know; name its \
                     file with --nats_tlsca"
                    .to_owned()
            }
        },
        _ => format!("the server's certificate cannot be trusted ({reason})"),
    }
}

/// The server does not take us for whom we say we are.
fn told(alert: AlertDescription, tls: &Tls) -> String {
    match &tls.cert {
        None => format!(
            "the server asks for a certificate of ours ({alert:?}); name its files with --nats_tlscert and --nats_tlskey"
        ),
        Some(cert) => format!(
            "the server refuses our certificate {} ({alert:?}); is it from an authority that the server knows, and \
             still valid?",
            cert.display()
        ),
    }
}
