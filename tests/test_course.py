"""The course kit, end to end through nbgrader: right answers score, stubs and mistakes do not, nothing leaks to the students."""
import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "assignments"))
course = pytest.importorskip("course", reason="nbgrader needs Python 3.11 or newer")

ASSIGNMENTS = ["1_densities", "2_elbo", "3_iwae", "4_surgery", "5_vampprior", "6_hvae"]


def source(name):
    return course.read(course.HERE / "source" / name / f"{name}.ipynb")


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_right_answers_score_and_stubs_and_mistakes_do_not(name):
    result = course.check(name)
    assert course.problems(result) == [], course.table(result)


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_source_is_whole(name):
    "30 points, 5 to 8 autograded questions, a written one and an open task; no outputs; the package with the answers is not imported."
    nb = source(name)
    marked = {i: c.metadata.nbgrader for i, c in course.cells(nb).items() if "points" in c.metadata.nbgrader}
    assert sum(m.points for m in marked.values()) == 30
    assert 5 <= len(course.questions(nb)) <= 8
    assert all(course.questions(nb).values()), "a tests cell without an answer before it"
    assert [m for m in marked.values() if m.grade and m.cell_type == "markdown"], "no written question"
    assert [m for m in marked.values() if m.task], "no open task"
    for cell in nb.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
            assert not re.search(r"^\s*(from|import)\s+vampbook", cell.source, re.M), cell.source


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "release"
    return {path.stem: course.read(path) for path in course.release(folder)}


def test_every_assignment_is_released(students):
    assert list(students) == ASSIGNMENTS


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_student_version_gives_nothing_away(name, students):
    given, whole = course.cells(students[name]), course.cells(source(name))
    assert given.keys() == whole.keys()
    assert not re.search("(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", "".join(c.source for c in students[name].cells))
    for i, cell in whole.items():
        hidden = re.findall(r"BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)[^\n]*\n(.*?)\n[^\n]*END ", cell.source, re.S)
        for line in "\n".join(hidden).splitlines():
            kept = re.sub(r"### BEGIN.*?### END|=== BEGIN.*?=== END", "", cell.source, flags=re.S)
            assert not line.strip() or line not in given[i].source.splitlines() or line in kept.splitlines(), line
        if cell.metadata.nbgrader.solution:
            assert given[i].source != cell.source
            assert ("raise NotImplementedError" if cell.cell_type == "code" else "*Your answer here.*") in given[i].source
        if cell.metadata.nbgrader.task or (cell.metadata.nbgrader.grade and cell.cell_type == "code"):
            assert hidden, f"{i} has no {'mark scheme' if cell.metadata.nbgrader.task else 'hidden tests'}"


# The kit itself, on small assignments that need no torch: questions about doubling a number

ANSWER = "def {f}(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = "assert {f}(1) == 2\n### BEGIN HIDDEN TESTS\nassert {f}(3) == 6\n### END HIDDEN TESTS"
MISTAKES = ("def {f}(x):\n    return x", "def {f}(x):\n    return 2", "def {f}(x):\n    return x ** 2 + 1")


def marked(source, grade_id, **flags):
    cell = new_code_cell(source)
    cell.metadata["nbgrader"] = dict(grade=False, solution=False, locked=False, task=False, grade_id=grade_id,
                                     schema_version=3, cell_type="code") | flags
    return cell


