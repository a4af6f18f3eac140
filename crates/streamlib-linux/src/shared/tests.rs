//! Pages between two views of one process, and files that are no pages.

use std::sync::atomic::Ordering;
use std::thread;

use super::*;

const WORDS: usize = 70;

fn file(bytes: u64, flags: MemfdFlags, seals: SealFlags) -> OwnedFd {
    let file = rustix::fs::memfd_create("test", flags).unwrap();
    rustix::fs::ftruncate(&file, bytes).unwrap();
    if !seals.is_empty() {
        fcntl_add_seals(&file, seals).unwrap();
    }
    file
}

#[test]
fn what_one_side_writes_the_other_reads() {
    let (page, file) = SharedPage::create("test", WORDS, Others::Read).unwrap();
    let view = ReadOnlyPage::open(&file, WORDS).unwrap();
    page.words()[WORDS - 1].store(7, Ordering::Relaxed);
    page.head()[15].store(8, Ordering::Relaxed);
    assert_eq!((view.word(WORDS - 1), view.head(15), view.word(0)), (7, 8, 0));
}

#[test]
fn a_page_that_others_only_read_cannot_be_opened_for_writing_nor_changed() {
    let (_page, file) = SharedPage::create("test", WORDS, Others::Read).unwrap();
    assert!(matches!(SharedPage::open(&file, WORDS), Err(PageError::System { action: "map", .. })));
    assert!(rustix::io::write(&file, b"x").is_err());
    assert!(rustix::fs::ftruncate(&file, 0).is_err());
}

#[test]
fn files_that_could_change_under_their_reader_are_refused() {
    let size = bytes(WORDS) as u64;
    let sealable = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let all = seals(Others::Read);
    for missing in [SealFlags::SHRINK, SealFlags::GROW, SealFlags::FUTURE_WRITE] {
        let file = file(size, sealable, all - missing);
        assert!(matches!(ReadOnlyPage::open(&file, WORDS), Err(PageError::NotSealed { .. })), "{missing:?}");
    }
    let unsealable = file(size, MemfdFlags::CLOEXEC, SealFlags::empty());
    assert!(matches!(ReadOnlyPage::open(&unsealable, WORDS), Err(PageError::NotSealed { .. })));
    assert!(matches!(SharedPage::open(&unsealable, WORDS), Err(PageError::NotSealed { .. })));
    for size in [0, 1, size - 1, size + 1, 1 << 40] {
        let file = file(size, sealable, all);
        assert!(matches!(ReadOnlyPage::open(&file, WORDS), Err(PageError::WrongSize { .. })), "{size}");
    }
}

#[test]
fn what_is_no_memory_file_is_refused() {
    let null: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    let text: OwnedFd = std::fs::File::open("/proc/self/maps").unwrap().into();
    let (pipe, _other_end) = io::pipe().unwrap();
    for file in [null, text, pipe.into()] {
        assert!(matches!(ReadOnlyPage::open(&file, WORDS), Err(PageError::NotMemory)));
    }
}

#[test]
fn a_reader_that_waits_is_woken() {
    let (page, file) = SharedPage::create("test", WORDS, Others::Read).unwrap();
    let view = ReadOnlyPage::open(&file, WORDS).unwrap();
    // Far longer than any test takes: only a wake-up, or a change before the wait, ends it.
    let waiting = thread::spawn(move || {
        while view.head(3) == 0 {
            view.wait(3, 0, Duration::from_secs(600));
        }
    });
    page.head()[3].store(1, Ordering::Release);
    page.wake(3);
    waiting.join().unwrap();
}
