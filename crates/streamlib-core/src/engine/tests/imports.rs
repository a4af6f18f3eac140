//! Pictures that a device writes into textures by itself.

use super::*;
use crate::gpu::TextureDesc;
use crate::plan::Conversion;

/// A feed whose pictures `add`, as a conversion, makes 51 brighter.
fn converted() -> Feed {
    let interface = Arc::new(interface("add"));
    let (ports, parameters) = (vec!["input".to_owned()], vec![("amount".to_owned(), Value::Float(0.2))]);
    let conversion = Conversion { name: "add".into(), interface, ports, parameters, threads: GREY.size };
    Feed::Pictures(GREY, Some(conversion))
}

#[test]
fn what_a_device_wrote_is_converted_without_host_memory_and_comes_back_by_number() {
    let mut rig = engine_fed_with(CHAIN, &converted());
    let (size, format) = (GREY.size, crate::format::TextureFormat::Rgba8);
    let plane = |label| rig.gpu.create_texture(&TextureDesc { label, size, format }).expect("a texture");
    let planes = [plane("first"), plane("second")];
    let pictures = planes.clone().map(|plane| vec![plane]);
    let imports = rig.engine.imports(0, 3, &pictures).expect("memory").expect("a conversion reads them");
    assert_eq!(imports.iter().map(Upload::number).collect::<Vec<_>>(), [0, 1]);
    for (frame, upload) in imports.into_iter().rev().enumerate() {
        let grey = 0.2 * (frame + 1) as f32;
        planes[upload.number()].fill([grey, grey, grey, 1.0]);
        rig.uploads = vec![upload];
        let filled = rig.uploads[0].fill(&super::grey(7));
        assert!(filled.is_ok(), "the host has nothing to do");
        let mut slot = rig.engine.take_slot().expect("a free slot");
        slot.feed(rig.uploads.remove(0));
        let meta = FrameMeta { sequence: frame as u64, ..FrameMeta::default() };
        let slot = rig.engine.submit(slot, &meta, |_| true).expect("submitted");
        assert_eq!(rig.collect(slot), 51 * (frame as u8 + 1) + 102);
        assert_eq!(rig.uploads[0].number(), 1 - frame);
    }
}

#[test]
fn pictures_that_need_no_conversion_are_not_imported() {
    let rig = engine(CHAIN);
    let imports = rig.engine.imports(0, 3, &[vec![]]).expect("nothing to go wrong");
    assert!(imports.is_none());
}
