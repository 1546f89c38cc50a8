//! Room for listing.
