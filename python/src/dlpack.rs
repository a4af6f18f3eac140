//! DLPack, the protocol by which array libraries hand memory to each other: host memory, and that of CUDA.
#![allow(unsafe_code, reason = "DLPack is a C interface")]

use std::ffi::{CStr, c_void};
use std::sync::Arc;

use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use streamlib::CudaTensor;
use streamlib::format::Size;

use crate::array::Layout;
use crate::gate;
use crate::memory::{Foreign, HostTexels};

/// kDLCPU: host memory.
pub(crate) const CPU: i32 = 1;
/// kDLCUDA: memory of a GPU of NVIDIA's.
pub(crate) const CUDA: i32 = 2;
const NAME: &CStr = c"dltensor";
const VERSIONED_NAME: &CStr = c"dltensor_versioned";
const READ_ONLY: u64 = 1;
const IS_COPIED: u64 = 2;

#[repr(C)]
struct Device {
    kind: i32,
    number: i32,
}

#[repr(C)]
struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct Tensor {
    data: *mut c_void,
    device: Device,
    dimensions: i32,
    data_type: DataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    tensor: Tensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
}

#[repr(C)]
struct Versioned {
    major: u32,
    minor: u32,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    flags: u64,
    tensor: Tensor,
}

/// What a capsule stands for: the structure that consumers read, first, and what it points to.
#[repr(C)]
struct Export<T> {
    managed: T,
    shape: [i64; 3],
    strides: [i64; 3],
    _owner: Texels,
}

/// Memory to hand out, kept for as long as a consumer has it.
pub(crate) enum Texels {
    /// Rows tightly packed.
    Host(Arc<HostTexels>),
    /// On the CUDA device of that number. Never dropped in a forked process, as its structure is not.
    Cuda(CudaTensor, i32),
}

impl Texels {
    /// Where it begins, on which device, and the bytes of a row when rows are not packed.
    fn place(&self) -> (*mut c_void, Device, Option<u64>) {
        match self {
            Self::Host(texels) => (texels.start().cast_mut().cast(), Device { kind: CPU, number: 0 }, None),
            Self::Cuda(tensor, number) => {
                let memory = tensor.memory();
                let device = Device { kind: CUDA, number: *number };
                (memory.pointer() as *mut c_void, device, Some(memory.row_pitch()))
            }
        }
    }
}

/// How memory is handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// By the newer structure, which can say what is read-only.
    pub(crate) is_versioned: bool,
    /// Nobody else sees the memory.
    pub(crate) is_copy: bool,
}

/// A capsule with these texels. Memory that others see is read-only, which only the newer structure can say.
pub(crate) fn export<'py>(
    py: Python<'py>,
    texels: Texels,
    (size, layout): (Size, Layout),
    terms: Terms,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = [i64::from(size.height), i64::from(size.width), layout.channels as i64];
    let (data, device, pitch) = texels.place();
    let row = pitch.map_or(shape[1] * shape[2], |bytes| bytes as i64 * 8 / i64::from(layout.bits));
    let strides = [row, shape[2], 1];
    let tensor = Tensor {
        data,
        device,
        dimensions: 3,
        data_type: DataType { code: layout.code, bits: layout.bits, lanes: 1 },
        shape: std::ptr::null_mut(),
        strides: std::ptr::null_mut(),
        byte_offset: 0,
    };
    if terms.is_versioned {
        let flags = if terms.is_copy { IS_COPIED } else { READ_ONLY };
        let deleter = Some(delete_versioned as _);
        let context = std::ptr::null_mut();
        let managed = Versioned { major: 1, minor: 0, context, deleter, flags, tensor };
        return capsule(py, hold(managed, shape, strides, texels), VERSIONED_NAME, destroy_versioned);
    }
    let managed = Managed { tensor, context: std::ptr::null_mut(), deleter: Some(delete_managed as _) };
    capsule(py, hold(managed, shape, strides, texels), NAME, destroy_managed)
}

/// Puts a structure where it stays, with what its tensor points to.
fn hold<T: HasTensor>(managed: T, shape: [i64; 3], strides: [i64; 3], texels: Texels) -> *mut c_void {
    let export = Box::into_raw(Box::new(Export { managed, shape, strides, _owner: texels }));
    // SAFETY: the box was just made, and nobody else knows of it.
    unsafe {
        let (shape, strides) = (&raw mut (*export).shape, &raw mut (*export).strides);
        let tensor = (*export).managed.tensor();
        (tensor.shape, tensor.strides) = (shape.cast(), strides.cast());
    }
    export.cast()
}

trait HasTensor {
    fn tensor(&mut self) -> &mut Tensor;
}

impl HasTensor for Managed {
    fn tensor(&mut self) -> &mut Tensor {
        &mut self.tensor
    }
}

impl HasTensor for Versioned {
    fn tensor(&mut self) -> &mut Tensor {
        &mut self.tensor
    }
}

