"""Settings, one file a section, read from a file, .env, the environment, a secrets folder or the keyring."""
