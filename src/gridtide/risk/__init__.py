"""The gate every order passes, one rule a file: reducing is allowed where increasing is not."""
