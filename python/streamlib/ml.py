"""Models of your own ONNX Runtime or torch, on textures.

There is no inference engine in streamlib yet: a model runs in the package that you install, on what a texture gives it, a NumPy
array for ONNX Runtime, a tensor through DLPack for torch. It belongs in a ``stream_processor``, beside the frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Model", "Models"]


class Model:
    """A loaded model: call it with a texture, or pass it to ``gpu.ml.run``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, texture: Any) -> Any:
        raise NotImplementedError


class OnnxModel(Model):
    """A model of ONNX Runtime with one picture as its input."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            _missing("onnxruntime", path)
        self.session = onnxruntime.InferenceSession(str(path))
        first = self.session.get_inputs()[0]
        self._input, self._type = first.name, first.type

    def __call__(self, texture: Any) -> Any:
        """The model's outputs, as a list of arrays. It is given the shape (1, 3, height, width), red, green and blue: floats
        from 0 to 1, or bytes where the model takes bytes."""
        import numpy

        rgb = numpy.ascontiguousarray(texture.numpy()[..., :3].transpose(2, 0, 1)[None])
        if self._type != "tensor(uint8)":
            scale = 255 if rgb.dtype == numpy.uint8 else 1
            kind = numpy.float16 if self._type == "tensor(float16)" else numpy.float32
            rgb = (rgb.astype(numpy.float32) / scale).astype(kind)
        return self.session.run(None, {self._input: rgb})


class TorchModel(Model):
    """A TorchScript module."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            import torch  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            _missing("torch", path)
        self._torch = torch
        self.module = torch.jit.load(str(path)).eval()

    def __call__(self, texture: Any) -> Any:
        """What the module gives for the shape (1, 3, height, width), floats from 0 to 1, where DLPack puts the texture."""
        torch = self._torch
        with torch.inference_mode():
            rgb = torch.from_dlpack(texture)[..., :3].permute(2, 0, 1)[None]
            scale = 255 if rgb.dtype == torch.uint8 else 1
            return self.module.to(rgb.device)(rgb.float() / scale)


class Models:
    """``gpu.ml``: loads models, and runs them on textures."""

    def load_model(self, path: str | Path) -> Model:
        """A model from a file: ``.onnx`` for ONNX Runtime, ``.pt`` or ``.pth`` for TorchScript.

        :raises ImportError: when the package that runs it is not installed.
        :raises ValueError: when it is another kind of file.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"there is no model {path}")
        if path.suffix == ".onnx":
            return OnnxModel(path)
        if path.suffix in (".pt", ".pth"):
            return TorchModel(path)
        raise ValueError(f"{path.name}: models are .onnx files (ONNX Runtime) or .pt files (TorchScript)")

    def run(self, model: Model, texture: Any) -> Any:
        """What a model makes of a texture or a frame."""
        return model(getattr(texture, "data", texture))


def _missing(package: str, path: Path) -> NoReturn:
    raise ImportError(f"{path.name} is run by the package `{package}`, which is not installed: pip install {package}")
