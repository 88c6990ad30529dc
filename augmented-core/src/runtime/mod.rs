//! Runtime records: instances, states, messages and facts.
