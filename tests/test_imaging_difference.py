"""CIEDE2000 against the published test data (Sharma, Wu, Dalal 2005), which try each of its turns."""

import numpy as np
import pytest

from generations.imaging import difference

# L1 a1 b1, L2 a2 b2, the difference.
SHARMA = """
50 2.6772 -79.7751  50 0 -82.7485  2.0425
50 3.1571 -77.2803  50 0 -82.7485  2.8615
50 2.8361 -74.0200  50 0 -82.7485  3.4412
50 -1.3802 -84.2814  50 0 -82.7485  1.0000
50 -1.1848 -84.8006  50 0 -82.7485  1.0000
50 -0.9009 -85.5211  50 0 -82.7485  1.0000
50 0 0  50 -1 2  2.3669
50 -1 2  50 0 0  2.3669
50 2.49 -0.0010  50 -2.49 0.0009  7.1792
50 2.49 -0.0010  50 -2.49 0.0011  7.2195
50 -0.0010 2.49  50 0.0009 -2.49  4.8045
50 -0.0010 2.49  50 0.0011 -2.49  4.7461
50 2.5 0  50 0 -2.5  4.3065
50 2.5 0  73 25 -18  27.1492
50 2.5 0  61 -5 29  22.8977
50 2.5 0  56 -27 -3  31.9030
50 2.5 0  58 24 15  19.4535
50 2.5 0  50 3.1736 0.5854  1.0000
60.2574 -34.0099 36.2677  60.4626 -34.1751 39.4387  1.2644
63.0109 -31.0961 -5.8663  62.8187 -29.7946 -4.0864  1.2630
61.2901 3.7196 -5.3901  61.4292 2.2480 -4.9620  1.8731
35.0831 -44.1164 3.7933  35.0232 -40.0716 1.5901  1.8645
22.7233 20.0904 -46.6940  23.0331 14.9730 -42.5619  2.0373
36.4612 47.8580 18.3852  36.2715 50.5065 21.2231  1.4146
90.8027 -2.0831 1.4410  91.1528 -1.6435 0.0447  1.4441
6.7747 -0.2908 -2.4247  5.8714 -0.0985 -2.2286  0.6377
2.0776 0.0795 -1.1350  0.9033 -0.0636 -0.5514  0.9082
"""
ROWS = np.array([line.split() for line in SHARMA.strip().splitlines()], np.float32)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_published_pairs(row: np.ndarray) -> None:
    first, second, expected = row[None, :3], row[None, 3:6], row[6]
    assert difference.ciede2000(first, second)[0] == pytest.approx(expected, abs=1.5e-4)
    assert difference.ciede2000(second, first)[0] == pytest.approx(expected, abs=1.5e-4)


def test_black_and_white_are_a_hundred_apart() -> None:
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    assert difference.delta_e(black, white)[0] == pytest.approx(100, abs=0.01)


def test_the_same_is_no_difference_over_many_blocks() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (100_000, 3), np.uint8)
    assert difference.delta_e(colours, colours).max() == 0
    moved = difference.delta_e(colours, colours[::-1])
    assert moved.shape == (100_000,)
    assert np.allclose(moved, moved[::-1], atol=1e-3)
