"""The notes' table: what ten published networks have in parameters, and need in multiply-adds and memory.

Each network is built as published and run once; `nn.summary` counts. Nothing is trained, and the accuracies are those
of the papers and of torchvision's documentation. In VGG-16 nearly all memory is in the first convolutions and nearly
all parameters are in the linear ones, which GoogLeNet and what came later leave out. The picture shows what a network
reaches by what it costs (after Canziani et al. 2016), and where VGG-16 has its memory and parameters. Try
models.vit_b_16.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from nn.vision import models

SYSTEMS = ("memory", "parameters", "multiply-adds")
CLAIM = ("Parameters and multiply-adds of ten networks are the published ones, to 3 %. Over 85 % of VGG-16's "
         "parameters are in its linear layers, and over 60 % of its memory where images are 112 wide or more. "
         "MobileNet needs less than a twentieth of VGG-16's multiply-adds.")

NETWORKS = {  # constructor, published: million parameters, billion multiply-adds, % right of ImageNet's first guesses
    "AlexNet": (models.alexnet, 61.1, 0.714, 56.5),  # torchvision
    "ZFNet": (models.zfnet, 62.36, 1.17, 61.6),  # by hand, after Zeiler & Fergus (2014), figure 3
    "GoogLeNet": (models.googlenet, 6.62, 1.5, 69.8),  # Szegedy et al. (2015) for multiply-adds; torchvision
    "ResNet-50": (models.resnet50, 25.5, 4.1, 76.1),  # Xie et al. (2017), table 1
    "ResNeXt-50": (models.resnext50_32x4d, 25.0, 4.2, 77.8),  # Xie et al. (2017), table 1
    "SE-ResNet-50": (models.se_resnet50, 28.1, 4.1 * 1.0026, 76.7),  # Hu et al. (2018): 10 % and 0.26 % more
    "DenseNet-121": (models.densenet121, 7.98, 2.83, 74.4),  # torchvision
    "MobileNet": (models.mobilenet_v1, 4.2, 0.569, 70.6),  # Howard et al. (2017), table 8
    "ShuffleNet V2": (models.shufflenet_v2_x1_0, 2.3, 0.146, 69.4),  # Ma et al. (2018), table 8
    "VGG-16": (models.vgg16, 138, 15.5, 71.6)}  # Simonyan & Zisserman (2015), table 2; torchvision


def example(run):
    image, counted = autograd.zeros(1, 3, 224, 224), {}
    for name in run.progress(list(NETWORKS), quick=1):
        counted[name] = nn.summary(NETWORKS[name][0]().eval(), image)
    for name, summary in counted.items():
        run.result(f"{name}: parameters", summary.parameters / 1e6, "M")
        run.result(f"{name}: multiply-adds", summary.multiply_adds / 1e9, "G")
        run.result(f"{name}: memory", summary.activation_bytes / 2 ** 20, "MB")
        _, parameters, multiply_adds, _ = NETWORKS[name]
        run.holds(abs(summary.parameters / 1e6 / parameters - 1) < 0.03)
        run.holds(abs(summary.multiply_adds / 1e9 / multiply_adds - 1) < 0.03)
    vgg, parts = counted[name], {size: np.zeros(2) for size in (224, 112, 56, 28, 14, 7, "linear")}
    for row in vgg.rows:
        size = row.output_shape[-1] if len(row.output_shape) == 4 else "linear"
        if size in parts:  # in a quick run it is another network
            parts[size] += row.activation_bytes / 2 ** 20, row.parameters / 1e6
    memory, parameters = np.array(list(parts.values())).T
    run.holds(parameters[-1] > 0.85 * parameters.sum())
    run.holds(memory[:2].sum() > 0.6 * memory.sum())
    run.holds(vgg.multiply_adds > 20 * counted.get("MobileNet", vgg).multiply_adds)

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    for name, summary in counted.items():
        x, y, millions = summary.multiply_adds / 1e9, NETWORKS[name][-1], summary.parameters / 1e6
        left.scatter(x, y, 5 * millions, alpha=0.6)
        left.annotate(f"{name}, {millions:.3g} M", (x, y), (15, 0), textcoords="offset points", fontsize=8,
                      va="top" if name == "ResNet-50" else "baseline")
    left.set(xscale="log", xlim=(0.1, 100), ylim=(54, 81), xlabel="billion multiply-adds for an image of 224 x 224",
             ylabel="% of ImageNet right at the first guess, as published",
             title="Costs and accuracy (areas: millions of parameters)")
    places = np.arange(len(parts))
    right.bar(places - 0.2, 100 * memory / memory.sum(), 0.4, label=f"memory, of {memory.sum():.3g} MB for an image")
    right.bar(places + 0.2, 100 * parameters / parameters.sum(), 0.4, label=f"parameters, of {parameters.sum():.4g} M")
    right.set_xticks(places, list(parts))
    right.set(xlabel="width of the layers' outputs", ylabel="%", title=f"Where {name} has them")
    right.legend()
    run.save(figure)
