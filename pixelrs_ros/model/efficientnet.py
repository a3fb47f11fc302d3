"""High-resolution encoder that knows photographs: EfficientNet-Lite0 (Tan and Le 2019; Liu 2020), three of its stages.

The layout and the names of the weights are those of the published PyTorch port, so that its ImageNet weights fit.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from pixelrs_ros.config import ConvNextConfig

# Of each group of blocks: repeats, kernel, stride, expansion, output channels.
_GROUPS = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
_TAPS = (4, 10, 15)  # the last blocks at strides 8, 16 and 32: 40, 112 and 320 channels
_EPSILON = 1e-3


def _padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom, as TensorFlow pads sides that the stride divides: what is odd goes right and down."""
    total = kernel - stride
    return (total // 2, total - total // 2) * 2


class _Block(nn.Module):
    """An inverted residual without squeeze and excitation."""

    def __init__(self, channels: int, expansion: int, kernel: int, stride: int, out: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.skips = stride == 1 and channels == out
        if expansion > 1:
            self._expand_conv = nn.Conv2d(channels, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self.expands = expansion > 1
        self.pads = None if stride == 1 else _padding(kernel, stride)
        padding = kernel // 2 if stride == 1 else 0
        self._depthwise_conv = nn.Conv2d(inner, inner, kernel, stride, padding, groups=inner, bias=False)
        self._bn1 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._project_conv = nn.Conv2d(inner, out, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(out, eps=_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) float -> (B, D, h / stride, w / stride) float."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = y if self.pads is None else F.pad(y, self.pads)
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skips else y


class EfficientNetEncoder(nn.Module):
    """Three stages of an EfficientNet-Lite0, bilinearly resized to one grid and concatenated.

    Batch norms always use the statistics that they came with: rendered tables would spoil those of the world.
    """

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        self.grid_size = config.grid_size
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=_EPSILON)
        blocks, channels = [], 32
        for repeats, kernel, stride, expansion, out in _GROUPS:
            for index in range(repeats):
                blocks.append(_Block(channels, expansion, kernel, 1 if index else stride, out))
                channels = out
        self._blocks = nn.ModuleList(blocks)

    def train(self, mode: bool = True) -> EfficientNetEncoder:
        """As every module's, except for the batch norms."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode.

        Args:
            pixels: (B, 3, S, S) float, normalized.

        Returns:
            (B, 40 + 112 + 320, G, G) float.
        """
        features = F.relu6(self._bn0(self._conv_stem(F.pad(pixels, _padding(3, 2)))))
        resized = []
        for index, block in enumerate(self._blocks):
            features = block(features)
            if index in _TAPS:
                size = (self.grid_size, self.grid_size)
                resized.append(F.interpolate(features, size=size, mode="bilinear", align_corners=False))
        return torch.cat(resized, dim=1)
