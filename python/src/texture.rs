//! Textures: pictures in GPU memory, and on their way to and from arrays.

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyAttributeError, PyBufferError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use streamlib::format::{Size, TextureFormat};
use streamlib::gpu::Gpu;
use streamlib::{Content, LiveFrame, StreamRuntime, vulkan};

use crate::array::{self, Layout};
use crate::cuda;
use crate::dlpack::{self, Terms, Texels};
use crate::error;
use crate::gate::{self, Kept, released};
use crate::mapped::{Mapped, interface, numpy};
use crate::memory::HostTexels;

/// A picture in GPU memory; that of a frame which was asked for as a picture lies in host memory.
#[pyclass(frozen, weakref, module = "streamlib._streamlib")]
pub(crate) struct Texture {
    runtime: Kept<Arc<StreamRuntime>>,
    place: Kept<Place>,
    size: Size,
    format: TextureFormat,
    cuda: Kept<cuda::View>,
}

enum Place {
    /// The program's own.
    Own(vulkan::Texture),
    /// A frame's, which goes on to be used when nobody holds the frame any more.
    Frame(LiveFrame),
    /// A frame's picture in host memory; a texture too, once one was needed.
    Picture(Arc<HostTexels>, OnceLock<vulkan::Texture>),
}

impl Texture {
    pub(crate) fn own(runtime: Arc<StreamRuntime>, texture: vulkan::Texture) -> Self {
        let (size, format) = (texture.size(), texture.format());
        Self::new(runtime, Place::Own(texture), size, format)
    }

    pub(crate) fn of_frame(runtime: Arc<StreamRuntime>, frame: LiveFrame) -> Self {
        let (size, format) = match &frame.content {
            Content::Texture(leased) => (leased.texture.size(), leased.texture.format()),
            Content::Picture(picture) => (picture.format().size, TextureFormat::Rgba8),
        };
        let place = match HostTexels::of_frame(&frame) {
            Some(texels) => Place::Picture(texels, OnceLock::new()),
            None => Place::Frame(frame),
        };
        Self::new(runtime, place, size, format)
    }

    fn new(runtime: Arc<StreamRuntime>, place: Place, size: Size, format: TextureFormat) -> Self {
        let cuda = Kept::new(cuda::View::default());
        Self { runtime: Kept::new(runtime), place: Kept::new(place), size, format, cuda }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The texture, for work of that runtime's.
    pub(crate) fn on(&self, py: Python<'_>, runtime: &Arc<StreamRuntime>) -> PyResult<vulkan::Texture> {
        if !Arc::ptr_eq(&self.runtime, runtime) {
            let text = "the texture belongs to another Runtime: use one Runtime for all, or hand the pixels over with \
                        texture.numpy()";
            return Err(error::value(py, text));
        }
        self.gpu(py)
    }

    /// The same, to be written: one of the program's own.
    pub(crate) fn writable(&self, py: Python<'_>, runtime: &Arc<StreamRuntime>) -> PyResult<vulkan::Texture> {
        match &*self.place {
            Place::Own(_) => self.on(py, runtime),
            Place::Frame(_) | Place::Picture(..) => Err(error::value(
                py,
                "a frame's texture cannot be written, since others read it: write into one that \
                 Runtime.create_texture makes",
            )),
        }
    }

    fn gpu(&self, py: Python<'_>) -> PyResult<vulkan::Texture> {
        let (texels, known) = match &*self.place {
            Place::Own(texture) => return Ok(texture.clone()),
            Place::Frame(frame) => match &frame.content {
                Content::Texture(leased) => return Ok(leased.texture.clone()),
                Content::Picture(_) => unreachable!("pictures have a place of their own"),
            },
            Place::Picture(texels, known) => (texels, known),
        };
        if let Some(texture) = known.get() {
            return Ok(texture.clone());
        }
        let made = released(py, || {
            let made = self.runtime.create_texture(self.size, self.format)?;
            self.runtime.write_texture(&made, |memory| memory.copy_from_slice(texels.bytes()))?;
            Ok(made)
        });
        let made = made.map_err(|error| error::of_gpu(py, &error))?;
        Ok(known.get_or_init(|| made).clone())
    }

    /// The texels in host memory, and whether nobody else sees that memory.
    fn texels(&self, py: Python<'_>) -> PyResult<(Arc<HostTexels>, bool)> {
        if let Place::Picture(texels, _) = &*self.place {
            return Ok((texels.clone(), false));
        }
        let texture = self.gpu(py)?;
        let copy = released(py, || self.runtime.read_texture(&texture));
        Ok((HostTexels::of_copy(copy.map_err(|error| error::of_gpu(py, &error))?), true))
    }

    /// The device that it is handed over on: DLPack's kind and number.
    fn device(&self) -> PyResult<(i32, i32)> {
        if self.is_host() {
            return Ok((dlpack::CPU, 0));
        }
        match self.runtime.cuda() {
            Ok(link) => Ok((dlpack::CUDA, link.device())),
            Err(error) => {
                let text = format!("{error}: ask for a copy with dl_device=(1, 0), or use texture.numpy()");
                Err(PyBufferError::new_err(text))
            }
        }
    }

    fn layout(&self) -> Layout {
        Layout::of(self.format)
    }

    fn mapped(&self, py: Python<'_>) -> PyResult<Mapped> {
        Ok(Mapped::new(self.texels(py)?.0, self.size, self.layout()))
    }

    /// Host memory is what a CPU that plays a GPU computes in; a real one's is not.
    fn is_host(&self) -> bool {
        self.runtime.gpu().info().is_cpu || matches!(*self.place, Place::Picture(..))
    }
}

#[pymethods]
impl Texture {
    #[getter]
    fn width(&self) -> u32 {
        self.size.width
    }

