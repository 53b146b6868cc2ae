"""The README: its example runs, its commands and links exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bitsense.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_example_finds_the_module_that_it_asks_for(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(re.fullmatch(r" *\d+ bits  [\w.]+", line) for line in lines)
    assert any("zip" in line for line in lines)
    assert 5 < len(blocks("python")[0].splitlines()) <= 12


def test_the_commands_of_the_command_line_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    posts = [f'{{"text": "{word} post {word}", "label": "{word}"}}' for word in ("red", "sea") * 9]
    Path("posts.txt").write_text("a red car\na blue sea\n" * 200, encoding="utf-8")
    Path("newer.txt").write_text("a red car\na blue car\n" * 15, encoding="utf-8")
    Path("labelled.jsonl").write_text("\n".join(posts) + "\n", encoding="utf-8")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [line.partition("  #")[0] for line in lines if line.startswith("bitsense ")]
    seen = set()
    for command in commands:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)[1:]]
        seen.add(words[0])
        assert main(words) == 0, command
    assert seen | {"demo"} | commands_of_words() == set(COMMANDS)


def commands_of_words() -> set[str]:
    """The commands that docs/words.md explains, with the forms of `eval`."""
    text = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")
    found = re.findall(r"^    bitsense ([a-z]+)(?: (words|senses) )?", text, re.MULTILINE)
    return {" ".join(filter(None, names)) for names in found}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/design.md",
                                  "docs/kernels.md", "docs/models.md",
                                  "docs/formats.md", "docs/words.md",
                                  "docs/certificate.md", "docs/retrieval.md",
                                  "docs/bridges.md"])  # fmt: skip
def test_links_lead_to_files(page):
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_the_two_commands_install_for_use_and_for_tests():
    first, second = blocks("sh")[:2]
    assert [len(block.splitlines()) for block in (first, second)] == [1, 1]
    assert first.rstrip().endswith("bitsense demo")
    assert second.rstrip().endswith("pytest")
