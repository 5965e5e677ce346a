"""Python imports this first, so both libraries get these modules: their data, and what only logs or augments."""

import importlib
import sys
import types


class _Kind(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class _Nothing(metaclass=_Kind):
    """Whatever is asked of it, it is nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return getattr(_Nothing, name)

    def __call__(self, *args, **kwargs):
        return _Nothing()

    def __setitem__(self, name, value):
        pass


class _Module(types.ModuleType):
    def __getattr__(self, name):
        return getattr(_Nothing, name)


for _name in ("wandb", "cv2", "imgaug", "imgaug.augmenters", "imgaug.augmentables", "imgaug.augmentables.bbs", "timm",
              "timm.models", "timm.models.layers"):
    sys.modules[_name] = _Module(_name)
for _name in ("", ".datasets", ".transforms", ".transforms.functional", ".utils"):
    importlib.import_module(f"torchvision{_name}")
