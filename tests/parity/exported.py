"""What the parity checks share: runs of unibench as arrays, and eigenvalues by SciPy."""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from scipy.sparse.linalg import LinearOperator, eigsh
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def unibench(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"unibench {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")


def train(program, dataset, model, loss, rate, steps, measure):
    """One f64 run of gradient descent: its exported arrays and the model's canonical text."""
    with tempfile.TemporaryDirectory() as folder:
        unibench(program, "train", "--dataset", dataset, "--model", model, "--loss", loss,
                 "--optimizer", f"gd:lr={rate}", "--steps", str(steps), "--precision", "f64",
                 "--save-weights", "--out", folder, *(a for m in measure for a in ("--measure", m)))
        (run,) = [r for r in os.listdir(os.path.join(folder, "runs")) if not r.startswith(".")]
        where, file = os.path.join(folder, "runs", run), os.path.join(folder, "run.npz")
        unibench(program, "export", where, "--out", file)
        with open(os.path.join(where, "run.yaml")) as text:
            call = [line for line in text if line.startswith("  model: ")][0]
        with np.load(file) as arrays:
            return dict(arrays), call.split(maxsplit=1)[1].strip('"\n')


def rows(data, observable, step):
    """Values and errors of an observable at a step."""
    keep = (data["trace.observable"] == observable) & (data["trace.step"] == step)
    return data["trace.value"][keep], data["trace.error"][keep]


def weights(data, prefix):
    return {name[len(prefix):]: torch.tensor(data[name], requires_grad=True)
            for name in data if name.startswith(prefix)}


def constants(data):
    """Parameters that are not trained."""
    return {name[7:]: torch.tensor(data[name]) for name in data if name.startswith("frozen.")}


def multiplied(data, params):
    """Parameters as the model's function reads them, times their parametrization's multipliers."""
    return {name: p * float(data.get("multiplier." + name, 1)) for name, p in params.items()}


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def eigenvalues(loss, params, k):
    """The k largest of the Hessian of `loss` (a scalar with its graph), largest first."""
    gradient = flat(torch.autograd.grad(loss, params, create_graph=True))

    def product(v):
        v = torch.tensor(v.ravel().copy())
        return flat(torch.autograd.grad(gradient, params, v, retain_graph=True)).numpy()

    n = len(gradient)
    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    values = eigsh(operator, k, which="LA", tol=1e-11, v0=start, return_eigenvectors=False)
    return np.sort(values)[::-1]
