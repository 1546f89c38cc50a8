//! Room for form.
