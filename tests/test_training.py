"What the chapter on training cannot show: processes that are killed, interrupted or run out of disk, and files that lie."
import json
import math
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

import vampbook.training as training
from vampbook.data import Dataset
from vampbook.networks import MLPDecoder, MLPEncoder
from vampbook.priors import StandardNormal, VampPrior
from vampbook.training import History, TrainConfig, TrainingError, checksum, fit, read_checkpoint, save_checkpoint
from vampbook.vae import VAE

CONFIG = TrainConfig(epochs=40, batch_size=50, warmup=10, lr=5e-3, device="cpu")
FILE = "checkpoint.safetensors"


def make(seed=0, latent=2, prior=None):
    "A VAE with a VampPrior for 4 x 4 images, and images for it: an epoch takes some ten milliseconds."
    g = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (n, 16), generator=g, dtype=torch.uint8) for n in (200, 50, 50)]
    images[1:] = [(x > 127).byte() for x in images[1:]]
    torch.manual_seed(seed)
    model = VAE(MLPEncoder(16, latent, 8), MLPDecoder(latent, 16, 8), prior or VampPrior.random(5, 16, 0.5, 0.1))
    return model, Dataset("toy", *images, (1, 4, 4), "bernoulli", dynamic=True)


def train(folder=None, epochs=CONFIG.epochs, **changes):
    "-> model, History. A run that goes on starts from other weights, which it must forget."
    model, dataset = make(seed=1 if folder and (folder / FILE).exists() else 0)
    return model, fit(model, dataset, replace(CONFIG, epochs=epochs, **changes), folder, progress=False)


def told(history): return [{key: value for key, value in row.items() if key != "seconds"} for row in history.rows]


def same(a, b): return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def same_run(model, history, reference): return told(history) == told(reference[1]) and same(model.state_dict(), reference[0].state_dict())


# --- scenes that are played in an interpreter of their own ---------------------------------------------------------------------------

def child(work):
    "Pid of a copy of this process that does `work` and exits with what it returns (1 after an exception)."
    pid = os.fork()
    if pid: return pid
    code = 1
    try: code = work() or 0
    except BaseException: traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def kill_at_random(folder):
    "kill -9 at random moments until a child gets through."
    reference, rng, kills, epochs = train(), random.Random(0), 0, []
    while True:
        pid = child(lambda: train(folder) and 0)
        time.sleep(rng.uniform(0, 0.08 + 0.02 * kills))   # ever longer, so that a slow machine gets through as well
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSIGNALED(status): break
        kills += 1
        if (folder / FILE).exists(): epochs.append(len(read_checkpoint(folder / FILE)[2]))
    assert os.waitstatus_to_exitcode(status) == 0
    assert same_run(*train(folder), reference)
    assert os.listdir(folder) == [FILE], os.listdir(folder)
    return {"kills": kills, "epochs": epochs}


