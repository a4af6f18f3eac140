"""The one-liners of the README, where those packages are installed; names of the shaders that come along; models."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamlib import GPUContext, Shader, TraceError, shaders, video_effect

numpy = pytest.importorskip("numpy")


def picture():
    array = numpy.random.default_rng(3).integers(0, 256, (6, 9, 4), numpy.uint8)
    texture = GPUContext().create_texture(9, 6)
    texture.write(array)
    return texture, array


def test_pil_takes_textures_and_gives_them() -> None:
    image = pytest.importorskip("PIL.Image")
    texture, array = picture()
    made = image.fromarray(texture.numpy())
    assert made.size == (9, 6)
    other = GPUContext().create_texture(9, 6)
    other.write(numpy.asarray(made.convert("RGBA")))
    assert (other.numpy() == array).all()


def test_opencv_takes_textures_and_gives_them() -> None:
    cv2 = pytest.importorskip("cv2")
    texture, array = picture()
    made = cv2.cvtColor(texture.numpy(), cv2.COLOR_RGBA2BGR)
    assert (made == array[..., 2::-1]).all()
    texture.write(cv2.cvtColor(made, cv2.COLOR_BGR2RGBA))
    assert (texture.numpy()[..., :3] == array[..., :3]).all()


@pytest.mark.parametrize(
    "name",
    """blur box_blur gaussian_blur grayscale sepia brightness contrast saturation hue_shift edge_detect sharpen emboss pixelate
    vignette chromatic_aberration flip_horizontal flip_vertical rotate scale alpha_blend additive_blend multiply_blend
    screen_blend""".split(),
)
def test_every_shader_of_the_proof_of_concept_is_there(name: str) -> None:
    shader = getattr(shaders, f"{name.upper()}_SHADER")
    assert isinstance(shader, Shader) and shader.inputs[0] == "input"
    assert shader is getattr(shaders, shader.name)


def test_shaders_that_are_not_there_are_told() -> None:
    with pytest.raises(AttributeError, match="names()"):
        shaders.gausian_blur  # noqa: B018
    with pytest.raises(ValueError, match="alpha, additive, multiply, screen"):
        shaders.blend("dodge")
    assert set(shaders.names()) <= set(dir(shaders))


def test_blends_are_what_their_names_say() -> None:
    gpu = GPUContext()
    below, above = gpu.create_texture(1, 1), gpu.create_texture(1, 1)
    below.write(numpy.array([[[100, 50, 200, 255]]], numpy.uint8))
    above.write(numpy.array([[[200, 100, 100, 255]]], numpy.uint8))
    a, b = numpy.array([100, 50, 200]) / 255, numpy.array([200, 100, 100]) / 255
    wanted = {"alpha": b, "additive": (a + b).clip(0, 1), "multiply": a * b, "screen": 1 - (1 - a) * (1 - b)}
    for mode, colour in wanted.items():
        found = gpu.blend(below, above, mode).numpy()[0, 0, :3].astype(float)
        assert numpy.abs(found - 255 * colour).max() <= 1, mode
    half = gpu.blend(below, above, "alpha", opacity=0.5).numpy()[0, 0, :3].astype(float)
    assert numpy.abs(half - 255 * (a + b) / 2).max() <= 1


def test_shaders_at_once_have_sizes_and_formats() -> None:
    gpu = GPUContext()
    texture, _ = picture()
    assert gpu.run_shader(shaders.invert, texture, scale=0.5).shape == (3, 5, 4)
    assert gpu.run_shader(shaders.invert, texture, size=(2, 1)).shape == (1, 2, 4)
    assert gpu.run_shader(shaders.invert, texture, format="rgba16float").numpy().dtype == numpy.float16
    with pytest.raises(ValueError, match="rgba8, "):
        gpu.create_texture(1, 1, "rgb565")
    with pytest.raises(ValueError, match="begins at `main`"):
        gpu.create_compute_pipeline("…", entry_point="cs")
    with pytest.raises(TraceError, match="traced effects"):
        gpu.previous(texture)


def test_models_say_what_they_need(tmp_path: Path) -> None:
    ml = GPUContext().ml
    with pytest.raises(FileNotFoundError):
        ml.load_model(tmp_path / "none.onnx")
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(ValueError, match="ONNX Runtime"):
        ml.load_model(tmp_path / "model.h5")


def test_a_model_of_onnx_runtime_runs_on_a_texture(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    picture_in = helper.make_tensor_value_info("picture", kind, [1, 3, "height", "width"])
    mean_out = helper.make_tensor_value_info("mean", kind, [1, 3, 1, 1])
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["picture"], ["mean"])], "mean", [picture_in], [mean_out]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(tmp_path / "mean.onnx"))
    gpu = GPUContext()
    texture, array = picture()
    (mean,) = gpu.ml.run(gpu.ml.load_model(tmp_path / "mean.onnx"), texture)
    assert numpy.allclose(mean.ravel(), array[..., :3].mean((0, 1)) / 255, atol=1e-5)


def test_a_model_of_torch_runs_on_a_texture(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Mean(torch.nn.Module):
        def forward(self, picture):
            return picture.mean((2, 3))

    torch.jit.script(Mean()).save(str(tmp_path / "mean.pt"))
    gpu = GPUContext()
    texture, array = picture()
    mean = gpu.ml.run(gpu.ml.load_model(tmp_path / "mean.pt"), texture)
    assert numpy.allclose(mean.cpu().numpy().ravel(), array[..., :3].mean((0, 1)) / 255, atol=1e-5)


def test_a_traced_frame_goes_to_no_model() -> None:
    @video_effect
    def seen(frame, gpu):
        gpu.ml.run(lambda texture: texture.numpy(), frame)
        return frame

    with pytest.raises(TraceError, match="traced"):
        seen.trace()
