"""Where submissions run: a trusted host and an untrusted guest, in separate processes."""
