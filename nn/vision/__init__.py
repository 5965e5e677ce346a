"""Pictures: published models, and what works on boxes and images. torchvision's names and meanings."""
