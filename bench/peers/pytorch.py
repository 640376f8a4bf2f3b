"""The PyTorch side of the benchmark: see ../training/serve.ts for the conversation, ../README.md for the cases.

Eager mode. Variants: "contiguous", "channels_last" (convolutional networks), "bfloat16" (autocast), "compile" (torch.compile).
"""

import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # whatever a library prints goes to standard error

options = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options["threads"])

import torch  # noqa: E402  (after the number of threads)
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


def resident_mib(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


class Mlp(nn.Module):
    def __init__(self, shapes):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(shapes[f"layers.{i}.weight"][1], shapes[f"layers.{i}.weight"][0])
            for i in range(len(shapes) // 2)
        )

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x), inplace=True)
        return self.layers[-1](x)


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut = None
        if stride != 1:
            self.shortcut = nn.ModuleDict(
                {"conv": nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), "norm": nn.BatchNorm2d(out_channels)}
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        y += x if self.shortcut is None else self.shortcut["norm"](self.shortcut["conv"](x))
        return F.relu(y, inplace=True)


class ResidualNetwork(nn.Module):
    def __init__(self, shapes):
        super().__init__()
        channels = shapes["stem.conv.weight"][0]
        self.stem = nn.ModuleDict(
            {"conv": nn.Conv2d(3, channels, 3, 1, 1, bias=False), "norm": nn.BatchNorm2d(channels)}
        )
        self.stages = nn.ModuleList()
        while f"stages.{len(self.stages)}.0.conv1.weight" in shapes:
            stage, blocks = len(self.stages), nn.Sequential()
            while f"stages.{stage}.{len(blocks)}.conv1.weight" in shapes:
                out_channels = shapes[f"stages.{stage}.{len(blocks)}.conv1.weight"][0]
                blocks.append(Block(channels, out_channels, 2 if stage > 0 and len(blocks) == 0 else 1))
                channels = out_channels
            self.stages.append(blocks)
        self.head = nn.Linear(channels, shapes["head.weight"][0])

    def forward(self, x):
        x = F.relu(self.stem["norm"](self.stem["conv"](x)), inplace=True)
        for stage in self.stages:
            x = stage(x)
        return self.head(x.mean((2, 3)))


class EncoderBlock(nn.Module):
    def __init__(self, width, hidden, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.ModuleDict(
            {"inputProjection": nn.Linear(width, 3 * width), "outputProjection": nn.Linear(width, width)}
        )
        self.norm2 = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, x):
        batch, length, width = x.shape
        # [batch, length, 3, heads, features] -> three times [batch, heads, length, features]
        qkv = self.attention["inputProjection"](self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.attention["outputProjection"](attended)
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


class Transformer(nn.Module):
    HEADS = 4

    def __init__(self, shapes):
        super().__init__()
        width = shapes["tokens.weight"][1]
        self.tokens = nn.Embedding(*shapes["tokens.weight"])
        self.positions = nn.Embedding(*shapes["positions.weight"])
        layers = sum(name.endswith(".linear1.weight") for name in shapes)
        self.blocks = nn.Sequential(
            *(EncoderBlock(width, shapes["blocks.0.linear1.weight"][0], self.HEADS) for _ in range(layers))
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, shapes["head.weight"][0])

    def forward(self, ids):
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions.weight)).mean(1))


MODELS = {
    "mlp-2048": Mlp,
    "mlp-256": Mlp,
    "resnet20": ResidualNetwork,
    "resnet18": ResidualNetwork,
    "transformer": Transformer,
}


def read_case(folder):
    with open(os.path.join(folder, "case.json")) as file:
        manifest = json.load(file)
    with open(os.path.join(folder, "case.bin"), "rb") as file:
        data = bytearray(file.read())

    def read(stored):
        count = 1
        for length in stored["shape"]:
            count *= length
        dtype = torch.float32 if stored["dtype"] == "float32" else torch.int32
        # A copy, so that the batch that is trained on does not keep the whole file in memory.
        return torch.frombuffer(data, dtype=dtype, count=count, offset=stored["offset"]).view(stored["shape"]).clone()

    parameters = {stored["name"]: read(stored) for stored in manifest["parameters"]}
    batches = [(read(batch["inputs"]), read(batch["labels"]).long()) for batch in manifest["batches"]]
    return manifest, parameters, batches


def describe():
    config = torch.__config__.show()
    cpu = next((line.split(":")[-1].strip() for line in config.splitlines() if "CPU capability" in line), "unknown")
    blas = next((part.split("=")[1] for part in config.replace("\n", ",").split(", ") if "BLAS_INFO=" in part), "?")
    onednn = next((line.split(" v")[1].split(" ")[0] for line in config.splitlines() if "MKL-DNN v" in line), "none")
    return f"Python {sys.version.split()[0]}, BLAS {blas}, oneDNN {onednn}, kernels for {cpu}, fused SGD"


def main():
    torch.set_num_threads(options["threads"])
    loaded_mib = resident_mib("VmRSS")
    manifest, parameters, batches = read_case(options["folder"])
    started = time.perf_counter()
    model = MODELS[manifest["case"]["name"]]({name: tuple(value.shape) for name, value in parameters.items()})
    own = dict(model.named_parameters())
    if own.keys() != parameters.keys():
        raise RuntimeError(f"parameters differ: {sorted(own.keys() ^ parameters.keys())}")
    with torch.no_grad():
        for name, value in parameters.items():
            own[name].copy_(value)
    del parameters
    variant = options["variant"]
    if variant == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        batches = [(inputs.to(memory_format=torch.channels_last), labels) for inputs, labels in batches]
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=manifest["optimizer"]["learningRate"],
        momentum=manifest["optimizer"]["momentum"],
        fused=True,
    )
    forward = torch.compile(model) if variant == "compile" else model

    def step(inputs, labels):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=variant == "bfloat16"):
            loss = F.cross_entropy(forward(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    mode = {"contiguous": "eager", "channels_last": "eager, channels-last", "bfloat16": "eager, autocast to bfloat16", "compile": "torch.compile"}[
        variant
    ]
    ready = {
        "version": torch.__version__,
        "settings": f"{describe()}, {mode}",
        "threads": torch.get_num_threads(),
        "loadedMiB": loaded_mib,
        "buildMs": (time.perf_counter() - started) * 1000,
    }
    print(json.dumps({"ready": ready}), file=answers)
    index = 0
    for line in sys.stdin:
        step_ms, losses = [], []
        request = json.loads(line)
        end = time.perf_counter() + request["withinMs"] / 1000
        for i in range(request["steps"]):
            if i > 0 and time.perf_counter() >= end:
                break
            inputs, labels = batches[index % len(batches)]
            index += 1
            before = time.perf_counter()
            losses.append(step(inputs, labels))
            step_ms.append((time.perf_counter() - before) * 1000)
        print(json.dumps({"stepMs": step_ms, "losses": losses, "peakMiB": resident_mib("VmHWM")}), file=answers)


try:
    main()
except Exception as error:  # the harness reports it in the table
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers)
    raise
