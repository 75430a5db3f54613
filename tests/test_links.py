"""Links and media: what a card cannot reach is told, and what it can is in the learner's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from model.learner import Learner
from projects import DOT, project

import verideck
from verideck.model import Note
from verideck.problems import Problem, Severity
from verideck.render.foreign_html import foreign_to
from verideck.storage.reading import Limit

HEAD = "---\nverify: false\n---\n## What?\n\n"


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    """Somebody who has nothing yet."""
    one = Learner(tmp_path / "learner")
    yield one
    one.collection.close()


def shown(root: Path, answer: str, files: dict[str, str | bytes] | None = None) -> Note:
    """The note of an answer, of which nothing worse than a warning is told."""
    made = project(root, {"a.md": f"{HEAD}{answer}\n", **(files or {})})
    result = made.result()
    assert result.ok, result.problems
    (note,) = result.notes
    return note


def told(root: Path, answer: str, files: dict[str, str | bytes] | None = None) -> list[str]:
    """What is told of an answer: severity, column, code and message."""
    made = project(root, {"a.md": f"{HEAD}{answer}\n", **(files or {})})
    found = made.result().problems
    return [
        f"{each.severity} {each.place.column} {each.code}: {each.message}"
        for each in found
        if each.code != "deck-empty"
    ]


# In the real Anki

OF_EACH_KIND: dict[str, str | bytes] = {
    "cards/pictures/dot.png": DOT,
    "cards/other/dot.png": DOT + b"\0",
    "cards/a b (1).jpeg": b"jpeg",
    "cards/Übung é.webp": b"webp",
    "cards/deep/er/x.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "cards/VOICE.MP3": b"mp3",
    "cards/film.mp4": b"mp4",
    "cards/song.opus": b"opus",
    "cards/paper.pdf": b"pdf",
    "cards/data.csv": b"1,2",
    "cards/linked.png": DOT + b"\1",
}
ANSWER = """\
![one](pictures/dot.png) ![two](other/dot.png) ![three](a b (1).jpeg)
![four](%C3%9Cbung%20%C3%A9.webp) <img src="deep/er/x.svg" width="20">
![](VOICE.MP3) [the film](film.mp4) [sound:song.opus]
[the paper](paper.pdf#page=2) [the data](data.csv) [![small](pictures/dot.png)](linked.png)
"""


def test_each_kind_of_media_arrives(tmp_path: Path, learner: Learner) -> None:
    """Each file is in the learner's folder, byte for byte, under the name that the card has."""
    made = project(tmp_path / "made", {"a.md": f"{HEAD}{ANSWER}", **OF_EACH_KIND})
    assert made.result().problems == ()
    assert learner.take(made.build()) == {"new": 1}
    (card,) = learner.cards()
    answer = card.note()["Answer"]
    named = re.findall(r'(?:src="|href="|\[sound:)([^"#\]]+)', answer)
    folder = Path(learner.collection.media.dir())
    contents = sorted((folder / name).read_bytes() for name in dict.fromkeys(named))
    assert contents == sorted(
        content if isinstance(content, bytes) else content.encode()
        for content in OF_EACH_KIND.values()
    )
    checked = learner.collection.media.check()
    assert (list(checked.missing), list(checked.unused)) == ([], [])
    assert len(card.answer_av_tags()) == 3
    assert "the film [" in answer
    assert 'pdf#page=2">the paper</a>' in answer


def test_a_linked_file_is_not_what_anki_would_clear_away(tmp_path: Path) -> None:
    """Anki packs and keeps files that only a link names if their names begin with `_`."""
    note = shown(tmp_path, "![](a.png) [a](a.png)", {"cards/a.png": DOT})
    first, second = sorted(each.name for each in note.media)
    assert first == f"_{second}"
    assert f'<a href="{first}">' in note.fields["Answer"]
    assert f'<img src="{second}"' in note.fields["Answer"]


# Names


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a b.png", "a b.png"),
        ("a%20b.png", "a b.png"),
        ("<a b.png>", "a b.png"),
        ("a (1) (2).png", "a (1) (2).png"),
        ("100% sure #1.png", "100% sure #1.png"),
        ("<100% sure #1.png>", "100% sure #1.png"),
        ("a+b=c.png", "a+b=c.png"),
        ("a&b.png", "a&b.png"),
        ("注意力.png", "注意力.png"),
        ("%E6%B3%A8.png", "注.png"),
        ("🙂.PNG", "🙂.PNG"),
        (normalize("NFD", "é.png"), normalize("NFC", "é.png")),
        (normalize("NFC", "é.png"), normalize("NFD", "é.png")),
        ("b\\c.png", "b/c.png"),
        ("./../cards/c.png", "c.png"),
        ("/cards/c.png", "c.png"),
        ("c.png?raw=true", "c.png"),
        ("c.png#gh-dark-mode-only", "c.png"),
        ("what?.png", "what?.png"),
        ("a=300x200.png", "a=300x200.png"),
        ("it's.png", "it's.png"),
    ],
)
@pytest.mark.parametrize("form", ["![x]({})", "[x]({})", '<img src="{}">', '<a href="{}">x</a>'])
def test_a_file_is_found_by_the_name_that_people_write(
    tmp_path: Path, written: str, name: str, form: str
) -> None:
    """With blanks, brackets, escapes, another form of accents, or what belongs to an address."""
    if form.startswith("<"):
        written = written.strip("<>")
    note = shown(tmp_path, form.format(written), {f"cards/{name}": DOT})
    assert [each.content for each in note.media] == [DOT], note.fields["Answer"]


