"""What ci/peers and ci/peers-spectra share: PyTorch's kernel sets, and programs that print "WHAT NUMBER" lines."""
import os
import subprocess
import sys

PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")


# Memory that PyTorch frees after each operation is kept by the process: where first touches are dear (virtual machines),
# giving it back made convolutions take up to ten times as long.
KEEP_MEMORY = ":".join(f"glibc.malloc.{what}={size << 20}" for what, size in
                       (("mmap_threshold", 8192), ("trim_threshold", 8192), ("top_pad", 256)))


def start():
    """Goes to the repository's root, and forgets what the user's environment says of kernels: both sides are taken at
    their best. Ends the program where PyTorch or SciPy is missing."""
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    for name in [name for name in os.environ if name.startswith(("OPENBLAS_", "ONEDNN_", "DNNL_", "UNIBENCH_KERNELS"))]:
        del os.environ[name]
    if subprocess.run([PYTHON, "-c", "import torch, scipy"], capture_output=True).returncode:
        sys.exit("needs PyTorch and SciPy: apt-get install python3-torch python3-scipy")


def machine():
    """The processor, its widest vectors, and how many cores there are for us."""
    with open("/proc/cpuinfo") as file:
        facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in file)}
    sets = (("avx512_bf16", "AVX-512 with bfloat16"), ("avx512vl", "AVX-512"), ("avx2", "AVX2"))
    widest = next((name for flag, name in sets if flag in facts.get("flags", "").split()), "neither AVX-512 nor AVX2")
    return f"{facts.get('model name', 'Unknown processor')}, {widest}, {len(os.sched_getaffinity(0))} cores"


def cores():
    """OpenBLAS' kernel sets: its own choice, and AVX-512 sets where the CPU has them."""
    with open("/proc/cpuinfo") as file:
        flags = file.read()
    found = [None]
    found += ["SkylakeX"] if "avx512vl" in flags else []
    found += ["Cooperlake"] if "avx512_bf16" in flags else []
    return found


def run(command, threads=1, core=None):
    environment = dict(os.environ, OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    if command[0] == PYTHON:
        environment["GLIBC_TUNABLES"] = KEEP_MEMORY
    if core:
        environment["OPENBLAS_CORETYPE"] = core
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def output(command, threads=1, core=None):
    """Lines "WHAT NUMBER" as a dictionary."""
    return {what: float(value) for what, value in (line.split() for line in run(command, threads, core).splitlines())}
