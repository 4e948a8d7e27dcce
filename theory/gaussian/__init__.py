"""Gaussian averages of activations in closed form, derived by SymPy per family of activations.

Summary
    Fields a, b, c, d are jointly Gaussian with mean zero and covariance C. For an activation g

        I2 = E[g(a) g(b)],   I3 = E[g'(a) b g(c)],   I4 = E[g'(a) g'(b) g(c) g(d)].

    Three families have closed forms, and each of them knows one method:

    * `error_function`: A + B erf(kappa x); g' is a Gaussian weight, so averages are determinants,
      an integral over C_ab (Price), and tilting;
    * `exponential_polynomial`: sums of polynomials times exp(s x), s complex (powers, He_n, sin,
      cos, exp, sinh); averages are exact by a shift of the mean and Wick's theorem;
    * `homogeneous`: x^m (p + q sign x) (ReLU, leaky ReLU, |x|, sign); g^(m+1) is a delta function,
      integrated m + 1 times over C_ab (Price).

    Everything else raises `NoClosedForm`; `numerics.quadrature` computes it.

Identities
    Price:  dE[g(a) g(b)]/dC_ab = E[g'(a) g'(b)],   dE[g(a) g(b)]/dC_aa = E[g''(a) g(b)]/2
    Stein:  E[b F(a, c)] = C_ab E[dF/da] + C_bc E[dF/dc]

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
    [BS95] Biehl & Schwarze, J. Phys. A 28, 643 (1995).
    [YO19] Yoshida & Okada, NeurIPS 2019.
    Price, IRE Trans. Inf. Theory 4, 69 (1958); Cho & Saul, NeurIPS 2009 (arc-cosine kernels).
"""

from .averages import I2, I3, I4, I2_kernel, I4_kernel, family, price, stein
from .family import Family, NoClosedForm

__all__ = [
    "Family",
    "I2",
    "I2_kernel",
    "I3",
    "I4",
    "I4_kernel",
    "NoClosedForm",
    "family",
    "price",
    "stein",
]
