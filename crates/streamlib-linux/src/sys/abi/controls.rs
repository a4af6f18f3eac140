//! Of a device's controls.

use super::{BOTH_WAYS, Plain, Request};

/// `V4L2_CTRL_FLAG_NEXT_CTRL`: asks for the control after the one that is named.
pub(crate) const NEXT: u32 = 0x8000_0000;

/// `V4L2_CTRL_FLAG_*`.
pub(crate) const DISABLED: u32 = 0x0001;
pub(crate) const READ_ONLY: u32 = 0x0004;
pub(crate) const INACTIVE: u32 = 0x0010;
pub(crate) const WRITE_ONLY: u32 = 0x0040;

/// `V4L2_CTRL_TYPE_*`; the others hold no single number of 32 bits, or are only headings.
pub(crate) const INTEGER: u32 = 1;
pub(crate) const BOOLEAN: u32 = 2;
pub(crate) const MENU: u32 = 3;
pub(crate) const BUTTON: u32 = 4;
pub(crate) const BITMASK: u32 = 8;
pub(crate) const INTEGER_MENU: u32 = 9;

plain!(QueryControl QueryMenu Control);

/// `struct v4l2_queryctrl`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct QueryControl {
    pub(crate) id: u32,
    pub(crate) kind: u32,
    pub(crate) name: [u8; 32],
    pub(crate) minimum: i32,
    pub(crate) maximum: i32,
    pub(crate) step: i32,
    pub(crate) default: i32,
    pub(crate) flags: u32,
    pub(crate) reserved: [u32; 2],
}

/// `struct v4l2_querymenu`. `name` begins with a number of 64 bits in menus of numbers.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(crate) struct QueryMenu {
    pub(crate) id: u32,
    pub(crate) index: u32,
    pub(crate) name: [u8; 32],
    pub(crate) reserved: u32,
}

/// `struct v4l2_control`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Control {
    pub(crate) id: u32,
    pub(crate) value: i32,
}

pub(crate) const G_CTRL: Request<Control> = Request::new(BOTH_WAYS, 27);
pub(crate) const S_CTRL: Request<Control> = Request::new(BOTH_WAYS, 28);
pub(crate) const QUERYCTRL: Request<QueryControl> = Request::new(BOTH_WAYS, 36);
pub(crate) const QUERYMENU: Request<QueryMenu> = Request::new(BOTH_WAYS, 37);

// What a C compiler makes of the header.
const _: () = {
    assert!(G_CTRL.code == 0xc008_561b && S_CTRL.code == 0xc008_561c);
    assert!(QUERYCTRL.code == 0xc044_5624 && QUERYMENU.code == 0xc02c_5625);
};
