"""What the transforms do, as functions without anything random: of Tensors, arrays, PIL images and tv_tensors."""

from nn.vision.transforms.functional.boxes import (
    clamp_bounding_boxes,
    clamp_keypoints,
    convert_bounding_box_format,
    sanitize_bounding_boxes,
)
from nn.vision.transforms.functional.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    grayscale_to_rgb,
    invert,
    permute_channels,
    posterize,
    rgb_to_grayscale,
    solarize,
    to_grayscale,
)
from nn.vision.transforms.functional.conversion import (
    convert_image_dtype,
    get_dimensions,
    get_size,
    is_pure_tensor,
    normalize,
    pil_to_tensor,
    to_dtype,
    to_image,
    to_pil_image,
    to_tensor,
)
from nn.vision.transforms.functional.filters import erase, gaussian_blur, gaussian_noise
from nn.vision.transforms.functional.geometry import (
    InterpolationMode,
    affine,
    center_crop,
    crop,
    elastic,
    elastic_transform,
    five_crop,
    hflip,
    horizontal_flip,
    pad,
    perspective,
    resize,
    resized_crop,
    rotate,
    ten_crop,
    vertical_flip,
    vflip,
)

__all__ = ["InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue",
           "adjust_saturation", "adjust_sharpness", "affine", "autocontrast", "center_crop", "clamp_bounding_boxes",
           "clamp_keypoints", "convert_bounding_box_format", "convert_image_dtype", "crop", "elastic",
           "elastic_transform", "equalize", "erase", "five_crop", "gaussian_blur", "gaussian_noise", "get_dimensions",
           "get_size", "grayscale_to_rgb", "hflip", "horizontal_flip", "invert", "is_pure_tensor", "normalize", "pad",
           "permute_channels", "perspective", "pil_to_tensor", "posterize", "resize", "resized_crop",
           "rgb_to_grayscale", "rotate", "sanitize_bounding_boxes", "solarize", "ten_crop", "to_dtype",
           "to_grayscale", "to_image", "to_pil_image", "to_tensor", "vertical_flip", "vflip"]
