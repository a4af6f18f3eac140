//! Parameters and buffers that are set while frames run.

use std::sync::atomic::{AtomicBool, Ordering};

use streamlib::value::Value;

use crate::rig::{CAM, LIMIT, Rig, pixel};

/// Red and green by two effects that are not one kernel, as the second looks elsewhere; blue by both of them.
fn pair() -> Option<Rig> {
    Rig::start(&format!(
        "{CAM}
        [nodes.one]
        hlsl = '''float level < float UIMin = 0; float UIMax = 255; > = 0; float other = 0;
            float4 main(float2 uv : TEXCOORD) : SV_Target {{ return float4(level / 255, 0, other / 255, 1); }}'''
        size = [16, 16]
        [nodes.two]
        hlsl = '''float level = 0; StructuredBuffer<float> gain; Texture2D cam;
            float4 main(float2 uv : TEXCOORD) : SV_Target {{
                float4 c = tex2D(input, 1 - uv);
                return float4(c.r, level / 255, gain[0] / 255, gain[3] / 255) + 0 * tex2D(cam, uv);
            }}'''
        inputs = {{ input = 'one', cam = {{ from = 'cam', delivery = 'lossless' }} }}
        set = {{ gain = [1, 2, 3, 4] }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'two', delivery = 'lossless' }} }}"
    ))
}

fn setting(node: &str, parameter: &str, value: Value) -> (String, String, Value) {
    (node.to_owned(), parameter.to_owned(), value)
}

#[test]
fn groups_of_parameters_set_from_many_threads_change_in_the_same_frame() {
    let _turn = crate::rig::turn();
    let Some(rig) = pair() else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let is_over = AtomicBool::new(false);
    let mut seen = std::collections::BTreeSet::new();
    let Rig { live, runtime, .. } = &rig;
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut level = thread;
                while !is_over.load(Ordering::Relaxed) {
                    level = (level * 7 + 3) % 256;
                    let value = Value::Float(f64::from(level));
                    let gain = Value::List((0..4).map(|_| value.clone()).collect());
                    let group = [
                        setting("one", "level", value.clone()),
                        setting("two", "level", value),
                        setting("two", "gain", gain),
                    ];
                    live.set_all(&group).expect("they fit");
                }
            });
        }
        for frame in 0..200 {
            // The first frame may run before the first group.
            while !crate::rig::push(&mut cam, frame) {
                assert!(!live.wait(std::time::Duration::from_millis(1)));
            }
            let frame = out.wait(LIMIT).expect("a frame");
            let [red, green, blue, alpha] = pixel(runtime.gpu(), &frame);
            if [red, green, blue, alpha] != [0, 0, 1, 4] {
                assert_eq!([red; 3], [green, blue, alpha], "a group in parts");
                seen.insert(red);
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(seen.len() > 10, "they never changed: {seen:?}");
    rig.stop();
}

#[test]
fn what_does_not_fit_is_refused_in_the_effects_own_words_and_changes_nothing() {
    let _turn = crate::rig::turn();
    let Some(mut rig) = pair() else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    rig.live.set("two", "level", Value::Float(50.0)).expect("it fits");
    let list = |values: &[f64]| Value::List(values.iter().map(|value| Value::Float(*value)).collect());
    rig.live.set("two", "gain", list(&[9.0, 8.0, 7.0, 6.0])).expect("it fits");
    let before = rig.live.graph();
    for (node, parameter, value, said) in [
        ("one", "level", Value::Float(256.0), "parameter `level` = 256 is outside 0..=255"),
        ("one", "levle", Value::Float(1.0), "no parameter `levle`"),
        ("one", "level", list(&[1.0, 2.0]), "takes 1 number(s), 2 given"),
        ("two", "gain", list(&[1.0]), "buffer `gain` has 4 elements while the graph runs"),
        ("nobody", "level", Value::Float(1.0), "nobody"),
        ("cam", "level", Value::Float(1.0), "cam"),
    ] {
        // The whole group is refused for one of its members.
        let group = [setting("two", "level", Value::Float(99.0)), setting(node, parameter, value)];
        let refused = rig.live.set_all(&group).expect_err("it does not fit").to_string();
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(rig.live.graph(), before);
    rig.push(&mut cam, 1);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(pixel(rig.gpu(), &frame), [0, 50, 9, 6]);
    assert_eq!(rig.live.stats().graph.frames_in, 1);
    rig.stop();
}
