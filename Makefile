# `make deck` builds the deck, `make test` proves the program. Both set themselves up: a .venv here,
# with the versions of constraints.txt, made once and made again only when what it holds changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install -c constraints.txt
PYTEST := pytest -n auto --dist loadgroup
LIGHT := -m "not torch and not browser"

# What most changes break first: the manual, Markdown, matching, lint, and the rules of the house.
FAST := $(patsubst %,tests/test_%.py,spec markdown matching lint house diff lock reach naming)

# What a package may lack: files beside its code, entry points, what is imported only where it is used.
OF_PACKAGE := $(patsubst %,tests/test_%.py,build cli cache box engines init targets preview preview_page \
	pytest_plugin own_look plugins library rebuild streams keep_going)

# What a source distribution may lack: files of the tests, and of the package that is built of it.
OF_SOURCES := $(patsubst %,tests/test_%.py,lint house diff lock reach naming build cli)

# What may depend on who executes it: the sandbox, processes, files.
BY_USER := $(wildcard $(patsubst %,tests/test_%.py,box readable shared_memory engines limits beside \
	cache files safety build lock gate))

# The tests start the command some thousand times: it may keep what it was compiled to.
unexport PYTHONDONTWRITEBYTECODE

# Debian's packages, where they may be installed.
OURS := command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]
APT := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq

.PHONY: deck test coverage test-fast test-user test-wheel test-sdist test-pytest8 test-specification test-schemas package site fuzz pictures desktop font browser clean

deck: $(VENV)/deck font
	$(BIN)/verideck build

test: $(VENV)/deck $(VENV)/test browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/$(PYTEST)

# Which branches of verideck/ the tests execute; it doubles the time of what parses.
coverage: $(VENV)/deck $(VENV)/test browser
	$(BIN)/$(PYTEST) --cov --cov-report=
	$(BIN)/coverage report

# For every save.
test-fast: $(VENV)/test
	$(BIN)/$(PYTEST) $(FAST)

# Where all else is tested by root: as an ordinary user who is made for it, without torch.
test-user:
	PYTHON=$(PYTHON) .ci/as-user $(LIGHT) $(BY_USER)

