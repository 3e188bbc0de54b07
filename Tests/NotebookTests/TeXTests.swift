import Foundation
import Testing

@testable import Notebook

/// The markup between the outer row's tags.
private func body(_ tex: String, displayed isDisplayed: Bool = false) -> String {
  let html = MathMarkup(tex: tex, isDisplayed: isDisplayed).html
  guard let start = html.range(of: "<mrow>"), html.hasSuffix("</mrow></math>") else { return html }
  return String(html[start.upperBound...].dropLast("</mrow></math>".count))
}

@Suite struct TeXTests {
  @Test(
    "A construct becomes its element",
    arguments: [
      ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
      ("x^{12}", "<msup><mi>x</mi><mn>12</mn></msup>"), ("x^12", "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>"),
      ("\\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"), ("3.14", "<mn>3.14</mn>"),
      ("\\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"), ("\\sqrt{x}", "<msqrt><mi>x</mi></msqrt>"),
      ("\\sqrt[3]x", "<mroot><mi>x</mi><mrow><mn>3</mn></mrow></mroot>"),
      ("\\alpha\\Gamma", "<mi>α</mi><mi mathvariant=\"normal\">Γ</mi>"),
      ("\\mathbb{E}\\mathcal L\\mathbf{x}", "<mi>𝔼</mi><mi>ℒ</mi><mi>𝐱</mi>"),
      ("D_{\\mathrm{KL}}", "<msub><mi>D</mi><mi>KL</mi></msub>"), ("\\mathrm d", "<mi mathvariant=\"normal\">d</mi>"),
      ("\\boldsymbol\\mu", "<mi>𝝁</mi>"),
      ("\\text{if $x$ is}", "<mrow><mtext>if\u{A0}</mtext><mrow><mi>x</mi></mrow><mtext>\u{A0}is</mtext></mrow>"),
      ("a<b", "<mi>a</mi><mo stretchy=\"false\" lspace=\"0.28em\" rspace=\"0.28em\">&lt;</mo><mi>b</mi>"),
      ("f'", "<msup><mi>f</mi><mo lspace=\"0\" rspace=\"0\">′</mo></msup>"), ("% comment\nx", "<mi>x</mi>"),
    ])
  func constructs(tex: String, markup: String) { #expect(body(tex) == markup) }

  @Test("A sum has its limits above and below, an integral beside")
  func limits() {
    #expect(body("\\sum_{i=1}^n").hasPrefix("<munderover><mo movablelimits=\"true\" largeop=\"true\">∑</mo>"))
    #expect(body("\\int_0^1").hasPrefix("<msubsup>"))
    #expect(body("\\max_x").hasPrefix("<munder>"))
    #expect(body("\\underbrace{x}_{y}").hasPrefix("<munder><mrow class=\"underbrace\"><mi>x</mi></mrow><mi>y</mi>"))
  }

  @Test("A minus is a sign after an operator or a bracket, an operation after a letter")
  func minus() {
    #expect(body("-x").hasPrefix("<mo form=\"prefix\""))
    #expect(body("a-x").contains("<mo>−</mo>"))
    #expect(body("a=-x").contains("<mo form=\"prefix\" lspace=\"0\" rspace=\"0\">−</mo>"))
    #expect(body("(-x").contains("<mo form=\"prefix\" lspace=\"0\" rspace=\"0\">−</mo>"))
  }

  @Test("Aligned rows, cases and matrices are tables")
  func environments() {
    let aligned = body("\\begin{aligned} a &= b \\\\ &= c \\end{aligned}")
    #expect(aligned.contains("<mtable displaystyle=\"true\"><mtr><mtd class=\"ar\"><mi>a</mi></mtd><mtd class=\"al\">"))
    #expect(aligned.contains("</mtr><mtr><mtd class=\"ar\"></mtd>"))
    #expect(
      body("\\begin{cases} 1 & x \\\\ 0 & y \\end{cases}").hasPrefix(
        "<mrow><mo form=\"prefix\" stretchy=\"true\">{</mo><mtable>"))
    #expect(body("\\begin{pmatrix}1&2\\\\[2pt]3&4\\end{pmatrix}").components(separatedBy: "<mtd").count == 5)
  }

