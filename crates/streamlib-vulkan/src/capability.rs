//! Which SPIR-V capabilities and extensions a device takes.

use ash::vk::SubgroupFeatureFlags as Subgroup;

use crate::error::Shortfall;
use crate::features::Features;

/// Refuses a capability that the device was not created with.
pub(crate) fn check(capability: u32, features: &Features) -> Result<(), Shortfall> {
    let subgroup = |flag| features.subgroup.contains(flag);
    let (name, is_there) = match capability {
        // Matrix, Shader, Sampled1D, Image1D, SampledBuffer, ImageBuffer, ImageQuery.
        0 | 1 | 43 | 44 | 46 | 47 | 50 => return Ok(()),
        9 => ("Float16", features.float16),
        10 => ("Float64", features.float64),
        11 => ("Int64", features.int64),
        22 => ("Int16", features.int16),
        25 => ("ImageGatherExtended", features.gather_extended),
        39 => ("Int8", features.int8),
        49 => ("StorageImageExtendedFormats", features.extended_formats),
        55 => ("StorageImageReadWithoutFormat", features.read_without_format),
        56 => ("StorageImageWriteWithoutFormat", features.write_without_format),
        61 => ("GroupNonUniform", subgroup(Subgroup::BASIC)),
        62 => ("GroupNonUniformVote", subgroup(Subgroup::VOTE)),
        63 => ("GroupNonUniformArithmetic", subgroup(Subgroup::ARITHMETIC)),
        64 => ("GroupNonUniformBallot", subgroup(Subgroup::BALLOT)),
        65 => ("GroupNonUniformShuffle", subgroup(Subgroup::SHUFFLE)),
        66 => ("GroupNonUniformShuffleRelative", subgroup(Subgroup::SHUFFLE_RELATIVE)),
        67 => ("GroupNonUniformClustered", subgroup(Subgroup::CLUSTERED)),
        68 => ("GroupNonUniformQuad", subgroup(Subgroup::QUAD)),
        other => return Err(Shortfall::Capability(format!("SPIR-V capability {other}"))),
    };
    if is_there { Ok(()) } else { Err(Shortfall::Capability(name.to_owned())) }
}

/// Extensions that Vulkan 1.2 takes without being asked, and that need no capability beyond those above.
const CORE: [&str; 3] = [
    "SPV_KHR_storage_buffer_storage_class",
    "SPV_KHR_no_integer_wrap_decoration",
    "SPV_GOOGLE_decorate_string",
];

/// Refuses an extension that the device was not created with.
pub(crate) fn check_extension(name: &str, features: &Features) -> Result<(), Shortfall> {
    if CORE.contains(&name) || features.spirv_extensions.contains(&name) {
        Ok(())
    } else {
        Err(Shortfall::SpirvExtension(name.to_owned()))
    }
}
