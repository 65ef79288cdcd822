"""What a sweep costs beside its runs' work: how near workers come to what this machine gives processes that share
nothing, and what the parent and the start of each run take. For ci/peers; alone: ci/peer_sweeps.py BUILD."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

SWEEP = """name: sweep
runs:
  - dataset: {{digits: {{size: 500}}}}
    model: {{mlp: {{widths: 32x32}}}}
    loss: mse
    optimizer: {{gd: {{lr: 0.1}}}}
    steps: {steps}
    seed: 0..{last}
    measure: {measure}
"""
FEW, MANY = 20, 220


def write_suite(folder, runs, steps, measure):
    path = os.path.join(folder, f"sweep-{runs}.yaml")
    with open(path, "w") as file:
        file.write(SWEEP.format(steps=steps, last=runs - 1, measure=measure))
    return path


def command(build, suite, store, jobs, *more):
    return [os.path.join(build, "unibench"), "run", suite, "--out", store, "--jobs", str(jobs), *more]


def together(build, suite, jobs, processes):
    """Seconds until all of so many sweeps, started at once, have ended."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        all_of_them = [subprocess.Popen(command(build, suite, os.path.join(folder, str(k)), jobs),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                       for k in range(processes)]
        if any([one.wait() for one in all_of_them]):
            sys.exit("a sweep failed")
        return time.perf_counter() - began


def processor(build, suite, *more):
    """Processor seconds of a sweep's parent, and of its workers: of a process that has ended and is not waited for."""
    with tempfile.TemporaryDirectory() as folder:
        one = subprocess.Popen(command(build, suite, os.path.join(folder, "store"), 1, *more),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        with open(f"/proc/{one.pid}/schedstat") as file:
            parent = int(file.read().split()[0]) / 1e9
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if one.wait():
            sys.exit("a sweep failed")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return parent, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime - parent


def a_run(build, folder, rounds, *more):
    """Milliseconds a run that a sweep of many costs more than one of few: parent, worker."""
    suites = [write_suite(folder, runs, 1, "{loss: {at: end}}") for runs in (FEW, MANY)]
    turns = [[processor(build, suite, *more) for suite in suites] for _ in range(rounds)]
    return [1000 * statistics.median(many[k] - few[k] for few, many in turns) / (MANY - FEW) for k in (0, 1)]


def sweep_text(build, rounds, cores):
    """Three turns: one worker, all of them, and as many processes with one worker each."""
    with tempfile.TemporaryDirectory() as folder:
        suite = write_suite(folder, 16, 1500, "{loss: {every: 10}, sharpness: {every: 10}}")
        turns = [[together(build, suite, jobs, processes) for jobs, processes in ((1, 1), (cores, 1), (1, cores))]
                 for _ in range(rounds)]
        one, many, apart = (statistics.median(turn[k] for turn in turns) for k in range(3))
        parent, packed = a_run(build, folder, rounds)
        lone_parent, lone = a_run(build, folder, rounds, "--no-pack")
    return (f"\nSweep of 16 small systems: {one:.2f} s with one worker, {many:.2f} s with {cores}: {one / many:.2f}x "
            f"(target 1.95 of 2); {cores} such sweeps at once, one worker each, are {cores * one / apart:.2f}x, the "
            f"machine's own limit. A run of one step takes the parent {parent:.2f} ms (target 2) and its worker "
            f"{packed:.2f} ms (target 3), processor time; with a process of its own {lone_parent:.2f} and {lone:.2f} ms.")


if __name__ == "__main__":
    print(sweep_text(os.path.abspath(sys.argv[1]), 3, len(os.sched_getaffinity(0))))
