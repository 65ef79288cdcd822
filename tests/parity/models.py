"""Every model against PyTorch in f64: models.py UNIBENCH.

unibench takes one step of gradient descent at learning rate 1 and exports the run; PyTorch starts
from the exported initial weights and data. Compared: loss, gradient (the step itself) and lambda_max
(SciPy's eigsh on Hessian-vector products), at both ends of the step. Exit code 77: PyTorch or SciPy
is not there.
"""
import sys

import exported
import mirror
import torch

D = mirror.Data
DIGITS, SORTING = D((1, 8, 8), 10), D((7,), 5, 5, 7)
REGRESSION = D((6,), 3)
CASES = [
    ("linear", "digits:size=200", "ce", DIGITS),
    ("deep-linear:widths=16x16", "digits:size=200", "mse", DIGITS),
    ("diagonal-linear:depth=3", "gaussian:features=6,outputs=3,samples=50", "mse", REGRESSION),
    ("matrix-factorization:rank=2", "gaussian:features=6,outputs=3,samples=50", "mse", REGRESSION),
    ("two-layer:width=32,activation=tanh", "teacher-student:features=6,outputs=3,samples=50", "mse",
     REGRESSION),
    ("two-layer:width=32,scaling=mean-field,bias=true", "digits:size=100", "ce", DIGITS),
    ("random-features:width=32", "digits:size=100", "ce", DIGITS),
    ("quadratic", "gaussian:features=6,outputs=3,samples=50", "mse", REGRESSION),
    ("scalar-chain", "gaussian:features=2,outputs=2,samples=50", "mse", D((2,), 2)),
    ("mlp:widths=32x32,activation=gelu", "digits:size=200", "mse", DIGITS),
    ("cnn:channels=8x8", "digits:size=200", "ce", DIGITS),
    ("cnn:channels=8x8,pool=mean,activation=tanh,norm=group", "digits:size=100", "mse", DIGITS),
    ("tree-cnn:depth=3,width=8", "random-hierarchy:samples=100", "ce", D((64,), 8)),
    ("tree-cnn:depth=3,width=8,shared=false,activation=gelu", "random-hierarchy:samples=100", "mse", D((64,), 8)),
    ("resnet:width=4,stages=2,norm=batch", "digits:size=100", "mse", DIGITS),
    ("resnet:width=4,stages=2,blocks=2,norm=layer,activation=silu", "digits:size=50", "ce", DIGITS),
    ("mlp-mixer:width=16,depth=2,patch=4", "digits:size=100", "ce", DIGITS),
    ("mlp:widths=32x32,parametrization=ntk", "digits:size=100", "ce", DIGITS),
    ("resnet:width=8,stages=2,parametrization=mup,base-width=4", "digits:size=100", "mse", DIGITS),
    ("vit:width=16,depth=1,parametrization=mup,base-width=8", "digits:size=100", "mse", DIGITS),
    ("vit:width=16,depth=2,patch=4", "digits:size=100", "mse", DIGITS),
    ("gpt:width=16", "sorting:length=4,vocabulary=5,samples=40", "ce", SORTING),
    ("gpt:width=16,positions=rotary,depth=1", "in-context-regression:pairs=4,dimension=3,samples=60",
     "mse", D((7, 4), 1)),
    ("attention-only:width=16", "modular-addition:p=7", "mse", D((3,), 7, 8)),
    ("lstm:width=16,depth=2", "sorting:length=4,vocabulary=5,samples=40", "ce", SORTING),
    ("lstm:width=16", "digits:size=100", "mse", DIGITS),
    ("gru:width=16", "sorting:length=4,vocabulary=5,samples=40", "mse", SORTING),
    ("mamba:width=8,depth=1", "markov:states=5,context=6,samples=40", "ce", D((6,), 5, 5, 6)),
    ("autoencoder:widths=32x8x32", "digits:size=200,target=inputs", "mse", D((1, 8, 8), 64)),
]


MEASURE = ("loss:at=0+end", "sharpness:at=0+end,tolerance=1e-8,max-products=20000")


def compare(program, model, dataset, kind, shape):
    """Relative differences of loss, gradient and lambda_max, and lambda_max's stated bound."""
    data, call = exported.train(program, dataset, model, kind, 1, 1, MEASURE)
    x, target = torch.tensor(data["inputs"]), torch.tensor(data["targets"])
    forward, worst = mirror.forward(call, shape), [0, 0, 0, 0]
    ends = [exported.weights(data, prefix) for prefix in ("init.", "final.")]
    for step, params in enumerate(ends):
        every = exported.multiplied(data, params) | exported.constants(data)
        loss = mirror.loss(kind, shape, forward(every, x.flatten(1)), target)
        ours = exported.rows(data, "loss", step)[0][0]
        worst[0] = max(worst[0], abs(ours / loss.item() - 1))
        expected = exported.eigenvalues(loss, list(params.values()), 1)[0]
        ours, bounds = exported.rows(data, "sharpness", step)
        worst[2] = max(worst[2], abs(ours[0] / expected - 1))
        worst[3] = max(worst[3], bounds[0] / abs(expected))
        if step == 0:
            gradient = exported.flat(torch.autograd.grad(loss, list(params.values()), retain_graph=True))
    step = exported.flat(a - b for a, b in zip(*(e.values() for e in ends))).detach()
    worst[1] = ((step - gradient).norm() / gradient.norm()).item()
    return worst


def main():
    bad = 0
    print(f"{'relative differences':62} {'':26} {'loss':>8} {'gradient':>8} {'lambda':>8} {'bound':>8}")
    for model, dataset, kind, shape in CASES:
        loss, gradient, value, bound = compare(sys.argv[1], model, dataset, kind, shape)
        good = loss <= 1e-12 and gradient <= 1e-12 and value <= bound + 1e-9
        bad += not good
        print(f"{model:62} {dataset.split(':')[0] + ' ' + kind:26} "
              f"{loss:8.1e} {gradient:8.1e} {value:8.1e} {bound:8.1e}{'' if good else '  DIFFERS'}")
    sys.exit(1 if bad else 0)


main()
