"""The written page of a run."""

from targets import TARGETS, judged, time_text


def write(results):
    """The page, in Markdown."""
    lines = [f"# {results['device']}, the Python package", ""]
    lines.append(
        f"Written by `{results['command']}` on {results['date']}; what is measured and how is in "
        f"[README.md](README.md#the-python-package). Python {results['python']}, {results['cores']} CPU cores. × is the time over "
        "that of the row with 1 in the same round: the median, and in brackets the least and the greatest over the rounds."
    )
    if results["quick"]:
        lines += ["", "**A quick run (`--quick`): few frames, two rounds. It says that everything works; its times are not for publication.**"]
    lines += ["", "| target | measured | |", "|---|---|---|"]
    for target in TARGETS:
        measured, is_met = judged(target, results)
        verdict = {None: "", True: " met", False: " **not met**"}[is_met]
        lines.append(f"| {target.text} | {measured} |{verdict} |")
    for case in results["cases"].values():
        lines += ["", f"## {case['title']}", "", f"{case['about']} {_rounds(case)}", ""]
        lines += _table(case)
        if case["absent"]:
            lines += ["", "Without times: " + "; ".join(f"{who} ({why})" for who, why in case["absent"].items()) + "."]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def _rounds(case):
    return f"{case['rounds_done']} rounds, each with new processes."


def _table(case):
    lines = ["| | p50 | p99 | max | × |", "|---|---|---|---|---|"]
    for name, row in case["rows"].items():
        times = " | ".join(time_text(row[key]) for key in ("p50_ns", "p99_ns", "max_ns"))
        lines.append(f"| {name} | {times} | {ratio_text(name, row)} |")
    return lines


def ratio_text(name, row):
    """A row's ratio to its unit, with the least and the greatest over the rounds."""
    if name == row["unit"]:
        return "1"
    ratio = row["ratio"]
    return "" if ratio is None else f"{ratio[0]:.3g} ({ratio[1]:.3g} to {ratio[2]:.3g})"
