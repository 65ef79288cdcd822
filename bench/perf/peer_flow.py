"""The central flow of flow.c, integrated with PyTorch in f64:

    peer_flow.py UNIBENCH-PERF flow      seconds a step, what it spent, and where it ends
    peer_flow.py UNIBENCH-PERF check     also runs ours, and fails unless both end at the same place

Written from the method's description (Cohen, Damian et al. 2024, arXiv:2410.24206):

    d theta/dt = -lr (grad L + 1/2 grad <S, H>),  S = U X U',

U the eigenvectors of the Hessian near 2/lr, X >= 0 from the semidefinite complementarity problem that
keeps U'HU - 2/lr from rising above 0 over a step of the integration. Same problem, start, substeps,
number of eigenvalues and tolerances as ours. PyTorch at its best: one linearization a substep whose
graph is kept for the gradient, all Hessian-vector products and the third derivatives; LOBPCG warm-started
from the last eigenvectors; vectors batched through the graph where that is faster; the complementarity
problem in closed form where its unconstrained solution is semidefinite already, by accelerated projected
gradient elsewhere. Exit code 77: PyTorch or SciPy is not there.
"""
import os
import subprocess
import sys
import time
import warnings

try:
    import numpy as np
    import torch
    from scipy.sparse.linalg import LinearOperator, lobpcg
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/parity"))
import mirror  # noqa: E402

EIGEN_TOLERANCE, WATCHED, MOST_ITERATIONS = 1e-4, 0.9, 100
AGREE = {"loss": 1e-6, "top": 1e-5, "excess": 1e-3}  # at the end, relative


class Problem:
    def __init__(self, text):
        facts, self.shapes = {}, []
        for key, *words in (line.split() for line in text.splitlines()):
            if key == "param":
                self.shapes.append((words[0], [int(w) for w in words[1:]]))
            else:
                facts[key] = words
        self.n, self.top = int(facts["samples"][0]), int(facts["top"][0])
        self.steps, self.substeps, self.lr = int(facts["steps"][0]), int(facts["substeps"][0]), float(facts["lr"][0])
        self.start = np.array(facts["theta"], dtype=float)
        self.x = torch.tensor(np.array(facts["inputs"], dtype=float)).reshape(self.n, -1)
        self.target = torch.tensor(np.array(facts["targets"], dtype=float)).reshape(self.n, -1)
        data = mirror.Data((self.x.shape[1],), self.target.shape[1])
        self.forward = mirror.forward(facts["model"][0], data)
        self.sizes = [int(np.prod(shape)) for _, shape in self.shapes]
        self.batched, self.products, self.thirds = False, 0, 0

    def parts(self, v):
        """Views of flat vectors (..., n), shaped as parameters."""
        pieces = torch.as_tensor(v).split(self.sizes, -1)
        return [p.reshape(*p.shape[:-1], *shape) for p, (_, shape) in zip(pieces, self.shapes)]

    def flat(self, parts, lead=()):
        return torch.cat([p.reshape(*lead, -1) for p in parts], -1)

    def loss(self, leaves):
        names = [name for name, _ in self.shapes]
        return 0.5 * ((self.forward(dict(zip(names, leaves)), self.x) - self.target) ** 2).sum() / self.n

    def linearize(self, theta):
        self.leaves = [p.clone().requires_grad_() for p in self.parts(theta)]
        self.gradient = torch.autograd.grad(self.loss(self.leaves), self.leaves, create_graph=True)
        return self.flat(self.gradient).detach().numpy()

    def pull_back(self, outputs, V):
        """V (count, n) through the graph of outputs: (count, n)."""
        if self.batched and len(V) > 1:
            rows = torch.autograd.grad(outputs, self.leaves, self.parts(V), retain_graph=True, is_grads_batched=True)
            return self.flat(rows, (len(V),)).numpy()
        return np.stack([self.flat(torch.autograd.grad(outputs, self.leaves, self.parts(v), retain_graph=True)).numpy()
                         for v in V])

    def hvp(self, V):
        self.products += len(V)
        return self.pull_back(self.gradient, V)

    def third(self, U):
        """D^3 L[u_a, u_b] for a <= b, row by row."""
        rows = []
        for a, u in enumerate(U):
            hu = torch.autograd.grad(self.gradient, self.leaves, self.parts(u), create_graph=True)
            rows.extend(self.pull_back(hu, U[a:]))
            self.thirds += len(U) - a
        return np.array(rows)


def pairs(k):
    return [(a, b) for a in range(k) for b in range(a, k)]


def unpack(k, x):
    M = np.zeros((k, k))
    for (a, b), value in zip(pairs(k), x):
        M[a, b] = M[b, a] = value if a == b else value / 2 ** 0.5
    return M


