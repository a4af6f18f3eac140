//! The conformance suite on Vulkan, with the validation layer watching.

mod conformance;
mod support;

use conformance::copies;
use streamlib_vulkan::VulkanGpu;

fn check(test: impl FnOnce(&VulkanGpu)) {
    let Some(gpu) = support::gpu() else { return };
    test(&gpu);
    assert_eq!(gpu.validation_messages(), 0, "the validation layer complained");
}

#[test]
fn what_is_uploaded_is_downloaded() {
    check(copies::what_is_uploaded_is_downloaded);
}
