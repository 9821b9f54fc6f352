"""What the data chapter cannot show: faults, a server that breaks off or lies, two processes at once, and the real files."""
import gzip
import http.server
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pooch
import pytest
import scipy.io
import torch

from vampbook import data
from vampbook.data import DATASETS, DataFile, check, fetch, load

REAL = os.environ.get("VAMPBOOK_DATA")


@pytest.fixture(autouse=True)
def no_real_places(monkeypatch, tmp_path_factory):
    "No test sees the user's files or writes among them; the cache is a fresh folder."
    cache = tmp_path_factory.mktemp("home") / "cache"
    monkeypatch.delenv("VAMPBOOK_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: cache)
    return cache


def known(body): return "sha256:" + sha256(body).hexdigest()


def unhashed(monkeypatch, name):
    "Let the files that a test makes stand for the published ones."
    files = tuple(replace(file, hash=None, urls=()) for file in DATASETS[name].files)
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], files=files))
    return [file.name for file in files]


def mat_bytes(**variables):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, do_compression=True)
    return buffer.getvalue()


def npz_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def idx_bytes(x): return struct.pack(f">I{x.ndim}I", 0x800 + x.ndim, *x.shape) + x.tobytes()


# ---- small files of each format, loaded as data sets

def test_static_mnist(monkeypatch, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2, (3, 784))
    for i, name in enumerate(unhashed(monkeypatch, "static_mnist")):
        text = "".join(" ".join(map(str, row)) + "\n" for row in pixels[i:]).encode()
        (tmp_path / (name + ".gz" * (i == 1))).write_bytes(gzip.compress(text) if i == 1 else text)  # one of them gzipped
    d = load("static_mnist", tmp_path)
    assert d.train.tolist() == pixels.tolist() and d.valid.tolist() == pixels[1:].tolist() and d.test.tolist() == pixels[2:].tolist()
    assert d.train.dtype == torch.uint8 and d.labels is None and not d.dynamic
    assert torch.equal(d.batch("train", [0, 2]), d.train[[0, 2]].float())


def mnist_files():
    x, y = np.zeros((60000, 28, 28), np.uint8), np.arange(60000, dtype=np.uint8) % 10
    x[:, 0, 1], x[:, 2, 3], x[49999, 5, 5], x[50000, 6, 6] = 255, 128, 255, 255
    return x, y, x[:10000], y[:10000]


def test_dynamic_mnist(monkeypatch, tmp_path):
    contents = mnist_files()
    for name, x in zip(unhashed(monkeypatch, "dynamic_mnist"), contents, strict=True):  # plain files, though the names end in .gz
        (tmp_path / name.removesuffix(".gz")).write_bytes(idx_bytes(x))
    d = load("dynamic_mnist", tmp_path)
    assert [len(d.train), len(d.valid), len(d.test)] == [50000, 10000, 10000]
    assert d.train[49999, 5 * 28 + 5] == 255 and d.valid[0, 6 * 28 + 6] == 1  # the cut is at 50 000
    assert d.train[:, 59].unique().tolist() == [128] and d.labels["valid"][:3].tolist() == [0, 1, 2]
    assert d.valid[:, 1].all() and not d.valid[:, 2].any()
    for x in (d.valid, d.test, d.batch("train")):  # 5 standard deviations of the mean of >= 10 000 rolls
        assert abs(x[:, 59].float().mean() - 128 / 255) < 5 * 0.5 / 100
    assert not torch.equal(d.valid[:, 59], d.test[:, 59])  # not the same rolls
    assert torch.equal(d.batch("test"), d.test.float()) and torch.equal(d.batch("valid"), d.valid.float())  # rolled once, not again
    again = load("dynamic_mnist", tmp_path)
    assert torch.equal(d.valid, again.valid) and torch.equal(d.test, again.test)


def test_mnist_wrong_label(monkeypatch, tmp_path):
    *contents, y_test = mnist_files()
    contents.append(y_test.copy())
    contents[3][-1] = 10  # in the test file only
    for name, x in zip(unhashed(monkeypatch, "dynamic_mnist"), contents, strict=True): (tmp_path / name).write_bytes(idx_bytes(x))
    with pytest.raises(ValueError, match="labels must be digits, from 0 to 9"): load("dynamic_mnist", tmp_path)


def test_mnist_wrong_shape(monkeypatch, tmp_path):
    x, y, x_test, y_test = mnist_files()
    for name, content in zip(unhashed(monkeypatch, "dynamic_mnist"), (x_test, y, x_test, y_test), strict=True):
        (tmp_path / name).write_bytes(gzip.compress(idx_bytes(content), 1))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz should have shape \(60000, 28, 28\), not \(10000, 28, 28\)"):
        load("dynamic_mnist", tmp_path)


