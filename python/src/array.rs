//! Arrays of other libraries: which fit a texture, and what to do about those that do not.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use streamlib::format::{Size, TextureFormat};

use crate::dlpack::Imported;
use crate::error;
use crate::memory::Foreign;

/// How a texel lies in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) channels: usize,
    /// DLPack's code of the element type: 1 is unsigned, 2 is float.
    pub(crate) code: u8,
    pub(crate) bits: u8,
    /// NumPy's name of the element type.
    pub(crate) name: &'static str,
    /// That name as `__array_interface__` spells it.
    pub(crate) spelled: &'static str,
}

impl Layout {
    pub(crate) fn of(format: TextureFormat) -> Self {
        let bytes = |channels| Self { channels, code: 1, bits: 8, name: "uint8", spelled: "|u1" };
        match format {
            TextureFormat::Rgba8
            | TextureFormat::Rgba8Srgb
            | TextureFormat::Bgra8
            | TextureFormat::Bgra8Srgb => bytes(4),
            TextureFormat::R8 => bytes(1),
            TextureFormat::Rg8 => bytes(2),
            TextureFormat::Rgba16Float => {
                Self { channels: 4, code: 2, bits: 16, name: "float16", spelled: "<f2" }
            }
        }
    }

    pub(crate) fn shape(self, size: Size) -> (u32, u32, usize) {
        (size.height, size.width, self.channels)
    }
}

/// What an array says of itself.
struct Found<'py> {
    shape: Vec<i64>,
    /// Bytes from one element to the next, in each dimension.
    strides: Option<Vec<i64>>,
    /// Whether its elements are of the wanted type, and what they are called else.
    wrong_type: Option<String>,
    memory: Memory<'py>,
}

enum Memory<'py> {
    /// Of the array, or of what it gave.
    At(Bound<'py, PyAny>, usize),
    Shared(Imported<'py>),
}

/// The memory of an array that has just the texels of a texture.
pub(crate) fn texels<'py>(
    array: &Bound<'py, PyAny>,
    size: Size,
    format: TextureFormat,
) -> PyResult<Foreign<'py>> {
    let (py, layout) = (array.py(), Layout::of(format));
    let found = look(array, layout)?;
    if let Some(found) = found.wrong_type {
        let (wanted, format) = (layout.name, format.name());
        let text = format!("the array is of {found}, and a texture of {format} takes {wanted}: ");
        return Err(error::value(py, &(text + &type_advice(wanted))));
    }
    check_shape(py, &found.shape, size, layout)?;
    let element = i64::from(layout.bits / 8);
    let (mut packed, mut next) = (Vec::new(), element);
    for &length in found.shape.iter().rev() {
        packed.insert(0, next);
        next *= length;
    }
    // Where there is one element only, its stride means nothing.
    let mut lengths = found.shape.iter().zip(&packed);
    let is_packed = found.strides.as_ref().is_none_or(|strides| {
        strides.iter().all(|stride| lengths.next().is_some_and(|(length, p)| *length == 1 || stride == p))
    });
    if !is_packed {
        let text =
            "the array's rows are not one after the other in memory: give numpy.ascontiguousarray(array)";
        return Err(error::value(py, text));
    }
    let bytes = size.pixels() * format.bytes_per_texel();
    Ok(match found.memory {
        Memory::At(owner, start) => Foreign::new(owner, start, bytes),
        Memory::Shared(imported) => imported.memory(bytes),
    })
}

fn type_advice(wanted: &str) -> String {
    match wanted {
        "uint8" => "give (array * 255).round().astype(numpy.uint8) if it goes from 0 to 1".to_owned(),
        _ => format!("give array.astype(numpy.{wanted})"),
    }
}