fn capsule<'py>(
    py: Python<'py>,
    export: *mut c_void,
    name: &'static CStr,
    destroy: unsafe extern "C" fn(*mut ffi::PyObject),
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the pointer is not null, the name lives for ever, the interpreter is in hand, and what comes back is a new
    // reference or null with an exception set.
    unsafe {
        let made = ffi::PyCapsule_New(export, name.as_ptr(), Some(destroy));
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// Called by the consumer when it is done, on any thread, with or without the interpreter, also while that ends.
unsafe extern "C" fn delete_managed(managed: *mut Managed) {
    // In a forked process the memory belongs to another.
    if !gate::is_forked() {
        // SAFETY: `export` made the box that begins with this structure, and a consumer deletes it once.
        drop(unsafe { Box::from_raw(managed.cast::<Export<Managed>>()) });
    }
}

/// As [`delete_managed`].
unsafe extern "C" fn delete_versioned(managed: *mut Versioned) {
    if !gate::is_forked() {
        // SAFETY: as in `delete_managed`.
        drop(unsafe { Box::from_raw(managed.cast::<Export<Versioned>>()) });
    }
}

/// Called by the interpreter when a capsule goes. One that was consumed has another name, and its consumer deletes.
unsafe extern "C" fn destroy_managed(capsule: *mut ffi::PyObject) {
    // SAFETY: the interpreter hands its own capsule over; of this name it holds the pointer that `export` put in.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, NAME.as_ptr()) == 1 {
            delete_managed(ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr()).cast());
        }
    }
}

/// As [`destroy_managed`].
unsafe extern "C" fn destroy_versioned(capsule: *mut ffi::PyObject) {
    // SAFETY: as in `destroy_managed`.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, VERSIONED_NAME.as_ptr()) == 1 {
            delete_versioned(ffi::PyCapsule_GetPointer(capsule, VERSIONED_NAME.as_ptr()).cast());
        }
    }
}

/// An array of somebody else's, as DLPack tells of it.
pub(crate) struct Imported<'py> {
    pub(crate) shape: Vec<i64>,
    /// Elements from one to the next, in each dimension; none when they are tightly packed.
    pub(crate) strides: Option<Vec<i64>>,
    pub(crate) code: u8,
    pub(crate) bits: u8,
    /// Where it begins.
    pub(crate) start: usize,
    capsule: Bound<'py, PyAny>,
}

impl<'py> Imported<'py> {
    /// Asks `array`, which has `__dlpack__`, for its host memory.
    pub(crate) fn ask(array: &Bound<'py, PyAny>) -> PyResult<Self> {
        let (kind, _number) = device_of(array)?;
        if kind != CPU {
            let text =
                "the array is in memory of another GPU: copy it to the host first, as with tensor.cpu()";
            return Err(PyBufferError::new_err(text));
        }
        Self::of(array, None)
    }

    /// The same for memory of CUDA, which may be read by what is put into `stream` from now on.
    pub(crate) fn ask_cuda(array: &Bound<'py, PyAny>, stream: u64) -> PyResult<Self> {
        Self::of(array, Some(stream))
    }

    fn of(array: &Bound<'py, PyAny>, stream: Option<u64>) -> PyResult<Self> {
        let py = array.py();
        let newer = PyDict::new(py);
        if let Some(stream) = stream {
            newer.set_item("stream", stream)?;
        }
        let older = newer.copy()?;
        newer.set_item("max_version", (1, 0))?;
        let capsule = match array.call_method("__dlpack__", (), Some(&newer)) {
            Err(error) if error.is_instance_of::<PyTypeError>(py) => {
                array.call_method("__dlpack__", (), Some(&older))?
            }
            asked => asked?,
        };
        let tensor = tensor(&capsule)?;
        let dimensions = usize::try_from(tensor.dimensions).unwrap_or_default();
        // SAFETY: DLPack says that `shape` has as many numbers as there are dimensions, and `strides` too where it is not null;
        // they live as long as the capsule, which is held. No dimension needs no number.
        let (shape, strides) = unsafe {
            let numbers = |at: *mut i64| std::slice::from_raw_parts(at, dimensions).to_vec();
            let is_there = |at: *mut i64| dimensions > 0 && !at.is_null();
            (
                if is_there(tensor.shape) { numbers(tensor.shape) } else { Vec::new() },
                is_there(tensor.strides).then(|| numbers(tensor.strides)),
            )
        };
        let DataType { code, bits, lanes } = tensor.data_type;
        if lanes != 1 {
            return Err(PyBufferError::new_err(
                "the array has vectors as elements: give one of plain numbers",
            ));
        }
        let start = tensor.data as usize + tensor.byte_offset as usize;
        Ok(Self { shape, strides, code, bits, start, capsule })
    }

    /// The memory. The capsule is not consumed, and frees it when it goes.
    pub(crate) fn memory(self, bytes: usize) -> Foreign<'py> {
        Foreign::new(self.capsule, self.start, bytes)
    }
}

/// The kind of device that an array lies on, and its number.
pub(crate) fn device_of(array: &Bound<'_, PyAny>) -> PyResult<(i32, i32)> {
    array.call_method0("__dlpack_device__")?.extract()
}

fn tensor<'a>(capsule: &'a Bound<'_, PyAny>) -> PyResult<&'a Tensor> {
    let wrong = || PyTypeError::new_err("__dlpack__ did not give a DLPack capsule");
    let capsule = capsule.cast::<PyCapsule>().map_err(|_| wrong())?;
    let at = capsule.as_ptr();
    // SAFETY: it is a capsule; one that has this name holds this structure, which lives as long as the capsule is not consumed,
    // and nobody else has this one. A major version beyond 1 could have any layout.
    unsafe {
        if ffi::PyCapsule_IsValid(at, VERSIONED_NAME.as_ptr()) == 1 {
            let found = &*ffi::PyCapsule_GetPointer(at, VERSIONED_NAME.as_ptr()).cast::<Versioned>();
            return if found.major == 1 { Ok(&found.tensor) } else { Err(wrong()) };
        }
        if ffi::PyCapsule_IsValid(at, NAME.as_ptr()) == 1 {
            return Ok(&(*ffi::PyCapsule_GetPointer(at, NAME.as_ptr()).cast::<Managed>()).tensor);
        }
    }
    Err(wrong())
}
