"""The course kit: nbgrader does the work, and this file only adds what it lacks.

    python assignments/course.py release        the student versions, into assignments/release (this is `make course`)
    python assignments/course.py check NAME     grade the reference, the untouched stubs and the wrong answers of one assignment
"""
import ast
import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

HERE = Path(__file__).resolve().parent
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])      # nbgrader calls alembic by its name, also where no environment is activated


def assignments(source=HERE / "source"):
    "The names of the assignments, in order."
    return sorted(p.parent.name for p in Path(source).glob("*/*.ipynb") if p.stem == p.parent.name)


def need(name, source=HERE / "source"):
    if name not in assignments(source):
        raise ValueError(f"there is no assignment {name!r}; choose one of: {', '.join(assignments(source))}")


def read(path):
    return nbformat.read(path, as_version=4)


@contextmanager
def course(source=HERE / "source", names=None):
    "A temporary course folder with our configuration and these sources: (folder, a function that runs one of nbgrader's steps)."
    with tempfile.TemporaryDirectory(prefix="vampbook-course-") as folder:
        folder = Path(folder).resolve()
        shutil.copy(HERE / "nbgrader_config.py", folder)
        for name in names or assignments(source):
            shutil.copytree(Path(source) / name, folder / "source" / name, ignore=shutil.ignore_patterns(".*"))
        config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
        log = logging.getLogger("vampbook-course")
        log.setLevel(logging.ERROR)

        def step(converter, name):
            coursedir = CourseDirectory(config=config, assignment_id=name)
            app = converter(coursedir=coursedir, config=config)
            app.log = log
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")         # SQLAlchemy's, about nbgrader's own sessions
                app.start()
            return coursedir
        yield folder, step


def release(dest=HERE / "release", source=HERE / "source"):
    "Makes the student versions of all assignments: either all of them are replaced, or, on an error, none."
    dest, names = Path(dest), assignments(source)
    if not names:
        raise ValueError(f"{source} holds no assignment (a folder NAME with NAME.ipynb in it)")
    with course(source) as (folder, step):
        for name in names:
            step(GenerateAssignment, name)
        dest.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".release.", dir=dest.parent) as beside:      # the same disk: a rename is all or nothing
            shutil.copytree(folder / "release", Path(beside) / "new")
            if dest.exists():
                dest.rename(Path(beside) / "old")
            (Path(beside) / "new").rename(dest)
    return [dest / name / f"{name}.ipynb" for name in names]


def cells(nb):
    "The notebook's nbgrader cells by their id."
    return {c.metadata.nbgrader.grade_id: c for c in nb.cells if "nbgrader" in c.metadata}


def questions(nb):
    "Autograded questions: {id of the tests cell: ids of the solution cells that it tests}."
    found, answers = {}, []
    for name, cell in cells(nb).items():
        if cell.cell_type == "code" and utils.is_grade(cell):
            found[name], answers = answers, []
        elif cell.cell_type == "code" and utils.is_solution(cell):
            answers.append(name)
    return found


def wrong_answers(name, path=None):
    "The mistakes in wrong/NAME.py: {solution cell: [(what is wrong, the cell's text), ...]}."
    found = {}
    text = (path or HERE / "wrong" / f"{name}.py").read_text()
    for block in re.split(r"^# %% ", text, flags=re.M)[1:]:
        head, _, code = block.partition("\n")
        cell, _, what = head.partition(":")
        found.setdefault(cell.strip(), []).append((what.strip(), code.strip()))
    return found


def answer(nb, answers):
    "The notebook with these answers {cell id: text} in it."
    for cell_id, text in answers.items():
        cells(nb)[cell_id].source = text
    return nb