def toy(folder, name="toy", **questions):
    "Writes an assignment and its wrong answers; a question is {what differs from ANSWER, TESTS, MISTAKES}."
    nb = new_notebook(metadata={"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}})
    nb.cells, blocks = [new_markdown_cell("# A toy")], []
    for f, own in questions.items():
        own = dict(answer=ANSWER, tests=TESTS, mistakes=MISTAKES) | own
        nb.cells += [marked(own["answer"].format(f=f), f, solution=True),
                     marked(own["tests"].format(f=f), f"test-{f}", grade=True, locked=True, points=2)]
        blocks += [f"# %% {f}: a mistake\n{mistake.format(f=f)}\n" for mistake in own["mistakes"]]
    course.write(nb, folder / "source" / name / f"{name}.ipynb")
    (folder / "wrong.py").write_text("\n".join(blocks))
    return folder / "source"


def test_check_finds_faults(tmp_path):
    source = toy(tmp_path, sound={},
                 wrong_reference=dict(tests=TESTS.replace("(3)", "(4)")),
                 free_points=dict(tests="pass\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"),
                 weak_tests=dict(tests=TESTS.replace("assert {f}(3) == 6", "")),
                 few=dict(mistakes=MISTAKES[:2]),
                 easy=dict(mistakes=MISTAKES[:1] * 3),
                 leaning=dict(tests="assert sound(3) == 6\n" + TESTS),
                 package=dict(answer=ANSWER.replace("return", "import vampbook; return")))
    result = course.check("toy", source, tmp_path / "wrong.py")
    assert result["scores"]["reference"]["test-sound"] == 2
    assert result["scores"]["wrong_1"]["test-sound"] == result["scores"]["wrong_2"]["test-sound"] == 0
    assert result["failed"]["wrong_1"]["test-sound"] == "visible" and result["failed"]["wrong_2"]["test-sound"] == "hidden"
    found = course.problems(result)
    for complaint in ["wrong_reference: the reference answer gets 0 of 2",
                      "free_points: the untouched stub gets 2",
                      "free_points: wrong_3 (a mistake) gets 2",
                      "weak_tests: wrong_2 (a mistake) gets 2",
                      "few: only 2 wrong answers are tried",
                      "easy: no wrong answer gets past the visible tests",
                      "leaning: the reference answer gets 0 of 2 where the other answers are wrong",
                      "package: the reference answer gets 0 of 2"]:
        assert any(problem.startswith("test-" + complaint) for problem in found), (complaint, found)
    assert not [problem for problem in found if problem.startswith("test-sound")]


def test_unknown_assignment_is_named():
    done = subprocess.run([sys.executable, course.HERE / "course.py", "check", "7_flows"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("there is no assignment '7_flows'; choose one of: 1_densities, 2_elbo") and done.stderr.count("\n") == 1


def test_release_replaces_all_or_nothing(tmp_path):
    toy(tmp_path, double={})
    (new,) = course.release(tmp_path / "release", tmp_path / "source")
    before = new.read_text()
    toy(tmp_path, "another", double={})
    toy(tmp_path, "zz_broken", double=dict(answer=ANSWER.replace("### END SOLUTION", "")))
    with pytest.raises(course.NbGraderException):
        course.release(tmp_path / "release", tmp_path / "source")
    assert new.read_text() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["release", "source", "wrong.py"]
    assert [p.name for p in (tmp_path / "release").iterdir()] == ["toy"]


ENDLESS = "def double(x):\n    while True: pass"
STUBBORN = "import signal\ndef double(x):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass"


def test_commands_of_the_guide_and_the_time_limit(tmp_path):
    "An endless answer loses its own points; one that cannot be interrupted is reported ungraded; the others are graded, without the source."
    toy(tmp_path, double={}, twice={})
    shutil.copy(course.HERE / "nbgrader_config.py", tmp_path)

    def nbgrader(*command, status=0):
        done = subprocess.run([sys.executable, "-m", "nbgrader", *command], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == status, done.stderr
        return done.stderr

    nbgrader("generate_assignment", "toy")
    for student, answer in [("ada", ANSWER.format(f="double")), ("bob", STUBBORN), ("cyd", ENDLESS)]:
        nb = course.answer(course.read(tmp_path / "release" / "toy" / "toy.ipynb"), {"double": answer, "twice": ANSWER.format(f="twice")})
        course.write(nb, tmp_path / "submitted" / student / "toy" / "toy.ipynb")
    shutil.rmtree(tmp_path / "source")
    said = nbgrader("autograde", "toy", "--ExecutePreprocessor.timeout=5", status=1)
    assert "There was an error processing assignment 'toy' for student 'bob'" in said
    nbgrader("export")
    with open(tmp_path / "grades.csv") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {"ada": 4, "bob": 0, "cyd": 2}
    nbgrader("generate_feedback", "toy")
    assert {p.parts[-3] for p in (tmp_path / "feedback").rglob("toy.html")} == {"ada", "cyd"}
