"""Pictures: which are drawn, what they show, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pdespec.output import OutputError
from pdespec.panels import Field, draw_field, pretty
from pdespec.plot import draw, histories, solutions

X = np.linspace(0.0, 1.0, 21)
T = np.linspace(0.0, 2.0, 11)
XY = np.meshgrid(X, X, indexing="ij")


def names(paths: tuple[Path, ...]) -> list[str]:
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    return [path.name for path in paths]


def test_each_kind_of_solution_has_its_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plane = np.where(np.hypot(XY[0] - 0.5, XY[1] - 0.5) < 0.2, np.nan, XY[0] - XY[1])
    np.savez(
        tmp_path / "solution.npz",
        **{
            "a.u": plane,
            "a.u.axis.x": X,
            "a.u.axis.y": X,
            "a.u.exact": plane + 1e-3,
            "a.c": np.float64(0.5),
            "b.theta1": np.outer(np.sin(X), np.exp(-T)),
            "b.theta1.axis.x": X,
            "b.theta1.time.t": T,
            "b.v": rng.normal(size=(21, 21, 11, 2)),
            "b.v.axis.x": X,
            "b.v.axis.y": X,
            "b.v.time.t": T,
            "b.w": np.exp(1j * X),
            "b.w.axis.x": X,
            "b.w.at.y": np.float64(0.25),
            "b.s": rng.normal(size=50),
            "b.s.points": rng.normal(size=(50, 2)),
            "b.p.particles": rng.normal(size=(11, 40, 1)),
            "b.p.times": T,
            "b.q.particles": rng.normal(size=(11, 40, 2)),
            "b.q.times": T,
            "b.q.weights": rng.uniform(size=(11, 40)),
        },
    )
    expected = ["a_u", "b_theta1", "b_v", "b_w", "b_s", "b_p_particles", "b_q_particles"]
    assert names(draw(tmp_path)) == [f"{name}.png" for name in expected]
    assert names(draw(tmp_path)) == [f"{name}.png" for name in expected]  # over its own pictures


def test_what_is_drawn_is_what_was_stored() -> None:
    """The map's values and orientation, the common scale of solution and exact solution, and the error."""
    values = np.outer(X, np.ones(5))[..., None]
    field = Field("s", "u", values, {"x": X, "y": np.linspace(0, 1, 5)}, None, {}, values + 0.5, None)
    computed, exact, error = [panel for panel in draw_field(field, "h").axes if panel.collections][:3]
    mesh = computed.collections[0]
    assert np.array_equal(np.asarray(mesh.get_array()).reshape(5, 21), values[..., 0].T)
    assert mesh.get_clim() == exact.collections[0].get_clim() == (0.0, 1.0)
    assert mesh.get_cmap().name == "viridis"
    assert np.allclose(np.asarray(error.collections[0].get_array()), -0.5)
    assert (
        np.allclose(error.collections[0].get_clim(), (-0.5, 0.5)) and error.collections[0].get_cmap().name == "RdBu_r"
    )


def test_snapshots_span_the_time() -> None:
    values = np.outer(X, T)[..., None]
    drawn = draw_field(Field("s", "u", values, {"x": X, "t": T}, "t", {}, None, None), "h")
    curves = drawn.axes[1].get_lines()
    assert [curve.get_label() for curve in curves] == [f"$t$ = {t:.3g}" for t in (0.0, 0.6, 1.4, 2.0)]
    for curve, t in zip(curves, (0.0, 0.6, 1.4, 2.0), strict=True):
        assert np.allclose(curve.get_ydata(), t * X)


def test_many_dimensions_are_cut_in_the_middle(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.savez(
        tmp_path / "solution.npz",
        **{"s.u": rng.normal(size=(5, 7, 9)), "s.u.axis.x1": X[:5], "s.u.axis.x2": X[:7], "s.u.axis.x3": X[:9]},
    )
    (field,) = solutions(tmp_path / "solution.npz")
    assert isinstance(field, Field)
    panel = draw_field(field, "h").axes[0]
    assert panel.get_title() == "$u$($x_{1}$, $x_{2}$, $x_{3}$ = 0.2)"
    assert np.array_equal(np.asarray(panel.collections[0].get_array()).reshape(7, 5), field.values[:, :, 4, 0].T)


def test_losses_and_energies(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("step,stage,bulk,wall\n1,adam,1.0,2.0\n2,lbfgs,0.1,0.02\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "history.csv").write_text(
        "step,stage,time,energy,mass\n0,grid,0.0,2.0,1.0\n1,grid,0.1,1.5,1.0\n2,grid,0.2,nan,1.0\n"
    )
    losses, flow = histories(tmp_path)
    assert (losses.kind, losses.solve, list(losses.values)) == ("loss", "", ["bulk", "wall"])
    assert (flow.kind, flow.solve, list(flow.values)) == ("flow", "a", ["energy", "mass"])
    assert flow.along.tolist() == [0.0, 0.1, 0.2] and np.isnan(flow.values["energy"][2])
    assert names(draw(tmp_path)) == ["history.png", "energy.png"]


def test_one_file_may_tell_of_several_solves(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(
        "step,stage,a.bulk,b.time,b.energy\n1,adam,1.0,,\n2,adam,0.5,,\n1,grid,,0.0,3.0\n2,grid,,0.5,2.0\n"
    )
    a, b = histories(tmp_path)
    assert (a.solve, a.kind, a.along.tolist(), a.values["bulk"].tolist()) == ("a", "loss", [1, 2], [1.0, 0.5])
    assert (b.solve, b.kind, b.along.tolist(), b.values["energy"].tolist()) == ("b", "flow", [0, 0.5], [3.0, 2.0])


def test_a_folder_without_anything_to_draw(tmp_path: Path) -> None:
    assert draw(tmp_path) == ()


def test_archives_against_the_conventions_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "solution.npz"
    np.savez(archive, **{"s.u": np.ones((3, 4)), "s.u.axis.x": np.ones(3), "s.u.axis.y": np.ones(5)})
    with pytest.raises(ValueError, match=r"s.u has shape \(3, 4\), and its coordinates have lengths \(3, 5\)"):
        draw(tmp_path)
    np.savez(archive, **{"s.u": np.ones(3), "s.u.x": np.ones(3)})
    with pytest.raises(ValueError, match=r"s\.u\.x follows no convention"):
        draw(tmp_path)
    np.savez(archive, **{"s.p.particles": np.ones((3, 4))})
    with pytest.raises(ValueError, match=r"s\.p\.particles needs shape"):
        draw(tmp_path)
    np.savez(archive, **{"s.u": np.array([object()])})
    with pytest.raises(ValueError, match="allow_pickle"):
        draw(tmp_path)


def test_a_picture_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "solution.npz", **{"s.u": X, "s.u.axis.x": X})
    (tmp_path / "u.png").write_bytes(b"holiday")
    with pytest.raises(OutputError, match=r"u.png was not written by pdespec"):
        draw(tmp_path)
    assert (tmp_path / "u.png").read_bytes() == b"holiday"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("u", "$u$"),
        ("x1", "$x_{1}$"),
        ("theta", r"$\theta$"),
        ("lambda_", r"$\lambda$"),
        ("rho_inf", r"$\rho_{inf}$"),
        ("bulk", r"$\mathrm{bulk}$"),
        ("u'", "$u'$"),
        ("a$b", r"a\$b"),
    ],
)
def test_names_are_set_as_mathematics(name: str, shown: str) -> None:
    assert pretty(name) == shown
