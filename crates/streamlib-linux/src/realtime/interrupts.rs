//! Which CPUs answer a device.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The kernel's counts of interrupts.
const COUNTS: &str = "/proc/interrupts";
/// Folders of the devices on PCI buses.
const DEVICES: &str = "/sys/bus/pci/devices";

/// A device's interrupts. A thread on the CPU that serves them is held up by the kernel just when the device has finished something:
/// on a virtual machine with an H100 by 50 µs. One that waits for the device without sleeping had better be elsewhere.
#[derive(Debug)]
pub struct DeviceInterrupts {
    folder: PathBuf,
    counts: PathBuf,
    /// How many each CPU has served.
    served: BTreeMap<usize, u64>,
}

impl DeviceInterrupts {
    /// Those of the device at `address` on a PCI bus, such as `0000:17:00.0`.
    ///
    /// # Errors
    /// When there is no such device, or the system does not tell of interrupts.
    pub fn of_pci_device(address: &str) -> io::Result<Self> {
        if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)) {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("`{address}` is no address on PCI")));
        }
        Self::read(Path::new(DEVICES).join(address), COUNTS.into())
    }

    fn read(folder: PathBuf, counts: PathBuf) -> io::Result<Self> {
        let mut this = Self { folder, counts, served: BTreeMap::new() };
        this.served = this.count()?;
        Ok(this)
    }

    /// The CPUs that have served interrupts of the device since the last call, or since this was made. It reads some files, which
    /// takes a fraction of a millisecond, or a few where there are hundreds of CPUs.
    ///
    /// # Errors
    /// When the device is gone.
    pub fn served_since(&mut self) -> io::Result<Vec<usize>> {
        let now = self.count()?;
        let before = std::mem::replace(&mut self.served, now);
        let more = |(cpu, count): (&usize, &u64)| (Some(count) > before.get(cpu)).then_some(*cpu);
        Ok(self.served.iter().filter_map(more).collect())
    }

    fn count(&self) -> io::Result<BTreeMap<usize, u64>> {
        // A driver may ask for others while it runs.
        let numbers = self.numbers()?;
        Ok(counts_of(&numbers, &std::fs::read_to_string(&self.counts)?))
    }

    /// The numbers that the kernel has given to them.
    fn numbers(&self) -> io::Result<Vec<String>> {
        match std::fs::read_dir(self.folder.join("msi_irqs")) {
            Ok(files) => files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect(),
            // It has a line on the board instead of messages, or none.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(vec![std::fs::read_to_string(self.folder.join("irq"))?.trim().to_owned()])
            }
            Err(error) => Err(error),
        }
    }
}

/// How many of the interrupts with these numbers each CPU has served. The first line names the CPUs, each other an interrupt: its
/// number, a count for each CPU, and what it is.
fn counts_of(numbers: &[String], text: &str) -> BTreeMap<usize, u64> {
    let mut lines = text.lines();
    let cpus = lines.next().unwrap_or_default().split_whitespace();
    let cpus: Vec<usize> = cpus.filter_map(|name| name.strip_prefix("CPU")?.parse().ok()).collect();
    let mut served = BTreeMap::new();
    for line in lines {
        let Some((number, counts)) = line.split_once(':') else { continue };
        if numbers.iter().any(|wanted| wanted == number.trim()) {
            for (cpu, count) in cpus.iter().zip(counts.split_whitespace()) {
                *served.entry(*cpu).or_default() += count.parse().unwrap_or(0);
            }
        }
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a machine with CPUs 0, 1 and 3 has it.
    fn table(counts: [u64; 3]) -> String {
        let [a, b, c] = counts;
        format!(
            "           CPU0       CPU1       CPU3       \n  0:         44          0          0  IR-IO-APIC    2-edge      timer\n \
             42:  {a:>9}  {b:>9}  {c:>9}  PCI-MSIX-0000:17:00.0    0-edge      nvidia\n 43:          9          9          9  \
             PCI-MSIX-0000:18:00.0    0-edge      other\n142:          0          1          0  PCI-MSIX-0000:17:00.0    1-edge      \
             nvidia\nNMI:          7          7          7   Non-maskable interrupts\nERR:          0\n"
        )
    }

    #[test]
    fn cpus_are_those_that_have_served_more_than_before() {
        let folder = tempfile::tempdir().unwrap();
        let (device, counts) = (folder.path().join("device"), folder.path().join("interrupts"));
        std::fs::create_dir_all(device.join("msi_irqs")).unwrap();
        for number in ["42", "142"] {
            std::fs::write(device.join("msi_irqs").join(number), "msix\n").unwrap();
        }
        std::fs::write(&counts, table([0, 5, 0])).unwrap();
        let mut interrupts = DeviceInterrupts::read(device.clone(), counts.clone()).unwrap();
        assert_eq!(interrupts.served, BTreeMap::from([(0, 0), (1, 6), (3, 0)]));
        assert!(interrupts.served_since().unwrap().is_empty());
        std::fs::write(&counts, table([0, 5, 70])).unwrap();
        assert_eq!(interrupts.served_since().unwrap(), [3]);
        assert!(interrupts.served_since().unwrap().is_empty());
        std::fs::write(&counts, table([1, 6, 70])).unwrap();
        assert_eq!(interrupts.served_since().unwrap(), [0, 1]);
        std::fs::remove_dir_all(&device).unwrap();
        assert!(interrupts.served_since().is_err(), "the device was pulled");
    }

    #[test]
    fn a_device_with_a_line_on_the_board_is_found_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let counts = folder.path().join("interrupts");
        std::fs::write(folder.path().join("irq"), "42\n").unwrap();
        std::fs::write(&counts, table([0, 5, 0])).unwrap();
        let interrupts = DeviceInterrupts::read(folder.path().into(), counts).unwrap();
        assert_eq!(interrupts.served[&1], 5);
    }

    #[test]
    fn nonsense_is_no_interrupt_at_all() {
        let numbers = ["42".to_owned()];
        for text in ["", "\n", "CPU0 CPUx\n42", "CPU0\n42:", ":::\n:\n42:x y z", "42: 1 2 3"] {
            let served = counts_of(&numbers, text);
            assert!(served.values().all(|&count| count == 0), "{text:?}: {served:?}");
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_an_error() {
        assert!(DeviceInterrupts::of_pci_device("ffff:ff:1f.7").is_err());
        for address in ["../../../etc", "", "a/b"] {
            assert!(DeviceInterrupts::of_pci_device(address).is_err(), "{address:?}");
        }
    }

    #[test]
    fn this_machines_devices_can_be_looked_at() {
        let Ok(devices) = std::fs::read_dir(DEVICES) else { return };
        for device in devices {
            let name = device.unwrap().file_name();
            let mut interrupts = DeviceInterrupts::of_pci_device(&name.to_string_lossy()).unwrap();
            let cpus = interrupts.served_since().unwrap();
            let online =
                std::fs::read_to_string(COUNTS).unwrap().lines().next().unwrap().matches("CPU").count();
            assert!(cpus.len() <= online, "{cpus:?}");
        }
    }
}
