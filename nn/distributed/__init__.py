"""Several processes that train one model, each on its part of the data; MPI carries what they tell each other.

    python -m nn.distributed -n 4 train.py ARGS     on this machine
    mpiexec -n 4 python train.py ARGS               on those that mpiexec (or srun) knows

The names are those of torch.distributed. A process that was started alone is a world of one, with MPI or without.

>>> import nn.distributed as dist
>>> dist.init_process_group()
>>> model = nn.parallel.DistributedDataParallel(nn.Linear(3, 1))
>>> dist.destroy_process_group()
"""

from nn.distributed import functional
from nn.distributed.collectives import (
    ReduceOp,
    Work,
    all_gather,
    all_gather_into_tensor,
    all_gather_object,
    all_reduce,
    barrier,
    broadcast,
    broadcast_object_list,
    gather,
    irecv,
    isend,
    recv,
    reduce,
    reduce_scatter,
    reduce_scatter_tensor,
    scatter,
    send,
)
from nn.distributed.groups import (
    GroupMember,
    ProcessGroup,
    destroy_process_group,
    get_backend,
    get_global_rank,
    get_group_rank,
    get_process_group_ranks,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_available,
    is_initialized,
    is_mpi_available,
    new_group,
)

__all__ = ["GroupMember", "ProcessGroup", "ReduceOp", "Work", "all_gather", "all_gather_into_tensor",
           "all_gather_object", "all_reduce", "barrier", "broadcast", "broadcast_object_list", "destroy_process_group",
           "functional", "gather", "get_backend", "get_global_rank", "get_group_rank", "get_process_group_ranks",
           "get_rank", "get_world_size", "group", "init_process_group", "irecv", "is_available", "is_initialized",
           "is_mpi_available", "isend", "new_group", "recv", "reduce", "reduce_scatter", "reduce_scatter_tensor",
           "scatter", "send"]
