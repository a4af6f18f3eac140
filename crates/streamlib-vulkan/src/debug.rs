//! Validation messages into the log, names and labels into debuggers.
#![allow(unsafe_code, reason = "the messenger's callback and debug-utils calls")]

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk;

/// Counts what the validation layer complains about. Its address is given to the driver, so it stays in a box.
#[derive(Debug, Default)]
pub(crate) struct MessageCount(AtomicU64);

impl MessageCount {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the messenger is told to report, and to whom.
pub(crate) fn messenger_info(count: &MessageCount) -> vk::DebugUtilsMessengerCreateInfoEXT<'static> {
    use vk::{DebugUtilsMessageSeverityFlagsEXT as Severity, DebugUtilsMessageTypeFlagsEXT as Type};
    vk::DebugUtilsMessengerCreateInfoEXT::default()
        .message_severity(Severity::ERROR | Severity::WARNING)
        .message_type(Type::VALIDATION | Type::GENERAL)
        .pfn_user_callback(Some(report))
        .user_data(std::ptr::from_ref(count).cast_mut().cast::<c_void>())
}

/// Called by the loader and the validation layer, on any thread, from within a Vulkan call.
unsafe extern "system" fn report(
    severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    kind: vk::DebugUtilsMessageTypeFlagsEXT,
    data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    user_data: *mut c_void,
) -> vk::Bool32 {
    // SAFETY: the caller passes a valid structure for the time of this call, or null.
    let message = unsafe { data.as_ref() }
        .and_then(|data| {
            // SAFETY: when set, the message is a null-terminated string that lives as long as `data`.
            (!data.p_message.is_null()).then(|| unsafe { CStr::from_ptr(data.p_message) })
        })
        .map_or(Cow::Borrowed("(no text)"), CStr::to_string_lossy);
    if !kind.contains(vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION) {
        // The loader's own remarks, for instance about drivers that are not for this machine.
        tracing::debug!(target: "streamlib_vulkan::loader", "{message}");
        return vk::FALSE;
    }
    if misses_modifiers(&message) || mistakes_descriptor(&message) {
        tracing::debug!(target: "streamlib_vulkan::validation", "{message}");
        return vk::FALSE;
    }
    // SAFETY: `user_data` is the address given in `messenger_info`, of a `MessageCount` that outlives the messenger.
    if let Some(count) = unsafe { user_data.cast::<MessageCount>().as_ref() } {
        count.0.fetch_add(1, Ordering::Relaxed);
    }
    if severity.contains(vk::DebugUtilsMessageSeverityFlagsEXT::ERROR) {
        tracing::error!(target: "streamlib_vulkan::validation", "{message}");
    } else {
        tracing::warn!(target: "streamlib_vulkan::validation", "{message}");
    }
    vk::FALSE
}

/// Whether the layer takes images with a format modifier to be good for nothing at all. It looks that up in
/// `VkDrmFormatModifierPropertiesList2EXT`, which Mesa's software driver leaves empty (25.0); what this crate does with such
/// images stands in the list that the extension came with.
fn misses_modifiers(message: &str) -> bool {
    let nothing = ["(VkFormatFeatureFlags2(0))", "has no supported format features"];
    message.contains("VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT")
        && nothing.iter().any(|words| message.contains(words))
}

/// Whether the layer takes memory that comes from elsewhere for a fence that went out before under the same number: it remembers the
/// descriptors of semaphores after they were closed (1.4.309), as memory without a size that was made for no image.
fn mistakes_descriptor(message: &str) -> bool {
    let stale = ["allocationSize (0).", "was not created with a dedicated image"];
    message.contains("VkImportMemoryFdInfoKHR>.fd") && stale.iter().any(|words| message.contains(words))
}

/// `label` as the C string that Vulkan wants; what stands after a null character is cut off.
pub(crate) fn c_label(label: &str) -> CString {
    let bytes: Vec<u8> = label.bytes().take_while(|byte| *byte != 0).collect();
    CString::new(bytes).unwrap_or_default()
}
