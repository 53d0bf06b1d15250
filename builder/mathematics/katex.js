// What Fanlight asks of KaTeX, in the JavaScript of 2009, for one of the engines (Duktape) knows no other.
// The answer is always JSON: {html} or {message, position, length, context}.

/* global katex */
function fanlightRender(tex, display, macros) {
  var options = {
    displayMode: display,
    output: "htmlAndMathml",
    throwOnError: true,
    strict: "ignore",
    maxExpand: 1000, // KaTeX's default: what a macro may expand to before it is taken for endless
    maxSize: 50, // in em; \rule{1e9em}{1e9em} would cover the page
    macros: JSON.parse(macros), // a fresh object each time, for \gdef writes into it
    trust: function (context) {
      if (fanlightTrusts(context)) return true;
      throw new katex.ParseError("Untrusted command: " + context.command);
    },
  };
  try {
    // A box may come out less high than nothing; browsers ignore that, and HTML's checkers do not.
    return JSON.stringify({ html: katex.renderToString(tex, options).replace(/ style="height:-[\d.]+em;/g, ' style="') });
  } catch (error) {
    return JSON.stringify({
      message: String(error.rawMessage || error.message || error),
      position: typeof error.position === "number" ? error.position : null,
      length: typeof error.length === "number" ? error.length : null,
      context: String(error.message),
    });
  }
}

// A term of a formula may be named, so that an explorable can light it up; nothing else reaches the page's markup.
function fanlightTrusts(context) {
  if (context.command === "\\htmlClass") return /^term(-[\w-]+)?( term(-[\w-]+)?)*$/.test(context["class"]);
  if (context.command !== "\\htmlData") return false;
  return Object.keys(context.attributes).every(function (name) {
    return /^data-term(-[\w-]+)?$/.test(name);
  });
}
