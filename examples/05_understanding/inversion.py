"""Feature inversion: what of an image is still there in a network's features.

Look for an image, from noise, that has the same features as a given one, and is smooth (Mahendran and Vedaldi 2015).
From the first layer's features it is found again; from later ones what the layer has let go of is missing: color first,
then exact places, while what counts for the task remains. The network is not asked to do anything new: only the image
is changed, by gradient descent. The picture shows what is found from each layer. Try without `roughness`.
"""

from matplotlib import pyplot as plt

import autograd
from examples import data, networks

SYSTEMS = ("feature inversion",)
CLAIM = ("The images that are found again differ from the held-out ones the more, the later the layer: from the first "
         "by less than a third of what they do from the last. From each layer, at least 80 % are read by the network "
         "as the same digit.")


def invert(run, model, x, layer, steps):
    """Images with the features of x in a layer."""
    wanted = networks.activations(model, x)[layer]
    def loss(found):
        features = networks.activations(model, found)[layer]
        return (features - wanted).square().mean() / wanted.var() + 0.3 * networks.roughness(found)
    noise = 0.5 + 0.1 * autograd.randn(*x.shape)
    return networks.optimized(run, noise, loss, steps, 0.05, label=f"layer {layer + 1}", betas=(0.9, 0.999))[0]


def example(run):
    model = networks.trained(run)
    held_out = data.on_photographs(data.digits(run.seed)[1], run.pick(24, 8), run.rng, held_out=True)
    x = autograd.tensor(held_out.images)
    found = [invert(run, model, x, layer, 150) for layer in range(4)]
    errors, same = [], []
    for k, images in enumerate(found):  # root of the mean square
        errors.append((images - x).square().mean().sqrt().item())
        same.append((model(images)[:, :10].argmax(1) == model(x)[:, :10].argmax(1)).float().mean().item())
        run.result(f"error from layer {k + 1}", errors[-1])
        run.result(f"read alike, layer {k + 1}", 100 * same[-1], "%")
    run.holds(errors == sorted(errors))
    run.holds(errors[0] < errors[-1] / 3)
    run.holds(min(same) >= 0.8)

    figure, axes = plt.subplots(5, 8, figsize=(10, 6.6))
    for row, images, name in zip(axes, [x, *found], ("image", "layer 1", "layer 2", "layer 3", "layer 4"), strict=True):
        row[0].set_ylabel(name)
        for axis, image in zip(row, images.numpy(), strict=False):
            axis.imshow(image.transpose(1, 2, 0))
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    figure.suptitle("Images found again from their features")
    run.save(figure)