def test_omniglot(monkeypatch, tmp_path):
    name, = unhashed(monkeypatch, "omniglot")
    images = np.zeros((1400, 28, 28)); images[:, 0] = np.linspace(0, 1, 1400)[:, None]; images[:, 1] = 1  # two bars along the top
    columns = images.transpose(2, 1, 0).reshape(784, 1400)  # pixel (r, c) at c * 28 + r: column-major
    (tmp_path / name).write_bytes(mat_bytes(data=columns, testdata=columns[:, :2], target=np.zeros((50, 1400))))
    d = load("omniglot", tmp_path)
    assert [len(d.train), len(d.valid), len(d.test)] == [55, 1345, 2]
    assert (d.train[:, 28:56] == 255).all() and (d.train[:, 56:] == 0).all() and (d.valid[:, 28:56] == 1).all() and d.dynamic
    greys = d.train[:, 0]
    assert (d.train[:, :28] == greys[:, None]).all() and len(greys.unique()) > 40 and (greys.int().diff() < 0).any()  # a random pick


@pytest.mark.parametrize("content, message", [
    (lambda: mat_bytes(data=np.full((784, 1400), 1.5), testdata=np.zeros((784, 2))), "must lie in \\[0, 1\\], found 1.5"),
    (lambda: mat_bytes(data=np.full((784, 1400), np.nan), testdata=np.zeros((784, 2))), "must lie in \\[0, 1\\], found nan"),
    (lambda: mat_bytes(data=np.zeros((784, 1400))), "no variable 'testdata'"),
    (lambda: mat_bytes(data=np.zeros((700, 1400)), testdata=np.zeros((784, 2))), "expected N x 784 pixels, found shape \\(1400, 700\\)"),
    (lambda: mat_bytes(data=np.zeros((784, 1345)), testdata=np.zeros((784, 2))), "more than 1345 training images"),
    (lambda: mat_bytes(data=np.zeros((784, 1400)), testdata=np.zeros((784, 2)))[:600], "not a readable MATLAB v5 file"),
    (lambda: b"<html>404</html>", "not a readable MATLAB v5 file"),
    (lambda: b"", "not a readable MATLAB v5 file"),
    (lambda: mat_bytes(data=np.array([{"a": 1}]), testdata=np.zeros((784, 2))), "'data' is not numeric"),
])
def test_bad_chardata(monkeypatch, tmp_path, content, message):
    name, = unhashed(monkeypatch, "omniglot")
    (tmp_path / name).write_bytes(content())
    with pytest.raises(ValueError, match=message) as e: load("omniglot", tmp_path)
    assert str(tmp_path / name) in str(e.value) and "Delete it and run `vampbook data fetch omniglot`" in str(e.value)


def test_every_flipped_byte_of_a_mat_is_refused_or_read(monkeypatch):
    "Damage anywhere in a compressed file ends in ValueError or in arrays, never in another error."
    whole = bytearray(mat_bytes(data=np.eye(4), testdata=np.eye(3)))
    for i in range(0, len(whole), 7):
        broken = bytes(whole[:i]) + bytes([whole[i] ^ 0xFF]) + bytes(whole[i + 1:])
        try: data.read_mat(broken, "data", "testdata")
        except ValueError: pass


def test_omniglot_lake():
    paper = np.ones((2, 3, 105, 105), bool); paper[1, 2, :15] = False  # ink: the four top rows of 28, exactly
    grey = data._read_lake(npz_bytes(images=paper, labels=np.zeros(1)))
    assert grey.shape == (6, 784) and not grey[:5].any() and (grey[5, :112] == 255).all() and not grey[5, 112:].any()
    numbers = np.arange(32460)[:, None]
    train, valid, test, labels = data._split_lake(numbers[:19280], numbers[19280:])
    assert [len(train), len(valid), len(test)] == [23000, 1345, 8115] and labels is None
    assert sorted(np.concatenate([train, valid, test]).ravel()) == list(range(32460)) and (np.diff(train.ravel()) < 0).mean() > 0.4
    for bad in (npz_bytes(images=paper.astype(np.uint8)), npz_bytes(images=paper[..., :100])):
        with pytest.raises(ValueError, match="expected bool images of 105 x 105"): data._read_lake(bad)
    for bad in (npz_bytes(images=paper)[:-40], b"PK\3\4 not a zip", b"", npz_bytes(images=np.array([{}]))):
        with pytest.raises(ValueError, match="not a readable .npz"): data._read_lake(bad)
    with pytest.raises(ValueError, match=r"^no array \['images'\], the file has \['labels'\]"): data._read_lake(npz_bytes(labels=paper))


def test_shrink_against_block_means_of_random_images():
    ink = np.random.default_rng(0).random((3, 105, 105)) < 0.3
    blocks = np.repeat(np.repeat(ink, 28, 1), 28, 2).reshape(3, 28, 105, 28, 105).mean((2, 4))
    assert np.array_equal(data.shrink(ink), np.rint(255 * blocks).reshape(3, -1))


