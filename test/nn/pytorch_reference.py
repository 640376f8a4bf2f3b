"""Numbers of PyTorch that the tests of layers, losses, optimizers and schedules compare with.

    python test/nn/pytorch_reference.py > test/nn/pytorch-reference.json     (torch 2.15.0, numpy not needed)

Inputs and parameters are sines, so that both sides make them by themselves: see wave. Of every tensor only a signature is
kept: its projections on three cosines, and the sum of its absolute values, which errors are measured against.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def wave(shape, phase=0.0, scale=1.0):
    count = math.prod(shape)
    return (scale * torch.sin(torch.arange(count) + phase)).reshape(shape)


def signature(tensor):
    values = tensor.detach().flatten()
    places = torch.arange(values.numel())
    projections = [(values * torch.cos(0.7 * k * places)).sum().item() for k in (1, 2, 3)]
    return [float(f"{number:.9g}") for number in [*projections, values.abs().sum().item()]]


def run(forward, inputs, parameters=(), buffers=()):
    """parameters: (path in Modicum, tensor), in the order in which Modicum declares them."""
    for index, (_, parameter) in enumerate(parameters):
        parameter.data.copy_(wave(parameter.shape, index + 1, 0.5))
    for tensor in inputs:
        if tensor.is_floating_point():
            tensor.requires_grad_()
    y = forward(*inputs)
    y.backward(wave(y.shape, 0.3) if y.dim() > 0 else None)
    names = ["x", "target"]
    gradients = {names[i]: signature(t.grad) for i, t in enumerate(inputs) if t.is_floating_point() and t.grad is not None}
    gradients |= {path: signature(parameter.grad) for path, parameter in parameters}
    result = {"y": signature(y), "gradients": gradients}
    if buffers:
        result["updates"] = {path: signature(buffer) for path, buffer in buffers}
    return result


def named(module, **paths):
    """Pairs of Modicum's paths and the module's parameters, from PyTorch's names."""
    own = dict(module.named_parameters())
    return [(path, own[name]) for path, name in paths.items()]


def weights(module, bias=True):
    return named(module, weight="weight", **({"bias": "bias"} if bias else {}))


layers = {}


def layer(name, module, shape, parameters=(), **options):
    layers[name] = run(module, [wave(shape, 0.1)], parameters, **options)


linear = torch.nn.Linear(5, 3)
layer("linear", linear, (4, 5), weights(linear))
layer("linear of three axes", linear := torch.nn.Linear(5, 3), (2, 3, 5), weights(linear))
layer("linear without bias", linear := torch.nn.Linear(5, 3, bias=False), (4, 5), weights(linear, False))
conv = torch.nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
layer("conv of two axes", conv, (2, 4, 6, 7), weights(conv))
layer("conv of one axis", conv := torch.nn.Conv1d(3, 4, 5, padding="same"), (2, 3, 9), weights(conv))
layer("conv with an even kernel", conv := torch.nn.Conv1d(3, 4, 4, padding="same"), (2, 3, 9), weights(conv))
conv = torch.nn.Conv3d(2, 3, 2, bias=False)
layer("conv of three axes", conv, (1, 2, 3, 4, 3), weights(conv, False))
transposed = torch.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
layer("convTranspose of two axes", transposed, (2, 4, 3, 4), weights(transposed))
transposed = torch.nn.ConvTranspose1d(3, 2, 4, stride=3, dilation=2, bias=False)
layer("convTranspose of one axis", transposed, (2, 3, 5), weights(transposed, False))
layer("maxPool", torch.nn.MaxPool2d(3, stride=2, padding=1), (2, 2, 6, 7))
layer("maxPool of one axis", torch.nn.MaxPool1d(2, dilation=2), (2, 2, 9))
layer("averagePool", torch.nn.AvgPool2d(2), (2, 2, 6, 7))
layer("averagePool with padding", torch.nn.AvgPool2d(3, stride=2, padding=1), (2, 2, 6, 7))
layer(
    "averagePool without padding in the mean",
    torch.nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
    (2, 2, 6, 7),
)
layer("globalAveragePool", lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1), (2, 3, 4, 5))
layer("flatten", torch.nn.Flatten(), (2, 3, 4, 5))