pub(crate) fn check_shape(py: Python<'_>, shape: &[i64], size: Size, layout: Layout) -> PyResult<()> {
    let (height, width, channels) = layout.shape(size);
    let wanted = [i64::from(height), i64::from(width), channels as i64];
    if shape == wanted || (channels == 1 && shape == &wanted[..2]) {
        return Ok(());
    }
    let advice = match shape {
        [h, w, 3] if [*h, *w] == wanted[..2] && channels == 4 => {
            "give it an alpha channel, as with numpy.pad(array, ((0, 0), (0, 0), (0, 1)), constant_values=255)"
        }
        [c, h, w] if [*h, *w, *c] == wanted => {
            "put the channels last, as with numpy.moveaxis(array, 0, -1).copy()"
        }
        [w, h, c] if [*h, *w, *c] == wanted => "rows come first: give array.swapaxes(0, 1).copy()",
        [h, w, c] if *c == wanted[2] && (*h, *w) != (wanted[0], wanted[1]) => {
            "resize the array, or create the texture in its size"
        }
        _ => "rows come first, then columns, then channels",
    };
    let text = format!("the array has the shape {shape:?}, and the texture takes {wanted:?}: {advice}");
    Err(error::value(py, &text))
}

fn look<'py>(array: &Bound<'py, PyAny>, layout: Layout) -> PyResult<Found<'py>> {
    if let Some(told) = array.getattr_opt("__array_interface__")? {
        return of_interface(array, &told.cast_into::<PyDict>()?, layout);
    }
    if array.hasattr("__dlpack__")? {
        let imported = Imported::ask(array)?;
        let element = i64::from(imported.bits / 8).max(1);
        let strides = imported.strides.as_ref();
        let strides = strides.map(|strides| strides.iter().map(|stride| stride * element).collect());
        let wrong_type = wrong_type(imported.code, imported.bits, layout);
        return Ok(Found {
            shape: imported.shape.clone(),
            strides,
            wrong_type,
            memory: Memory::Shared(imported),
        });
    }
    let kind = array.get_type().name()?;
    let text = format!("a {kind} is no array: give a NumPy array, a tensor, or a picture of PIL's");
    Err(PyTypeError::new_err(text))
}

/// What elements of a type by DLPack's code are called, where they are not those of the layout.
pub(crate) fn wrong_type(code: u8, bits: u8, layout: Layout) -> Option<String> {
    let kind = ["int", "uint", "float"].get(usize::from(code)).unwrap_or(&"another type");
    ((code, bits) != (layout.code, layout.bits)).then(|| format!("{kind}{bits}"))
}

fn of_interface<'py>(
    array: &Bound<'py, PyAny>,
    told: &Bound<'py, PyDict>,
    layout: Layout,
) -> PyResult<Found<'py>> {
    let wrong = || PyTypeError::new_err("the array's __array_interface__ lacks what it must have");
    let entry = |name: &str| told.get_item(name)?.ok_or_else(wrong);
    let shape: Vec<i64> = entry("shape")?.extract()?;
    let spelled: String = entry("typestr")?.extract()?;
    let strides = told.get_item("strides")?.filter(|strides| !strides.is_none());
    let strides = strides.map(|strides| strides.extract()).transpose()?;
    let plain = |text: &str| text.replace(['=', '|'], "<");
    let wrong_type = (plain(&spelled) != plain(layout.spelled)).then(|| called(array, &spelled));
    let data = entry("data")?;
    let memory = match data.cast::<PyBytes>() {
        // PIL hands out a copy.
        Ok(bytes) => {
            let expected = shape.iter().product::<i64>() * i64::from(layout.bits / 8);
            if wrong_type.is_none() && bytes.as_bytes().len() as i64 != expected {
                return Err(wrong());
            }
            Memory::At(data.clone(), bytes.as_bytes().as_ptr() as usize)
        }
        Err(_) => {
            let (start, _is_read_only): (usize, bool) = data.extract()?;
            Memory::At(array.clone(), start)
        }
    };
    Ok(Found { shape, strides, wrong_type, memory })
}

/// NumPy's name of the array's element type, else as it is spelled.
fn called(array: &Bound<'_, PyAny>, spelled: &str) -> String {
    let name = array.getattr("dtype").and_then(|dtype| dtype.getattr("name")).and_then(|name| name.extract());
    name.unwrap_or_else(|_| spelled.to_owned())
}