def caltech(**changes):
    x = np.ones((4, 28, 28), np.uint8); x[:, :, 0] = 0  # object: the left edge
    flat = x.transpose(0, 2, 1).reshape(4, -1)
    names = "train", "val", "test"
    parts = {f"{part}_data": flat for part in names} | {f"{part}_labels": [[1], [7], [2], [101]] for part in names}
    return mat_bytes(**parts | changes)


def test_caltech(monkeypatch, tmp_path):
    name, = unhashed(monkeypatch, "caltech101")
    (tmp_path / name).write_bytes(caltech())
    d = load("caltech101", tmp_path)
    expected = torch.zeros(28, 28); expected[:, 0] = 1
    for split in ("train", "valid", "test"):
        assert torch.equal(d.batch(split, 1), expected.ravel())
        assert d.labels[split].tolist() == [0, 6, 1, 100] and d.labels[split].dtype == torch.int64
    for bad, message in ((2, "0 and 1 only"), (0.5, "0 and 1 only"), (np.nan, "0 and 1 only")):
        (tmp_path / name).write_bytes(caltech(val_data=np.full((4, 784), bad)))
        with pytest.raises(ValueError, match=message): load("caltech101", tmp_path)
    for bad in (0, 102, 1.5, np.nan):
        (tmp_path / name).write_bytes(caltech(test_labels=[[1], [7], [bad], [101]]))
        with pytest.raises(ValueError, match="labels must be whole numbers from 1 to 101"): load("caltech101", tmp_path)


def python2_pickle(array):
    "What Python 2 wrote, protocol 0: a list with one uint8 array, the raw bytes as an escaped text."
    raw = repr(array.tobytes())[1:]
    rows, cols = array.shape
    return (f"(lp0\ncnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntp3\nS'b'\np4\ntp5\nRp6\n(I1\n(I{rows}\nI{cols}\n"
            f"tp7\ncnumpy\ndtype\np8\n(S'u1'\np9\nI0\nI1\ntp10\nRp11\n(I3\nS'|'\np12\nNNNI-1\nI-1\nI0\ntp13\nbI00\nS{raw}\np14\n"
            "tp15\nbp16\na.").encode()


def test_frey(monkeypatch, tmp_path):
    name, = unhashed(monkeypatch, "frey_faces")
    frames = np.random.default_rng(0).integers(0, 256, (1965, 560), dtype=np.uint8)
    (tmp_path / name).write_bytes(python2_pickle(frames))
    d = load("frey_faces", tmp_path)
    assert [len(d.train), len(d.valid), len(d.test)] == [1565, 200, 200] and d.shape == (1, 28, 20)
    together = torch.cat([d.train, d.valid, d.test]).numpy()
    assert not np.array_equal(together, frames) and sorted(map(bytes, together)) == sorted(map(bytes, frames))
    assert torch.equal(d.batch("test", slice(0, 3)), (d.test[:3].float() + 0.5) / 256)
    for bad in (frames[:100], frames.astype(np.int64), frames.reshape(1965, 28, 20)):
        (tmp_path / name).write_bytes(pickle.dumps([bad]))
        with pytest.raises(ValueError, match="expected 1965 x 560 bytes"): load("frey_faces", tmp_path)


