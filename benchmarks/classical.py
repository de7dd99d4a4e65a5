"""The CPU engine measured: how well it cuts out, how long a job takes on one core, how it fills.

    python benchmarks/classical.py

Prints three tables and writes every composite and every fill to benchmarks/out/ — look at them. Seconds are CPU
seconds of one core, so that a busy machine tells the same.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from generations.engines import base  # noqa: E402
from generations.engines.classical import cutout, engine, fill  # noqa: E402

IMAGES = ROOT / "tests" / "images"
OUT = Path(__file__).resolve().parent / "out"
BACKGROUNDS = sorted(path.stem for path in (IMAGES / "backgrounds").glob("*.jpg"))
TARGETS = {"white": 0.93, "grey": 0.95, "table": 0.86}


def main() -> None:
    """Run all of it, or one job where the arguments name one (that is how the job's own memory is measured)."""
    cv2.setNumThreads(1)
    if len(sys.argv) == 3:
        job_alone(sys.argv[1], int(sys.argv[2]))
        return
    OUT.mkdir(exist_ok=True)
    cutouts()
    jobs()
    fills()


def read(path: Path) -> Any:
    """Return an RGB picture."""
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def quiet(share: float, words: str) -> None:
    """Take the engine's progress, and nobody cancels."""
    del share, words


def replaced(image: bytes, background: str) -> bytes:
    """Return the composite of one whole job as PNG."""
    reference = (IMAGES / "backgrounds" / f"{background}.jpg").read_bytes()
    job = base.Job("bg-replace", {"samples": 1}, {"image": image, "ref_image": reference}, seed=1)
    result = engine.ClassicalEngine("classical").submit(job, quiet)
    assert isinstance(result, base.Result)
    return result.pictures[0].data


def shared(alpha: Any, truth: Any) -> float:
    """Return intersection over union of two masks; `alpha` may have another size."""
    height, width = truth.shape
    ours = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR) > 127
    return float((ours & (truth > 127)).sum() / (ours | (truth > 127)).sum())


def perturbed(pixels: Any) -> Iterator[Any]:
    """Yield alphas of `pixels` changed in ways that must not matter: noise, JPEG, size, sides swapped."""
    for most in (1, 3):
        noise = np.random.default_rng(most).integers(-most, most + 1, pixels.shape)
        yield cutout.cutout(np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8))
    for quality in (85, 95):
        data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture is not None
        yield cutout.cutout(np.ascontiguousarray(picture[:, :, ::-1]))
    for side in (900, 1200):
        method = cv2.INTER_AREA if side < pixels.shape[0] else cv2.INTER_CUBIC
        yield cutout.cutout(cv2.resize(pixels, (side, side), interpolation=method))
    yield np.ascontiguousarray(cutout.cutout(np.ascontiguousarray(pixels[:, ::-1]))[:, ::-1])


def cutouts() -> None:
    """Print overlap, the least of it under perturbations, and alpha error of every picture, and write its composite."""
    print(f"{'picture':22}{'IoU':>7}{'perturbed':>11}{'alpha error':>13}{'CPU s':>7}")
    kinds: dict[str, list[tuple[float, float, float, float]]] = {}
    for number, path in enumerate(sorted((IMAGES / "subjects").glob("*.jpg"))):
        pixels = read(path)
        truth = cv2.imread(str(path.with_name(f"{path.stem}_alpha.png")), cv2.IMREAD_GRAYSCALE)
        assert truth is not None
        started = time.process_time()
        alpha = cutout.cutout(pixels)
        seconds = time.process_time() - started
        overlap = shared(alpha, truth)
        least = min(shared(each, truth) for each in perturbed(pixels))
        error = np.abs(alpha.astype(float) - truth).mean() / 255
        print(f"{path.stem:22}{overlap:7.3f}{least:11.3f}{error:13.4f}{seconds:7.2f}")
        kind = path.stem.split("_")[1].removesuffix("2048")
        kinds.setdefault(kind, []).append((overlap, float(error), seconds, least))
        background = BACKGROUNDS[number % len(BACKGROUNDS)]
        (OUT / f"{path.stem}_on_{background}.png").write_bytes(replaced(path.read_bytes(), background))
        cv2.imwrite(str(OUT / f"{path.stem}_alpha.png"), alpha)
    for kind, rows in kinds.items():
        overlaps = [row[0] for row in rows]
        print(f"{kind:6} mean {np.mean(overlaps):.3f} (to reach {TARGETS[kind]}), worst {min(overlaps):.3f}", end="; ")
        worst = [row[3] for row in rows]
        print(f"perturbed, each at its worst: mean {np.mean(worst):.3f}, worst {min(worst):.3f}")
    print(f"alpha error, all: {np.mean([row[1] for rows in kinds.values() for row in rows]):.4f} (0.018)\n")


