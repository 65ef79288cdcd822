"""The Hessian's spectrum with PyTorch, f32, from an exported run's final weights:

    peer_spectra.py RUN.npz MODEL LOSS THREADS WORK ...

MODEL is the run's canonical model; tests/parity/mirror.py builds it. WORK is one of

    published STEPS PROBES    stochastic Lanczos quadrature as PyHessian does it over a data loader
                              (Yao et al. 2020, arXiv:1912.07145): each product goes through the
                              batches anew - forward, gradient with its graph, product -; probes one
                              after the other from random signs; each new vector is orthogonalized
                              against all before it, one by one, vectors being lists of tensors
    retained STEPS PROBES     the same with one batch of all samples, whose gradient's graph is built
                              once and retained: its fast case, where that fits in memory
    eigsh COUNT TOLERANCE     SciPy's eigsh (ARPACK) on products of the retained graph
    optimum COUNT BLOCK RESIDUAL   products after which the block Krylov space of random vectors has
                              the COUNT largest eigenpairs with residuals up to RESIDUAL: no restarts,
                              nothing forgotten, full orthogonalization, f64 but for the products
    rate PRODUCTS             seconds of products with the retained graph, to choose kernels by

Prints "WHAT NUMBER" lines; times are of what follows a first product, memory is the peak of
resident memory over what PyTorch holds when loaded, in MiB.
"""
import os
import sys
import time

import numpy as np
import torch
from scipy import stats
from scipy.sparse.linalg import LinearOperator, eigsh

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/parity"))
import mirror  # noqa: E402

BATCH = 200  # of the loader: the default of PyHessian's own example


def memory(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key)) / 1024


class System:
    def __init__(self, file, model, kind):
        with np.load(file) as data:
            self.x, self.targets = (torch.tensor(data[name], dtype=torch.float32) for name in ("inputs", "targets"))
            self.params = {name[6:]: torch.tensor(data[name], dtype=torch.float32, requires_grad=True)
                           for name in data if name.startswith("final.")}
        self.data, self.kind = mirror.Data(tuple(self.x.shape[1:]), self.targets.shape[1]), kind
        self.x, self.forward = self.x.flatten(1), mirror.forward(model, self.data)
        self.leaves, self.products = list(self.params.values()), 0
        self.sizes = [p.numel() for p in self.leaves]
        self.n, self.retained = sum(self.sizes), None

    def gradient(self, x, targets):
        loss = mirror.loss(self.kind, self.data, self.forward(self.params, x), targets)
        return torch.autograd.grad(loss, self.leaves, create_graph=True)

    def product(self, v):
        """Of a list of tensors, through the retained graph."""
        if self.retained is None:
            self.retained = self.gradient(self.x, self.targets)
        self.products += 1
        return torch.autograd.grad(self.retained, self.leaves, v, retain_graph=True)

    def loader_product(self, v):
        self.products += 1
        total = [torch.zeros_like(p) for p in self.leaves]
        for x, targets in zip(self.x.split(BATCH), self.targets.split(BATCH)):
            part = torch.autograd.grad(self.gradient(x, targets), self.leaves, v)
            total = [t + p * len(x) for t, p in zip(total, part)]
        return [t / len(self.x) for t in total]

    def flat_product(self, v):
        """Of an array, f64 around the f32 product."""
        parts = torch.from_numpy(np.asarray(v, dtype=np.float32).ravel()).split(self.sizes)
        product = self.product([part.view_as(p) for part, p in zip(parts, self.leaves)])
        return torch.cat([p.reshape(-1) for p in product]).numpy()


# ---- density ----

def dot(x, y):
    return sum((a * b).sum() for a, b in zip(x, y))


def plus(x, factor, y):
    return [a + factor * b for a, b in zip(x, y)]


def unit(x):
    length = dot(x, x) ** 0.5
    return [a / length for a in x]


