//! What a node `surface:` asks for: `surface:front?access=everyone&buffers=12&memory=dma-buf`, `surface:front?wait=10`.

use std::time::Duration;

use streamlib_core::gpu::Sharing;

use super::SurfaceError;

/// How the name of a surface begins.
pub(crate) const SURFACE: &str = "surface:";
/// Buffers that readers may hold together, besides those under way.
const BUFFERS: usize = 8;
/// How many may be asked for: the pages that readers look at have room for 64.
const BUFFER_RANGE: std::ops::RangeInclusive<usize> = 2..=48;
/// Kinds of memory: what the device does best; what other devices take; what programs without a GPU can read as well.
const MEMORY: [(&str, Sharing); 3] =
    [("device", Sharing::Device), ("dma-buf", Sharing::Devices), ("dma-buf-linear", Sharing::Programs)];
/// How long a source waits for the first frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who may open a surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Programs of the same user.
    #[default]
    User,
    /// Those of the group with this number, too.
    Group(u32),
    /// All of this machine.
    Everyone,
}

/// What the name of a sink says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishOptions {
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) buffers: usize,
    /// What memory the frames lie in.
    pub(crate) sharing: Sharing,
}

/// What the name of a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadOptions {
    pub(crate) name: String,
    pub(crate) patience: Duration,
}

impl PublishOptions {
    pub(crate) fn parse(uri: &str) -> Result<Self, SurfaceError> {
        let (name, wishes) = parts(uri)?;
        let (access, sharing) = (Access::default(), Sharing::default());
        let mut options = Self { name, access, buffers: BUFFERS, sharing };
        for (wish, value) in wishes {
            let wrong = |what| Err(refused(uri, &format!("{wish}={value}"), what));
            match (wish, value) {
                ("access", "user") => options.access = Access::User,
                ("access", "everyone") => options.access = Access::Everyone,
                ("access", group) => match group.strip_prefix("group:").map(str::parse) {
                    Some(Ok(group)) => options.access = Access::Group(group),
                    _ => return wrong("is not known: `access` is user, everyone, or group:NUMBER"),
                },
                ("buffers", count) => match count.parse().ok().filter(|count| BUFFER_RANGE.contains(count)) {
                    Some(count) => options.buffers = count,
                    None => return wrong("is no number of buffers: it goes from 2 to 48"),
                },
                ("memory", kind) => match MEMORY.iter().find(|(known, _)| *known == kind) {
                    Some((_, sharing)) => options.sharing = *sharing,
                    None => return wrong("is not known: `memory` is device, dma-buf, or dma-buf-linear"),
                },
                _ => return wrong("is not known: a sink has `access`, `buffers` and `memory`"),
            }
        }
        Ok(options)
    }
}

impl ReadOptions {
    pub(crate) fn parse(uri: &str) -> Result<Self, SurfaceError> {
        let (name, wishes) = parts(uri)?;
        let mut options = Self { name, patience: PATIENCE };
        for (wish, value) in wishes {
            let seconds = value.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
            match (wish, seconds) {
                ("wait", Some(seconds)) => options.patience = Duration::from_secs_f64(seconds),
                ("wait", None) => {
                    let what = "is no time: `wait` is seconds, from 0 to 86400";
                    return Err(refused(uri, &format!("{wish}={value}"), what));
                }
                _ => {
                    return Err(refused(
                        uri,
                        &format!("{wish}={value}"),
                        "is not known: a source has `wait`",
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Names of wishes and their values.
type Wishes<'a> = Vec<(&'a str, &'a str)>;

/// The name, and the wishes after it.
fn parts(uri: &str) -> Result<(String, Wishes<'_>), SurfaceError> {
    let rest = uri.strip_prefix(SURFACE).unwrap_or(uri);
    let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
    if name.is_empty() {
        return Err(refused(
            uri,
            rest,
            "names no surface: write `surface:NAME`; `streamlib surfaces` lists them",
        ));
    }
    let wishes = query.split('&').filter(|wish| !wish.is_empty());
    Ok((name.to_owned(), wishes.map(|wish| wish.split_once('=').unwrap_or((wish, ""))).collect()))
}

fn refused(uri: &str, found: &str, what: &'static str) -> SurfaceError {
    SurfaceError::Option { uri: uri.to_owned(), found: found.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_wishes_are_read() {
        let sink = |uri: &str| PublishOptions::parse(uri).expect(uri);
        let (access, sharing) = (Access::User, Sharing::Device);
        let plain = PublishOptions { name: "front/left".into(), access, buffers: BUFFERS, sharing };
        assert_eq!(sink("surface:front/left"), plain);
        assert_eq!(sink("surface:front/left?"), plain);
        assert_eq!(sink("surface:a?access=everyone&buffers=12").buffers, 12);
        assert_eq!(sink("surface:a?access=everyone").access, Access::Everyone);
        assert_eq!(sink("surface:a?access=group:44").access, Access::Group(44));
        assert_eq!(sink("surface:a?memory=device").sharing, Sharing::Device);
        assert_eq!(sink("surface:a?memory=dma-buf").sharing, Sharing::Devices);
        assert_eq!(sink("surface:a?memory=dma-buf-linear&buffers=3").sharing, Sharing::Programs);
        let source = ReadOptions::parse("surface:a?wait=0.5").expect("a source");
        assert_eq!((source.name.as_str(), source.patience), ("a", Duration::from_millis(500)));
        assert_eq!(ReadOptions::parse("surface:a").expect("a source").patience, PATIENCE);
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for (uri, said) in [
            ("surface:", "names no surface"),
            ("surface:?buffers=3", "names no surface"),
            ("surface:a?access=nobody", "`access` is user, everyone, or group:NUMBER"),
            ("surface:a?access=group:x", "`access` is user, everyone, or group:NUMBER"),
            ("surface:a?buffers=1", "from 2 to 48"),
            ("surface:a?buffers=many", "from 2 to 48"),
            ("surface:a?memory=host", "`memory` is device, dma-buf, or dma-buf-linear"),
            ("surface:a?wait=3", "a sink has `access`, `buffers` and `memory`"),
        ] {
            let error = PublishOptions::parse(uri).expect_err(uri).to_string();
            assert!(error.contains(said), "{error}");
        }
        for (uri, said) in [
            ("surface:a?wait=-1", "from 0 to 86400"),
            ("surface:a?wait", "from 0"),
            ("surface:a?x=1", "`wait`"),
        ] {
            let error = ReadOptions::parse(uri).expect_err(uri).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
