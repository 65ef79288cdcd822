"""unibench's models in PyTorch: the same parameters by the same names, the same function.

    forward = mirror.forward("vit:patch=4,width=64,depth=4,heads=4,activation=gelu", data)
    output = forward(params, x)      # params: name -> tensor, x: (samples, features)

`data` is a mirror.Data. Used by the parity checks (f64, exported weights) and by bench/perf (speed):
each model is written with PyTorch's fastest operations for it, not as a copy of unibench's graph.
"""
import dataclasses
import math

import torch
import torch.nn.functional as F

EPSILON = 1e-5


@dataclasses.dataclass
class Data:
    shape: tuple  # of one input
    outputs: int
    tokens: int = 0
    positions: int = 1


def options(call):
    name, _, rest = call.partition(":")
    return name, dict(pair.split("=") for pair in rest.split(",") if pair)


def sizes(text):
    return [] if text == "none" else [int(s) for s in text.split("x")]


ACTIVATIONS = {"relu": F.relu, "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu, "elu": F.elu,
               "softplus": F.softplus, "sigmoid": torch.sigmoid, "sin": torch.sin,
               "quadratic": torch.square, "erf": torch.erf}


def linear(p, name, x):
    return F.linear(x, p[name + ".weight"], p.get(name + ".bias"))


def norm_last(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], EPSILON)


def norm_image(kind, groups, p, name, x):
    if kind == "none":
        return x
    weight, bias = p[name + ".weight"], p[name + ".bias"]
    if kind == "batch":
        return F.batch_norm(x, None, None, weight, bias, True, 0, EPSILON)
    return F.group_norm(x, 1 if kind == "layer" else groups, weight, bias, EPSILON)


