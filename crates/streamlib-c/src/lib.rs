//! Surfaces for programs in C: the functions that `include/streamlib.h` declares and describes, over [`streamlib_share`].
//!
//! Every function comes back with a number, whatever it is called with that C can tell from the right thing: NULL, texts that are
//! no names, descriptors that are none, buffers that never were. A panic becomes a number as well. What C cannot tell, a pointer to
//! something else or to what was freed, is the caller's to avoid, as with every library in C: that is what `unsafe` stands for here.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "C calls these functions, and hands them pointers")]

mod list;
mod pointers;
mod publisher;
mod reader;
mod result;
mod types;

pub use list::{streamlib_list, streamlib_list_free};
pub use publisher::{
    Publishing, streamlib_publisher_add_buffer, streamlib_publisher_close, streamlib_publisher_count_dropped,
    streamlib_publisher_create, streamlib_publisher_give_back, streamlib_publisher_publish,
    streamlib_publisher_remove_buffer, streamlib_publisher_stats, streamlib_publisher_take,
};
pub use reader::{
    Reading, streamlib_frame_release, streamlib_reader_acquire, streamlib_reader_buffer,
    streamlib_reader_close, streamlib_reader_open, streamlib_reader_reopen, streamlib_reader_stay_awake,
};
pub use result::{OK, TIMEOUT, code, streamlib_last_error};
pub use types::{AccessKind, Buffer, Frame, Meta, Stats, Surface};
