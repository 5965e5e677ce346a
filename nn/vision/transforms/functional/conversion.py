"""From one form of pictures to another: PIL's, arrays, tensors; and what a function sees of each."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor, as_tensor, dtypes, get_default_dtype
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, wrap

Function = TypeVar("Function", bound=Callable[..., Any])


def is_pil(inpt: Any) -> bool:
    """Whether it is a picture of PIL's (which is not imported for that)."""
    return any(cls.__module__ == "PIL.Image" and cls.__name__ == "Image" for cls in type(inpt).__mro__)


def is_pure_tensor(inpt: Any) -> bool:
    """Whether it is a Tensor or array that doesn't say what it is."""
    return isinstance(inpt, (Tensor, np.ndarray)) and not isinstance(inpt, TVTensor)


def is_image(inpt: Any) -> bool:
    """Whether it can be a picture."""
    return isinstance(inpt, Image) or is_pil(inpt) or is_pure_tensor(inpt)


def opened(inpt: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    """The tensor (*, C, H, W) of a picture or mask, and what gives a result its form."""
    if is_pil(inpt):
        return pil_to_tensor(inpt), lambda out: to_pil_image(out, _mode(inpt, out))
    if isinstance(inpt, Mask) and inpt.ndim == 2:
        return as_plain(inpt)[None], lambda out: wrap(out[0], like=inpt)
    if isinstance(inpt, (Image, Mask)):
        return as_plain(inpt), lambda out: wrap(out, like=inpt)
    if not is_pure_tensor(inpt):
        raise TypeError("a picture is a Tensor, an array, a PIL image or a tv_tensors.Image, not "
                        f"{type(inpt).__name__}")
    channels = 1, 3, 4
    if isinstance(inpt, np.ndarray) and inpt.ndim == 3 and inpt.shape[2] in channels and inpt.shape[0] not in channels:
        raise ShapeError(f"pictures have shape (*, C, H, W), and this array looks like (H, W, C): {inpt.shape}; write "
                         "to_image(array), or ToImage() as the first transform")
    x = as_tensor(inpt)
    if x.ndim < 3:
        raise ShapeError(f"pictures have shape (*, C, H, W), not {x.shape}; write image[None] for one channel")
    return x, lambda out: out


def as_plain(inpt: Tensor) -> Tensor:
    """A Tensor of the same memory that doesn't say what it is."""
    return Tensor(inpt.array) if isinstance(inpt, TVTensor) else inpt


def on_images(function: Function) -> Function:
    """A function of tensors (*, C, H, W), for every form of a picture: it returns the form that it was given.

    Of an array it makes a Tensor.
    """
    @functools.wraps(function)
    def of_any(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inpt, Mask):
            raise TypeError(f"{function.__name__}() is of pictures, not of masks; a transform leaves those as they are")
        image, back = opened(inpt)
        result = function(image, *args, **kwargs)
        return tuple(map(back, result)) if isinstance(result, tuple) else back(result)
    return of_any  # type: ignore[return-value]


def get_dimensions(inpt: Any) -> list[int]:
    """[channels, height, width] of a picture."""
    return list(opened(inpt)[0].shape[-3:])


def get_size(inpt: Any) -> list[int]:
    """[height, width] of a picture, a mask, or of what boxes or points are in."""
    if isinstance(inpt, (BoundingBoxes, KeyPoints)):
        return list(inpt.canvas_size)
    return list(opened(inpt)[0].shape[-2:])


# PIL

def pil() -> Any:
    """PIL.Image."""
    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError("PIL isn't installed, which this needs: pip install pillow") from error
    return PIL.Image


def _mode(image: Any, out: Tensor) -> str | None:
    """The mode that a picture keeps if it keeps its channels."""
    kept = len(image.getbands()) == out.shape[-3] and image.mode in ("RGBA", "CMYK", "YCbCr", "HSV")
    return image.mode if kept else None


def pil_to_tensor(pic: Any) -> Tensor:
    """A PIL image as a Tensor (C, H, W) of its own numbers, mostly uint8 from 0 to 255."""
    if not is_pil(pic):
        raise TypeError(f"pil_to_tensor() takes a PIL image, not {type(pic).__name__}; to_image() takes arrays, too")
    if pic.mode == "P":
        pic = pic.convert("RGB")
    array = np.array(pic)
    return Tensor(np.ascontiguousarray(np.moveaxis(array.reshape(*array.shape[:2], -1), 2, 0)))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A Tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a PIL image; floating numbers are of [0, 1].

    Args:
        pic: with 1, 3 or 4 channels (or 2: luminance and alpha).
        mode: PIL's, where the channels don't say it: "RGBA", "CMYK", "YCbCr", "HSV", …

    Raises:
        ImportError: PIL isn't installed.
    """
    if is_pil(pic):
        return pic
    array = np.asarray(pic.detach().numpy() if isinstance(pic, Tensor) else pic)
    array = np.moveaxis(array, 0, 2) if isinstance(pic, Tensor) and array.ndim == 3 else array
    array = array[:, :, None] if array.ndim == 2 else array
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise ShapeError("a PIL image is made of a Tensor (C, H, W) or an array (H, W, C), with 1 to 4 channels, not "
                         f"{pic.shape}")
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.uint8)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.shape[2] == 1:
        if array.dtype not in (np.uint8, np.int16, np.int32, np.float32):
            raise TypeError(f"PIL has no image of {array.dtype}; write pic.to(uint8)")
        return pil().fromarray(np.ascontiguousarray(array[:, :, 0]))
    if array.dtype != np.uint8:
        raise TypeError(f"a PIL image of {array.shape[2]} channels holds uint8, not {array.dtype}; write pic.to(uint8)")
    image = pil().fromarray(np.ascontiguousarray(array))
    return pil().frombytes(mode, image.size, array.tobytes()) if mode not in (None, image.mode) else image


def to_image(inpt: Any) -> Image:
    """A Tensor (*, C, H, W), an array (H, W, C) or (H, W), or a PIL image, as an `Image`."""
    if is_pil(inpt):
        return Image(pil_to_tensor(inpt))
    if isinstance(inpt, np.ndarray):
        return Image(np.ascontiguousarray(np.moveaxis(np.atleast_3d(inpt), 2, 0)))
    if isinstance(inpt, Tensor):
        return Image(inpt)
    raise TypeError(f"a picture is a Tensor, an array or a PIL image, not {type(inpt).__name__}")


def to_tensor(pic: Any) -> Tensor:
    """A PIL image, or an array (H, W, C) or (H, W), as a Tensor (C, H, W); numbers of 0 to 255 become those of [0, 1].

    >>> to_tensor(np.full((2, 2, 3), 255, np.uint8)).max()
    tensor(1.)
    """
    if not (is_pil(pic) or isinstance(pic, np.ndarray)):
        raise TypeError(f"to_tensor() takes a PIL image or an array, not {type(pic).__name__}; a Tensor's dtype is "
                        "changed by to_dtype(image, dtype, scale=True)")
    image = as_plain(to_image(pic))
    if is_pil(pic) and getattr(pic, "mode", None) == "1":
        return image.to(get_default_dtype())
    return image.to(get_default_dtype()) / 255 if image.dtype == np.uint8 else image


# Numbers

BITS = {np.dtype(name): bits for name, bits in (("u1", 8), ("i1", 7), ("i2", 15), ("i4", 31), ("i8", 63))}


def max_value(dtype: np.dtype) -> int:
    """What white is: the greatest integer, or 1 of floating numbers."""
    return 1 if dtype.kind == "f" else (1 << BITS[dtype]) - 1


def to_dtype(inpt: Any, dtype: DTypeLike = dtypes.float32, scale: bool = False) -> Any:
    """A picture in another dtype; `scale`: with its range brought from that of one to that of the other.

    Integers have all of their values, floating numbers [0, 1]. Boxes, points and masks are not scaled.
    """
    if isinstance(inpt, (BoundingBoxes, KeyPoints, Mask)):
        return wrap(as_plain(inpt).to(dtype), like=inpt)
    image, back = opened(inpt)
    return back(_scaled(image, np.dtype(dtype)) if scale else image.to(dtype))


def _scaled(image: Tensor, dtype: np.dtype) -> Tensor:
    before = image.dtype
    if before == dtype or before.kind == dtype.kind == "f":
        return image.to(dtype)
    if before.kind == "f":
        if BITS[dtype] > (31 if before == np.float64 else 15):
            raise RuntimeError(f"{before} doesn't have the digits of {dtype}; take a dtype of fewer bits")
        return (image * (max_value(dtype) + 1 - 1e-3)).to(dtype)
    if dtype.kind == "f":
        return image.to(dtype) * (1 / max_value(before))
    more = BITS[dtype] - BITS[before]
    array = image.detach().numpy()
    return Tensor(array.astype(dtype) << more if more > 0 else (array >> -more).astype(dtype))


def convert_image_dtype(image: Any, dtype: DTypeLike = dtypes.float32) -> Any:
    """`to_dtype` with `scale`."""
    return to_dtype(image, dtype, scale=True)


@on_images
def normalize(image: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Each channel less its mean, divided by its standard deviation; the picture must be floating."""
    if not image.is_floating_point():
        raise TypeError(f"a picture of {image.dtype} can't be normalized; write to_dtype(image, float32, scale=True)")
    middle, deviation = (as_tensor(np.asarray(part, image.dtype)) for part in (mean, std))
    if not np.all(deviation.numpy()):
        raise ValueError(f"std must not be 0, as in {std}")
    middle, deviation = (part.reshape(-1, 1, 1) if part.ndim == 1 else part for part in (middle, deviation))
    if inplace:
        image -= middle
        image /= deviation
        return image
    return (image - middle) / deviation
