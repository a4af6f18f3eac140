//! The conformance suite on Vulkan, with the validation layer watching.

mod conformance;
#[path = "conformance/steps.rs"]
mod steps;
mod support;

use conformance::{batches, clocks, copies, flight, kernels, mistakes, rebinding};
use streamlib_vulkan::VulkanGpu;

fn check(test: impl FnOnce(&VulkanGpu)) {
    let Some(gpu) = support::gpu() else { return };
    test(&gpu);
    assert_eq!(gpu.validation_messages(), 0, "the validation layer complained");
}

macro_rules! suite {
    ($($module:ident: $($name:ident $(($argument:expr))?),*;)*) => {$($(
        #[test]
        fn $name() {
            check(|gpu| $module::$name(gpu $(, &$argument)?));
        }
    )*)*};
}

suite! {
    batches:
        batches_run_in_order_and_see_each_others_writes,
        nothing_can_be_submitted_too,
        a_submission_that_is_refused_changes_nothing;
    clocks:
        timestamps_lie_between_submission_and_end((support::monotonic_ns as clocks::Now)),
        a_wait_may_come_before_its_submission;
    copies:
        what_is_uploaded_is_downloaded,
        a_clear_fills_the_texture_in_linear_light,
        an_untouched_texture_shows_nobody_elses_memory,
        host_buffers_start_as_zeros;
    kernels:
        kernels_read_and_write_every_four_byte_format(support::kernels()),
        each_dispatch_has_its_own_uniforms(support::kernels()),
        a_kernel_reads_its_buffer(support::kernels());
    flight:
        the_host_is_kept_out_while_work_is_in_flight,
        an_open_buffer_cannot_be_submitted,
        everything_can_be_dropped_in_flight,
        values_grow_by_one_and_a_wait_can_time_out,
        an_empty_recording_is_a_recording;
    mistakes:
        sizes_beyond_the_device_are_refused,
        copies_that_do_not_fit_are_refused,
        dispatches_with_wrong_bindings_are_refused(support::kernels()),
        bad_code_is_refused(support::kernels());
    rebinding:
        inputs_and_outputs_can_be_bound_anew(support::kernels()),
        what_is_bound_lives_until_the_work_has_finished(support::kernels()),
        what_cannot_be_bound_anew_is_refused(support::kernels());
}
