"""Which devices a stage gets, and that no scheduler around it changes that."""

import subprocess
import sys
import warnings

import pytest
import torch
from tests.training.helpers import environment, settings_put_back

from weakreid.errors import ReidError
from weakreid.training import processes
from weakreid.training.devices import device_for, device_name
from weakreid.training.processes import fabric_for, launch


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def gpus(monkeypatch):
    """Four GPUs that are not there; gives the arguments of every Fabric that is made."""
    made = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(processes, "Fabric", lambda **options: made.append(options))
    before = torch.get_float32_matmul_precision()
    yield made
    torch.set_float32_matmul_precision(before)


def test_cuda_without_a_gpu_is_refused_in_one_line(no_gpu):
    with pytest.raises(ReidError, match="no GPU is visible") as caught:
        fabric_for("cuda", 1, "auto", 1)
    assert "\n" not in str(caught.value)


def test_auto_without_a_gpu_is_the_cpu_and_says_so(no_gpu, capsys):
    fabric = fabric_for("auto", 1, "auto", 1)
    assert fabric.device.type == device_name(fabric.device) == "cpu"
    assert fabric.world_size == 1
    assert capsys.readouterr().err == "no GPU is visible: computing on the CPU with 1 threads\n"


def test_the_cpu_is_deterministic_and_does_not_fill_memory():
    fabric_for("cpu", 1, "32", 1)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.parametrize(
    ("precision", "expected"), [("auto", torch.float32), ("bf16", torch.bfloat16)]
)
def test_precision_of_the_cpu(precision, expected):
    layer = torch.nn.Linear(4, 4)
    for computer in (fabric_for("cpu", 1, precision, 1), device_for("cpu", precision, 1)):
        assert computer.device.type == "cpu"
        with computer.autocast():
            assert layer(torch.ones(1, 4)).dtype == expected


def test_the_launch_gives_each_process_its_share_of_threads(monkeypatch):
    fabric = fabric_for("cpu", 1, "32", 2)
    assert launch(fabric, 2) == 2
    monkeypatch.setattr(type(fabric), "world_size", 4)
    assert launch(fabric, 6) == 1
    assert torch.get_num_threads() == 1


def test_gpus_that_are_there(gpus, capsys):
    fabric_for("auto", 2, "auto", 1)
    fabric_for("cuda", 1, "32", 1)
    fabric_for("auto", 8, "auto", 1)
    chosen = [(made["devices"], made["strategy"], made["precision"]) for made in gpus]
    assert chosen == [(2, "ddp", "bf16-mixed"), (1, "auto", "32-true"), (4, "ddp", "bf16-mixed")]
    assert capsys.readouterr().err == "8 GPUs were asked for, 4 visible: computing on 4\n"
    found = device_for("auto", "auto", 1)
    assert (str(found.device), found.numbers) == ("cuda:0", "bf16-mixed")


def test_no_gpu_given_is_the_cpu(gpus, capsys):
    fabric_for("auto", 0, "auto", 1)
    assert gpus[0]["accelerator"] == "cpu"
    assert "no GPU was given" in capsys.readouterr().err


def test_a_word_that_is_no_device_is_refused():
    with pytest.raises(ReidError, match="device 'gpu' is unknown; it must be auto, cpu, cuda"):
        fabric_for("gpu", 1, "auto", 1)


def test_a_driver_that_torch_cannot_use_is_said_on_the_terminal(no_gpu, monkeypatch, capsys):
    def is_available():
        warnings.warn("CUDA initialization: The NVIDIA driver is too old", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    fabric_for("auto", 1, "auto", 1)
    assert "cannot be used (CUDA initialization: The NVIDIA driver" in capsys.readouterr().out
    with pytest.raises(ReidError, match="driver is too old"):
        fabric_for("cuda", 1, "auto", 1)
    fabric_for("cpu", 1, "auto", 1)
    assert "driver" not in capsys.readouterr().out


def test_a_gpu_that_imitates_bf16_computes_in_32_bits(gpus, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    fabric_for("auto", 1, "auto", 1)
    assert gpus[0]["precision"] == "32-true"


PROGRAM = """
from weakreid.training.processes import fabric_for, launch
fabric = fabric_for("cpu", 1, "32", 1)
launch(fabric, 1)
print(fabric.world_size, fabric.global_rank, fabric.is_global_zero)
"""
SLURM_STEP = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NAME": "snakejob",
    "SLURM_NTASKS": "2",
    "SLURM_NNODES": "2",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_NODELIST": "node[1-2]",
}


def test_a_slurm_step_changes_nothing(tmp_path):
    # where srun is installed but not used, Fabric would warn; where it is used, take over its tasks
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for more in ({}, SLURM_STEP):
        command = [sys.executable, "-W", "always", "-c", PROGRAM]
        done = subprocess.run(
            command, env=environment(**path, **more), capture_output=True, text=True, check=True
        )
        assert done.stdout == "1 0 True\n"
        assert "srun" not in done.stderr