# Links that lead nowhere


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("[a](b.md)", "cards/b.md leads nowhere: a card opens no Markdown"),
        ("[a](../c/b.md#d 'e')", "c/b.md leads nowhere: a card opens no Markdown"),
        ("[a](#b)", "a link into its page leads nowhere: a card is no part of it"),
        ("[a][1]\n\n[1]: b.markdown", "cards/b.markdown leads nowhere: a card opens no Markdown"),
        ("<a href='#b'>a</a>", "a link into its page leads nowhere: a card is no part of it"),
        ("[a](b.pdf)", "cards/b.pdf leads nowhere: No such file or directory"),
        ("[a](b%00.pdf)", "'b\\x00.pdf' leads nowhere: no file has such a name"),
        ("[a](../../b.pdf)", "../../b.pdf leads nowhere: it is outside the project"),
        ("[a](/etc/passwd)", "/etc/passwd leads nowhere: it is outside the project"),
        ("[a](.)", "cards leads nowhere: Is a directory"),
        ("[a]()", "this link leads nowhere: it has no address"),
        ("[a](www.example.org)", "www.example.org leads nowhere: No such file or directory"),
        (
            "<a href='javascript:b'>a</a>",
            "javascript:b leads nowhere: a card opens no such address",
        ),
        ("<a href='file:///b'>a</a>", "file:///b leads nowhere: a card opens no such address"),
        ("[a](smb://b/c)", "smb://b/c leads nowhere: a card opens no such address"),
        (
            "[a](x.html)",
            "cards/x.html leads nowhere: a card links to documents, pictures and sounds alone",
        ),
        (
            "[a](x.svg)",
            "cards/x.svg leads nowhere: a card links to documents, pictures and sounds alone",
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_told_and_its_text_shown(
    tmp_path: Path, answer: str, problem: str
) -> None:
    """Nothing of the address is left that Anki could follow."""
    files: dict[str, str | bytes] = {"cards/x.html": "<b>", "cards/x.svg": "<svg/>"}
    assert told(tmp_path / "1", answer, files) == [f"warning 1 link-dead: {problem}"]
    note = shown(tmp_path / "2", answer, files)
    assert re.sub("</?span[^>]*>", "", note.fields["Answer"]) == "a"
    assert note.media == ()


def test_a_target_is_told_once_for_all_files(tmp_path: Path) -> None:
    """However it is written, from whatever folder: with how often, and where else."""
    made = project(
        tmp_path,
        {
            "a.md": f"{HEAD}[x](b.md) [y](b.md#z)\n\n## Why?\n\n[x](./b.md)\n",
            "c/d.md": f"{HEAD}[x](../b.md)\n",
            "e.md": f"{HEAD}[x](/b.md) [x](B.md)\n",
        },
    )
    problems = [f"{each.place} {each.message}" for each in made.result().problems]
    dead = "leads nowhere: a card opens no Markdown"
    assert sorted(problems) == [
        f"cards/a.md:6:1 cards/b.md {dead} (4 times: also on line 10 and in 1 other file)",
        f"cards/e.md:6:1 /b.md {dead}",
        f"cards/e.md:6:12 cards/B.md {dead}",
    ]


def test_what_is_told_is_told_by_every_check(tmp_path: Path) -> None:
    """Also where the card is remembered: in memory, and in another process's store."""
    made = project(tmp_path, {"a.md": f"{HEAD}[x](b.md)\n"})
    with verideck.Project.open(tmp_path) as opened:
        first = opened.check().problems
        assert opened.check().problems == first
    assert [each.code for each in first] == ["link-dead"]
    assert made.result().problems == first
    assert "[link-dead]" in made.invoke("build", "-o", "deck.apkg").stderr


def test_a_file_that_comes_or_goes_is_noticed(tmp_path: Path) -> None:
    """A link to a file that was not there is packed as soon as it is, and told when it goes."""
    made = project(tmp_path, {"a.md": f"{HEAD}[x](b%20c.pdf?d)\n"})
    with verideck.Project.open(tmp_path) as opened:
        for there in (False, True, False, True):
            if there:
                made.write("cards/b c.pdf", b"pdf")
            else:
                (tmp_path / "cards/b c.pdf").unlink(missing_ok=True)
            result = opened.check()
            assert result.ok
            assert ([each.code for each in result.problems] == []) is there
            assert [len(note.media) for note in result.notes] == [int(there)]
            assert "cards/b c.pdf" in result.inputs


def test_what_is_wrong_beside_code_that_fails_is_told_with_it(tmp_path: Path) -> None:
    """One run tells both: the picture that is missing and the assertion that does not hold."""
    text = "## What?\n\n![](b.png) [x](b.md)\n\n```python\nassert 1 == 2\n```\n"
    made = project(tmp_path, {"a.md": text})
    codes = sorted(each.code for each in made.result().problems)
    assert codes == ["assertion-failed", "image-unusable", "link-dead"]


# Files that are none, or not the project's


@pytest.mark.parametrize("answer", ["[x](b.pdf)", "![x](b.pdf)", "![x](b.png)", "[sound:b.mp3]"])
@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda file: file.symlink_to("/etc/hostname"),
        lambda file: file.symlink_to("../.git/b"),
        lambda file: file.symlink_to("/dev/zero"),
        lambda file: file.mkdir(),
        lambda file: os.truncate(os.open(file, os.O_CREAT | os.O_WRONLY), Limit.MEDIA + 1),
    ],
    ids=["fifo", "link outside", "link to what is hidden", "device", "folder", "too large"],
)
def test_only_regular_files_of_the_project_are_packed(
    tmp_path: Path, answer: str, make: Callable[[Path], None]
) -> None:
    """What is linked is read by the same door as a picture, and waits for nothing."""
    made = project(tmp_path, {"a.md": f"{HEAD}{answer}\n", ".git/b": b"secret"})
    make(tmp_path / "cards" / re.findall(r"b\.\w+", answer)[0])
    result = made.result()
    assert {each.code for each in result.problems} - {"deck-empty"} <= {
        "link-dead",
        "image-unusable",
    }
    assert result.problems
    assert [each.media for note in result.notes for each in [note]] in ([], [()])