def lanczos(system, product, steps):
    """Nodes and weights of one probe."""
    v = unit([torch.randint(2, p.shape).float() * 2 - 1 for p in system.leaves])
    basis, alphas, betas = [v], [], []
    for step in range(steps):
        w = product(v)
        alphas.append(dot(w, v).item())
        if step + 1 == steps:
            break
        w = plus(w, -alphas[-1], v)
        if step:
            w = plus(w, -betas[-1], basis[-2])
        betas.append(dot(w, w).item() ** 0.5)
        for other in basis:
            w = plus(w, -dot(w, other), other)
        v = unit(w)
        basis.append(v)
    values, vectors = np.linalg.eigh(np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1))
    return values, vectors[0] ** 2


def density(system, product, steps, probes):
    """With traces of H and H^2, and half the widths of their 95% intervals over probes."""
    product([torch.ones_like(p) for p in system.leaves])
    system.products, start = 0, time.perf_counter()
    rules = [lanczos(system, product, steps) for _ in range(probes)]
    print(f"seconds {time.perf_counter() - start:.9g}")
    for power in (1, 2):
        moments = [system.n * np.dot(weights, values ** power) for values, weights in rules]
        print(f"moment.{power} {np.mean(moments):.9g}")
        margin = stats.t.ppf(0.975, probes - 1) * np.std(moments, ddof=1) / probes ** 0.5
        print(f"margin.{power} {margin:.9g}")


# ---- leading eigenvalues ----

def largest(system, count, tolerance):
    system.flat_product(np.ones(system.n))
    system.products, start = 0, time.perf_counter()
    operator = LinearOperator((system.n, system.n), dtype=np.float32, matvec=system.flat_product)
    values = eigsh(operator, count, which="LA", tol=tolerance, return_eigenvectors=True)[0]
    print(f"seconds {time.perf_counter() - start:.9g}")
    for k, value in enumerate(sorted(values, reverse=True)):
        print(f"eigenvalue.{k} {value:.9g}")


def optimum(system, count, block, residual):
    most = min(10 * count, system.n)
    basis, projected = np.empty((most, system.n)), np.zeros((most, most))
    fresh = np.linalg.qr(np.random.default_rng(0).standard_normal((system.n, block)))[0].T
    for size in range(block, most + 1, block):
        basis[size - block:size] = fresh
        known = basis[:size]
        rest = image = np.array([system.flat_product(v) for v in fresh], dtype=float)
        projected[size - block:size, :size] = image @ known.T
        for _ in range(2):
            rest = rest - (rest @ known.T) @ known
        if size >= count:
            values, vectors = np.linalg.eigh(projected[:size, :size])  # reads the lower triangle
            last = vectors[-block:, -count:]  # a pair's residual: what is left of its last block
            if np.sqrt(np.einsum("ik,ij,jk->k", last, rest @ rest.T, last).clip(0)).max() <= residual:
                return
        fresh = np.linalg.qr(rest.T)[0].T
    sys.exit(f"no {count} eigenpairs to a residual of {residual} in {most} products")


def main():
    file, model, kind, threads, work, *rest = sys.argv[1:]
    torch.manual_seed(0)
    torch.set_num_threads(int(threads))
    before = memory("VmRSS")
    system = System(file, model, kind)
    if work in ("published", "retained"):
        density(system, system.loader_product if work == "published" else system.product, *map(int, rest))
    elif work == "eigsh":
        largest(system, int(rest[0]), float(rest[1]))
    elif work == "optimum":
        optimum(system, int(rest[0]), int(rest[1]), float(rest[2]))
    else:
        v = [torch.ones_like(p) for p in system.leaves]
        system.product(v)
        start = time.perf_counter()
        for _ in range(int(rest[0])):
            system.product(v)
        print(f"seconds {time.perf_counter() - start:.9g}")
    print(f"products {system.products}\nmemory {memory('VmHWM') - before:.6g}")


main()
