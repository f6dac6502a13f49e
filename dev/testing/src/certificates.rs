//! A certificate authority for one test, and certificates from it, made by openssl(1).

use crate::run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The least that openssl needs, without the system's defaults.
const CONFIGURATION: &str = "[req]\ndistinguished_name = name\n[name]\n";

/// A certificate authority. Its files are in a directory that is removed with it.
pub struct Authority {
    directory: TempDir,
}

/// The files of a certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Holds the certificate in PEM, without its authority's.
    pub certificate: PathBuf,
    /// Holds the private key in PEM. Only the user who runs the test can read it.
    pub key: PathBuf,
}

impl Authority {
    /// Makes a new authority with its own certificate.
    #[must_use]
    pub fn new() -> Self {
        let authority = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        fs::write(authority.file("openssl.cnf"), CONFIGURATION).expect("written");
        authority.make("authority", &["-addext", "basicConstraints=critical,CA:TRUE"]);
        authority
    }

    /// The file of the authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("authority.pem")
    }

    /// A certificate for a server on 127.0.0.1 and `localhost`.
    #[must_use]
    pub fn server(&self, name: &str) -> Certificate {
        self.sign(name, &["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
    }

    /// A certificate for a client with this common name.
    #[must_use]
    pub fn client(&self, name: &str) -> Certificate {
        self.sign(name, &[])
    }

    fn sign(&self, name: &str, more: &[&str]) -> Certificate {
        let (certificate, key) = (self.certificate(), self.file("authority.key"));
        let issuer = ["-CA", text(&certificate), "-CAkey", text(&key)];
        self.make(
            name,
            &[&issuer[..], &["-addext", "basicConstraints=critical,CA:FALSE"], more].concat(),
        )
    }

    fn make(&self, name: &str, more: &[&str]) -> Certificate {
        let made = Certificate {
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        };
        let mut command = Command::new("openssl");
        command
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ])
            .args(["-days", "2", "-subj", &format!("/CN={name}")])
            .args(["-config", text(&self.file("openssl.cnf"))])
            .args(["-out", text(&made.certificate), "-keyout", text(&made.key)])
            .args(more);
        let done = run(&mut command);
        assert!(done.status.success(), "openssl 3 is needed: {}", done.stderr());
        made
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A path as an argument or part of one.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}
