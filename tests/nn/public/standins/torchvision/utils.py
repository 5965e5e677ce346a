"""Images of tensors: their mean is printed, and compared."""


def make_grid(tensor, *args, **options):
    """As it is."""
    return tensor


def save_image(tensor, *args, **options):
    """Print its mean."""
    print(f"mean of the image {tensor.double().mean().item():.4f}")
