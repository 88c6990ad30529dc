//! The JSON Schema engine.
