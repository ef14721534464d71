"""Claims about powers of two: as exact as the C library's, over the whole range."""

import numpy as np

from features.kernel.fading import power_of_two


def test_a_power_of_two_is_exact_to_fourteen_digits():
    x = np.concatenate([np.linspace(-999.9, 999.9, 20_001), np.linspace(-2, 2, 4001), [0.5, -0.5, 0.0]])
    found = np.array([power_of_two(float(each)) for each in x])
    np.testing.assert_allclose(found, np.exp2(x), rtol=1e-14)
    assert power_of_two(0.0) == 1.0 and power_of_two(-3.0) == 0.125


def test_what_is_too_small_is_nothing():
    assert power_of_two(-1000.1) == power_of_two(-1e300) == 0.0
