import Testing

@testable import Notebook

@Suite struct MarkdownTests {
  @Test(
    "Blocks become their elements",
    arguments: [
      ("# A *b*", "<h1 id=\"a-b\">A <em>b</em></h1>"),
      ("one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>"),
      ("- a\n- b\n  c", "<ul>\n<li>a</li>\n<li>b\nc</li>\n</ul>"),
      ("3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>"),
      ("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul></li>\n<li>c</li>\n</ul>"),
      ("> quoted", "<blockquote><p>quoted</p></blockquote>"), ("---", "<hr>"),
      ("```\n<b> $x\n```", "<pre class=\"code\"><code>&lt;b&gt; $x</code></pre>"),
    ])
  func blocks(text: String, html: String) { #expect(markdown(text) == html) }

  @Test(
    "Text becomes its elements",
    arguments: [
      ("**a `*b*` c** _d_", "<strong>a <code>*b*</code> c</strong> <em>d</em>"),
      ("a * b * c, snake_case_name", "a * b * c, snake_case_name"), ("***both***", "<strong><em>both</em></strong>"),
      ("[a *b*](https://x.org/?a=1&b=2)", "<a href=\"https://x.org/?a=1&amp;b=2\">a <em>b</em></a>"),
      ("<https://x.org>", "<a href=\"https://x.org\">https://x.org</a>"), ("\\*a\\* \\$5", "*a* $5"),
      ("``a`b``", "<code>a`b</code>"), ("it's", "it’s"),
    ])
  func text(text: String, html: String) { #expect(markdown(text) == "<p>\(html)</p>") }

  @Test(
    "Nothing in prose becomes markup that was not meant",
    arguments: [
      "<script>alert(1)</script>", "[x](javascript:alert(1))", "[x](data:text/html,hi)", "<img src=x onerror=y>",
      "[x](JAVASCRIPT:y)", "[a](\"onclick=\"b)", "`<script>`", "$\\text{<script>}$", "| <b> |\n|---|\n| <script> |",
    ])
  func hostile(text: String) {
    let html = markdown(text)
    #expect(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>") && !html.contains("href"))
  }

  @Test("A table has headings, alignment, and bars within code and formulas")
  func table() {
    let html = markdown("| a | b |\n|:--|--:|\n| `x|y` | $p(x|z)$ |\n| only |")
    #expect(html.contains("<th scope=\"col\" class=\"l\">a</th><th scope=\"col\" class=\"r\">b</th>"))
    #expect(html.contains("<td class=\"l\"><code>x|y</code></td><td class=\"r\"><math"))
    #expect(html.contains("<td class=\"l\">only</td><td class=\"r\"></td>"))
  }

  @Test("A displayed formula may hold lines that look like a list")
  func equation() {
    let html = markdown("so\n$$\nx = y\n- z\n+ w\n$$\nthen")
    #expect(html.contains("<math display=\"block\"") && !html.contains("<ul>"))
    #expect(html.hasPrefix("<p>so</p>") && html.hasSuffix("<p>then</p>"))
  }

  @Test("A dollar without a partner is shown and warned of with its line")
  func dollars() {
    #expect(markdownProblems("fine $x$\nbut $y") == ["2: a $ has no partner; write \\$ for the character itself"])
    #expect(markdown("but $y <") == "<p>but $y &lt;</p>")
    #expect(markdownProblems("a\n\n$$ x") == ["3: a displayed formula is not closed by $$"])
    #expect(markdownProblems("$5 and $6") != [])
    #expect(markdownProblems("x\n```\ncode") == ["2: a block of code is not closed by ```"])
  }

  @Test("Headings have identifiers of their own; only the first may be of the first level")
  func headings() {
    var renderer = MarkdownRenderer()
    _ = renderer.html([
      ProseLine(number: 1, text: "# A"), ProseLine(number: 2, text: "# A"), ProseLine(number: 3, text: "## !"),
    ])
    #expect(renderer.headings.map(\.id) == ["a", "a-again", "section"])
    #expect(renderer.headings.map(\.level) == [1, 2, 2])
  }

  @Test(
    "Any text at all is rendered",
    arguments: ["", "*", "_", "`", "[", "$", "$$", "\\", "- ", "|", "|\n|-|", "> >", "<", "#", "1."])
  func fragments(text: String) { #expect(!markdown(text + "\n" + text).contains("<script")) }
}
