"""The workloads of perf.c, done with PyTorch (and SciPy's eigsh): peer.py WORKLOAD REPEATS.

Same sizes, same precision, one thread, warmed up. PyTorch at its best: tensors made once, no
optimizer object, gradients through torch.autograd.grad, Hessian-vector products by a second
backward pass through a retained graph.
"""
import gzip
import os
import sys
import time

import numpy as np
import torch

CLASSES, GEMM = 10, 2048
STEPS, EVERY, TOP, RATE, TOLERANCE = 500, 10, 2, 0.4, 1e-3


def digits():
    here = os.path.dirname(os.path.abspath(__file__))
    with gzip.open(os.path.join(here, "../../datasets/data/digits.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    return torch.tensor(table[:, :64] / 16, dtype=torch.float32), torch.tensor(table[:, 64].astype(int))


def open_problem(large):
    torch.manual_seed(0)
    if large:
        x, labels = torch.randn(5000, 3072), torch.arange(5000) % CLASSES
        widths = [3072, 200, 200, CLASSES]
    else:
        x, labels = digits()
        widths = [64, 64, 64, CLASSES]
    target = torch.nn.functional.one_hot(labels, CLASSES).float()
    layers = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2])
    params = list(model.parameters())

    def loss():
        return 0.5 * ((model(x) - target) ** 2).sum() / len(x)

    return params, loss


def hvp_of(params, loss):
    gradient = torch.autograd.grad(loss(), params, create_graph=True)

    def product(v):
        return torch.autograd.grad(gradient, params, v, retain_graph=True)

    return product


def trace(params, loss, start):
    from scipy.sparse.linalg import LinearOperator, eigsh

    n = sum(p.numel() for p in params)
    products = 0
    with torch.no_grad():
        for p, s in zip(params, start):
            p.copy_(s)
    for step in range(STEPS):
        if step % EVERY == 0:
            product = hvp_of(params, loss)

            def apply(v):
                nonlocal products
                products += 1
                pieces, at = [], 0
                v = torch.from_numpy(np.ascontiguousarray(v.ravel(), dtype=np.float32))
                for p in params:
                    pieces.append(v[at:at + p.numel()].view_as(p))
                    at += p.numel()
                return torch.cat([h.reshape(-1) for h in product(pieces)]).numpy()

            operator = LinearOperator((n, n), matvec=apply, dtype=np.float32)
            values = eigsh(operator, TOP, which="LA", tol=TOLERANCE, return_eigenvectors=False)
        gradient = torch.autograd.grad(loss(), params)
        with torch.no_grad():
            for p, g in zip(params, gradient):
                p.sub_(g, alpha=RATE)
    print(f"sharpness {max(values):.4g}, {products * EVERY / STEPS:.1f} products a measurement",
          file=sys.stderr)


def workload(name):
    if name == "sgemm":
        a, b = torch.randn(GEMM, GEMM), torch.randn(GEMM, GEMM)
        c = torch.empty(GEMM, GEMM)
        return lambda: torch.mm(a, b, out=c)
    params, loss = open_problem(name.endswith("large"))
    if name.startswith("gradient"):
        return lambda: torch.autograd.grad(loss(), params)
    if name.startswith("hvp"):
        product = hvp_of(params, loss)
        v = [torch.randn_like(p) for p in params]
        return lambda: product(v)
    start = [p.detach().clone() for p in params]
    return lambda: trace(params, loss, start)


def measure(work, times):
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def main():
    torch.set_num_threads(1)
    work = workload(sys.argv[1])
    once = measure(work, 1)
    if once < 1:
        once = measure(work, 1)
    times = int(0.05 / once) + 1 if once < 0.05 else 1
    for _ in range(int(sys.argv[2])):
        print(f"{measure(work, times):.9g}")


main()
