//! Which of the two cryptography libraries in the tree TLS is done with.

/// Chooses it for the whole process; every HTTP client asks which it is when it is made. Whoever chose before chose the
/// same.
pub fn choose() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
