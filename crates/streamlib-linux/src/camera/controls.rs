//! What can be set on a camera while it streams: exposure, brightness, focus and so on.

use std::io;
use std::path::{Path, PathBuf};

use super::error::CameraError;
use super::list::text;
use crate::sys::Device;
use crate::sys::abi::Plain as _;
use crate::sys::abi::controls::{self, Control, QueryControl, QueryMenu};

/// Controls asked of a driver before it is taken to repeat itself.
const MOST_CONTROLS: usize = 1024;
/// Entries of a menu, so that a wrong range is no endless list.
const LONGEST_MENU: i32 = 256;

/// What can be set, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraControl {
    /// Its name in lower case with underscores, such as `exposure_time_absolute`: what the driver calls it, and
    /// what `v4l2-ctl` does.
    pub name: String,
    /// Values that it takes.
    pub values: ControlValues,
    /// What the driver sets it to when it starts.
    pub default: i64,
    /// What it is set to; `None` for buttons, and where the driver does not say.
    pub value: Option<i64>,
    /// Whether it can be set at all.
    pub writable: bool,
    /// Whether it does something now. What is automatic, for example, does not listen to its manual control.
    pub active: bool,
}

/// Values that a control takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlValues {
    /// A number.
    Range {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// The driver rounds to a multiple of this, counted from the least.
        step: i64,
    },
    /// 0 or 1.
    Switch,
    /// One of these values; each with what it means.
    Menu(Vec<(i64, String)>),
    /// Any value: setting it does something once.
    Button,
    /// Any of these bits.
    Bits(u32),
}

impl ControlValues {
    fn allow(&self, value: i64) -> bool {
        match self {
            Self::Range { min, max, .. } => (*min..=*max).contains(&value),
            Self::Switch => matches!(value, 0 | 1),
            Self::Menu(entries) => entries.iter().any(|(number, _)| *number == value),
            Self::Button => true,
            Self::Bits(bits) => u32::try_from(value).is_ok_and(|value| value & !bits == 0),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Range { min, max, step } => format!("{min} to {max} in steps of {step}"),
            Self::Switch => "0 or 1".to_owned(),
            Self::Menu(entries) => entries
                .iter()
                .map(|(number, name)| format!("{number} ({name})"))
                .collect::<Vec<_>>()
                .join(", "),
            Self::Button => "anything".to_owned(),
            Self::Bits(bits) => format!("bits of {bits:#x}"),
        }
    }
}

/// The controls of a camera, which another value may stream from at the same time.
///
/// Controls that hold no single number of 32 bits (texts, arrays) are left out.
#[derive(Debug)]
pub struct CameraControls {
    path: PathBuf,
    device: Device,
}

impl CameraControls {
    /// Opens the controls of the camera at `path`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](CameraError::NotFound), [`Denied`](CameraError::Denied) and [`NotACamera`](CameraError::NotACamera).
    pub fn open(path: &Path) -> Result<Self, CameraError> {
        let device = Device::open(path).map_err(|source| CameraError::of(path, "open", source))?;
        let controls = Self { path: path.to_owned(), device };
        // So that what is no V4L2 device is refused here, and not one without controls.
        match controls.describe(controls::NEXT) {
            Err(error) if error.raw_os_error() != Some(libc::EINVAL) => {
                Err(CameraError::of(path, "list its controls", error))
            }
            _ => Ok(controls),
        }
    }

    /// All controls, in the driver's order.
    ///
    /// # Errors
    ///
    /// [`Unplugged`](CameraError::Unplugged) when the camera is gone, [`Driver`](CameraError::Driver) for anything else.
    pub fn list(&self) -> Result<Vec<CameraControl>, CameraError> {
        let queries = self.queries()?;
        Ok(queries.iter().filter_map(|query| Some(self.control(query, self.values(query)?))).collect())
    }

    /// What the control `name` is set to.
    ///
    /// # Errors
    ///
    /// [`NoSuchControl`](CameraError::NoSuchControl), [`Unplugged`](CameraError::Unplugged), and
    /// [`Control`](CameraError::Control) when the driver does not say.
    pub fn get(&self, name: &str) -> Result<i64, CameraError> {
        let (id, values) = self.find(name)?;
        let value = self.value(id).map_err(|source| self.refused(name, source))?;
        Ok(widened(value, &values))
    }

    /// Sets the control `name`. A number between two steps becomes the driver's nearest.
    ///
    /// # Errors
    ///
    /// [`NoSuchControl`](CameraError::NoSuchControl), [`BadControlValue`](CameraError::BadControlValue),
    /// [`Unplugged`](CameraError::Unplugged), and [`Control`](CameraError::Control) when the driver refuses: the control
    /// is read only, or another program holds it.
    pub fn set(&self, name: &str, value: i64) -> Result<(), CameraError> {
        let (id, values) = self.find(name)?;
        let fits = i32::try_from(value).or_else(|_| u32::try_from(value).map(u32::cast_signed));
        match fits {
            Ok(number) if values.allow(value) => {
                let mut argument = Control { id, value: number };
                let set = self.device.call(&controls::S_CTRL, &mut argument);
                set.map_err(|source| self.refused(name, source))
            }
            _ => Err(CameraError::BadControlValue {
                path: self.path.clone(),
                name: name.to_owned(),
                value,
                allowed: values.describe(),
            }),
        }
    }

