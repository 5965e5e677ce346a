"""captum: integrated gradients, saliency, guided backpropagation, DeepLift, Grad-CAM, occlusion"""

import torch
from captum.attr import DeepLift, GuidedBackprop, InputXGradient, IntegratedGradients, LayerGradCam, Occlusion, Saliency
from common import fill, show, wave

model = fill(torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(64, 3)))
x = wave(2, 1, 6, 6).requires_grad_()
for method in (IntegratedGradients, Saliency, InputXGradient, GuidedBackprop, DeepLift):
    show(method.__name__, method(model).attribute(x, target=1))
show("cam", LayerGradCam(model, model[0]).attribute(x, target=1))
show("occlusion", Occlusion(model).attribute(x, target=1, sliding_window_shapes=(1, 3, 3)))
