"""`python -m nn.distributed`."""

import subprocess
import sys

import pytest

from nn.distributed import __main__ as launcher
from nn.distributed import groups
from tests.nn.distributed.processes import ROOT, run


def test_each_process_knows_its_place_and_lines_are_labeled():
    lines = run(2, "fail.py", "everything is well", "-n", "--debug", options=["--label"]).splitlines()
    assert sorted(line for line in lines if "rank" in line) == [
        f"[{i}] rank {i} of 2, here {i} of 2, ['everything is well', '-n', '--debug'], 1 threads" for i in range(2)]


def test_one_process_and_a_module_need_no_mpi():
    program = ("import sys; sys.modules['mpi4py'] = None; from nn.distributed.__main__ import main;"
               "main(['-n', '1', '-m', 'this'])")
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Namespaces are one honking great idea" in result.stdout


def test_without_mpi_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(groups, "is_mpi_available", lambda: False)
    with pytest.raises(SystemExit, match=r"pip install 'gradcircuit\[distributed\]'"):
        launcher.main(["-n", "2", __file__])
    for arguments, said in ((["-n", "2"], "which program"), (["-n", "0", "x.py"], "at least 1, not 0"),
                            (["-n", "2", "x.py"], "there is no program 'x.py'"),
                            (["--timeout", "-3", __file__], "more than 0 seconds, not -3")):
        with pytest.raises(SystemExit):
            launcher.main(arguments)
        assert said in capsys.readouterr().err


def test_torchruns_scripts_are_started_so(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("""
import os, torch, torch.distributed as dist, torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

def work(rank, size, word):
    dist.init_process_group("gloo", rank=rank, world_size=size)
    torch.manual_seed(0)
    model = DDP(torch.nn.Linear(3, 1), device_ids=None)
    data = TensorDataset(torch.ones(8, 3), torch.zeros(8, 1))
    sampler = DistributedSampler(data)
    for x, y in DataLoader(data, batch_size=2, sampler=sampler):
        torch.nn.functional.mse_loss(model(x), y).backward()
    total = torch.tensor(float(len(sampler)))
    dist.all_reduce(total, op=dist.ReduceOp.SUM)
    print(word, rank == int(os.environ["LOCAL_RANK"]), total.item(), dist.get_backend())
    dist.destroy_process_group()

if __name__ == "__main__":
    assert dist.is_available() and not dist.is_initialized()
    mp.spawn(work, args=(int(os.environ["WORLD_SIZE"]), "done"), nprocs=2, join=True)
""")
    output = run(2, str(script), options=["-m", "nn.as_torch"])
    assert output.count("done True 8.0 mpi") == 2 and output.count("'gloo' is not here: MPI is used") == 1
