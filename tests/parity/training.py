"""Repeats an exported run in PyTorch, in f64: training.py UNIBENCH.

Trains for 100 steps of gradient descent with unibench, exports the run, repeats it from the same
initial weights and data, and compares final weights, loss (to 1e-9 relative) and the two largest
Hessian eigenvalues within unibench's own residual bounds. Also: covariance eigenvalues of the
inputs against NumPy's. Exit code 77: PyTorch or SciPy is not there.
"""
import sys

import exported
import mirror
import numpy as np
import torch

STEPS, RATE = 100, 0.05
MEASURE = ("loss:at=0+end", "sharpness:at=0+end,top=2,tolerance=1e-7,max-products=9000",
           "covariance-spectrum:at=0")


def check(what, measured, expected, tolerance):
    worst = float(np.max(np.abs(measured - expected) - tolerance))
    print(f"{what}: differs by {np.max(np.abs(measured - expected)):.3g}")
    if not worst <= 0:
        sys.exit(f"{what}: {measured}; PyTorch has {expected}, beyond {tolerance}")


def compare(program, kind):
    data, call = exported.train(program, "digits", "mlp:widths=64x64,activation=tanh", kind, RATE,
                                STEPS, MEASURE)
    x, target = torch.tensor(data["inputs"]), torch.tensor(data["targets"])
    shape = mirror.Data((1, 8, 8), 10)
    forward, params = mirror.forward(call, shape), exported.weights(data, "init.")

    def loss():
        return mirror.loss(kind, shape, forward(params, x.flatten(1)), target)

    for step in (0, STEPS):
        for _ in range(step):
            gradient = torch.autograd.grad(loss(), list(params.values()))
            with torch.no_grad():
                for p, g in zip(params.values(), gradient):
                    p -= RATE * g
        now = loss()
        check(f"{kind} loss at {step}", exported.rows(data, "loss", step)[0], now.item(),
              1e-9 * now.item())
        values, bounds = exported.rows(data, "sharpness", step)
        check(f"{kind} eigenvalues at {step}", values,
              exported.eigenvalues(now, list(params.values()), len(values)),
              bounds + 1e-9 * values[0])
    ours = exported.flat(exported.weights(data, "final.").values()).detach().numpy()
    check(f"{kind} weights at {STEPS}", ours, exported.flat(params.values()).detach().numpy(), 1e-10)
    return data


def main():
    data = compare(sys.argv[1], "mse")
    compare(sys.argv[1], "ce")
    x = data["inputs"].reshape(len(data["inputs"]), -1)
    for ddof in (0, 1):
        expected = np.linalg.eigvalsh(np.cov(x.T, ddof=ddof))[::-1]
        values = exported.rows(data, "covariance-spectrum.inputs", 0)[0]
        if np.allclose(values, expected[:len(values)], rtol=1e-9, atol=1e-12):
            print(f"covariance eigenvalues agree with NumPy (ddof = {ddof})")
            return
    sys.exit("covariance eigenvalues differ from NumPy's")


main()
