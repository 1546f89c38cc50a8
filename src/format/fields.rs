//! Room for fields.
