//! The kernels between pictures and RGBA textures: HLSL of `streamlib-media`, compiled like any effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use streamlib_core::picture::{PictureFormat, PictureLayout};
use streamlib_core::plan;
use streamlib_media::convert::{self, Conversion};
use streamlib_shader::{Compiler, Effect, EffectSource};

use crate::error::RunError;

/// Compiled conversions by name.
pub(crate) struct Conversions<'c> {
    compiler: &'c Compiler,
    effects: BTreeMap<String, Arc<Effect>>,
}

impl<'c> Conversions<'c> {
    pub(crate) fn new(compiler: &'c Compiler) -> Self {
        Self { compiler, effects: BTreeMap::new() }
    }

    /// From the planes of `format` to an RGBA texture; `None` when the one plane is RGBA already.
    pub(crate) fn reading(
        &mut self,
        node: &str,
        format: PictureFormat,
    ) -> Result<Option<plan::Conversion>, RunError> {
        self.planned(node, format, convert::to_rgba(format.layout))
    }

    /// From an RGBA texture to the planes of `format`; `None` when the texture is read back as it is.
    pub(crate) fn writing(
        &mut self,
        node: &str,
        format: PictureFormat,
    ) -> Result<Option<plan::Conversion>, RunError> {
        self.planned(node, format, convert::from_rgba(format.layout))
    }

    /// The compiled conversion of that name.
    pub(crate) fn effect(&self, name: &str) -> &Arc<Effect> {
        &self.effects[name]
    }

    fn planned(
        &mut self,
        node: &str,
        format: PictureFormat,
        conversion: Option<&'static Conversion>,
    ) -> Result<Option<plan::Conversion>, RunError> {
        let Some(conversion) = conversion else {
            debug_assert_eq!(format.layout, PictureLayout::Rgba8, "only RGBA needs no conversion");
            return Ok(None);
        };
        let effect = match self.effects.get(conversion.name) {
            Some(known) => known.clone(),
            None => {
                let source = EffectSource::from_text(conversion.name, conversion.hlsl);
                let compiled = self.compiler.compile(&source);
                let compiled =
                    compiled.map_err(|error| RunError::Compile { node: node.to_owned(), error })?;
                self.effects.insert(conversion.name.to_owned(), compiled.clone());
                compiled
            }
        };
        Ok(Some(plan::Conversion {
            name: conversion.name.to_owned(),
            interface: Arc::new(effect.interface.clone()),
            ports: conversion.planes.iter().map(|port| (*port).to_owned()).collect(),
            parameters: conversion.parameters(format),
            threads: format.size,
        }))
    }
}
