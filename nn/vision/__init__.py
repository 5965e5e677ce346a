"""Pictures: published models, what works on boxes, transforms, pictures to look at. Names are torchvision's."""