# Pictures on the web


@pytest.mark.parametrize(
    ("answer", "html"),
    [
        ("![a](https://e.org/x.png)", '<a href="https://e.org/x.png">a</a>'),
        ("![](https://e.org/x.png)", '<a href="https://e.org/x.png">https://e.org/x.png</a>'),
        ("![a](//e.org/x.png 'b')", '<a href="https://e.org/x.png" title="b">a</a>'),
        (
            '<img src="http://e.org/x.png" width="3">',
            '<a href="http://e.org/x.png">http://e.org/x.png</a>',
        ),
        ("[![a](https://e.org/x.png)](https://e.org)", '<a href="https://e.org">a</a>'),
        ("[![a](https://e.org/x.png)](b.md)", '<a href="https://e.org/x.png">a</a>'),
        ("![a](https://e.org/x.mp3)", '<a href="https://e.org/x.mp3">a</a>'),
        (
            "![[sound:x.mp3]](https://e.org/x.png)",
            '<a href="https://e.org/x.png">[<!-- -->sound:x.mp3]</a>',
        ),
    ],
)
def test_a_picture_on_the_web_is_a_link_and_told(tmp_path: Path, answer: str, html: str) -> None:
    """Nothing is fetched when a card is reviewed."""
    made = project(tmp_path, {"a.md": f"{HEAD}{answer}\n"})
    result = made.result()
    assert "image-linked" in {each.code for each in result.problems}
    assert result.ok
    assert [note.fields["Answer"] for note in result.notes] == [html]


# Nothing acts