def wrong_sheet(nb, mistakes):
    """The assignment rewritten so that one kernel grades every wrong answer, plus what each attempt at a question is named.

    Each question becomes a run of attempts, every one of them followed by its own copy of the tests: the mistakes one by one,
    the reference ("alone": every other answer is a wrong one or not there yet), and the last mistake again, to stay. Cells that
    are not nbgrader's are left out: students may delete them, so no test may need them.
    """
    asked, reference = questions(nb), {i: c.source for i, c in cells(nb).items()}
    sheet, attempts = nb.copy(), {}
    sheet.cells = []

    def attempt(question, label, answers):
        defined = {node.name for cell in asked[question] for node in ast.parse(reference[cell]).body if hasattr(node, "name")}
        sheet.cells.append(new_code_cell(f"for _name in {sorted(defined)}: globals().pop(_name, None)"))       # nothing is left of the last attempt
        for cell_id in [*asked[question], question]:
            copy = deepcopy(cells(nb)[cell_id])
            copy.source = answers.get(cell_id, copy.source)
            copy.id = copy.metadata.nbgrader.grade_id = f"{cell_id}-{label}"
            sheet.cells.append(copy)
        attempts[f"{question}-{label}"] = question, label

    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in asked:
            tries = [{c: mistakes[c][j][1] for c in asked[name] if j < len(mistakes.get(c, []))}
                     for j in range(max((len(mistakes.get(c, [])) for c in asked[name]), default=0))]
            for j, answers in enumerate(tries, 1):
                attempt(name, f"wrong_{j}", answers)
            attempt(name, "alone", reference)
            attempt(name, "again", tries[-1] if tries else reference)
        elif cell.cell_type == "code" and name and not utils.is_solution(cell):
            sheet.cells.append(cell)
    return sheet, attempts


def write(nb, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)


