//! Bits and Exp-Golomb codes of parameter sets (ITU-T H.264 §7.2, §9.1).

/// Reads an RBSP from its first bit; every read is `None` past the end.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = *self.data.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// Up to 32 bits, most significant first.
    pub(super) fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u32::from(self.bit()?)))
    }

    /// `ue(v)`.
    pub(super) fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.bits(zeros)?)
    }

    /// `se(v)`.
    pub(super) fn signed(&mut self) -> Option<i32> {
        let code = i64::from(self.unsigned()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }

    /// Bits left before the stop bit that ends every RBSP.
    pub(super) fn left(&self) -> Option<usize> {
        let last = self.data.iter().rposition(|&byte| byte != 0)?;
        let stop = last * 8 + 7 - self.data[last].trailing_zeros() as usize;
        stop.checked_sub(self.position)
    }
}

/// Writes an RBSP bit by bit.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    pub(super) fn bit(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if bit {
            self.bytes[self.used / 8] |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }

    pub(super) fn bits(&mut self, value: u32, count: u32) {
        for shift in (0..count).rev() {
            self.bit(value >> shift & 1 == 1);
        }
    }

    /// `ue(v)`.
    pub(super) fn unsigned(&mut self, value: u32) {
        let length = u64::BITS - (u64::from(value) + 1).leading_zeros();
        self.bits(0, length - 1);
        for shift in (0..length).rev() {
            self.bit((u64::from(value) + 1) >> shift & 1 == 1);
        }
    }

    /// Adds the stop bit and returns the bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bit(true);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_are_read_as_the_standard_tabulates_them() {
        // Table 9-2: 1, 010, 011, 00100 are 0, 1, 2, 3; signed: 0, 1, -1, 2.
        let bytes = [0b1010_0110, 0b0100_0000];
        let mut unsigned = BitReader::new(&bytes);
        assert_eq!([0; 4].map(|_| unsigned.unsigned()), [Some(0), Some(1), Some(2), Some(3)]);
        let mut signed = BitReader::new(&bytes);
        assert_eq!([0; 4].map(|_| signed.signed()), [Some(0), Some(1), Some(-1), Some(2)]);
        assert_eq!(BitReader::new(&[0; 8]).unsigned(), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = BitWriter::default();
        for value in [0, 1, 254, 65_535, u32::MAX / 2 - 1] {
            writer.unsigned(value);
        }
        writer.bits(0b101, 3);
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        for value in [0, 1, 254, 65_535, u32::MAX / 2 - 1] {
            assert_eq!(reader.unsigned(), Some(value));
        }
        assert_eq!(reader.left(), Some(3));
        assert_eq!(reader.bits(3), Some(0b101));
    }
}
