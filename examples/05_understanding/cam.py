"""Class activation maps: where in an image a network sees a class.

If a linear layer classifies the averages of the last features, its weights, applied before the average, give a map of
where the score comes from: CAM (Zhou et al. 2016). Grad-CAM weights the features of any layer by the averages of the
score's gradient, so it needs no such layer (Selvaraju et al. 2017); where both are defined they are the same, up to a
factor. Here two digits are beside one another, and the map of each is laid over the image. Try an earlier layer.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
from examples import data, networks
from nn import functional as F

SYSTEMS = ("CAM", "Grad-CAM")
CLAIM = ("Of two digits CAM is strongest on the half with the one that it explains in at least 90 % of held-out "
         "images, that of an untrained network in less than 65 %. The middle of its strong part is less than 4 pixels "
         "from the digit's on average, and Grad-CAM of the last layer is CAM up to a factor (to 1e-4).")

LAYERS = {3: 12, 4: 15}
"""Behind which of the network's features the ReLU of its third and fourth convolution is."""


def cam(model, x, digits):
    """The last features, weighted by the class's weights: (N, h, w)."""
    with autograd.no_grad():
        features = model.features(x)
    weights = model.classifier.weight.detach()[digits]
    return (features * weights[:, :, None, None]).sum(1)


def grad_cam(model, x, digits, last):
    """The features after that many layers, weighted by the averages of the gradient: (N, h, w)."""
    features = model.features[:last](x).detach().requires_grad_()
    scores = model[1:](model.features[last:](features))
    gradient = autograd.grad(scores.gather(1, digits[:, None]).sum(), features)[0]
    return (features.detach() * gradient.mean((2, 3), keepdim=True)).sum(1)


def over(maps, size):
    """As large as the image, (N, H, W); only what speaks for the class."""
    return F.interpolate(maps[:, None].relu(), size=size, mode="bilinear")[:, 0].numpy()


def middles(maps):
    """The middle, row and column, of what is above half of each map's maximum: (N, 2)."""
    strong = maps >= 0.5 * maps.max((1, 2), keepdims=True)
    return np.array([np.argwhere(each).mean(0) for each in strong])


def example(run):
    model, untrained = networks.trained(run), networks.photograph_network().eval()
    held_out = data.two_on_photographs(data.digits(run.seed)[1], run.pick(300, 10), run.rng, held_out=True)
    x, digits, size = autograd.tensor(held_out.images), autograd.tensor(held_out.digits), held_out.masks.shape[1:]
    on_the_right = held_out.masks[:, :, 24:].any((1, 2))
    maps = {"CAM": cam(model, x, digits), "Grad-CAM, layer 4": grad_cam(model, x, digits, LAYERS[4]),
            "Grad-CAM, layer 3": grad_cam(model, x, digits, LAYERS[3]), "CAM, untrained": cam(untrained, x, digits)}
    maps = {name: over(each, size) for name, each in maps.items()}
    share = {}
    for name, each in maps.items():
        share[name] = ((each.reshape(len(each), -1).argmax(1) % 48 >= 24) == on_the_right).mean()
        run.result(f"on the digit's half, {name}", 100 * share[name], "%")
    off = np.hypot(*(middles(maps["CAM"]) - middles(held_out.masks.astype(float))).T).mean()
    same = [maps[name] / (maps[name].max((1, 2), keepdims=True) + 1e-9) for name in ("CAM", "Grad-CAM, layer 4")]
    apart = np.abs(same[0] - same[1]).max()
    run.result("middles apart", off, "pixels")
    run.result("CAM and Grad-CAM apart", apart)
    run.holds(share["CAM"] > 0.9)
    run.holds(share["CAM, untrained"] < 0.65)
    run.holds(off < 4)
    run.holds(apart < 1e-4)

    figure, axes = plt.subplots(4, 5, figsize=(11, 5.2))
    for k, column in enumerate(axes.T):
        picture = held_out.images[k].transpose(1, 2, 0)
        for axis, name in zip(column, ("image", *maps), strict=False):
            axis.imshow(picture)
            axis.set(xticks=[], yticks=[], ylabel=name.replace(", ", "\n") if k == 0 else "")
            axis.spines[:].set_visible(False)
            if name in maps:
                axis.imshow(maps[name][k], cmap="inferno", alpha=0.6, vmin=0)
        column[0].set_title(f"where is the {held_out.digits[k]}?")
    run.save(figure)
