"""Its tiny network, loss and suppression on two images of noise."""

import torch
from pytorchyolo.models import Darknet
from pytorchyolo.utils.loss import compute_loss
from pytorchyolo.utils.utils import get_batch_statistics, non_max_suppression, weights_init_normal

model = Darknet("config/yolov3-tiny.cfg")
model.apply(weights_init_normal)
images = torch.rand(2, 3, 96, 96)
targets = torch.tensor([[0, 3, .5, .5, .3, .4], [0, 5, .2, .3, .1, .2], [1, 7, .6, .6, .5, .3]])
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
for _ in range(4):
    loss, parts = compute_loss(model(images), targets, model)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(loss.item(), parts.tolist())
model.eval()
with torch.no_grad():
    found = model(images)
print(found.shape, found.mean().item())
boxes = non_max_suppression(found, conf_thres=0.001, iou_thres=0.5)
targets[:, 2:] *= 96
print([(len(each), each.mean().item()) for each in boxes], len(get_batch_statistics(boxes, targets, 0.5)))
