"""Documents: complete, escaped, offline, and written only when every step holds."""

import os
import re
import shutil
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sympy as sp

from derivations.render import (
    DerivationSection,
    Figure,
    PdfFailed,
    PdfUnavailable,
    Preformatted,
    Prose,
    Table,
    page,
    render,
)
from derivations.render.text import to_html, to_latex
from theory.derivation import (
    Assumed,
    Derivation,
    DerivationError,
    Numeric,
    Step,
    Symbolic,
    equation,
)

x, a = sp.symbols("x a", positive=True)
q, f = sp.Function("q"), sp.Function("f")

STEPS = (
    Step(
        "Relaxation at rate $2a$, β ≤ 1 & <fast>.",
        equation(sp.Derivative(q(x), x), -2 * a * q(x)),
        "Separate variables; 100 % exact.",
        Symbolic({q: sp.Lambda(x, sp.exp(-2 * a * x))}),
    ),
    Step(
        "The mean life.",
        equation(sp.Integral(sp.exp(-a * x), (x, 0, sp.oo)), 1 / a),
        "Integrate.",
        Numeric(),
    ),
    Step("Fluctuations vanish.", None, "Self-averaging.", Assumed("SS95, section 2")),
)
SAMPLE = Derivation(
    "sample",
    "Relaxation of $q_k$",
    "First H² paragraph.\n\nSecond one.",
    STEPS,
    ("SS95", "X99: A. Nonymous, On x_y"),
    ((a, "rate"), ("$q$", "overlap")),
)
WRONG = Derivation(
    "wrong",
    "Wrong",
    "",
    (Step("One is two.", equation(f(x), 2), "", Symbolic({f: sp.Lambda(x, 1)})),),
    (),
)


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def well_formed(text):
    parser = Balanced()
    parser.feed(text)
    return parser.open == []


def test_tex_is_a_complete_article(tmp_path):
    """Oracle: the specification of the document, part by part."""
    path = render(SAMPLE, "tex", tmp_path / "new")
    assert path == tmp_path / "new" / "sample.tex"
    text = path.read_text()
    for part in (
        r"\documentclass",
        r"\title{Relaxation of $q_k$}",
        r"First H\ensuremath{^{2}} paragraph.",
        r"$a$ & rate \\",
        r"\step{1}{Relaxation at rate $2a$, \ensuremath{\beta} \ensuremath{\le} 1 \& <fast>.}",
        r"\frac{\mathrm{d} q}{\mathrm{d} x} = - 2 a q(x)",
        r"\begin{equation}" "\n" r"\fitted{\int",
        r"\tag{2}",
        r"\reason{Separate variables; 100 \% exact.}{symbolic}{symbolic}",
        r"{numeric}{numeric, 40 digits}",
        r"{assumed}{assumed: SS95, section 2}",
        r"\textsf{numeric}} & 1 &",
        r"\bibitem[X99]{X99} A. Nonymous, On x\_y.",
        r"\end{document}",
    ):
        assert part in text
    assert r"\tag{3}" not in text
    assert "@" not in re.sub(r"@\{\}", "", text)


def test_html_is_one_offline_file(tmp_path):
    """Oracle: the specification; nothing is loaded from elsewhere."""
    text = render(SAMPLE, "html", tmp_path).read_text()
    for part in (
        "<title>Relaxation of q_k</title>",
        '<h1>Relaxation of <span class="math">q_k</span></h1>',
        "<p>First H² paragraph.</p>\n<p>Second one.</p>",
        "β ≤ 1 &amp; &lt;fast&gt;.",
        r'<div class="math display">\frac{\mathrm{d} q}{\mathrm{d} x} = - 2 a q(x)</div>',
        '<a class="number" href="#section-1-2">(2)</a>',
        '<span class="mark numeric">numeric, 40 digits</span>',
        '<td class="assumed">assumed</td><td class="amount">1</td>',
        "<dt>[X99]</dt><dd>A. Nonymous, On x_y.</dd>",
        "var temml=",
    ):
        assert part in text
    assert "<h2>" not in text
    assert not re.search(
        r'<link|@import|(?:src|href)="(?!#|data:)|url\((?!["\']?(?:data:|%|#))', text
    )
    assert well_formed(text)