def tree_cnn(o, data):
    branching, depth, act = int(o["branching"]), int(o["depth"]), ACTIVATIONS[o["activation"]]

    def forward(p, x):
        x = x.reshape(len(x), branching ** depth, -1)
        for i in range(1, depth + 1):
            x = x.reshape(len(x), x.shape[1] // branching, -1)
            weight, bias = p[f"conv{i}.weight"], p[f"conv{i}.bias"]
            x = act(torch.einsum("npi,poi->npo" if weight.dim() == 3 else "npi,oi->npo", x, weight) + bias)
        return linear(p, "fc", x[:, 0])

    return forward


# ---- solvable ----

def deep_linear(o, data):
    layers = len(sizes(o["widths"])) + 1 if o["widths"] != "none" else int(o["depth"])

    def forward(p, x):
        for i in range(1, layers + 1):
            x = linear(p, f"fc{i}", x)
        return x

    return forward


def diagonal_linear(o, data):
    depth = int(o["depth"])
    return lambda p, x: x @ (p["u"] ** depth - p["v"] ** depth).mT


def matrix_factorization(o, data):
    other = "U" if o["symmetric"] == "true" else "V"
    return lambda p, x: x @ p["U"] @ p[other].mT


def two_layer(o, data):
    act, width = ACTIVATIONS[o["activation"]], int(o["width"])
    scale = 1 / width if o["scaling"] == "mean-field" else width ** -0.5

    def forward(p, x):
        h = F.linear(x * x.shape[1] ** -0.5, p["fc1.weight"], p.get("fc1.bias"))
        return scale * linear(p, "fc2", act(h))

    return forward


def random_features(o, data):
    act = ACTIVATIONS[o["activation"]]
    return lambda p, x: linear(p, "fc2", act(linear(p, "fc1", x)))


def quadratic(o, data):
    k = torch.arange(1, data.outputs + 1, dtype=torch.float64)
    root = (float(o["top"]) * k ** -float(o["exponent"])).sqrt()
    return lambda p, x: (root.to(x.dtype) * p["theta"]).expand(len(x), data.outputs)


def scalar_chain(o, data):
    def forward(p, x):
        for i in range(1, int(o["depth"]) + 1):
            x = x * (p[f"w{i}"] + float(o["start"]))
        return x

    return forward


# ---- images ----

def mlp(o, data):
    act, layers = ACTIVATIONS[o["activation"]], len(sizes(o["widths"])) + 1

    def forward(p, x):
        for i in range(1, layers):
            x = act(linear(p, f"fc{i}", x))
        return linear(p, f"fc{layers}", x)

    return forward


def cnn(o, data):
    act, kernel, groups = ACTIVATIONS[o["activation"]], int(o["kernel"]), int(o["groups"])
    pool = {"max": lambda x: F.max_pool2d(x, 2), "mean": lambda x: F.avg_pool2d(x, 2),
            "none": lambda x: x}[o["pool"]]

    def forward(p, x):
        x = x.reshape(len(x), *data.shape)
        for i in range(1, len(sizes(o["channels"])) + 1):
            x = F.conv2d(x, p[f"conv{i}.weight"], p[f"conv{i}.bias"], padding=kernel // 2)
            x = pool(act(norm_image(o["norm"], groups, p, f"norm{i}", x)))
        return linear(p, "fc", x.flatten(1))

    return forward


def resnet(o, data):
    act, kind, groups = ACTIVATIONS[o["activation"]], o["norm"], int(o["groups"])

    def conv(p, name, x, stride):
        w = p[name + ".weight"]
        return F.conv2d(x, w, p.get(name + ".bias"), stride, w.shape[-1] // 2)

    def block(p, at, x, stride):
        h = act(norm_image(kind, groups, p, at + "norm1", x))
        if at + "shortcut.weight" in p:
            x = conv(p, at + "shortcut", h, stride)
        h = conv(p, at + "conv1", h, stride)
        h = act(norm_image(kind, groups, p, at + "norm2", h))
        return x + conv(p, at + "conv2", h, 1)

    def forward(p, x):
        x = conv(p, "stem", x.reshape(len(x), *data.shape), 1)
        for s in range(1, int(o["stages"]) + 1):
            for i in range(1, int(o["blocks"]) + 1):
                x = block(p, f"stage{s}.block{i}.", x, 2 if s > 1 and i == 1 else 1)
        return linear(p, "fc", act(norm_image(kind, groups, p, "norm", x)).mean((2, 3)))

    return forward


def patches(data, size, x):
    c, h, w = data.shape
    x = x.reshape(len(x), c, h // size, size, w // size, size).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(len(x), h // size * (w // size), c * size * size)


def mlp_mixer(o, data):
    act, patch = ACTIVATIONS[o["activation"]], int(o["patch"])

    def mix(p, name, x):
        return linear(p, name + "2", act(linear(p, name + "1", x)))

    def forward(p, x):
        x = linear(p, "embed", patches(data, patch, x))
        for i in range(1, int(o["depth"]) + 1):
            at = f"block{i}."
            x = x + mix(p, at + "token", norm_last(p, at + "norm1", x).mT).mT
            x = x + mix(p, at + "channel", norm_last(p, at + "norm2", x))
        return linear(p, "head", norm_last(p, "norm", x).mean(1))

    return forward


# ---- transformers ----

def rotate(x):
    steps, half = x.shape[2], x.shape[3] // 2
    rate = torch.exp(torch.arange(half, dtype=x.dtype) * (-math.log(10000) / half))
    angle = torch.arange(steps, dtype=x.dtype)[:, None] * rate
    c, s, a, b = angle.cos(), angle.sin(), x[..., :half], x[..., half:]
    return torch.cat([a * c - b * s, a * s + b * c], -1)


def attend(p, at, x, o, mask, rotary=False):
    heads = int(o["heads"])
    n, steps, width = x.shape
    q, k, v = linear(p, at + "qkv", x).view(n, steps, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    if rotary:
        q, k = rotate(q), rotate(k)
    size = width / heads
    if o["parametrization"] == "mup":  # 1/size, equal to 1/sqrt(size) at the base width
        scores = q @ k.mT * ((int(o["base-width"]) / heads) ** 0.5 / size)
    else:
        scores = q @ k.mT * size ** -0.5
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    y = torch.softmax(scores, -1) @ v
    return linear(p, at + "proj", y.transpose(1, 2).reshape(n, steps, width))


def blocks(p, o, x, mask, rotary=False):
    act = ACTIVATIONS[o["activation"]]
    for i in range(1, int(o["depth"]) + 1):
        at = f"block{i}."
        x = x + attend(p, at, norm_last(p, at + "norm1", x), o, mask, rotary)
        h = act(linear(p, at + "fc1", norm_last(p, at + "norm2", x)))
        x = x + linear(p, at + "fc2", h)
    return x


def vit(o, data):
    def forward(p, x):
        x = linear(p, "embed", patches(data, int(o["patch"]), x)) + p["position"]
        x = norm_last(p, "norm", blocks(p, o, x, None))
        return linear(p, "head", x.mean(1))

    return forward


def read_sequence(p, data, x):
    if data.tokens:
        return F.embedding(x.long(), p["embed.weight"])
    return linear(p, "embed", x.reshape(len(x), *data.shape))


def readout(p, data, x):
    return linear(p, "head", x if data.positions == x.shape[1] else x[:, -1])


def causal(steps):
    return torch.ones(steps, steps, dtype=torch.bool).triu(1)


def gpt(o, data):
    rotary, mask = o["positions"] == "rotary", causal(data.shape[0])

    def forward(p, x):
        x = read_sequence(p, data, x)
        x = blocks(p, o, x if rotary else x + p["position"], mask, rotary)
        return readout(p, data, norm_last(p, "norm", x))

    return forward


def attention_only(o, data):
    mask = causal(data.shape[0])

    def forward(p, x):
        x = read_sequence(p, data, x) + p["position"]
        for i in range(1, int(o["depth"]) + 1):
            x = x + attend(p, f"block{i}.", x, o, mask)
        return readout(p, data, x)

    return forward


# ---- recurrent ----

def recurrent(name, run):
    """`run` is torch.lstm or torch.gru: the loops over time are PyTorch's own."""

    def make(o, data):
        width, depth = int(o["width"]), int(o["depth"])

        def forward(p, x):
            if data.tokens:
                x = F.embedding(x.long(), p["embed.weight"])
            elif len(data.shape) == 3:
                x = x.reshape(len(x), *data.shape).transpose(1, 2).flatten(2)
            else:
                x = x.reshape(len(x), *data.shape)
            flat = [p[f"{name}.{part}_l{i}"].flatten() if part[0] == "b" else p[f"{name}.{part}_l{i}"]
                    for i in range(depth) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            zero = x.new_zeros(depth, len(x), width)
            state = (zero, zero) if name == "lstm" else zero
            y = run(x.transpose(0, 1), state, flat, True, depth, 0.0, True, False, False)[0]
            return readout(p, data, y.transpose(0, 1))

        return forward

    return make


def mamba(o, data):
    width, state = int(o["width"]), int(o["state"])
    channels, rank = int(o["expand"]) * width, (width + 15) // 16
    steps = data.shape[0]

    def norm(p, name, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * p[name + ".weight"]

    def scan(p, at, u, size, write, read):
        decay = -torch.exp(p[at + "log_decay"] + torch.arange(1, state + 1, dtype=u.dtype).log())
        kept = torch.exp(size[..., None] * decay).unbind(1)
        written = ((size * u)[..., None] * write[:, :, None, :]).unbind(1)
        h, out = u.new_zeros(len(u), channels, state), []
        for t in range(steps):
            h = kept[t] * h + written[t]
            out.append((h @ read[:, t, :, None]).squeeze(-1))
        return torch.stack(out, 1) + u * p[at + "skip"]

    def block(p, at, x):
        u, z = linear(p, at + "in", norm(p, at + "norm", x)).split(channels, -1)
        u = F.conv1d(F.pad(u.mT, (3, 0)), p[at + "conv.weight"][:, None], p[at + "conv.bias"],
                     groups=channels)
        u = F.silu(u).mT
        size, write, read = linear(p, at + "select", u).split([rank, state, state], -1)
        size = F.softplus(F.linear(size, p[at + "step.weight"], p[at + "step.bias"]))
        return x + linear(p, at + "out", scan(p, at, u, size, write, read) * F.silu(z))

    def forward(p, x):
        x = read_sequence(p, data, x)
        for i in range(1, int(o["depth"]) + 1):
            x = block(p, f"block{i}.", x)
        return readout(p, data, norm(p, "norm", x))

    return forward


MODELS = {"linear": lambda o, data: lambda p, x: linear(p, "fc1", x), "deep-linear": deep_linear,
          "diagonal-linear": diagonal_linear, "matrix-factorization": matrix_factorization,
          "two-layer": two_layer, "random-features": random_features, "quadratic": quadratic,
          "scalar-chain": scalar_chain, "mlp": mlp, "cnn": cnn, "tree-cnn": tree_cnn, "resnet": resnet, "mlp-mixer": mlp_mixer, "vit": vit, "gpt": gpt,
          "attention-only": attention_only, "lstm": recurrent("lstm", torch.lstm),
          "gru": recurrent("gru", torch.gru), "mamba": mamba, "autoencoder": mlp}


def forward(call, data):
    """`call` is unibench's canonical text: every option is there."""
    name, o = options(call)
    return MODELS[name](o, data)


def loss(kind, data, output, target):
    """Mean over samples and the positions asked for; `target` as unibench exports it."""
    if data.positions > 1 and target.shape[-1] == data.positions and data.outputs > 1:
        labels = target.reshape(-1).long()
        asked = labels >= 0
        output, labels = output.reshape(-1, data.outputs)[asked], labels[asked]
        if kind == "ce":
            return F.cross_entropy(output, labels)
        target = F.one_hot(labels, data.outputs).to(output.dtype)
    if kind == "ce":
        return -(target * torch.log_softmax(output, 1)).sum(1).mean()
    return 0.5 * (output - target).square().sum(-1).mean()