def job_alone(name: str, side: int) -> None:
    """Print CPU seconds and peak memory in MiB of one whole job at `side` pixels, after a small one to warm up."""
    pixels = cv2.imread(str(IMAGES / "subjects" / f"{name}.jpg"))
    assert pixels is not None
    method = cv2.INTER_AREA if side <= pixels.shape[0] else cv2.INTER_CUBIC
    sized = cv2.imencode(".jpg", cv2.resize(pixels, (side, side), interpolation=method))[1].tobytes()
    small = cv2.imencode(".jpg", cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA))[1].tobytes()
    replaced(small, "marble")
    started = time.process_time()
    replaced(sized, "marble")
    print(f"{time.process_time() - started:.2f} {peak_memory():.0f}")


def peak_memory() -> float:
    """Return this process's peak in MiB. On Linux not by getrusage, which counts the parent's until the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS counts bytes


def jobs() -> None:
    """Print what a whole background replacement costs, each in a process of its own on one core."""
    print(f"{'whole job':22}{'pixels':>8}{'CPU s':>8}{'MiB':>6}")
    for name in ("perfume_white", "plush_grey", "mug_table", "plant_table"):
        for side in (1024, 2048):
            command = [sys.executable, __file__, name, str(side)]
            if hasattr(os, "sched_getaffinity"):
                core = max(os.sched_getaffinity(0))
                command = [
                    sys.executable,
                    "-c",
                    f"import os; os.sched_setaffinity(0, {{{core}}}); os.execv({sys.executable!r}, {command!r})",
                ]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            print(f"{name:22}{side:>7}²{answer[0]:>8}{answer[1]:>6}")
    print("to reach: 1024² 1.2 s, 700 MiB; 2048² 3 s\n")


def masks(side: int) -> dict[str, Any]:
    """Return masks by name: scratches, text, and round holes by their share of the picture."""
    random, result = np.random.default_rng(3), {}
    result["scratches"] = np.zeros((side, side), np.uint8)
    for _ in range(14):
        start, end = random.integers(0, side, (2, 2)).tolist()
        cv2.line(result["scratches"], start, end, 255, 2)
    result["text"] = np.zeros((side, side), np.uint8)
    cv2.putText(result["text"], "SAMPLE", (40, side // 2), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 6)
    for share in (1, 5, 15):
        hole = np.zeros((side, side), np.uint8)
        cv2.circle(hole, (side // 2 + 20, int(side * 0.55)), int((share / 100 / np.pi) ** 0.5 * side), 255, -1)
        result[f"hole {share} %"] = hole
    return result


def ratio(one: Any, other: Any, mask: Any) -> float:
    """Return the PSNR inside `mask`, in dB."""
    difference = (one.astype(float) - other)[mask > 0]
    return float(10 * np.log10(255**2 / max(float((difference**2).mean()), 1e-9)))


def fills() -> None:
    """Print PSNR inside the mask and CPU seconds at 512², beside OpenCV's two, and write every fill."""
    print(f"{'inpainting 512²':22}{'mask':>10}{'ours dB':>9}{'CPU s':>7}{'NS dB':>7}{'Telea dB':>10}")
    for name in BACKGROUNDS:
        picture = read(IMAGES / "backgrounds" / f"{name}.jpg")[:864, :864]
        picture = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_AREA)
        for kind, mask in masks(512).items():
            started = time.process_time()
            filled = fill.fill(picture, mask, 1, quiet)
            seconds = time.process_time() - started
            others = [cv2.inpaint(picture, mask, 3, way) for way in (cv2.INPAINT_NS, cv2.INPAINT_TELEA)]
            figures = [ratio(one, picture, mask) for one in (filled, *others)]
            print(f"{name:22}{kind:>10}{figures[0]:9.1f}{seconds:7.2f}{figures[1]:7.1f}{figures[2]:10.1f}")
            path = OUT / f"fill_{name}_{kind.replace(' ', '').replace('%', '')}.png"
            cv2.imwrite(str(path), cv2.cvtColor(filled, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
