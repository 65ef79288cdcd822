"""Reads what PyTorch and NumPy write, and compares with NumPy: weights.py UNIBENCH.

A state_dict of PyTorch layers, made heavier in its tail and given outliers, saved by
numpy.savez_compressed and as safetensors (written by hand, as the format says) in float64, float32,
float16 and bfloat16. Everything that singular values give agrees to 1e-10 with NumPy's of the same
rounded numbers; alpha and KS are recomputed at the cut-off that was found. Exit code 77: PyTorch is
not there.
"""
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

LAYERS = torch.nn.ModuleDict({
    "encoder": torch.nn.TransformerEncoderLayer(48, 4, 96),
    "conv": torch.nn.Conv2d(3, 16, 3),
    "norm": torch.nn.BatchNorm2d(16),
    "embedding": torch.nn.Embedding(70, 20),
})
DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
          torch.int64: "I64"}


def state():
    torch.manual_seed(0)
    tensors = {}
    for name, t in LAYERS.state_dict().items():
        if t.ndim >= 2:
            t = torch.randn(t.shape, dtype=torch.float64)
            t = t * torch.rand(len(t), dtype=torch.float64).reshape(-1, *[1] * (t.ndim - 1)) ** -0.4
        tensors[name] = t
    return tensors


def save_safetensors(path, tensors):
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, t in tensors.items():
        t = t.contiguous()
        raw = t.view(torch.int16) if t.dtype == torch.bfloat16 else t
        data = raw.numpy().tobytes()
        header[name] = {"dtype": DTYPES[t.dtype], "shape": list(t.shape),
                        "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def spectra(program, path, *options):
    out = path + ".out"
    done = subprocess.run([program, "spectra", "--weights", path, "--out", out, *options],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"unibench spectra {path}: exit {done.returncode}: {done.stderr}")
    with open(os.path.join(out, "weights.csv"), newline="") as file:
        return {row["weight"]: row for row in csv.DictReader(file)}


def eigenvalues(w, pooled):
    """Of a weight, descending; pooled: of a kernel's matrices, one a position."""
    w = w.reshape(*w.shape[:2], -1) if pooled else w.reshape(len(w), -1, 1)
    values = np.linalg.svd(np.moveaxis(w, 2, 0), compute_uv=False).ravel() ** 2
    return np.sort(values)[::-1]


def expected(w, pooled, row):
    values = eigenvalues(w, pooled)
    share = values / values.sum()
    numbers = {
        "values": len(values), "singular-value.1": values[0] ** 0.5,
        "singular-value.2": values[1] ** 0.5, "singular-value.3": values[2] ** 0.5,
        "frobenius-norm": np.linalg.norm(w), "stable-rank": values.sum() / values[0],
        "participation-ratio": values.sum() ** 2 / (values ** 2).sum(),
        "entropy-rank": np.exp(-(share * np.log(share)).sum()),
        "log-norm": np.log10(values.sum()), "log-spectral-norm": np.log10(values[0]),
        "noise-outliers": (values > float(row["noise-edge"])).sum(),
    }
    if row["xmin"]:
        cut = float(row["xmin"])
        tail = np.sort(values[values >= cut * (1 - 1e-12)])
        alpha = 1 + len(tail) / np.log(tail / cut).sum()
        law, at = 1 - (tail / cut) ** (1 - alpha), np.arange(len(tail))
        numbers |= {
            "tail": len(tail), "alpha": alpha, "alpha-hat": alpha * np.log10(values[0]),
            "ks-distance": max((law - at / len(tail)).max(), ((at + 1) / len(tail) - law).max()),
        }
    return numbers


def compare(what, tensors, table, pooled):
    weights = {name: t.double().numpy() for name, t in tensors.items() if t.ndim >= 2}
    if sorted(weights) != sorted(table):
        sys.exit(f"{what}: weights {sorted(table)}; expected {sorted(weights)}")
    worst = 0.0
    for name, w in weights.items():
        for column, value in expected(w, pooled, table[name]).items():
            error = abs(float(table[name][column]) - value) / max(1.0, abs(value))
            worst = max(worst, error)
            if not error <= 1e-10:
                sys.exit(f"{what}: {name}: {column} is {table[name][column]}; NumPy has {value}")
    tails = sum(bool(row["xmin"]) for row in table.values())
    print(f"{what}: {len(weights)} weights, {tails} tails, differ by at most {worst:.1e}")
    if tails < len(weights) - 1:
        sys.exit(f"{what}: expected a tail of nearly every weight")


def main():
    program, tensors = sys.argv[1], state()
    with tempfile.TemporaryDirectory() as folder:
        for save in (np.savez, np.savez_compressed):
            path = os.path.join(folder, save.__name__ + ".npz")
            save(path, **{name: t.numpy() for name, t in tensors.items()})
            compare(save.__name__, tensors, spectra(program, path), True)
        path = os.path.join(folder, "columns.npz")
        np.savez(path, **{name: np.asfortranarray(t.numpy()) for name, t in tensors.items()})
        compare("Fortran order", tensors, spectra(program, path, "--kernels", "matrix"), False)
        for dtype, word in DTYPES.items():
            if not dtype.is_floating_point:
                continue
            path = os.path.join(folder, word + ".safetensors")
            cast = {n: t.to(dtype) if t.ndim >= 2 else t for n, t in tensors.items()}
            save_safetensors(path, cast)
            compare("safetensors " + word, cast, spectra(program, path), True)


if __name__ == "__main__":
    main()