@contextmanager
def grading_environment(folder):
    "Kernels see one thread and no vampbook: the package holds the answers."
    stub = folder / "no_vampbook" / "vampbook"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ImportError('vampbook is not there when an assignment is graded')\n")
    before = dict(os.environ)
    os.environ.update(PYTHONPATH=str(stub.parent), OMP_NUM_THREADS="1", PYDEVD_DISABLE_FILE_VALIDATION="1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def failed_where(cell):
    "Where a tests cell failed: '' (it passed), 'visible', 'hidden', 'timeout', or 'stderr' (it only warned)."
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    if error is None:
        return "stderr" if any(o.output_type == "stream" and o.name == "stderr" for o in cell.outputs) else ""
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    line = re.search(rf"Cell In\s*\[{cell.execution_count}\], line (\d+)", trace)
    if not line:
        return "timeout" if error.ename == "CellTimeoutError" else "visible"
    before = cell.source.splitlines()[: int(line[1])]
    return "hidden" if any("BEGIN HIDDEN TESTS" in text for text in before) else "visible"


def check(name, source=HERE / "source", wrong=None):
    """Grades, as nbgrader does it, the reference, the untouched stubs and the wrong answers of one assignment.

    Returns {"max": {question: points}, "scores": {attempt: {question: points}}, "failed": {attempt: {question: where}},
    "wrong": {attempt: {question: what is wrong}}}. A question goes by its tests cell's id. The attempts are "reference" and
    "untouched" (whole submissions), "alone" (the reference answer with all other answers wrong) and wrong_1, wrong_2, ...
    """
    need(name, source)
    nb = read(Path(source) / name / f"{name}.ipynb")
    asked, mistakes = questions(nb), wrong_answers(name, wrong)
    unknown = set(mistakes) - {cell for answers in asked.values() for cell in answers}
    if unknown:
        raise ValueError(f"wrong/{name}.py has answers to {sorted(unknown)}, which are no solution cells of {name}.ipynb")
    result = {"max": {}, "scores": {}, "failed": {}, "wrong": {}}
    for q, answers in asked.items():
        for cell in answers:
            for j, (what, _) in enumerate(mistakes.get(cell, []), 1):
                result["wrong"].setdefault(f"wrong_{j}", {})[q] = what

    def note(attempt, question, grade, cell):
        result["max"][question] = grade.max_score
        result["scores"].setdefault(attempt, {})[question] = grade.auto_score
        result["failed"].setdefault(attempt, {})[question] = failed_where(cell)

    with course(source, [name]) as (folder, step), grading_environment(folder):
        sheet, attempts = wrong_sheet(nb, mistakes)
        wrong_name = f"{name}-wrong"
        write(sheet, folder / "source" / wrong_name / f"{wrong_name}.ipynb")
        step(GenerateAssignment, name)
        step(GenerateAssignment, wrong_name)
        blank = folder / "release" / name / f"{name}.ipynb"
        reference = {i: c.source for i, c in cells(nb).items() if utils.is_solution(c)}
        write(answer(read(blank), reference), folder / "submitted" / "reference" / name / blank.name)
        write(read(blank), folder / "submitted" / "untouched" / name / blank.name)
        write(sheet, folder / "submitted" / "mistaken" / wrong_name / f"{wrong_name}.ipynb")
        step(Autograde, name)
        coursedir = step(Autograde, wrong_name)
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            for student, handed_in in [("reference", name), ("untouched", name), ("mistaken", wrong_name)]:
                graded = cells(read(folder / "autograded" / student / handed_in / f"{handed_in}.ipynb"))
                for grade in gradebook.find_submission_notebook(handed_in, handed_in, student).grades:
                    if grade.name in asked:
                        note(student, grade.name, grade, graded[grade.name])
                    elif grade.name in attempts:
                        question, label = attempts[grade.name]
                        note(label, question, grade, graded[grade.name])
    del result["scores"]["again"], result["failed"]["again"]
    return result


def table(result):
    "Scores, question x attempt; h marks a failure that only the hidden tests saw."
    attempts = ["reference", "untouched", "alone", *result["wrong"]]
    width = max(map(len, result["max"]))
    rows = [" ".join([f"{'question':{width}}", "points", *(f"{a:>9}" for a in attempts)])]
    for q, points in result["max"].items():
        marks = [f"{result['scores'][a][q]:g}{'h' if result['failed'][a][q] == 'hidden' else ' '}" if q in result["scores"][a] else ""
                 for a in attempts]
        rows.append(" ".join([f"{q:{width}}", f"{points:6g}", *(f"{m:>9}" for m in marks)]))
    return "\n".join(rows)


def problems(result):
    "What is amiss in check's result, one sentence each (none for a sound assignment)."
    found, scores = [], result["scores"]
    for q, points in result["max"].items():
        if scores["reference"][q] != points:
            found.append(f"{q}: the reference answer gets {scores['reference'][q]:g} of {points:g}")
        elif scores["alone"][q] != points:
            found.append(f"{q}: the reference answer gets {scores['alone'][q]:g} of {points:g} where the other answers are wrong: it leans on one of them")
        if scores["untouched"][q] != 0:
            found.append(f"{q}: the untouched stub gets {scores['untouched'][q]:g}")
        tried = [attempt for attempt, wrong in result["wrong"].items() if q in wrong]
        for attempt in tried:
            if scores[attempt][q] != 0:
                found.append(f"{q}: {attempt} ({result['wrong'][attempt][q]}) gets {scores[attempt][q]:g}")
        if len(tried) < 3:
            found.append(f"{q}: only {len(tried)} wrong answers are tried")
        if not any(result["failed"][attempt][q] == "hidden" for attempt in tried):
            found.append(f"{q}: no wrong answer gets past the visible tests, so nothing shows that the hidden ones work")
    return found


def main(argv):
    if argv == ["release"]:
        try:
            made = release()
        except NbGraderException:               # nbgrader has said what is wrong
            print("nothing was released: the student versions are as they were before", file=sys.stderr)
            return 1
        print(*(os.path.relpath(path) for path in made), sep="\n")
        return 0
    if len(argv) == 2 and argv[0] == "check":
        try:
            result = check(argv[1])
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        print(table(result))
        for problem in problems(result):
            print("-", problem)
        return 1 if problems(result) else 0
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
