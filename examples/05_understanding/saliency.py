"""Saliency: which pixels a score depends on, by covering them, by its gradient, and by a guided gradient.

Cover one square after the other and see where the score falls: occlusion (Zeiler and Fergus 2014). One backward pass
says how each pixel would change the score: saliency (Simonyan et al. 2014). Guided backpropagation stops, at each ReLU,
gradients that are negative, and its images are clearer (Springenberg et al. 2015). Here two digits are beside one
another, and the maps of one's score have to be strongest on that one. The picture shows them.
Try the score of a photograph: labels from 10 to 17.
"""

from matplotlib import pyplot as plt

import autograd
import nn
from examples import data, networks
from nn import functional as F

SYSTEMS = ("occlusion", "saliency", "guided backprop")
CLAIM = ("Of two digits the strongest point of a map is on the one whose score it explains: by occlusion in at least "
         "90 % of held-out images, by guided backprop in 85 %, by saliency in 60 %; where edges are strongest, or if "
         "the network is not trained, in less than 55 %.")


def scores(model, x, digits):
    """Of a digit of each image, (N,)."""
    return model(x).gather(1, digits[:, None])[:, 0]


def occlusion(model, x, digits, size=8, step=4):
    """How much the score falls when a square around each pixel takes the image's mean color, (N, H, W)."""
    falls, places = [], [range(0, length - size + 1, step) for length in x.shape[2:]]
    with autograd.no_grad():
        before, mean = scores(model, x, digits), x.mean((2, 3), keepdim=True)
        for top in places[0]:
            for left in places[1]:
                covered = x.clone()
                covered[..., top:top + size, left:left + size] = mean
                falls.append(before - scores(model, covered, digits))
    falls = autograd.stack(falls, 1).reshape(len(x), 1, len(places[0]), len(places[1]))
    return F.interpolate(F.pad(falls, (1, 1, 1, 1)), size=x.shape[2:], mode="bilinear", align_corners=True)[:, 0]


def saliency(model, x, digits):
    """The greatest change of the score by a channel of each pixel, (N, H, W)."""
    x = x.detach().requires_grad_()
    return autograd.grad(scores(model, x, digits).sum(), x)[0].abs().amax(1)


def guided_backprop(model, x, digits):
    """The same, but negative gradients are stopped at each ReLU."""
    hooks = [layer.register_full_backward_hook(lambda layer, given, wanted: (given[0].clamp(min=0),))
             for layer in model.modules() if isinstance(layer, nn.ReLU)]
    out = saliency(model, x, digits)
    for hook in hooks:
        hook.remove()
    return out


def on_digit(maps, masks):
    """The share of maps whose strongest point is within a pixel of the digit."""
    near = F.max_pool2d(autograd.tensor(masks[:, None]).float(), 3, stride=1, padding=1)[:, 0].flatten(1)
    blurred = F.avg_pool2d(maps[:, None], 3, stride=1, padding=1)[:, 0]
    return near.gather(1, blurred.flatten(1).argmax(1)[:, None]).mean().item()


def edges(model, x, digits):
    """How much neighboring pixels differ: asks no network."""
    gray = F.pad(x.mean(1), (1, 1, 1, 1), mode="replicate")
    down, right = gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1], gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2]
    return down ** 2 + right ** 2


def example(run):
    model, untrained = networks.trained(run), networks.photograph_network().eval()
    held_out = data.two_on_photographs(data.digits(run.seed)[1], run.pick(150, 10), run.rng, held_out=True)
    x, digits = autograd.tensor(held_out.images), autograd.tensor(held_out.digits)
    maps = {}
    for method, least in ((occlusion, 0.9), (saliency, 0.6), (guided_backprop, 0.85), (edges, None)):
        name = method.__name__.replace("_", " ")
        maps[name] = method(model, x, digits)
        hit = on_digit(maps[name], held_out.masks)
        run.result(f"{name} on the digit", 100 * hit, "%")
        run.holds(hit > least if least else hit < 0.55)
        if least:
            hit = on_digit(method(untrained, x, digits), held_out.masks)
            run.result(f"{name}, untrained", 100 * hit, "%")
            run.holds(hit < 0.55)

    figure, axes = plt.subplots(4, 6, figsize=(11, 4.3))
    for k, column in enumerate(axes.T):
        column[0].imshow(held_out.images[k].transpose(1, 2, 0))
        column[0].set_title(f"the score of {held_out.digits[k]}")
        for axis, name in zip(column[1:], maps, strict=False):
            axis.imshow(maps[name][k].numpy(), cmap="magma", vmin=0)
    for axis, name in zip(axes[:, 0], ("image", "occlusion", "saliency", "guided\nbackprop"), strict=True):
        axis.set_ylabel(name)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    run.save(figure)
