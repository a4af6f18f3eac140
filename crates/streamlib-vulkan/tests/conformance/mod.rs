//! What every backend must do, generic over the backend.

pub mod copies;
