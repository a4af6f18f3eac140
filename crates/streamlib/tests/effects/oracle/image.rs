//! Pictures of `f64` and how Vulkan reads them.

/// Red, green, blue, alpha; 0..=1 where a texture can hold it.
pub(crate) type Color = [f64; 4];

/// A picture whose rows run from left to right, top to bottom.
#[derive(Clone)]
pub(crate) struct Image {
    width: u32,
    height: u32,
    texels: Vec<Color>,
}

impl Image {
    /// A picture made pixel by pixel.
    pub(crate) fn from_fn(width: u32, height: u32, mut f: impl FnMut(u32, u32) -> Color) -> Self {
        let at = |i: u32| (i % width, i / width);
        let texels = (0..width * height).map(at).map(|(x, y)| f(x, y)).collect();
        Self { width, height, texels }
    }

    /// The picture in 8-bit RGBA texels.
    pub(crate) fn from_rgba8(width: u32, height: u32, bytes: &[u8]) -> Self {
        let texel = |bytes: &[u8]| std::array::from_fn(|i| f64::from(bytes[i]) / 255.0);
        let texels = bytes.chunks_exact(4).map(texel).collect();
        Self { width, height, texels }
    }

    /// As 8-bit RGBA: clamped, rounded to the nearest.
    pub(crate) fn to_rgba8(&self) -> Vec<u8> {
        let code = |&value: &f64| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        self.texels.iter().flatten().map(code).collect()
    }

    /// Rounded to what 8 bits can hold.
    pub(crate) fn rounded(&self) -> Self {
        Self::from_rgba8(self.width, self.height, &self.to_rgba8())
    }

    /// Pixels per row.
    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    /// Width and height.
    pub(crate) fn size(&self) -> [f64; 2] {
        [f64::from(self.width), f64::from(self.height)]
    }

    /// A texel; outside, the nearest one of the edge.
    pub(crate) fn texel(&self, x: i64, y: i64) -> Color {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        self.texels[y * self.width as usize + x]
    }

    /// Bilinear reading with clamping (Vulkan 1.3, "Texel filtering").
    pub(crate) fn sample(&self, [u, v]: [f64; 2]) -> Color {
        let x = u * f64::from(self.width) - 0.5;
        let y = v * f64::from(self.height) - 0.5;
        let (left, top) = (x.floor(), y.floor());
        let (right_weight, low_weight) = (x - left, y - top);
        let (left, top) = (left as i64, top as i64);
        let corners = [
            (self.texel(left, top), (1.0 - right_weight) * (1.0 - low_weight)),
            (self.texel(left + 1, top), right_weight * (1.0 - low_weight)),
            (self.texel(left, top + 1), (1.0 - right_weight) * low_weight),
            (self.texel(left + 1, top + 1), right_weight * low_weight),
        ];
        std::array::from_fn(|i| corners.iter().map(|(color, weight)| color[i] * weight).sum())
    }
}
