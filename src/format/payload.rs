//! Room for payload.