    #[getter]
    fn height(&self) -> u32 {
        self.size.height
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.format.name()
    }

    #[getter]
    fn shape(&self) -> (u32, u32, usize) {
        self.layout().shape(self.size)
    }

    fn numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(py, || {
            let mapped = Bound::new(py, self.mapped(py)?)?;
            let how = PyDict::new(py);
            how.set_item("copy", true)?;
            numpy(py)?.call_method("array", (mapped,), Some(&how))
        })
    }

    fn map(&self, py: Python<'_>) -> PyResult<Mapped> {
        gate::enter(py, || self.mapped(py))
    }

    fn write(&self, py: Python<'_>, array: &Bound<'_, PyAny>) -> PyResult<()> {
        gate::enter(py, || {
            let texture = self.writable(py, &self.runtime)?;
            if cuda::write(array, &self.runtime, &texture)? {
                return Ok(());
            }
            let given = array::texels(array, self.size, self.format)?;
            let bytes = given.borrow();
            let written = released(py, || self.runtime.write_texture(&texture, |to| bytes.copy_to(to)));
            written.map_err(|error| error::of_gpu(py, &error))
        })
    }

    fn png<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        gate::enter(py, || {
            let texture = self.gpu(py)?;
            let png = released(py, || self.runtime.texture_png(&texture));
            Ok(PyBytes::new(py, &png.map_err(|error| error::of_eager(py, &error))?))
        })
    }

    fn _repr_png_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.png(py)
    }

    #[pyo3(signature = (*, stream = None, max_version = None, dl_device = None, copy = None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(py, || {
            let refuse = |text: &str| Err(PyBufferError::new_err(text.to_owned()));
            let is_versioned = max_version.is_some_and(|(major, _)| major >= 1);
            let wanted = dl_device.map_or_else(|| self.device(), |(kind, number)| Ok((kind, number)))?;
            if wanted.0 == dlpack::CUDA {
                if wanted != self.device()? {
                    return refuse("the texture is in memory of another device: leave `dl_device` out");
                }
                if copy == Some(false) {
                    return refuse("texels lie in tiles and are put into rows: do not ask for copy=False");
                }
                let stream = cuda::stream(stream)?;
                let texels = cuda::export(py, &self.runtime, &self.gpu(py)?, stream)?;
                let terms = Terms { is_versioned, is_copy: true };
                return dlpack::export(py, texels, (self.size, self.layout()), terms);
            }
            if wanted.0 != dlpack::CPU {
                return refuse(
                    "a texture is handed over in host memory, (1, 0), or CUDA's: leave `dl_device` out",
                );
            }
            if stream.is_some() {
                return refuse("host memory has no streams: leave `stream` out");
            }
            let (texels, is_own) = self.texels(py)?;
            if is_own && copy == Some(false) {
                return refuse("a texture's texels are copied into host memory: do not ask for copy=False");
            }
            // The older structure cannot say that memory is read-only.
            let needs_copy = !is_own && (copy == Some(true) || !is_versioned);
            let texels = if needs_copy { self.private(py, &texels)? } else { texels };
            let terms = Terms { is_versioned, is_copy: is_own || needs_copy };
            dlpack::export(py, Texels::Host(texels), (self.size, self.layout()), terms)
        })
    }

    fn __dlpack_device__(&self, py: Python<'_>) -> PyResult<(i32, i32)> {
        gate::enter(py, || self.device())
    }

    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        gate::enter(py, || match &*self.place {
            // The array keeps this texture, which keeps the memory.
            Place::Picture(texels, _) => interface(py, texels, self.size, self.layout()),
            Place::Own(_) | Place::Frame(_) => Err(PyAttributeError::new_err(
                "the texture is not in host memory: use texture.numpy() for a copy, or texture.map() for a view",
            )),
        })
    }

    #[getter]
    fn __cuda_array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        gate::enter(py, || {
            if self.is_host() {
                return Err(PyAttributeError::new_err(
                    "the texture is in host memory: use texture.numpy(), or hand it over by DLPack",
                ));
            }
            let changes = matches!(*self.place, Place::Own(_));
            let texture = self.gpu(py)?;
            self.cuda.interface(py, (&self.runtime, &texture), (self.size, self.layout()), changes)
        })
    }

    fn __repr__(&self) -> String {
        format!("<Texture {} {}>", self.size, self.format.name())
    }
}

impl Texture {
    /// The same texels in memory that nobody else sees.
    fn private(&self, py: Python<'_>, texels: &Arc<HostTexels>) -> PyResult<Arc<HostTexels>> {
        let texels = texels.clone();
        let copy = released(py, || {
            let texture = self.runtime.create_texture(self.size, self.format)?;
            self.runtime.write_texture(&texture, |memory| memory.copy_from_slice(texels.bytes()))?;
            self.runtime.read_texture(&texture)
        });
        Ok(HostTexels::of_copy(copy.map_err(|error| error::of_gpu(py, &error))?))
    }
}