norm = torch.nn.BatchNorm2d(3)
running = [("runningMean", norm.running_mean), ("runningVariance", norm.running_var)]
layer("batchNorm", norm, (4, 3, 2, 3), weights(norm), buffers=running)
norm = torch.nn.BatchNorm1d(3, momentum=0.3, eps=1e-2, affine=False)
running = [("runningMean", norm.running_mean), ("runningVariance", norm.running_var)]
layer("batchNorm of vectors", norm, (5, 3), buffers=running)
norm = torch.nn.BatchNorm2d(3).eval()
norm.running_mean.copy_(wave((3,), 5))
norm.running_var.copy_(2 + wave((3,), 6))
layer("batchNorm in use", norm, (4, 3, 2, 3), weights(norm))
layer("layerNorm", norm := torch.nn.LayerNorm(6), (2, 3, 6), weights(norm))
layer("layerNorm over two axes", norm := torch.nn.LayerNorm((3, 6), eps=1e-2), (2, 3, 6), weights(norm))
layer("layerNorm without parameters", torch.nn.LayerNorm(6, elementwise_affine=False), (2, 3, 6))
norm = torch.nn.LayerNorm(6, bias=False)
layer("layerNorm without bias", norm, (2, 3, 6), weights(norm, False))
layer("rmsNorm", norm := torch.nn.RMSNorm(6, eps=1e-3), (2, 3, 6), weights(norm, False))
layer("instanceNorm", torch.nn.InstanceNorm2d(3), (2, 3, 4, 3))
layer("instanceNorm with parameters", norm := torch.nn.InstanceNorm1d(3, affine=True), (2, 3, 5), weights(norm))
layer("groupNorm", norm := torch.nn.GroupNorm(2, 4), (2, 4, 3, 3), weights(norm))
layer("groupNorm of vectors", torch.nn.GroupNorm(2, 6, affine=False), (3, 6))
layer("prelu", prelu := torch.nn.PReLU(), (2, 3, 4), weights(prelu, False))
layer("prelu per channel", prelu := torch.nn.PReLU(3), (2, 3, 4), weights(prelu, False))

table = torch.nn.Embedding(7, 4)
layers["embedding"] = run(table, [torch.tensor([[0, 3, 6], [3, 1, 3]])], named(table, weight="weight"))


def attention_parameters(module, prefix="", path=""):
    return named(
        module,
        **{
            f"{path}inputProjection.weight": f"{prefix}in_proj_weight",
            f"{path}inputProjection.bias": f"{prefix}in_proj_bias",
            f"{path}outputProjection.weight": f"{prefix}out_proj.weight",
            f"{path}outputProjection.bias": f"{prefix}out_proj.bias",
        },
    )


attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)
parameters = attention_parameters(attention)
layer("multiHeadAttention", lambda x: attention(x, x, x)[0], (2, 4, 6), parameters)
hidden = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)
parameters = attention_parameters(attention)
layer("causal multiHeadAttention", lambda x: attention(x, x, x, attn_mask=hidden)[0], (2, 4, 6), parameters)
attention = torch.nn.MultiheadAttention(6, 3, batch_first=True)
parameters = attention_parameters(attention)
memory = wave((2, 5, 6), 0.7)
layer("multiHeadAttention to memory", lambda x: attention(x, memory, memory)[0], (2, 4, 6), parameters)
attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)
parameters = attention_parameters(attention)
seen = torch.tensor([[True, False, True, True], [False, True, True, False]])
layer("multiHeadAttention with a mask", lambda x: attention(x, x, x, key_padding_mask=~seen)[0], (2, 4, 6), parameters)
for norm_first in (False, True):
    block = torch.nn.TransformerEncoderLayer(
        6, 2, 8, dropout=0.0, activation="gelu" if norm_first else "relu", batch_first=True, norm_first=norm_first
    )
    inner = [(f"{part}.{kind}", f"{part}.{kind}") for part in ("linear1", "linear2") for kind in ("weight", "bias")]
    norms = {n: [(f"{n}.{kind}", f"{n}.{kind}") for kind in ("weight", "bias")] for n in ("norm1", "norm2")}
    pairs = [("attention", None), *norms["norm1"], *inner, *norms["norm2"]]
    if norm_first:
        pairs = [*norms["norm1"], ("attention", None), *norms["norm2"], *inner]
    parameters = []
    for path, name in pairs:
        if name is None:
            parameters += attention_parameters(block, "self_attn.", "attention.")
        else:
            parameters += named(block, **{path: name})
    title = f"transformerEncoderLayer with {'pre' if norm_first else 'post'}-norm"
    layer(title, block, (2, 3, 6), parameters)


def recurrent(module, bidirectional=False):
    paths = {"inputWeight": "weight_ih_l0", "hiddenWeight": "weight_hh_l0", "inputBias": "bias_ih_l0", "hiddenBias": "bias_hh_l0"}
    if not bidirectional:
        return named(module, **paths)
    forward = {f"forward.{path}": name for path, name in paths.items()}
    return named(module, **forward, **{f"reverse.{path}": f"{name}_reverse" for path, name in paths.items()})