    /// Reads no values: asking a camera for each of them takes it longer than a frame.
    fn find(&self, name: &str) -> Result<(u32, ControlValues), CameraError> {
        let queries = self.queries()?;
        let named = queries.iter().find(|query| spelled(&text(&query.name)) == name);
        named.and_then(|query| Some((query.id, self.values(query)?))).ok_or_else(|| {
            let settable = queries.iter().filter(|query| self.values(query).is_some());
            CameraError::NoSuchControl {
                path: self.path.clone(),
                name: name.to_owned(),
                known: settable.map(|query| spelled(&text(&query.name))).collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// What the driver says of each of its controls.
    fn queries(&self) -> Result<Vec<QueryControl>, CameraError> {
        let mut queries = Vec::new();
        let mut last = 0;
        while queries.len() < MOST_CONTROLS {
            match self.describe(last | controls::NEXT) {
                Ok(query) if query.id > last => {
                    last = query.id;
                    queries.push(query);
                }
                Ok(_) => break,
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
                Err(error) => return Err(CameraError::of(&self.path, "list its controls", error)),
            }
        }
        Ok(queries)
    }

    fn describe(&self, id: u32) -> io::Result<QueryControl> {
        let mut query = QueryControl { id, ..QueryControl::zeroed() };
        self.device.call(&controls::QUERYCTRL, &mut query)?;
        Ok(query)
    }

    fn control(&self, query: &QueryControl, values: ControlValues) -> CameraControl {
        let has = |flag| query.flags & flag != 0;
        let readable = !has(controls::WRITE_ONLY) && values != ControlValues::Button;
        CameraControl {
            name: spelled(&text(&query.name)),
            default: widened(query.default, &values),
            value: if readable {
                self.value(query.id).ok().map(|value| widened(value, &values))
            } else {
                None
            },
            writable: !has(controls::READ_ONLY),
            active: !has(controls::INACTIVE),
            values,
        }
    }

    /// `None` for headings, and for what holds no single number of 32 bits.
    fn values(&self, query: &QueryControl) -> Option<ControlValues> {
        let QueryControl { minimum, maximum, step, .. } = *query;
        if query.flags & controls::DISABLED != 0 {
            return None;
        }
        match query.kind {
            controls::INTEGER => {
                Some(ControlValues::Range { min: minimum.into(), max: maximum.into(), step: step.into() })
            }
            controls::BOOLEAN => Some(ControlValues::Switch),
            controls::MENU | controls::INTEGER_MENU => {
                let indices = minimum..=maximum.min(minimum.saturating_add(LONGEST_MENU));
                let entry = |index| Some((i64::from(index), self.entry(query, index)?));
                Some(ControlValues::Menu(indices.filter_map(entry).collect()))
            }
            controls::BUTTON => Some(ControlValues::Button),
            controls::BITMASK => Some(ControlValues::Bits(maximum.cast_unsigned())),
            _ => None,
        }
    }

    /// What an entry of a menu means; `None` where the menu has a gap.
    fn entry(&self, query: &QueryControl, index: i32) -> Option<String> {
        let index = index.cast_unsigned();
        let mut menu = QueryMenu { id: query.id, index, ..QueryMenu::zeroed() };
        self.device.call(&controls::QUERYMENU, &mut menu).ok()?;
        Some(if query.kind == controls::INTEGER_MENU {
            let (number, _) = menu.name.split_first_chunk()?;
            i64::from_ne_bytes(*number).to_string()
        } else {
            text(&menu.name)
        })
    }

    fn value(&self, id: u32) -> io::Result<i32> {
        let mut control = Control { id, value: 0 };
        self.device.call(&controls::G_CTRL, &mut control)?;
        Ok(control.value)
    }

    fn refused(&self, name: &str, source: io::Error) -> CameraError {
        match source.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO) => CameraError::Unplugged { path: self.path.clone() },
            _ => CameraError::Control { path: self.path.clone(), name: name.to_owned(), source },
        }
    }
}

/// Bits are a number without sign.
fn widened(value: i32, values: &ControlValues) -> i64 {
    if matches!(values, ControlValues::Bits(_)) { value.cast_unsigned().into() } else { value.into() }
}

/// A driver's name as people write it: `Exposure Time, Absolute` is `exposure_time_absolute`.
fn spelled(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_words_with_underscores() {
        assert_eq!(spelled("Exposure Time, Absolute"), "exposure_time_absolute");
        assert_eq!(spelled("Exposure (Absolute)"), "exposure_absolute");
        assert_eq!(spelled("White Balance Temperature, Auto"), "white_balance_temperature_auto");
        assert_eq!(spelled("Brightness"), "brightness");
    }

    #[test]
    fn values_outside_of_what_a_control_takes_are_told_apart() {
        let range = ControlValues::Range { min: -10, max: 10, step: 5 };
        assert!(range.allow(-10) && range.allow(3) && !range.allow(11));
        assert!(ControlValues::Switch.allow(1) && !ControlValues::Switch.allow(2));
        let menu = ControlValues::Menu(vec![(1, "manual".into()), (3, "aperture".into())]);
        assert!(menu.allow(3) && !menu.allow(2));
        assert_eq!(menu.describe(), "1 (manual), 3 (aperture)");
        let bits = ControlValues::Bits(0x8000_0003);
        assert!(bits.allow(0x8000_0001) && !bits.allow(4) && !bits.allow(-1));
    }

    #[test]
    fn bits_are_no_negative_number() {
        assert_eq!(widened(i32::MIN, &ControlValues::Bits(u32::MAX)), 0x8000_0000);
        assert_eq!(widened(-1, &ControlValues::Switch), -1);
    }
}
