"""All of several processes call the same twice, but the last one does something else in between."""

import os
import signal
import sys
import time

import autograd
import nn.distributed as dist

dist.init_process_group()
how, last = sys.argv[1], dist.get_rank() == dist.get_world_size() - 1
t, elsewhere = autograd.zeros(3), dist.new_group()
if not last:
    print(os.getpid(), flush=True)
dist.all_reduce(t)
if how == "everything is well":
    print(f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']}, here {os.environ['LOCAL_RANK']} of "
          f"{os.environ['LOCAL_WORLD_SIZE']}, {sys.argv[1:]}, {os.environ['OPENBLAS_NUM_THREADS']} threads")
elif not last:
    pass
elif how == "raises":
    raise ValueError("this is why")
elif how == "exits":
    sys.exit(3)
elif how == "ends":
    sys.exit()
elif how == "is killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif how == "hangs":
    time.sleep(1000)
elif how == "waits elsewhere":
    dist.barrier(elsewhere)
elif how == "has another shape":
    t = autograd.zeros(4)
elif how == "calls another":
    dist.broadcast(t.double())
if how == "is interrupted":
    print("waiting", flush=True)
    time.sleep(1000)
dist.all_reduce(t)