cell = torch.nn.LSTM(3, 4, batch_first=True)
layer("lstm", lambda x: cell(x)[0], (2, 5, 3), recurrent(cell))
cell = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
layer("lstm in both directions", lambda x: cell(x)[0], (2, 5, 3), recurrent(cell, True))
cell = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
parameters = recurrent(cell, True)
layer("last state of an lstm", lambda x: cell(x)[1][0].transpose(0, 1).flatten(1), (2, 5, 3), parameters)
cell = torch.nn.GRU(3, 4, batch_first=True)
layer("gru", lambda x: cell(x)[0], (2, 5, 3), recurrent(cell))
cell = torch.nn.GRU(3, 4, batch_first=True)
layer("gru in reverse", lambda x: cell(x.flip(1))[0].flip(1), (2, 5, 3), recurrent(cell))
cell = torch.nn.RNN(3, 4, batch_first=True)
layer("rnn", lambda x: cell(x)[0], (2, 5, 3), recurrent(cell))
cell = torch.nn.RNN(3, 4, batch_first=True, nonlinearity="relu")
layer("rnn with relu", lambda x: cell(x)[0], (2, 5, 3), recurrent(cell))

activations = {
    "relu": F.relu,
    "relu6": lambda x: F.relu6(4 * x),
    "leakyRelu": F.leaky_relu,
    "leakyRelu with a slope": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "elu with alpha": lambda x: F.elu(x, 0.5),
    "celu": F.celu,
    "celu with alpha": lambda x: F.celu(x, 0.5),
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "hardSigmoid": F.hardsigmoid,
    "hardSwish": F.hardswish,
    "hardTanh": F.hardtanh,
    "hardTanh with bounds": lambda x: F.hardtanh(x, -0.5, 2),
    "softmax": lambda x: F.softmax(x, -1),
    "softmax along axis 1": lambda x: F.softmax(x, 1),
    "logSoftmax": lambda x: F.log_softmax(x, -1),
}
for name, function in activations.items():
    layers[name] = run(function, [wave((2, 3, 4), 0.1, 3)])

losses = {}


def loss(name, function, target, shape=(4, 5)):
    losses[name] = run(lambda x, *rest: function(x, *(rest or (target,))), [wave(shape, 0.1, 2)])


labels = torch.tensor([1, 4, 0, 1])
ignoring = torch.tensor([1, -1, 0, 4])
class_weights = torch.tensor([1.0, 2.0, 0.5, 0.0, 3.0])
for reduction in ("mean", "sum", "none"):
    loss(f"crossEntropy, {reduction}", lambda x, t: F.cross_entropy(x, t, reduction=reduction), labels)
    loss(
        f"crossEntropy with everything, {reduction}",
        lambda x, t: F.cross_entropy(x, t, class_weights, ignore_index=-1, label_smoothing=0.1, reduction=reduction),
        ignoring,
    )
    loss(
        f"negativeLogLikelihood, {reduction}",
        lambda x, t: F.nll_loss(x, t, class_weights, ignore_index=-1, reduction=reduction),
        ignoring,
    )
loss("crossEntropy with smoothing", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2), labels)
loss("crossEntropy with weights", lambda x, t: F.cross_entropy(x, t, class_weights), labels)
loss("crossEntropy that ignores", lambda x, t: F.cross_entropy(x, t, ignore_index=-1), ignoring)
places = torch.tensor([[0, 2, 1], [2, 2, 0]])
loss("crossEntropy of places", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2), places, (2, 3, 3))
probabilities = F.softmax(wave((4, 5), 0.5, 2), -1)
losses["crossEntropy of probabilities"] = run(F.cross_entropy, [wave((4, 5), 0.1, 2), probabilities.clone()])
losses["crossEntropy of probabilities with weights and smoothing"] = run(
    lambda x, t: F.cross_entropy(x, t, class_weights, label_smoothing=0.1), [wave((4, 5), 0.1, 2), probabilities.clone()]
)
target = wave((4, 5), 0.9)
for reduction in ("mean", "sum", "none"):
    loss(f"meanSquaredError, {reduction}", lambda x, t: F.mse_loss(x, t, reduction=reduction), target)
    loss(f"meanAbsoluteError, {reduction}", lambda x, t: F.l1_loss(x, t, reduction=reduction), target)
    loss(f"huber, {reduction}", lambda x, t: F.huber_loss(x, t, reduction=reduction, delta=0.5), target)
    loss(f"smoothL1, {reduction}", lambda x, t: F.smooth_l1_loss(x, t, reduction=reduction, beta=0.5), target)
    yes = 0.5 + 0.5 * target
    loss(
        f"binaryCrossEntropy, {reduction}",
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=reduction),
        yes,
    )
loss(
    "binaryCrossEntropy with a weight",
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0)),
    yes,
)
loss(
    "binaryCrossEntropy with weights",
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=class_weights),
    yes,
)
loss("klDivergence", F.kl_div, probabilities)
loss("klDivergence, batchMean", lambda x, t: F.kl_div(x, t, reduction="batchmean"), probabilities)
loss("klDivergence of logarithms", lambda x, t: F.kl_div(x, t, log_target=True), probabilities.log())

