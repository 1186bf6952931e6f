"""The core commands: what clients can ask of the engine, in groups. Registered by CoreCommunicationCommands."""