def patches(n): return np.tile(np.arange(256) / 255, (n, 784 // 256 + 1))[:, :784].reshape(n, 28, 28)


def test_histopathology(monkeypatch, tmp_path):
    name, = unhashed(monkeypatch, "histopathology")
    (tmp_path / name).write_bytes(pickle.dumps(dict(training=patches(5), validation=list(patches(2)), test=patches(3)), 2))
    d = load("histopathology", tmp_path)
    assert [len(d.train), len(d.valid), len(d.test)] == [5, 2, 3] and d.likelihood == "logistic" and not d.dynamic
    assert d.train[0, :256].tolist() == list(range(256)) and d.batch("train")[0, 0] == 0.5 / 256
    assert check("histopathology", tmp_path) == [(name, tmp_path / name, "no known hash")]


@pytest.mark.parametrize("content, message", [
    (dict(training=patches(2), test=patches(2)), r"expected a dict with training, validation, test, found \['training', 'test'\]"),
    ([patches(2)], "found list"),
    (dict(training=patches(2), validation=patches(2)[:, :27], test=patches(2)), "expected patches of 784 pixels, found shape \\(2, 27, 28\\)"),
    (dict(training=patches(2), validation=patches(2), test=patches(4).reshape(8, 392)), "found shape \\(8, 392\\)"),  # two rows, one patch?
    (dict(training=patches(2), validation=2 * patches(2), test=patches(2)), "must lie in \\[0, 1\\], found 0.0 to 2.0"),
    (dict(training=patches(2), validation=patches(2) * np.nan, test=patches(2)), "must lie in"),
    (dict(training=["a" * 784], validation=patches(2), test=patches(2)), "holds a str"),
    (dict(training=patches(2)[:0], validation=patches(2), test=patches(2)), "expected pixel values"),
])
def test_bad_histopathology(monkeypatch, tmp_path, content, message):
    name, = unhashed(monkeypatch, "histopathology")
    (tmp_path / name).write_bytes(pickle.dumps(content, 4))
    with pytest.raises(ValueError, match=message) as e: load("histopathology", tmp_path)
    assert str(tmp_path / name) in str(e.value)


# ---- parsers

@pytest.mark.parametrize("content, message", [
    (b"", "magic number is 0x,"), (b"\0\0\x08", "not an IDX"), (b"\0\0\x0d\1\0\0\0\1abcd", "0x00000d01"),
    (b"\0\0\x08\3\0\0\0\1", "cut off inside the IDX header"),
    (b"\0\0\x08\1\0\0\0\5abcd", "5 bytes, but 4 follow"), (b"\0\0\x08\1\0\0\0\3abcd", "3 bytes, but 4 follow"),
    (b"\x08\3\0\0" + bytes(20), "not an IDX"),
])
def test_bad_idx(content, message):
    with pytest.raises(ValueError, match=message): data.read_idx(content)


@pytest.mark.parametrize("content", [
    b"", b"\n", b"0 1", b"0 1\n0 1", b"0 1\n0\n", b"0 1 \n", b"0 2\n", b"0\t1\n", b"0 1\r\n", b"01\n", b"a b\n",
    b"0 1\n0\n1\n", b"\xff 1\n"])
def test_bad_amat(content):
    with pytest.raises(ValueError): data.read_amat(content)


def test_restricted_pickle_executes_nothing(tmp_path):
    mark = tmp_path / "mark"

    class Run:
        def __init__(self, *call): self.call = call
        def __reduce__(self): return self.call[0], self.call[1:]
    evil = [Run(os.system, f"touch {mark}"), Run(eval, f"open({str(mark)!r}, 'w')"), Run(exec, f"open({str(mark)!r}, 'w')"), Run(Path, "x"),
            Run(getattr, np.ndarray, "tofile"), Run(np.load, str(mark)), Run(np.ndarray, (3,), "O"),
            np.array([{}]), np.array(["text"]), np.zeros(2, "f4,i4")]
    for protocol in range(5):
        for x in evil:
            for content in (x, [np.zeros(3), x], {"training": x}):
                with pytest.raises(ValueError): data.read_pickle(pickle.dumps(content, protocol))
    with pytest.raises(ValueError, match="asks for (posix|nt).system, which arrays of numbers do not need; nothing was executed"):
        data.read_pickle(pickle.dumps(evil[0]))
    assert not mark.exists()
    pickle.loads(pickle.dumps(evil[1]))  # it would have worked
    assert mark.exists()


def test_pickle_that_lies_about_its_array():
    "A double array with the flags of an object array, a shape that does not fit, a list that holds itself: refused, not crashed."
    reconstruct = np.empty(0).__reduce__()[0]

    class Dtype:
        def __init__(self, *state): self.state = state
        def __reduce__(self): return np.dtype, ("f8", False, True), self.state

    class Array:
        def __init__(self, shape, *state): self.shape, self.state = shape, state
        def __reduce__(self): return reconstruct, (np.ndarray, (0,), b"b"), (1, self.shape, Dtype(*self.state), False, b"A" * 32)
    honest = 3, "<", None, None, None, -1, -1, 0
    assert data.read_pickle(pickle.dumps(Array((4,), *honest))).tolist() == np.frombuffer(b"A" * 32).tolist()
    assert data.read_pickle(pickle.dumps(Array((4,), *honest[:-1], 63))).dtype == np.float64  # the flags are not looked at
    loop = []; loop.append(loop)
    for bad in (Array((5,), *honest), Array((2**62, 2**62), *honest), Array((4,), 3, "?"), loop):
        with pytest.raises(ValueError): data.read_pickle(pickle.dumps(bad, 2))


@pytest.mark.parametrize("content, message", [
    ([np.arange(3.0), "text"], "holds a str"), ({"training": {1, 2}}, "holds a set"), ([np.dtype("f8")], "holds a _Number"), (None, "holds a NoneType"),
])
def test_pickle_of_other_things(content, message):
    with pytest.raises(ValueError, match=message): data.read_pickle(pickle.dumps(content, 4))


def test_pickle_that_refers_to_itself_many_times():
    x = [np.arange(3.0)]
    for _ in range(100): x = [x, x]  # 2^100 paths lead to the array
    x = data.read_pickle(pickle.dumps(x, 2))
    assert x[0] is x[1]


def test_pickle_of_protocol_5():
    with pytest.raises(ValueError, match="protocol 5 are not read; write it with protocol 4"): data.read_pickle(pickle.dumps(np.arange(3.0), 5))


def test_truncated_pickle():
    whole = pickle.dumps([np.arange(10.0)], 2)
    for n in range(len(whole)):
        with pytest.raises(ValueError): data.read_pickle(whole[:n])


# ---- names, places, hashes

def test_unknown_name():
    for call in (load, fetch, check):
        with pytest.raises(ValueError, match="unknown data set 'dynamic-mnist'; known: dynamic_mnist, "): call("dynamic-mnist")
        with pytest.raises(ValueError, match=f"known: {', '.join(DATASETS)}"): call("zzz")
        with pytest.raises(ValueError, match="unknown data set None"): call(None)


def test_datasets_table():
    assert list(DATASETS) == ["digits", "static_mnist", "dynamic_mnist", "omniglot", "omniglot_lake", "caltech101", "frey_faces",
                              "histopathology"]
    for source in DATASETS.values():
        assert source.likelihood in ("bernoulli", "logistic") and len(source.shape) == 3
        assert source.url.startswith("http") and source.citation
        for file in source.files:
            assert file.hash or file.archive_hash
            assert all(url.startswith(("https://", "http://")) for url in file.urls) and file.urls


def serve(monkeypatch, *files):
    "Make `files` those of frey_faces."
    monkeypatch.setitem(DATASETS, "frey_faces", replace(DATASETS["frey_faces"], files=files))


def test_places_in_order(monkeypatch, tmp_path, no_real_places):
    file = DataFile("a.bin.gz", ())
    serve(monkeypatch, file)
    folders = [tmp_path / "root", tmp_path / "env", no_real_places]
    for folder in folders: folder.mkdir(parents=True)
    monkeypatch.setenv("VAMPBOOK_DATA", str(folders[1]))
    assert check("frey_faces", folders[0]) == [("a.bin.gz", None, "missing")]
    for folder, name in zip(folders[::-1], ("a.bin", "a.bin.gz", "a.bin"), strict=True):
        (folder / name).write_bytes(b"x")
        assert check("frey_faces", folders[0]) == [("a.bin.gz", folder / name, "no known hash")]


def test_damaged_files_on_disk(monkeypatch, tmp_path):
    body = b"content " * 100
    serve(monkeypatch, DataFile("a.bin", (), known(body)))
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress(body))
    assert check("frey_faces", tmp_path) == [("a.bin", tmp_path / "a.bin.gz", "ok")]
    assert fetch("frey_faces", tmp_path) == [tmp_path / "a.bin.gz"]
    for bad, message in ((gzip.compress(body)[:-5], "damaged or cut-off gzip"),
                         (gzip.compress(body[1:]), f"expected {known(body)}, found {known(body[1:])}"),
                         (b"\x1f\x8bjunk", "damaged or cut-off gzip"), (b"", "not the published file")):
        (tmp_path / "a.bin.gz").write_bytes(bad)
        assert message in check("frey_faces", tmp_path)[0][2]
        for call in (load, fetch):
            with pytest.raises(ValueError, match=message) as e: call("frey_faces", tmp_path)
            assert str(tmp_path / "a.bin.gz") in str(e.value) and "Delete it and run `vampbook data fetch frey_faces`" in str(e.value)


def test_git_hash(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    data._content(DataFile("x", (), "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"), tmp_path / "x")  # git's empty file


def test_import_needs_neither_pooch_nor_plots():
    code = "import sys, vampbook.data; print({'pooch', 'sklearn', 'matplotlib', 'fastcore', 'requests', 'IPython'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_files_at_hand_need_no_pooch(tmp_path):
    (tmp_path / "freyfaces.pkl").write_bytes(python2_pickle(np.zeros((1965, 560), np.uint8)))
    code = ("import sys; sys.modules['pooch'] = None; from dataclasses import replace; from vampbook.data import *\n"
            "s = DATASETS['frey_faces']\n"
            "DATASETS['frey_faces'] = replace(s, files=(replace(s.files[0], hash=None),)); print(len(load('frey_faces').train))")
    env = os.environ | {"VAMPBOOK_DATA": str(tmp_path)}
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert r.stdout.strip() == "1565", r.stderr


# ---- a server on this machine

BODY = os.urandom(300_000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, server = self.path.split("/")[1], self.server
        server.requests.append(self.path)
        if kind == "both": server.barrier.wait(20)  # until two requests are under way
        if kind == "missing": return self.send_error(404)
        if kind == "drop": return self.connection.close()
        body = server.bodies.get(self.path, BODY)
        self.send_response(200)
        self.send_header("Content-Length", len(body))
        if kind == "encoded": self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if kind == "short":
            self.wfile.write(body[:len(body) // 2])
            return self.connection.close()
        if kind == "stall":
            self.wfile.write(body[:len(body) // 2]); self.wfile.flush()
            server.stalled.set(); server.release.wait(20)
            return
        self.wfile.write(body)

    def log_message(self, *args): pass


@pytest.fixture
def server():
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    s.daemon_threads, s.bodies, s.requests = True, {}, []
    s.barrier, s.stalled, s.release = threading.Barrier(2), threading.Event(), threading.Event()
    s.url = f"http://127.0.0.1:{s.server_address[1]}"
    thread = threading.Thread(target=s.serve_forever, kwargs=dict(poll_interval=0.02)); thread.start()
    yield s
    s.release.set(); s.shutdown(); s.server_close(); thread.join()


def test_fetch(monkeypatch, tmp_path, server):
    serve(monkeypatch, DataFile("a.bin", (server.url + "/ok/a.bin",), known(BODY)))
    folder = tmp_path / "new" / "folder"
    for _ in range(2): assert fetch("frey_faces", folder) == [folder / "a.bin"]
    assert (folder / "a.bin").read_bytes() == BODY and list(folder.iterdir()) == [folder / "a.bin"] and len(server.requests) == 1
    umask = os.umask(0); os.umask(umask)
    assert (folder / "a.bin").stat().st_mode & 0o777 == 0o666 & ~umask  # others may read it, as any file of the user's


@pytest.mark.parametrize("kind, error, message", [
    ("short", FileNotFoundError, "Connection broken|IncompleteRead"), ("drop", FileNotFoundError, "Connection aborted|Remote end closed"),
    ("missing", FileNotFoundError, "404 Client Error"), ("lie", ValueError, "not the published file: expected sha256:"),
    ("empty", ValueError, "not the published file"),
])
def test_bad_downloads_leave_nothing(monkeypatch, tmp_path, server, kind, error, message):
    url = f"{server.url}/{kind}/a.bin"
    server.bodies |= {"/lie/a.bin": b"<html>Please log in</html>", "/empty/a.bin": b""}
    serve(monkeypatch, DataFile("a.bin", (url,), known(BODY)))
    for call in (fetch, load):
        with pytest.raises(error, match=message) as e: call("frey_faces", tmp_path)
        assert type(e.value) is error and list(tmp_path.iterdir()) == []
        for part in ("a.bin is not here", str(tmp_path), url, "VAMPBOOK_DATA", 'load("digits")'): assert part in str(e.value)


def test_next_mirror(monkeypatch, tmp_path, server):
    server.bodies["/lie/a.bin"] = b"no"
    urls = tuple(f"{server.url}/{kind}/a.bin" for kind in ("missing", "short", "lie", "ok"))
    serve(monkeypatch, DataFile("a.bin", urls, known(BODY)))
    assert fetch("frey_faces", tmp_path)[0].read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"] and len(server.requests) == 4


def test_put_in_place_in_one_step(monkeypatch, tmp_path, server):
    "The name appears by os.replace from the same folder, when the content is whole."
    seen, replace_ = [], os.replace
    def watched(src, dst):
        seen.append((Path(src).read_bytes() == BODY, Path(dst).exists(), tmp_path in Path(src).parents))
        replace_(src, dst)
        seen.append(Path(dst).read_bytes() == BODY)
    serve(monkeypatch, DataFile("a.bin", (server.url + "/ok/a.bin",), known(BODY)))
    monkeypatch.setattr(os, "replace", watched)
    fetch("frey_faces", tmp_path)
    assert seen == [(True, False, True), True]


def test_gzip_undone_on_the_way(monkeypatch, tmp_path, server):
    "Some servers declare a .gz file as an encoding, and the client undoes it: the hash is of the content, so both are right."
    server.bodies |= {"/encoded/a.gz": gzip.compress(BODY), "/ok/b.gz": gzip.compress(BODY)}
    serve(monkeypatch, *(DataFile(f"{x}.gz", (f"{server.url}/{kind}/{x}.gz",), known(BODY)) for x, kind in (("a", "encoded"), ("b", "ok"))))
    a, b = fetch("frey_faces", tmp_path)
    assert a.read_bytes() == BODY and gzip.decompress(b.read_bytes()) == BODY
    assert [status for _, _, status in check("frey_faces", tmp_path)] == ["ok", "ok"]


def test_where_downloads_go(monkeypatch, tmp_path, server, no_real_places):
    serve(monkeypatch, DataFile("a.bin", (server.url + "/ok/a.bin",), known(BODY)))
    monkeypatch.setenv("VAMPBOOK_DATA", str(tmp_path / "not there"))
    assert fetch("frey_faces") == [no_real_places / "a.bin"] and not (tmp_path / "not there").exists()
    (no_real_places / "a.bin").unlink(); (tmp_path / "env").mkdir()
    monkeypatch.setenv("VAMPBOOK_DATA", str(tmp_path / "env"))
    assert fetch("frey_faces") == [tmp_path / "env" / "a.bin"]


def test_folder_that_cannot_be_written(monkeypatch, tmp_path, server):
    serve(monkeypatch, DataFile("a.bin", (server.url + "/ok/a.bin",), known(BODY)))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FileNotFoundError, match="a.bin is not here and could not be fetched"): fetch("frey_faces", tmp_path / "file")


def tar_gz(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name); info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_archive(monkeypatch, tmp_path, server):
    inside = pickle.dumps(dict(training=patches(5), validation=patches(2), test=patches(3)), 2)
    archive, url = tar_gz("../../x/histopathology.pkl", inside), server.url + "/ok/histopathology.pkl.tar.gz"
    file = DataFile("histopathology.pkl", (url,), archive_hash=known(archive))
    monkeypatch.setitem(DATASETS, "histopathology", replace(DATASETS["histopathology"], files=(file,)))
    bad = tar_gz("other.pkl", inside)
    for body, archive_hash, message in (
            (archive[:-50], file.archive_hash, "not the published file"), (archive[:-50], None, "not an archive with histopathology.pkl"),
            (bad, known(bad), "not an archive with"), (b"<html>", None, "not an archive with")):
        server.bodies["/ok/histopathology.pkl.tar.gz"] = body
        files = (replace(file, archive_hash=archive_hash),)
        monkeypatch.setitem(DATASETS, "histopathology", replace(DATASETS["histopathology"], files=files))
        with pytest.raises(ValueError, match=message): load("histopathology", tmp_path)
        assert list(tmp_path.iterdir()) == []
    server.bodies["/ok/histopathology.pkl.tar.gz"] = archive
    monkeypatch.setitem(DATASETS, "histopathology", replace(DATASETS["histopathology"], files=(file,)))
    assert len(load("histopathology", tmp_path).train) == 5
    assert list(tmp_path.iterdir()) == [tmp_path / "histopathology.pkl"] and (tmp_path / "histopathology.pkl").read_bytes() == inside


FETCH = """
import sys
from dataclasses import replace
from vampbook.data import *
url, hash, folder = sys.argv[1:]
DATASETS["frey_faces"] = replace(DATASETS["frey_faces"], files=(DataFile("a.bin", (url,), hash),))
print(fetch("frey_faces", folder)[0].name)
"""


def start(url, folder):
    command = [sys.executable, "-c", FETCH, url, known(BODY), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once(tmp_path, server):
    processes = [start(server.url + "/both/a.bin", tmp_path) for _ in range(2)]  # the server answers when both have asked
    for p in processes:
        out, err = p.communicate(timeout=50)
        assert (p.returncode, out.strip()) == (0, "a.bin"), err
    assert len(server.requests) == 2 and (tmp_path / "a.bin").read_bytes() == BODY and list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_killed_while_fetching(monkeypatch, tmp_path, server):
    p = start(server.url + "/stall/a.bin", tmp_path)
    assert server.stalled.wait(40)
    time.sleep(0.1)
    p.kill(); p.communicate()
    left, = tmp_path.iterdir()  # not a.bin
    assert left.name.startswith(".fetch-")
    os.utime(left, (time.time() - 25 * 3600,) * 2)
    young = tmp_path / ".fetch-young"; young.mkdir()
    os.utime(young, (time.time() - 23 * 3600,) * 2)
    serve(monkeypatch, DataFile("a.bin", (server.url + "/ok/a.bin",), known(BODY)))
    assert fetch("frey_faces", tmp_path)[0].read_bytes() == BODY
    assert sorted(tmp_path.iterdir()) == [young, tmp_path / "a.bin"]  # it may still be at work


# ---- the real files

real = pytest.mark.skipif(not REAL, reason="VAMPBOOK_DATA is not set")
REAL_SETS = {  # sizes of train, valid and test
    "static_mnist": (50000, 10000, 10000), "dynamic_mnist": (50000, 10000, 10000), "omniglot_lake": (23000, 1345, 8115),
    "caltech101": (4100, 2264, 2307), "frey_faces": (1565, 200, 200)}


@pytest.fixture(scope="module")
def loaded():
    memory = {}
    def get(name):
        if name not in memory: memory[name] = load(name, REAL)
        return memory[name]
    return get


@real
@pytest.mark.parametrize("name", REAL_SETS)
def test_real_sizes(loaded, name):
    d = loaded(name)
    assert (len(d.train), len(d.valid), len(d.test)) == REAL_SETS[name] and d.shape == DATASETS[name].shape
    assert all(x.dtype == torch.uint8 and x.shape[1] == np.prod(d.shape) for x in (d.train, d.valid, d.test))
    assert {status for _, _, status in check(name, REAL)} == {"ok"}
    binary = d.likelihood == "bernoulli"
    assert not binary or max(d.valid.max(), d.test.max()) == 1 and d.train.max() == (255 if d.dynamic else 1)


@real
def test_real_means(loaded):
    static = loaded("static_mnist")
    assert [round(x.double().mean().item(), 5) for x in (static.train, static.valid, static.test)] == [0.13056, 0.13113, 0.13251]
    frey = loaded("frey_faces")
    together = torch.cat([frey.train, frey.valid, frey.test])
    assert (round(together.double().mean().item(), 3), together.min(), together.max()) == (154.461, 8, 238)


@real
def test_real_labels(loaded):
    counts = {split: torch.bincount(y, minlength=10) for split, y in loaded("dynamic_mnist").labels.items()}
    assert (counts["train"] + counts["valid"]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert counts["test"].tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    d = loaded("caltech101")
    unsplit = scipy.io.loadmat(Path(REAL) / "caltech101_silhouettes_28.mat")
    assert (sum(torch.bincount(y, minlength=101) for y in d.labels.values()).numpy() == np.bincount(unsplit["Y"].ravel() - 1)).all()
    pairs = {(bytes(1 - x.reshape(28, 28, order="F")), y - 1) for x, y in zip(unsplit["X"], unsplit["Y"].ravel().astype(int), strict=True)}
    ours = {(bytes(x), y.item()) for split, labels in d.labels.items() for x, y in zip(getattr(d, split).numpy(), labels, strict=True)}
    assert ours == pairs  # images and labels belong together, upright, by an independent reading of another file


@real
def test_real_binarisation(loaded):
    d = loaded("dynamic_mnist")
    grey = data.read_idx(gzip.decompress((Path(REAL) / "t10k-images-idx3-ubyte.gz").read_bytes())).reshape(-1, 784) / 255
    ink, p = d.test.double().numpy(), grey
    assert not ink[p == 0].any() and ink[p == 1].all()
    z = (ink - p).sum() / np.sqrt((p * (1 - p)).sum())
    assert abs(z) < 5
    # the same digits, differently rolled and split: the mean images agree, transposed they do not
    mean = loaded("static_mnist").train.double().mean(0)
    dynamic = d.train.double().mean(0) / 255
    assert (mean - dynamic).abs().max() < 0.02 and (mean - dynamic.reshape(28, 28).T.ravel()).abs().max() > 0.2


@real
def test_real_static_test_is_sorted(loaded):
    "The trap that the chapter tells of: nearest class means (of dynamic MNIST's labels) run from 0 to 9 along the file."
    d, static = loaded("dynamic_mnist"), loaded("static_mnist")
    means = torch.stack([d.train[d.labels["train"] == c].float().mean(0) / 255 for c in range(10)])
    guess = torch.cdist(static.test.float(), means).argmin(1)
    assert (guess == torch.arange(10).repeat_interleave(torch.bincount(d.labels["test"]))).float().mean() > 0.75
    assert (torch.cdist(static.train[:1000].float(), means).argmin(1).bincount(minlength=10) > 50).all()  # train is not


@real
def test_real_omniglot_against_block_means(loaded):
    d = loaded("omniglot_lake")
    order = np.random.RandomState(0).permutation(32460)[1345:24345]
    with np.load(Path(REAL) / "images_background.npz") as f: paper = f["images"].reshape(-1, 105, 105)
    for row in np.flatnonzero(order < len(paper))[:20]:
        blocks = np.repeat(np.repeat(~paper[order[row]], 28, 0), 28, 1).reshape(28, 105, 28, 105).mean((1, 3))
        assert np.array_equal(d.train[row].numpy(), np.rint(255 * blocks).ravel())


@real
def test_real_frey_equals_the_matlab_file(loaded):
    ff = scipy.io.loadmat(Path(REAL) / "frey_rawface.mat")["ff"].T
    assert np.array_equal(data._read_frey((Path(REAL) / "freyfaces.pkl").read_bytes()), ff)
    d = loaded("frey_faces")
    assert np.array_equal(torch.cat([d.train, d.valid, d.test]).numpy(), ff[np.random.RandomState(0).permutation(1965)])


@real
def test_real_fixed_rolls(loaded):
    "The seeds are part of the data sets: sums of the rolled validation and test images."
    found = {name: (loaded(name).valid.sum().item(), loaded(name).test.sum().item()) for name in ("dynamic_mnist", "omniglot_lake")}
    assert found == {"dynamic_mnist": (1012212, 1038576), "omniglot_lake": (83947, 509271)}
