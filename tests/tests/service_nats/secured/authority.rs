//! An authority of the test's own, whose certificates live in a folder as long as it does.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

/// A folder for files that a test makes, removed with the handle.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("micro-secured-{}-{count}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// Writes a file, and returns where.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// A file that is not there.
    pub(crate) fn missing(&self) -> PathBuf {
        self.0.join("missing.pem")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An authority.
pub(crate) struct Authority {
    folder: Folder,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate: what those have who trust it.
    pub(crate) ca: PathBuf,
}

/// A certificate, and its private key.
pub(crate) struct Pair {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub(crate) enum Valid {
    Now,
    LongAgo,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = Folder::new();
        let certificate = params.self_signed(&key).unwrap();
        let ca = folder.write("ca.pem", &certificate.pem());
        Authority {
            folder,
            issuer: Issuer::new(params, key),
            ca,
        }
    }

    /// Vouches for a host, or for a client, by this name.
    pub(crate) fn vouch(&self, name: &str, valid: Valid) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if let Valid::LongAgo = valid {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            cert: self.folder.write(&format!("{name}.pem"), &certificate.pem()),
            key: self
                .folder
                .write(&format!("{name}-key.pem"), &key.serialize_pem()),
        }
    }

    /// A server's configuration: it shows this certificate, and does what else is said.
    pub(crate) fn tls(&self, server: &Pair, more: &str) -> String {
        format!(
            "tls {{ cert_file: {}, key_file: {}, ca_file: {}, {more} }}",
            quoted(&server.cert),
            quoted(&server.key),
            quoted(&self.ca)
        )
    }
}

fn quoted(file: &Path) -> String {
    format!("{:?}", file.display().to_string())
}
