r"""A small Transformer encoder: its weights, and the number that it makes of a sequence.

Summary
    Pre-norm blocks of softmax attention and a GELU layer, a mean over tokens and a linear readout,
    written out in jax.numpy. Weights are drawn by NumPy, so that a seed means the same network
    under every version of JAX.

Main results (h : (tokens, width); LN without gain or offset)
    h = x E + P;  h += softmax(q k^T / sqrt(width/heads)) v O, (q, k, v) = LN(h) (Q, K, V);
    h += gelu(LN(h) U) D;  output = mean_tokens LN(h) . r.

References
    A. Vaswani et al., NeurIPS 2017; R. Xiong et al., ICML 2020 (pre-norm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence

from .initial import whole_number
from .jax_backend import load_jax

__all__ = ["Encoder"]

SMALL = 1e-6
"""Added to the variance in LN."""
LAYERED = ("query", "key", "value", "out", "up", "down")
"""Weights of which every layer has its own."""


@dataclass(frozen=True)
class Encoder:
    """Sizes of the network.

    Parameters
    ----------
    tokens, features : int
        Shape of an input, (tokens, features).
    width : int
        d_model, a multiple of `heads`.
    layers, heads : int
    hidden : int
        Units of the GELU layer.

    Raises
    ------
    ValueError, TypeError
        If a size is no positive integer, or the heads do not divide the width.
    """

    tokens: int = 8
    features: int = 16
    width: int = 32
    layers: int = 2
    heads: int = 4
    hidden: int = 64

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            whole_number(getattr(self, name), name, 1)
        if self.width % self.heads:
            raise ValueError(f"heads must divide the width, found {self.heads} and {self.width}")

    @property
    def inputs(self) -> int:
        """Entries of an input, tokens times features."""
        return self.tokens * self.features

    def weights(self, seed: int) -> dict[str, Any]:
        """Weights of variance 1/(number of inputs), drawn from Philox(SeedSequence(seed)).

        Returns
        -------
        dict
            embed E (features, width), position P (tokens, width), readout r (width,) and, each
            stacked over the layers, query, key, value, out (layers, width, width), up U (layers,
            width, hidden), down D (layers, hidden, width).
        """
        random = Generator(Philox(SeedSequence(whole_number(seed, "seed", 0))))
        L, W, H = self.layers, self.width, self.hidden
        shapes = {
            "embed": (self.features, W),
            "position": (self.tokens, W),
            "query": (L, W, W),
            "key": (L, W, W),
            "value": (L, W, W),
            "out": (L, W, W),
            "up": (L, W, H),
            "down": (L, H, W),
            "readout": (W, 1),
        }
        drawn = {
            name: random.standard_normal(shape) / np.sqrt(shape[-2])
            for name, shape in shapes.items()
        }
        # Positions are looked up, not summed: of variance one, as the embedded tokens.
        drawn["position"] *= np.sqrt(self.tokens)
        drawn["readout"] = drawn["readout"][:, 0]
        return drawn

    def output(self, weights: dict[str, Any], x: Any) -> Any:
        """The number that the network makes of one input x, (tokens, features); a JAX function."""
        jax = load_jax()

        def block(h: Any, layer: dict[str, Any]) -> tuple[Any, None]:
            h = h + self._attention(layer, _normalised(h))
            return h + jax.nn.gelu(_normalised(h) @ layer["up"]) @ layer["down"], None

        start = x @ weights["embed"] + weights["position"]
        # A scan is compiled once for all layers.
        h, _ = jax.lax.scan(block, start, {name: weights[name] for name in LAYERED})
        return _normalised(h).mean(axis=0) @ weights["readout"]

    def _attention(self, weights: dict[str, Any], h: Any) -> Any:
        jax = load_jax()
        size = self.width // self.heads
        q, k, v = (
            (h @ weights[name]).reshape(self.tokens, self.heads, size)
            for name in ("query", "key", "value")
        )
        scores = jax.numpy.einsum("thd,shd->hts", q, k) / np.sqrt(size)
        mixed = jax.numpy.einsum("hts,shd->thd", jax.nn.softmax(scores, axis=-1), v)
        return mixed.reshape(self.tokens, self.width) @ weights["out"]


def _normalised(h: Any) -> Any:
    """LN: zero mean and unit variance of every token."""
    centred = h - h.mean(axis=-1, keepdims=True)
    return centred / (((centred**2).mean(axis=-1, keepdims=True) + SMALL) ** 0.5)
