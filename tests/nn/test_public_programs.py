"""Public training programs run unmodified, and print what they print with PyTorch.

They are fetched by whoever runs this: GRADCIRCUIT_PROGRAMS says where (tests/nn/public says how).
"""

import os
from pathlib import Path

import pytest

from tests.nn.public.compare import CannotBeRunError, compare
from tests.nn.public.programs import PROGRAMS

FOLDER = Path(os.environ.get("GRADCIRCUIT_PROGRAMS", "not said"))


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_public_program_prints_what_it_prints_with_pytorch(tmp_path, program):
    pytest.importorskip("torch")
    if not (FOLDER / program.repository).exists():
        pytest.skip(f"{program.repository} isn't in {FOLDER}")
    try:
        found = compare(program, FOLDER, tmp_path)
    except CannotBeRunError as error:
        pytest.skip(f"PyTorch cannot run it here: {error}")
    assert found.numbers
    assert found.same_text
    assert found.apart < program.within
