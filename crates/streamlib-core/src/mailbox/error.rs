//! Why a value was not sent.

/// A value that was not sent; it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError<T> {
    /// A lossless mailbox holds as many values as it may.
    #[error("the mailbox is full: wait until its receiver has taken a value")]
    Full(T),
    /// Nobody will take the value.
    #[error("the mailbox is closed: its receiver is gone, stop sending")]
    Closed(T),
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}