def kill_while_writing(folder):
    "The worst moments, one after the other, in one run: half written, written but not on disk, not yet renamed, just renamed."
    me, reference, path = os.getpid, train(), folder / FILE
    def die(): os.kill(me(), signal.SIGKILL)
    def half(write): return lambda self, data: (write(self, data[:len(data) // 2]), die())
    def before(act): return lambda *args: die()
    def after(act): return lambda *args: (act(*args), die())
    moments = [(Path, "write_bytes", half, 0), (os, "fsync", before, 0), (os, "replace", before, 0), (os, "replace", after, 1)]
    expected = 0
    for place, name, deadly, survives in 2 * moments:
        def work():
            real, calls = getattr(place, name), iter(range(99))
            setattr(place, name, lambda *args: (deadly(real) if next(calls) == 2 else real)(*args))   # at the third epoch of this life
            train(folder)
        assert os.WIFSIGNALED(os.waitpid(child(work), 0)[1])
        expected += 2 + survives
        assert len(read_checkpoint(path)[2]) == expected, (name, len(read_checkpoint(path)[2]), expected)
    assert same_run(*train(folder), reference)
    assert os.listdir(folder) == [FILE]   # each life sweeps up after the one before
    return {"epochs": expected}


def interrupt_at_random(folder):
    "Ctrl-C at random moments until a child gets through; each interrupted child checks what it is left with."
    kept, copy = {}, training.copy_state   # best epoch -> weights, of the run that nobody interrupts
    training.copy_state = lambda model: kept.setdefault(len(kept), copy(model))
    reference = train()
    training.copy_state = copy
    bests = [n for n in range(len(reference[1])) if History(reference[1].rows[:n + 1]).best_epoch == n]
    kept = dict(zip([-1, *bests], kept.values()))
    def work():
        signal.signal(signal.SIGINT, signal.default_int_handler)   # a parent may have had it ignored
        try: model, history = train(folder)
        except KeyboardInterrupt: return 4                          # before fit's loop began, or after it ended
        if history.stopped != "interrupted": return 0
        on_disk = read_checkpoint(folder / FILE)[2] if (folder / FILE).exists() else History()
        assert told(on_disk) == told(history)[:len(on_disk)] and len(history) - len(on_disk) in (0, 1)
        assert told(history) == told(reference[1])[:len(history)]
        assert same(model.state_dict(), kept[history.best_epoch]), history.best_epoch
        assert not model.training and not list(folder.glob(".*.tmp"))
        return 3
    rng, codes = random.Random(1), []
    while 0 not in codes:
        pid = child(work)
        time.sleep(rng.uniform(0.01, 0.08 + 0.02 * len(codes)))
        os.kill(pid, signal.SIGINT)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        assert codes[-1] in (0, 3, 4, -signal.SIGINT), codes
    assert same_run(*train(folder), reference)
    return {"interrupted": codes.count(3), "codes": codes}


def fill_the_disk(folder):
    "No room for the fourth checkpoint."
    import resource   # POSIX only
    path, reference = folder / FILE, train()
    train(folder, epochs=3)
    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2,) * 2)
        try: train(folder)
        except OSError as e: return 0 if "large" in str(e) else 2
    assert os.waitstatus_to_exitcode(os.waitpid(child(work), 0)[1]) == 0
    assert os.listdir(folder) == [FILE] and len(read_checkpoint(path)[2]) == 3
    assert same_run(*train(folder), reference)
    return {}


SCENES = [kill_at_random, kill_while_writing, interrupt_at_random, fill_the_disk]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    "What each scene returned, or its traceback; all in one fresh process with one thread, which is safe to fork."
    if not hasattr(os, "fork"): pytest.skip("needs fork and POSIX signals")
    done = subprocess.run([sys.executable, __file__, str(tmp_path_factory.mktemp("scenes"))], capture_output=True, text=True, timeout=300,
                          env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def seen(scenes, name):
    assert "traceback" not in scenes[name], scenes[name]["traceback"]
    return scenes[name]


# --- deaths ------------------------------------------------------------------------------------------------------------------------

def test_kill_at_any_moment_changes_nothing(scenes):
    found = seen(scenes, "kill_at_random")
    assert found["kills"] >= 5 and len(set(found["epochs"])) >= 3, found   # it was hit often, and in different epochs
    assert found["epochs"] == sorted(found["epochs"])                     # no kill ever cost an epoch that had been written


def test_kill_while_the_checkpoint_is_written(scenes): assert seen(scenes, "kill_while_writing") == {"epochs": 18}


def test_interrupt_leaves_a_usable_run(scenes): assert seen(scenes, "interrupt_at_random")["interrupted"] >= 3


def test_full_disk_spares_the_last_checkpoint(scenes): seen(scenes, "fill_the_disk")


def test_interrupt_between_weights_and_history(tmp_path, monkeypatch):
    "The signal falls just after an epoch is done and before its weights are copied: the history must not claim them."
    copies, real = [], training.copy_state
    def copy_state(model):
        if len(copies) == 3: raise KeyboardInterrupt
        copies.append(real(model))
        return copies[-1]
    monkeypatch.setattr(training, "copy_state", copy_state)
    model, history = train(tmp_path)
    assert history.stopped == "interrupted" and same(model.state_dict(), copies[-1])
    assert [n for n in range(len(history)) if History(history.rows[:n + 1]).best_epoch == n][-1] == history.best_epoch
    assert len(copies) == 1 + sum(History(history.rows[:n + 1]).best_epoch == n for n in range(len(history)))


def test_write_that_fails_half_way(tmp_path, monkeypatch):
    train(tmp_path, epochs=2)
    before = (tmp_path / FILE).read_bytes()
    def write_bytes(self, data):
        with open(self, "wb") as f: f.write(data[:100])
        raise OSError(28, "No space left on device", str(self))
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(OSError, match="No space left"): train(tmp_path, epochs=4)
    assert os.listdir(tmp_path) == [FILE] and (tmp_path / FILE).read_bytes() == before


def test_a_folder_that_is_a_file_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "run_epoch", lambda *args: pytest.fail("it trained"))
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(OSError): train(tmp_path / "run")


def test_litter_of_killed_writers_is_removed_and_nothing_else(tmp_path):
    for name in (f".{FILE}.123.tmp", "notes.tmp", ".config.json.5.tmp"): (tmp_path / name).write_text("x")
    train(tmp_path, epochs=1)
    assert sorted(os.listdir(tmp_path)) == [".config.json.5.tmp", FILE, "notes.tmp"]


# --- going on ----------------------------------------------------------------------------------------------------------------------

def test_resume_in_any_number_of_pieces(tmp_path):
    reference = train(epochs=12)
    for epochs in (1, 2, 7, 12): part = train(tmp_path, epochs=epochs)
    assert same_run(*part, reference) and part[1].stopped == "max_epochs"


@pytest.mark.parametrize("changes", [{"normalize_gradients": False}, {"n_samples": 3}, {"warmup": 0}, {"seed": 2**70}, {"batch_size": 33}])
def test_resume_is_exact_for_other_settings(tmp_path, changes):
    train(tmp_path, epochs=2, **changes)
    assert same_run(*train(tmp_path, epochs=4, **changes), train(epochs=4, **changes))


@pytest.mark.parametrize("make_prior", [lambda: StandardNormal(2), lambda: VampPrior(torch.full((5, 16), 0.5), trainable=False),
                                        lambda: VampPrior(torch.rand(5, 16), weighted=True)])
def test_resume_is_exact_for_other_priors(tmp_path, make_prior):
    def run(folder, epochs):
        torch.manual_seed(1)
        model, dataset = make(prior=make_prior())
        return model, fit(model, dataset, replace(CONFIG, epochs=epochs), folder, progress=False)
    run(tmp_path, 2)
    assert same_run(*run(tmp_path, 4), run(None, 4))


def test_resume_with_parameters_that_do_not_train(tmp_path):
    def run(folder, epochs):
        model, dataset = make()
        model.encoder.requires_grad_(False)
        return model, fit(model, dataset, replace(CONFIG, epochs=epochs), folder, progress=False)
    run(tmp_path, 2)
    model, history = run(tmp_path, 4)
    assert same_run(model, history, run(None, 4)) and same(model.encoder.state_dict(), make()[0].encoder.state_dict())


def test_weights_that_share_memory_are_saved(tmp_path):
    def run(folder, epochs):
        model, dataset = make()
        model.encoder.body[1].linear.bias = model.decoder.body[0].linear.bias
        return model, fit(model, dataset, replace(CONFIG, epochs=epochs), folder, progress=False)
    run(tmp_path, 2)
    assert same_run(*run(tmp_path, 4), run(None, 4))


def test_finished_run_does_nothing(tmp_path, monkeypatch):
    model, history = train(tmp_path, epochs=3)
    before = (tmp_path / FILE).stat().st_mtime_ns
    monkeypatch.setattr(training, "run_epoch", lambda *args: pytest.fail("it trained"))
    for epochs in (3, 1):
        again = train(tmp_path, epochs=epochs)
        assert again[1] == history and again[1].stopped == "max_epochs" and same(again[0].state_dict(), model.state_dict()) and not again[0].training
    assert (tmp_path / FILE).stat().st_mtime_ns == before


def test_early_stopping_holds_after_more_epochs_are_allowed(tmp_path):
    first = train(tmp_path, epochs=500, warmup=2, patience=2)
    assert first[1].stopped == "early_stopping" and len(first[1]) == max(first[1].best_epoch + 1, 2) + 2
    assert train(tmp_path, epochs=900, warmup=2, patience=2)[1] == first[1]
    assert read_checkpoint(tmp_path / FILE)[2].stopped == "early_stopping"


def test_training_leaves_the_callers_random_numbers_alone(tmp_path):
    model, dataset = make()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(model, dataset, replace(CONFIG, epochs=2), tmp_path, progress=False)
    assert torch.equal(torch.rand(3), expected)


def test_what_a_resumed_run_holds_is_not_the_file(tmp_path):
    "Tensors that view the file would break when the file is replaced or cut."
    train(tmp_path, epochs=2)
    groups = read_checkpoint(tmp_path / FILE)[0]
    expected = {key: t.clone() for key, t in groups["best"].items()}
    with open(tmp_path / FILE, "r+b") as f: f.write(bytes((tmp_path / FILE).stat().st_size))
    assert same(groups["best"], expected)


def test_the_test_split_takes_no_part():
    "Training and validation do not change when the test images are blank; with blank validation images the validation does, and nothing else."
    def run(*blank):
        model, dataset = make()
        dataset = replace(dataset, **{split: torch.zeros_like(getattr(dataset, split)) for split in blank})
        return model, fit(model, dataset, replace(CONFIG, epochs=2), progress=False)
    reference, other = run(), run("valid")[1]
    assert same_run(*run("test"), reference)
    assert other.curve("train_elbo") == reference[1].curve("train_elbo")
    assert all(a != b for a, b in zip(other.curve("valid_elbo"), reference[1].curve("valid_elbo")))


COMPILED = """
import sys, torch, warnings
sys.path.insert(0, {tests!r})
from pathlib import Path
from tempfile import TemporaryDirectory
import test_training as t
warnings.simplefilter("error", RuntimeWarning)       # a twin that is refused
def graphs(): return torch._dynamo.utils.counters["stats"]["unique_graphs"]

model, dataset = t.make()
twin, x = t.training.fused(model), dataset.batch("train")[:t.CONFIG.batch_size]
assert "terms" not in vars(model) and twin.encoder is model.encoder
def a_pass(m):
    torch.manual_seed(1); model.zero_grad()
    log_w = m.terms(x, 1, None).log_w
    log_w.mean().backward()
    return [log_w.detach(), *(p.grad.clone() for p in model.parameters())]
plain, compiled = a_pass(model), a_pass(twin)
torch.testing.assert_close(compiled, plain, rtol=1e-5, atol=1e-5)       # float32, sums in another order
assert graphs() == 1 and all(map(torch.equal, plain, a_pass(model))) and graphs() == 1

plain = t.train(epochs=4)
t.training.LONG = 1
whole = t.train(epochs=4)
with TemporaryDirectory() as folder:
    for epochs in (1, 4): pieces = t.train(Path(folder), epochs)
assert graphs() == 4                                 # one more for each run: the compiler begins anew
assert t.same_run(*pieces, whole)
assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(whole[0].parameters(), plain[0].parameters()))
"""


def test_compiled_operations():
    """A compiled pass is the pass, with the same random numbers, to rounding: log-weights and gradients. A long run on a CPU has compiled steps, whatever was compiled before it, and in two pieces
    it is the run in one, bit for bit. In a process of its own, since a compiler's threads and PyTorch's get into each other's way."""
    done = subprocess.run([sys.executable, "-c", COMPILED.format(tests=str(Path(__file__).parent))], capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": "1", "TORCHINDUCTOR_COMPILE_THREADS": "1"})
    for nothing_to_compile_with in ("InvalidCxxCompiler", "CppCompileError", "CppHeader", "is not supported on"):
        if nothing_to_compile_with in done.stderr: pytest.skip(next(line for line in done.stderr.splitlines() if nothing_to_compile_with in line))
    assert done.returncode == 0, done.stderr[-3000:]


def test_only_a_long_run_asks_for_a_compiler(monkeypatch):
    "And none whose gradient passes through a hook inside the pass, or that takes two walks. On a CPU, what is not compiled is not recorded either."
    model, dataset = make()
    def twins(**changes):
        step = training.quick_step(model, dataset, torch.optim.Adam(model.parameters()), replace(CONFIG, **changes))
        return step and len(step.kinds) - 1
    assert len(dataset.train) / CONFIG.batch_size == 4
    assert [twins(epochs=n) for n in (1, 24_999, 25_000)] == [None, None, 1] and twins(epochs=25_000, objective="dreg", n_samples=2) is None
    assert [twins(epochs=25_000, objective="iwae", n_samples=2, max_rows=rows) for rows in (99, 100)] == [None, 1]
    monkeypatch.setattr(training, "capture_for", lambda device, config: training.cuda_graph)       # that a GPU records is taken for granted
    assert [twins(epochs=n) for n in (1, 24_999, 25_000)] == [0, 0, 1] and twins(epochs=25_000, objective="dreg", n_samples=2) == 0


def test_fit_takes_its_steps_as_quick_step_says(monkeypatch):
    model, dataset = make()
    steps = []
    def counted(model, dataset, optimizer, config): return lambda index, beta: steps.append(beta) or training.train_step(model, dataset, optimizer, config, index, beta)
    monkeypatch.setattr(training, "quick_step", counted)
    fit(model, dataset, replace(CONFIG, epochs=2), progress=False)
    assert steps == [0.1] * 4 + [0.2] * 4 and same(model.state_dict(), train(epochs=2)[0].state_dict())


# --- refusals ----------------------------------------------------------------------------------------------------------------------

def test_changed_settings_are_named(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(ValueError, match=r"checkpoint.safetensors belongs to another configuration: batch_size was 50, is 20; lr was 0.005, is 0.1\. Use"):
        train(tmp_path, batch_size=20, lr=0.1)
    assert len(read_checkpoint(tmp_path / FILE)[2]) == 1


def test_another_model_is_refused_and_left_alone(tmp_path):
    train(tmp_path, epochs=1)
    for other in (make(seed=3, latent=3)[0], make(seed=3, prior=StandardNormal(2))[0], make(seed=3)[0].double()):
        before = {key: t.clone() for key, t in other.state_dict().items()}
        with pytest.raises(ValueError, match="holds another model than this one: .* was .*, is "):
            fit(other, make()[1], CONFIG, tmp_path, progress=False)
        assert same(other.state_dict(), before)


def test_damage_is_found_wherever_it_is(tmp_path):
    "Each fifth byte of the header and each 97th of the rest, with one bit flipped: refused, or (a byte that says nothing) read back as it was."
    train(tmp_path, epochs=2)
    raw, whole = (tmp_path / FILE).read_bytes(), read_checkpoint(tmp_path / FILE)
    n = 8 + int.from_bytes(raw[:8], "little")
    path, refused, places = tmp_path / "damaged", 0, [*range(0, n, 5), *range(n, len(raw), 97)]
    for i in places:
        path.write_bytes(raw[:i] + bytes([raw[i] ^ (1 << i % 7)]) + raw[i + 1:])
        try: groups, config, history = read_checkpoint(path)
        except ValueError as e:
            assert str(e).startswith(f"{path} is not a readable checkpoint of this version (") and "\n" not in str(e)
            refused += 1
        else: assert (config, history) == whole[1:] and all(same(groups[key], whole[0][key]) for key in groups)
    assert refused >= len(places) - 3


@pytest.mark.parametrize("size", [0, 1, 8, 100, 0.5, -1])
def test_cut_off_file(tmp_path, size):
    train(tmp_path, epochs=1)
    raw = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(raw[:int(size * len(raw)) if isinstance(size, float) else size])
    with pytest.raises(ValueError, match=f"{FILE} is not a readable checkpoint of this version .* Remove it to start the run anew"): train(tmp_path)


def test_files_of_others(tmp_path):
    (tmp_path / FILE).write_bytes(safetensors.torch.save({"model/weight": torch.zeros(2)}, {"format": "pt"}))
    with pytest.raises(ValueError, match="no vampbook header"): train(tmp_path)
    (tmp_path / FILE).write_text(json.dumps(asdict(CONFIG)))
    with pytest.raises(ValueError, match="not a readable checkpoint"): train(tmp_path)


def test_settings_of_another_version_or_type(tmp_path):
    for config in ('{"epochs": 3, "momentum": 0.9}', '{"epochs": "3"}', '{"epochs": 2.5}', "[]", "7", "{", '{"lr": -1}'):
        tensors, history = {"model/weight": torch.zeros(2)}, '{"rows": []}'
        header = {"format": "1", "config": config, "history": history, "crc32": checksum(tensors, config, history)}
        (tmp_path / FILE).write_bytes(safetensors.torch.save(tensors, header))
        with pytest.raises(ValueError, match="not a readable checkpoint") as e: read_checkpoint(tmp_path / FILE)
        assert "checksum" not in str(e.value)   # it is the settings that are refused


def test_checkpoint_without_checksum_is_refused(tmp_path):
    header = {"format": "1", "config": json.dumps(asdict(CONFIG)), "history": '{"rows": []}'}
    (tmp_path / FILE).write_bytes(safetensors.torch.save({"model/weight": torch.zeros(2)}, header))
    with pytest.raises(ValueError, match="checksum"): read_checkpoint(tmp_path / FILE)


class Bomb:
    def __reduce__(self): return (Path.touch, (Path(os.environ["BOMB"]),))


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    (tmp_path / "run").mkdir()
    for write in (lambda p: torch.save({"model": Bomb()}, p), lambda p: p.write_bytes(pickle.dumps(Bomb()))):
        write(tmp_path / "run" / FILE)
        with pytest.raises(ValueError, match="not a readable checkpoint"): train(tmp_path / "run")
    assert not (tmp_path / "exploded").exists()
    def forbidden(*args, **kwargs): raise AssertionError("pickle is not to be used")
    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"): monkeypatch.setattr(pickle, name, forbidden)
    monkeypatch.setattr(torch, "load", forbidden); monkeypatch.setattr(torch, "save", forbidden)
    train(tmp_path / "safe", epochs=1)
    train(tmp_path / "safe", epochs=2)


# --- numbers that are none ----------------------------------------------------------------------------------------------------------

def test_nan_names_the_epoch_and_keeps_the_best_weights(tmp_path):
    model, dataset = make()
    reference, history = train(tmp_path, epochs=3)
    class Broken(Dataset):
        def batch(self, split, index=slice(None), generator=None):
            x = super().batch(split, index, generator)
            return x * math.nan if split == "valid" else x
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(TrainingError, match=r"the ELBO is -\d.* \(train\), nan \(valid\) after epoch 4: training has diverged\. .*lower learning rate \(lr is 0.005\)"):
        fit(model, Broken(**vars(dataset)), replace(CONFIG, epochs=9), tmp_path, progress=False)
    assert same(model.state_dict(), reference.state_dict()) and (tmp_path / FILE).read_bytes() == before


def test_a_learning_rate_that_diverges():
    with pytest.raises(TrainingError, match=r"after epoch 1: training has diverged"): train(lr=1e8)


def test_history_survives_the_round_trip(tmp_path):
    model, dataset = make()
    history = History([{"beta": 0.1 + 0.2, "train_elbo": -math.pi * 1e17, "valid_elbo": -5e-324, "seconds": 1 / 3}], "early_stopping")
    save_checkpoint(tmp_path / "deep" / "er" / FILE, model, model.state_dict(), torch.optim.Adam(model.parameters()), CONFIG, history)
    groups, config, again = read_checkpoint(tmp_path / "deep" / "er" / FILE)
    assert (config, again, groups["adam"]) == (CONFIG, history, {}) and same(groups["model"], model.state_dict())


def play(scene, folder):
    folder.mkdir()
    try: return scene(folder)
    except Exception: return {"traceback": traceback.format_exc()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({scene.__name__: play(scene, Path(sys.argv[1], scene.__name__)) for scene in SCENES}))
