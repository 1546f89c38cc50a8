//! Room for media.
