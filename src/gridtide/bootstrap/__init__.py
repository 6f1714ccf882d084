"""The composition roots: the only place where adapters and configuration meet the engine."""
