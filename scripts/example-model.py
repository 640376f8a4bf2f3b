"""Trains the embedded example and writes examples/fashion-mnist/model.onnx with its pictures.

The only Python of the repository, and no user needs it: the files it makes are part of the repository. It stands here so
that they can be made again. Made with Python 3.11, torch 2.15.0 (CPU), onnx 1.23.2, numpy 2.4.6, seed 0, one thread.

    python scripts/example-model.py ../shared/data/fashion-mnist examples/fashion-mnist
"""

import gzip
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

SEED = 0
EPOCHS = 9
BATCH = 128
PEAK_LEARNING_RATE = 0.2
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.05
MEAN, STD = 0.286, 0.353
TEST_PICTURES, TRAIN_PICTURES = 500, 100


class ConvBn(nn.Module):
    """Convolution without bias, batch normalization, activation ("relu", "relu6" or none)."""

    def __init__(self, name, inputs, outputs, kernel=3, stride=1, groups=1, activation="relu"):
        super().__init__()
        self.name, self.activation = name, activation
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = self.bn(self.conv(x))
        return {"relu": F.relu, "relu6": F.relu6, None: lambda y: y}[self.activation](x)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, linear projection (MobileNetV2); the input is added where shapes allow it."""

    def __init__(self, name, inputs, outputs, stride, expansion=3):
        super().__init__()
        wide = inputs * expansion
        self.name, self.shortcut = name, stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            ConvBn(f"{name}.expand", inputs, wide, 1, activation="relu6"),
            ConvBn(f"{name}.depthwise", wide, wide, 3, stride, groups=wide, activation="relu6"),
            ConvBn(f"{name}.project", wide, outputs, 1, activation=None),
        )

    def forward(self, x):
        return x + self.layers(x) if self.shortcut else self.layers(x)


class Residual(nn.Module):
    """Two 3x3 convolutions with the input added before the last ReLU (ResNet)."""

    def __init__(self, name, channels):
        super().__init__()
        self.name = name
        self.layers = nn.Sequential(
            ConvBn(f"{name}.conv1", channels, channels), ConvBn(f"{name}.conv2", channels, channels, activation=None)
        )

    def forward(self, x):
        return F.relu(x + self.layers(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(
            ConvBn("stem", 1, 16),
            ConvBn("reduce", 16, 32, stride=2),
            InvertedResidual("block1", 32, 32, stride=1),
            InvertedResidual("block2", 32, 64, stride=2),
            Residual("block3", 64),
        )
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.blocks(x).mean((2, 3)))


def read_idx(path):
    content = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0))


def normalized(pictures):
    return ((torch.from_numpy(pictures.astype(np.float32)) / 255 - MEAN) / STD)[:, None]


def augmented(batch):
    """Mirrors half of the pictures and shifts the whole batch by up to two pixels."""
    flip = torch.rand(len(batch)) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    dy, dx = torch.randint(0, 5, (2,)).tolist()
    return F.pad(batch, (2, 2, 2, 2), value=-MEAN / STD)[:, :, dy : dy + 28, dx : dx + 28]


def train(network, x, y):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=steps, pct_start=0.2)
    start = time.time()
    for epoch in range(EPOCHS):
        network.train()
        order = torch.randperm(len(x))
        for i in range(len(x) // BATCH):
            rows = order[i * BATCH : (i + 1) * BATCH]
            pictures = augmented(x[rows]).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(network(pictures), y[rows], label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{EPOCHS}  loss {loss.item():.3f}  {time.time() - start:.0f} s", flush=True)


def correct(network, x, y):
    network.eval()
    with torch.no_grad():
        return torch.cat([network(chunk).argmax(1) for chunk in x.split(500)]) == y


class Writer:
    """Collects ONNX nodes and weights; batch normalizations stay nodes of their own."""

    def __init__(self):
        self.nodes, self.initializers = [], {}

    def weight(self, name, tensor):
        array = tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else np.float32(tensor)
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)
        return name

    def node(self, operator, inputs, name, output=None, **attributes):
        output = output or f"{name}.output"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    def conv_bn(self, layer, x):
        name, conv, bn = layer.name, layer.conv, layer.bn
        k, s, p = list(conv.kernel_size), list(conv.stride), list(conv.padding) * 2
        weight = self.weight(f"{name}.conv.weight", conv.weight)
        shape = dict(kernel_shape=k, strides=s, pads=p, dilations=[1, 1], group=conv.groups)
        x = self.node("Conv", [x, weight], f"{name}.conv", **shape)
        fields = dict(scale=bn.weight, bias=bn.bias, mean=bn.running_mean, variance=bn.running_var)
        inputs = [x] + [self.weight(f"{name}.bn.{field}", tensor) for field, tensor in fields.items()]
        x = self.node("BatchNormalization", inputs, f"{name}.bn", epsilon=bn.eps)
        if layer.activation == "relu":
            return self.node("Relu", [x], f"{name}.relu")
        if layer.activation == "relu6":
            limits = [self.weight("relu6.min", 0.0), self.weight("relu6.max", 6.0)]
            return self.node("Clip", [x, *limits], f"{name}.relu6")
        return x

    def block(self, block, x):
        if isinstance(block, ConvBn):
            return self.conv_bn(block, x)
        y = x
        for layer in block.layers:
            y = self.conv_bn(layer, y)
        if isinstance(block, Residual):
            return self.node("Relu", [self.node("Add", [x, y], f"{block.name}.add")], f"{block.name}.relu")
        return self.node("Add", [x, y], f"{block.name}.add") if block.shortcut else y


def to_onnx(network):
    writer = Writer()
    x = "input"
    for block in network.blocks:
        x = writer.block(block, x)
    x = writer.node("GlobalAveragePool", [x], "pool")
    x = writer.node("Flatten", [x], "flatten", axis=1)
    head = [writer.weight("head.weight", network.head.weight), writer.weight("head.bias", network.head.bias)]
    writer.node("Gemm", [x, *head], "head", output="logits", transB=1)
    graph = helper.make_graph(
        writer.nodes,
        "fashion-mnist",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        list(writer.initializers.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    model.producer_name, model.producer_version = "modicum scripts/example-model.py", "1"
    onnx.checker.check_model(model, full_check=True)
    return model


def main(source, target):
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    parts = {}
    for split, take in (("train", TRAIN_PICTURES), ("t10k", TEST_PICTURES)):
        for kind, rank in (("images", 3), ("labels", 1)):
            name = f"{split}-{kind}-idx{rank}-ubyte.gz"
            parts[split, kind] = read_idx(source / name)
            write_idx(target / name, parts[split, kind][:take])
    network = Network().to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in network.parameters()), "parameters", flush=True)
    x, y = normalized(parts["train", "images"]), torch.from_numpy(parts["train", "labels"].astype(np.int64))
    train(network, x, y)
    x, y = normalized(parts["t10k", "images"]), torch.from_numpy(parts["t10k", "labels"].astype(np.int64))
    hits = correct(network, x, y)
    share = 100 * hits.float().mean()
    print(f"test accuracy {share:.2f} %, on the first {TEST_PICTURES}: {hits[:TEST_PICTURES].sum()} right")
    onnx.save(to_onnx(network), target / "model.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
