"""Sphinx configuration; `python site/build.py` uses it."""
import configparser
import re
from pathlib import Path

SETTINGS = configparser.ConfigParser()
SETTINGS.read(Path(__file__).parents[1] / "settings.ini")
SETTINGS = SETTINGS["DEFAULT"]

project = html_title = SETTINGS["title"]
author, copyright, release = SETTINGS["author"], SETTINGS["copyright"], SETTINGS["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx-mathjax-offline"]      # the last one: MathJax and its fonts, on the site itself
exclude_patterns = ["notebooks"]

nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Imports"                                               # build.py folds these cells, and no others
myst_enable_extensions = ["dollarmath", "amsmath", "attrs_block"]
myst_dmath_double_inline = True                                               # $$ directly below a line of text

autodoc_default_options = {"members": True}
autodoc_inherit_docstrings = False                                            # else torch's, which refer to torch's own site
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"
default_role = "code"                                                         # `x` in a docstring is code

html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": SETTINGS["git_url"], "use_repository_button": True, "use_download_button": False,
    "use_fullscreen_button": False, "show_toc_level": 2, "navbar_persistent": [],
}
html_context = {"default_mode": "auto"}                                       # light or dark as the reader's system
html_baseurl = SETTINGS["doc_host"] + SETTINGS["doc_baseurl"]
html_static_path = ["static"]
html_css_files = ["style.css"]
html_favicon = "static/favicon.svg"
html_copy_source = html_use_index = html_domain_indices = False
html_show_sphinx = False


def escape(app, what, name, obj, options, lines):
    "Docstrings are plain text with `code`: keep * _ | and \\ outside backticks from being markup."
    text = re.sub(r"(`+[^`]*`+)|([*_|\\])", lambda m: m[1] or "\\" + m[2], "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app):
    app.connect("autodoc-process-docstring", escape)
