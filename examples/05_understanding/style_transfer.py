"""Style transfer: what one picture shows, painted as another one is.

The features of a network say what is in a picture; their Gram matrices say how it looks, wherever that is. So look for
a picture that has the features of one, in a late layer, and the Gram matrices of the other, in all layers and at two
scales (Gatys et al. 2016). It begins as the content in the colors of the style, which alone is not yet the style. A
network that was not trained judges, too. The picture shows one portrait in three styles. Try another weight of the
content, in `networks.perceptual_loss`.
"""

from matplotlib import pyplot as plt

from examples import data, networks
from nn import functional as F

SYSTEMS = ("style transfer",)
CLAIM = ("What is made is less than a fifth as far from each style as the content in the style's colors, by features "
         "that had no part in it less than half as far; and from the content less than 70 % as far as the style's "
         "picture.")

SIDE = 160
CONTENT = "astronaut", 0, 120, 200
STYLES = {"gravel": ("gravel", 0, 0, 200), "flower": ("flower", 60, 180, 320),
          "tissue": ("immunohistochemistry", 100, 0, 220)}


def transfer(run, model, content, style, steps=100, label=""):
    """The content, painted in the style."""
    wanted = networks.style(model, style)

    def loss(x):
        return networks.perceptual_loss(model, x, content, wanted)
    return networks.optimized(run, networks.recolored(content, style), loss, steps, 0.03, label=label)[0]


def example(run):
    model, judge = networks.trained(run), networks.untrained(data.pieces(256, run.rng).images)
    side = run.pick(SIDE, 32)
    content = networks.square(*CONTENT, side)
    styles = {name: networks.square(*where, side) for name, where in STYLES.items()}
    made = {name: transfer(run, model, content, style, label=name) for name, style in styles.items()}
    for name, style in styles.items():
        for network, share in ((model, 1 / 5), (judge, 1 / 2)):
            wanted = networks.style(network, style)
            far = [networks.style_distance(networks.style(network, x), wanted).item()
                   for x in (made[name], networks.recolored(content, style))]
            run.result(f"{name}, distance from the style" + ", judged" * (network is judge), 100 * far[0] / far[1], "%")
            run.holds(far[0] < share * far[1])
        shown, of_made, of_style = (networks.activations(model, x)[2] for x in (content, made[name], style))
        share = (F.mse_loss(of_made, shown) / F.mse_loss(of_style, shown)).item()
        run.result(f"{name}, distance from the content", 100 * share, "%")
        run.holds(share < 0.7)

    figure, axes = plt.subplots(2, 4, figsize=(11, 5.8))
    pictures = [content, *made.values()], [None, *styles.values()]
    for row, images in zip(axes, pictures, strict=True):
        for axis, image in zip(row, images, strict=True):
            axis.set_axis_off()
            if image is not None:
                axis.imshow(image[0].numpy().transpose(1, 2, 0))
    for axis, title in zip(axes.flat, ("content", *[f"in the style of {name}" for name in styles]), strict=False):
        axis.set_title(title)
    run.save(figure)
