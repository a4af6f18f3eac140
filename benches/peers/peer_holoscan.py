"""Holoscan: what its scheduler adds for each pass-through operator of a row."""

import time

import common


class Holoscan:
    def __init__(self, _request):
        import holoscan

        self.versions = {"holoscan": holoscan.__version__}
        self.device = "CPU, greedy scheduler"

    def job(self, request):
        raise common.Unsupported("the work of a shader is not Holoscan's; only its scheduling is compared")

    def shaders(self, _request):
        raise common.Unsupported("Holoscan takes no shader text")

    def graph(self, request):
        """One number after another through operators that hand on what they get."""
        # Two lengths, so that what the ends cost falls out of the difference.
        short, long = self.periods(request, 2), self.periods(request, 2 + request.nodes)
        short.sort()
        base = short[len(short) // 2]
        wall = [max(period - base, 0) // request.nodes for period in long]
        return {"wall_ns": wall, "gpu_ns": [], "note": "operators in Python, greedy scheduler, ends taken off"}

    @staticmethod
    def periods(request, length):
        """Times between frames that arrive at the end of a row."""
        from holoscan.conditions import CountCondition
        from holoscan.core import Application, Operator, OperatorSpec
        from holoscan.schedulers import GreedyScheduler

        arrivals = []

        class First(Operator):
            def setup(self, spec: OperatorSpec):
                spec.output("out")

            def compute(self, _op_input, op_output, _context):
                op_output.emit(1, "out")

        class Middle(Operator):
            def setup(self, spec: OperatorSpec):
                spec.input("in")
                spec.output("out")

            def compute(self, op_input, op_output, _context):
                op_output.emit(op_input.receive("in"), "out")

        class Last(Operator):
            def setup(self, spec: OperatorSpec):
                spec.input("in")

            def compute(self, op_input, _op_output, _context):
                op_input.receive("in")
                arrivals.append(time.perf_counter_ns())

        class Row(Application):
            def compose(self):
                count = CountCondition(self, request.frames + request.warmup + 1)
                before = First(self, count, name="first")
                for index in range(length - 2):
                    after = Middle(self, name=f"middle{index}")
                    self.add_flow(before, after)
                    before = after
                self.add_flow(before, Last(self, name="last"))

        row = Row()
        row.scheduler(GreedyScheduler(row, name="greedy"))
        row.run()
        kept = arrivals[request.warmup :]
        return [after - before for before, after in zip(kept, kept[1:])]


if __name__ == "__main__":
    common.main(Holoscan)
