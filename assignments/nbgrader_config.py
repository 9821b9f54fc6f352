"""The course as nbgrader sees it: every folder lies beside this file, so copy it with `source/` to start a course elsewhere."""
from pathlib import Path

c = get_config()  # noqa: F821  (given by the configuration loader)

c.CourseDirectory.course_id = "vampbook"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)

# what stands in place of the reference answers
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# A cell that runs longer is interrupted and counts as failed; the cells after it still run.
# A cell that ignores the interruption is not ended by this: see "Untrusted code" in README.md.
c.ExecutePreprocessor.timeout = 60
c.ExecutePreprocessor.interrupt_on_timeout = True
c.LimitOutput.max_lines = 500
c.LimitOutput.max_traceback = 50