optimizers = {}


def optimizer(name, make, clip=None, groups=lambda a, b: [a, b]):
    """Six steps on a sum of (1 + i) (w_i - b_i)^2 / 2 over two parameters."""
    a, b = (torch.nn.Parameter(wave(shape, phase)) for shape, phase in (((3,), 1), ((2, 2), 2)))
    one = make(groups(a, b))
    values = []
    for _ in range(6):
        one.zero_grad()
        total = sum(((1 + torch.arange(w.numel()).reshape(w.shape)) * (w - wave(w.shape, 4)) ** 2).sum() / 2 for w in (a, b))
        total.backward()
        if clip:
            clip([a, b])
        one.step()
        values.append([float(f"{number:.9g}") for w in (a, b) for number in w.detach().flatten().tolist()])
    optimizers[name] = values


O = torch.optim
optimizer("sgd", lambda p: O.SGD(p, lr=0.1))
optimizer("sgd with momentum", lambda p: O.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05))
optimizer("sgd with dampening", lambda p: O.SGD(p, lr=0.1, momentum=0.9, dampening=0.5))
optimizer("sgd, Nesterov's", lambda p: O.SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.05))
optimizer("adam", lambda p: O.Adam(p, lr=0.1, weight_decay=0.05))
optimizer("adam with betas", lambda p: O.Adam(p, lr=0.1, betas=(0.5, 0.7), eps=1e-2))
optimizer("adam, AMSGrad", lambda p: O.Adam(p, lr=0.3, betas=(0.8, 0.9), amsgrad=True))
optimizer("adamW", lambda p: O.AdamW(p, lr=0.1))
optimizer("adamW, AMSGrad", lambda p: O.AdamW(p, lr=0.3, betas=(0.8, 0.9), weight_decay=0.1, amsgrad=True))
optimizer("rmsprop", lambda p: O.RMSprop(p, lr=0.05, weight_decay=0.05))
optimizer("rmsprop with momentum, centered", lambda p: O.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.8, centered=True))
optimizer("adagrad", lambda p: O.Adagrad(p, lr=0.2))
optimizer("adagrad with everything", lambda p: O.Adagrad(p, lr=0.2, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.3))
optimizer("clipByNorm", lambda p: O.SGD(p, lr=0.1), clip=lambda p: torch.nn.utils.clip_grad_norm_(p, 1.5))
optimizer("clipByValue", lambda p: O.SGD(p, lr=0.1), clip=lambda p: torch.nn.utils.clip_grad_value_(p, 0.8))
optimizer(
    "parameter groups",
    lambda p: O.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
    groups=lambda a, b: [{"params": [a], "lr": 0.01, "weight_decay": 0.0}, {"params": [b]}],
)

schedules = {}


def schedule(name, make, steps=12, lr=0.4):
    one = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(one)
    rates = []
    for step in range(steps):
        rates.append(float(f"{one.param_groups[0]['lr']:.12g}"))
        one.step()
        if step < steps - 1:
            scheduler.step()
    schedules[name] = rates


S = torch.optim.lr_scheduler
schedule("stepDecay", lambda o: S.StepLR(o, 3, 0.5))
schedule("multiStepDecay", lambda o: S.MultiStepLR(o, [2, 7]))
schedule("cosine", lambda o: S.CosineAnnealingLR(o, 11, 0.1))
schedule("cosineRestarts", lambda o: S.CosineAnnealingWarmRestarts(o, 4, 1, 0.1))
schedule("cosineRestarts that grow", lambda o: S.CosineAnnealingWarmRestarts(o, 2, 2), 20)
schedule("oneCycle", lambda o: S.OneCycleLR(o, 0.4, total_steps=12))
schedule("oneCycle of lines in three phases", lambda o: S.OneCycleLR(o, 0.4, total_steps=20, three_phase=True, anneal_strategy="linear"), 20)
schedule("oneCycle with divisors", lambda o: S.OneCycleLR(o, 0.4, total_steps=12, pct_start=0.5, div_factor=10, final_div_factor=100))
schedule("polynomial", lambda o: S.PolynomialLR(o, 8, 2))
schedule("warmup", lambda o: S.SequentialLR(o, [S.LinearLR(o, total_iters=4), S.CosineAnnealingLR(o, 8)], [4]))
schedule("warmup from a tenth", lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=3), S.ConstantLR(o, 1, 1)], [3]))

parts = {"layers": layers, "losses": losses, "optimizers": optimizers, "schedules": schedules}
lines = [
    f'"{part}": {{\n' + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items()) + "\n}"
    for part, entries in parts.items()
]
print("{\n" + ",\n".join([f'"torch": "{torch.__version__}"', *lines]) + "\n}")
