//! Textures as tensors of CUDA's, and tensors as textures.
#![allow(unsafe_code, reason = "hands addresses of a GPU to CUDA")]

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyAttributeError, PyBufferError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use streamlib::format::Size;
use streamlib::vulkan::Texture;
use streamlib::vulkan::cuda::Stream;
use streamlib::{CudaTensor, StreamRuntime};

use crate::array::{Layout, check_shape, wrong_type};
use crate::dlpack::{self, Imported, Texels};
use crate::error;
use crate::gate::released;

/// A stream as DLPack writes it: nothing for the legacy default stream, a number else.
pub(crate) fn stream(asked: Option<&Bound<'_, PyAny>>) -> PyResult<Stream> {
    let Some(asked) = asked else { return Ok(Stream::LEGACY) };
    match asked.extract::<i64>()? {
        // "Do not synchronise": the legacy stream costs a consumer nothing that it would not have to wait for anyway.
        -1 => Ok(Stream::LEGACY),
        number if number > 0 => Ok(Stream(number.unsigned_abs())),
        number => Err(PyBufferError::new_err(format!(
            "{number} is no stream of CUDA's: give 1 for the legacy default stream, 2 for the thread's, or a handle"
        ))),
    }
}

/// What the texture shows, in CUDA's memory. The stream waits for it, and nobody else.
pub(crate) fn export(
    py: Python<'_>,
    runtime: &StreamRuntime,
    texture: &Texture,
    stream: Stream,
) -> PyResult<Texels> {
    let handed = released(py, || {
        let number = runtime.cuda()?.device();
        runtime.hand_to_cuda(texture, stream).map(|tensor| Texels::Cuda(tensor, number))
    });
    handed.map_err(|error| PyBufferError::new_err(format!("{error}; or use texture.numpy()")))
}

/// CUDA's memory that shows a texture, for consumers that keep the texture and not the memory.
#[derive(Default)]
pub(crate) struct View(Mutex<Option<CudaTensor>>);

impl View {
    /// What the `__cuda_array_interface__` of a texture tells. The memory shows what `texture` shows by now, also to those who have
    /// it already; what never changes is put there once.
    pub(crate) fn interface<'py>(
        &self,
        py: Python<'py>,
        (runtime, texture): (&StreamRuntime, &Texture),
        (size, layout): (Size, Layout),
        changes: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let place = released(py, || {
            let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let tensor = match &mut *shown {
                Some(tensor) if changes => {
                    runtime.hand_to_cuda_again(tensor, texture)?;
                    tensor
                }
                Some(tensor) => tensor,
                none => none.insert(runtime.hand_to_cuda(texture, Stream::LEGACY)?),
            };
            let memory = tensor.memory();
            Ok::<_, streamlib::EagerError>((memory.pointer(), memory.row_pitch()))
        });
        let (pointer, row_pitch) =
            place.map_err(|error| PyAttributeError::new_err(format!("{error}; or use texture.numpy()")))?;
        let element = usize::from(layout.bits / 8);
        let told = PyDict::new(py);
        told.set_item("version", 3)?;
        told.set_item("shape", layout.shape(size))?;
        told.set_item("typestr", layout.spelled)?;
        told.set_item("data", (pointer, false))?;
        told.set_item("strides", (row_pitch, layout.channels * element, element))?;
        told.set_item("stream", Stream::LEGACY.0)?;
        Ok(told)
    }
}

/// Copies a tensor of the same GPU into a texture; `false` where the array is not in memory of this runtime's GPU.
pub(crate) fn write(
    array: &Bound<'_, PyAny>,
    runtime: &Arc<StreamRuntime>,
    texture: &Texture,
) -> PyResult<bool> {
    let py = array.py();
    if !array.hasattr("__dlpack_device__")? {
        return Ok(false);
    }
    let (kind, number) = dlpack::device_of(array)?;
    let is_ours = kind == dlpack::CUDA && runtime.cuda().is_ok_and(|link| link.device() == number);
    if !is_ours {
        return Ok(false);
    }
    let imported = Imported::ask_cuda(array, Stream::LEGACY.0)?;
    let (size, layout) = (texture.size(), Layout::of(texture.format()));
    if let Some(found) = wrong_type(imported.code, imported.bits, layout) {
        let (wanted, format) = (layout.name, texture.format().name());
        let text = format!(
            "the tensor is of {found}, and a texture of {format} takes {wanted}: convert it, as with .to()"
        );
        return Err(error::value(py, &text));
    }
    check_shape(py, &imported.shape, size, layout)?;
    let (width, channels) = (i64::from(size.width), layout.channels as i64);
    let packed = [width * channels, channels, 1];
    let strides = imported.strides.clone().unwrap_or_else(|| packed[..imported.shape.len()].to_vec());
    let lies_well = strides.iter().zip(&packed).skip(1).all(|(stride, packed)| stride == packed);
    let row = strides.first().copied().unwrap_or(packed[0]);
    if !lies_well || row < packed[0] {
        let text = "the tensor's rows are not whole in memory: give tensor.contiguous()";
        return Err(error::value(py, text));
    }
    let element = u64::from(layout.bits / 8);
    let row_pitch = row.unsigned_abs() * element;
    let bytes = row_pitch * u64::from(size.height - 1) + packed[0].unsigned_abs() * element;
    let start = imported.start as u64;
    let written = released(py, || {
        let staging = runtime.cuda_memory(size, texture.format(), Stream::LEGACY)?;
        // SAFETY: the tensor says that its rows lie there, and it is kept until this returns.
        unsafe { staging.memory().write_from((start, bytes), row_pitch, Stream::LEGACY) }?;
        runtime.copy_texture(staging.memory().texture(), texture)
    });
    drop(imported);
    written.map_err(|error| error::of_eager(py, &error)).map(|()| true)
}