  @Test("Brackets of \\left and \\right stretch; the invisible one is not there")
  func fences() {
    let open = "<mo form=\"prefix\" stretchy=\"true\" lspace=\"0\" rspace=\"0\">"
    #expect(
      body("\\left[x\\right)").contains("<mo form=\"postfix\" stretchy=\"true\" lspace=\"0\" rspace=\"0\">)</mo>"))
    #expect(body("\\left\\{ x \\right.") == "<mrow>\(open){</mo><mi>x</mi></mrow>")
    #expect(
      body("\\left(x\\middle|y\\right)").contains(
        "<mo form=\"infix\" stretchy=\"true\" lspace=\"0.2em\" rspace=\"0.2em\">|</mo>"))
  }

  @Test("An unknown command is shown as text and named")
  func unknown() {
    let markup = MathMarkup(tex: "a \\foo<b", isDisplayed: false)
    #expect(markup.html.contains("<mtext class=\"unknown\">\\foo</mtext>"))
    #expect(markup.problems == ["the TeX command \\foo is not known and is shown as text"])
  }

  @Test(
    "A damaged formula is shown as far as it goes, and noted",
    arguments: [
      "{", "}", "x^", "\\frac{a", "\\left(", "\\right)", "\\begin{aligned} a", "\\end{x}", "\\sqrt[3", "a & b", "\\",
      "\\left",
      "\\text{a", "x_{a}_{b}^", "\\begin{a}\\end{b}", "\\not", "\\hat",
    ])
  func damaged(tex: String) {
    let markup = MathMarkup(tex: tex, isDisplayed: true)
    #expect(!markup.problems.isEmpty)
    #expect(isWellFormed(markup.html), "\(markup.html)")
  }

  @Test("A formula nested without end stops at a depth that is noted")
  func depth() {
    let markup = MathMarkup(tex: String(repeating: "{", count: 100_000), isDisplayed: false)
    #expect(markup.problems.contains("a formula is nested too deeply"))
    #expect(isWellFormed(markup.html))
  }

  @Test(
    "The formulas of the course are understood",
    arguments: [
      #"\log p_\theta(x) \ge \mathbb{E}_{q_\phi(z\mid x)}\left[\log \frac{p_\theta(x,z)}{q_\phi(z\mid x)}\right]"#,
      #"D_{\mathrm{KL}}(q\,\|\,p) = \tfrac12 \sum_{i=1}^{d}\bigl(\mu_i^2 + \sigma_i^2 - 1 - \log \sigma_i^2\bigr)"#,
      #"p(x) = \prod_{i=1}^{D} p(x_i \mid x_{<i}), \qquad z = \mu + \sigma \odot \varepsilon"#,
      #"\log\left|\det \frac{\partial f(x)}{\partial x^\top}\right|"#,
      #"\hat\theta = \operatorname*{arg\,max}_\theta \mathcal L"#,
      #"\min_G \max_D V(D, G) = \mathbb E_{x\sim p}[\log D(x)] + \mathbb E_z[\log(1 - D(G(z)))]"#,
      #"\nabla_\theta \lVert \nabla_x f(x) \rVert_2^2, \quad W_1 \le \sup_{\lVert f\rVert_L\le 1}"#,
      #"\operatorname{softmax}\!\left(\frac{QK^{\top}}{\sqrt{d_k}}\right)V"#,
      #"x \in \{0,1\}^{n\times n}, \; n \to \infty"#,
      #"\mathbf{h}_t = \tanh(\mathbf{W}\mathbf{x}_t + \mathbf{b}), \bar x, \tilde{x}, \widehat{p}, \dot z"#,
      #"\begin{bmatrix} 1 & \cdots & 0 \\ \vdots & \ddots & \vdots \end{bmatrix}"#,
      #"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}"#,
      #"\Pr\{X \le x\} \approx 1 - \mathrm{e}^{-\lambda x}, \; \forall x \geq 0, \; A \cup B \setminus C \neq \emptyset"#,
      #"\underset{\theta}{\operatorname{argmin}} \; \overline{x+y} \stackrel{d}{=} \overset{\text{def}}{=} \binom{n}{k}"#,
      #"\Big(\int_{-\infty}^{\infty} e^{-x^2}\,dx\Big)^2 = \pi, \ldots, a \cdot b, \ell, \lfloor x \rfloor, \langle x, y\rangle"#,
    ])
  func course(tex: String) {
    let markup = MathMarkup(tex: tex, isDisplayed: true)
    #expect(markup.problems.isEmpty)
    #expect(isWellFormed(markup.html))
  }

  private func isWellFormed(_ html: String) -> Bool {
    var open: [Substring] = []
    for match in html.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
      if !match.3.isEmpty { continue }
      if match.1.isEmpty { open.append(match.2) } else if open.popLast() != match.2 { return false }
    }
    return open.isEmpty
  }
}
