#!/usr/bin/env python3
"""The benchmark of the Python package; `./x bench python` runs it.

It needs no more than `streamlib` and NumPy to be importable: `python benches/python/bench.py --out DIR`. Whoever has wgpu,
moderngl or torch as well sees them beside it.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from statistics import median

import cases
import page

HERE = Path(__file__).resolve().parent
LIMIT_S = 300


def arguments():
    parser = argparse.ArgumentParser(
        prog="./x bench python",
        description=__doc__.splitlines()[0],
        epilog="./x bench python takes `--wheel FILE` as well: the package to time, in the place of one that is built now.",
    )
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="folder that the results are written to")
    parser.add_argument("--quick", action="store_true", help="few frames and rounds: to see that everything works")
    parser.add_argument("--rounds", type=int, help="process restarts of each contender (4, quickly 2; cheap cases have more)")
    parser.add_argument("--cases", type=lambda text: text.split(","), help="only those whose names contain one of these")
    parser.add_argument("--native", help="the `streamlib` program that runs the graph from Rust; else the package's command does")
    return parser.parse_args()


def run(case, options):
    """One process; its rows, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, HERE / case.program, answer, str(time.monotonic_ns()), json.dumps(options)]
        try:
            # What somebody set for tests would be timed with the rest.
            environment = {**os.environ, "STREAMLIB_VALIDATION": "0"}
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment)
        except subprocess.TimeoutExpired:
            return {"failed": f"no answer in {LIMIT_S} s"}
        if done.returncode != 0 or not answer.exists():
            said = done.stderr.strip().splitlines() or ["nothing was said"]
            return {"failed": f"ended with {done.returncode}: {said[-1]}"}
        return json.loads(answer.read_text(encoding="utf-8"))


def name_of(case, options):
    return options.get("who") or options.get("module") or case.name


def measure(case, rounds):
    """A case over all its rounds."""
    rounds = case.rounds or rounds
    absent, samples = {}, []
    for number in range(-case.warmups, rounds):
        samples.append({})
        for options in case.starts if number % 2 == 0 else reversed(case.starts):
            name = name_of(case, options)
            if name in absent:
                continue
            # Where looking at pixels would warm up what is timed, they are looked at in starts that do not count.
            answer = run(case, {**options, "checks": number < 0})
            if "rows" in answer:
                samples[-1].update(answer["rows"])
            else:
                kind, why = next(iter(answer.items()))
                absent[name] = why if kind == "absent" else f"{kind}: {why}"
                print(f"  {name}: {absent[name]}", file=sys.stderr)
        if number < 0:
            samples.pop()
    found = summed(case, samples)
    return {"title": case.title, "about": case.about, "rounds_done": rounds, "absent": absent, "rows": summed(case, samples)}


def summed(case, rounds):
    """Rows of all rounds: quantiles over everything, and ratios of the medians within each round."""
    names = list(dict.fromkeys(name for at in rounds for name in at))
    rows = {}
    for name in names:
        everything = sorted(sample for at in rounds for sample in at.get(name, []))
        unit = unit_of(case, name, names)
        ratios = [median(at[name]) / median(at[unit]) for at in rounds if at.get(name) and at.get(unit)]
        quantile = lambda share: everything[min(len(everything) - 1, int(share * len(everything)))]  # noqa: E731
        rows[name] = {
            "p50_ns": median(everything),
            "p99_ns": quantile(0.99),
            "max_ns": everything[-1],
            "samples": len(everything),
            "unit": unit,
            "ratio": [median(ratios), min(ratios), max(ratios)] if ratios else None,
        }
    return rows


def unit_of(case, name, names):
    """What a row is divided by: of the case's units that are there, the one of the same figure, else the first."""
    there = [unit for unit in case.unit if unit in names]
    figure = name.partition(": ")[2]
    return next((unit for unit in there if unit.partition(": ")[2] == figure), there[0] if there else None)


def about_the_machine():
    """The device, and the versions of what takes part."""
    program = "import streamlib as s; r = s.default_runtime(); print(r.device_name); print(int(r.is_cpu))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: streamlib does not start here: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    device, is_cpu = done.stdout.splitlines()[-2:]
    versions = {}
    for name in ("streamlib", "numpy", "wgpu", "moderngl", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return device, is_cpu == "1", versions


def main():
    args = arguments()
    native = str(Path(args.native).resolve()) if args.native else None
    device, is_cpu, versions = about_the_machine()
    print(f"device: {device}")
    args.out.mkdir(parents=True, exist_ok=True)
    words = re.sub(r"[^a-z0-9]+", " ", device.lower()).split()[:3]
    stem = args.out / f"python-{'-'.join(words)}"
    results = {
        "device": device,
        "is_cpu": is_cpu,
        "quick": args.quick,
        "command": shlex.join(["./x", "bench", "python", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": versions,
        "cases": {},
    }
    all_cases = cases.everything(is_cpu, args.quick, native)
    chosen = [case for case in all_cases if not args.cases or any(part in case.name for part in args.cases)]
    if not chosen:
        sys.exit(f"bench: no case is called so; there are: {', '.join(case.name for case in all_cases)}")
    is_well = True
    for case in chosen:
        begin = time.monotonic()
        found = results["cases"][case.name] = measure(case, args.rounds or (2 if args.quick else 4))
        print(f"{case.title} ({time.monotonic() - begin:.0f} s)")
        for name, row in found["rows"].items():
            print(f"  {name:<45} {page.time_text(row['p50_ns']):>10}  {page.ratio_text(name, row)}")
        is_well &= not any(why.startswith(("failed", "wrong")) for why in found["absent"].values())
        stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        stem.with_suffix(".md").write_text(page.write(results), encoding="utf-8")
    print(f"wrote {stem}.json and {stem}.md")
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