@pytest.mark.parametrize(
    "answer",
    [
        "[a](https://e.org/?{{c1::b}}&[sound:c.mp3]\"<>')",
        "<a href='https://e.org/[latex]b[/latex]'>a</a>",
        "[a](a.pdf#[sound:c.mp3]{{c1::b}})",
        "<a href=' javascript:alert(1)'>a</a>",
        "<a href='java&#10;script:alert(1)'>a</a>",
        "<a href='&#1;javascript:alert(1)'>a</a>",
        "<a href='JAVASCRIPT&colon;alert(1)'>a</a>",
        "<a href='vbscript:b'>a</a> <a href='data:text/html,b'>a</a>",
        "<img src='data:image/svg+xml,<svg onload=b>'>",
        "<img src='data:image/png;base64,AA\" onerror=\"b'>",
        "![a](a.png){onclick=b style='position:fixed' src=b}",
        "[a](https://e.org){href=javascript:b onclick=c}",
        '![a](https://e.org/"onclick=b)',
    ],
)
def test_no_address_acts(tmp_path: Path, answer: str) -> None:
    """What a card holds is what a stranger's note may hold: only known tags and addresses."""
    files: dict[str, str | bytes] = {"cards/a.pdf": b"pdf", "cards/a.png": DOT}
    made = project(tmp_path, {"a.md": f"{HEAD}{answer}\n", **files})
    for note in made.result().notes:
        assert foreign_to(note.fields["Answer"]) == ""
        assert "{{" not in note.fields["Answer"]
        assert not re.search(r"[\s\"'](on\w+|style)=[^\s]", note.fields["Answer"])


def test_a_sound_is_played_only_where_its_mark_is_meant(tmp_path: Path) -> None:
    """Not in code, not behind a backslash, and none that is not there."""
    answer = r"`[sound:a.mp3]` \[sound:a.mp3] [sound:b.mp3] [sound:a.md]"
    files: dict[str, str | bytes] = {"cards/a.mp3": b"mp3"}
    assert shown(tmp_path / "1", answer, files).media == ()
    assert [each.partition(":")[2] for each in told(tmp_path / "2", answer, files)] == [
        " b.mp3 is not played: it cannot be read: No such file or directory",
        " a.md is not played: it is no sound of the project",
    ]


def test_a_hidden_link_hides_what_it_became(tmp_path: Path) -> None:
    """In a deletion stand the text and the sound, the packed link, or the text of a dead one."""
    made = project(
        tmp_path,
        {
            "a.md": "## The {{c1::[a](a.mp3)}} and =={{c2::[b](b.md)}}== {{c3::[c](c.pdf)}}\n",
            "cards/a.mp3": b"mp3",
            "cards/c.pdf": b"pdf",
        },
    )
    (note,) = made.result().notes
    asked = re.sub("[0-9a-f]{20}", "0", note.fields["Question"])
    assert "{{c1::a [sound:verideck-0.mp3]}}" in asked
    assert "{{c2::b}}" in asked
    assert '{{c3::<a href="_verideck-0.pdf">c</a>}}' in asked


def test_links_of_a_source_a_hint_and_a_footnote_are_settled(tmp_path: Path) -> None:
    """Wherever a card shows Markdown."""
    text = (
        '## What? {source="[a](a.pdf)" hint="[b](b.md)"}\n\nSo.[^1]\n\n[^1]: [c](c.md) ![](d.png)\n'
    )
    made = project(tmp_path, {"a.md": text, "cards/a.pdf": b"pdf", "cards/d.png": DOT})
    result = made.result()
    (note,) = result.notes
    assert len(note.media) == 2
    found: list[Problem] = sorted(result.problems, key=lambda each: each.place)
    assert [each.severity for each in found] == [Severity.WARNING] * 2
    assert [(each.place.line, each.message.partition(" ")[0]) for each in found] == [
        (1, "cards/b.md"),
        (5, "cards/c.md"),
    ]


def test_files_of_one_name_do_not_collide(tmp_path: Path) -> None:
    """Two contents are two files, and one content is one, whatever they are called."""
    files: dict[str, str | bytes] = {
        "cards/1/a.png": DOT,
        "cards/2/a.png": DOT + b"\0",
        "cards/3/b.PNG": DOT,
    }
    note = shown(tmp_path, "![](1/a.png) ![](2/a.png) ![](3/b.PNG)", files)
    assert sorted(each.content for each in note.media) == [DOT, DOT + b"\0"]
    assert all(re.fullmatch(r"verideck-[0-9a-f]{20}\.png", each.name) for each in note.media)


def test_a_linked_file_is_found_by_its_name_in_a_vault(tmp_path: Path) -> None:
    """As Obsidian's own links are; where two have the name, both are named and none is packed."""
    made = project(tmp_path, {"a.md": f"{HEAD}[x](the%20paper.pdf#page=2)\n", ".obsidian/x": ""})
    made.write("papers/the paper.pdf", b"pdf")
    (note,) = made.check().notes
    assert [each.content for each in note.media] == [b"pdf"]
    assert "#page=2" in note.fields["Answer"]
    made.write("more/the paper.pdf", b"other")
    result = made.check()
    (problem,) = result.problems
    which = "the paper.pdf may be more/the paper.pdf or papers/the paper.pdf"
    assert problem.message == f"cards/the paper.pdf leads nowhere: {which}"
    assert [note.media for note in result.notes] == [()]
