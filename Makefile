# `make deck` builds the deck, `make test` proves the program. Both set themselves up: a .venv here,
# with the versions of constraints.txt, made once and made again only when what it holds changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Debian's packages, where they may be installed.
OURS := command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]
INSTALL := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq

.PHONY: deck test test-light pictures font browser clean

deck: $(VENV)/deck font
	$(BIN)/verideck build

test: $(VENV)/deck $(VENV)/test browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto

# What the tool promises to those who have no torch, in an environment without it.
test-light: $(VENV)-light/test
	$(VENV)-light/bin/pytest -n auto -m "not torch and not browser"

# Every card as a PNG, light, night and on a phone, in dist/pictures.
pictures: deck $(VENV)/test browser
	$(BIN)/python tests/pictures.py dist/transformer-interview.apkg dist/pictures

# Figures have Chinese labels, which macOS and Windows can draw as they are.
font:
	@if [ "$$(uname)" != Linux ] || [ -n "$$(fc-list :lang=zh 2>/dev/null)" ]; then :; \
	elif $(OURS); then \
		echo "installing a Chinese font, for the figures on cards"; \
		$(INSTALL) fontconfig fonts-noto-cjk >/dev/null; \
	else echo "no Chinese font here: figures want one (install fonts-noto-cjk)"; fi

# Cards are photographed by Chromium. Where it is neither there nor ours to install, everything else
# is tested.
browser: font
	@if command -v chromium >/dev/null; then :; \
	elif $(OURS); then \
		echo "installing chromium, for the pictures of cards"; \
		$(INSTALL) chromium >/dev/null; \
	else echo "no chromium here: cards are not photographed (install chromium)"; fi

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/deck: $(VENV)/python pyproject.toml constraints.txt
	@echo "setting up $(VENV): PyTorch alone is some 200 MB to download, without a GPU"
	$(PIP) install -c constraints.txt -e '.[torch,sandbox]'
	touch $@

# Of aqt, Anki's desktop, only the web page that shows a card is needed: no Qt.
$(VENV)/test: $(VENV)/deck
	$(PIP) install -c constraints.txt -e '.[dev,dask]'
	$(PIP) install -c constraints.txt --no-deps aqt
	touch $@

$(VENV)-light/test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-light
	$(VENV)-light/bin/python -m pip --disable-pip-version-check --quiet install -c constraints.txt -e '.[dev,sandbox,dask]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-light dist
