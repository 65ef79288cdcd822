"""Repeats an exported run in PyTorch, in f64: parity.py UNIBENCH.

Trains for 100 steps of gradient descent with unibench, exports the run, repeats it from the same
initial weights and data, and compares final weights, loss (to 1e-9 relative) and the two largest
Hessian eigenvalues (dense Hessian-vector products, SciPy's eigsh) within unibench's own residual
bounds. Also: covariance eigenvalues of the inputs against NumPy's. Exit code 77: PyTorch or SciPy is
not there.
"""
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

STEPS, RATE = 100, 0.05


def unibench(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"unibench {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def train(program, folder, loss):
    store, file = os.path.join(folder, loss), os.path.join(folder, loss + ".npz")
    unibench(program, "train", "--dataset", "digits", "--model",
             "mlp:widths=64x64,activation=tanh", "--loss", loss, "--optimizer", f"gd:lr={RATE}",
             "--steps", str(STEPS), "--seed", "0", "--precision", "f64", "--measure",
             "loss:at=0+end", "--measure", "sharpness:at=0+end,top=2,tolerance=1e-7,max-products=9000",
             "--measure", "covariance-spectrum:at=0", "--save-weights", "--out", store)
    (run,) = [r for r in os.listdir(os.path.join(store, "runs")) if not r.startswith(".")]
    unibench(program, "export", os.path.join(store, "runs", run), "--out", file)
    return np.load(file)


def rows(data, observable, step):
    keep = (data["trace.observable"] == observable) & (data["trace.step"] == step)
    return data["trace.value"][keep], data["trace.error"][keep]


class Model:
    def __init__(self, data, kind):
        self.x = torch.tensor(data["inputs"]).reshape(len(data["inputs"]), -1)
        self.target = torch.tensor(data["targets"])
        self.kind = kind
        self.params = [torch.tensor(data[f"init.fc{i}.{part}"], requires_grad=True)
                       for i in (1, 2, 3) for part in ("weight", "bias")]

    def loss(self):
        w1, b1, w2, b2, w3, b3 = self.params
        hidden = torch.tanh(torch.tanh(self.x @ w1.T + b1) @ w2.T + b2)
        output = hidden @ w3.T + b3
        if self.kind == "mse":
            return 0.5 * ((output - self.target) ** 2).sum(1).mean()
        return torch.nn.functional.cross_entropy(output, self.target.argmax(1))

    def step(self):
        gradient = torch.autograd.grad(self.loss(), self.params)
        with torch.no_grad():
            for p, g in zip(self.params, gradient):
                p -= RATE * g

    def top(self, k):
        gradient = torch.cat([g.reshape(-1) for g in
                              torch.autograd.grad(self.loss(), self.params, create_graph=True)])

        def product(v):
            v = torch.tensor(v.ravel().copy())
            hv = torch.autograd.grad(gradient, self.params, v, retain_graph=True)
            return torch.cat([h.reshape(-1) for h in hv]).numpy()

        n = len(gradient)
        operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
        return np.sort(eigsh(operator, k, which="LA", tol=1e-11, return_eigenvectors=False))[::-1]


def check(what, measured, expected, tolerance):
    worst = float(np.max(np.abs(measured - expected) - tolerance))
    print(f"{what}: differs by {np.max(np.abs(measured - expected)):.3g}")
    if not worst <= 0:
        sys.exit(f"{what}: {measured}; PyTorch has {expected}, beyond {tolerance}")


def compare(program, folder, kind):
    data = train(program, folder, kind)
    model = Model(data, kind)
    for step in (0, STEPS):
        for _ in range(step):
            model.step()
        loss = model.loss().item()
        check(f"{kind} loss at {step}", rows(data, "loss", step)[0], loss, 1e-9 * loss)
        values, bounds = rows(data, "sharpness", step)
        check(f"{kind} eigenvalues at {step}", values, model.top(len(values)),
              bounds + 1e-9 * values[0])
    final = np.concatenate([p.detach().numpy().ravel() for p in model.params])
    ours = np.concatenate([data[f"final.fc{i}.{part}"].ravel()
                           for i in (1, 2, 3) for part in ("weight", "bias")])
    check(f"{kind} weights at {STEPS}", ours, final, 1e-10)
    return data


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        data = compare(program, folder, "mse")
        compare(program, folder, "ce")
        x = data["inputs"].reshape(len(data["inputs"]), -1)
        for ddof in (0, 1):
            expected = np.linalg.eigvalsh(np.cov(x.T, ddof=ddof))[::-1]
            values = rows(data, "covariance-spectrum.inputs", 0)[0]
            if np.allclose(values, expected[:len(values)], rtol=1e-9, atol=1e-12):
                print(f"covariance eigenvalues agree with NumPy (ddof = {ddof})")
                return
        sys.exit("covariance eigenvalues differ from NumPy's")


main()