# What is tested here is what is published, in a new environment without torch: the wheel, by the
# repository's tests in a copy of it that lacks the package.
test-wheel: RUN := build/wheel
test-wheel:
	rm -rf $(RUN)
	$(PYTHON) -m venv $(RUN)/venv
	$(RUN)/venv/bin/python $(INSTALL) --upgrade pip
	$(RUN)/venv/bin/python $(INSTALL) --group release --group test
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(RUN)/venv/bin/python -m build --wheel --outdir $(RUN)
	$(RUN)/venv/bin/twine check --strict $(RUN)/*.whl
	$(RUN)/venv/bin/python $(INSTALL) "$$(echo $(RUN)/*.whl)[sandbox,dask,preview]"
	mkdir $(RUN)/repository
	git ls-files -z --cached --others --exclude-standard \
		| tar --create --null --files-from - | tar --extract --directory $(RUN)/repository
	rm -r $(RUN)/repository/verideck
	cd $(RUN)/repository && ../venv/bin/$(PYTEST) $(LIGHT) $(FAST) $(OF_PACKAGE)

# The source distribution: a package is built from it and installed, and it is tested by the tests
# and with the versions that the distribution itself holds.
test-sdist: RUN := build/sdist
test-sdist:
	rm -rf $(RUN)
	$(PYTHON) -m venv $(RUN)/venv
	$(RUN)/venv/bin/python $(INSTALL) --upgrade pip
	$(RUN)/venv/bin/python $(INSTALL) --group release
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(RUN)/venv/bin/python -m build --sdist --outdir $(RUN)
	$(RUN)/venv/bin/twine check --strict $(RUN)/*.tar.gz
	mkdir $(RUN)/unpacked
	tar --extract --file $(RUN)/*.tar.gz --directory $(RUN)/unpacked --strip-components 1
	cd $(RUN)/unpacked && ../venv/bin/python $(INSTALL) --group test '.[sandbox,dask,preview]'
	rm -r $(RUN)/unpacked/verideck
	cd $(RUN)/unpacked && ../venv/bin/$(PYTEST) $(LIGHT) $(OF_SOURCES)

# Both files of a release, in build/package/files. With TAG=v1.2.3 that is the version, or nothing is made.
package: RUN := build/package
package:
	rm -rf $(RUN)
	$(PYTHON) -m venv $(RUN)/venv
	$(RUN)/venv/bin/python $(INSTALL) --upgrade pip
	$(RUN)/venv/bin/python $(INSTALL) --group release
	$(RUN)/venv/bin/python .ci/release.py
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(RUN)/venv/bin/python -m build --outdir $(RUN)/files
	$(RUN)/venv/bin/twine check --strict $(RUN)/files/*

# The site, in build/site/html: docs/, the manual, and what the source says of commands, settings,
# problems and names. A link that leads nowhere is an error.
site: $(VENV)/site
	$(BIN)/python docs/site/pages.py build/site/pages
	$(BIN)/python -P -m sphinx --quiet --fail-on-warning --keep-going --jobs auto --conf-dir docs/site \
		--doctree-dir build/site/doctrees build/site/pages build/site/html

# CommonMark's own examples, which come with the source distribution of markdown-it-py.
test-specification: RUN := build/specification
test-specification: $(VENV)/test
	rm -rf $(RUN)
	$(BIN)/python $(PIP) download --no-deps --no-binary markdown-it-py -c constraints.txt \
		--dest $(RUN) markdown-it-py
	tar --extract --file $(RUN)/*.tar.gz --directory $(RUN) --strip-components 1
	MARKDOWN_SPECIFICATION=$(CURDIR)/$(RUN)/tests/test_cmark_spec/commonmark.json \
		$(BIN)/pytest -q tests/test_commonmark.py -k specifications

# What `--format junit` and `--format sarif` tell, by the schemas that others publish.
test-schemas: RUN := build/schemas
test-schemas: $(VENV)/test
	rm -rf $(RUN)
	$(BIN)/python $(INSTALL) --group schemas
	$(BIN)/python $(PIP) download --no-deps --no-binary pytest -c constraints.txt --dest $(RUN) pytest
	tar --extract --file $(RUN)/*.tar.gz --directory $(RUN)
	SCHEMAS=$(CURDIR)/$(RUN) $(BIN)/pytest -q tests/test_schemas.py

# The plugin in the oldest pytest that it works with; `make test` has it in the newest.
test-pytest8: RUN := build/pytest8
test-pytest8:
	rm -rf $(RUN)
	$(PYTHON) -m venv $(RUN)/venv
	$(RUN)/venv/bin/python $(INSTALL) --upgrade pip
	$(RUN)/venv/bin/python $(INSTALL) hypothesis -e '.[sandbox]'
	$(RUN)/venv/bin/python $(PIP) install 'pytest>=8,<9' pytest-xdist
	$(RUN)/venv/bin/pytest tests/test_pytest_plugin.py

# What a stranger may write, for two minutes: the same inputs for everybody, until SEED is another.
SEED := 0
fuzz: $(VENV)/test
	$(BIN)/python tests/fuzz/run.py all --plain --minutes 0.4 --seed $(SEED)

# Every card as a PNG, light, night and on a phone, in dist/pictures; and in dist/pictures/kinds a card
# of every kind, light and night on three screens.
pictures: deck $(VENV)/test browser
	$(BIN)/python tests/pictures.py dist/transformer-interview.apkg dist/pictures
	$(BIN)/python tests/look_page.py dist/pictures/kinds

# A card of every kind in the desktop Anki itself, on a screen that nobody sees, beside the page's:
# what differs is told, and both are in dist/pictures/desktop. PyQt is for this alone.
DESKTOP := build/desktop
DESKTOP_NEEDS := xvfb libxcb-cursor0 libxkbcommon-x11-0 libnss3 libegl1 libgl1 libasound2 libxcb-icccm4 \
	libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxkbfile1 \
	libxcomposite1 libxdamage1 libxrandr2 libxtst6
desktop: $(VENV)/test browser $(DESKTOP)/ready
	$(BIN)/python tests/desktop.py dist/pictures/desktop --anki $(DESKTOP)/bin/python

$(DESKTOP)/ready: constraints.txt
	@if command -v Xvfb >/dev/null; then :; \
	elif $(OURS); then \
		echo "installing Xvfb and what Qt needs of the system"; \
		$(APT) $(DESKTOP_NEEDS) >/dev/null; \
	else echo "no Xvfb here: install $(DESKTOP_NEEDS)"; exit 1; fi
	$(PYTHON) -m venv $(DESKTOP)
	$(DESKTOP)/bin/python $(INSTALL) 'aqt[qt6]'
	touch $@

# Figures have Chinese labels, which macOS and Windows can draw as they are.
font:
	@if [ "$$(uname)" != Linux ] || [ -n "$$(fc-list :lang=zh 2>/dev/null)" ]; then :; \
	elif $(OURS); then \
		echo "installing a Chinese font, for the figures on cards"; \
		$(APT) fontconfig fonts-noto-cjk >/dev/null; \
	else echo "no Chinese font here: figures want one (install fonts-noto-cjk)"; fi

# Cards are photographed by Chromium. Where it is neither there nor ours to install, everything else
# is tested.
browser: font
	@if command -v chromium >/dev/null; then :; \
	elif $(OURS); then \
		echo "installing chromium, for the pictures of cards"; \
		$(APT) chromium >/dev/null; \
	else echo "no chromium here: cards are not photographed (install chromium)"; fi

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/deck: $(VENV)/python pyproject.toml constraints.txt
	@echo "setting up $(VENV): PyTorch alone is some 200 MB to download, without a GPU"
	$(BIN)/python $(INSTALL) --upgrade pip  # older ones know no --group
	$(BIN)/python $(INSTALL) --group deck -e '.[sandbox]'
	touch $@

# Of aqt, Anki's desktop, only the web page that shows a card is needed: no Qt.
$(VENV)/test: $(VENV)/deck
	$(BIN)/python $(INSTALL) --group dev -e '.[sandbox,dask,preview]'
	$(BIN)/python $(INSTALL) --no-deps aqt
	touch $@

$(VENV)/site: $(VENV)/deck
	$(BIN)/python $(INSTALL) --group site
	touch $@

clean:
	rm -rf $(VENV) build dist