@pytest.mark.parametrize("format", ["tex", "html", "pdf"])
def test_a_failing_check_writes_nothing(tmp_path, format):
    """Oracle: 1 = 2 does not hold; what was there before stays."""
    if format == "pdf" and not shutil.which("latexmk"):
        pytest.skip("needs latexmk")
    before = tmp_path / f"wrong.{format}"
    before.write_text("old")
    with pytest.raises(DerivationError, match=r"step 1: One is two\."):
        render(WRONG, format, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [before.name]
    assert before.read_text() == "old"


def test_documents_are_replaced_and_readable_by_all(tmp_path):
    """Oracle: the permissions of an ordinary new file; no partial file remains."""
    (tmp_path / "sample.tex").write_text("old")
    old = os.umask(0o022)
    try:
        path = render(SAMPLE, "tex", tmp_path)
    finally:
        os.umask(old)
    assert path.read_text().startswith(r"\documentclass")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_build_leaves_the_old_document(tmp_path, monkeypatch):
    """Oracle: a disk that is full after ten bytes."""

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError("disk full")

    (tmp_path / "sample.tex").write_text("old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        render(SAMPLE, "tex", tmp_path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("sample.tex", "old")]


def test_documents_do_not_change_from_build_to_build(tmp_path):
    """Oracle: bytes."""
    for format in ("tex", "html"):
        first = render(SAMPLE, format, tmp_path / "1").read_bytes()
        assert first == render(SAMPLE, format, tmp_path / "2").read_bytes()


def test_unknown_format_is_refused(tmp_path):
    """Oracle: the specification."""
    with pytest.raises(ValueError, match="unknown format 'docx': use one of tex, html, pdf"):
        render(SAMPLE, "docx", tmp_path)


def test_pdf_without_latexmk_says_what_to_install(tmp_path, monkeypatch):
    """Oracle: the specification; an empty PATH has no latexmk."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PdfUnavailable, match=r"latexmk was not found.*texlive-latex-base.*html"):
        render(SAMPLE, "pdf", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pdf_failure_shows_the_log(tmp_path, monkeypatch):
    """Oracle: a latexmk that stops with one error in its log."""
    fake = tmp_path / "bin" / "latexmk"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\nprintf 'quiet\\n! Undefined control sequence.\\nl.9 \\\\foo\\n' > sample.log\n"
        "exit 12\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    with pytest.raises(PdfFailed) as error:
        render(SAMPLE, "pdf", tmp_path / "out")
    assert "exit code 12" in str(error.value)
    assert "! Undefined control sequence.\nl.9 \\foo" in str(error.value)
    assert "quiet" not in str(error.value)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("latexmk"), reason="needs latexmk")
def test_pdf_compiles(tmp_path):
    """Oracle: LaTeX itself."""
    assert render(SAMPLE, "pdf", tmp_path).read_bytes().startswith(b"%PDF")


PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def test_page_composes_sections():
    """Oracle: the specification, part by part."""
    text = page(
        "Report <1>",
        [
            Prose("Words", "One.\n\nTwo $x<y$."),
            Table("Numbers", ("$L$", "slope"), (("4", "−0.5"),), "Slopes."),
            Figure("Curve", PNG, "Error of $x$"),
            Figure("Drawing", b"<?xml version='1.0'?><svg></svg>", "S"),
            Preformatted("Log", "a < b\n  c"),
            DerivationSection(SAMPLE),
        ],
    )
    for part in (
        "<h1>Report &lt;1&gt;</h1>",
        '<p>Two <span class="math">x&lt;y</span>.</p>',
        '<th><span class="math">L</span></th><th>slope</th>',
        "<td>4</td><td>−0.5</td>",
        "<caption>Slopes.</caption>",
        'src="data:image/png;base64,iVBORw0KGgo',
        'src="data:image/svg+xml;base64,',
        'alt="Error of x"',
        "<pre>a &lt; b\n  c</pre>",
        '<section id="section-6">\n<h2>Relaxation of <span class="math">q_k</span></h2>',
        '<li><a href="#section-6-2">2. The mean life.</a></li>',
    ):
        assert part in text
    assert well_formed(text)


def test_page_checks_its_derivations():
    """Oracle: 1 = 2 does not hold."""
    with pytest.raises(DerivationError):
        page("Report", [DerivationSection(WRONG)])


def test_sections_refuse_what_cannot_be_shown():
    """Oracle: the specification."""
    with pytest.raises(ValueError, match="table 'T': row 1 has 1 cells, the header 2"):
        Table("T", ("a", "b"), (("1",),))
    with pytest.raises(ValueError, match="figure 'F': the image is neither a PNG nor an SVG"):
        Figure("F", b"GIF89a", "")


@pytest.mark.parametrize(
    ("text", "latex", "html"),
    [
        ("a_b & {c}", r"a\_b \& \{c\}", "a_b &amp; {c}"),
        ("β² ≥ α₁", None, "β² ≥ α₁"),
        (r"$\frac{a}{b}$ \x", r"$\frac{a}{b}$ \textbackslash{}x", None),
        ("$αx$", r"${\alpha}x$", '<span class="math">αx</span>'),
        ("Grüße – “naïve”", "Grüße – “naïve”", "Grüße – “naïve”"),
    ],
)
def test_texts_are_escaped(text, latex, html):
    """Oracle: the escapes of LaTeX and HTML."""
    if latex is not None:
        assert to_latex(text) == latex
    if html is not None:
        assert to_html(text) == html


def test_texts_that_cannot_be_set_are_refused():
    """Oracle: the specification; nothing is dropped silently."""
    with pytest.raises(ValueError, match=r"no LaTeX form for '漢' \(U\+6F22\)"):
        to_latex("漢")
    with pytest.raises(ValueError, match=r"unpaired \$"):
        to_html("costs 5 $")
