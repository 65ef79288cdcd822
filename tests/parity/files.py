"""Reads what NumPy and Python's csv module write, and compares with NumPy: files.py UNIBENCH.

.npy files of every floating-point type, byte order and order of axes, of weights from 1e-300 to
1e300 and of kernels in either order of their axes: norms agree to 1e-12. Tables in the dialects of
spreadsheets, whose numbers, exported from a run, are those that were written, bit for bit. Exit code
77: NumPy is not there.
"""
import csv
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def run(*command, cwd):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr}")


# ---- weights ------------------------------------------------------------------------------------

def check_weight(program, folder, what, stored, slices):
    """`slices`: the matrices that the stored array stands for."""
    np.save(os.path.join(folder, "w.npy"), stored)
    run(program, "spectra", "--weights", "w.npy", "--out", "out", cwd=folder)
    with open(os.path.join(folder, "out", "weights.csv"), newline="") as file:
        row, = csv.DictReader(file)
    scale = float(np.abs(stored).max())
    values = np.linalg.svd(np.asarray(slices, dtype=np.float64) / scale, compute_uv=False)
    largest = np.sort(values.ravel())[::-1][:3] * scale
    numbers = {f"singular-value.{k + 1}": v for k, v in enumerate(largest)}
    numbers["frobenius-norm"] = np.sqrt((values ** 2).sum()) * scale
    numbers["stable-rank"] = (values ** 2).sum() / (values ** 2).max()
    for column, value in numbers.items():
        if not abs(float(row[column]) / value - 1) <= 1e-12:
            sys.exit(f"{what}: {column} is {row[column]}; NumPy has {value}")


def check_weights(program, folder):
    rng, cases = np.random.default_rng(0), 0
    base = rng.standard_normal((40, 30))
    for dtype in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        for order in "CF":
            w = np.asarray(base, dtype=dtype, order=order)
            check_weight(program, folder, f"{dtype} {order}", w, [w])
            cases += 1
    for power in range(-300, 301, 50):
        w = base * 10.0 ** power
        check_weight(program, folder, f"10^{power}", w, [w])
        cases += 1
    for shape in ((16, 8, 3, 3), (20, 12, 5), (32, 16, 1, 7), (10, 6, 3, 3, 3)):
        w = rng.standard_normal(shape)
        matrices = np.moveaxis(w.reshape(*shape[:2], -1), 2, 0)
        keras = np.moveaxis(np.moveaxis(w, 1, -1), 0, -1)  # positions x in x out
        for order in "CF":
            check_weight(program, folder, f"OIHW {shape}", np.asarray(w, order=order), matrices)
            check_weight(program, folder, f"HWIO {shape}", np.asarray(keras, order=order), matrices)
            cases += 2
    print(f"{cases} weights agree with NumPy")


# ---- tables -------------------------------------------------------------------------------------

def written(value, decimal):
    return repr(float(value)).replace(".", decimal)


def check_table(program, folder, numbers, encoding, decimal, **dialect):
    names = [f"c, {k}" if k == 1 else f"c{k}" for k in range(numbers.shape[1] - 1)] + ["y"]
    with open(os.path.join(folder, "t.csv"), "w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, **dialect)
        writer.writerow(names)
        writer.writerows([written(v, decimal) for v in row] for row in numbers)
    word = "comma" if decimal == "," else "point"
    store = tempfile.mkdtemp(dir=folder)
    run(program, "train", "--dataset", f"csv:file=t.csv,label=y,task=regression,decimal={word}",
        "--model", "linear", "--loss", "mse", "--optimizer", "gd:lr=1e-9", "--steps", "1",
        "--save-weights", "--out", store, cwd=folder)
    one, = os.listdir(os.path.join(store, "runs"))
    run(program, "export", os.path.join(store, "runs", one), "--out", "t.npz", cwd=folder)
    with np.load(os.path.join(folder, "t.npz")) as data:
        got = np.hstack([data["inputs"].reshape(len(numbers), -1),
                         data["targets"].reshape(len(numbers), -1)])
    if not np.array_equal(got, numbers):
        sys.exit(f"{encoding}, {dialect}: other numbers came out")


def check_tables(program, folder):
    numbers, cases = np.random.default_rng(1).standard_normal((12, 5)), 0
    for encoding in ("utf-8", "utf-8-sig"):
        for end in ("\n", "\r\n", "\r"):
            for delimiter in ",;\t|":
                for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
                    decimal = "," if delimiter == ";" else "."
                    check_table(program, folder, numbers, encoding, decimal, delimiter=delimiter,
                                lineterminator=end, quoting=quoting)
                    cases += 1
    print(f"{cases} tables come back bit for bit")


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        check_weights(program, folder)
        check_tables(program, folder)


if __name__ == "__main__":
    main()