def pack(M):
    return np.array([M[a, b] * (1 if a == b else 2 ** 0.5) for a, b in pairs(len(M))])


def project(k, x):
    values, vectors = np.linalg.eigh(unpack(k, x))
    return pack((vectors * np.maximum(values, 0)) @ vectors.T)


def complementary(k, A, q):
    """x >= 0, Ax - q >= 0, x'(Ax - q) = 0."""
    try:
        x = np.linalg.solve(A, q)
        if np.linalg.eigvalsh(unpack(k, x))[0] >= 0:
            return x
    except np.linalg.LinAlgError:
        pass
    if k == 1:
        return np.zeros(1)
    bound = np.linalg.eigvalsh(A)[-1]
    x = y = np.zeros(len(q))
    momentum = 1.0
    for _ in range(20000):
        new = project(k, y - (A @ y - q) / bound)
        if bound * np.linalg.norm(y - new) <= 1e-10 * np.linalg.norm(q):
            return new
        if (y - new) @ (new - x) > 0:
            momentum, y, x = 1.0, new, new
        else:
            later = (1 + (1 + 4 * momentum ** 2) ** 0.5) / 2
            y, x, momentum = new + (momentum - 1) / later * (new - x), new, later
    return x


class Flow:
    def __init__(self, problem):
        self.p, self.theta, self.excess = problem, problem.start.copy(), 0.0
        self.vectors = np.random.default_rng(0).standard_normal((len(self.theta), problem.top))
        self.scale = 2 / problem.lr

    def eigenpairs(self):
        n = len(self.theta)
        operator = LinearOperator((n, n), matvec=lambda v: self.p.hvp(v.reshape(1, -1))[0],
                                  matmat=lambda V: self.p.hvp(np.ascontiguousarray(V.T)).T, dtype=float)
        values, self.vectors = lobpcg(operator, self.vectors, tol=EIGEN_TOLERANCE * self.scale,
                                      maxiter=MOST_ITERATIONS, largest=True)
        order = np.argsort(-values)
        values, self.vectors = values[order], self.vectors[:, order]
        self.scale = values[0]
        return values, self.vectors.T

    def substep(self, tau):
        p, threshold = self.p, 2 / self.p.lr
        gradient = p.linearize(self.theta)
        values, vectors = self.eigenpairs()
        k = int((values > WATCHED * threshold).sum())
        self.excess = 0.0
        if k > 0:
            T = p.third(np.ascontiguousarray(vectors[:k]))
            at = pairs(k)
            weight = np.array([1 if a == b else 2 ** 0.5 for a, b in at])
            q = -p.lr * weight * (T @ gradient)
            q += [(values[a] - threshold) / tau if a == b else 0 for a, b in at]
            X = complementary(k, 0.5 * p.lr * np.outer(weight, weight) * (T @ T.T), q)
            gradient = gradient + 0.5 * (weight * X) @ T
            self.excess = 0.5 * values[:k] @ np.diag(unpack(k, X))
        self.theta -= tau * p.lr * gradient

    def advance(self, steps):
        for _ in range(steps * self.p.substeps):
            self.substep(1 / self.p.substeps)


def choose_batching(problem):
    """Whether blocks of products are faster through one batched pass."""
    spent, V = {}, np.random.default_rng(1).standard_normal((problem.top, len(problem.start)))
    problem.linearize(problem.start)
    for problem.batched in (False, True):
        problem.hvp(V)
        start = time.perf_counter()
        for _ in range(20):
            problem.hvp(V)
        spent[problem.batched] = time.perf_counter() - start
    problem.batched = min(spent, key=spent.get)


def integrate(problem):
    choose_batching(problem)  # warms up, too
    flow = Flow(problem)
    problem.products = problem.thirds = 0
    start = time.perf_counter()
    flow.advance(problem.steps)
    spent = (time.perf_counter() - start) / problem.steps
    substeps = problem.steps * problem.substeps
    result = {"products": problem.products / substeps, "thirds": problem.thirds / substeps, "excess": flow.excess,
              "flow": spent}
    problem.linearize(flow.theta)
    result["top"] = flow.eigenpairs()[0][0]
    result["loss"] = problem.loss(problem.leaves).item()
    return result


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    perf, what = sys.argv[1:]
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")  # LOBPCG's, where it stops at its last iteration
    theirs = integrate(Problem(run(perf, "flow-problem")))
    for key, value in theirs.items():
        print(f"{key} {value:.17g}")
    if what == "check":
        ours = {key: float(value) for key, value in (line.split() for line in run(perf, "flow").splitlines())}
        for key, tolerance in AGREE.items():
            if not abs(ours[key] / theirs[key] - 1) <= tolerance:
                sys.exit(f"{key} {ours[key]}; PyTorch has {theirs[key]}, beyond {tolerance} of it")
        print("agree")


main()
